"""Locking a timetable into the ``.fet`` file that it belongs to, so that FET opens, checks and shows it.

The file itself is edited, not written anew: everything that LMS Bridge does not know stays as it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from defusedxml.ElementTree import fromstring

from lms_bridge.timetable.fet.model import HARD
from lms_bridge.timetable.fet.reading import read_fet
from lms_bridge.timetable.fet.timetable import Timetable

_TIME = "ConstraintActivityPreferredStartingTime"
_ROOM = "ConstraintActivityPreferredRoom"


def write_locked(source: bytes | Path, timetable: Timetable, *, wishes: bool = True, file: str | None = None) -> bytes:
    """The ``.fet`` file with the times and rooms of the timetable as permanently locked constraints of weight 100.

    With ``wishes`` false the constraints below 100 percent are left out: a solver does not promise them, and FET
    refuses a locked timetable that breaks one of some kinds. Raises :class:`BadInputs` where the file is none.
    """
    data = source.read_bytes() if isinstance(source, Path) else source
    school = read_fet(data, file=file or (source.name if isinstance(source, Path) else None))
    root: Element = fromstring(data, forbid_dtd=True)
    times, spaces = _list(root, "Time_Constraints_List"), _list(root, "Space_Constraints_List")
    if not wishes:
        for part in (times, spaces):
            for constraint in [c for c in part if float(c.findtext("Weight_Percentage") or HARD) < HARD]:
                part.remove(constraint)
    fixed = _fixed(times, _TIME, ("Preferred_Day", "Preferred_Hour"))
    housed = _fixed(spaces, _ROOM, ("Room",))
    for activity in school.active_activities():
        start, room = timetable.starts.get(activity.id), timetable.rooms.get(activity.id)
        if start is not None and activity.id not in fixed:
            fields = [("Preferred_Day", school.days[start[0]]), ("Preferred_Hour", school.hours[start[1]])]
            _add(times, _TIME, activity.id, fields)
        if room is not None and activity.id not in housed:
            behind = timetable.real_rooms.get(activity.id, ())
            fields = [("Room", room)]
            if behind:
                fields += [("Number_of_Real_Rooms", str(len(behind))), *(("Real_Room", name) for name in behind)]
            _add(spaces, _ROOM, activity.id, fields)
    return to_xml(root)


def _list(root: Element, name: str) -> Element:
    found = root.find(name)
    assert found is not None, "the reader has refused files without it"
    return found


def _fixed(part: Element, tag: str, fields: tuple[str, ...]) -> set[int]:
    """The activities that the file itself fixes wholly: a second constraint would only repeat or contradict it."""
    return {
        int(found.findtext("Activity_Id") or 0)
        for found in part.iterfind(tag)
        if float(found.findtext("Weight_Percentage") or HARD) >= HARD
        and (found.findtext("Active") or "true").strip().lower() in ("true", "yes", "1")
        and all((found.findtext(field) or "").strip() for field in fields)
    }


def _add(part: Element, tag: str, activity: int, fields: Iterable[tuple[str, str]]) -> None:
    """Append one permanently locked constraint of weight 100."""
    constraint = SubElement(part, tag)
    values = [("Weight_Percentage", "100"), ("Activity_Id", str(activity)), *fields]
    for name, value in [*values, ("Permanently_Locked", "true"), ("Active", "true"), ("Comments", "")]:
        SubElement(constraint, name).text = value


def to_xml(root: Element) -> bytes:
    """The document as FET writes it: UTF-8, with a declaration, one element a line."""
    indent(root, space="\t")
    content: bytes = tostring(root, encoding="UTF-8", xml_declaration=True, short_empty_elements=False)
    return content + b"\n"
