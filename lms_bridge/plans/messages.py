"""What people are told about a plan: its teachers that researchers decided about it, and whoever is mentioned in a
comment or answered."""

from __future__ import annotations

import sqlalchemy as sa

from lms_bridge.core.access import Permission
from lms_bridge.core.application import current_settings
from lms_bridge.core.database import db
from lms_bridge.core.i18n import N_, get_locale
from lms_bridge.notices.kinds import Kind, MessageContext
from lms_bridge.notices.models import Priority
from lms_bridge.plans.comments import COMMENTED
from lms_bridge.plans.lookup import plan_access
from lms_bridge.plans.models import (
    PlanComment,
    PlanMention,
    PlanUnit,
    PlanVersion,
    ReviewStep,
    TeachingPlan,
    VersionState,
)
from lms_bridge.roster.models import Organisation, Person
from lms_bridge.roster.scope import scope_for

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


def spoken_to(cause: str, after_person_id: int, limit: int) -> list[int]:
    """The audience of ``plan.comment``: who is mentioned, and of an answer also those who wrote in its thread before;
    not the one who wrote it."""
    comment = _comment_of(cause)
    if comment is None:
        return []
    people = set(db.session.scalars(sa.select(PlanMention.person_id).where(PlanMention.comment_id == comment.id)))
    people |= _wrote_before(comment)
    people.discard(comment.author_id)
    return sorted(person_id for person_id in people if person_id > after_person_id)[:limit]


def gather_comment(person: Person, cause: str) -> MessageContext | None:
    """The comment for ``person``; None if the plan was withdrawn or they may not read it any more."""
    comment = _comment_of(cause)
    if comment is None:
        return None
    version = db.session.get_one(PlanVersion, comment.version_id)
    plan = version.plan
    readable = scope_for(person).allows(Permission.PLAN_READ, plan_access(plan).read)
    if plan.withdrawn_at is not None or not readable:
        return None
    author = db.session.get_one(Person, comment.author_id)
    mentioned = db.session.scalar(
        sa.select(PlanMention.id).where(PlanMention.comment_id == comment.id, PlanMention.person_id == person.id)
    )
    return MessageContext(
        data={
            "mentioned": mentioned is not None,
            "author": author.display_name if author.erased_at is None else "",
            "plan": plan.title,
            "unit": _unit_title(version, comment.unit_key),
            "said_at": comment.at,
            "zone": person.zone or db.session.get_one(Organisation, plan.organisation_id).zone,
            "text": comment.text,
            "thread_url": f"{plan_url(plan)}/comments#thread-{comment.thread_id or comment.id}",
        }
    )


def _comment_of(cause: str) -> PlanComment | None:
    """The comment that a cause (``plan_comment:17``) names."""
    table, _, number = cause.partition(":")
    if table != "plan_comment" or not number.isdigit():
        raise ValueError(f"not a comment on a plan: {cause!r}")
    return db.session.get(PlanComment, int(number))


def _wrote_before(comment: PlanComment) -> set[int]:
    """Who wrote earlier in the thread of an answer."""
    if comment.thread_id is None:
        return set()
    return set(
        db.session.scalars(
            sa.select(PlanComment.author_id).where(
                sa.or_(PlanComment.id == comment.thread_id, PlanComment.thread_id == comment.thread_id),
                PlanComment.id < comment.id,
            )
        )
    )


def _unit_title(version: PlanVersion, unit_key: str | None) -> str:
    """What the unit is called in the version, else in the latest that has it; empty for a comment on the whole."""
    if unit_key is None:
        return ""
    return (
        db.session.scalar(
            sa.select(PlanUnit.title)
            .join(PlanVersion, PlanVersion.id == PlanUnit.version_id)
            .where(PlanVersion.plan_id == version.plan_id, PlanUnit.key == unit_key)
            .order_by(PlanVersion.id != version.id, PlanVersion.number.desc())
            .limit(1)
        )
        or ""
    )


KIND = Kind(
    name=REVIEWED,
    priority=Priority.NORMAL,
    template="plan_reviewed",
    audience=concerned,
    gather=gather_reviewed,
    title=N_("Teaching plan reviewed"),
)
COMMENT = Kind(
    name=COMMENTED,
    priority=Priority.NORMAL,
    template="plan_comment",
    audience=spoken_to,
    gather=gather_comment,
    title=N_("Comment on a teaching plan"),
)
