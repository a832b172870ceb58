"""Solves the week of a campus, or of campuses together, and publishes it as change sets.

Reading, solving and writing are three steps: the solver runs outside any transaction, and what it found is applied
only if the weeks are still as they were read. Each campus has a change set of its own; those of campuses that were
solved together are put in force together or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa

from lms_bridge.calendar.days import iso_week, monday_of
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import InputError
from lms_bridge.core.i18n import N_
from lms_bridge.core.ids import new_uid
from lms_bridge.plans.weeks import Step
from lms_bridge.roster.models import Organisation, OrganisationKind, Person
from lms_bridge.timetable.changing import changes
from lms_bridge.timetable.changing.clashes import Occupied, double_bookings
from lms_bridge.timetable.making.impossible import TimetableImpossible
from lms_bridge.timetable.making.results import SolveResult, WeekCounts, WeekResult
from lms_bridge.timetable.making.together import Together, build_together
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
    """Solve a campus's ISO week (``2026-W48``) and publish the outcome, unless ``dry_run``; see
    :func:`solve_together`."""
    result = solve_together(
        [campus_by_code(campus_code)], week, actor=actor, dry_run=dry_run, limits=limits, watcher=watcher
    )
    return result.weeks[0]


def solve_together(
    campuses: Sequence[Organisation],
    week: str,
    *,
    actor: Person | None,
    dry_run: bool = False,
    limits: SolverLimits | None = None,
    watcher: Watcher | None = None,
) -> SolveResult:
    """Solve the ISO week (``2026-W48``) of campuses, all at once, and publish the outcome, unless ``dry_run``.

    Weeks that have a timetable already are changed as little as possible; nothing to change, nobody is told. Opens
    its own transaction for publishing. ``watcher`` hears how it goes, and may end the search with the best found.

    :raises InputError: no such week, outside every term, no approved plans, or no answer in time.
    :raises BadInputs: classes without a period grid, subjects without a teacher; at any of several campuses.
    :raises TimetableImpossible: the rules contradict each other; says which.
    :raises Conflict: somebody changed one of the weeks while they were being solved; nothing is changed then.
    """
    solved = _solved(campuses, week, limits, watcher)
    change_sets: dict[int, ChangeSet] = {}
    if not dry_run and any(one.counts.anything for one in solved):
        with transaction():
            change_sets = _propose_all(solved, actor)
            changes.apply(next(iter(change_sets.values())), actor)
    return _result(solved, dry_run, change_sets)


def propose_together(
    campuses: Sequence[Organisation],
    week: str,
    *,
    actor: Person | None,
    limits: SolverLimits | None = None,
    watcher: Watcher | None = None,
) -> SolveResult:
    """Like :func:`solve_together`, but the outcome is only proposed: change sets to look at, then to apply or
    discard."""
    solved = _solved(campuses, week, limits, watcher)
    change_sets: dict[int, ChangeSet] = {}
    if any(one.counts.anything for one in solved):
        with transaction():
            change_sets = _propose_all(solved, actor)
    return _result(solved, False, change_sets)


def week_as_planned(
    campus: Organisation, week: str, limits: SolverLimits | None = None
) -> tuple[list[changes.Wanted], Solution]:
    """What would have to change in a week so that it is as planned, by the smallest change of the lessons that it has;
    nothing is stored. Refuses like :func:`solve_week`."""
    (solved,) = _solved([campus], week, limits, None, smallest_change)
    return solved.wanted, solved.solution


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


@dataclass(frozen=True)
class _Solved:
    """What came of solving for one campus."""

    context: WeekContext
    solution: Solution
    wanted: list[changes.Wanted]
    counts: WeekCounts


def _solved(
    campuses: Sequence[Organisation],
    week: str,
    limits: SolverLimits | None,
    watcher: Watcher | None,
    solver: Solver | None = None,
) -> list[_Solved]:
    week = iso_week(monday_of(week))
    together = build_together(campuses, week)
    if not db.session.info.get("in_transaction"):
        # No transaction stays open while the solver thinks; nothing was written, and nothing read is forgotten.
        db.session.commit()
    listener = _Listener(watcher)
    solution = _solve(together, limits or SolverLimits(), listener, solver or solve)
    if solution.status is Status.INFEASIBLE:
        raise TimetableImpossible(campuses, week, solution.conflicts)
    if not solution.found and listener.ended:
        raise InputError(
            N_("Solving week %(week)s was stopped before there was a timetable."),
            remedy=N_("Start it again and let it run longer."),
            week=week,
        )
    if not solution.found:
        raise InputError(
            N_("No timetable was found for week %(week)s within %(seconds)s seconds, nor a proof that there is none."),
            remedy=N_("Try again with more time, or make the week easier: fewer periods, fewer absences."),
            week=week,
            seconds=round(solution.seconds),
        )
    return [
        _Solved(context, own, *wanted_lessons(context, own))
        for context, own in zip(together.contexts, together.own(solution), strict=True)
    ]


@dataclass
class _Listener:
    """Passes progress on, and remembers whether somebody ended the search."""

    watcher: Watcher | None
    ended: bool = False

    def __call__(self, progress: Progress) -> bool:
        if self.watcher is not None and self.watcher(progress) is False:
            self.ended = True
        return not self.ended


def _solve(together: Together, limits: SolverLimits, listener: _Listener, solver: Solver) -> Solution:
    """Solve; where classes of one campus with different clock times share a teacher, close the slots that would clash
    and repeat."""
    progress = listener if listener.watcher is not None else None
    problem = together.problem
    solution = solver(problem, limits, progress)
    for _ in range(ROUNDS):
        clashing = _clashing(together, solution)
        if not clashing:
            break
        courses = tuple(
            replace(course, forbidden=course.forbidden | clashing.get(course.key, frozenset()))
            for course in problem.courses
        )
        problem = replace(problem, courses=courses)
        solution = solver(problem, limits, progress)
    return solution


def _clashing(together: Together, solution: Solution) -> dict[str, frozenset[Slot]]:
    courses = {course.key: course for course in together.problem.courses}
    placed: list[tuple[Placement, int]] = []
    entries = []
    for context, clock, own in zip(together.contexts, together.clocks, together.own(solution), strict=True):
        for placement in own.placements:
            time = context.slots[context.courses[placement.course_key].class_id][placement.slot]
            entries += [
                Occupied(
                    key, time.starts_at, time.ends_at, len(placed), context.campus.id, context.campus.zone, new=True
                )
                for key in courses[placement.course_key].teachers
            ]
            placed.append((placement, clock))
    found: dict[str, frozenset[Slot]] = {}
    for _, later in double_bookings(entries):
        placement, clock = placed[later.lesson]
        slot = placement.slot._replace(clock=clock)
        found[placement.course_key] = found.get(placement.course_key, frozenset()) | {slot}
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


def _propose_all(solved: Sequence[_Solved], actor: Person | None) -> dict[int, ChangeSet]:
    """The change sets by campus id; a campus whose week stays as it is has none."""
    several = sum(one.counts.anything for one in solved) > 1
    joint = new_uid() if several else None
    found: dict[int, ChangeSet] = {}
    for one in solved:
        if not one.counts.anything:
            continue
        context = one.context
        row = changes.open_week(context.campus, context.term, context.week.iso)
        first = context.row is None or context.row.published_at is None
        found[context.campus.id] = changes.propose(
            context.campus,
            ChangeCause.PUBLICATION if first else ChangeCause.PLAN_CHANGED,
            [changes.Wanted(w.lesson, replace(w.after, week_id=row.id)) for w in one.wanted],
            actor=actor,
            cause_ref=f"week:{context.week.iso}",
            base_versions={row.id: context.version},
            publishes=True,
            joint_uid=joint,
        )
    return found


def _result(solved: Sequence[_Solved], dry_run: bool, change_sets: Mapping[int, ChangeSet]) -> SolveResult:
    solution = solved[0].solution
    return SolveResult(
        tuple(
            WeekResult(
                campus_code=one.context.campus.code,
                week=one.context.week.iso,
                status=solution.status.value,
                counts=one.counts,
                dry_run=dry_run,
                change_set_uid=change_sets[one.context.campus.id].uid if one.context.campus.id in change_sets else None,
                warnings=tuple(one.context.warnings),
                costs=_costs(solution.costs),
                seconds=solution.seconds,
            )
            for one in solved
        )
    )


def _costs(costs: Mapping[str, int]) -> dict[str, int]:
    return {str(name): int(value) for name, value in costs.items()}
