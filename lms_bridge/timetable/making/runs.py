"""Solving a week in the background: a row says what was asked and how it stands, a job does it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from lms_bridge.core import audit, jobs
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BadInputs, BridgeError, Conflict, InputError
from lms_bridge.core.i18n import N_, get_locale, use_locale
from lms_bridge.roster.models import Organisation, Person
from lms_bridge.timetable.making.scheduling import propose_together
from lms_bridge.timetable.models import ChangeSet, RunState, SolveRun, SolveRunCampus
from lms_bridge.timetable.solving.effort import Progress

SOLVE = "timetable.solve"
WRITE_EVERY = 1.0
"""Seconds between two notes of a run's progress."""

OVER = (RunState.DONE, RunState.REFUSED)
WORKING = (RunState.WAITING, RunState.RUNNING)


def start(campuses: Sequence[Organisation], week: str, *, actor: Person) -> SolveRun:
    """Ask for the week of campuses to be solved, all at once; the answer will be proposed change sets, one for each. If
    the same is being solved already, that run is the answer. Texts will be in the language in force."""
    ids = sorted({campus.id for campus in campuses})
    # Of two people (or two clicks) at once the second waits, and finds the run of the first.
    rows = sa.select(Organisation.id).where(Organisation.id.in_(ids)).order_by(Organisation.id)
    db.session.execute(rows.with_for_update(key_share=True))
    under_way = db.session.scalars(
        sa.select(SolveRun).where(
            SolveRun.week == week,
            SolveRun.campus_id.in_(ids),
            SolveRun.state.in_(WORKING),
            SolveRun.cancel_asked_at.is_(None),
        )
    )
    for known in under_way:
        if sorted(part.campus_id for part in known.parts) == ids:
            return known
    run = SolveRun(campus_id=campuses[0].id, week=week, author_id=actor.id, locale=get_locale())
    run.parts = [SolveRunCampus(campus_id=campus.id) for campus in campuses]
    db.session.add(run)
    db.session.flush()
    jobs.enqueue(SOLVE, str(run.id))
    return run


def cancel(run: SolveRun, actor: Person) -> None:
    """Ask a run to end; the best timetable found by then is proposed. Asking twice is harmless.

    :raises Conflict: it is over.
    """
    db.session.refresh(run, with_for_update=True)
    if run.state in (*OVER, RunState.FAILED):
        raise Conflict(N_("This run is over already."), remedy=N_("Load the page again to see how it stands."))
    if run.cancel_asked_at is None:
        run.cancel_asked_at = now()
        audit.record(
            "timetable.solve_cancelled", "solve_run", run.uid, actor_uid=actor.uid, organisation_id=run.campus_id
        )
    db.session.flush()


def carry_out(run_id: int) -> None:
    """Do what a run asks for. Run again after a kill, it begins anew; a finished run is left alone.

    A failure that is not a refusal is noted in the row and raised, so that the job is tried again.
    """
    with transaction():
        run = db.session.get(SolveRun, run_id, populate_existing=True)
        if run is None or run.state in OVER:
            return
        run.state, run.progress = RunState.RUNNING, {}
        campuses = [part.campus for part in run.parts]
        actor = db.session.get(Person, run.author_id) if run.author_id is not None else None
        stopped = run.cancel_asked_at is not None
    with use_locale(run.locale):
        try:
            if stopped:
                raise _stopped_early(run.week)
            result = propose_together(campuses, run.week, actor=actor, watcher=_Notes(run_id))
        except BridgeError as refusal:
            problems = refusal.problems if isinstance(refusal, BadInputs) else []
            _finish(run_id, RunState.REFUSED, {"message": refusal.text(), "code": refusal.code}, problems or [refusal])
        except Exception:
            _finish(run_id, RunState.FAILED, {}, [])
            raise
        else:
            _finish(run_id, RunState.DONE, result.as_dict(), list(result.warnings))


@dataclass
class _Notes:
    """Writes down how a run goes, about once a second in a transaction of its own, and says whether it shall go on."""

    run_id: int
    written: float = field(default=-WRITE_EVERY)
    wanted: bool = True

    def __call__(self, progress: Progress) -> bool:
        moment = time.monotonic()
        if moment - self.written >= WRITE_EVERY:
            self.written = moment
            self.wanted = self._note(progress)
        return self.wanted

    def _note(self, progress: Progress) -> bool:
        with transaction() as session:
            asked = session.execute(
                sa.update(SolveRun)
                .where(SolveRun.id == self.run_id)
                .values(progress=noted(progress))
                .returning(SolveRun.cancel_asked_at)
                .execution_options(synchronize_session=False)
            ).scalar_one_or_none()
        jobs.renew()
        return asked is None


def noted(progress: Progress) -> dict[str, Any]:
    """Progress as plain JSON."""
    return {
        "stage": progress.stage.value,
        "seconds": round(progress.seconds, 1),
        "placed": progress.placed,
        "wanted": progress.wanted,
        "costs": dict(progress.costs),
        "bound": progress.bound,
    }


def of_campus(campus: Organisation, paths: Iterable[str]) -> sa.Select[SolveRun]:
    """The runs that a campus is part of and whose campuses all lie below these ``paths``, the newest first."""
    within = sa.or_(sa.false(), *(Organisation.path.startswith(path, autoescape=True) for path in paths))
    parts = sa.select(SolveRunCampus.run_id).where(SolveRunCampus.campus_id == campus.id)
    others = (
        sa.select(SolveRunCampus.id)
        .join(Organisation, Organisation.id == SolveRunCampus.campus_id)
        .where(SolveRunCampus.run_id == SolveRun.id, sa.not_(within))
    )
    return sa.select(SolveRun).where(SolveRun.id.in_(parts), ~others.exists()).order_by(SolveRun.id.desc())


def _stopped_early(week: str) -> InputError:
    return InputError(
        N_("Solving week %(week)s was stopped before it began."),
        remedy=N_("Start it again whenever you like."),
        week=week,
    )


def _finish(run_id: int, state: RunState, result: dict[str, Any], problems: list[BridgeError]) -> None:
    with transaction():
        run = db.session.get_one(SolveRun, run_id, populate_existing=True)
        run.state, run.finished_at, run.result = state, now(), result
        run.problems = [problem.as_dict() for problem in problems]
        found = {one["campus"]: one["change_set"] for one in result.get("campuses", [])}
        for part in run.parts:
            uid = found.get(part.campus.code)
            part.change_set_id = db.session.scalar(sa.select(ChangeSet.id).filter_by(uid=uid)) if uid else None
