"""The week of a class, a teacher, a student or a campus."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa
from apiflask import APIBlueprint
from flask import render_template, request, url_for
from sqlalchemy.orm import joinedload

from lms_bridge.calendar.days import days_of_week, iso_week, monday_of, online_days
from lms_bridge.calendar.grids import grids_of
from lms_bridge.core.access import Permission, Role, Scope, Target
from lms_bridge.core.clock import local, now
from lms_bridge.core.database import db
from lms_bridge.core.errors import NotFound
from lms_bridge.core.i18n import get_locale, gettext
from lms_bridge.notices.dates import say_day
from lms_bridge.roster.models import (
    ClassGroup,
    Enrolment,
    EnrolmentRole,
    Organisation,
    Person,
    RoleAssignment,
    Term,
)
from lms_bridge.roster.scope import today, valid
from lms_bridge.timetable.models import Lesson, LessonStatus
from lms_bridge.timetable.queries import lessons_between, lessons_of_student
from lms_bridge.timetable.rooms import room_states
from lms_bridge.timetable.week_slots import class_slots
from lms_bridge.web import timetable_board, timetable_cases, timetable_changes, timetable_documents, timetable_solving
from lms_bridge.web.campuses import campuses_within, class_order
from lms_bridge.web.session import current_person, require, signed_in_required
from lms_bridge.web.week_grid import Span, Times, grid

blueprint = APIBlueprint("timetable", __name__, url_prefix="/timetable", enable_openapi=False)
blueprint.register_blueprint(timetable_changes.blueprint)
blueprint.register_blueprint(timetable_solving.blueprint)
blueprint.register_blueprint(timetable_documents.blueprint)
blueprint.register_blueprint(timetable_cases.blueprint)
blueprint.register_blueprint(timetable_board.blueprint)


@dataclass(frozen=True)
class View:
    """Whose week is shown."""

    title: str
    campus: Organisation | None
    lessons: Callable[[Span], Sequence[Lesson]]
    who: Callable[[Lesson], str]
    query: dict[str, str]
    group: ClassGroup | None = None


@blueprint.get("")
@signed_in_required
def week() -> str:
    """The week asked for, or one's own; a whole campus one day at a time."""
    scope = require(Permission.TIMETABLE_READ)
    view = _view(scope)
    if view is None:
        return _campus_page(scope)
    zone = view.campus.zone if view.campus is not None else "Asia/Shanghai"
    span = Span(_week(zone), zone)
    writes = view.campus is not None and scope.allows(Permission.TIMETABLE_WRITE, Target(view.campus.path))
    lessons = view.lessons(span)
    return render_template(
        "timetable/week.html",
        title=view.title,
        span=span,
        near=span.neighbours(),
        query=view.query,
        grid=grid(
            lessons,
            span,
            view.campus,
            caption=f"{view.title} · {span.label()}",
            who=view.who,
            url=_lesson_page if writes else _door,
            periods=_periods(view, span),
        ),
        lessons=len(lessons),
        tabs=_tabs(scope, view),
        campus=view.campus,
        writes=writes,
        document_url=timetable_documents.url_of_class(scope, view.group),
        **_choices(scope, view.campus),
    )


def _campus_page(scope: Scope) -> str:
    campus = _campus(scope)
    zone = campus.zone
    span = Span(_week(zone), zone)
    days, _ = days_of_week(campus, span.week)
    shown = _day([day.day for day in days], zone)
    start, end = span.bounds()
    lessons = [
        lesson
        for lesson in lessons_between(start, end, campus_ids=[campus.id], with_cancelled=True)
        if local(lesson.starts_at, zone).date() == shown
    ]
    writes = scope.allows(Permission.TIMETABLE_WRITE, Target(campus.path))
    columns, rows = _day_table(lessons, _lesson_page if writes else _door)
    return render_template(
        "timetable/campus.html",
        campus=campus,
        document_url=timetable_documents.url_of_campus(scope, campus),
        span=span,
        near=span.neighbours(),
        query={"campus": campus.code},
        days=[
            {
                "label": say_day(day.day, get_locale()),
                "url": url_for("timetable.week", campus=campus.code, week=span.week, day=day.day.isoformat()),
                "current": day.day == shown,
            }
            for day in days
        ],
        shown=shown,
        columns=columns,
        rows=rows,
        writes=writes,
        **_choices(scope, campus),
    )


def _view(scope: Scope) -> View | None:
    """What the address asks for, if the person may see it; without a wish one's own week."""
    if "class" in request.args:
        return _class_view(scope, request.args["class"])
    if "teacher" in request.args:
        return _teacher_view(scope, _person(request.args["teacher"]))
    if "student" in request.args:
        return _student_view(scope, _person(request.args["student"]))
    if "campus" in request.args or scope.paths(Permission.TIMETABLE_READ):
        return None
    person = current_person()
    if Role.TEACHER in scope.roles:
        return _teacher_view(scope, person)
    if Role.STUDENT in scope.roles:
        return _student_view(scope, person)
    child = db.session.scalar(sa.select(Person).where(Person.id.in_(scope.child_ids)).order_by(Person.id).limit(1))
    if child is None:
        raise NotFound()
    return _student_view(scope, child)


def _class_view(scope: Scope, uid: str) -> View:
    group = db.session.scalar(sa.select(ClassGroup).where(ClassGroup.uid == uid).options(joinedload(ClassGroup.campus)))
    if group is None:
        raise NotFound()
    scope.require(Permission.TIMETABLE_READ, Target(group.campus.path, frozenset({group.id})))
    return View(
        gettext("Class %(group)s", group=group.title),
        group.campus,
        lambda span: lessons_between(*span.bounds(), class_ids=[group.id], with_cancelled=True),
        _teachers,
        {"class": group.uid},
        group,
    )


def _teacher_view(scope: Scope, teacher: Person) -> View:
    campuses = _campuses_of(teacher, Role.TEACHER)
    _require_person(scope, teacher, campuses)
    return View(
        teacher.display_name,
        campuses[0] if campuses else None,
        lambda span: lessons_between(*span.bounds(), teacher_id=teacher.id, with_cancelled=True),
        _classes,
        {"teacher": teacher.uid},
    )


def _student_view(scope: Scope, student: Person) -> View:
    campuses = _campuses_of(student, Role.STUDENT)
    _require_person(scope, student, campuses)
    group = db.session.scalar(
        sa.select(ClassGroup)
        .join(Enrolment, Enrolment.class_id == ClassGroup.id)
        .where(Enrolment.person_id == student.id, Enrolment.role == EnrolmentRole.STUDENT, valid(Enrolment, today()))
        .order_by(ClassGroup.class_type, ClassGroup.id)
        .limit(1)
    )
    return View(
        student.display_name,
        campuses[0] if campuses else None,
        lambda span: lessons_of_student(student.id, *span.bounds(), with_cancelled=True),
        _teachers,
        {"student": student.uid},
        group,
    )


def _require_person(scope: Scope, person: Person, campuses: Sequence[Organisation]) -> None:
    targets = [Target(campus.path, frozenset(), frozenset({person.id})) for campus in campuses]
    targets = targets or [Target(None, frozenset(), frozenset({person.id}))]
    if not any(scope.allows(Permission.TIMETABLE_READ, target) for target in targets):
        raise NotFound()


def _campuses_of(person: Person, role: Role) -> list[Organisation]:
    return list(
        db.session.scalars(
            sa.select(Organisation)
            .join(RoleAssignment, RoleAssignment.organisation_id == Organisation.id)
            .where(RoleAssignment.person_id == person.id, RoleAssignment.role == role, valid(RoleAssignment, today()))
            .order_by(RoleAssignment.is_primary.desc(), RoleAssignment.id)
        )
    )


def _person(uid: str) -> Person:
    person = db.session.scalar(sa.select(Person).where(Person.uid == uid))
    if person is None:
        raise NotFound()
    return person


def _campus(scope: Scope) -> Organisation:
    """The campus asked for, else the first within reach."""
    within = campuses_within(scope, Permission.TIMETABLE_READ)
    code = request.args.get("campus")
    found = next((campus for campus in within if code is None or campus.code == code), None)
    if found is None:
        raise NotFound()
    return found


def _week(zone: str) -> str:
    asked = request.args.get("week")
    return iso_week(monday_of(asked)) if asked else iso_week(local(now(), zone).date())


def _day(days: Sequence[date], zone: str) -> date | None:
    """The day asked for, else today, else the first school day of the week."""
    wanted = request.args.get("day", "")
    found = next((day for day in days if day.isoformat() == wanted), None)
    present = local(now(), zone).date()
    return found or (present if present in days else next(iter(days), None))


def _periods(view: View, span: Span) -> Times | None:
    """The rows of the class's grid; of a weekday that has the most."""
    if view.campus is None or view.group is None:
        return None
    days, _ = days_of_week(view.campus, span.week)
    if not days:
        return None
    online = online_days(view.campus, days[0].day, days[-1].day)
    slots = class_slots([view.group], days, grids_of(view.campus.id), online, view.campus.zone)[view.group.id]
    found: dict[int, tuple[time, time]] = {}
    for slot, at in sorted(slots.items()):
        start, end = (local(moment, view.campus.zone).time() for moment in (at.starts_at, at.ends_at))
        found.setdefault(slot.period, (start, end))
    return found


def _tabs(scope: Scope, view: View) -> list[dict[str, Any]]:
    """Guardians: one's children; teachers: one's own week and those of one's classes."""
    span = {"week": request.args["week"]} if "week" in request.args else {}
    people: list[tuple[str, dict[str, str]]] = []
    person = current_person()
    if Role.TEACHER in scope.roles:
        people.append((gettext("My lessons"), {"teacher": person.uid}))
        people += [
            (group.title, {"class": group.uid})
            for group in db.session.scalars(
                sa.select(ClassGroup).where(ClassGroup.id.in_(scope.taught_class_ids)).order_by(ClassGroup.title)
            )
        ]
    if Role.STUDENT in scope.roles:
        people.append((gettext("My lessons"), {"student": person.uid}))
    people += [
        (child.display_name, {"student": child.uid})
        for child in db.session.scalars(sa.select(Person).where(Person.id.in_(scope.child_ids)).order_by(Person.id))
    ]
    if len(people) < 2:
        return []
    return [{"label": label, "url": _url(query | span), "current": query == view.query} for label, query in people]


def _choices(scope: Scope, campus: Organisation | None) -> dict[str, Any]:
    """The classes, teachers and campuses that somebody with a whole campus in reach can choose from."""
    campuses = campuses_within(scope, Permission.TIMETABLE_READ)
    if campus is None or campus.id not in {c.id for c in campuses}:
        return {"campuses": [], "classes": [], "teachers": []}
    day = today(campus.zone)
    classes = db.session.scalars(
        sa.select(ClassGroup)
        .join(Term, Term.id == ClassGroup.term_id)
        .where(
            ClassGroup.campus_id == campus.id,
            ClassGroup.valid_to.is_(None),
            Term.ends_on >= day,
        )
    )
    teachers = db.session.scalars(
        sa.select(Person)
        .join(RoleAssignment, RoleAssignment.person_id == Person.id)
        .where(
            RoleAssignment.organisation_id == campus.id,
            RoleAssignment.role == Role.TEACHER,
            valid(RoleAssignment, day),
        )
    )
    return {
        "campuses": [(c.code, c.label(get_locale())) for c in campuses],
        "classes": [(c.uid, c.title) for c in sorted(classes, key=class_order)],
        "teachers": sorted({(p.uid, p.display_name) for p in teachers}, key=lambda pair: pair[1]),
    }


def _day_table(
    lessons: Sequence[Lesson], url: Callable[[Lesson], str]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """A day of a campus: classes as rows, periods as columns."""
    rooms = room_states(lessons)
    span = {"week": request.args["week"]} if "week" in request.args else {}
    held = [lesson for lesson in lessons if lesson.status is LessonStatus.SCHEDULED]
    periods = sorted({lesson.period_number or 0 for lesson in held})
    columns: list[dict[str, Any]] = [{"key": "group", "label": gettext("Class"), "head": True}]
    columns += [{"key": f"p{n}", "label": str(n) if n else gettext("Other times")} for n in periods]
    by_class: dict[int, dict[str, Any]] = {}
    for lesson in held:
        for part in lesson.audience:
            row = by_class.setdefault(
                part.class_id,
                {
                    "group": {
                        "text": part.class_group.title,
                        "url": _url({"class": part.class_group.uid} | span),
                    },
                    "order": class_order(part.class_group),
                }
                | {f"p{n}": [] for n in periods},
            )
            row[f"p{lesson.period_number or 0}"].append(
                {
                    "subject": lesson.subject.label(get_locale()),
                    "who": _teachers(lesson),
                    "url": url(lesson),
                    "room": rooms[lesson.id],
                }
            )
    return columns, sorted(by_class.values(), key=lambda row: row["order"])


def _url(query: dict[str, str]) -> str:
    """The address of this page with a query; "class" is no name for an argument of ``url_for``."""
    return f"{url_for('timetable.week')}?{urlencode(query)}"


def _lesson_page(lesson: Lesson) -> str:
    return url_for("timetable.changes.lesson", uid=lesson.uid)


def _door(lesson: Lesson) -> str:
    return f"{request.script_root}/l/{lesson.uid}"


def _teachers(lesson: Lesson) -> str:
    return ", ".join(t.person.display_name for t in sorted(lesson.teachers, key=lambda t: t.id))


def _classes(lesson: Lesson) -> str:
    return ", ".join(
        f"{a.class_group.title} {a.part}".strip() for a in sorted(lesson.audience, key=lambda a: a.class_id)
    )
