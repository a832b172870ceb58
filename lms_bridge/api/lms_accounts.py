"""Routes of the exchange with LMSs below ``/api/v1/lms-accounts``: how it stands, runs, what is in the way."""

from __future__ import annotations

import sqlalchemy as sa
from apiflask import APIBlueprint

from lms_bridge.api import lms_schemas as schemas
from lms_bridge.api.callers import auth, caller, require
from lms_bridge.core.access import Permission, Target
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import Conflict, NotFound
from lms_bridge.core.i18n import N_
from lms_bridge.core.kept_problems import said
from lms_bridge.roster.models import Organisation
from lms_bridge.sync import accounts, overview, parts, runs
from lms_bridge.sync.models import LmsAccount, RunKind, SyncRun

blueprint = APIBlueprint("api_lms_accounts", __name__, url_prefix="/api/v1/lms-accounts", tag="Exchange with LMSs")

LISTED = 50


@blueprint.get("")
@blueprint.auth_required(auth)
@blueprint.output(schemas.LmsAccounts)
def account_list() -> schemas.LmsAccounts:
    """The accounts that the caller administers, with how they stand."""
    scope = require(Permission.SYSTEM)
    below = [Organisation.path.startswith(path, autoescape=True) for path in scope.paths(Permission.SYSTEM)]
    rows = db.session.scalars(
        sa.select(LmsAccount).join(LmsAccount.organisation).where(sa.or_(sa.false(), *below)).order_by(LmsAccount.id)
    ).all()
    counts = overview.counts([row.id for row in rows])
    return schemas.LmsAccounts(accounts=[_account(row, counts[row.id]) for row in rows])


@blueprint.get("/<uid>")
@blueprint.auth_required(auth)
@blueprint.output(schemas.LmsAccountOut)
def one_account(uid: str) -> schemas.LmsAccountOut:
    """How one account stands."""
    row = _found(uid)
    return _account(row, overview.counts([row.id])[row.id])


@blueprint.get("/<uid>/runs")
@blueprint.auth_required(auth)
@blueprint.output(schemas.LmsRuns)
def run_list(uid: str) -> schemas.LmsRuns:
    """The last runs of an account."""
    rows = db.session.scalars(
        sa.select(SyncRun).filter_by(account_id=_found(uid).id).order_by(SyncRun.id.desc()).limit(LISTED)
    )
    return schemas.LmsRuns(runs=[_run(row) for row in rows])


@blueprint.get("/<uid>/runs/<run>")
@blueprint.auth_required(auth)
@blueprint.output(schemas.LmsRunOut)
def one_run(uid: str, run: str) -> schemas.LmsRunOut:
    """How far a run is, or what it did."""
    row = db.session.scalar(sa.select(SyncRun).filter_by(account_id=_found(uid).id, uid=run))
    if row is None:
        raise NotFound()
    return _run(row)


@blueprint.post("/<uid>/runs")
@blueprint.auth_required(auth)
@blueprint.input(schemas.LmsRunIn)
@blueprint.output(schemas.LmsRunOut, 202)
def start_run(uid: str, json_data: schemas.LmsRunIn) -> schemas.LmsRunOut:
    """Have something done at once, or looked at first; a run of the same kind that waits already is joined. Ask for
    the run until it is `done` or `refused`. 409: the account is switched off."""
    account = _found(uid)
    if not account.enabled:
        raise Conflict(runs.SWITCHED_OFF, remedy=N_("Switch it on first."))
    with transaction():
        row = runs.start(
            account, RunKind(json_data.kind), actor_uid=caller().uid, dry_run=json_data.dry_run,
            confirmed=json_data.confirmed,
        )  # fmt: skip
    return _run(row)


@blueprint.get("/<uid>/troubles")
@blueprint.auth_required(auth)
@blueprint.output(schemas.Troubles)
def trouble_list(uid: str) -> schemas.Troubles:
    """What the LMS refused, and which courses belong to no class."""
    rows = overview.troubled([_found(uid).id], people=False)
    return schemas.Troubles(
        troubles=[
            schemas.TroubleOut(
                kind=row.kind.value, state=row.state.value, name=overview.name_of(row), why=overview.error_of(row),
                attempts=row.attempts,
            )
            for row in rows
        ]
    )  # fmt: skip


@blueprint.post("/<uid>/retry")
@blueprint.auth_required(auth)
@blueprint.output(schemas.LmsAccountOut, 202)
def retry(uid: str) -> schemas.LmsAccountOut:
    """Send what was refused once more."""
    row = _found(uid)
    with transaction():
        overview.retry_failed(row.uid)
    return _account(row, overview.counts([row.id])[row.id])


def _found(uid: str) -> LmsAccount:
    require(Permission.SYSTEM)
    row = accounts.account_named(uid)
    require(Permission.SYSTEM, Target(row.organisation.path))
    return row


def _account(row: LmsAccount, counts: dict[str, dict[str, int]]) -> schemas.LmsAccountOut:
    return schemas.LmsAccountOut(
        uid=row.uid, name=row.name, plugin=row.plugin, organisation=row.organisation.code, enabled=row.enabled,
        removal=row.removal.value if row.removal is not None else None, failures=row.failures,
        last_error=said(row.last_error) or None, mappings=counts,
        parts=[part for part in parts.PARTS if getattr(row, part)],
    )  # fmt: skip


def _run(row: SyncRun) -> schemas.LmsRunOut:
    return schemas.LmsRunOut(
        uid=row.uid, kind=row.kind.value, dry_run=row.dry_run, confirmed=row.confirmed, state=row.state.value,
        done=row.progress.get("done"), of=row.progress.get("of"),
        counts={name: value for name, value in row.result.items() if isinstance(value, int)},
        names=row.result.get("names", {}), problems=[said(one) for one in row.problems],
        created_at=row.created_at, finished_at=row.finished_at,
    )  # fmt: skip
