"""The rules that a campus states, added to the problem of a case's week (:mod:`lms_bridge.timetable.cases.whole_week`).

Only rules that the timetable keeps as it stands bind the change; one that is broken already is left out. So every
rule that is added is one that must hold, and what the solver proves of its best change holds for all that keep them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from lms_bridge.timetable.inputs.models import RuleType
from lms_bridge.timetable.solving.checker import broken_rules
from lms_bridge.timetable.solving.problem import Course, Placement, Problem, Rule, RuleKind, Slot, joined
from lms_bridge.timetable.weeks.course_rules import Note, bands, pairs, shaped
from lms_bridge.timetable.weeks.kept_rules import CampusRules, CourseKey
from lms_bridge.timetable.weeks.slots import SlotTime


@dataclass(frozen=True, slots=True)
class Group:
    """Lessons of a week that the solver may move: their course, what it is about, where they stand now and at what
    times they could be. ``alone``: no other lessons of the week are of the same classes and subject. ``near``: the
    slots that are wished for where one has to move."""

    course: Course
    about: CourseKey
    stands: tuple[Slot, ...]
    times: Mapping[Slot, SlotTime]
    alone: bool
    near: frozenset[Slot]


def with_rules(problem: Problem, groups: Sequence[Group], stated: CampusRules, week_id: int) -> Problem:
    """The problem (whose courses are those of the groups, and others that stay) with everything that is stated for
    these classes and teachers and kept now."""
    rules, week = stated.of_week(week_id), stated.week(week_id)
    notes = {g.course.key: Note(dict(g.about[0]), g.about[1], g.about[2]) for g in groups}
    shapes: dict[str, Course] = {}
    for group in groups:
        wanted = shaped(group.course, notes[group.course.key], rules, group.times, (), week)
        lost = sum(slot in group.stands and slot in _closed(problem, wanted) for slot in wanted.fixed)
        if lost:
            fewer = replace(group.course, periods=group.course.periods - lost)
            wanted = shaped(fewer, notes[group.course.key], rules, group.times, (), week)
            wanted = replace(wanted, fixed=tuple(s for s in wanted.fixed if s not in _closed(problem, wanted)))
        shapes[group.course.key] = replace(wanted, preferred=_wished(wanted.preferred, group.near))
    not_same_day, in_order = (tuple(pairs(notes, rules, kind)) for kind in (RuleType.NOT_SAME_DAY, RuleType.BEFORE))
    parallel = bands(
        (band, g.about[2], g.course.key) for g in groups if (band := stated.bands.get((g.about[0], g.about[1]), ""))
    )
    full = replace(
        problem,
        courses=tuple(shapes.get(course.key, course) for course in problem.courses),
        not_same_day=not_same_day,
        in_order=in_order,
        parallel=parallel,
    )
    return _kept_now(full, groups)


def _wished(stated: frozenset[Slot] | None, near: frozenset[Slot]) -> frozenset[Slot]:
    """Near is wished for, and of that the best part of the day where it has one."""
    return stated & near or near if stated is not None else near


def _closed(problem: Problem, course: Course) -> frozenset[Slot]:
    """The slots in which a course cannot be."""
    closed = set(course.forbidden)
    for key in course.teachers:
        closed |= problem.unavailable.get(key, frozenset()) | problem.teacher_busy.get(key, frozenset())
    for key in course.classes:
        closed |= problem.class_busy.get(key, frozenset())
    return frozenset(closed)


def _kept_now(problem: Problem, groups: Sequence[Group]) -> Problem:
    """The problem without the rules that are broken where lessons stand now."""
    by_key = {group.course.key: group for group in groups}
    stands = [Placement(key, slot) for key, group in by_key.items() for slot in group.stands]
    stay = [Placement(c.key, slot) for c in problem.courses if c.key not in by_key for slot in c.fixed]
    broken = set(broken_rules(problem, [*stands, *stay]))
    tied = [
        group
        for group in problem.parallel
        if len({by_key[key].stands for key in group}) == 1 and len({_periods(problem, key) for key in group}) == 1
    ]
    together = {key for group in tied for key in group}
    return replace(
        problem,
        courses=tuple(
            _loosened(course, by_key[course.key], broken, tied=course.key in together)
            if course.key in by_key
            else course
            for course in problem.courses
        ),
        not_same_day=_unbroken(problem.not_same_day, RuleKind.NOT_SAME_DAY, broken),
        in_order=_unbroken(problem.in_order, RuleKind.IN_ORDER, broken),
        parallel=tuple(tied),
        max_online_run={
            key: most for key, most in problem.max_online_run.items() if Rule(RuleKind.ONLINE_RUN, key) not in broken
        },
        max_per_day={
            key: most for key, most in problem.max_per_day.items() if Rule(RuleKind.TEACHER_PER_DAY, key) not in broken
        },
    )


def _loosened(course: Course, group: Group, broken: Iterable[Rule], *, tied: bool) -> Course:
    """A course whose own rules are those that it keeps now. Groups that are taught at once are lost together or not at
    all, so none of them is dropped alone."""
    own = {rule.kind for rule in broken if rule.key == course.key}
    fullest = max(Counter(slot.day for slot in group.stands).values(), default=0)
    return replace(
        course,
        fixed=tuple(slot for slot in course.fixed if slot in group.stands) if group.alone else (),
        blocks=course.blocks if group.alone and RuleKind.BLOCKS not in own else (),
        max_per_day=max(course.max_per_day, fullest),
        may_drop=course.may_drop and not tied,
    )


def _unbroken(named: Iterable[tuple[str, str]], kind: RuleKind, broken: Iterable[Rule]) -> tuple[tuple[str, str], ...]:
    return tuple(pair for pair in named if Rule(kind, joined(pair)) not in broken)


def _periods(problem: Problem, key: str) -> int:
    return next(course.periods for course in problem.courses if course.key == key)
