"""Comments on a plan: threads about a unit or the whole, replies, mentions, resolved and reopened.

A thread is begun at one version and stays with the plan: it is found in every later version by the key of its unit.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from lms_bridge.core import audit, outbox
from lms_bridge.core.access import Scope
from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.core.errors import BadInputs, BridgeError, InputError, NotFound
from lms_bridge.core.i18n import N_
from lms_bridge.plans import mentions
from lms_bridge.plans.errors import WrongState
from lms_bridge.plans.models import PlanComment, PlanMention, PlanVersion, TeachingPlan
from lms_bridge.plans.readers import readers_of, require_discussion
from lms_bridge.roster.models import Person

COMMENTED = "plan.comment"
"""The fact that somebody was mentioned in a comment or answered."""
LIMIT = 4000


@dataclass(frozen=True)
class _Text:
    """A comment's text that may be stored, and whom it mentions."""

    text: str
    people: frozenset[int]


def begin(
    plan: TeachingPlan,
    text: str,
    *,
    scope: Scope | None,
    person: Person,
    unit_key: str | None = None,
    number: int | None = None,
    tell: Collection[str] = (),
) -> PlanComment:
    """Begin a thread about the unit ``unit_key`` (None: about the whole) of version ``number`` (None: the newest).
    ``tell`` are the uids of further people who are mentioned.

    :raises BadInputs: the text is empty or too long, or a mention means nobody or several people.
    :raises NotFound: no such version or unit, or the plan is out of reach. :raises Forbidden: only readable.
    """
    if scope is not None:
        require_discussion(plan, scope)
    version = next((v for v in reversed(plan.versions) if number is None or v.number == number), None)
    if version is None or (unit_key is not None and all(unit.key != unit_key for unit in version.units)):
        raise NotFound(N_("The plan has no such unit any more."), remedy=N_("Load the page again."))
    checked = _checked(plan, text, tell)
    return _store(plan, version.id, checked, person, unit_key=unit_key)


def reply(
    plan: TeachingPlan, thread_id: int, text: str, *, scope: Scope | None, person: Person, tell: Collection[str] = ()
) -> PlanComment:
    """Answer in a thread, which is open again then. Refusals as in :func:`begin`."""
    if scope is not None:
        require_discussion(plan, scope)
    first = thread_of(plan, thread_id)
    checked = _checked(plan, text, tell)
    if first.resolved_at is not None:
        reopen(plan, thread_id, scope=scope, person=person)
    return _store(plan, plan.versions[-1].id, checked, person, unit_key=first.unit_key, thread=first)


def resolve(plan: TeachingPlan, thread_id: int, *, scope: Scope | None, person: Person) -> PlanComment:
    """Say that a thread is settled.

    :raises WrongState: it is already. :raises NotFound: no such thread. :raises Forbidden: only readable.
    """
    return _settle(plan, thread_id, scope, person, resolved=True)


def reopen(plan: TeachingPlan, thread_id: int, *, scope: Scope | None, person: Person) -> PlanComment:
    """Take back that a thread is settled. Refusals as in :func:`resolve`."""
    return _settle(plan, thread_id, scope, person, resolved=False)


def thread_of(plan: TeachingPlan, thread_id: int) -> PlanComment:
    """The first comment of a thread of ``plan``.

    :raises NotFound: none.
    """
    first = db.session.scalar(
        sa.select(PlanComment)
        .join(PlanVersion, PlanVersion.id == PlanComment.version_id)
        .where(PlanComment.id == thread_id, PlanComment.thread_id.is_(None), PlanVersion.plan_id == plan.id)
    )
    if first is None:
        raise NotFound(N_("There is no such comment on this plan."), remedy=N_("Load the page again."))
    return first


def open_threads(plan_ids: Collection[int]) -> dict[int, int]:
    """How many threads of each plan are not resolved; plans without any are left out."""
    rows = db.session.execute(
        sa.select(PlanVersion.plan_id, sa.func.count())
        .join(PlanComment, PlanComment.version_id == PlanVersion.id)
        .where(PlanVersion.plan_id.in_(plan_ids), PlanComment.thread_id.is_(None), PlanComment.resolved_at.is_(None))
        .group_by(PlanVersion.plan_id)
    )
    return dict(rows.all())


def _checked(plan: TeachingPlan, text: str, tell: Collection[str]) -> _Text:
    text = text.replace("\r\n", "\n").strip()
    problems: list[BridgeError] = []
    if not text:
        problems.append(InputError(N_("The comment is empty."), remedy=N_("Write what you want to say.")))
    if len(text) > LIMIT:
        problems.append(
            InputError(
                N_("The comment has %(length)s characters; %(limit)s are possible."),
                remedy=N_("Shorten it, or write two."),
                length=len(text),
                limit=LIMIT,
            )
        )
    readers = readers_of(plan)
    chosen = {reader.id for reader in readers if reader.uid in tell}
    found = mentions.find(text, {reader.id: reader.display_name for reader in readers})
    problems += [
        InputError(
            N_('"@%(name)s" is nobody who may read this plan, so nobody would be told.'),
            remedy=N_("Choose the person from the list, or write the name without @."),
            name=name,
        )
        for name in found.unknown
    ]
    known = {reader.uid for reader in readers}
    problems += [
        InputError(
            N_("There is nobody with the uid %(uid)s who may read this plan."), remedy=N_("Leave it out."), uid=uid
        )
        for uid in dict.fromkeys(tell)
        if uid not in known
    ]
    problems += [
        InputError(N_('Several people are called "%(name)s".'), remedy=N_("Tick the right one in the list."), name=name)
        for name, people in found.ambiguous.items()
        if not people & chosen
    ]
    if problems:
        raise BadInputs(problems)
    return _Text(text, found.people | chosen)


def _store(
    plan: TeachingPlan,
    version_id: int,
    checked: _Text,
    person: Person,
    *,
    unit_key: str | None,
    thread: PlanComment | None = None,
) -> PlanComment:
    row = PlanComment(
        version_id=version_id,
        unit_key=unit_key,
        thread_id=thread.id if thread is not None else None,
        author_id=person.id,
        text=checked.text,
    )
    db.session.add(row)
    db.session.flush()
    db.session.add_all(PlanMention(comment_id=row.id, person_id=who) for who in sorted(checked.people - {person.id}))
    db.session.flush()
    audit.record(
        "plan.comment", "plan", plan.uid, actor_uid=person.uid, organisation_id=plan.organisation_id, comment=row.id,
        thread=row.thread_id or row.id,
    )  # fmt: skip
    if thread is not None or checked.people - {person.id}:
        outbox.publish(COMMENTED, f"plan_comment:{row.id}", organisation_id=plan.organisation_id)
    return row


def _settle(plan: TeachingPlan, thread_id: int, scope: Scope | None, person: Person, *, resolved: bool) -> PlanComment:
    if scope is not None:
        require_discussion(plan, scope)
    first = thread_of(plan, thread_id)
    changed = db.session.execute(
        sa.update(PlanComment)
        .where(
            PlanComment.id == first.id,
            PlanComment.resolved_at.is_(None) if resolved else PlanComment.resolved_at.is_not(None),
        )
        .values(resolved_at=now() if resolved else None, resolved_by_id=person.id if resolved else None)
        .execution_options(synchronize_session=False)
    )
    db.session.refresh(first, ["resolved_at", "resolved_by_id"])
    if changed.rowcount == 0:  # type: ignore[attr-defined]
        raise WrongState(
            N_("The thread is resolved already.") if resolved else N_("The thread is open already."),
            remedy=N_("Load the page again to see what happened."),
        )
    audit.record(
        "plan.thread.resolved" if resolved else "plan.thread.reopened", "plan", plan.uid, actor_uid=person.uid,
        organisation_id=plan.organisation_id, thread=first.id,
    )  # fmt: skip
    return first
