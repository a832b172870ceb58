"""What a ``.fet`` file says, as plain values; no meaning is given to its constraints here.

FET (https://lalescu.ro/liviu/fet/) is a widely used free timetabling program. Its input names days, hours, teachers,
subjects, activity tags, a tree of students (years > groups > subgroups), rooms, activities and constraints. The words
here are those of FET's own documentation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

HARD = 100.0


@dataclass(frozen=True, slots=True)
class Element:
    """One element of the file: its name, its text, and the elements within it.

    The text is kept with its outer blanks, because FET tells ``"1"`` and ``"1 "`` apart.
    """

    name: str
    value: str
    children: tuple[Element, ...] = ()

    def text(self, name: str, default: str = "") -> str:
        """The text of the first child of that name."""
        for child in self.children:
            if child.name == name:
                return child.value
        return default

    def has(self, name: str) -> bool:
        """Whether there is a child of that name."""
        return any(child.name == name for child in self.children)

    def texts(self, name: str) -> tuple[str, ...]:
        """The texts of all children of that name, in their order."""
        return tuple(child.value for child in self.children if child.name == name)

    def nested(self, name: str) -> tuple[Element, ...]:
        """All children of that name, for elements that hold others, such as ``Not_Available_Time``."""
        return tuple(child for child in self.children if child.name == name)

    def whole(self, name: str, default: int = 0) -> int:
        """The whole number in the first child of that name (the reader has made sure that it is one)."""
        return int(self.text(name).strip() or default)

    def wholes(self, name: str) -> tuple[int, ...]:
        """The whole numbers in all children of that name."""
        return tuple(int(value) for value in self.texts(name))

    def flag(self, name: str, default: bool = False) -> bool:
        """True or false as FET writes it (``true``, ``yes`` or ``1``)."""
        value = self.text(name).strip().lower()
        return value in ("true", "yes", "1") if value else default

    def times(self, name: str, day: str = "Day", hour: str = "Hour") -> tuple[tuple[str, str], ...]:
        """The (day, hour) names in nested elements, such as ``times("Not_Available_Time")``."""
        return tuple((child.text(day), child.text(hour)) for child in self.nested(name))


@dataclass(frozen=True, slots=True)
class Constraint:
    """One constraint as the file states it.

    ``kind`` is the element's name without the leading ``Constraint``; ``weight`` is a percentage, 100 means hard;
    ``row`` counts within its list (time or space) from 1; ``fields`` gives access to everything inside.
    """

    kind: str
    weight: float
    active: bool
    space: bool
    row: int
    fields: Element

    @property
    def hard(self) -> bool:
        """Whether a timetable that breaks it is no timetable."""
        return self.weight >= HARD


@dataclass(frozen=True, slots=True)
class Activity:
    """One meeting of teachers and students sets: ``duration`` hours in a row, once a week.

    Activities with the same ``group`` other than 0 are the parts of one split activity of ``total_duration`` hours.
    ``size`` is the number of students where the file states one for this activity.
    """

    id: int
    teachers: tuple[str, ...]
    subject: str
    tags: tuple[str, ...]
    students: tuple[str, ...]
    duration: int
    total_duration: int
    group: int
    active: bool
    size: int | None


@dataclass(frozen=True, slots=True)
class StudentsSet:
    """A year, group or subgroup. ``leaves`` are its smallest parts; a set without parts is its own leaf."""

    name: str
    kind: Literal["year", "group", "subgroup"]
    size: int
    leaves: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Room:
    """A room. A virtual room stands for one free real room out of each of its ``sets``."""

    name: str
    building: str
    capacity: int
    virtual: bool
    sets: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class School:
    """A whole ``.fet`` file. Days and hours are in the file's order; a slot is (day index, hour index)."""

    name: str
    version: str
    mode: str
    days: tuple[str, ...]
    hours: tuple[str, ...]
    subjects: tuple[str, ...]
    tags: tuple[str, ...]
    teachers: tuple[str, ...]
    students: Mapping[str, StudentsSet]
    buildings: tuple[str, ...]
    rooms: Mapping[str, Room]
    activities: tuple[Activity, ...]
    constraints: tuple[Constraint, ...]

    @cached_property
    def day_index(self) -> Mapping[str, int]:
        """The place of each day in the week, from 0."""
        return {day: index for index, day in enumerate(self.days)}

    @cached_property
    def hour_index(self) -> Mapping[str, int]:
        """The place of each hour in the day, from 0."""
        return {hour: index for index, hour in enumerate(self.hours)}

    @cached_property
    def by_id(self) -> Mapping[int, Activity]:
        """All activities by their id, those that are not active too."""
        return {activity.id: activity for activity in self.activities}

    @cached_property
    def leaves(self) -> tuple[str, ...]:
        """The smallest students sets, in the file's order."""
        return tuple(dict.fromkeys(leaf for found in self.students.values() for leaf in found.leaves))

    def active_activities(self) -> Iterator[Activity]:
        """The activities that are to be placed."""
        return (activity for activity in self.activities if activity.active)

    def active_constraints(self) -> Iterator[Constraint]:
        """The constraints that are in force."""
        return (constraint for constraint in self.constraints if constraint.active)

    def leaves_of(self, activity: Activity) -> tuple[str, ...]:
        """The smallest students sets that take part in an activity, each once."""
        return tuple(dict.fromkeys(leaf for name in activity.students for leaf in self.students[name].leaves))
