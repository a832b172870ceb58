"""A plan changed after its lessons were timetabled: what lessons can do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import sqlalchemy as sa

from lms_bridge.calendar.days import iso_week, teaching_weeks
from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.core.errors import BridgeError
from lms_bridge.plans.models import PlanClass, TeachingPlan
from lms_bridge.roster.models import Organisation, Term
from lms_bridge.timetable.cases import repair
from lms_bridge.timetable.cases.desk import Desk
from lms_bridge.timetable.cases.diary import Diary, newly_broken
from lms_bridge.timetable.cases.models import ChangeCase
from lms_bridge.timetable.cases.opening import plan_changed
from lms_bridge.timetable.cases.proposals import Change, Option, Progress, figures, ranked
from lms_bridge.timetable.cases.ways import SOLVER
from lms_bridge.timetable.cases.whole_week import CAMPUS
from lms_bridge.timetable.making.scheduling import week_as_planned
from lms_bridge.timetable.models import Lesson, LessonStatus, LessonUnit
from lms_bridge.timetable.snapshots import LessonState, state_of
from lms_bridge.timetable.solving.problem import Status
from lms_bridge.timetable.telling.people import PeopleBook
from lms_bridge.timetable.units import unit_order
from lms_bridge.timetable.units.plan_lines import PlanLine, plan_lines


def follow_approval(plan_id: int) -> None:
    """Open a case at each campus where lessons to come teach this plan; none where nothing is timetabled yet."""
    campuses = db.session.scalars(
        sa.select(Lesson.campus_id)
        .join(LessonUnit, LessonUnit.lesson_id == Lesson.id)
        .where(LessonUnit.plan_id == plan_id, Lesson.status == LessonStatus.SCHEDULED, Lesson.starts_at > now())
        .distinct()
        .order_by(Lesson.campus_id)
    ).all()
    plan = db.session.get_one(TeachingPlan, plan_id)
    for campus_id in campuses:
        plan_changed(db.session.get_one(Organisation, campus_id), plan, actor=None)


def plan_options(case: ChangeCase, desk: Desk, book: PeopleBook, progress: Progress) -> list[Option]:
    """The proposals: units follow the plan in the lessons that are there; lessons of the course are added or dropped
    besides, as many as the plan wants; or the first week that has too many or too few is solved again."""
    progress(0, 3, "units")
    courses = _courses(case, desk)
    units = _units(case, desk, courses)
    found = [Option("units", tuple(units), figures(desk, units, book))]
    progress(1, 3, "fill")
    filled, weeks = _filled(desk, courses)
    if filled:
        found.append(Option("fill", tuple(filled), figures(desk, filled, book)))
        progress(2, 3, SOLVER)
        solved = _solved(case.campus, desk, min(weeks), book)
        found += [solved] if solved is not None else []
    progress(3, 3, "")
    return ranked([one for one in found if _keeps_rules(desk, one)])


def _keeps_rules(desk: Desk, one: Option) -> bool:
    """Whether a proposal breaks no rule of the campus that the timetable kept."""
    after = {number if number is not None else -n: state for n, (number, state) in enumerate(one.changes, 1)}
    return not newly_broken(desk, after)


@dataclass(frozen=True)
class _Courses:
    """The lines of the changed plan, and the number of each teaching week by its name."""

    lines: Sequence[PlanLine]
    numbers: dict[str, int]
    days: dict[str, int]


def _courses(case: ChangeCase, desk: Desk) -> _Courses:
    plan = db.session.get(TeachingPlan, case.details.get("plan"))
    term = db.session.get(Term, plan.term_id) if plan is not None else None
    if plan is None or term is None:
        return _Courses((), {}, {})
    class_ids = set(db.session.scalars(sa.select(PlanClass.class_id).where(PlanClass.plan_id == plan.id)))
    weeks = teaching_weeks(case.campus, term)
    lines = plan_lines(class_ids & set(desk.classes), term, weeks)
    return _Courses(
        [line for line in lines.values() if line.plan_id == plan.id],
        {week.iso: week.number for week in weeks},
        {week.iso: len(week.days) for week in weeks},
    )


def _units(case: ChangeCase, desk: Desk, courses: _Courses) -> list[Change]:
    class_ids = {line.class_id for line in courses.lines}
    subject_ids = {line.subject_id for line in courses.lines}
    weeks = list(desk.versions)
    known = unit_order.known_before(case.campus_id, class_ids, weeks)
    found: list[Change] = []
    for lesson, units in unit_order.renumbered(case.campus_id, class_ids, subject_ids, weeks, known):
        before = state_of(lesson)
        if lesson.id in desk.lessons and before.units != units:
            found.append((lesson.id, replace(before, units=units)))
    return found


def _filled(desk: Desk, courses: _Courses) -> tuple[list[Change], set[str]]:
    """Lessons to add or to drop so that each week that is still wholly to come has as many as the plan wants, and the
    weeks that this concerns."""
    draft = repair.Draft(desk, Diary(desk), ())
    weeks: set[str] = set()
    for line in courses.lines:
        for week_id, week in _coming(desk).items():
            own = sorted(
                (state.starts_at, number)
                for number, state in desk.lessons.items()
                if state.week_id == week_id and state.subject_id == line.subject_id and line.class_id in state.class_ids
            )
            if not own or week not in courses.numbers:
                continue
            wanted = len(line.weeks[courses.numbers[week] - 1])
            numbers = [number for _, number in own]
            for number in reversed(numbers[wanted:]):
                repair.cancel(draft, number)
                weeks.add(week)
            for count in range(wanted - len(numbers)):
                if _add(draft, numbers[-1], -(1000 * numbers[-1] + count)):
                    weeks.add(week)
    changes: list[Change] = [*draft.after.items(), *((None, state) for state in draft.added.values())]
    return changes, weeks


def _add(draft: repair.Draft, like: int, number: int) -> bool:
    """One more lesson like ``like`` in the first free period of its week."""
    model = draft.desk.lessons[like]
    for time in draft.desk.open_for(model):
        if draft.desk.weeks[time.day] != model.week_id:
            continue
        new: LessonState = replace(repair.at(model, time), units=(), replaces_id=None)
        if draft.diary.fits(number, new):
            draft.added[number] = new
            draft.diary.put(number, new)
            return True
    return False


def _coming(desk: Desk) -> dict[int, str]:
    """The weeks (id to name) of which no lesson has begun."""
    first: dict[int, date] = {}
    for day, week_id in desk.weeks.items():
        first[week_id] = min(first.get(week_id, day), day)
    moment = now()
    begun = {state.week_id for state in desk.lessons.values() if state.starts_at <= moment}
    return {week_id: iso_week(day) for week_id, day in sorted(first.items()) if week_id not in begun}


def _solved(campus: Organisation, desk: Desk, week: str, book: PeopleBook) -> Option | None:
    """The whole week as planned by the smallest change, and how far it is from the smallest; None where the solver
    refuses."""
    try:
        wanted, solution = week_as_planned(campus, week)
    except BridgeError:
        return None
    known = set(desk.lessons)
    if any(w.lesson is not None and w.lesson.id not in known for w in wanted):
        return None
    changes = tuple((w.lesson.id if w.lesson is not None else None, w.after) for w in wanted)
    known_gap = replace(figures(desk, changes, book), gap=solution.gap, reach=CAMPUS)
    proved = CAMPUS if solution.status is Status.OPTIMAL else ""
    return Option(SOLVER, changes, replace(known_gap, proved=proved))
