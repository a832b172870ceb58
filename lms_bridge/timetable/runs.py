"""Solving a week in the background: a row says what was asked and how it stands, a job does it."""

from __future__ import annotations

import sqlalchemy as sa

from lms_bridge.core import jobs
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BadInputs, BridgeError
from lms_bridge.core.i18n import get_locale, use_locale
from lms_bridge.roster.models import Organisation, Person
from lms_bridge.timetable.models import ChangeSet, RunState, SolveRun
from lms_bridge.timetable.scheduling import propose_week

SOLVE = "timetable.solve"


def start(campus: Organisation, week: str, *, actor: Person) -> SolveRun:
    """Ask for a campus's week to be solved; the answer will be a proposed change set. Texts will be in the language
    in force."""
    run = SolveRun(campus_id=campus.id, week=week, author_id=actor.id, locale=get_locale())
    db.session.add(run)
    db.session.flush()
    jobs.enqueue(SOLVE, str(run.id))
    return run


def carry_out(run_id: int) -> None:
    """Do what a run asks for. Run again after a kill, it begins anew; a finished run is left alone.

    A failure that is not a refusal is noted in the row and raised, so that the job is tried again.
    """
    with transaction():
        run = db.session.get(SolveRun, run_id, populate_existing=True)
        if run is None or run.state in (RunState.DONE, RunState.REFUSED):
            return
        run.state = RunState.RUNNING
        campus = db.session.get_one(Organisation, run.campus_id)
        actor = db.session.get(Person, run.author_id) if run.author_id is not None else None
    with use_locale(run.locale):
        try:
            result = propose_week(campus.code, run.week, actor=actor)
        except BridgeError as refusal:
            problems = refusal.problems if isinstance(refusal, BadInputs) else []
            _finish(run_id, RunState.REFUSED, {"message": refusal.text(), "code": refusal.code}, problems or [refusal])
        except Exception:
            _finish(run_id, RunState.FAILED, {}, [])
            raise
        else:
            _finish(run_id, RunState.DONE, result.as_dict(), list(result.warnings))


def _finish(run_id: int, state: RunState, result: dict[str, object], problems: list[BridgeError]) -> None:
    with transaction():
        run = db.session.get_one(SolveRun, run_id)
        run.state, run.finished_at, run.result = state, now(), result
        run.problems = [problem.as_dict() for problem in problems]
        uid = result.get("change_set")
        run.change_set_id = db.session.scalar(sa.select(ChangeSet.id).filter_by(uid=uid)) if uid else None
