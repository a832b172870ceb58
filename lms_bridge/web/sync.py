"""The exchange with learning management systems, for administrators: how it stands, what is in the way, "run now"."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from apiflask import APIBlueprint
from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lms_bridge.core.access import Permission, Target
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import Conflict, NotFound
from lms_bridge.core.i18n import N_, gettext
from lms_bridge.roster.models import Organisation
from lms_bridge.sync import accounts, overview, parts, removal, runs
from lms_bridge.sync.models import LmsAccount, MappedKind, MappingState, RunKind, SyncRun, SyncState
from lms_bridge.web.session import current_person, require, signed_in_required

blueprint = APIBlueprint("sync", __name__, url_prefix="/system/lms", enable_openapi=False)

LISTED_RUNS = 12

THINGS = {
    MappedKind.COURSE: N_("Courses"),
    MappedKind.PERSON: N_("People"),
    MappedKind.ENROLMENT: N_("Enrolments"),
    MappedKind.EVENT: N_("Calendar events"),
    MappedKind.ACTIVITY: N_('The activity "Online lessons"'),
    MappedKind.ATTENDANCE: N_("Attendance of lessons"),
    MappedKind.COHORT: N_("Cohorts"),
    MappedKind.GROUP: N_("Courses with groups for parts of the class"),
    MappedKind.ASSIGNMENT: N_("Homework"),
}
KINDS = {
    RunKind.ROSTER: N_("Fetch courses and people"),
    RunKind.ACTIVITIES: N_("Put the activity into the courses"),
    RunKind.EVENTS: N_("Send lessons to the calendars"),
    RunKind.RECONCILE: N_("Compare the calendars"),
    RunKind.MARKS: N_("Write attendance into the register"),
    RunKind.HOMEWORK: N_("Fetch homework"),
}
STATES = {
    SyncState.WAITING: ("info", N_("waits")),
    SyncState.RUNNING: ("info", N_("in hand")),
    SyncState.DONE: ("good", N_("done")),
    SyncState.REFUSED: ("bad", N_("refused")),
}
FIGURES = {
    "courses": N_("courses of our classes"),
    "cohorts": N_("cohorts of our classes"),
    "people_made": N_("people added"),
    "people_matched": N_("people recognised"),
    "people_changed": N_("people renamed"),
    "people_unmatched": N_("people not recognised"),
    "enrolments_new": N_("enrolments begun"),
    "enrolments_ended": N_("enrolments ended"),
    "enrolments_kept_back": N_("endings that wait for your word"),
    "courses_made": N_("courses made there"),
    "enrolments_sent": N_("people enrolled there"),
    "new": N_("new"),
    "present": N_("there already"),
    "failed": N_("refused"),
    "waiting": N_("to be sent"),
    "created": N_("made"),
    "updated": N_("changed"),
    "deleted": N_("removed"),
    "found_again": N_("found again after a lost answer"),
    "checked": N_("looked at"),
    "missing": N_("missing"),
    "duplicate": N_("there twice"),
    "changed": N_("changed by hand"),
    "orphan": N_("without a lesson"),
    "foreign": N_("of another installation"),
    "sessions": N_("lessons in the register"),
    "marks": N_("marks there"),
    "marks_missing": N_("students without a mark"),
    "homework_new": N_("new homework"),
    "homework_changed": N_("homework changed"),
    "homework_withdrawn": N_("homework withdrawn"),
    "answers": N_("answers that changed"),
    "answers_unknown": N_("answers of people not recognised"),
}


@blueprint.get("/")
@signed_in_required
def accounts_page() -> str:
    """Every account that the person administers."""
    scope = require(Permission.SYSTEM)
    below = [Organisation.path.startswith(path, autoescape=True) for path in scope.paths(Permission.SYSTEM)]
    rows = db.session.scalars(
        sa.select(LmsAccount).join(LmsAccount.organisation).where(sa.or_(sa.false(), *below)).order_by(LmsAccount.id)
    ).all()
    counts = overview.counts([row.id for row in rows])
    return render_template(
        "sync/accounts.html",
        rows=[{"account": row, "events": counts[row.id].get(MappedKind.EVENT.value, {})} for row in rows],
    )


@blueprint.get("/<uid>")
@signed_in_required
def show(uid: str) -> str:
    """One account: figures, what is in the way, the last runs; it refreshes itself while one is in hand."""
    account = administered_account(uid)
    by_kind = overview.counts([account.id])[account.id]
    recent = db.session.scalars(
        sa.select(SyncRun).filter_by(account_id=account.id).order_by(SyncRun.id.desc()).limit(LISTED_RUNS)
    ).all()
    return render_template(
        "sync/account.html",
        account=account,
        leaving=removal.footprint(account) if account.removal is not None else None,
        figures=[
            _figures(gettext(name), by_kind[kind.value]) for kind, name in THINGS.items() if kind.value in by_kind
        ],
        runs=[_run(run) for run in recent],
        busy=any(
            run.state is SyncState.RUNNING or (run.state is SyncState.WAITING and not run.problems) for run in recent
        ),
        kinds=[(kind.value, gettext(name)) for kind, name in KINDS.items()],
        refused=any(states.get(MappingState.FAILED.value) for states in by_kind.values()),
        troubles=[_trouble(row) for row in overview.troubled([account.id], people=False)],
        unmatched=by_kind.get(MappedKind.PERSON.value, {}).get(MappingState.UNMATCHED.value, 0),
        zone=current_person().zone or account.organisation.zone,
        parts=[(part, gettext(parts.PARTS[part]), getattr(account, part)) for part in parts.offered(account)],
    )


@blueprint.post("/<uid>/parts")
@signed_in_required
def choose_parts(uid: str) -> Response:
    """Say what else is exchanged: the parts that are ticked, and no others."""
    account = administered_account(uid)
    with transaction():
        wanted = {part: bool(request.form.get(part)) for part in parts.offered(account)}
        parts.choose(account, wanted, actor_uid=current_person().uid)
    flash(gettext("What is exchanged was stored."), "good")
    return redirect(url_for(".show", uid=uid))


@blueprint.post("/<uid>/runs")
@signed_in_required
def start(uid: str) -> Response:
    """Have something done at once, or looked at first."""
    account = administered_account(uid)
    if not account.enabled:
        raise Conflict(runs.SWITCHED_OFF, remedy=N_("Switch it on first."))
    try:
        kind = RunKind(request.form.get("kind", ""))
    except ValueError:
        raise NotFound() from None
    with transaction():
        runs.start(
            account,
            kind,
            actor_uid=current_person().uid,
            dry_run=bool(request.form.get("dry_run")),
            confirmed=bool(request.form.get("confirmed")),
        )
    return redirect(url_for(".show", uid=uid))


@blueprint.post("/<uid>/retry")
@signed_in_required
def retry(uid: str) -> Response:
    """Send what was refused once more."""
    account = administered_account(uid)
    with transaction():
        count = overview.retry_failed(account.uid)
    flash(gettext("%(count)s will be tried again at once.", count=count), "good")
    return redirect(url_for(".show", uid=uid))


def administered_account(uid: str) -> LmsAccount:
    """The account, if the person administers its organisation.

    :raises NotFound: there is none, or not for them.
    """
    scope = require(Permission.SYSTEM)
    account = accounts.account_named(uid)
    scope.require(Permission.SYSTEM, Target(account.organisation.path))
    return account


def _figures(name: str, states: dict[str, int]) -> dict[str, Any]:
    waiting = sum(states.get(state.value, 0) for state in (MappingState.WAITING, MappingState.SENDING))
    return {
        "name": name,
        "done": states.get(MappingState.DONE.value, 0),
        "waiting": waiting,
        "failed": states.get(MappingState.FAILED.value, 0),
        "unmatched": states.get(MappingState.UNMATCHED.value, 0),
    }


def _run(run: SyncRun) -> dict[str, Any]:
    figures = [
        gettext("%(what)s: %(count)s", what=gettext(name), count=run.result[key])
        for key, name in FIGURES.items()
        if run.result.get(key) and isinstance(run.result[key], int)
    ]
    names = run.result.get("names", {})
    return {
        "run": run,
        "names": [
            (gettext(name), names[key], run.result[key] - len(names[key]))
            for key, name in FIGURES.items()
            if names.get(key) and isinstance(run.result.get(key), int)
        ],
        "name": gettext(KINDS[run.kind]),
        "badge": STATES[run.state][0] if not run.problems or run.state is SyncState.REFUSED else "warn",
        "state": gettext(STATES[run.state][1]),
        "figures": gettext(", ").join(figures),
        "running": run.state is SyncState.RUNNING,
        "kept_back": run.result.get("enrolments_kept_back", 0) if run.state is SyncState.DONE else 0,
    }


def _trouble(row: Any) -> dict[str, Any]:
    return {
        "thing": gettext(THINGS[row.kind]),
        "name": overview.name_of(row),
        "number": row.sent.get("number") or row.sent.get("key") or "",
        "why": overview.error_of(row),
    }
