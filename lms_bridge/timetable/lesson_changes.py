"""Changes of one lesson by hand: move, cancel, another teacher. Each is checked whole and is one change set."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, time, timedelta
from typing import Any

import sqlalchemy as sa

from lms_bridge.calendar.days import TeachingDay, days_of_week, iso_week, online_days, term_of_week
from lms_bridge.calendar.grids import PeriodTime, grids_of
from lms_bridge.calendar.limits import limits_for
from lms_bridge.core.access import Role
from lms_bridge.core.clock import local, now
from lms_bridge.core.database import db
from lms_bridge.core.errors import BadInputs, BridgeError, InputError
from lms_bridge.core.i18n import N_
from lms_bridge.roster.models import ClassGroup, Organisation, Person, RoleAssignment
from lms_bridge.roster.scope import valid
from lms_bridge.timetable import changes
from lms_bridge.timetable.availability import applies, unavailabilities
from lms_bridge.timetable.clashes import clashes_of
from lms_bridge.timetable.models import (
    ChangeCause,
    ChangeSet,
    Lesson,
    LessonAudience,
    LessonMode,
    LessonStatus,
    TeacherPart,
)
from lms_bridge.timetable.snapshots import LessonState, state_of
from lms_bridge.timetable.week_slots import class_slots, wall_clock
from lms_bridge.timetable.wording import Day, DayOffName, When


class LessonProblem(InputError):
    """Why a lesson cannot be changed so; ``field`` names what to correct: date, period, teacher, or "" for all."""

    def __init__(self, message: str, *, field: str = "", **params: Any) -> None:
        super().__init__(message, **params)
        self.field = field


def move_lesson(
    lesson: Lesson,
    day: date,
    *,
    period: int | None = None,
    start: time | None = None,
    actor: Person | None,
    reason: str = "",
) -> ChangeSet:
    """Move a lesson to a day and either a period of its class's grid or a starting time (campus wall clock); a lesson
    outside the grid keeps its length.

    :raises BadInputs: everything that speaks against it: begun or cancelled, in the past, outside the term, a day
        without school, no such period, class or teacher not free, too many online lessons on that day.
    :raises Conflict: the week was changed meanwhile.
    """
    before = state_of(lesson)
    campus = db.session.get_one(Organisation, lesson.campus_id)
    problems = _not_changeable(lesson)
    after, found = _moved(campus, before, day, period, start)
    problems += found
    if after is not None:
        problems += _problems_at(campus, lesson, after, day)
    if problems or after is None:
        raise BadInputs(problems)
    week = changes.open_week(campus, term_of_week(campus, iso_week(day)), iso_week(day))
    return _carry_out(campus, lesson, replace(after, week_id=week.id), actor, reason, ChangeCause.REQUEST)


def cancel_lesson(lesson: Lesson, *, actor: Person | None, reason: str = "") -> ChangeSet:
    """Cancel a lesson that is still to come; what it was to teach goes to the next one.

    :raises BadInputs: it has begun, or is cancelled already.
    """
    problems = _not_changeable(lesson)
    if problems:
        raise BadInputs(problems)
    campus = db.session.get_one(Organisation, lesson.campus_id)
    after = replace(state_of(lesson), status=LessonStatus.CANCELLED)
    return _carry_out(campus, lesson, after, actor, reason, ChangeCause.REQUEST)


def substitute_teacher(lesson: Lesson, teacher: Person, *, actor: Person | None, reason: str = "") -> ChangeSet:
    """Let ``teacher`` take a lesson in place of its leading teacher (or of an earlier substitute); assistants stay.

    :raises BadInputs: it has begun or is cancelled, or ``teacher`` is none, teaches it already or is not free.
    """
    campus = db.session.get_one(Organisation, lesson.campus_id)
    before = state_of(lesson)
    assistants = tuple(t for t in before.teachers if t[1] is TeacherPart.ASSISTANT and t[0] != teacher.id)
    after = replace(before, teachers=tuple(sorted((*assistants, (teacher.id, TeacherPart.SUBSTITUTE)))))
    problems = _not_changeable(lesson)
    if not is_teacher(teacher, before.starts_local.date()):
        problems.append(
            LessonProblem(
                N_("%(person)s is not a teacher."),
                field="teacher",
                remedy=N_("Choose a teacher, or enter the role in the roster first."),
                person=teacher.display_name,
            )
        )
    if (teacher.id, TeacherPart.LEAD) in before.teachers or (teacher.id, TeacherPart.SUBSTITUTE) in before.teachers:
        problems.append(
            LessonProblem(
                N_("%(person)s teaches this lesson already."),
                field="teacher",
                remedy=N_("Choose somebody else."),
                person=teacher.display_name,
            )
        )
    else:
        problems += _marked(clashes_of({lesson.id: after}), "teacher")
        problems += _unavailable(campus, after, before.starts_local.date(), {teacher.id}, "teacher")
    if problems:
        raise BadInputs(problems)
    return _carry_out(campus, lesson, after, actor, reason, ChangeCause.TEACHER_ABSENCE)


def is_teacher(person: Person, day: date) -> bool:
    """Whether a person has the role of a teacher anywhere on ``day``."""
    return (
        db.session.scalar(
            sa.select(RoleAssignment.id)
            .where(
                RoleAssignment.person_id == person.id,
                RoleAssignment.role == Role.TEACHER,
                valid(RoleAssignment, day),
            )
            .limit(1)
        )
        is not None
    )


def periods_on(campus: Organisation, lesson: LessonState, day: date) -> list[PeriodTime]:
    """The periods that the lesson's (first) class has on a day; none without school or grid."""
    teaching = _teaching_day(campus, day)
    group = _first_class(lesson)
    if teaching is None or group is None:
        return []
    slots = class_slots([group], [teaching], grids_of(campus.id), online_days(campus, day, day), campus.zone)
    return [
        PeriodTime(
            day.weekday(),
            slot.period,
            local(at.starts_at, campus.zone).time(),
            local(at.ends_at, campus.zone).time(),
        )
        for slot, at in sorted(slots[group.id].items())
    ]


def _carry_out(
    campus: Organisation, lesson: Lesson, after: LessonState, actor: Person | None, reason: str, cause: ChangeCause
) -> ChangeSet:
    wish = changes.Wanted(lesson, after)
    return changes.apply(changes.propose(campus, cause, [wish], actor=actor, reason=reason), actor)


def _not_changeable(lesson: Lesson) -> list[BridgeError]:
    when = When(lesson.starts_at, lesson.zone)
    if lesson.status is LessonStatus.CANCELLED:
        return [
            LessonProblem(
                N_("The lesson on %(when)s is cancelled already."),
                remedy=N_("Undo that change if it shall take place."),
                when=when,
            )
        ]
    if lesson.starts_at <= now():
        return [
            LessonProblem(
                N_("The lesson on %(when)s has begun already."),
                remedy=N_("Change one that is still to come."),
                when=when,
            )
        ]
    return []


def _moved(
    campus: Organisation, before: LessonState, day: date, period: int | None, start: time | None
) -> tuple[LessonState | None, list[BridgeError]]:
    """The lesson at its new time, in the mode of that day; or why there is no such time."""
    found = _teaching_day(campus, day)
    if found is None:
        return None, [_no_school(campus, day)]
    problems: list[BridgeError] = []
    try:
        term_of_week(campus, iso_week(day))
    except InputError as error:
        problems.append(LessonProblem(error.message, field="date", remedy=error.remedy, **error.params))
    online = any(online_days(campus, day, day).is_online(class_id, day) for class_id in before.class_ids)
    mode = LessonMode.ONLINE if online else LessonMode.IN_PERSON
    if start is not None:
        starts_at = wall_clock(day, start, campus.zone)
        ends_at, number = starts_at + (before.ends_at - before.starts_at), None
    else:
        slot = next((p for p in periods_on(campus, before, day) if p.number == period), None)
        if slot is None:
            problems.append(
                LessonProblem(
                    N_("There is no period %(period)s on %(day)s."),
                    field="period",
                    remedy=N_("Choose one of the periods of that day's grid."),
                    period=period if period is not None else "-",
                    day=Day(day),
                )
            )
            return None, problems
        starts_at, ends_at = (wall_clock(day, at, campus.zone) for at in (slot.starts, slot.ends))
        number = slot.number
    return replace(before, starts_at=starts_at, ends_at=ends_at, period_number=number, mode=mode), problems


def _problems_at(campus: Organisation, lesson: Lesson, after: LessonState, day: date) -> list[BridgeError]:
    found: list[BridgeError] = []
    if after.starts_at <= now():
        found.append(
            LessonProblem(
                N_("%(when)s is in the past."),
                field="date",
                remedy=N_("Choose a time that is still to come."),
                when=When(after.starts_at, campus.zone),
            )
        )
    found += _marked(clashes_of({lesson.id: after}), "period")
    found += _unavailable(campus, after, day, after.teacher_ids, "period")
    if after.mode is LessonMode.ONLINE:
        found += _too_many_online(campus, lesson, after, day)
    return found


def _unavailable(
    campus: Organisation, after: LessonState, day: date, person_ids: Iterable[int], field: str
) -> list[BridgeError]:
    teaching = _teaching_day(campus, day) or TeachingDay(day, day.weekday())
    rows = [row for row in unavailabilities(list(person_ids), day, day) if applies(row, teaching, after.period_number)]
    people = {p.id: p for p in db.session.scalars(sa.select(Person).where(Person.id.in_({r.person_id for r in rows})))}
    return [
        LessonProblem(
            N_("%(person)s cannot teach on %(when)s."),
            field=field,
            remedy=N_("Choose another time or another teacher."),
            person=people[person_id].display_name,
            when=When(after.starts_at, campus.zone),
        )
        for person_id in sorted({row.person_id for row in rows})
    ]


def _too_many_online(campus: Organisation, lesson: Lesson, after: LessonState, day: date) -> list[BridgeError]:
    found: list[BridgeError] = []
    start = wall_clock(day, time(0), campus.zone)
    for group in db.session.scalars(sa.select(ClassGroup).where(ClassGroup.id.in_(after.class_ids))):
        limits = limits_for(campus, group.grade)
        others = db.session.scalar(
            sa.select(sa.func.count(sa.distinct(Lesson.id)))
            .join(LessonAudience, LessonAudience.lesson_id == Lesson.id)
            .where(
                LessonAudience.class_id == group.id,
                Lesson.id != lesson.id,
                Lesson.status == LessonStatus.SCHEDULED,
                Lesson.mode == LessonMode.ONLINE,
                Lesson.starts_at >= start,
                Lesson.starts_at < start + timedelta(days=1),
            )
        )
        most = limits.periods_for(int((after.ends_at - after.starts_at).total_seconds() // 60))
        if (others or 0) >= most:
            found.append(
                LessonProblem(
                    N_("%(group)s has %(count)s online lessons on %(day)s already; %(limit)s are allowed."),
                    field="date",
                    remedy=N_("Choose another day."),
                    group=group.title,
                    count=others,
                    day=Day(day),
                    limit=most,
                )
            )
    return found


def _no_school(campus: Organisation, day: date) -> BridgeError:
    _, off = days_of_week(campus, iso_week(day))
    name = next((DayOffName.of(d) for d in off if d.day == day and (d.name or d.name_en)), None)
    return LessonProblem(
        N_("No school is held on %(day)s (%(name)s).") if name else N_("No school is held on %(day)s."),
        field="date",
        remedy=N_("Choose a school day."),
        day=Day(day),
        **({"name": name} if name else {}),
    )


def _teaching_day(campus: Organisation, day: date) -> TeachingDay | None:
    days, _ = days_of_week(campus, iso_week(day))
    return next((d for d in days if d.day == day), None)


def _first_class(lesson: LessonState) -> ClassGroup | None:
    return db.session.get(ClassGroup, lesson.classes[0][0]) if lesson.classes else None


def _marked(problems: Iterable[BridgeError], field: str) -> list[BridgeError]:
    return [LessonProblem(p.message, field=field, remedy=p.remedy, **p.params) for p in problems]
