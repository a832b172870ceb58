"""What a teacher is told when researchers have decided on a plan."""

from __future__ import annotations

from lms_bridge.core.application import current_settings
from lms_bridge.core.database import db
from lms_bridge.notices.kinds import MessageContext
from lms_bridge.plans.lookup import subject_teachers
from lms_bridge.plans.models import PlanVersion, ReviewStep, TeachingPlan, VersionState
from lms_bridge.roster.models import Person


def _step(cause: str) -> tuple[ReviewStep, PlanVersion, TeachingPlan] | None:
    step = db.session.get(ReviewStep, int(cause.partition(":")[2]))
    if step is None:
        return None
    version = db.session.get_one(PlanVersion, step.version_id)
    return step, version, version.plan


def people_concerned(cause: str, after_person_id: int, limit: int) -> list[int]:
    """The author of the plan and those who teach its classes in its subject, without whoever decided."""
    found = _step(cause)
    if found is None:
        return []
    step, version, plan = found
    people = {plan.author_id, version.created_by_id} - {None, step.person_id}
    for row in plan.classes:
        people |= subject_teachers(row.class_id, row.subject_id)
    return sorted(p for p in people if p is not None and p != step.person_id and p > after_person_id)[:limit]


def gather_reviewed(person: Person, cause: str) -> MessageContext | None:
    """The decision on the version; None if a later step has overtaken it."""
    found = _step(cause)
    if found is None or found[1].state is not found[0].state:
        return None
    step, version, plan = found
    reviewer = db.session.get(Person, step.person_id) if step.person_id is not None else None
    return MessageContext(
        data={
            "title": plan.title,
            "version": version.number,
            "approved": step.state is VersionState.APPROVED,
            "comment": step.comment,
            "reviewer": reviewer.display_name if reviewer is not None else "",
            "url": f"{current_settings().base_url}/plans/{plan.uid}",
        }
    )
