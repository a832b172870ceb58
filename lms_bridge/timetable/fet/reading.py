"""Reading a ``.fet`` file: everything that is wrong with it is listed at once."""

from __future__ import annotations

from collections.abc import Container, Iterable
from pathlib import Path

from lms_bridge.core.errors import BadInputs, Place
from lms_bridge.core.i18n import N_
from lms_bridge.timetable.fet.model import Activity, Constraint, Element, Room, School, StudentsSet
from lms_bridge.timetable.fet.references import Problems, check_constraint
from lms_bridge.timetable.fet.xml import MAX_BYTES, parse

_NAMED = {"Days_List": "Day", "Hours_List": "Hour", "Subjects_List": "Subject", "Activity_Tags_List": "Activity_Tag",
          "Teachers_List": "Teacher", "Buildings_List": "Building"}  # fmt: skip


def read_fet(source: bytes | Path, *, file: str | None = None) -> School:
    """The school that a ``.fet`` file of version 5 or 6 describes.

    ``source`` is the file's bytes or its path; ``file`` is the name that problems state (by default the path's).
    Raises :class:`BadInputs` with every problem: no XML, another root or version, lists that are missing or empty,
    names or ids that occur twice, references to what the file does not define, numbers that are none.
    """
    if isinstance(source, Path):
        file = file or source.name
        with source.open("rb") as stream:
            source = stream.read(MAX_BYTES + 1)
    version, root = parse(source, file)
    problems = Problems(file)
    lists = {child.name: child for child in root.children}
    names = {part: _names(lists, part, item, problems) for part, item in _NAMED.items()}
    for part in ("Days_List", "Hours_List"):
        if not names[part]:
            problems.add(
                N_("The file defines no days or no hours."),
                Place(table=part),
                N_("Define the days of the week and the hours of the day in FET."),
            )
    students = _students(lists.get("Students_List"), problems)
    rooms = _rooms(lists.get("Rooms_List"), names["Buildings_List"], problems)
    activities = _activities(lists.get("Activities_List"), names, students, problems)
    known = {
        "teacher": frozenset(names["Teachers_List"]),
        "subject": frozenset(names["Subjects_List"]),
        "tag": frozenset(names["Activity_Tags_List"]),
        "students": frozenset(students),
        "room": frozenset(rooms),
        "building": frozenset(names["Buildings_List"]),
        "activity": frozenset(str(activity.id) for activity in activities),
        "day": frozenset(names["Days_List"]),
        "hour": frozenset(names["Hours_List"]),
    }
    constraints = [
        *_constraints(lists.get("Time_Constraints_List"), False, known, problems),
        *_constraints(lists.get("Space_Constraints_List"), True, known, problems),
    ]
    if problems.found:
        raise BadInputs(problems.listed(), file=file)
    return School(
        name=root.text("Institution_Name").strip(),
        version=version,
        mode=root.text("Mode").strip() or "Official",
        days=names["Days_List"],
        hours=names["Hours_List"],
        subjects=names["Subjects_List"],
        tags=names["Activity_Tags_List"],
        teachers=names["Teachers_List"],
        students=students,
        buildings=names["Buildings_List"],
        rooms=rooms,
        activities=tuple(activities),
        constraints=tuple(constraints),
    )


def _names(lists: dict[str, Element], part: str, item: str, problems: Problems) -> tuple[str, ...]:
    """The names of the things in one list, each once."""
    found = lists.get(part)
    if found is None:
        problems.missing_list(part)
        return ()
    names: dict[str, None] = {}
    for row, element in enumerate(found.nested(item), start=1):
        name = element.text("Name")
        problems.new_name(name, names, part, row)
        names[name] = None
    return tuple(names)


def _students(found: Element | None, problems: Problems) -> dict[str, StudentsSet]:
    """Every students set by name. A group may stand in several years and a subgroup in several groups."""
    if found is None:
        problems.missing_list("Students_List")
        return {}
    sets: dict[str, StudentsSet] = {}
    years: dict[str, None] = {}
    for row, year in enumerate(found.nested("Year"), start=1):
        name = year.text("Name")
        problems.new_name(name, years, "Students_List", row)
        years[name] = None
        leaves: dict[str, None] = {}
        for group in year.nested("Group"):
            subgroups = group.nested("Subgroup")
            own = [subgroup.text("Name") for subgroup in subgroups] or [group.text("Name")]
            for subgroup in subgroups:
                leaf = subgroup.text("Name")
                size = problems.whole(subgroup, "Number_of_Students", "Students_List", row, least=0)
                sets.setdefault(leaf, StudentsSet(leaf, "subgroup", size, (leaf,)))
            size = problems.whole(group, "Number_of_Students", "Students_List", row, least=0)
            known = sets.get(group.text("Name"))
            merged = tuple(dict.fromkeys([*(known.leaves if known else ()), *own]))
            sets[group.text("Name")] = StudentsSet(group.text("Name"), "group", size, merged)
            leaves.update(dict.fromkeys(own))
        size = problems.whole(year, "Number_of_Students", "Students_List", row, least=0)
        sets[name] = StudentsSet(name, "year", size, tuple(leaves) or (name,))
    return sets


def _rooms(found: Element | None, buildings: Container[str], problems: Problems) -> dict[str, Room]:
    if found is None:
        problems.missing_list("Rooms_List")
        return {}
    rooms: dict[str, Room] = {}
    elements = found.nested("Room")
    names = {element.text("Name") for element in elements}
    for row, element in enumerate(elements, start=1):
        name, building = element.text("Name"), element.text("Building")
        problems.new_name(name, rooms, "Rooms_List", row)
        if building:
            problems.known(building, buildings, "Building", "Rooms_List", row)
        sets = tuple(inner.texts("Real_Room") for inner in element.nested("Set_of_Real_Rooms"))
        for real in (real for inner in sets for real in inner):
            problems.known(real, names, "Real_Room", "Rooms_List", row)
        capacity = problems.whole(element, "Capacity", "Rooms_List", row, least=0)
        rooms[name] = Room(name, building, capacity, element.flag("Virtual"), sets)
    return rooms


def _activities(
    found: Element | None, names: dict[str, tuple[str, ...]], students: dict[str, StudentsSet], problems: Problems
) -> list[Activity]:
    if found is None:
        problems.missing_list("Activities_List")
        return []
    known = {
        "Teacher": frozenset(names["Teachers_List"]),
        "Subject": frozenset(names["Subjects_List"]),
        "Activity_Tag": frozenset(names["Activity_Tags_List"]),
        "Students": frozenset(students),
    }
    activities: list[Activity] = []
    ids: set[str] = set()
    for row, element in enumerate(found.nested("Activity"), start=1):
        id_ = problems.whole(element, "Id", "Activities_List", row, least=0, default=-1)
        problems.new_name(element.text("Id").strip() and str(id_), ids, "Activities_List", row)
        ids.add(str(id_))
        values: dict[str, tuple[str, ...]] = {}
        for field, defined in known.items():
            values[field] = tuple(value for value in dict.fromkeys(element.texts(field)) if value)
            for value in values[field]:
                problems.known(value, defined, field, "Activities_List", row)
        size = problems.whole(element, "Number_Of_Students", "Activities_List", row, least=-1, default=-1)
        activities.append(
            Activity(
                id=id_,
                teachers=values["Teacher"],
                subject=values["Subject"][0] if values["Subject"] else "",
                tags=values["Activity_Tag"],
                students=values["Students"],
                duration=problems.whole(element, "Duration", "Activities_List", row, least=1),
                total_duration=problems.whole(element, "Total_Duration", "Activities_List", row, least=0),
                group=problems.whole(element, "Activity_Group_Id", "Activities_List", row, least=0),
                active=element.flag("Active", default=True),
                size=size if size >= 0 else None,
            )
        )
    return activities


def _constraints(
    found: Element | None, space: bool, known: dict[str, frozenset[str]], problems: Problems
) -> Iterable[Constraint]:
    part = "Space_Constraints_List" if space else "Time_Constraints_List"
    if found is None:
        problems.missing_list(part)
        return
    for row, element in enumerate(found.children, start=1):
        if not element.name.startswith("Constraint"):
            problems.add(
                N_("%(name)s is not a constraint."),
                Place(table=part, row=row),
                N_("Save the file again in FET."),
                name=element.name[:80],
            )
            continue
        weight = problems.percentage(element, part, row)
        constraint = Constraint(
            kind=element.name.removeprefix("Constraint"),
            weight=weight,
            active=element.flag("Active", default=True),
            space=space,
            row=row,
            fields=element,
        )
        check_constraint(constraint, known, part, problems)
        yield constraint
