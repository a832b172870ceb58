"""Reported absences of teachers: what they hit, and how they are reported and withdrawn."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

import sqlalchemy as sa

from lms_bridge.calendar.grids import MAX_PERIODS_PER_DAY
from lms_bridge.core import audit
from lms_bridge.core.access import Permission, Role, Scope, Target
from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.core.errors import BadInputs, BridgeError, Conflict
from lms_bridge.core.i18n import N_
from lms_bridge.roster.models import Organisation, Person
from lms_bridge.roster.scope import is_teacher, today
from lms_bridge.timetable.cases.absent_lessons import lessons_during, zone_of
from lms_bridge.timetable.cases.cases import end_case
from lms_bridge.timetable.cases.models import CaseState, ChangeCase, TeacherAbsence
from lms_bridge.timetable.cases.opening import case_for_absence
from lms_bridge.timetable.changing.lesson_changes import LessonProblem
from lms_bridge.timetable.models import Unavailability
from lms_bridge.timetable.reach import campuses_of
from lms_bridge.timetable.wording import Day

LONGEST = 366
REASON_LENGTH = 500


def report_absence(
    teacher: Person,
    first_day: date,
    last_day: date,
    *,
    periods: Collection[int] = (),
    reason: str = "",
    actor: Person | None,
) -> TeacherAbsence:
    """Note that ``teacher`` cannot teach on these days (both included, campus dates), or in these periods of them.

    Lessons stay as they are; at every campus where some are hit a case waits to be decided. ``reason`` is private.

    :raises BadInputs: no teacher, the days are in the wrong order, past or too many, no such period, or the same
        absence is reported already; everything is listed.
    """
    wanted = sorted(set(periods))
    check_absence(teacher, first_day, last_day, periods=wanted, reason=reason)
    absence = TeacherAbsence(
        person_id=teacher.id,
        first_day=first_day,
        last_day=last_day,
        periods=wanted,
        reason={"text": reason.strip()} if reason.strip() else None,
        reported_by_id=actor.id if actor is not None else None,
    )
    db.session.add(absence)
    db.session.flush()
    db.session.add_all(
        Unavailability(
            person_id=teacher.id,
            first_day=first_day,
            last_day=last_day,
            period_number=period,
            absence_id=absence.id,
        )
        for period in wanted or (None,)
    )
    db.session.flush()
    hit = lessons_during(teacher, first_day, last_day, wanted)
    campuses = sorted({lesson.campus_id for lesson in hit})
    for campus_id in campuses:
        case_for_absence(absence, db.session.get_one(Organisation, campus_id), actor)
    _record("absence.reported", absence, actor, lessons=len(hit))
    return absence


def check_absence(
    teacher: Person, first_day: date, last_day: date, *, periods: Collection[int] = (), reason: str = ""
) -> None:
    """Whether an absence could be reported so; stores nothing.

    :raises BadInputs: as :func:`report_absence` does.
    """
    problems = _problems(teacher, first_day, last_day, sorted(set(periods)), reason)
    if problems:
        raise BadInputs(problems)


def withdraw_absence(absence: TeacherAbsence, *, actor: Person | None) -> None:
    """The teacher can teach after all: open cases about it end, and their proposals are given up. What was decided
    already stays; undo the change if it is still the same day.

    :raises Conflict: it was withdrawn already.
    """
    db.session.refresh(absence, with_for_update=True)
    if absence.withdrawn_at is not None:
        raise Conflict(
            N_("This absence was withdrawn already."), remedy=N_("Load the page again to see how it stands.")
        )
    absence.withdrawn_at = now()
    db.session.execute(sa.delete(Unavailability).where(Unavailability.absence_id == absence.id))
    for case in db.session.scalars(
        sa.select(ChangeCase).where(ChangeCase.absence_id == absence.id, ChangeCase.state == CaseState.OPEN)
    ):
        end_case(case, CaseState.WITHDRAWN, actor)
    _record("absence.withdrawn", absence, actor)
    db.session.flush()


def withdraw_case(case: ChangeCase, *, actor: Person | None) -> None:
    """What caused a case holds no more: a teacher is there after all, no day is lost, rooms are back.

    :raises Conflict: it is not open any more, or the absence was withdrawn already.
    """
    if case.absence is not None:
        withdraw_absence(case.absence, actor=actor)
    else:
        end_case(case, CaseState.WITHDRAWN, actor)


def absences_of(teacher: Person, since: date) -> list[TeacherAbsence]:
    """The absences of a teacher that end on ``since`` or later, in order of time, withdrawn ones too."""
    return list(
        db.session.scalars(
            sa.select(TeacherAbsence)
            .where(TeacherAbsence.person_id == teacher.id, TeacherAbsence.last_day >= since)
            .order_by(TeacherAbsence.first_day, TeacherAbsence.id)
        )
    )


def read_reason(absence: TeacherAbsence, *, actor: Person) -> str:
    """The private reason of an absence; that somebody else than the teacher read it is written down."""
    if actor.id != absence.person_id:
        _record("absence.reason_read", absence, actor)
        db.session.flush()
    return str((absence.reason or {}).get("text", ""))


def absence_by_uid(uid: str) -> TeacherAbsence | None:
    """The absence with this uid."""
    return db.session.scalar(sa.select(TeacherAbsence).where(TeacherAbsence.uid == uid))


def may_report_for(scope: Scope, teacher: Person) -> bool:
    """Whether somebody may report and withdraw the absences of a teacher: who writes the timetable of a campus where
    they teach. Where they are but a parent, for instance, nobody may."""
    return any(
        scope.allows(Permission.TIMETABLE_WRITE, Target(campus.path)) for campus in campuses_of(teacher, Role.TEACHER)
    )


def _problems(
    teacher: Person, first_day: date, last_day: date, periods: Sequence[int], reason: str
) -> list[BridgeError]:
    found: list[BridgeError] = []
    present = today(zone_of(teacher))
    if not is_teacher(teacher, max(first_day, present)):
        found.append(
            LessonProblem(
                N_("%(person)s is not a teacher."),
                field="teacher",
                remedy=N_("Choose a teacher, or enter the role in the roster first."),
                person=teacher.display_name,
            )
        )
    if last_day < first_day:
        found.append(
            LessonProblem(
                N_("The absence ends before it begins."), field="last", remedy=N_("Correct one of the two days.")
            )
        )
    if last_day < present:
        found.append(
            LessonProblem(
                N_("%(day)s is past."),
                field="last",
                remedy=N_("Report days that are still to come."),
                day=Day(last_day),
            )
        )
    if (last_day - first_day).days >= LONGEST:
        found.append(
            LessonProblem(
                N_("An absence of more than a year cannot be reported."),
                field="last",
                remedy=N_("Let another teacher have the classes in the roster."),
            )
        )
    if any(not 1 <= period <= MAX_PERIODS_PER_DAY for period in periods):
        found.append(
            LessonProblem(
                N_("There is no such period."), field="periods", remedy=N_("Choose periods of the school day.")
            )
        )
    if len(reason.strip()) > REASON_LENGTH:
        found.append(
            LessonProblem(
                N_("The reason is too long."),
                field="reason",
                remedy=N_("Use at most %(most)s letters."),
                most=REASON_LENGTH,
            )
        )
    if not found and _known(teacher, first_day, last_day, periods):
        found.append(
            LessonProblem(
                N_("This absence is reported already."),
                field="first",
                remedy=N_("Withdraw the earlier report if it is wrong."),
            )
        )
    return found


def _known(teacher: Person, first_day: date, last_day: date, periods: Sequence[int]) -> bool:
    """Whether these very days and periods lie within an absence that holds."""
    return any(
        absence.withdrawn_at is None
        and absence.first_day <= first_day
        and absence.last_day >= last_day
        and (not absence.periods or (bool(periods) and set(periods) <= set(absence.periods)))
        for absence in absences_of(teacher, first_day)
    )


def _record(action: str, absence: TeacherAbsence, actor: Person | None, **more: int) -> None:
    campuses = campuses_of(absence.person or db.session.get_one(Person, absence.person_id), Role.TEACHER)
    audit.record(
        action,
        "teacher_absence",
        absence.uid,
        actor_uid=actor.uid if actor is not None else None,
        organisation_id=campuses[0].id if campuses else None,
        **more,
    )
