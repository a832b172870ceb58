"""The week of a class, a teacher, a student or a campus."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import time, timedelta
from typing import Any

import sqlalchemy as sa
from apiflask import APIBlueprint
from flask import render_template, request
from sqlalchemy.orm import joinedload

from lms_bridge.calendar.days import days_of_week, online_days
from lms_bridge.calendar.grids import grids_of
from lms_bridge.core.access import Permission, Role, Scope, Target
from lms_bridge.core.clock import local
from lms_bridge.core.database import db
from lms_bridge.core.errors import NotFound
from lms_bridge.core.i18n import gettext
from lms_bridge.roster.models import ClassGroup, Enrolment, EnrolmentRole, Organisation, Person
from lms_bridge.roster.scope import today, valid
from lms_bridge.timetable.changing.week_conflicts import Found, conflicts_of
from lms_bridge.timetable.models import Lesson
from lms_bridge.timetable.queries import lessons_between, lessons_of_student
from lms_bridge.timetable.reach import campuses_of, sees_week_of
from lms_bridge.timetable.weeks.slots import class_slots
from lms_bridge.web import (
    timetable_arrangements,  # noqa: F401  (adds its pages to timetable_inputs, as do days, rules and teachers)
    timetable_board,
    timetable_campus,
    timetable_cases,
    timetable_changes,
    timetable_days,  # noqa: F401
    timetable_documents,
    timetable_exchange,
    timetable_inputs,
    timetable_moving,
    timetable_pace,
    timetable_rules,  # noqa: F401
    timetable_solving,
    timetable_teachers,  # noqa: F401
    timetable_term,
)
from lms_bridge.web.session import current_person, require, signed_in_required
from lms_bridge.web.timetable_parts import (
    choices,
    classes_of,
    conflict_words,
    door,
    just_done,
    labels_of,
    lesson_page,
    teachers_of,
    week_asked,
    week_kept,
    week_url,
)
from lms_bridge.web.week_grid import Span, Times, grid

blueprint = APIBlueprint("timetable", __name__, url_prefix="/timetable", enable_openapi=False)
blueprint.register_blueprint(timetable_changes.blueprint)
blueprint.register_blueprint(timetable_solving.blueprint)
blueprint.register_blueprint(timetable_documents.blueprint)
blueprint.register_blueprint(timetable_inputs.blueprint)
blueprint.register_blueprint(timetable_pace.blueprint)
blueprint.register_blueprint(timetable_exchange.blueprint)
blueprint.register_blueprint(timetable_moving.blueprint)
blueprint.register_blueprint(timetable_term.blueprint)
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
        return timetable_campus.page(scope)
    zone = view.campus.zone if view.campus is not None else "Asia/Shanghai"
    span = Span(week_asked(zone), zone)
    lessons = view.lessons(span)
    paths = {lesson.campus.path for lesson in lessons} | ({view.campus.path} if view.campus is not None else set())
    writable = {path for path in paths if scope.allows(Permission.TIMETABLE_WRITE, Target(path))}
    writes = view.campus is not None and view.campus.path in writable
    conflicts = _conflicts(view, lessons, span) if writes else {}
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
            url=lambda lesson: lesson_page(lesson) if lesson.campus.path in writable else door(lesson),
            periods=_periods(view, lessons, span),
            movable=lambda lesson: writes and lesson.campus_id == (view.campus.id if view.campus else 0),
            conflicts=lambda lesson: labels_of(conflicts, lesson),
        ),
        lessons=len(lessons),
        conflicts=conflict_words(conflicts, lessons),
        done=just_done(scope),
        tabs=_tabs(scope, view),
        campus=view.campus,
        writes=writes,
        document_url=timetable_documents.url_of_class(scope, view.group),
        **choices(scope, view.campus),
    )


def _conflicts(view: View, lessons: Sequence[Lesson], span: Span) -> Found:
    """What is wrong with the lessons of the view's own campus; what happens elsewhere is the other campus's affair."""
    if view.campus is None:
        return {}
    own = [lesson for lesson in lessons if lesson.campus_id == view.campus.id]
    return conflicts_of(view.campus, own, span.monday, span.monday + timedelta(days=6))


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
        teachers_of,
        {"class": group.uid},
        group,
    )


def _teacher_view(scope: Scope, teacher: Person) -> View:
    campuses = campuses_of(teacher, Role.TEACHER)
    _require_person(scope, teacher, campuses)
    return View(
        teacher.display_name,
        campuses[0] if campuses else None,
        lambda span: lessons_between(*span.bounds(), teacher_id=teacher.id, with_cancelled=True),
        classes_of,
        {"teacher": teacher.uid},
    )


def _student_view(scope: Scope, student: Person) -> View:
    campuses = campuses_of(student, Role.STUDENT)
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
        teachers_of,
        {"student": student.uid},
        group,
    )


def _require_person(scope: Scope, person: Person, campuses: list[Organisation]) -> None:
    if not sees_week_of(scope, person, campuses):
        raise NotFound()


def _person(uid: str) -> Person:
    person = db.session.scalar(sa.select(Person).where(Person.uid == uid))
    if person is None:
        raise NotFound()
    return person


def _periods(view: View, lessons: Sequence[Lesson], span: Span) -> Times | None:
    """The rows of the grid of the class, or of the classes that a teacher has; of a weekday that has the most."""
    if view.campus is None:
        return None
    groups = (
        {part.class_group for lesson in lessons for part in lesson.audience} if view.group is None else {view.group}
    )
    own = [group for group in groups if group.campus_id == view.campus.id]
    days, _ = days_of_week(view.campus, span.week)
    if not days or not own:
        return None
    online = online_days(view.campus, days[0].day, days[-1].day)
    found: dict[int, tuple[time, time]] = {}
    by_class = class_slots(own, days, grids_of(view.campus.id), online, view.campus.zone)
    slots = [one for of_class in by_class.values() for one in of_class.items()]
    for slot, at in sorted(slots, key=lambda one: (one[0], one[1].starts_at)):
        start, end = (local(moment, view.campus.zone).time() for moment in (at.starts_at, at.ends_at))
        found.setdefault(slot.period, (start, end))
    return found


def _tabs(scope: Scope, view: View) -> list[dict[str, Any]]:
    """Guardians: one's children; teachers: one's own week and those of one's classes."""
    span = week_kept()
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
    return [{"label": label, "url": week_url(query | span), "current": query == view.query} for label, query in people]
