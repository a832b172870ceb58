"""Reading solved timetables: FET's ``*_activities.xml``, and the times and rooms locked in a ``.fet`` file."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element as XmlElement
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from lms_bridge.core.errors import BadInputs, BridgeError, InputError, Place
from lms_bridge.core.i18n import N_
from lms_bridge.timetable.fet.model import School
from lms_bridge.timetable.fet.timetable import Slot, Timetable

MAX_BYTES = 32 * 1024 * 1024
_PART = "Activities_Timetable"


def read_solution(source: bytes | Path, school: School, *, file: str | None = None) -> Timetable:
    """The timetable in an ``*_activities.xml`` that FET wrote for this school.

    Activities that FET did not place are left out. ``file`` is the name that problems state (by default the path's).
    Raises :class:`BadInputs` with every problem: no XML, another kind of file, an activity, day, hour or room that
    the school does not have, an activity that is not active or occurs twice.
    """
    if isinstance(source, Path):
        file = file or source.name
        with source.open("rb") as stream:
            source = stream.read(MAX_BYTES + 1)
    problems: list[BridgeError] = []
    starts: dict[int, Slot] = {}
    rooms: dict[int, str] = {}
    real: dict[int, tuple[str, ...]] = {}
    for row, element in enumerate(_elements(source, file), start=1):
        reader = _Row(school, element, Place(file=file, table=_PART, row=row), problems)
        activity = reader.activity(starts)
        start = reader.start()
        room, behind = reader.rooms()
        if activity is None or start is None:
            continue
        starts[activity] = start
        if room:
            rooms[activity] = room
        if behind:
            real[activity] = behind
    if problems:
        raise BadInputs(problems, file=file)
    return Timetable(starts, rooms, real)


def _elements(data: bytes, file: str | None) -> Iterator[XmlElement]:
    """The ``Activity`` elements of the file, one by one."""
    try:
        if len(data) > MAX_BYTES:
            raise InputError(
                N_("The solved timetable has %(size)s bytes; at most %(limit)s are read."),
                place=Place(file=file),
                remedy=N_("Check that this is the file of one school that ends in _activities.xml."),
                size=len(data),
                limit=MAX_BYTES,
            )
        root = None
        for event, element in iterparse(io.BytesIO(data), events=("start", "end"), forbid_dtd=True):
            if root is None:
                root = element
                if element.tag != _PART:
                    raise InputError(
                        N_("This is not a solved timetable of FET: its outermost element is %(tag)s."),
                        place=Place(file=file),
                        remedy=N_("Choose the file that ends in _activities.xml in FET's results."),
                        tag=str(element.tag)[:80],
                    )
            elif event == "end" and element.tag == "Activity":
                yield element
                root.clear()
    except InputError as error:
        raise BadInputs([error], file=file) from None
    except (ParseError, DefusedXmlException) as error:
        line, column = error.position if isinstance(error, ParseError) else (1, 0)
        problem = InputError(
            N_("The solved timetable breaks off or is not well-formed XML here."),
            place=Place(file=file, row=line, column=column + 1),
            remedy=N_("Let FET write its results again and send the whole file."),
        )
        raise BadInputs([problem], file=file) from None


class _Row:
    """Reads one ``Activity`` element and notes what is wrong with it."""

    def __init__(self, school: School, element: XmlElement, place: Place, problems: list[BridgeError]) -> None:
        self.school, self.element, self.place, self.problems = school, element, place, problems

    def _text(self, name: str) -> str:
        return self.element.findtext(name) or ""

    def _wrong(self, column: str, value: str, message: str, remedy: str) -> None:
        place = Place(self.place.file, self.place.table, self.place.row, column, value[:80])
        self.problems.append(InputError(message, place=place, remedy=remedy))

    def _unknown(self, column: str, value: str) -> None:
        self._wrong(
            column,
            value,
            N_("The school's file does not have what is named here."),
            N_("Choose the results of this very .fet file."),
        )

    def activity(self, starts: dict[int, Slot]) -> int | None:
        """The id of an active activity that has not occurred yet."""
        text = self._text("Id").strip()
        found = self.school.by_id.get(int(text)) if text.isdigit() and len(text) < 12 else None
        if found is None or not found.active:
            self._unknown("Id", text)
            return None
        if found.id in starts:
            self._wrong(
                "Id",
                text,
                N_("This activity occurs a second time."),
                N_("Let FET write its results again and send the whole file."),
            )
            return None
        return found.id

    def start(self) -> Slot | None:
        """Day and hour; nothing where FET left the activity out."""
        day, hour = self._text("Day"), self._text("Hour")
        if not day and not hour:
            return None
        for column, value, known in (("Day", day, self.school.day_index), ("Hour", hour, self.school.hour_index)):
            if value not in known:
                self._unknown(column, value)
        if day in self.school.day_index and hour in self.school.hour_index:
            return self.school.day_index[day], self.school.hour_index[hour]
        return None

    def rooms(self) -> tuple[str, tuple[str, ...]]:
        """The room and, for a virtual one, the real rooms behind it."""
        room = self._text("Room")
        behind = tuple(found.text or "" for found in self.element.findall("Real_Room"))
        for column, value in (("Room", room), *(("Real_Room", name) for name in behind)):
            if value and value not in self.school.rooms:
                self._unknown(column, value)
        return room, behind


def locked_timetable(school: School) -> Timetable:
    """The times and rooms that the file itself fixes (weight 100), for schools that keep their timetable in it.

    A time counts when both its day and its hour are fixed. Where two constraints fix an activity, the last one counts;
    the checker names the contradiction.
    """
    starts: dict[int, Slot] = {}
    rooms: dict[int, str] = {}
    real: dict[int, tuple[str, ...]] = {}
    for constraint in school.active_constraints():
        if not constraint.hard:
            continue
        fields = constraint.fields
        if constraint.kind == "ActivityPreferredStartingTime":
            day, hour = fields.text("Preferred_Day"), fields.text("Preferred_Hour")
            if day and hour:
                starts[fields.whole("Activity_Id")] = (school.day_index[day], school.hour_index[hour])
        elif constraint.kind == "ActivityPreferredRoom":
            activity = fields.whole("Activity_Id")
            rooms[activity] = fields.text("Room")
            if fields.texts("Real_Room"):
                real[activity] = fields.texts("Real_Room")
    active = {activity.id for activity in school.active_activities()}
    return Timetable(
        {key: value for key, value in starts.items() if key in active},
        {key: value for key, value in rooms.items() if key in active},
        {key: value for key, value in real.items() if key in active},
    )
