"""What the constraints of a FET file say in the words of a campus's own inputs: pure, by the names in the file.

Only a faithful fit is offered: a constraint that the campus's inputs can hold in part, or only as something stronger or
weaker, is left, and named. Nothing is dropped silently.
"""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from lms_bridge.timetable.exchange.from_fet import Meant, meanings, periods_of_hours, weekdays_of
from lms_bridge.timetable.fet.model import Activity, Constraint, School
from lms_bridge.timetable.fet.rules import BASIC
from lms_bridge.timetable.inputs.models import RuleType

Slot = tuple[int, int]
"""Weekday (0 is Monday) and period."""
CourseName = tuple[str, tuple[Meant, ...], tuple[str, ...]]
"""Subject, classes with their parts, teachers."""


class Taken(enum.StrEnum):
    """Which of a campus's inputs holds a constraint."""

    TEACHER_TIMES = "teacher_times"
    TEACHER_LIMITS = "teacher_limits"
    FIXED = "fixed"
    SPREAD = "spread"
    PREFERRED = "preferred"
    TOGETHER = "together"


@dataclass(frozen=True, slots=True)
class Away:
    """A teacher cannot teach on a weekday: in these periods, or (none) all day."""

    teacher: str
    weekday: int
    periods: frozenset[int]


@dataclass(frozen=True, slots=True)
class AtMost:
    """A teacher has so many periods a day at most."""

    teacher: str
    periods: int


@dataclass(frozen=True, slots=True)
class SubjectWish:
    """A subject rule of one class, or ("") of all; its parts as in :class:`SubjectRule`."""

    kind: RuleType
    subject: str
    group: str = ""
    number: int | None = None
    weekday: int | None = None
    first_period: int | None = None
    last_period: int | None = None


@dataclass(frozen=True, slots=True)
class Together:
    """Courses that are always taught at the same time."""

    courses: tuple[CourseName, ...]


Said = Away | AtMost | SubjectWish | Together


@dataclass(frozen=True, slots=True)
class Reading:
    """A constraint in force. ``said`` is all that it asks for, held by the inputs ``taken``; ``closed`` are slots that
    it closes for classes, which holds if the period grid has no lessons then; ``met``: it holds here anyway. With none
    of them nothing here can hold it."""

    constraint: Constraint
    taken: Taken | None = None
    said: tuple[Said, ...] = ()
    closed: frozenset[Slot] = frozenset()
    met: bool = False


def read_constraints(school: School, *, times_locked: bool) -> list[Reading]:
    """Every constraint in force of a file. ``times_locked``: the lessons are held at the times that it locks."""
    reader = _Reader(school, times_locked)
    return [reader.read(c) for c in school.active_constraints() if c.weight > 0]


class _Reader:
    def __init__(self, school: School, times_locked: bool) -> None:
        self.school, self.times_locked = school, times_locked
        self.weekdays, self.periods = weekdays_of(school), periods_of_hours(school)
        self.means = meanings(school)
        self.kinds: Mapping[str, Callable[[Constraint], Reading | None]] = {
            "TeacherNotAvailableTimes": self._teacher_away,
            "TeacherMaxHoursDaily": self._teacher_limit,
            "TeachersMaxHoursDaily": self._teacher_limit,
            "BreakTimes": lambda c: self._closed(c, "Break_Time"),
            "StudentsSetNotAvailableTimes": lambda c: self._closed(c, "Not_Available_Time"),
            "ActivityPreferredStartingTime": self._start,
            "MinDaysBetweenActivities": self._days_apart,
            "ActivitiesPreferredTimeSlots": lambda c: self._preferred(
                c, "Preferred_Time_Slot", "Preferred_Day", "Preferred_Hour"
            ),
            "ActivitiesPreferredStartingTimes": lambda c: self._preferred(
                c, "Preferred_Starting_Time", "Preferred_Starting_Day", "Preferred_Starting_Hour"
            ),
            "ActivitiesSameStartingTime": self._same_start,
        }

    def read(self, constraint: Constraint) -> Reading:
        if constraint.kind in BASIC:
            return Reading(constraint, met=True)
        known = self.kinds.get(constraint.kind)
        return (known(constraint) if known is not None else None) or Reading(constraint)

    def _slot(self, day: str, hour: str) -> Slot:
        return self.weekdays[self.school.day_index[day]], self.periods[self.school.hour_index[hour]]

    def _slots(self, pairs: Iterable[tuple[str, str]]) -> frozenset[Slot]:
        return frozenset(self._slot(day, hour) for day, hour in pairs)

    def _teacher_away(self, constraint: Constraint) -> Reading | None:
        if not constraint.hard:
            return None
        teacher = constraint.fields.text("Teacher")
        days: defaultdict[int, set[int]] = defaultdict(set)
        for weekday, period in self._slots(constraint.fields.times("Not_Available_Time")):
            days[weekday].add(period)
        said = tuple(
            Away(teacher, weekday, frozenset() if len(closed) == len(self.periods) else frozenset(closed))
            for weekday, closed in sorted(days.items())
        )
        return Reading(constraint, Taken.TEACHER_TIMES, said, met=not said)

    def _teacher_limit(self, constraint: Constraint) -> Reading | None:
        most = constraint.fields.whole("Maximum_Hours_Daily")
        if not constraint.hard or most < 1:
            return None
        named = constraint.fields.text("Teacher_Name") or constraint.fields.text("Teacher")
        teachers = [named] if constraint.kind.startswith("TeacherMax") else self.school.teachers
        return Reading(constraint, Taken.TEACHER_LIMITS, tuple(AtMost(teacher, most) for teacher in teachers))

    def _closed(self, constraint: Constraint, item: str) -> Reading | None:
        closed = self._slots(constraint.fields.times(item))
        return Reading(constraint, closed=closed, met=not closed)

    def _start(self, constraint: Constraint) -> Reading | None:
        """A locked time is that of the lesson, or else a fixed period of the subject."""
        day, hour = constraint.fields.text("Preferred_Day"), constraint.fields.text("Preferred_Hour")
        activity = self.school.by_id[constraint.fields.whole("Activity_Id")]
        if not (constraint.hard and day and hour):
            return None
        if self.times_locked or not activity.active:
            return Reading(constraint, met=True)
        groups = self._whole_classes(activity)
        start = self.school.hour_index[hour]
        if not groups or start + activity.duration > len(self.periods):
            return None
        said = [
            SubjectWish(
                RuleType.FIXED, activity.subject, group,
                weekday=self.weekdays[self.school.day_index[day]], first_period=self.periods[start + step],
            )
            for group in groups
            for step in range(activity.duration)
        ]  # fmt: skip
        return Reading(constraint, Taken.FIXED, tuple(said))

    def _days_apart(self, constraint: Constraint) -> Reading | None:
        """All lessons of a subject of a class on different days. A softer one is a wish that always holds here."""
        own = [self.school.by_id[i] for i in constraint.fields.wholes("Activity_Id")]
        own = [activity for activity in own if activity.active]
        if len(own) < 2:
            return Reading(constraint, met=True)
        groups, subject, length = self._whole_classes(own[0]), own[0].subject, own[0].duration
        alike = {(self._whole_classes(a), a.subject, a.duration) for a in own} == {(groups, subject, length)}
        if not groups or not alike or constraint.fields.whole("MinDays") != 1:
            return None
        if any({a.id for a in self._of(group, subject)} != {a.id for a in own} for group in groups):
            return None
        if not constraint.hard:
            return Reading(constraint, met=True)
        if length > 2:
            return None
        said = [SubjectWish(RuleType.SPREAD, subject, group, number=length) for group in groups]
        if length == 2:
            said += [SubjectWish(RuleType.DOUBLES, subject, group, number=len(own)) for group in groups]
        return Reading(constraint, Taken.SPREAD, tuple(said))

    def _preferred(self, constraint: Constraint, item: str, day: str, hour: str) -> Reading | None:
        """The same run of periods on every day, wished for a subject."""
        fields = constraint.fields
        subject, students = fields.text("Subject") or fields.text("Subject_Name"), fields.text("Students")
        filters = ("Teacher", "Teacher_Name", "Activity_Tag", "Activity_Tag_Name", "Duration")
        if constraint.hard or not subject or any(fields.text(name).strip() for name in filters):
            return None
        group = self._class(students) if students else ""
        chosen = self._of(group, subject) if group else [a for a in self._active if a.subject == subject]
        starts_only = item == "Preferred_Starting_Time"
        if group is None or (starts_only and any(activity.duration > 1 for activity in chosen)):
            return None
        slots = self._slots(fields.times(item, day, hour))
        run = sorted({period for _, period in slots})
        everywhere = {(weekday, period) for weekday in self.weekdays for period in run}
        if not run or slots != everywhere or run != list(range(run[0], run[-1] + 1)):
            return None
        wish = SubjectWish(RuleType.PREFERRED, subject, group, first_period=run[0], last_period=run[-1])
        return Reading(constraint, Taken.PREFERRED, (wish,))

    def _same_start(self, constraint: Constraint) -> Reading | None:
        """Groups that are taught at the same time all week: each of their lessons is tied to one of each other's."""
        if not constraint.hard:
            return None
        own = self._tied(constraint)
        alike = [c for c in self._ties if self._tied(c) == own]
        tied = sorted(i for c in alike for i in c.fields.wholes("Activity_Id"))
        every = sorted(a.id for a in self._active if self._course(a) in own)
        arranged = all(
            teachers and (len(groups) > 1 or groups[0][1] or len(teachers) > 1) for _, groups, teachers in own
        )
        if len(own) < 2 or len(own) < len(constraint.fields.wholes("Activity_Id")) or tied != every or not arranged:
            return None
        return Reading(constraint, Taken.TOGETHER, (Together(tuple(sorted(own))),))

    def _tied(self, constraint: Constraint) -> frozenset[CourseName]:
        return frozenset(self._course(self.school.by_id[i]) for i in constraint.fields.wholes("Activity_Id"))

    @cached_property
    def _ties(self) -> list[Constraint]:
        found = self.school.active_constraints()
        return [c for c in found if c.kind == "ActivitiesSameStartingTime" and c.hard]

    @cached_property
    def _active(self) -> list[Activity]:
        return list(self.school.active_activities())

    def _course(self, activity: Activity) -> CourseName:
        meant = (entry for students in activity.students for entry in self.means[students])
        return activity.subject, tuple(dict.fromkeys(meant)), activity.teachers

    def _whole_classes(self, activity: Activity) -> tuple[str, ...]:
        """Its classes; none if only a part of one takes part."""
        groups = self._course(activity)[1]
        return () if any(part for _, part in groups) else tuple(group for group, _ in groups)

    def _class(self, students: str) -> str | None:
        meant = self.means[students]
        return meant[0][0] if len(meant) == 1 and not meant[0][1] else None

    @cached_property
    def _by_class(self) -> Mapping[tuple[str, str], list[Activity]]:
        found: defaultdict[tuple[str, str], list[Activity]] = defaultdict(list)
        for activity in self._active:
            for group in dict.fromkeys(group for group, _ in self._course(activity)[1]):
                found[group, activity.subject].append(activity)
        return found

    def _of(self, group: str, subject: str) -> Sequence[Activity]:
        """The active activities of a class, or parts of it, in a subject."""
        return self._by_class.get((group, subject), ())
