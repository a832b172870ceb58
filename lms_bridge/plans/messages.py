"""What the teachers of a plan are told when researchers have decided about it."""

from __future__ import annotations

import sqlalchemy as sa

from lms_bridge.core.application import current_settings
from lms_bridge.core.database import db
from lms_bridge.core.i18n import N_, get_locale
from lms_bridge.notices.kinds import Kind, MessageContext
from lms_bridge.notices.models import Priority
from lms_bridge.plans.lookup import plan_access
from lms_bridge.plans.models import PlanVersion, ReviewStep, TeachingPlan, VersionState
from lms_bridge.roster.models import Organisation, Person

REVIEWED = "plan.reviewed"


def plan_url(plan: TeachingPlan) -> str:
    """The permanent address of a plan's page."""
    return f"{current_settings().base_url.rstrip('/')}/plans/{plan.uid}"


def concerned(cause: str, after_person_id: int, limit: int) -> list[int]:
    """The audience of ``plan.reviewed``: the plan's author, who handed in the version, and those who teach the subject
    in the plan's classes today; not the one who decided."""
    found = _step_of(cause)
    if found is None:
        return []
    step, version = found
    people = set(plan_access(version.plan).write.person_ids)
    if version.created_by_id is not None:
        people.add(version.created_by_id)
    people.discard(step.person_id or 0)
    return sorted(person_id for person_id in people if person_id > after_person_id)[:limit]


def gather_reviewed(person: Person, cause: str) -> MessageContext | None:
    """The decision for ``person``; None if it does not hold any more (the plan was handed in again, decided anew, or
    withdrawn), since the plan's page or a later message says how it stands."""
    found = _step_of(cause)
    if found is None:
        return None
    step, version = found
    plan = version.plan
    if plan.withdrawn_at is not None or version.state is not step.state or _last_step(version.id) != step.id:
        return None
    reviewer = db.session.get(Person, step.person_id) if step.person_id is not None else None
    return MessageContext(
        data={
            "approved": step.state is VersionState.APPROVED,
            "plan": plan.title,
            "subject": plan.subject.label(get_locale()),
            "classes": sorted(link.class_group.title for link in plan.classes),
            "number": version.number,
            "reviewer": reviewer.display_name if reviewer is not None and reviewer.erased_at is None else "",
            "decided_at": step.at,
            "zone": person.zone or db.session.get_one(Organisation, plan.organisation_id).zone,
            "comment": step.comment,
            "plan_url": plan_url(plan),
        }
    )


def _step_of(cause: str) -> tuple[ReviewStep, PlanVersion] | None:
    """The review step that a cause (``review_step:17``) names, with its version."""
    table, _, number = cause.partition(":")
    if table != "review_step" or not number.isdigit():
        raise ValueError(f"not a review step: {cause!r}")
    step = db.session.get(ReviewStep, int(number))
    return None if step is None else (step, db.session.get_one(PlanVersion, step.version_id))


def _last_step(version_id: int) -> int | None:
    return db.session.scalar(sa.select(sa.func.max(ReviewStep.id)).where(ReviewStep.version_id == version_id))


KIND = Kind(
    name=REVIEWED,
    priority=Priority.NORMAL,
    template="plan_reviewed",
    audience=concerned,
    gather=gather_reviewed,
    title=N_("Teaching plan reviewed"),
)
