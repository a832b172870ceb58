"""The solver places what can be placed and says why when it cannot."""

from __future__ import annotations

from collections import Counter

from lms_bridge.timetable.solving.problem import Course, Problem, Slot, Solution, SolverLimits, Status
from lms_bridge.timetable.solving.solver import solve

WEEK = tuple(Slot(day, period) for day in range(5) for period in range(1, 7))


def course(key: str, group: str, teacher: str, periods: int) -> Course:
    """A course of one class and teacher."""
    return Course(key, (group,), (teacher,), key, periods, f"{group} {key}")


def clashes(problem: Problem, solution: Solution) -> list[tuple[str, Slot]]:
    """Classes and teachers that are in two lessons at once."""
    courses = {c.key: c for c in problem.courses}
    seen = Counter(
        (who, placement.slot)
        for placement in solution.placements
        for who in courses[placement.course_key].classes + courses[placement.course_key].teachers
    )
    return [key for key, count in seen.items() if count > 1]


def test_every_period_is_placed_and_nobody_is_in_two_lessons_at_once() -> None:
    courses = tuple(
        course(f"{group}-{subject}", group, f"teacher {subject} {index // 3}", 4)
        for index, group in enumerate(("7-1", "7-2", "7-3", "7-4"))
        for subject in ("chinese", "maths", "english", "science", "history")
    )
    problem = Problem(WEEK, courses, unavailable={"teacher maths 0": frozenset(s for s in WEEK if s.day == 0)})
    solution = solve(problem)
    assert solution.found
    assert len(solution.placements) == 80
    assert clashes(problem, solution) == []
    maths = {p.slot.day for p in solution.placements if p.course_key in ("7-1-maths", "7-2-maths", "7-3-maths")}
    assert 0 not in maths


def test_the_same_seed_gives_the_same_answer() -> None:
    problem = Problem(WEEK, tuple(course(f"c{n}", f"g{n % 3}", f"t{n % 4}", 3) for n in range(12)))
    limits = SolverLimits(seed=7)
    assert solve(problem, limits).placements == solve(problem, limits).placements


def test_an_overfull_teacher_is_named_with_the_counts() -> None:
    courses = tuple(course(f"maths {n}", f"7-{n}", "wang", 5) for n in range(7))
    free = frozenset(s for s in WEEK if s.day == 0)
    solution = solve(Problem(WEEK, courses, unavailable={"wang": free}, names={"wang": "王芳"}))
    assert solution.status is Status.INFEASIBLE
    texts = [conflict.text() for conflict in solution.conflicts]
    assert "王芳 has 35 periods this week but is free in 24." in texts


def test_too_many_online_periods_for_the_grade_are_named() -> None:
    courses = tuple(course(f"s{n}", "1-1", f"t{n}", 5) for n in range(4))
    solution = solve(Problem(WEEK, courses, max_online_per_day={"1-1": 3}))
    assert [conflict.kind for conflict in solution.conflicts] == ["online"]
