"""The review of a plan: draft -> submitted -> approved, or returned and submitted again.

One reviewer cannot decide on their own plan. Each step is guarded by the state it starts from, so that two people
who press at the same time cannot both succeed.
"""

from __future__ import annotations

import sqlalchemy as sa

from lms_bridge.core import audit, events, outbox
from lms_bridge.core.access import Permission, Scope
from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.core.errors import Forbidden, InputError
from lms_bridge.core.i18n import N_, gettext
from lms_bridge.plans.errors import WrongState
from lms_bridge.plans.events import PlanReviewed
from lms_bridge.plans.lookup import plan_access
from lms_bridge.plans.models import PlanKind, PlanVersion, ReviewStep, TeachingPlan, VersionState
from lms_bridge.roster.models import Person

STATE_NAMES = {
    VersionState.DRAFT: N_("draft"),
    VersionState.SUBMITTED: N_("submitted"),
    VersionState.RETURNED: N_("returned"),
    VersionState.APPROVED: N_("approved"),
    VersionState.SUPERSEDED: N_("superseded"),
}

COMMENT_LIMIT = 4000

TRANSITIONS = {
    VersionState.DRAFT: frozenset({VersionState.SUBMITTED, VersionState.SUPERSEDED}),
    VersionState.SUBMITTED: frozenset({VersionState.APPROVED, VersionState.RETURNED}),
    VersionState.RETURNED: frozenset({VersionState.SUBMITTED, VersionState.SUPERSEDED}),
    VersionState.APPROVED: frozenset({VersionState.SUPERSEDED}),
    VersionState.SUPERSEDED: frozenset(),
}
"""From which state a version may come into which. A version begins as a draft (that of a benchmark, which nobody
reviews, as approved); the next version supersedes a draft or a returned one, an approval the one in force before."""


def submit(
    plan: TeachingPlan, *, scope: Scope | None, person: Person | None, comment: str = "", seen: int | None = None
) -> PlanVersion:
    """Hand the newest version to the researchers; ``seen`` is the number of the version that the person looked at.

    :raises WrongState: it is not a draft and was not returned, or a newer version than ``seen`` has come.
    """
    if scope is not None:
        scope.require(Permission.PLAN_WRITE, plan_access(plan).write)
    version = newest_seen(plan, seen)
    if plan.kind is PlanKind.TEACHING and not version.units:
        raise InputError(N_("The plan has no units."), remedy=N_("Upload a document with its units first."))
    _step(version, VersionState.SUBMITTED, person, comment)
    return version


def approve(
    plan: TeachingPlan, *, scope: Scope | None, person: Person | None, comment: str = "", seen: int | None = None
) -> PlanVersion:
    """Approve the submitted version; the one that was in force before is superseded. ``seen`` as in :func:`submit`.

    :raises WrongState: nothing is submitted, or a newer version than ``seen`` has come.
    :raises Forbidden: it is one's own plan.
    """
    version = _reviewable(plan, scope, person, seen)
    _step(version, VersionState.APPROVED, person, comment)
    db.session.execute(
        sa.update(PlanVersion)
        .where(
            PlanVersion.plan_id == plan.id,
            PlanVersion.id != version.id,
            PlanVersion.state == VersionState.APPROVED,
        )
        .values(state=VersionState.SUPERSEDED, state_at=now())
    )
    events.announce(PlanReviewed(plan.id, version.id, approved=True))
    return version


def return_plan(
    plan: TeachingPlan, *, scope: Scope | None, person: Person | None, comment: str, seen: int | None = None
) -> PlanVersion:
    """Give the submitted version back to its author, with the reason. ``seen`` as in :func:`submit`.

    :raises InputError: no reason given. :raises WrongState: as :func:`approve`.
    """
    if not comment.strip():
        raise InputError(N_("A returned plan needs a reason."), remedy=N_("Write what should be changed."))
    version = _reviewable(plan, scope, person, seen)
    _step(version, VersionState.RETURNED, person, comment)
    events.announce(PlanReviewed(plan.id, version.id, approved=False))
    return version


def newest_version(plan: TeachingPlan) -> PlanVersion:
    """The newest version as it is stored now, held until the end of the transaction: nobody else can add a version or
    move this one meanwhile."""
    db.session.execute(sa.select(TeachingPlan.id).where(TeachingPlan.id == plan.id).with_for_update())
    db.session.flush()
    db.session.refresh(plan, ["versions"])
    version = plan.versions[-1]
    db.session.refresh(version, ["state", "state_at"])
    return version


def newest_seen(plan: TeachingPlan, seen: int | None) -> PlanVersion:
    """Nobody decides on what they have not seen: between the page and the button another version may have come."""
    version = newest_version(plan)
    if seen is not None and seen != version.number:
        raise WrongState(
            N_("You looked at version %(seen)s; version %(number)s has come since."),
            remedy=N_("Read the newest version, then decide."),
            seen=seen,
            number=version.number,
        )
    return version


def _reviewable(plan: TeachingPlan, scope: Scope | None, person: Person | None, seen: int | None) -> PlanVersion:
    if scope is not None:
        require_reviewer(plan, scope)
    version = newest_seen(plan, seen)
    if person is not None and is_own(plan, version, person.id):
        raise Forbidden(N_("Nobody decides on their own plan."), remedy=N_("Ask another researcher."))
    return version


def require_reviewer(plan: TeachingPlan, scope: Scope) -> None:
    """Pass silently if somebody reviews plans of the organisation of ``plan``.

    :raises NotFound: they do not.
    """
    scope.require(Permission.PLAN_REVIEW, plan_access(plan).read)


def is_own(plan: TeachingPlan, version: PlanVersion, person_id: int) -> bool:
    """Whether this is a person's own plan: they are its author, teach its subject in one of its classes, or brought
    or submitted the version."""
    if person_id == version.created_by_id or person_id in plan_access(plan).write.person_ids:
        return True
    return (
        db.session.scalar(
            sa.select(
                sa.exists().where(
                    ReviewStep.version_id == version.id,
                    ReviewStep.person_id == person_id,
                    ReviewStep.state == VersionState.SUBMITTED,
                )
            )
        )
        is True
    )


def _step(version: PlanVersion, target: VersionState, person: Person | None, comment: str) -> None:
    allowed = [state for state, following in TRANSITIONS.items() if target in following]
    moved = db.session.execute(
        sa.update(PlanVersion)
        .where(PlanVersion.id == version.id, PlanVersion.state.in_(allowed))
        .values(state=target, state_at=now())
        .execution_options(synchronize_session=False)
    )
    db.session.refresh(version, ["state", "state_at"])
    if moved.rowcount == 0:  # type: ignore[attr-defined]
        raise WrongState(
            N_("This cannot be done: the plan is %(state)s."),
            remedy=N_("Load the page again to see what happened."),
            state=gettext(STATE_NAMES[version.state]),
        )
    step = ReviewStep(
        version_id=version.id,
        state=target,
        person_id=person.id if person is not None else None,
        comment=comment.strip()[:COMMENT_LIMIT],
    )
    db.session.add(step)
    db.session.flush()
    audit.record(
        f"plan.{target.value}", "plan", version.plan.uid, actor_uid=person.uid if person is not None else None,
        organisation_id=version.plan.organisation_id, version=version.number,
    )  # fmt: skip
    if target in (VersionState.APPROVED, VersionState.RETURNED):
        outbox.publish("plan.reviewed", f"review_step:{step.id}", organisation_id=version.plan.organisation_id)
