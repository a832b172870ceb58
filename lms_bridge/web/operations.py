"""The System page of administrators: is everything running, what failed in the background, who did what.

Whoever administers the whole school system sees all of it. An administrator of a part sees that the installation
stands and what failed by kind only: the text of an error may quote people of another school.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from apiflask import APIBlueprint
from flask import flash, redirect, render_template, url_for
from werkzeug.wrappers import Response as BaseResponse

from lms_bridge.core import failed_jobs, health
from lms_bridge.core.access import Permission, Scope
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BridgeError, NotFound
from lms_bridge.core.i18n import N_, gettext
from lms_bridge.core.models import AuditEntry, JobState
from lms_bridge.core.plugins import Check, CheckState
from lms_bridge.roster.models import Organisation
from lms_bridge.web.plugin_checks import check_plugins_in_use
from lms_bridge.web.session import current_person, require, signed_in_required

blueprint = APIBlueprint("operations", __name__, url_prefix="/system", enable_openapi=False)

LISTED_JOBS = 50
LISTED_ENTRIES = 50

CHECK_KINDS = {
    CheckState.OK: "good", CheckState.UNTRIED: "info", CheckState.WARNING: "warn", CheckState.FAILED: "bad",
}  # fmt: skip
CHECK_NAMES = {
    CheckState.OK: N_("runs"), CheckState.UNTRIED: N_("not tried"), CheckState.WARNING: N_("look at it"),
    CheckState.FAILED: N_("does not work"),
}  # fmt: skip


@blueprint.get("")
@signed_in_required
def overview() -> str:
    """Whether everything runs, in one sentence and point by point; background jobs; the last audit entries."""
    scope = require(Permission.SYSTEM)
    whole = _whole(scope)
    checks = _checks(whole=whole)
    counts = health.job_counts()
    return render_template(
        "operations/overview.html",
        whole=whole,
        checks=checks,
        worst=_worst(checks),
        check_kinds=CHECK_KINDS,
        check_names={state: gettext(name) for state, name in CHECK_NAMES.items()},
        waiting=counts.get(JobState.QUEUED, 0),
        running=counts.get(JobState.RUNNING, 0),
        dead=counts.get(JobState.DEAD, 0),
        jobs=failed_jobs.failed_jobs(LISTED_JOBS),
        failed=failed_jobs.failed_count(),
        entries=_entries(scope, whole=whole),
        zone=_zone(scope),
    )


@blueprint.post("/jobs/<int:number>/again")
@signed_in_required
def again(number: int) -> BaseResponse:
    """Start a failed job again."""
    if not _whole(require(Permission.SYSTEM)):
        raise NotFound()
    try:
        with transaction():
            failed_jobs.try_again(number, actor_uid=current_person().uid)
    except BridgeError as error:
        if error.status == 404:
            raise
        flash(str(error), "warn")
    else:
        flash(gettext("The job will be done at once."), "good")
    return redirect(url_for("operations.overview"))


def _whole(scope: Scope) -> bool:
    """Whether the person administers all of the installation, from its root."""
    roots = db.session.scalars(sa.select(Organisation.path).where(Organisation.parent_id.is_(None))).all()
    paths = scope.paths(Permission.SYSTEM)
    return bool(paths) and all(any(root.startswith(path) for path in paths) for root in roots)


def _checks(*, whole: bool) -> list[Check]:
    """What ``lms-bridge doctor`` looks at, and every account of a meeting provider. Details name servers and folders:
    they are for those who administer them."""
    checks = [*health.readiness(), health.check_jobs()]
    if whole:
        return [*checks, *health.check_plugins(), *check_plugins_in_use()]
    return [Check(check.title, check.state) for check in checks]


def _worst(checks: Sequence[Check]) -> str:
    states = {check.state for check in checks}
    return next(s.value for s in (CheckState.FAILED, CheckState.WARNING, CheckState.OK) if s in states or s == "ok")


def _entries(scope: Scope, *, whole: bool) -> Sequence[tuple[AuditEntry, Organisation | None]]:
    """The last audit entries of the person's organisations; what belongs to none is for the whole system's eyes."""
    within: list[Any] = [
        Organisation.path.startswith(path, autoescape=True) for path in scope.paths(Permission.AUDIT_READ)
    ]
    if whole:
        within.append(AuditEntry.organisation_id.is_(None))
    rows = db.session.execute(
        sa.select(AuditEntry, Organisation)
        .outerjoin(Organisation, Organisation.id == AuditEntry.organisation_id)
        .where(sa.or_(sa.false(), *within))
        .order_by(AuditEntry.id.desc())
        .limit(LISTED_ENTRIES)
    ).all()
    return [(entry, organisation) for entry, organisation in rows]


def _zone(scope: Scope) -> str:
    """The zone in which the page says times: the person's own, else that of the organisation they administer."""
    own = current_person().zone
    if own:
        return own
    paths = scope.paths(Permission.SYSTEM)
    return db.session.scalar(sa.select(Organisation.zone).where(Organisation.path == paths[0])) or "UTC"
