"""Rules of a timetable problem in plain words, with the numbers and times that they consist of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from lms_bridge.core.i18n import N_, gettext
from lms_bridge.timetable.solving.problem import WEEKDAYS, Conflict, Course, Problem, Rule, RuleKind, Slot, joined

MOST_OF_A_KIND = 6
"""Of one kind of rule no more than this are written out; the rest are counted."""

WORDS = {
    RuleKind.PERIODS: N_("%(name)s has %(count)s periods this week"),
    RuleKind.GRID: N_("%(name)s has no periods in its grid other than %(times)s"),
    RuleKind.FORBIDDEN: N_("%(name)s cannot be at these times: %(times)s"),
    RuleKind.FIXED: N_("%(name)s stays at these times: %(times)s"),
    RuleKind.MAX_PER_DAY: N_("%(name)s has at most %(count)s periods a day"),
    RuleKind.CLASS_ONCE: N_("%(name)s can be in one lesson at a time only"),
    RuleKind.CLASS_UNAVAILABLE: N_("%(name)s has no lessons at these times: %(times)s"),
    RuleKind.CLASS_BUSY: N_("%(name)s is in lessons that stay where they are: %(times)s"),
    RuleKind.TEACHER_ONCE: N_("%(name)s can teach one lesson at a time only"),
    RuleKind.TEACHER_UNAVAILABLE: N_("%(name)s cannot teach at these times: %(times)s"),
    RuleKind.TEACHER_BUSY: N_("%(name)s teaches lessons that stay where they are: %(times)s"),
    RuleKind.ONLINE_PER_DAY: N_("%(name)s has at most %(count)s online periods a day"),
    RuleKind.ROOMS: N_("at most %(count)s online lessons can be held at once"),
    RuleKind.CLASS_PER_DAY: N_("%(name)s has at most %(count)s lessons a day"),
    RuleKind.TEACHER_PER_DAY: N_("%(name)s teaches at most %(count)s lessons a day"),
    RuleKind.ONLINE_RUN: N_("%(name)s has a break after %(count)s online periods at the latest"),
    RuleKind.POOL: N_("%(name)s has rooms for %(count)s lessons at once"),
    RuleKind.BLOCKS: N_("%(name)s has its periods in blocks of %(blocks)s"),
    RuleKind.NOT_SAME_DAY: N_("these are never on one day: %(names)s"),
    RuleKind.IN_ORDER: N_("on one day these keep their order: %(names)s"),
    RuleKind.PARALLEL: N_("these are always at the same time: %(names)s"),
}

ONE = {
    RuleKind.PERIODS: N_("%(name)s has one period this week"),
    RuleKind.MAX_PER_DAY: N_("%(name)s has at most one period a day"),
    RuleKind.ONLINE_PER_DAY: N_("%(name)s has at most one online period a day"),
    RuleKind.ROOMS: N_("only one online lesson can be held at once"),
    RuleKind.CLASS_PER_DAY: N_("%(name)s has at most one lesson a day"),
    RuleKind.TEACHER_PER_DAY: N_("%(name)s teaches at most one lesson a day"),
    RuleKind.ONLINE_RUN: N_("%(name)s has a break after each online period"),
    RuleKind.POOL: N_("%(name)s has a room for one lesson at once"),
}

ONLY = {
    RuleKind.FORBIDDEN: N_("%(name)s can only be at these times: %(times)s"),
    RuleKind.CLASS_UNAVAILABLE: N_("%(name)s has lessons only at these times: %(times)s"),
    RuleKind.TEACHER_UNAVAILABLE: N_("%(name)s can teach only at these times: %(times)s"),
}
"""Said of what is closed at most times: the few that are left are easier to read."""


@dataclass(frozen=True, slots=True)
class Times:
    """Slots, shown by day with their periods in ranges: "Monday periods 1–3, 5, Friday period 2"."""

    slots: tuple[Slot, ...]

    def text(self) -> str:
        """The slots in the language in force."""
        days = groupby(sorted(set(self.slots)), key=lambda slot: slot.day)
        return gettext(", ").join(_of_day(day, sorted({slot.period for slot in slots})) for day, slots in days) or "–"


@dataclass(frozen=True, slots=True)
class Label:
    """A name that is the same in every language."""

    name: str

    def text(self) -> str:
        """The name."""
        return self.name


def in_words(problem: Problem, rules: Sequence[Rule]) -> tuple[Conflict, ...]:
    """Each of these rules in words, kind by kind; many of one kind are cut short by their number."""
    found: list[Conflict] = []
    courses = {course.key: course for course in problem.courses}
    for kind in RuleKind:
        own = [rule for rule in rules if rule.kind is kind]
        shown = own if len(own) <= MOST_OF_A_KIND + 1 else own[:MOST_OF_A_KIND]
        found += [_words(problem, rule, courses) for rule in shown]
        if len(shown) < len(own):
            found.append(
                Conflict("more", N_("and %(count)s more such rules"), {"count": len(own) - len(shown)}, tuple(own))
            )
    return tuple(found)


def _words(problem: Problem, rule: Rule, courses: Mapping[str, Course]) -> Conflict:
    course = courses.get(rule.key)
    params: dict[str, object] = {"name": course.label if course is not None else problem.name(rule.key)}
    count = number_of(problem, rule)
    if count is not None:
        words = ONE if count == 1 and rule.kind in ONE else WORDS
        return Conflict(rule.kind.value, words[rule.kind], params | {"count": count}, (rule,))
    if rule.kind is RuleKind.BLOCKS and course is not None:
        params["blocks"] = " + ".join(str(length) for length in course.blocks)
    elif rule.kind in (RuleKind.NOT_SAME_DAY, RuleKind.IN_ORDER, RuleKind.PARALLEL):
        params["names"] = tuple(Label(courses[key].label) for key in _keys(problem, rule) if key in courses)
    else:
        times = _times(problem, rule, course)
        rest = frozenset(problem.slots) - times
        if rule.kind in ONLY and 0 < len(rest) < len(times):
            return Conflict(rule.kind.value, ONLY[rule.kind], params | {"times": Times(tuple(rest))}, (rule,))
        params["times"] = Times(tuple(times))
    return Conflict(rule.kind.value, WORDS[rule.kind], params, (rule,))


def times_of(slots: Iterable[Slot]) -> Times:
    """Slots as people read them."""
    return Times(tuple(slots))


def number_of(problem: Problem, rule: Rule) -> int | None:
    """The number that a rule speaks of, None if it is not about a number."""
    course = next((c for c in problem.courses if c.key == rule.key), None)
    if course is not None and rule.kind in (RuleKind.PERIODS, RuleKind.MAX_PER_DAY):
        return course.periods if rule.kind is RuleKind.PERIODS else course.max_per_day
    if rule.kind is RuleKind.ROOMS:
        return problem.room_limit
    if rule.kind is RuleKind.POOL:
        pool = problem.pools[rule.key]
        return min(pool.limit, max(pool.at.values(), default=pool.limit))
    limits = {
        RuleKind.ONLINE_PER_DAY: problem.max_online_per_day,
        RuleKind.CLASS_PER_DAY: problem.max_per_day,
        RuleKind.TEACHER_PER_DAY: problem.max_per_day,
        RuleKind.ONLINE_RUN: problem.max_online_run,
    }.get(rule.kind, {})
    return limits.get(rule.key)


def _keys(problem: Problem, rule: Rule) -> tuple[str, ...]:
    """The courses that a rule between courses holds for."""
    groups: tuple[tuple[str, ...], ...] = (*problem.not_same_day, *problem.in_order, *problem.parallel)
    return next((group for group in groups if joined(group) == rule.key), ())


def _times(problem: Problem, rule: Rule, course: Course | None) -> frozenset[Slot]:
    """The times that a rule speaks of."""
    grid = frozenset(problem.slots)
    if rule.kind is RuleKind.FIXED and course is not None:
        return frozenset(course.fixed)
    if rule.kind is RuleKind.FORBIDDEN and course is not None:
        return course.forbidden & grid
    if rule.kind is RuleKind.GRID and course is not None:
        return (course.slots or frozenset()) & grid
    closed = {
        RuleKind.CLASS_UNAVAILABLE: problem.class_unavailable,
        RuleKind.CLASS_BUSY: problem.class_busy,
        RuleKind.TEACHER_UNAVAILABLE: problem.unavailable,
        RuleKind.TEACHER_BUSY: problem.teacher_busy,
    }.get(rule.kind, {})
    return closed.get(rule.key, frozenset()) & grid


def _of_day(day: int, periods: Sequence[int]) -> str:
    if len(periods) == 1:
        return Slot(day, periods[0]).text()
    return gettext("%(day)s periods %(periods)s", day=gettext(WEEKDAYS[day]), periods=_ranges(periods))


def _ranges(numbers: Iterable[int]) -> str:
    """Numbers in order, neighbours joined: 1–3, 5."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return gettext(", ").join(str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs)
