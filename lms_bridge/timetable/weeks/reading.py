"""Reads what the timetable of a week is made from: its slots, its demand, and the lessons in force."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import sqlalchemy as sa

from lms_bridge.calendar.days import (
    TeachingWeek,
    days_of_week,
    monday_of,
    online_days,
    teaching_weeks,
    term_of_week,
)
from lms_bridge.calendar.grids import grids_of
from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.core.errors import BadInputs, BridgeError, InputError
from lms_bridge.core.i18n import N_
from lms_bridge.roster.models import ClassGroup, Organisation, Term
from lms_bridge.timetable.inputs.subject_rules import contradicting
from lms_bridge.timetable.models import Lesson, LessonStatus, TeacherPart, TimetableWeek
from lms_bridge.timetable.queries import WITH_PARTS
from lms_bridge.timetable.weeks.demand import CourseId, Demand, WeekDemand, classes_of_term, plans_at_all, week_demand
from lms_bridge.timetable.weeks.slots import ClassSlots, SlotTime, class_slots
from lms_bridge.timetable.wording import DaysOff, Listed

SETTLED = timedelta(minutes=30)
"""Lessons that begin sooner than this stay where they are, and none is added: people are on their way to them."""


@dataclass
class WeekContext:
    """What the answer to a week's problem is read with. ``version`` is that of the week's timetable when it was
    read; ``movable`` are lessons in force by course, in order of time; ``kept`` those that stay. ``courses`` are the
    courses by the solver's key."""

    campus: Organisation
    term: Term
    week: TeachingWeek
    row: TimetableWeek | None
    version: int
    classes: Mapping[int, ClassGroup]
    slots: ClassSlots
    demands: Mapping[CourseId, Demand]
    movable: Mapping[CourseId, list[Lesson]]
    kept: Sequence[Lesson]
    courses: dict[str, CourseId] = field(default_factory=dict)
    warnings: list[BridgeError] = field(default_factory=list)

    @property
    def times(self) -> list[SlotTime]:
        """The times of all slots. Classes of one grid have the same: each counts once, or large campuses would be
        slow."""
        return list(dict.fromkeys(time for times in self.slots.values() for time in times.values()))


def read_week(campus: Organisation, week: str) -> WeekContext:
    """What there is to know of a campus's week (``2026-W48``).

    :raises InputError: the week is no week, is over, lies outside every term or has no school days, or no plan is
        approved.
    :raises BadInputs: classes without a period grid, subjects without a teacher; all are listed.
    """
    monday = monday_of(week)
    term = term_of_week(campus, week)
    weeks = teaching_weeks(campus, term)
    chosen = next(w for w in weeks if monday_of(w.iso) == monday)
    if not chosen.days:
        raise _no_school(campus, chosen)
    classes = {group.id: group for group in classes_of_term(campus.id, term, chosen.days[0].day)}
    if not classes:
        raise InputError(
            N_("Campus %(campus)s has no classes in %(term)s."),
            remedy=N_("Import the roster of this term first."),
            campus=campus.code,
            term=term.title,
        )
    spans = online_days(campus, chosen.days[0].day, chosen.days[-1].day)
    slots = class_slots(classes.values(), chosen.days, grids_of(campus.id), spans, campus.zone)
    times = [time for own in slots.values() for time in own.values()]
    if times and all(time.starts_at < now() + SETTLED for time in times):
        raise InputError(
            N_("Week %(week)s is over at campus %(campus)s; its lessons stay as they are."),
            remedy=N_("Choose a week that is still to come."),
            week=chosen.iso,
            campus=campus.code,
        )
    row = db.session.scalar(
        sa.select(TimetableWeek)
        .filter_by(campus_id=campus.id, week=chosen.iso)
        .execution_options(populate_existing=True)
    )
    demand = week_demand(campus.id, term, weeks, chosen, list(classes.values()), _shares(slots, row))
    _refuse(campus, chosen, classes, slots, demand, plans_at_all(classes, term.id))
    movable, kept = _lessons(row, demand)
    context = WeekContext(
        campus=campus,
        term=term,
        week=chosen,
        row=row,
        version=row.version if row is not None else 0,
        classes=classes,
        slots=slots,
        demands={d.course: d for d in demand.demands},
        movable=movable,
        kept=kept,
    )
    if demand.lacking:
        context.warnings.append(
            InputError(
                N_("No lessons were planned where no teaching plan is approved: %(courses)s."),
                remedy=N_("Let the researchers approve these plans, then solve the week again."),
                courses=Listed(demand.lacking),
            )
        )
    return context


def _shares(slots: ClassSlots, row: TimetableWeek | None) -> dict[int, tuple[int, int]]:
    """The part of the week that lies after its first publication (now, if it has none). A class without a single
    slot counts whole, so that what it misses is found."""
    since = row.published_at if row is not None and row.published_at is not None else now() + SETTLED
    return {
        class_id: (sum(time.starts_at >= since for time in times.values()), len(times)) if times else (1, 1)
        for class_id, times in slots.items()
    }


def _no_school(campus: Organisation, week: TeachingWeek) -> InputError:
    _, off = days_of_week(campus, week.iso)
    return InputError(
        N_("No school is held at campus %(campus)s in week %(week)s (%(days)s)."),
        remedy=N_("Choose another week, or correct the school calendar."),
        campus=campus.code,
        week=week.iso,
        days=DaysOff(off),
    )


def _refuse(
    campus: Organisation,
    week: TeachingWeek,
    classes: Mapping[int, ClassGroup],
    slots: ClassSlots,
    demand: WeekDemand,
    plans: int,
) -> None:
    if not demand.planned:
        raise InputError(
            N_("No teaching plan of campus %(campus)s is approved for week %(week)s; there is none for: %(courses)s."),
            remedy=N_("Import plans, let the researchers approve them (%(plans)s wait), then solve the week again."),
            campus=campus.code,
            week=week.iso,
            courses=Listed(demand.lacking or tuple(group.title for group in classes.values())),
            plans=plans,
        )
    wanted = {class_id for d in demand.demands if d.periods for class_id in d.class_ids}
    problems: list[BridgeError] = [
        InputError(
            N_("Class %(group)s (grade %(grade)s) has no period grid for this week."),
            remedy=N_("Set up the period grid of this grade at campus %(campus)s."),
            group=classes[class_id].title,
            grade=classes[class_id].grade,
            campus=campus.code,
        )
        for class_id in sorted(wanted)
        if not slots[class_id]
    ]
    problems += [*demand.problems, *contradicting(campus.id)]
    if problems:
        raise BadInputs(problems)


def _lessons(row: TimetableWeek | None, demand: WeekDemand) -> tuple[dict[CourseId, list[Lesson]], list[Lesson]]:
    """Lessons in force: those that a new solution may move, and those that stay: begun or about to, given to a
    substitute, of several classes or of a group that are not arranged so, or of a subject whose plan is not approved
    any more."""
    movable: defaultdict[CourseId, list[Lesson]] = defaultdict(list)
    kept: list[Lesson] = []
    if row is None:
        return movable, kept
    settled = now() + SETTLED
    rows = db.session.scalars(
        sa.select(Lesson)
        .where(Lesson.week_id == row.id, Lesson.status == LessonStatus.SCHEDULED)
        .options(*WITH_PARTS)
        .order_by(Lesson.starts_at, Lesson.id)
        .execution_options(populate_existing=True)
    )
    courses = {(d.course.subject_id, d.classes): d.course for d in demand.demands}
    for lesson in rows:
        course = _course_of(lesson, courses, demand)
        substituted = any(t.part is TeacherPart.SUBSTITUTE for t in lesson.teachers)
        if course is not None and lesson.starts_at >= settled and not substituted:
            movable[course].append(lesson)
        else:
            kept.append(lesson)
    return movable, kept


def _course_of(
    lesson: Lesson, courses: Mapping[tuple[int, tuple[tuple[int, str], ...]], CourseId], demand: WeekDemand
) -> CourseId | None:
    """The course that a lesson belongs to. One of a whole class that is taught otherwise by now (in groups, or with
    another class) belongs to a course that nothing is demanded of, so that it is replaced."""
    classes = tuple(sorted((a.class_id, a.part) for a in lesson.audience))
    found = courses.get((lesson.subject_id, classes))
    if found is not None:
        return found
    if len(classes) == 1 and not classes[0][1] and (classes[0][0], lesson.subject_id) in demand.planned:
        return CourseId(classes[0][0], lesson.subject_id)
    return None
