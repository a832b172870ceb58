"""Working out the proposals of a case in the background: read, think without a transaction, write."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from lms_bridge.core import jobs
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BadInputs, BridgeError
from lms_bridge.core.i18n import use_locale
from lms_bridge.roster.models import Person
from lms_bridge.timetable.cases.cases import WITH_CASE, settle
from lms_bridge.timetable.cases.desk import Desk, read_desk
from lms_bridge.timetable.cases.hits import hit_lessons
from lms_bridge.timetable.cases.models import CaseProposal, CaseState, ChangeCase
from lms_bridge.timetable.cases.plan_changes import plan_options
from lms_bridge.timetable.cases.proposals import LIMITS, Option, options
from lms_bridge.timetable.changing import changes
from lms_bridge.timetable.models import ChangeCause, ChangeState, RunState
from lms_bridge.timetable.solving.problem import SolverLimits
from lms_bridge.timetable.telling.people import PeopleBook


def work_out_case(case_id: int, limits: SolverLimits = LIMITS) -> None:
    """Work out what can be done about a case, and store it as ranked proposals in place of earlier ones. Run again
    after a kill, it begins anew; a case that is not open, or is computed already, is left alone. Asked for again
    meanwhile, it stores nothing: the answer to the newer question takes its place.

    A failure that is not a refusal is noted in the row and raised, so that the job is tried again.
    """
    with transaction():
        case = _read(case_id)
        if case is None or case.state is not CaseState.OPEN or case.computing in (RunState.DONE, RunState.REFUSED):
            return
        case.computing, asked = RunState.RUNNING, case.asked
    with use_locale(case.locale):
        try:
            desk, found = _think(case, limits)
        except BridgeError as refusal:
            problems = refusal.problems if isinstance(refusal, BadInputs) else []
            _finish(case_id, asked, RunState.REFUSED, problems or [refusal])
        except Exception:
            db.session.rollback()
            _finish(case_id, asked, RunState.FAILED, [])
            raise
        else:
            _store(case_id, asked, desk, found)


def affected(case: ChangeCase) -> list[int]:
    """The lessons that a case hits as things stand now, by id in order of time."""
    desk = read_desk(case.campus, case.first_day, case.last_day)
    return hit_lessons(case, desk, _book(desk).sizes(case.first_day))


def _think(case: ChangeCase, limits: SolverLimits) -> tuple[Desk, list[Option]]:
    desk = read_desk(case.campus, case.first_day, case.last_day)
    book = _book(desk)
    hit = hit_lessons(case, desk, book.sizes(case.first_day))
    _rest()

    def progress(done: int, of: int, way: str) -> None:
        with transaction():
            row = db.session.get_one(ChangeCase, case.id, populate_existing=True)
            row.progress = {"done": done, "of": of, "step": way, "hit": len(hit)}
        jobs.renew()

    if case.cause is ChangeCause.PLAN_CHANGED:
        return desk, plan_options(case, desk, book, progress)
    return desk, options(case, desk, book, hit, progress, limits)


def _book(desk: Desk) -> PeopleBook:
    return PeopleBook(list(desk.classes))


def _rest() -> None:
    """No transaction stays open while the solver thinks; nothing was written, and nothing read is forgotten."""
    if not db.session.info.get("in_transaction"):
        db.session.commit()


def _store(case_id: int, asked: int, desk: Desk, found: Sequence[Option]) -> None:
    with transaction():
        case = _read(case_id, lock=True)
        if case is None or case.state is not CaseState.OPEN or case.asked != asked:
            # Asked again meanwhile: the job of that question is on its way.
            return
        actor = db.session.get(Person, case.author_id) if case.author_id is not None else None
        for old in list(case.proposals):
            if old.change_set.state is ChangeState.PROPOSED:
                changes.discard(old.change_set, None)
            if old.change_set.state is ChangeState.DISCARDED:
                case.proposals.remove(old)
        db.session.flush()
        for position, option in enumerate(found, 1):
            rows = [changes.Wanted(desk.rows[n] if n is not None else None, after) for n, after in option.changes]
            weeks = {after.week_id for _, after in option.changes}
            weeks |= {desk.lessons[n].week_id for n, _ in option.changes if n is not None}
            change_set = changes.propose(
                case.campus,
                case.cause,
                rows,
                actor=actor,
                reason=case.reason,
                cause_ref=f"case:{case.uid}",
                base_versions={week: desk.versions[week] for week in weeks},
            )
            case.proposals.append(
                CaseProposal(
                    change_set_id=change_set.id, position=position, way=option.way, figures=option.figures.as_dict()
                )
            )
        case.computing, case.computed_at, case.problems = RunState.DONE, now(), []
        if not found:
            # Nothing is hit (any more), or nothing would change: there is nothing to decide.
            settle(case, CaseState.DECIDED, None)


def _finish(case_id: int, asked: int, state: RunState, problems: Sequence[BridgeError]) -> None:
    with transaction():
        case = db.session.get_one(ChangeCase, case_id, populate_existing=True, with_for_update=True)
        if case.asked != asked:
            return
        case.computing, case.computed_at = state, now()
        case.problems = [problem.as_dict() for problem in problems]


def _read(case_id: int, *, lock: bool = False) -> ChangeCase | None:
    if lock:
        db.session.execute(sa.select(ChangeCase.id).where(ChangeCase.id == case_id).with_for_update())
    return db.session.scalar(
        sa.select(ChangeCase)
        .where(ChangeCase.id == case_id)
        .options(*WITH_CASE)
        .execution_options(populate_existing=True)
    )
