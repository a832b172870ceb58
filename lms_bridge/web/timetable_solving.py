"""Solving a week: choose campus and week, watch it being solved, then look at the proposal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from apiflask import APIBlueprint
from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lms_bridge.calendar.days import iso_week, monday_of, shift_week, teaching_weeks, terms_of
from lms_bridge.core.access import Permission, Target
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import InputError, NotFound
from lms_bridge.core.i18n import N_, get_locale, gettext
from lms_bridge.notices.dates import say_day
from lms_bridge.roster.models import Organisation
from lms_bridge.roster.scope import today
from lms_bridge.timetable.making import runs
from lms_bridge.timetable.models import ChangeSet, ChangeState, RunState, SolveRun, TimetableWeek
from lms_bridge.timetable.solving.cost_words import itemised, stage_words
from lms_bridge.web.campuses import campuses_within
from lms_bridge.web.session import current_person, current_scope, require, signed_in_required

blueprint = APIBlueprint("solving", __name__, url_prefix="/solve", enable_openapi=False)

WORKING = (RunState.WAITING, RunState.RUNNING)


@blueprint.get("")
@signed_in_required
def form() -> str:
    """Which campus and week; the week to come is offered first."""
    scope = require(Permission.TIMETABLE_WRITE)
    campuses = campuses_within(scope, Permission.TIMETABLE_WRITE)
    if not campuses:
        raise NotFound()
    campus = next((c for c in campuses if c.code == request.args.get("campus")), campuses[0])
    chosen = request.args.get("week") or shift_week(iso_week(today(campus.zone)), 1)
    return render_template(
        "timetable/solve.html",
        campuses=[(c.code, c.label(get_locale())) for c in campuses],
        campus=campus,
        weeks=list(weeks_to_come(campus)),
        week=chosen,
        runs=_latest(campus),
        states=RunState,
    )


@blueprint.post("")
@signed_in_required
def start() -> Response:
    """Begin to solve; the page of the run shows how it goes."""
    scope = require(Permission.TIMETABLE_WRITE)
    campus = next(
        (c for c in campuses_within(scope, Permission.TIMETABLE_WRITE) if c.code == request.form.get("campus")), None
    )
    if campus is None:
        raise NotFound()
    typed = request.form.get("week", "")
    if not typed:
        raise InputError(N_("No week was chosen."), remedy=N_("Choose a week."))
    with transaction():
        run = runs.start(campus, iso_week(monday_of(typed)), actor=current_person())
    return redirect(url_for(".show", uid=run.uid))


@blueprint.get("/<uid>")
@signed_in_required
def show(uid: str) -> str:
    """How a run stands: it refreshes itself until there is an answer."""
    run = _run(uid)
    working = run.state in WORKING
    proposal = db.session.get(ChangeSet, run.change_set_id) if run.change_set_id is not None else None
    return render_template(
        "timetable/run.html",
        run=run,
        states=RunState,
        working=working,
        said=_progress(run),
        costs=itemised((run.progress if working else run.result).get("costs", {})),
        proposal=proposal,
        proposed=proposal is not None and proposal.state is ChangeState.PROPOSED,
        monday=say_day(monday_of(run.week), get_locale()),
    )


@blueprint.get("/<uid>/progress")
@signed_in_required
def progress(uid: str) -> dict[str, Any]:
    """The same in numbers and words, for the page's script."""
    run = _run(uid)
    return _progress(run) | {
        "working": run.state in WORKING,
        "items": [item.as_dict() for item in itemised(run.progress.get("costs", {}))],
    }


@blueprint.post("/<uid>/cancel")
@signed_in_required
def cancel(uid: str) -> Response:
    """End it; the best timetable found so far is proposed."""
    with transaction():
        runs.cancel(_run(uid), current_person())
    flash(gettext("The search ends. The best timetable found so far is kept."), "info")
    return redirect(url_for(".show", uid=uid))


def _run(uid: str) -> SolveRun:
    run = db.session.scalar(sa.select(SolveRun).where(SolveRun.uid == uid).execution_options(populate_existing=True))
    if run is None:
        raise NotFound()
    current_scope().require(Permission.TIMETABLE_WRITE, Target(run.campus.path))
    return run


def _progress(run: SolveRun) -> dict[str, Any]:
    said = run.progress
    placed, wanted = said.get("placed", 0), said.get("wanted", 0)
    stage = stage_words(said["stage"]) if said else gettext("Waiting for its turn")
    if run.cancel_asked_at is not None:
        stage = gettext("Stopping; the best timetable so far is kept")
    costs = said.get("costs", {})
    return {
        "stage": stage,
        "placed": placed,
        "wanted": wanted,
        "numbers": gettext("%(placed)s of %(wanted)s periods placed", placed=placed, wanted=wanted) if wanted else "",
        "seconds": round(said.get("seconds", 0)),
        "cost": sum(costs.values()) if costs else None,
    }


def weeks_to_come(campus: Organisation) -> Iterable[tuple[str, str]]:
    """The weeks of the terms from this week on, with how many school days they have and whether they are published."""
    present = iso_week(today(campus.zone))
    published = set(
        db.session.scalars(
            sa.select(TimetableWeek.week).where(
                TimetableWeek.campus_id == campus.id, TimetableWeek.published_at.is_not(None)
            )
        )
    )
    seen: set[str] = set()
    for term in terms_of(campus):
        for week in teaching_weeks(campus, term):
            if week.iso < present or week.iso in seen or not week.days:
                continue
            seen.add(week.iso)
            mark = " ✓" if week.iso in published else ""
            first, last = (say_day(day.day, get_locale()) for day in (week.days[0], week.days[-1]))
            yield week.iso, f"{week.iso} · {first} – {last}{mark}"


def _latest(campus: Organisation) -> list[SolveRun]:
    return list(
        db.session.scalars(
            sa.select(SolveRun).where(SolveRun.campus_id == campus.id).order_by(SolveRun.id.desc()).limit(5)
        )
    )
