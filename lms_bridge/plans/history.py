"""Who did what when with a plan, in one list: versions, steps of the review, threads resolved and reopened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import sqlalchemy as sa

from lms_bridge.core.database import db
from lms_bridge.core.models import AuditEntry, StoredFile
from lms_bridge.plans.models import PlanComment, PlanUnit, PlanVersion, ReviewStep, TeachingPlan, VersionState
from lms_bridge.roster.models import Person

EntryKind = Literal["version", "step", "resolved", "reopened"]

THREAD_ACTIONS: dict[str, EntryKind] = {"plan.thread.resolved": "resolved", "plan.thread.reopened": "reopened"}


@dataclass(frozen=True)
class Entry:
    """One thing that happened. ``who`` is empty for the system and for people who are no longer known.

    ``version``: of a version its own number, of a step that of the version it moved. ``text`` is the comment of a
    step, the file name of a version, or the beginning of a thread; ``unit`` the title of the thread's unit. A version
    was made from as many ``accepted`` proposals; none: it was uploaded.
    """

    at: datetime
    kind: EntryKind
    who: str
    version: int | None = None
    state: VersionState | None = None
    text: str = ""
    unit: str = ""
    thread_id: int | None = None
    accepted: int = 0


def history(plan: TeachingPlan) -> list[Entry]:
    """Everything that happened to ``plan``, the earliest first; a version before what was done with it."""
    rank = {"version": 0}
    entries = [*_versions(plan), *_steps(plan), *_threads(plan)]
    return sorted(entries, key=lambda entry: (entry.at, rank.get(entry.kind, 1)))


def _known(person: Person | None) -> str:
    return person.display_name if person is not None and person.erased_at is None else ""


def _versions(plan: TeachingPlan) -> list[Entry]:
    rows = db.session.execute(
        sa.select(PlanVersion, Person, StoredFile.name)
        .outerjoin(Person, Person.id == PlanVersion.created_by_id)
        .outerjoin(StoredFile, StoredFile.id == PlanVersion.file_id)
        .where(PlanVersion.plan_id == plan.id)
        .order_by(PlanVersion.number)
    )
    accepted = _accepted(plan)
    return [
        Entry(
            v.created_at, "version", _known(who), version=v.number, text=name or "", accepted=accepted.get(v.number, 0)
        )
        for v, who, name in rows
    ]


def _accepted(plan: TeachingPlan) -> dict[int, int]:
    """From how many accepted proposals each version was made, by its number."""
    rows = db.session.scalars(sa.select(AuditEntry.details).where(*_of(plan), AuditEntry.action == "plan.adjusted"))
    return {int(details["version"]): int(details["accepted"]) for details in rows}


def _of(plan: TeachingPlan) -> tuple[sa.ColumnElement[bool], ...]:
    return AuditEntry.entity == "plan", AuditEntry.entity_uid == plan.uid


def _steps(plan: TeachingPlan) -> list[Entry]:
    rows = db.session.execute(
        sa.select(ReviewStep, PlanVersion.number, Person)
        .join(PlanVersion, PlanVersion.id == ReviewStep.version_id)
        .outerjoin(Person, Person.id == ReviewStep.person_id)
        .where(PlanVersion.plan_id == plan.id)
        .order_by(ReviewStep.id)
    )
    return [
        Entry(step.at, "step", _known(who), version=number, state=step.state, text=step.comment)
        for step, number, who in rows
    ]


def _threads(plan: TeachingPlan) -> list[Entry]:
    rows = db.session.execute(
        sa.select(AuditEntry, Person)
        .outerjoin(Person, Person.uid == AuditEntry.actor_uid)
        .where(*_of(plan), AuditEntry.action.in_(THREAD_ACTIONS))
        .order_by(AuditEntry.id)
    ).all()
    begun = _begun({int(entry.details["thread"]) for entry, _ in rows})
    return [
        Entry(
            entry.at,
            THREAD_ACTIONS[entry.action],
            _known(who),
            text=begun[thread][0],
            unit=begun[thread][1],
            thread_id=thread,
        )
        for entry, who in rows
        if (thread := int(entry.details["thread"])) in begun
    ]


def _begun(thread_ids: set[int]) -> dict[int, tuple[str, str]]:
    """The first words of each thread, and what its unit was called then."""
    shortened: Callable[[str], str] = lambda text: text if len(text) <= 80 else f"{text[:79]}…"  # noqa: E731
    rows = db.session.execute(
        sa.select(PlanComment.id, PlanComment.text, PlanUnit.title)
        .outerjoin(
            PlanUnit, sa.and_(PlanUnit.version_id == PlanComment.version_id, PlanUnit.key == PlanComment.unit_key)
        )
        .where(PlanComment.id.in_(thread_ids))
    )
    return {thread_id: (shortened(text), title or "") for thread_id, text, title in rows}
