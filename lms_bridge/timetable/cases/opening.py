"""Opening cases: what happened is noted, checked whole, and computed in the background; no lesson changes yet."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from lms_bridge.calendar.days import days_of_week, iso_week, online_days, terms_of
from lms_bridge.calendar.models import CalendarDay, DayKind, OnlineSpan
from lms_bridge.core import audit, jobs
from lms_bridge.core.clock import local, now
from lms_bridge.core.database import db
from lms_bridge.core.errors import BadInputs, BridgeError
from lms_bridge.core.i18n import N_, get_locale
from lms_bridge.plans.models import TeachingPlan
from lms_bridge.roster.models import ClassGroup, Organisation, Person
from lms_bridge.roster.scope import today
from lms_bridge.timetable.cases.models import CaseState, ChangeCase, TeacherAbsence
from lms_bridge.timetable.changing import changes
from lms_bridge.timetable.changing.placing import LessonProblem
from lms_bridge.timetable.inputs.models import LostRooms
from lms_bridge.timetable.models import ChangeCause, ChangeState, Lesson, LessonStatus, RunState
from lms_bridge.timetable.wording import Day

COMPUTE = "timetable.case"
"""The job that works the proposals of a case out; its subject is the id of the case."""
REASON_LENGTH = 500
MOST_ROOMS = 100_000


def compute_later(case: ChangeCase) -> None:
    """Let the proposals of a case be worked out (again) in the background, in the language in force. What is being
    worked out already is thrown away: it may have looked before what made this necessary."""
    case.asked += 1
    case.computing, case.progress, case.problems = RunState.WAITING, {}, []
    case.locale = get_locale()
    db.session.flush()
    jobs.enqueue(COMPUTE, str(case.id))


def give_up_proposals(case: ChangeCase, actor: Person | None, *, besides: int | None = None) -> None:
    """Give the open proposals of a case up, but for the change set ``besides``."""
    for proposal in case.proposals:
        if proposal.change_set_id != besides and proposal.change_set.state is ChangeState.PROPOSED:
            changes.discard(proposal.change_set, actor)


def case_for_absence(absence: TeacherAbsence, campus: Organisation, actor: Person | None) -> ChangeCase:
    """A teacher is absent from lessons of a campus."""
    return _open(
        campus,
        ChangeCause.TEACHER_ABSENCE,
        absence.first_day,
        absence.last_day,
        actor,
        absence_id=absence.id,
    )


def go_online(
    campus: Organisation,
    first_day: date,
    last_day: date | None,
    *,
    group: ClassGroup | None = None,
    reason: str = "",
    actor: Person | None,
) -> ChangeCase:
    """A campus, or one class of it, is taught online from ``first_day`` to ``last_day`` (included; None: until further
    notice). The days are noted at once; the lessons follow when a proposal is applied.

    :raises BadInputs: past days, wrong order, the days are online already, a class of another campus.
    """
    problems = _day_problems(campus, first_day, last_day or first_day, reason)
    if group is not None and group.campus_id != campus.id:
        problems.append(
            LessonProblem(
                N_("This class belongs to another campus."), field="class", remedy=N_("Choose a class of this campus.")
            )
        )
    spans = _spans(campus, group, first_day)
    if any(s.first_day <= first_day and (s.last_day is None or (last_day and s.last_day >= last_day)) for s in spans):
        problems.append(
            LessonProblem(
                N_("These days are online already."),
                field="first",
                remedy=N_("Choose days on which lessons are at school."),
            )
        )
    if problems:
        raise BadInputs(problems)
    span = OnlineSpan(
        organisation_id=campus.id,
        class_id=group.id if group is not None else None,
        first_day=first_day,
        last_day=last_day,
        reason=reason.strip()[:255],
    )
    db.session.add(span)
    db.session.flush()
    case = _open(
        campus,
        ChangeCause.CLOSURE,
        first_day,
        last_day or _end_of_timetable(campus, first_day),
        actor,
        reason=reason,
        class_id=span.class_id,
        details={"online": True, "span": span.id},
    )
    span.cause = f"case:{case.uid}"
    return case


def come_back(
    campus: Organisation, first_day: date, *, group: ClassGroup | None = None, reason: str = "", actor: Person | None
) -> ChangeCase:
    """A campus, or one class of it, is at school again from ``first_day`` on: the online days of its own that hold on
    that day end the day before. Those that begin later are another closure, and stay.

    :raises BadInputs: it is not online then, or an organisation above it (the campus, for a class) is closed then too.
    """
    problems = _day_problems(campus, first_day, first_day, reason)
    spans = [s for s in _spans(campus, group, first_day) if s.first_day <= first_day]
    above = _closed_above(campus, group, first_day)
    if above is not None:
        problems.append(
            LessonProblem(
                N_("%(organisation)s is closed on %(day)s, and its schools with it."),
                field="first",
                remedy=N_("Choose a later day, or let whoever closed it say that it is open again."),
                organisation=above.name,
                day=Day(first_day),
            )
        )
    elif not spans:
        problems.append(
            LessonProblem(
                N_("It is not online on %(day)s."),
                field="first",
                remedy=N_("Choose the first day that is to be at school again instead of online."),
                day=Day(first_day),
            )
        )
    if problems:
        raise BadInputs(problems)
    last = max(s.last_day or _end_of_timetable(campus, first_day) for s in spans)
    ended = []
    for span in spans:
        ended.append([span.id, span.first_day.isoformat(), span.last_day.isoformat() if span.last_day else None])
        # A span that begins on this day is ended before its first day, and so holds on no day.
        span.last_day = first_day - timedelta(days=1)
    return _open(
        campus,
        ChangeCause.CLOSURE,
        first_day,
        max(last, first_day),
        actor,
        reason=reason,
        class_id=group.id if group is not None else None,
        details={"online": False, "ended": ended},
    )


def lose_rooms(
    campus: Organisation, first_day: date, last_day: date, rooms: int, *, reason: str = "", actor: Person | None
) -> ChangeCase:
    """From ``first_day`` to ``last_day`` (included) at most ``rooms`` online lessons can run at once at a campus: its
    provider is lost (0), or its licences are fewer.

    :raises BadInputs: past days, wrong order, no sensible number.
    """
    problems = [*_day_problems(campus, first_day, last_day, reason), *_room_problems(rooms)]
    if problems:
        raise BadInputs(problems)
    row = LostRooms(campus_id=campus.id, first_day=first_day, last_day=last_day, rooms=rooms)
    db.session.add(row)
    db.session.flush()
    details = {"rooms": rooms, "lost": row.id}
    return _open(campus, ChangeCause.PROVIDER_FAILURE, first_day, last_day, actor, reason=reason, details=details)


def correct_rooms(case: ChangeCase, rooms: int, last_day: date, *, actor: Person | None) -> None:
    """The rooms of a case are other than was said, or for longer or shorter: at most ``rooms`` online lessons at once,
    until ``last_day`` (included). The case is open again, and is worked out anew; lessons that it changed already stay
    as they are.

    :raises BadInputs: no case about rooms, one that was taken back, days that are past, no sensible number.
    """
    row = db.session.get(LostRooms, case.details.get("lost"))
    if row is None:
        raise BadInputs(
            [
                LessonProblem(
                    N_("These rooms are not missing (any more)."), remedy=N_("Say anew that online rooms are missing.")
                )
            ]
        )
    problems = [*_day_problems(case.campus, case.first_day, last_day, "", since=last_day), *_room_problems(rooms)]
    if problems:
        raise BadInputs(problems)
    row.rooms, row.last_day = rooms, last_day
    case.details, case.last_day = case.details | {"rooms": rooms}, last_day
    case.state, case.closed_at = CaseState.OPEN, None
    audit.record(
        "case.corrected",
        "change_case",
        case.uid,
        actor_uid=actor.uid if actor is not None else None,
        organisation_id=case.campus_id,
        rooms=rooms,
    )
    give_up_proposals(case, actor)
    compute_later(case)


def _room_problems(rooms: int) -> list[BridgeError]:
    if 0 <= rooms <= MOST_ROOMS:
        return []
    return [
        LessonProblem(
            N_("%(rooms)s is no number of rooms."),
            field="rooms",
            remedy=N_("Say how many online lessons can run at once: 0 or more."),
            rooms=rooms,
        )
    ]


def lose_day(campus: Organisation, day: date, *, reason: str = "", actor: Person | None) -> ChangeCase:
    """No school is held on ``day`` at a campus (a storm, for instance): the calendar says so at once, and a case waits
    for the lessons of the day.

    :raises BadInputs: the day is past, or no school day anyway.
    """
    problems = _day_problems(campus, day, day, reason)
    days, _ = days_of_week(campus, iso_week(day))
    if day not in {teaching.day for teaching in days}:
        problems.append(
            LessonProblem(
                N_("No school is held on %(day)s."), field="first", remedy=N_("Choose a school day."), day=Day(day)
            )
        )
    if problems:
        raise BadInputs(problems)
    row = db.session.scalar(sa.select(CalendarDay).filter_by(organisation_id=campus.id, day=day))
    was = None
    if row is None:
        row = CalendarDay(organisation_id=campus.id, day=day, kind=DayKind.HOLIDAY)
        db.session.add(row)
    else:
        was = [row.kind.value, row.as_weekday, row.name, row.name_en]
    row.kind, row.as_weekday = DayKind.HOLIDAY, None
    row.name = row.name_en = reason.strip()[:120]
    db.session.flush()
    return _open(campus, ChangeCause.DAY_LOST, day, day, actor, reason=reason, details={"was": was})


def plan_changed(campus: Organisation, plan: TeachingPlan, *, actor: Person | None) -> ChangeCase:
    """The units of an approved plan are others than those that lessons to come teach. A case about the same plan that
    is still open is computed again, and its proposals are given up at once, since they teach what holds no more."""
    known = db.session.scalars(
        sa.select(ChangeCase).filter_by(campus_id=campus.id, cause=ChangeCause.PLAN_CHANGED, state=CaseState.OPEN)
    )
    for case in known:
        if case.details.get("plan") == plan.id:
            give_up_proposals(case, actor)
            compute_later(case)
            return case
    first = today(campus.zone)
    last = _end_of_timetable(campus, first)
    return _open(campus, ChangeCause.PLAN_CHANGED, first, last, actor, details={"plan": plan.id})


def ask_to_move(
    lesson: Lesson, *, day: date | None = None, period: int | None = None, reason: str = "", actor: Person
) -> ChangeCase:
    """A teacher asks for a lesson to move, to a day and period if they have one in mind; whoever writes the timetable
    decides.

    :raises BadInputs: it has begun or is cancelled, a wish without a period, or it was asked for already.
    """
    campus = db.session.get_one(Organisation, lesson.campus_id)
    problems: list[BridgeError] = []
    if lesson.status is LessonStatus.CANCELLED or lesson.starts_at <= now():
        problems.append(
            LessonProblem(N_("This lesson cannot be changed any more."), remedy=N_("Choose one that is still to come."))
        )
    if len(reason.strip()) > REASON_LENGTH:
        problems.append(_too_long())
    if (day is None) is not (period is None):
        problems.append(
            LessonProblem(
                N_("A wish needs a day and a period."), field="period", remedy=N_("Choose both, or leave both empty.")
            )
        )
    if db.session.scalar(sa.select(ChangeCase.id).filter_by(lesson_id=lesson.id, state=CaseState.OPEN).limit(1)):
        problems.append(
            LessonProblem(
                N_("It was asked already that this lesson moves."), remedy=N_("Wait for the decision of the school.")
            )
        )
    if problems:
        raise BadInputs(problems)
    own = local(lesson.starts_at, lesson.zone).date()
    details = {"day": day.isoformat(), "period": period} if day is not None else {}
    return _open(campus, ChangeCause.REQUEST, own, own, actor, reason=reason, lesson_id=lesson.id, details=details)


def _open(
    campus: Organisation,
    cause: ChangeCause,
    first_day: date,
    last_day: date,
    actor: Person | None,
    *,
    reason: str = "",
    details: dict[str, Any] | None = None,
    **more: Any,
) -> ChangeCase:
    case = ChangeCase(
        campus_id=campus.id,
        cause=cause,
        first_day=first_day,
        last_day=last_day,
        author_id=actor.id if actor is not None else None,
        reason=reason.strip(),
        details=details or {},
        created_at=now(),
        **more,
    )
    db.session.add(case)
    db.session.flush()
    audit.record(
        "case.opened",
        "change_case",
        case.uid,
        actor_uid=actor.uid if actor is not None else None,
        organisation_id=campus.id,
        cause=cause.value,
    )
    compute_later(case)
    return case


def _day_problems(
    campus: Organisation, first_day: date, last_day: date, reason: str, *, since: date | None = None
) -> list[BridgeError]:
    """``since``: the day that must not be past; by default the first."""
    field, since = ("first", first_day) if since is None else ("last", since)
    found: list[BridgeError] = []
    if last_day < first_day:
        found.append(
            LessonProblem(
                N_("The last day lies before the first."), field="last", remedy=N_("Correct one of the two days.")
            )
        )
    if since < today(campus.zone):
        found.append(
            LessonProblem(
                N_("%(day)s is past."),
                field=field,
                remedy=N_("Choose days that are still to come."),
                day=Day(since),
            )
        )
    if len(reason.strip()) > REASON_LENGTH:
        found.append(_too_long())
    return found


def _too_long() -> BridgeError:
    return LessonProblem(
        N_("The reason is too long."), field="reason", remedy=N_("Use at most %(most)s letters."), most=REASON_LENGTH
    )


def _spans(campus: Organisation, group: ClassGroup | None, day: date) -> list[OnlineSpan]:
    """The online days of the campus itself (or of the class) that do not end before ``day``."""
    return list(
        db.session.scalars(
            sa.select(OnlineSpan)
            .where(
                OnlineSpan.organisation_id == campus.id,
                OnlineSpan.class_id == (group.id if group is not None else None),
                sa.or_(OnlineSpan.last_day.is_(None), OnlineSpan.last_day >= day),
            )
            .order_by(OnlineSpan.id)
        )
    )


def _closed_above(campus: Organisation, group: ClassGroup | None, day: date) -> Organisation | None:
    """The organisation above the campus (or the campus, for a class) that is closed on ``day``."""
    for span in online_days(campus, day, day).campus:
        if group is not None or span.organisation_id != campus.id:
            return db.session.get_one(Organisation, span.organisation_id)
    return None


def _end_of_timetable(campus: Organisation, day: date) -> date:
    """The last day of the term that runs on ``day``: as far as there can be lessons; the day itself outside terms."""
    return max((t.ends_on for t in terms_of(campus) if t.ends_on >= day), default=day)
