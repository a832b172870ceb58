"""Rules of a timetable problem in plain words, with the numbers and times that they consist of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from lms_bridge.core.i18n import N_, gettext
from lms_bridge.timetable.problem import WEEKDAYS, Conflict, Course, Problem, Rule, RuleKind, Slot

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
}

ONE = {
    RuleKind.PERIODS: N_("%(name)s has one period this week"),
    RuleKind.MAX_PER_DAY: N_("%(name)s has at most one period a day"),
    RuleKind.ONLINE_PER_DAY: N_("%(name)s has at most one online period a day"),
    RuleKind.ROOMS: N_("only one online lesson can be held at once"),
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
        return gettext(", ").join(_of_day(day, [slot.period for slot in slots]) for day, slots in days) or "–"


def in_words(problem: Problem, rules: Sequence[Rule]) -> tuple[Conflict, ...]:
    """Each of these rules in words, kind by kind; many of one kind are cut short by their number."""
    found: list[Conflict] = []
    for kind in RuleKind:
        own = [rule for rule in rules if rule.kind is kind]
        shown = own if len(own) <= MOST_OF_A_KIND + 1 else own[:MOST_OF_A_KIND]
        found += [_words(problem, rule) for rule in shown]
        if len(shown) < len(own):
            found.append(
                Conflict("more", N_("and %(count)s more such rules"), {"count": len(own) - len(shown)}, tuple(own))
            )
    return tuple(found)


def _words(problem: Problem, rule: Rule) -> Conflict:
    course = next((c for c in problem.courses if c.key == rule.key), None)
    params: dict[str, object] = {"name": course.label if course is not None else problem.name(rule.key)}
    if rule.kind is RuleKind.PERIODS and course is not None:
        params["count"] = course.periods
    elif rule.kind is RuleKind.MAX_PER_DAY and course is not None:
        params["count"] = course.max_per_day
    elif rule.kind is RuleKind.ONLINE_PER_DAY:
        params["count"] = problem.max_online_per_day[rule.key]
    elif rule.kind is RuleKind.ROOMS:
        params["count"] = problem.room_limit
    else:
        times = _times(problem, rule, course)
        rest = frozenset(problem.slots) - times
        if rule.kind in ONLY and 0 < len(rest) < len(times):
            return Conflict(rule.kind.value, ONLY[rule.kind], params | {"times": Times(tuple(rest))}, (rule,))
        params["times"] = Times(tuple(times))
    words = ONE if params.get("count") == 1 else WORDS
    return Conflict(rule.kind.value, words[rule.kind], params, (rule,))


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
