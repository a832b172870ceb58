"""Checking names, numbers and references while a ``.fet`` file is read; problems are gathered, never raised."""

from __future__ import annotations

from collections.abc import Container, Mapping

from lms_bridge.core.errors import BridgeError, InputError, Place
from lms_bridge.core.i18n import N_
from lms_bridge.timetable.fet.model import Constraint, Element

_REFERENCES = {
    "Teacher": "teacher", "Teacher_Name": "teacher", "Students": "students", "Students_Name": "students",
    "Subject": "subject", "Subject_Name": "subject", "Activity_Tag": "tag", "Activity_Tag_Name": "tag",
    "First_Activity_Tag": "tag", "Second_Activity_Tag": "tag", "Room": "room", "Preferred_Room": "room",
    "Real_Room": "room", "Activity_Id": "activity", "First_Activity_Id": "activity",
    "Second_Activity_Id": "activity", "Third_Activity_Id": "activity", "Day": "day", "Preferred_Day": "day",
    "Preferred_Starting_Day": "day", "Selected_Day": "day", "Hour": "hour", "Preferred_Hour": "hour",
    "Preferred_Starting_Hour": "hour", "Selected_Hour": "hour", "Interval_Start_Hour": "hour",
    "Interval_End_Hour": "hour",
}  # fmt: skip
"""What the elements of a constraint name. An empty one means "any", or the end of the day."""

_NUMBERS = (
    "Number_", "Max_", "Min_", "Maximum_", "Minimum_", "MaxDays", "MinDays", "MinGaps", "MaxGaps",
    "Component_Number", "Duration",
)  # fmt: skip


LISTED = 500
"""More problems than this are only counted: nobody reads them, and a hostile file could have millions."""


class Problems:
    """The problems found so far in one file."""

    def __init__(self, file: str | None) -> None:
        self.file = file
        self.found: list[BridgeError] = []
        self.unlisted = 0

    def listed(self) -> list[BridgeError]:
        """The problems; the last one says how many more there are."""
        if not self.unlisted:
            return self.found
        more = InputError(
            N_("%(number)s more problems are not listed."),
            place=Place(file=self.file),
            remedy=N_("Mend those above first: one mistake often causes many."),
            number=self.unlisted,
        )
        return [*self.found, more]

    def add(self, message: str, place: Place, remedy: str, **params: object) -> None:
        """Note one problem; the place gets the file's name."""
        if len(self.found) >= LISTED:
            self.unlisted += 1
            return
        self.found.append(
            InputError(
                message,
                place=Place(self.file, place.table, place.row, place.column, place.value),
                remedy=remedy,
                **params,
            )
        )

    def missing_list(self, part: str) -> None:
        """A list that every FET file has is not there."""
        self.add(
            N_("The file has no %(part)s."),
            Place(table=part),
            N_("Open it in FET and save it again."),
            part=part,
        )

    def new_name(self, name: str, names: Container[str], part: str, row: int) -> None:
        """A name or id must be stated, and stand in its list once only."""
        if not name:
            self.add(N_("A name or id is empty."), Place(table=part, row=row), N_("Give it one in FET."))
        elif name in names:
            self.add(
                N_("This name or id occurs a second time."),
                Place(table=part, row=row, value=name[:80]),
                N_("Rename or remove one of the two in FET."),
            )

    def known(self, name: str, names: Container[str], field: str, part: str, row: int) -> None:
        """What is referred to must be defined."""
        if name not in names:
            self.add(
                N_("The file does not define what is named here."),
                Place(table=part, row=row, column=field, value=name[:80]),
                N_("Add it to the file's lists, or correct the name."),
            )

    def whole(self, element: Element, field: str, part: str, row: int, *, least: int, default: int = 0) -> int:
        """The whole number in a field; the default (or the least) where it is not stated or not a number."""
        text = element.text(field).strip()
        if not text:
            if least > 0:
                self._number(text, field, part, row, least)
            return max(default, least)
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least or len(text) > 12:
            self._number(text, field, part, row, least)
            return least
        return value

    def _number(self, text: str, field: str, part: str, row: int, least: int) -> None:
        self.add(
            N_("A whole number of at least %(least)s must stand here."),
            Place(table=part, row=row, column=field, value=text[:80]),
            N_("Correct it in FET."),
            least=least,
        )

    def percentage(self, element: Element, part: str, row: int) -> float:
        """The weight of a constraint, from 0 to 100."""
        text = element.text("Weight_Percentage").strip() or "100"
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if not 0.0 <= value <= 100.0:
            self.add(
                N_("A percentage from 0 to 100 must stand here."),
                Place(table=part, row=row, column="Weight_Percentage", value=text[:80]),
                N_("Correct it in FET."),
            )
            return 100.0
        return value


def check_constraint(
    constraint: Constraint, known: Mapping[str, frozenset[str]], part: str, problems: Problems
) -> None:
    """Every reference of a constraint must be defined and every number be one, in nested elements too."""
    waiting = list(constraint.fields.children)
    while waiting:
        element = waiting.pop()
        if element.children:
            waiting.extend(element.children)
            continue
        kind = _REFERENCES.get(element.name)
        if kind is not None and element.value:
            name = element.value.strip() if kind == "activity" else element.value
            problems.known(name, known[kind], element.name, part, constraint.row)
        elif kind is None and element.value.strip() and element.name.startswith(_NUMBERS):
            number = Element("", "", (element,))
            problems.whole(number, element.name, part, constraint.row, least=-1)
