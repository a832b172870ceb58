"""Random small weeks: an answer keeps every rule by an independent check; a refusal names rules that cannot be kept."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lms_bridge.core.i18n import use_locale
from lms_bridge.timetable.solving.checker import broken_rules
from lms_bridge.timetable.solving.difference import differences
from lms_bridge.timetable.solving.problem import (
    Apart,
    Course,
    Placement,
    Pool,
    Problem,
    Relaxation,
    Rule,
    RuleKind,
    Slot,
    SolverLimits,
    Status,
    Weights,
)
from lms_bridge.timetable.solving.solver import smallest_change, solve

GRID = tuple(Slot(day, period) for day in range(2) for period in (1, 2, 3))
CLASSES, TEACHERS = ("7-1", "7-2"), ("wang", "li")

slots = st.frozensets(st.sampled_from(GRID), max_size=4)
some_slots: st.SearchStrategy[frozenset[Slot]] = st.one_of(st.just(frozenset()), slots)


@st.composite
def courses(draw: st.DrawFn, number: int) -> Course:
    """A course of one or two classes."""
    return Course(
        key=f"course {number}",
        classes=tuple(draw(st.lists(st.sampled_from(CLASSES), min_size=1, max_size=2, unique=True))),
        teachers=(draw(st.sampled_from(TEACHERS)),),
        subject="maths",
        periods=draw(st.integers(0, 3)),
        label=f"course {number}",
        forbidden=draw(some_slots),
        fixed=tuple(draw(st.lists(st.sampled_from(GRID), max_size=1))),
        max_per_day=draw(st.integers(1, 2)),
        online=draw(st.booleans()),
        slots=draw(st.one_of(st.none(), slots)),
        blocks=draw(st.sampled_from([(), (), (), (1,), (1, 1), (2,), (2, 1), (3,)])),
        preferred=draw(st.one_of(st.none(), slots)),
        pool=draw(st.sampled_from(["", "licences"])),
        people=draw(st.integers(1, 3)),
        may_drop=draw(st.sampled_from([False, False, False, True])),
    )


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    """A week of two days with three periods, three courses, two classes and two teachers."""

    def times(keys: Collection[str]) -> dict[str, frozenset[Slot]]:
        return draw(st.dictionaries(st.sampled_from(sorted(keys)), slots, max_size=1))

    def between(least: int, most: int) -> tuple[tuple[str, ...], ...]:
        """Now and then a group of courses."""
        if len(drawn) < least or draw(st.integers(0, 3)):
            return ()
        keys = [course.key for course in drawn]
        return (tuple(draw(st.lists(st.sampled_from(keys), min_size=least, max_size=most, unique=True))),)

    drawn = tuple(draw(courses(number)) for number in range(draw(st.integers(1, 3))))
    limits = st.dictionaries(st.sampled_from((*CLASSES, *TEACHERS)), st.integers(1, 3), max_size=1)
    pool = Pool(draw(st.integers(0, 2)), draw(st.dictionaries(st.sampled_from(GRID), st.integers(0, 2), max_size=1)))
    return Problem(
        slots=GRID,
        courses=drawn,
        max_per_day=draw(limits),
        max_online_run=draw(st.dictionaries(st.sampled_from(CLASSES), st.integers(1, 2), max_size=1)),
        pools=draw(st.sampled_from([{}, {"licences": pool}])),
        not_same_day=pairs(between(2, 2)),
        in_order=pairs(between(2, 2)),
        parallel=between(2, 3),
        apart=tuple(draw(st.lists(st.sampled_from([Apart("7-1", "7-2"), Apart("7-1", "li", 2)]), max_size=1))),
        unavailable=times(TEACHERS),
        class_unavailable=times(CLASSES),
        class_busy=times(CLASSES),
        teacher_busy=times(TEACHERS),
        max_online_per_day=draw(st.dictionaries(st.sampled_from(CLASSES), st.integers(0, 2), max_size=2)),
        room_limit=draw(st.one_of(st.none(), st.integers(0, 2))),
        hint={"course 0": tuple(draw(slots))},
    )


def pairs(groups: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, str], ...]:
    """Groups of two as pairs."""
    return tuple((one, other) for one, other in groups)


def choices(problem: Problem, course: Course, rules: Collection[Rule]) -> Iterator[tuple[Slot, ...]]:
    """The slots that a course may have by its own number of periods, if that is among the rules; a course at the same
    time as others may have as many as they."""
    asked = Rule(RuleKind.PERIODS, course.key) in rules
    fixed = len(course.fixed) if Rule(RuleKind.FIXED, course.key) in rules else 0
    mates = [c for group in problem.parallel if course.key in group for c in problem.courses if c.key in group]
    most = max([fixed, *(max(mate.periods, len(mate.fixed)) for mate in mates)])
    counts: Iterable[int] = range(most + 1)
    if asked:
        counts = range(course.periods + 1) if course.may_drop else [course.periods]
    for count in counts:
        yield from combinations(GRID, count)


def can_hold(problem: Problem, rules: Collection[Rule]) -> bool:
    """Whether some timetable keeps these rules, found by trying all of them."""

    def complete(placed: list[Placement], left: tuple[Course, ...]) -> bool:
        if not left:
            return not set(rules).intersection(broken_rules(problem, placed))
        for chosen in choices(problem, left[0], rules):
            more = [*placed, *(Placement(left[0].key, slot) for slot in chosen)]
            known = problem.courses[: len(problem.courses) - len(left) + 1]
            broken = broken_rules(replace(problem, courses=known), more)
            if not set(rules).intersection(broken) and complete(more, left[1:]):
                return True
        return False

    return complete([], problem.courses)


@given(problem=problems())
@settings(max_examples=70, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_an_answer_keeps_every_rule_and_a_refusal_names_rules_that_cannot_hold_together(problem: Problem) -> None:
    solution = solve(problem)
    if solution.found:
        assert broken_rules(problem, solution.placements) == []
        assert solution.bound == sum(solution.costs.values())
        assert solution.gap == 0
        return
    assert solution.status is Status.INFEASIBLE
    assert solution.conflicts
    for conflict in solution.conflicts:
        assert conflict.rules, conflict
        assert not can_hold(problem, conflict.rules), conflict
        assert conflict.text()
        if conflict.kind == "rules":
            for rule in conflict.rules:
                assert can_hold(problem, [other for other in conflict.rules if other != rule]), (rule, conflict)
        for way in conflict.relax:
            assert way.text()
            relaxed = given_way(problem, way)
            if way.enough is not None and relaxed is not None:
                assert solve(relaxed, SolverLimits(improve_time=0.01)).found == way.enough, way.text()


def given_way(problem: Problem, way: Relaxation) -> Problem | None:
    """The problem with one rule relaxed as advised; None for the kinds of rules not looked at here."""
    key = way.rule.key
    if way.rule.kind in (RuleKind.PERIODS, RuleKind.MAX_PER_DAY):
        changed = [
            (replace(course, periods=course.periods - way.amount) if way.rule.kind is RuleKind.PERIODS
             else replace(course, max_per_day=course.max_per_day + way.amount)) if course.key == key else course
            for course in problem.courses
        ]  # fmt: skip
        return replace(problem, courses=tuple(changed))
    if way.rule.kind is RuleKind.TEACHER_UNAVAILABLE:
        return replace(problem, unavailable={**problem.unavailable, key: problem.unavailable[key] - set(way.slots)})
    if way.rule.kind is RuleKind.ONLINE_PER_DAY:
        limits = {**problem.max_online_per_day, key: problem.max_online_per_day[key] + way.amount}
        return replace(problem, max_online_per_day=limits)
    return None


@given(problem=problems())
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_the_smallest_change_is_proved_and_as_small_as_by_solving_the_whole_week(problem: Problem) -> None:
    nothing = Weights(same_day=0, uneven=0, gap=0, late=0, preferred=0, apart=0)
    whole = solve(problem, SolverLimits(weights=nothing, improve_time=None))
    change = smallest_change(problem)
    assert change.found == whole.found
    if change.found:
        assert broken_rules(problem, change.placements) == []
        assert change.status is Status.OPTIMAL
        assert change.bound == sum(change.costs.values()) == sum(whole.costs.values())
        people = sum(one.people for one in differences(problem, change))
        assert people * nothing.moved == change.costs["moved"]


def both_on_monday() -> Problem:
    """Two teachers who each could place all their lessons, but not beside each other in class 7-1."""
    only = frozenset({Slot(0, 1), Slot(0, 2)})
    return Problem(
        GRID,
        (
            Course("maths", ("7-1",), ("wang",), "maths", 1, "7-1 Maths"),
            Course("art", ("7-1",), ("li",), "art", 1, "7-1 Art"),
            Course("more maths", ("7-2",), ("wang",), "maths", 1, "7-2 Maths"),
            Course("sport", ("7-2",), ("zhao",), "sport", 2, "7-2 Sport"),
        ),
        unavailable={"wang": frozenset(GRID) - only, "li": frozenset(GRID) - {Slot(0, 1)}},
        class_busy={"7-2": frozenset({Slot(0, 1)})},
        names={"wang": "王芳", "li": "Li Na"},
    )


def test_a_conflict_that_no_count_finds_is_told_rule_by_rule() -> None:
    problem = both_on_monday()
    solution = solve(problem)
    (conflict,) = solution.conflicts
    assert solution.status is Status.INFEASIBLE
    text = conflict.text()
    assert text.startswith("These rules cannot hold together: 7-1 Maths has one period this week; ")
    assert "王芳 can teach one lesson at a time only" in text
    assert "王芳 can teach only at these times: Monday periods 1–2" in text
    assert "7-2 is in lessons that stay where they are: Monday period 1" in text
    assert "Sport" not in text
    assert not can_hold(problem, conflict.rules)


def test_the_rules_in_conflict_are_told_in_chinese() -> None:
    with use_locale("zh-CN"):
        text = solve(both_on_monday()).conflicts[0].text()
    assert text.startswith("这些规则不能同时成立：7-1 Maths这一周有 1 课时；")
    assert "王芳只能在这些时间上课：星期一第 1–2 节" in text


def test_a_search_cut_short_still_names_what_is_plain_in_one_teachers_lessons() -> None:
    week = tuple(Slot(day, period) for day in range(5) for period in range(1, 7))
    courses = [
        Course(
            f"{n}.{subject}", (f"7-{n}",), (f"t{subject}{n // 4}",), str(subject), 4, f"7-{n} {subject}", max_per_day=2
        )
        for n in range(8)
        for subject in range(6)
    ]
    # 16 periods of one teacher in 17 slots, but 8 of them (two a day for each class) must be on Tuesday, which has 6.
    closed = frozenset(slot for slot in week if slot.day > 2 or slot == Slot(0, 1))
    problem = Problem(week, tuple(courses), unavailable={"t00": closed})
    problem = replace(problem, class_unavailable={f"7-{n}": frozenset(s for s in week if s.day == 0) for n in range(2)})
    problem = replace(problem, class_busy={f"7-{n}": frozenset(s for s in week if s.day == 2) for n in (2, 3)})
    solution = solve(problem, SolverLimits(deterministic_time=0.001))
    assert solution.status is Status.INFEASIBLE
    assert [rule.key for rule in solution.conflicts[0].rules if rule.kind is RuleKind.TEACHER_ONCE] == ["t00"]


@pytest.mark.parametrize("limit", [1, 2])
def test_what_the_checker_is_for_it_finds(limit: int) -> None:
    problem = replace(both_on_monday(), max_online_per_day={"7-1": limit}, room_limit=2)
    placements = [
        Placement("maths", Slot(0, 2)),
        Placement("art", Slot(0, 2)),
        Placement("more maths", Slot(0, 2)),
        Placement("sport", Slot(0, 1)),
        Placement("sport", Slot(1, 1)),
    ]
    expected = {
        Rule(RuleKind.CLASS_ONCE, "7-1"),
        Rule(RuleKind.TEACHER_ONCE, "wang"),
        Rule(RuleKind.CLASS_BUSY, "7-2"),
        Rule(RuleKind.ROOMS),
        Rule(RuleKind.TEACHER_UNAVAILABLE, "li"),
    }
    if limit == 1:
        expected.add(Rule(RuleKind.ONLINE_PER_DAY, "7-1"))
    assert set(broken_rules(problem, placements)) == expected
