"""Which rules that a campus states the lessons of a week break: subject rules, parallel groups, online runs, and the
periods of a teacher's day.

The terms are those in which a week is solved (:mod:`lms_bridge.timetable.weeks.course_rules`), and what is broken is
found by the checker that tests every solution; so a change is held to what a new timetable is held to. Pure.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from lms_bridge.calendar.days import TeachingDay
from lms_bridge.core.clock import local
from lms_bridge.roster.models import ClassGroup
from lms_bridge.timetable.inputs.models import RuleType
from lms_bridge.timetable.inputs.stated_rules import Stated, WeekRules, taught_in
from lms_bridge.timetable.models import LessonMode
from lms_bridge.timetable.snapshots import LessonState
from lms_bridge.timetable.solving.checker import broken_rules
from lms_bridge.timetable.solving.problem import Course, Placement, Problem, RuleKind, Slot
from lms_bridge.timetable.weeks.class_keys import ClassKeys
from lms_bridge.timetable.weeks.course_rules import Note, Week, bands, most_a_day, pairs, shaped
from lms_bridge.timetable.weeks.slots import SlotTime

CourseKey = tuple[tuple[tuple[int, str], ...], int, bool]
"""What makes lessons of a week one course for these rules: classes with their parts, subject, and whether online."""

OF_A_DAY = frozenset(
    (RuleKind.MAX_PER_DAY, RuleKind.NOT_SAME_DAY, RuleKind.IN_ORDER, RuleKind.ONLINE_RUN)
)  # fmt: skip


@dataclass(frozen=True, slots=True, order=True)
class Broken:
    """A rule that is broken: of which kind, for whom, and on which day of the week (0 is Monday; -1: in the week)."""

    kind: str
    key: str
    day: int = -1


@dataclass(frozen=True)
class CampusRules:
    """What a campus states, as far as lessons of some weeks are concerned.

    ``grades`` are those of the classes; ``numbers`` the teaching week numbers by week id (for odd and even weeks), and
    ``days`` the school days of these weeks; ``runs`` how many online periods may follow each other, by class;
    ``per_day`` the most periods of a day, by teacher; ``bands`` the band of an arrangement, by its classes and subject;
    ``away`` lessons of teachers elsewhere.
    """

    zone: str = "UTC"
    rules: Sequence[Stated] = ()
    classes: Mapping[int, ClassGroup] = field(default_factory=dict)
    grades: Mapping[int, str] = field(default_factory=dict)
    numbers: Mapping[int, int] = field(default_factory=dict)
    days: Mapping[int, Sequence[TeachingDay]] = field(default_factory=dict)
    runs: Mapping[int, int] = field(default_factory=dict)
    per_day: Mapping[int, int] = field(default_factory=dict)
    bands: Mapping[tuple[tuple[tuple[int, str], ...], int], str] = field(default_factory=dict)
    away: Sequence[tuple[int, datetime, datetime]] = ()

    def of_week(self, week_id: int) -> WeekRules:
        """The subject rules as they hold in a week."""
        return WeekRules(self.rules, self.numbers.get(week_id, 0), self.grades)

    def week(self, week_id: int) -> Week:
        """What the rules must know of a week."""
        return Week(self.days.get(week_id, ()), self.zone)

    def band(self, state: LessonState) -> str:
        """The band of a lesson; empty: its lessons need not be at the same time as others."""
        return self.bands.get((state.classes, state.subject_id), "")

    def is_taught(self, state: LessonState) -> bool:
        """Whether the classes of a lesson are taught its subject in its week (some are in odd or even weeks only)."""
        number = self.numbers.get(state.week_id)
        return number is None or all(
            taught_in(self.rules, class_id, self.grades.get(class_id, ""), state.subject_id)(number)
            for class_id in state.class_ids
        )


def broken_in_week(
    stated: CampusRules,
    lessons: Collection[LessonState],
    week_id: int,
    openings: Mapping[int, Iterable[SlotTime]],
    *,
    day: int | None = None,
) -> frozenset[Broken]:
    """What the lessons of a week break. They must be all lessons of the classes they are for. ``openings`` are the
    periods of the classes that are still to come; ``day``: of the rules of a day only those of this weekday."""
    problem, placed = week_problem(stated, lessons, week_id, openings)
    found = {Broken(r.kind.value, r.key) for r in broken_rules(problem, placed) if r.kind is RuleKind.BLOCKS}
    found |= set(_slot_by_slot(problem, placed))
    for number in sorted({p.slot.day for p in placed}) if day is None else [day]:
        today = [p for p in placed if p.slot.day == number]
        found |= {Broken(r.kind.value, r.key, number) for r in broken_rules(problem, today) if r.kind in OF_A_DAY}
    found |= {
        Broken("weeks", f"{state.classes}:{state.subject_id}") for state in lessons if not stated.is_taught(state)
    }
    return frozenset(found)


def broken_anew(
    stated: CampusRules,
    before: Mapping[int, LessonState],
    after: Mapping[int, LessonState],
    week_id: int,
    openings: Mapping[int, Iterable[SlotTime]],
) -> frozenset[Broken]:
    """The rules that the lessons ``before`` (by number) keep in a week and would break in the states ``after`` (the
    others stay; negative numbers: new ones). What lessons that are lost leave behind breaks nothing."""
    states = {key: state for key, state in {**before, **after}.items() if state.takes_place}
    there = [state for state in states.values() if state.week_id == week_id]
    broken = broken_in_week(stated, there, week_id, openings)
    if not broken:
        return broken
    was = {key: state for key, state in before.items() if state.week_id == week_id}
    left = [state for key, state in was.items() if key in states and states[key].week_id == week_id]
    kept = broken_in_week(stated, left, week_id, openings)
    return broken - broken_in_week(stated, was.values(), week_id, openings) - {one for one in kept if one.day < 0}


def week_problem(
    stated: CampusRules, lessons: Collection[LessonState], week_id: int, openings: Mapping[int, Iterable[SlotTime]]
) -> tuple[Problem, list[Placement]]:
    """The rules for the courses that these lessons make up, and where the lessons are."""
    courses: defaultdict[CourseKey, list[Slot]] = defaultdict(list)
    for state in lessons:
        if state.period_number is not None:
            courses[course_key(state)].append(slot_of(state))
    rules, week = stated.of_week(week_id), stated.week(week_id)
    keys = _class_keys(stated, courses)
    notes: dict[str, Note] = {}
    found: list[Course] = []
    for key, slots in courses.items():
        classes, subject_id, online = key
        name = name_of(key)
        times = common_times(classes, week, openings)
        note = notes[name] = Note(dict(classes), subject_id, online)
        course = Course(
            key=name,
            classes=tuple(dict.fromkeys(k for c, part in classes for k in keys.own(c, part))),
            teachers=(),
            subject=str(subject_id),
            periods=len(slots),
            label=name,
            max_per_day=most_a_day(len(slots), len(week.days)),
            online=online,
            slots=frozenset({s for s, t in times.items() if t.online is online} | set(slots)),
        )
        found.append(shaped(course, note, rules, times, (), week))
    problem = Problem(
        slots=tuple(sorted({slot for course in found for slot in course.slots or ()})),
        courses=tuple(found),
        max_online_run=keys.limits(stated.runs),
        not_same_day=pairs(notes, rules, RuleType.NOT_SAME_DAY),
        in_order=pairs(notes, rules, RuleType.BEFORE),
        parallel=bands(
            (band, key[2], name_of(key)) for key in courses if (band := stated.bands.get((key[0], key[1]), ""))
        ),
    )
    return problem, [Placement(name_of(key), slot) for key, slots in courses.items() for slot in slots]


def _slot_by_slot(problem: Problem, placed: Iterable[Placement]) -> Iterator[Broken]:
    """Fixed periods that are empty, and lessons of a group without those that should be at the same time: each by
    itself, so that one that cannot be helped does not allow another."""
    slots: defaultdict[str, set[Slot]] = defaultdict(set)
    for placement in placed:
        slots[placement.course_key].add(placement.slot)
    for course in problem.courses:
        for slot in set(course.fixed) - slots[course.key]:
            yield Broken(RuleKind.FIXED.value, f"{course.key}@{slot.day}.{slot.period}")
    for group in problem.parallel:
        common = set.intersection(*(slots[key] for key in group))
        for key in group:
            for slot in slots[key] - common:
                yield Broken(RuleKind.PARALLEL.value, f"{key}@{slot.day}.{slot.period}")


def too_full(stated: CampusRules, lessons: Iterable[LessonState]) -> frozenset[Broken]:
    """Which teachers have more periods on which days than they may, lessons elsewhere included."""
    counts: Counter[tuple[int, date]] = Counter()
    for state in lessons:
        counts.update((person_id, state.starts_local.date()) for person_id in state.teacher_ids)
    counts.update((person_id, local(start, stated.zone).date()) for person_id, start, _ in stated.away)
    return frozenset(
        Broken("teacher", f"{person_id}:{day}")
        for (person_id, day), count in counts.items()
        if person_id in stated.per_day and count > stated.per_day[person_id]
    )


def course_key(state: LessonState) -> CourseKey:
    """The course of a lesson."""
    return state.classes, state.subject_id, state.mode is LessonMode.ONLINE


def name_of(key: CourseKey) -> str:
    """A course's key for the solver, the same in every problem."""
    classes, subject_id, online = key
    return f"{'+'.join(f'{c}/{part}' for c, part in classes)}:{subject_id}:{'online' if online else 'school'}"


def slot_of(state: LessonState) -> Slot:
    """The day and period of a lesson."""
    return Slot(state.starts_local.weekday(), state.period_number or 0)


def common_times(
    classes: Sequence[tuple[int, str]], week: Week, openings: Mapping[int, Iterable[SlotTime]]
) -> dict[Slot, SlotTime]:
    """The periods still to come that all these classes have in a week."""
    days = {day.day for day in week.days}
    own = [{t.slot: t for t in openings.get(class_id, ()) if t.day in days} for class_id, _ in classes]
    return {slot: t for slot, t in own[0].items() if all(slot in o for o in own[1:])} if own else {}


def _class_keys(stated: CampusRules, courses: Iterable[CourseKey]) -> ClassKeys:
    parts: defaultdict[int, set[str]] = defaultdict(set)
    for classes, _, _ in courses:
        for class_id, part in classes:
            if part:
                parts[class_id].add(part)
    return ClassKeys(stated.classes, parts, {})
