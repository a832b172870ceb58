"""Routes of weeks and lessons below ``/api/v1``: read, check a move, move, change places, cancel, another teacher."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from apiflask import APIBlueprint

from lms_bridge.api import timetable_schemas as schemas
from lms_bridge.api import timetable_views as views
from lms_bridge.api.callers import auth, caller, require
from lms_bridge.api.named import campus_within, lesson_to_change, teacher_named
from lms_bridge.calendar.days import iso_week, monday_of, terms_of
from lms_bridge.core.access import Permission, Role, Scope, Target
from lms_bridge.core.clock import local
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BadInputs, BridgeError, InputError, NotFound
from lms_bridge.core.i18n import N_
from lms_bridge.plans.errors import UnknownCode
from lms_bridge.plans.lookup import class_by_code
from lms_bridge.roster.models import Person
from lms_bridge.roster.scope import today
from lms_bridge.timetable.changing import changes
from lms_bridge.timetable.changing import lesson_changes as changing
from lms_bridge.timetable.changing.slot_checks import check_week
from lms_bridge.timetable.models import ChangeSet, Lesson, LessonStatus, TimetableWeek
from lms_bridge.timetable.queries import lesson_by_uid, lessons_between
from lms_bridge.timetable.reach import campuses_of, sees_lesson, sees_week_of
from lms_bridge.timetable.reports.term_overview import term_overview
from lms_bridge.timetable.telling.touched import touched_by
from lms_bridge.timetable.weeks.slots import wall_clock

blueprint = APIBlueprint("api_timetable", __name__, url_prefix="/api/v1", tag="Timetable")


def _lesson(uid: str) -> Lesson:
    row = lesson_by_uid(uid)
    if row is None:
        raise NotFound()
    return row


@blueprint.get("/timetable-weeks")
@blueprint.auth_required(auth)
@blueprint.input(schemas.WeeksQuery, location="query")
@blueprint.output(schemas.WeekPage)
def weeks(query_data: schemas.WeeksQuery) -> schemas.WeekPage:
    """The weeks of a campus that have a timetable, the latest first."""
    campus = campus_within(require(Permission.TIMETABLE_READ), Permission.TIMETABLE_READ, query_data.campus)
    where = TimetableWeek.campus_id == campus.id
    total = db.session.scalar(sa.select(sa.func.count()).select_from(TimetableWeek).where(where)) or 0
    held = sa.and_(Lesson.week_id == TimetableWeek.id, Lesson.status == LessonStatus.SCHEDULED)
    rows = db.session.execute(
        sa.select(TimetableWeek, sa.func.count(Lesson.id))
        .outerjoin(Lesson, held)
        .where(where)
        .group_by(TimetableWeek.id)
        .order_by(TimetableWeek.week.desc())
        .limit(query_data.per_page)
        .offset((query_data.page - 1) * query_data.per_page)
    ).all()
    items = [
        schemas.WeekOut(
            week=row.week, campus=campus.code, version=row.version, published_at=row.published_at, lessons=count
        )
        for row, count in rows
    ]
    return schemas.WeekPage(items=items, **views.paged(total, query_data.page, query_data.per_page))


@blueprint.get("/lessons")
@blueprint.auth_required(auth)
@blueprint.input(schemas.LessonsQuery, location="query")
@blueprint.output(schemas.LessonPage)
def lessons(query_data: schemas.LessonsQuery) -> schemas.LessonPage:
    """The lessons of a class, a teacher or a campus in a week, in order of time."""
    scope = require(Permission.TIMETABLE_READ)
    named = [query_data.class_, query_data.teacher, query_data.campus]
    if sum(name is not None for name in named) != 1:
        raise InputError(
            N_("Name one of class, teacher and campus."), remedy=N_("Whose lessons are wanted? Name exactly one.")
        )
    rows = _wanted(scope, query_data)
    first = (query_data.page - 1) * query_data.per_page
    shown = views.lessons(rows[first : first + query_data.per_page])
    return schemas.LessonPage(items=shown, **views.paged(len(rows), query_data.page, query_data.per_page))


def _wanted(scope: Scope, said: schemas.LessonsQuery) -> Sequence[Lesson]:
    if said.class_ is not None:
        try:
            group = class_by_code(said.class_)
        except UnknownCode:
            raise NotFound() from None
        scope.require(Permission.TIMETABLE_READ, Target(group.campus.path, frozenset({group.id})))
        return lessons_between(
            *_bounds(said.week, group.campus.zone), class_ids=[group.id], with_cancelled=said.cancelled
        )
    if said.teacher is not None:
        person = db.session.scalar(sa.select(Person).where(Person.uid == said.teacher))
        campuses = campuses_of(person, Role.TEACHER) if person is not None else []
        if person is None or not sees_week_of(scope, person, campuses):
            raise NotFound()
        zone = campuses[0].zone if campuses else "UTC"
        return lessons_between(*_bounds(said.week, zone), teacher_id=person.id, with_cancelled=said.cancelled)
    campus = campus_within(scope, Permission.TIMETABLE_READ, said.campus or "")
    return lessons_between(*_bounds(said.week, campus.zone), campus_ids=[campus.id], with_cancelled=said.cancelled)


def _bounds(week: str, zone: str) -> tuple[datetime, datetime]:
    monday = monday_of(week)
    return wall_clock(monday, time(0), zone), wall_clock(monday + timedelta(days=7), time(0), zone)


@blueprint.get("/lessons/<uid>")
@blueprint.auth_required(auth)
@blueprint.output(schemas.LessonOut)
def lesson(uid: str) -> schemas.LessonOut:
    """One lesson."""
    scope = require(Permission.TIMETABLE_READ)
    row = _lesson(uid)
    if not sees_lesson(scope, row):
        raise NotFound()
    return views.lessons([row])[0]


@blueprint.get("/lessons/<uid>/slots")
@blueprint.auth_required(auth)
@blueprint.input(schemas.SlotsQuery, location="query")
@blueprint.output(schemas.SlotsOut)
def slots(uid: str, query_data: schemas.SlotsQuery) -> schemas.SlotsOut:
    """What every slot of a week says to a lesson: free, changing places, or why not."""
    row = lesson_to_change(uid)
    week = query_data.week or iso_week(local(row.starts_at, row.zone).date())
    checks = check_week(row, week)
    return schemas.SlotsOut(
        lesson=row.uid,
        week=week,
        version=changes.version_of(row.week_id),
        slots=[views.slot(check) for check in checks],
    )


@blueprint.get("/lessons/<uid>/move-check")
@blueprint.auth_required(auth)
@blueprint.input(schemas.Place, location="query")
@blueprint.output(schemas.CheckOut)
def move_check(uid: str, query_data: schemas.Place) -> schemas.CheckOut:
    """Whether a lesson fits in a place; what would change and how many people would be told. Nothing is stored."""
    row = lesson_to_change(uid)
    problems: list[BridgeError] = []
    preview: ChangeSet | None = None
    try:
        _place_named(query_data)
        wanted = changing.planned_move(row, query_data.date, period=query_data.period, start=query_data.start)
        preview = changes.preview(row.campus, wanted)
    except BadInputs as refusal:
        problems = refusal.problems
    return schemas.CheckOut(
        fits=preview is not None,
        version=changes.version_of(row.week_id),
        problems=[views.problem(error) for error in problems],
        changes=views.changes(preview.changes) if preview is not None else [],
        touched=views.touched(touched_by(preview)) if preview is not None else None,
    )


def _place_named(place: schemas.Place) -> None:
    if (place.period is None) == (place.start is None):
        raise InputError(N_("Name either a period or a time."), remedy=N_("Name exactly one of period and start."))


@blueprint.post("/lessons/<uid>/move")
@blueprint.auth_required(auth)
@blueprint.input(schemas.MoveIn)
@blueprint.output(schemas.ChangeSetOut)
def move(uid: str, json_data: schemas.MoveIn) -> schemas.ChangeSetOut:
    """Move a lesson; everybody concerned is told. 409: its week was changed since that version."""
    _place_named(json_data)
    return _changed(
        uid, json_data, changing.move_lesson, day=json_data.date, period=json_data.period, start=json_data.start
    )


@blueprint.post("/lessons/<uid>/swap")
@blueprint.auth_required(auth)
@blueprint.input(schemas.SwapIn)
@blueprint.output(schemas.ChangeSetOut)
def swap(uid: str, json_data: schemas.SwapIn) -> schemas.ChangeSetOut:
    """Let two lessons of a week change places."""
    return _changed(uid, json_data, changing.swap_lessons, other=lesson_to_change(json_data.lesson))


@blueprint.post("/lessons/<uid>/cancel")
@blueprint.auth_required(auth)
@blueprint.input(schemas.CancelIn)
@blueprint.output(schemas.ChangeSetOut)
def cancel(uid: str, json_data: schemas.CancelIn) -> schemas.ChangeSetOut:
    """Cancel a lesson; what it was to teach goes to the next one."""
    return _changed(uid, json_data, changing.cancel_lesson)


@blueprint.post("/lessons/<uid>/substitute")
@blueprint.auth_required(auth)
@blueprint.input(schemas.SubstituteIn)
@blueprint.output(schemas.ChangeSetOut)
def substitute(uid: str, json_data: schemas.SubstituteIn) -> schemas.ChangeSetOut:
    """Give a lesson to another teacher."""
    return _changed(uid, json_data, changing.substitute_teacher, teacher=teacher_named(json_data.teacher))


def _changed(
    uid: str, said: schemas.StepIn, operation: Callable[..., ChangeSet], **wanted: Any
) -> schemas.ChangeSetOut:
    """Carry out a change of the lesson ``uid`` in the name of the caller, if its week is still the one looked at."""
    with transaction():
        made = operation(lesson_to_change(uid), **wanted, actor=caller(), reason=said.reason, seen=said.version)
        return views.change_set(made)


@blueprint.get("/term-overview")
@blueprint.auth_required(auth)
@blueprint.input(schemas.TermQuery, location="query")
@blueprint.output(schemas.TermOverviewOut)
def overview(query_data: schemas.TermQuery) -> schemas.TermOverviewOut:
    """A term of a campus: its weeks with their lessons and the pace of the plans, and the load of its teachers."""
    campus = campus_within(require(Permission.TIMETABLE_READ), Permission.TIMETABLE_READ, query_data.campus)
    day = today(campus.zone)
    found = next(
        (
            term
            for term in terms_of(campus)
            if term.code == query_data.term or (query_data.term is None and term.starts_on <= day <= term.ends_on)
        ),
        None,
    )
    if found is None:
        raise NotFound()
    return schemas.TermOverviewOut.model_validate(term_overview(campus, found).as_dict())
