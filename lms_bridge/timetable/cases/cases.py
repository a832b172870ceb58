"""Cases that wait for a decision: which there are, and what can be done with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from lms_bridge.calendar.models import CalendarDay, DayKind, OnlineSpan
from lms_bridge.core import audit
from lms_bridge.core.access import Permission, Scope
from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.core.errors import Conflict
from lms_bridge.core.i18n import N_
from lms_bridge.roster.models import Organisation, Person
from lms_bridge.roster.scope import today
from lms_bridge.timetable.cases.absent_lessons import lessons_during
from lms_bridge.timetable.cases.models import CaseProposal, CaseState, ChangeCase
from lms_bridge.timetable.cases.opening import compute_later, give_up_proposals
from lms_bridge.timetable.changing import changes
from lms_bridge.timetable.inputs.models import LostRooms
from lms_bridge.timetable.models import ChangeCause, ChangeSet, ChangeState, TimetableWeek

WITH_CASE = (
    joinedload(ChangeCase.campus),
    joinedload(ChangeCase.absence),
    joinedload(ChangeCase.class_group),
    joinedload(ChangeCase.author),
    selectinload(ChangeCase.proposals).joinedload(CaseProposal.change_set),
)


def case_by_uid(uid: str) -> ChangeCase | None:
    """The case with this uid, with its proposals."""
    return db.session.scalar(
        sa.select(ChangeCase).where(ChangeCase.uid == uid).options(*WITH_CASE).execution_options(populate_existing=True)
    )


def cases_within(scope: Scope, *, state: CaseState | None = None, limit: int = 50) -> Sequence[ChangeCase]:
    """The cases of the campuses whose timetable the scope may write, open ones first, then the newest."""
    return cases_page(scope, state=state, limit=limit)[1]


def cases_page(
    scope: Scope,
    *,
    campus: Organisation | None = None,
    state: CaseState | None = None,
    offset: int = 0,
    limit: int = 50,
) -> tuple[int, Sequence[ChangeCase]]:
    """How many cases there are as :func:`cases_within` gives them (of one campus, in one state), and a part of them."""
    below = [Organisation.path.startswith(path, autoescape=True) for path in scope.paths(Permission.TIMETABLE_WRITE)]
    where = [sa.or_(sa.false(), *below)]
    if campus is not None:
        where.append(ChangeCase.campus_id == campus.id)
    if state is not None:
        where.append(ChangeCase.state == state)
    of_campus = Organisation.id == ChangeCase.campus_id
    total = db.session.scalar(
        sa.select(sa.func.count()).select_from(ChangeCase).join(Organisation, of_campus).where(*where)
    )
    query = (
        sa.select(ChangeCase)
        .join(Organisation, of_campus)
        .where(*where)
        .options(*WITH_CASE)
        .order_by(ChangeCase.state != CaseState.OPEN, ChangeCase.id.desc())
        .limit(limit)
        .offset(offset)
    )
    return total or 0, db.session.scalars(query).unique().all()


def open_cases(campus: Organisation | None = None, *, dealt_with: bool = False) -> Sequence[ChangeCase]:
    """The cases that wait for a decision, oldest first; of one campus, or of all; ``dealt_with``: the others too."""
    query = sa.select(ChangeCase).options(*WITH_CASE).order_by(ChangeCase.id)
    if not dealt_with:
        query = query.where(ChangeCase.state == CaseState.OPEN)
    if campus is not None:
        query = query.where(ChangeCase.campus_id == campus.id)
    return db.session.scalars(query).unique().all()


def requests_of(person: Person, since: date) -> Sequence[ChangeCase]:
    """What somebody asked for themselves: lessons to move, newest first."""
    return db.session.scalars(
        sa.select(ChangeCase)
        .where(
            ChangeCase.author_id == person.id,
            ChangeCase.cause == ChangeCause.REQUEST,
            ChangeCase.last_day >= since,
        )
        .order_by(ChangeCase.id.desc())
    ).all()


def proposal_of(change_set: ChangeSet) -> CaseProposal | None:
    """The case and rank of a change set that was proposed for one."""
    return db.session.scalar(
        sa.select(CaseProposal)
        .where(CaseProposal.change_set_id == change_set.id)
        .options(joinedload(CaseProposal.case))
    )


@dataclass(frozen=True)
class Meanwhile:
    """What changed in the weeks of a case's proposals since they were worked out, newest first. ``begun``: when the
    first lesson began that one of them would change."""

    change_sets: Sequence[ChangeSet] = ()
    stale: bool = False
    begun: datetime | None = None


def meanwhile(case: ChangeCase) -> Meanwhile:
    """Whether the case's open proposals are out of date, and by which changes."""
    open_sets = [p.change_set for p in case.proposals if p.change_set.state is ChangeState.PROPOSED]
    base: dict[int, int] = {}
    for row in open_sets:
        base |= {int(key): version for key, version in row.base_versions.items()}
    if not base:
        return Meanwhile()
    begun = min((at for row in open_sets if (at := changes.first_begun(row)) is not None), default=None)
    current = dict(
        db.session.execute(sa.select(TimetableWeek.id, TimetableWeek.version).where(TimetableWeek.id.in_(base))).all()
    )
    if all(current.get(week) == version for week, version in base.items()):
        return Meanwhile(stale=begun is not None, begun=begun)
    since = case.computed_at or case.created_at
    recent = db.session.scalars(
        sa.select(ChangeSet)
        .where(ChangeSet.campus_id == case.campus_id, ChangeSet.applied_at.is_not(None), ChangeSet.applied_at >= since)
        .order_by(ChangeSet.applied_at.desc(), ChangeSet.id.desc())
        .limit(10)
    ).all()
    moved = {week for week, version in base.items() if current.get(week) != version}
    return Meanwhile(
        [row for row in recent if moved & {int(key) for key in row.base_versions}], stale=True, begun=begun
    )


def decide(case: ChangeCase, change_set: ChangeSet, actor: Person | None) -> ChangeSet:
    """Put one proposal of a case in force; the others are given up, and the case is decided.

    :raises Conflict: the case or the proposal was dealt with already, or the week was changed meanwhile (nothing is
        overwritten: compute the case again).
    :raises BadInputs: somebody would be in two lessons at once.
    """
    _expect_open(case)
    if change_set.id not in {p.change_set_id for p in case.proposals}:
        raise Conflict(N_("This proposal belongs to another case."), remedy=N_("Load the page again."))
    return changes.apply(change_set, actor)


def compute_again(case: ChangeCase, *, actor: Person | None) -> None:
    """Work the proposals of an open case out again from the timetable as it is now; the old ones go when the new ones
    are there.

    :raises Conflict: the case is not open any more.
    """
    _expect_open(case)
    _record("case.computed_again", case, actor)
    compute_later(case)


def end_case(case: ChangeCase, state: CaseState, actor: Person | None) -> None:
    """Let a case end without a proposal: ``CLOSED`` (it is decided to change nothing) or ``WITHDRAWN`` (what caused it
    holds no more: noted online days, lost days and rooms are as before). Its proposals are given up. Rooms that are
    missing can be there again after the case was decided, too: no lesson changes, but weeks to come have them.

    :raises Conflict: it is not open any more.
    """
    if not (state is CaseState.WITHDRAWN and rooms_are_missing(case)):
        _expect_open(case)
    if state is CaseState.WITHDRAWN:
        _take_back(case)
    settle(case, state, actor)
    _record(f"case.{state.value}", case, actor)
    db.session.flush()


def rooms_are_missing(case: ChangeCase) -> bool:
    """Whether a case says that online rooms are missing today or later; decided or not, this can be corrected and taken
    back (:func:`lms_bridge.timetable.cases.opening.correct_rooms`)."""
    return (
        case.cause is ChangeCause.PROVIDER_FAILURE
        and case.state is not CaseState.WITHDRAWN
        and case.last_day >= today(case.campus.zone)
    )


def close_case(case: ChangeCase, *, actor: Person | None) -> None:
    """Decide that a case changes nothing (:func:`end_case`)."""
    end_case(case, CaseState.CLOSED, actor)


def follow_applied(change_set_id: int) -> None:
    """Called when a change set came into force: if it was proposed for a case, the case is decided; if it takes one
    back that was, the case is open again."""
    change_set = db.session.get_one(ChangeSet, change_set_id)
    ref = change_set.cause_ref or ""
    if ref.startswith(changes.UNDO):
        undone = changes.change_set_by_uid(ref.removeprefix(changes.UNDO))
        proposal = proposal_of(undone) if undone is not None else None
        if proposal is not None and proposal.case.state is CaseState.DECIDED:
            proposal.case.state, proposal.case.closed_at = CaseState.OPEN, None
            compute_later(proposal.case)
        return
    proposal = proposal_of(change_set)
    if proposal is not None and proposal.case.state is CaseState.OPEN:
        settle(proposal.case, CaseState.DECIDED, None, besides=change_set.id)
    _settle_done(change_set.campus_id)


def _settle_done(campus_id: int) -> None:
    """Open cases of absent teachers whose lessons have all been given to others one by one are decided thereby."""
    rows = db.session.scalars(
        sa.select(ChangeCase)
        .where(
            ChangeCase.campus_id == campus_id,
            ChangeCase.state == CaseState.OPEN,
            ChangeCase.cause == ChangeCause.TEACHER_ABSENCE,
        )
        .options(*WITH_CASE)
    )
    for case in rows.unique().all():
        absence = case.absence
        assert absence is not None
        left = lessons_during(absence.person, absence.first_day, absence.last_day, absence.periods)
        if not any(lesson.campus_id == campus_id for lesson in left):
            settle(case, CaseState.DECIDED, None)


def settle(case: ChangeCase, state: CaseState, actor: Person | None, *, besides: int | None = None) -> None:
    """Let a case end in ``state``; its open proposals but for the change set ``besides`` are given up."""
    give_up_proposals(case, actor, besides=besides)
    case.state, case.closed_at = state, now()
    db.session.flush()


def _take_back(case: ChangeCase) -> None:
    """What the opening of the case noted in the calendar holds no more."""
    details = case.details
    if case.cause is ChangeCause.DAY_LOST:
        row = db.session.scalar(
            sa.select(CalendarDay).filter_by(organisation_id=case.campus_id, day=case.first_day, kind=DayKind.HOLIDAY)
        )
        was = details.get("was")
        if row is not None and was is None:
            db.session.delete(row)
        elif row is not None and was is not None:
            kind, row.as_weekday, row.name, row.name_en = was
            row.kind = DayKind(kind)
    if case.cause is ChangeCause.PROVIDER_FAILURE:
        db.session.execute(sa.delete(LostRooms).where(LostRooms.id == details.get("lost")))
    if case.cause is ChangeCause.CLOSURE:
        if details.get("span") is not None:
            db.session.execute(sa.delete(OnlineSpan).where(OnlineSpan.id == details["span"]))
        for number, first, last in details.get("ended", ()):
            span = db.session.get(OnlineSpan, number)
            if span is not None:
                span.first_day = date.fromisoformat(first)
                span.last_day = date.fromisoformat(last) if last else None


def _expect_open(case: ChangeCase) -> None:
    db.session.refresh(case, attribute_names=["state"], with_for_update=True)
    if case.state is not CaseState.OPEN:
        raise Conflict(
            N_("This case was dealt with already."), remedy=N_("Load the page again to see what was decided.")
        )


def _record(action: str, case: ChangeCase, actor: Person | None) -> None:
    audit.record(
        action,
        "change_case",
        case.uid,
        actor_uid=actor.uid if actor is not None else None,
        organisation_id=case.campus_id,
        cause=case.cause.value,
    )
