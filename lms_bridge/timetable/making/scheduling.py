"""Solves a campus's week and publishes it as a change set.

Reading, solving and writing are three steps: the solver runs outside any transaction, and what it found is applied
only if the week is still as it was read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import sqlalchemy as sa

from lms_bridge.calendar.days import iso_week, monday_of
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import InputError
from lms_bridge.core.i18n import N_
from lms_bridge.plans.weeks import Step
from lms_bridge.roster.models import Organisation, OrganisationKind, Person
from lms_bridge.timetable.changing import changes
from lms_bridge.timetable.changing.clashes import Occupied, double_bookings
from lms_bridge.timetable.making.building import build_problem
from lms_bridge.timetable.making.impossible import TimetableImpossible
from lms_bridge.timetable.making.results import WeekCounts, WeekResult
from lms_bridge.timetable.models import (
    ChangeCause,
    ChangeKind,
    ChangeSet,
    Lesson,
    LessonMode,
    LessonStatus,
    TeacherPart,
)
from lms_bridge.timetable.snapshots import LessonState, UnitState, difference, state_of
from lms_bridge.timetable.solving.effort import Progress, Watcher
from lms_bridge.timetable.solving.matching import match
from lms_bridge.timetable.solving.problem import Placement, Problem, Slot, Solution, SolverLimits, Status
from lms_bridge.timetable.solving.solver import smallest_change, solve
from lms_bridge.timetable.weeks.demand import CourseId
from lms_bridge.timetable.weeks.reading import WeekContext
from lms_bridge.timetable.weeks.slots import exact_slot

Solver = Callable[[Problem, SolverLimits, Watcher | None], Solution]

ROUNDS = 6
"""How often a week is solved again when grids of different times overlap (a class online among classes at school)."""


def solve_week(
    campus_code: str,
    week: str,
    *,
    actor: Person | None,
    dry_run: bool = False,
    limits: SolverLimits | None = None,
    watcher: Watcher | None = None,
) -> WeekResult:
    """Solve a campus's ISO week (``2026-W48``) and publish the outcome, unless ``dry_run``.

    A week that has a timetable already is changed as little as possible; nothing to change, nobody is told. Opens
    its own transaction for publishing. ``watcher`` hears how it goes, and may end the search with the best found.

    :raises InputError: unknown campus, no such week, outside every term, no approved plans, or no answer in time.
    :raises BadInputs: classes without a period grid, subjects without a teacher.
    :raises TimetableImpossible: the rules contradict each other; says which.
    :raises Conflict: somebody changed the week while it was being solved.
    """
    context, solution, wanted, counts = _solved(campus_code, week, limits, watcher)
    change_set = None
    if counts.anything and not dry_run:
        with transaction():
            change_set = changes.apply(_propose(context, wanted, actor), actor)
    return _result(context, solution, counts, dry_run, change_set)


def propose_week(
    campus_code: str,
    week: str,
    *,
    actor: Person | None,
    limits: SolverLimits | None = None,
    watcher: Watcher | None = None,
) -> WeekResult:
    """Like :func:`solve_week`, but the outcome is only proposed: a change set to look at, then to apply or discard."""
    context, solution, wanted, counts = _solved(campus_code, week, limits, watcher)
    change_set = None
    if counts.anything:
        with transaction():
            change_set = _propose(context, wanted, actor)
    return _result(context, solution, counts, False, change_set)


def week_as_planned(
    campus_code: str, week: str, limits: SolverLimits | None = None
) -> tuple[list[changes.Wanted], Solution]:
    """What would have to change in a week so that it is as planned, by the smallest change of the lessons that it has;
    nothing is stored. Refuses like :func:`solve_week`."""
    _, solution, wanted, _ = _solved(campus_code, week, limits, None, smallest_change)
    return wanted, solution


def campus_by_code(code: str) -> Organisation:
    """The campus with this code.

    :raises InputError: none; says which there are.
    """
    campus = db.session.scalar(sa.select(Organisation).filter_by(code=code.strip(), kind=OrganisationKind.CAMPUS))
    if campus is None:
        known = db.session.scalars(
            sa.select(Organisation.code)
            .where(Organisation.kind == OrganisationKind.CAMPUS, Organisation.valid_to.is_(None))
            .order_by(Organisation.code)
            .limit(20)
        )
        raise InputError(
            N_("There is no campus with the code “%(code)s”."),
            remedy=N_("Known campuses: %(known)s."),
            code=code,
            known=", ".join(known) or "-",
        )
    return campus


def _solved(
    campus_code: str, week: str, limits: SolverLimits | None, watcher: Watcher | None, solver: Solver | None = None
) -> tuple[WeekContext, Solution, list[changes.Wanted], WeekCounts]:
    campus = campus_by_code(campus_code)
    problem, context = build_problem(campus, iso_week(monday_of(week)))
    if not db.session.info.get("in_transaction"):
        # No transaction stays open while the solver thinks; nothing was written, and nothing read is forgotten.
        db.session.commit()
    listener = _Listener(watcher)
    solution = _solve(problem, context, limits or SolverLimits(), listener, solver or solve)
    if solution.status is Status.INFEASIBLE:
        raise TimetableImpossible(campus.code, context.week.iso, solution.conflicts)
    if not solution.found and listener.ended:
        raise InputError(
            N_("Solving week %(week)s was stopped before there was a timetable."),
            remedy=N_("Start it again and let it run longer."),
            week=context.week.iso,
        )
    if not solution.found:
        raise InputError(
            N_("No timetable was found for week %(week)s within %(seconds)s seconds, nor a proof that there is none."),
            remedy=N_("Try again with more time, or make the week easier: fewer periods, fewer absences."),
            week=context.week.iso,
            seconds=round(solution.seconds),
        )
    wanted, counts = wanted_lessons(context, solution)
    return context, solution, wanted, counts


@dataclass
class _Listener:
    """Passes progress on, and remembers whether somebody ended the search."""

    watcher: Watcher | None
    ended: bool = False

    def __call__(self, progress: Progress) -> bool:
        if self.watcher is not None and self.watcher(progress) is False:
            self.ended = True
        return not self.ended


def _solve(
    problem: Problem, context: WeekContext, limits: SolverLimits, listener: _Listener, solver: Solver
) -> Solution:
    """Solve; where classes with different clock times share a teacher, close the slots that would clash and repeat."""
    progress = listener if listener.watcher is not None else None
    solution = solver(problem, limits, progress)
    for _ in range(ROUNDS):
        clashing = _clashing(context, problem, solution)
        if not clashing:
            break
        courses = tuple(
            replace(course, forbidden=course.forbidden | clashing.get(course.key, frozenset()))
            for course in problem.courses
        )
        problem = replace(problem, courses=courses)
        solution = solver(problem, limits, progress)
    return solution


def _clashing(context: WeekContext, problem: Problem, solution: Solution) -> dict[str, frozenset[Slot]]:
    courses = {course.key: course for course in problem.courses}
    placed: list[Placement] = [p for p in solution.placements if p.course_key in context.courses]
    entries = []
    for number, placement in enumerate(placed):
        time = context.slots[context.courses[placement.course_key][0]][placement.slot]
        entries += [
            Occupied(key, time.starts_at, time.ends_at, number, context.campus.id, context.campus.zone, new=True)
            for key in courses[placement.course_key].teachers
        ]
    found: dict[str, frozenset[Slot]] = {}
    for _, later in double_bookings(entries):
        placement = placed[later.lesson]
        found[placement.course_key] = found.get(placement.course_key, frozenset()) | {placement.slot}
    return found


def wanted_lessons(context: WeekContext, solution: Solution) -> tuple[list[changes.Wanted], WeekCounts]:
    """The states that lessons must take so that the week is as solved, and how many change in which way."""
    placed: dict[CourseId, list[Slot]] = {course: [] for course in context.demands}
    for placement in solution.placements:
        course = context.courses.get(placement.course_key)
        if course is not None:
            placed[course].append(placement.slot)
    wanted: list[changes.Wanted] = []
    kinds = dict.fromkeys(ChangeKind, 0)
    kept = len(context.kept)
    for course in sorted(placed.keys() | context.movable.keys()):
        for wish in _course_lessons(context, course, placed.get(course, [])):
            kind = difference(state_of(wish.lesson) if wish.lesson is not None else None, wish.after)
            if kind is None:
                kept += 1
            else:
                kinds[kind] += 1
                wanted.append(wish)
    counts = WeekCounts(
        kept=kept,
        added=kinds[ChangeKind.ADDED],
        moved=kinds[ChangeKind.MOVED],
        cancelled=kinds[ChangeKind.CANCELLED],
        changed=kinds[ChangeKind.MODE] + kinds[ChangeKind.TEACHER] + kinds[ChangeKind.UNIT],
    )
    return wanted, counts


def _course_lessons(context: WeekContext, course: CourseId, slots: list[Slot]) -> list[changes.Wanted]:
    lessons = {lesson.id: lesson for lesson in context.movable.get(course, [])}
    times = context.slots[course.class_id]
    found = match({key: exact_slot(times, x.starts_at, x.ends_at) for key, x in lessons.items()}, slots)
    at: list[tuple[Slot, Lesson | None]] = [(slot, lessons[key]) for key, slot in (*found.kept, *found.moved)]
    at += [(slot, None) for slot in found.added]
    at.sort(key=lambda entry: entry[0])
    units = _units(context, course, len(at))
    wanted = [
        changes.Wanted(lesson, _state(context, course, slot, lesson, unit))
        for (slot, lesson), unit in zip(at, units, strict=True)
    ]
    return wanted + [
        changes.Wanted(lessons[key], replace(state_of(lessons[key]), status=LessonStatus.CANCELLED))
        for key in found.cancelled
    ]


def _units(context: WeekContext, course: CourseId, count: int) -> list[tuple[UnitState, ...]]:
    """The units of the course's lessons in order of time, for each of its classes: what the lessons that stay do not
    teach."""
    demand = context.demands.get(course)
    found: list[tuple[UnitState, ...]] = [()] * count
    for part in demand.audience if demand is not None else ():
        taught = {
            Step(unit.unit_key, unit.ordinal)
            for lesson in context.kept
            if lesson.subject_id == course.subject_id
            and any(a.class_id == part.class_id and _concerns(a.part, part.part) for a in lesson.audience)
            for unit in lesson.units
            if unit.class_id == part.class_id
        }
        steps = [step for step in part.steps if step not in taught][:count]
        for n, step in enumerate(steps):
            assert part.plan_id is not None
            found[n] = (*found[n], UnitState(part.class_id, part.plan_id, *step))
    return [tuple(sorted(units, key=lambda unit: unit.class_id)) for units in found]


def _concerns(part: str, of: str) -> bool:
    """Whether a lesson of a part of a class ("" is the whole class) is one of those of the part ``of``."""
    return not of or part in ("", of)


def _state(
    context: WeekContext, course: CourseId, slot: Slot, lesson: Lesson | None, units: tuple[UnitState, ...]
) -> LessonState:
    time = context.slots[course.class_id][slot]
    demand = context.demands[course]
    before = state_of(lesson) if lesson is not None else None
    # Assistants that somebody added stay; the teachers of the course are the affair of roster and arrangements.
    others = tuple(
        (person_id, part)
        for person_id, part in (before.teachers if before is not None else ())
        if part is not TeacherPart.LEAD and person_id not in demand.teacher_ids
    )
    return LessonState(
        campus_id=context.campus.id,
        week_id=context.row.id if context.row is not None else 0,
        subject_id=course.subject_id,
        starts_at=time.starts_at,
        ends_at=time.ends_at,
        zone=context.campus.zone,
        period_number=slot.period,
        mode=LessonMode.ONLINE if time.online else LessonMode.IN_PERSON,
        status=LessonStatus.SCHEDULED,
        teachers=tuple(sorted(demand.teachers + others)),
        classes=demand.classes,
        units=units,
        replaces_id=before.replaces_id if before is not None else None,
    )


def _propose(context: WeekContext, wanted: list[changes.Wanted], actor: Person | None) -> ChangeSet:
    row = changes.open_week(context.campus, context.term, context.week.iso)
    first = context.row is None or context.row.published_at is None
    return changes.propose(
        context.campus,
        ChangeCause.PUBLICATION if first else ChangeCause.PLAN_CHANGED,
        [changes.Wanted(w.lesson, replace(w.after, week_id=row.id)) for w in wanted],
        actor=actor,
        cause_ref=f"week:{context.week.iso}",
        base_versions={row.id: context.version},
        publishes=True,
    )


def _result(
    context: WeekContext, solution: Solution, counts: WeekCounts, dry_run: bool, change_set: ChangeSet | None
) -> WeekResult:
    return WeekResult(
        campus_code=context.campus.code,
        week=context.week.iso,
        status=solution.status.value,
        counts=counts,
        dry_run=dry_run,
        change_set_uid=change_set.uid if change_set is not None else None,
        warnings=tuple(context.warnings),
        costs=_costs(solution.costs),
        seconds=solution.seconds,
    )


def _costs(costs: Mapping[str, int]) -> dict[str, int]:
    return {str(name): int(value) for name, value in costs.items()}
