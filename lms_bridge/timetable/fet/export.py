"""A new ``.fet`` file out of plain data, so that a timetable of LMS Bridge can be opened and changed in FET."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element, SubElement

from lms_bridge.core.errors import BadInputs, BridgeError, InputError, Place
from lms_bridge.core.i18n import N_
from lms_bridge.timetable.fet.timetable import Slot
from lms_bridge.timetable.fet.writing import to_xml

VERSION = "6.8.5"
"""The version of FET whose form is written; older ones of FET 6 read it too."""

_UNWRITABLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class PlainActivity:
    """One meeting a week of ``duration`` hours. ``id`` is above 0. Activities with the same ``group`` other than 0 are
    parts of one course; FET wants such a group to be numbered by the id of its first part, with the ids in a row.
    With ``start`` (and ``room``) it is locked there."""

    id: int
    subject: str
    teachers: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    duration: int = 1
    group: int = 0
    tags: tuple[str, ...] = ()
    start: Slot | None = None
    room: str | None = None


@dataclass(frozen=True, slots=True)
class DaysApart:
    """So many days should lie between any two of these activities; ``weight`` in percent, 100 is a must."""

    activities: tuple[int, ...]
    days: int = 1
    weight: float = 95.0


@dataclass(frozen=True, slots=True)
class PlainSchool:
    """What a new file says. Slots are (day, hour) from 0. ``classes`` maps a class to its number of students, ``rooms``
    a room to its places; ``breaks`` are closed for all, the two maps of absences for one teacher or class. ``parts``
    are the sets of students that a class is divided into; activities name them like classes."""

    name: str
    days: Sequence[str]
    hours: Sequence[str]
    teachers: Sequence[str]
    subjects: Sequence[str]
    classes: Mapping[str, int]
    activities: Sequence[PlainActivity]
    tags: Sequence[str] = ()
    rooms: Mapping[str, int] = field(default_factory=dict)
    breaks: Sequence[Slot] = ()
    teacher_absent: Mapping[str, Sequence[Slot]] = field(default_factory=dict)
    class_absent: Mapping[str, Sequence[Slot]] = field(default_factory=dict)
    days_apart: Sequence[DaysApart] = ()
    comments: str = ""
    parts: Mapping[str, Sequence[str]] = field(default_factory=dict)


def write_school(school: PlainSchool) -> bytes:
    """The ``.fet`` file of a school.

    Raises :class:`BadInputs` with every problem: empty names, names that occur twice or have characters that XML
    cannot hold, unknown names, ids that occur twice, times outside the grid.
    """
    _refuse_problems(school)
    root = Element("fet", version=VERSION)
    for name, value in (("Mode", "Official"), ("Institution_Name", school.name), ("Comments", school.comments)):
        SubElement(root, name).text = value
    _names(root, "Days_List", "Day", school.days, "Number_of_Days")
    _names(root, "Hours_List", "Hour", school.hours, "Number_of_Hours")
    _names(root, "Subjects_List", "Subject", school.subjects)
    _names(root, "Activity_Tags_List", "Activity_Tag", school.tags)
    _names(root, "Teachers_List", "Teacher", school.teachers)
    _students(root, school)
    _activities(root, school)
    SubElement(root, "Buildings_List")
    rooms = SubElement(root, "Rooms_List")
    for room, places in school.rooms.items():
        _texts(
            SubElement(rooms, "Room"), [("Name", room), ("Building", ""), ("Capacity", places), ("Virtual", "false")]
        )
    _time_constraints(root, school)
    _space_constraints(root, school)
    return to_xml(root)


def _texts(parent: Element, values: Iterable[tuple[str, object]]) -> None:
    for name, value in values:
        SubElement(parent, name).text = str(value)


def _names(root: Element, part: str, item: str, names: Sequence[str], count: str | None = None) -> None:
    found = SubElement(root, part)
    if count is not None:
        SubElement(found, count).text = str(len(names))
    for name in names:
        _texts(SubElement(found, item), [("Name", name)])


def _students(root: Element, school: PlainSchool) -> None:
    part = SubElement(root, "Students_List")
    for name, size in school.classes.items():
        sets = school.parts.get(name, ())
        # FET divides years into groups and groups into subgroups: a divided class is the one group of a year.
        year = _students_set(part, "Year", f"({name})" if sets else name, size)
        if sets:
            group = _students_set(year, "Group", name, size)
            for own in sets:
                _students_set(group, "Subgroup", own, 0)


def _students_set(parent: Element, kind: str, name: str, size: int) -> Element:
    element = SubElement(parent, kind)
    _texts(element, [("Name", name), ("Number_of_Students", size), ("Comments", "")])
    return element


def _activities(root: Element, school: PlainSchool) -> None:
    part = SubElement(root, "Activities_List")
    totals: dict[int, int] = {}
    for activity in school.activities:
        totals[activity.group] = totals.get(activity.group, 0) + activity.duration
    for activity in school.activities:
        element = SubElement(part, "Activity")
        _texts(element, [("Teacher", name) for name in activity.teachers])
        _texts(element, [("Subject", activity.subject)])
        _texts(element, [("Activity_Tag", name) for name in activity.tags])
        _texts(element, [("Students", name) for name in activity.classes])
        total = totals[activity.group] if activity.group else activity.duration
        _texts(element, [("Duration", activity.duration), ("Total_Duration", total), ("Id", activity.id),
                         ("Activity_Group_Id", activity.group), ("Active", "true"), ("Comments", "")])  # fmt: skip


def _constraint(part: Element, kind: str, values: Iterable[tuple[str, object]], weight: float = 100.0) -> Element:
    element = SubElement(part, f"Constraint{kind}")
    _texts(element, [("Weight_Percentage", f"{weight:g}"), *values])
    return element


def _close(element: Element, *, locked: bool = False) -> None:
    if locked:
        _texts(element, [("Permanently_Locked", "true")])
    _texts(element, [("Active", "true"), ("Comments", "")])


def _slots(element: Element, school: PlainSchool, item: str, count: str, slots: Sequence[Slot]) -> None:
    _texts(element, [(count, len(slots))])
    for day, hour in slots:
        _texts(SubElement(element, item), [("Day", school.days[day]), ("Hour", school.hours[hour])])


def _time_constraints(root: Element, school: PlainSchool) -> None:
    part = SubElement(root, "Time_Constraints_List")
    _close(_constraint(part, "BasicCompulsoryTime", ()))
    if school.breaks:
        element = _constraint(part, "BreakTimes", ())
        _slots(element, school, "Break_Time", "Number_of_Break_Times", school.breaks)
        _close(element)
    for kind, who, absences in (("Teacher", "Teacher", school.teacher_absent),
                                ("StudentsSet", "Students", school.class_absent)):  # fmt: skip
        for name, slots in absences.items():
            if slots:
                element = _constraint(part, f"{kind}NotAvailableTimes", [(who, name)])
                _slots(element, school, "Not_Available_Time", "Number_of_Not_Available_Times", slots)
                _close(element)
    for apart in school.days_apart:
        ids = [("Activity_Id", i) for i in apart.activities]
        values = [
            ("Consecutive_If_Same_Day", "true"),
            ("Number_of_Activities", len(ids)),
            *ids,
            ("MinDays", apart.days),
        ]
        _close(_constraint(part, "MinDaysBetweenActivities", values, apart.weight))
    for activity in school.activities:
        if activity.start is not None:
            day, hour = activity.start
            values = [("Activity_Id", activity.id), ("Preferred_Day", school.days[day]),
                      ("Preferred_Hour", school.hours[hour])]  # fmt: skip
            _close(_constraint(part, "ActivityPreferredStartingTime", values), locked=True)


def _space_constraints(root: Element, school: PlainSchool) -> None:
    part = SubElement(root, "Space_Constraints_List")
    _close(_constraint(part, "BasicCompulsorySpace", ()))
    for activity in school.activities:
        if activity.room is not None:
            values = [("Activity_Id", activity.id), ("Room", activity.room)]
            _close(_constraint(part, "ActivityPreferredRoom", values), locked=True)


def _refuse_problems(school: PlainSchool) -> None:
    """Raise :class:`BadInputs` where FET could not read what would be written."""
    problems: list[BridgeError] = []
    lists: dict[str, Sequence[str]] = {
        "Days_List": school.days, "Hours_List": school.hours, "Subjects_List": school.subjects,
        "Activity_Tags_List": school.tags, "Teachers_List": school.teachers,
        "Students_List": [*school.classes, *_sets(school)],
        "Rooms_List": list(school.rooms), "Activities_List": [str(activity.id) for activity in school.activities],
    }  # fmt: skip
    for part, names in lists.items():
        for row, name in enumerate(names, start=1):
            place = Place(table=part, row=row, value=name[:80])
            if not name.strip() or _UNWRITABLE.search(name):
                problems.append(
                    InputError(
                        N_("A name is empty or has characters that no FET file can hold."),
                        place=place,
                        remedy=N_("Rename it before the export."),
                    )
                )
            elif name in names[: row - 1]:
                problems.append(
                    InputError(
                        N_("Two of one kind have the same name; FET could not tell them apart."),
                        place=place,
                        remedy=N_("Rename one of them, or add its code to the name."),
                    )
                )
    problems += _wrong_references(school)
    if problems:
        raise BadInputs(problems)


def _sets(school: PlainSchool) -> list[str]:
    """The names of students sets that are not classes."""
    return [name for sets in school.parts.values() for name in sets]


def _wrong_references(school: PlainSchool) -> list[BridgeError]:
    known = {
        "Teacher": set(school.teachers), "Subject": set(school.subjects), "Students": {*school.classes, *_sets(school)},
        "Activity_Tag": set(school.tags), "Room": set(school.rooms),
        "Activity_Id": {str(activity.id) for activity in school.activities},
    }  # fmt: skip
    used: list[tuple[str, int, str, str]] = []
    times: list[tuple[str, int, Slot, int]] = [
        ("BreakTimes", row, slot, 1) for row, slot in enumerate(school.breaks, 1)
    ]
    for row, activity in enumerate(school.activities, start=1):
        part = "Activities_List"
        used += [(part, row, "Teacher", name) for name in activity.teachers]
        used += [(part, row, "Students", name) for name in activity.classes]
        used += [(part, row, "Activity_Tag", name) for name in activity.tags]
        used += [(part, row, "Subject", activity.subject)]
        used += [(part, row, "Room", activity.room)] if activity.room is not None else []
        times += [(part, row, activity.start, activity.duration)] if activity.start is not None else []
    for field_name, absences in (("Teacher", school.teacher_absent), ("Students", school.class_absent)):
        for row, (name, slots) in enumerate(absences.items(), start=1):
            used.append(("NotAvailableTimes", row, field_name, name))
            times += [("NotAvailableTimes", row, slot, 1) for slot in slots]
    for row, apart in enumerate(school.days_apart, start=1):
        used += [("MinDaysBetweenActivities", row, "Activity_Id", str(i)) for i in apart.activities]
    problems: list[BridgeError] = [
        InputError(
            N_("This name is used, but the school that is exported does not list it."),
            place=Place(table=part, row=row, column=column, value=name[:80]),
            remedy=N_("List it, or leave out what uses it."),
        )
        for part, row, column, name in used
        if name not in known[column]
    ]
    for part, row, (day, hour), duration in times:
        if not (0 <= day < len(school.days) and 0 <= hour <= len(school.hours) - duration):
            problems.append(
                InputError(
                    N_("A time lies outside of the days and hours of the school."),
                    place=Place(table=part, row=row, value=f"{day}/{hour}"),
                    remedy=N_("Add the missing days or hours before the export."),
                )
            )
    return problems
