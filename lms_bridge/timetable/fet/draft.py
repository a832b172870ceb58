"""The problem in the making: what the rules of a ``.fet`` file add up to before units are formed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lms_bridge.timetable.engine.arrays import SURE
from lms_bridge.timetable.engine.problem import Limits, Pair, SlotGroup
from lms_bridge.timetable.fet.model import Activity, Constraint, Element, School


def chance(constraint: Constraint) -> int:
    """The probability with which a constraint of this weight is checked, out of SURE."""
    return round(constraint.weight * SURE / 100)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Rooms that a constraint allows for an activity; ``home``: counts only where no other constraint names rooms."""

    rooms: tuple[str, ...]
    check: int
    home: bool


@dataclass
class Draft:
    """Activities are known by their place among the active ones; slots are ``day * hours + hour``.

    ``refused`` has for each activity and start slot the probability (0 to 1) that the slot is refused.
    """

    school: School
    activities: tuple[Activity, ...]
    leaves: tuple[tuple[str, ...], ...]
    refused: NDArray[np.float64]
    closed: dict[tuple[str, str], set[int]] = field(default_factory=dict)
    limits: dict[tuple[str, str], list[tuple[frozenset[int] | None, Limits]]] = field(default_factory=dict)
    together: list[tuple[int, ...]] = field(default_factory=list)
    apart: list[tuple[int, ...]] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    groups: list[SlotGroup] = field(default_factory=list)
    ending: set[int] = field(default_factory=set)
    pauses: set[int] = field(default_factory=set)
    rooms: dict[int, list[Wanted]] = field(default_factory=dict)

    @classmethod
    def of(cls, school: School) -> Draft:
        """A draft in which every activity may start wherever it ends within the day."""
        activities = tuple(school.active_activities())
        hours, slots = len(school.hours), len(school.days) * len(school.hours)
        refused = np.zeros((len(activities), slots))
        for number, activity in enumerate(activities):
            for slot in range(slots):
                if slot % hours + activity.duration > hours:
                    refused[number, slot] = 1.0
        return cls(school, activities, tuple(school.leaves_of(activity) for activity in activities), refused)

    def slot(self, day: str, hour: str) -> int:
        """The slot of a day and hour by name."""
        return self.school.day_index[day] * len(self.school.hours) + self.school.hour_index[hour]

    def slots(self, elements: Iterable[Element], day: str = "Day", hour: str = "Hour") -> set[int]:
        """The slots that elements name; a missing day or hour means all of them."""
        found: set[int] = set()
        for element in elements:
            days = [element.text(day)] if element.text(day) else self.school.days
            hours = [element.text(hour)] if element.text(hour) else self.school.hours
            found.update(self.slot(d, h) for d in days for h in hours)
        return found

    def numbers(self, constraint: Constraint, *names: str) -> tuple[int, ...]:
        """The active activities that a constraint names by id, each once."""
        places = self.places
        ids = [value for name in names or ("Activity_Id",) for value in constraint.fields.wholes(name)]
        return tuple(dict.fromkeys(places[id_] for id_ in ids if id_ in places))

    @cached_property
    def places(self) -> dict[int, int]:
        """The place of each active activity by its id."""
        return {activity.id: number for number, activity in enumerate(self.activities)}

    def matching(self, constraint: Constraint) -> Iterator[int]:
        """The activities that the filters of a constraint choose (teacher, students, subject, tag, duration)."""
        fields = constraint.fields
        teacher, subject = fields.text("Teacher_Name"), fields.text("Subject_Name")
        students, tag = fields.text("Students_Name"), fields.text("Activity_Tag_Name")
        duration = fields.text("Duration").strip()
        leaves = frozenset(self.school.students[students].leaves) if students else frozenset()
        for number, activity in enumerate(self.activities):
            if (
                (not teacher or teacher in activity.teachers)
                and (not subject or subject == activity.subject)
                and (not tag or tag in activity.tags)
                and (not students or not leaves.isdisjoint(self.leaves[number]))
                and (not duration or int(duration) == activity.duration)
            ):
                yield number

    def refuse(self, number: int, slots: Iterable[int], check: int) -> None:
        """An activity does not start in these slots, with the probability of the constraint."""
        row = self.refused[number]
        kept = 1.0 - check / SURE
        for slot in slots:
            row[slot] = 1.0 - (1.0 - row[slot]) * kept

    def covering(self, number: int, slots: Iterable[int]) -> set[int]:
        """The start slots from which an activity would be held in one of these slots."""
        hours, duration = len(self.school.hours), self.activities[number].duration
        return {slot - k for slot in slots for k in range(duration) if slot % hours - k >= 0}

    def limit(self, owner: tuple[str, str], limits: Limits, only: frozenset[int] | None = None) -> None:
        """Limit the week of a teacher or smallest students set, for all its activities or only some."""
        self.limits.setdefault(owner, []).append((only, limits))
