"""Solving a week: choose campus and week, watch it being solved, then look at the proposal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
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
from lms_bridge.timetable.making.sharing import sharing_with, with_all_that_share
from lms_bridge.timetable.models import ChangeState, RunState, SolveRun, TimetableWeek
from lms_bridge.timetable.solving.cost_words import itemised, stage_words
from lms_bridge.web.campuses import campuses_within
from lms_bridge.web.session import current_person, current_scope, require, signed_in_required

blueprint = APIBlueprint("solving", __name__, url_prefix="/solve", enable_openapi=False)

GROUP = "group:"
"""Stands before the code of an education group, all campuses of which are meant."""


@blueprint.get("")
@signed_in_required
def form() -> str:
    """Which campus (or group) and week; the week to come is offered first."""
    scope = require(Permission.TIMETABLE_WRITE)
    campuses = campuses_within(scope, Permission.TIMETABLE_WRITE)
    if not campuses:
        raise NotFound()
    asked = request.args.get("campus", "")
    groups = _groups(campuses)
    chosen = next((g for g in groups if f"{GROUP}{g.code}" == asked), None)
    campus = next((c for c in campuses if c.code == asked or (chosen and c.path.startswith(chosen.path))), campuses[0])
    week = request.args.get("week") or shift_week(iso_week(today(campus.zone)), 1)
    return render_template(
        "timetable/solve.html",
        campuses=[(c.code, c.label(get_locale())) for c in campuses]
        + [(f"{GROUP}{g.code}", gettext("All campuses of %(group)s", group=g.label(get_locale()))) for g in groups],
        campus=campus,
        chosen=f"{GROUP}{chosen.code}" if chosen is not None else campus.code,
        sharing=sharing_with(campus, week, campuses) if chosen is None else [],
        several=len(campuses) > 1,
        weeks=list(weeks_to_come(campus)),
        week=week,
        runs=_latest(campus),
        states=RunState,
    )


@blueprint.post("")
@signed_in_required
def start() -> Response:
    """Begin to solve; the page of the run shows how it goes."""
    scope = require(Permission.TIMETABLE_WRITE)
    within = campuses_within(scope, Permission.TIMETABLE_WRITE)
    asked = request.form.getlist("campus")
    campuses = [campus for campus in within if campus.code in asked]
    for group in _groups(within):
        if f"{GROUP}{group.code}" in asked:
            campuses += [c for c in within if c.path.startswith(group.path) and c not in campuses]
    if not campuses:
        raise NotFound()
    typed = request.form.get("week", "")
    if not typed:
        raise InputError(N_("No week was chosen."), remedy=N_("Choose a week."))
    week = iso_week(monday_of(typed))
    if request.form.get("together"):
        campuses = with_all_that_share(campuses, week, within)
    with transaction():
        run = runs.start(campuses, week, actor=current_person())
    return redirect(url_for(".show", uid=run.uid))


@blueprint.get("/<uid>")
@signed_in_required
def show(uid: str) -> str:
    """How a run stands: it refreshes itself until there is an answer."""
    run = _run(uid)
    working = run.state in runs.WORKING
    proposal = next((part.change_set for part in run.parts if part.change_set is not None), None)
    refused_alone = run.state is RunState.REFUSED and len(run.parts) == 1
    within = campuses_within(current_scope(), Permission.TIMETABLE_WRITE) if refused_alone else []
    return render_template(
        "timetable/run.html",
        run=run,
        states=RunState,
        working=working,
        said=_progress(run),
        costs=itemised((run.progress if working else run.result).get("costs", {})),
        proposal=proposal,
        counts={one["campus"]: one["counts"] for one in run.result.get("campuses", [])},
        sharing=sharing_with(run.campus, run.week, within),
        proposed=proposal is not None and proposal.state is ChangeState.PROPOSED,
        monday=say_day(monday_of(run.week), get_locale()),
    )


@blueprint.get("/<uid>/progress")
@signed_in_required
def progress(uid: str) -> dict[str, Any]:
    """The same in numbers and words, for the page's script."""
    run = _run(uid)
    return _progress(run) | {
        "working": run.state in runs.WORKING,
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
    for part in run.parts:
        current_scope().require(Permission.TIMETABLE_WRITE, Target(part.campus.path))
    return run


def _groups(campuses: Sequence[Organisation]) -> list[Organisation]:
    """The education groups with more than one campus, all of them among these."""
    ids = Counter(campus.parent_id for campus in campuses)
    rows = db.session.scalars(
        sa.select(Organisation)
        .where(Organisation.id.in_([key for key, count in ids.items() if key is not None and count > 1]))
        .order_by(Organisation.code)
    )
    paths = current_scope().paths(Permission.TIMETABLE_WRITE)
    return [row for row in rows if any(row.path.startswith(path) for path in paths)]


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
    chosen = runs.of_campus(campus, current_scope().paths(Permission.TIMETABLE_WRITE))
    return list(db.session.scalars(chosen.limit(5)))
