"""Approving many plans at once: which could be, and what became of each.

Each plan is approved in a transaction of its own, with the version that was seen; one refusal does not stop the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from lms_bridge.core.access import Permission, Scope
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BridgeError
from lms_bridge.core.i18n import N_, gettext
from lms_bridge.plans import review
from lms_bridge.plans.comments import open_threads
from lms_bridge.plans.deadlines import late_plans
from lms_bridge.plans.errors import WrongState
from lms_bridge.plans.lookup import plan_by_uid
from lms_bridge.plans.models import Finding, PlanClass, PlanKind, PlanVersion, ReviewStep, TeachingPlan, VersionState
from lms_bridge.roster.models import Organisation, Person

SEVERITIES = ("info", "minor", "major")
"""The severities of findings in rising order."""
LISTED = 500


class Without(StrEnum):
    """Which plans are looked at: those whose findings are none, or none above a severity; or all."""

    ANY = "any"
    MINOR = "minor"
    INFO = "info"
    NONE = "none"

    @property
    def label(self) -> str:
        """The filter in words, in the language in force."""
        return gettext(_WITHOUT_LABELS[self])

    @property
    def tolerated(self) -> frozenset[str]:
        """The severities that a plan may have."""
        if self is Without.ANY:
            return frozenset(SEVERITIES)
        return frozenset() if self is Without.NONE else frozenset(SEVERITIES[: SEVERITIES.index(self.value) + 1])


_WITHOUT_LABELS = {
    Without.ANY: N_("All submitted plans"),
    Without.MINOR: N_("Nothing above minor"),
    Without.INFO: N_("Nothing above information"),
    Without.NONE: N_("No findings at all"),
}


@dataclass(frozen=True)
class Candidate:
    """A submitted plan that somebody may decide on. ``findings`` counts those of its version by severity; ``own``
    says why it cannot be approved by this person after all."""

    plan: TeachingPlan
    version: PlanVersion
    campus: Organisation
    findings: dict[str, int]
    open_threads: int
    late: bool
    own: bool

    @property
    def compared(self) -> bool:
        """Whether there was a benchmark to compare it with; without one, no findings mean nothing."""
        return self.version.coverage is not None

    @property
    def waiting_since(self) -> datetime:
        """When it was submitted."""
        return self.version.state_at

    @property
    def classes(self) -> str:
        """The titles of its classes."""
        return ", ".join(sorted(link.class_group.title for link in self.plan.classes))

    def passes(self, without: Without) -> bool:
        """Whether it is among the plans that a filter lets through. A plan that was not compared passes only the
        filter for all."""
        if without is Without.ANY:
            return True
        return self.compared and set(self.findings) <= without.tolerated

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON for the command line."""
        return {
            "plan": self.plan.uid,
            "title": self.plan.title,
            "campus": self.campus.code,
            "version": self.version.number,
            "coverage": self.version.coverage,
            "findings": self.findings,
            "open_threads": self.open_threads,
            "late": self.late,
        }


@dataclass(frozen=True)
class Outcome:
    """What became of one plan: approved, or refused and why."""

    uid: str
    title: str
    number: int
    approved: bool
    reason: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON for the command line."""
        return {
            "plan": self.uid,
            "title": self.title,
            "version": self.number,
            "approved": self.approved,
            "reason": self.reason,
        }


def candidates(
    scope: Scope | None, *, without: Without = Without.ANY, under: str = "/", limit: int | None = LISTED
) -> list[Candidate]:
    """The submitted plans that somebody may decide on (None: everybody's) and that pass the filter, longest waiting
    first; ``under`` narrows them to an organisation's path."""
    newest = (
        sa.select(PlanVersion.plan_id, sa.func.max(PlanVersion.number).label("number"))
        .group_by(PlanVersion.plan_id)
        .subquery()
    )
    query = (
        sa.select(TeachingPlan, PlanVersion, Organisation)
        .join(newest, newest.c.plan_id == TeachingPlan.id)
        .join(PlanVersion, sa.and_(PlanVersion.plan_id == newest.c.plan_id, PlanVersion.number == newest.c.number))
        .join(Organisation, Organisation.id == TeachingPlan.organisation_id)
        .where(
            TeachingPlan.kind == PlanKind.TEACHING,
            TeachingPlan.withdrawn_at.is_(None),
            PlanVersion.state == VersionState.SUBMITTED,
            Organisation.path.startswith(under, autoescape=True),
            _filter(without),
        )
        .options(
            joinedload(TeachingPlan.subject),
            joinedload(TeachingPlan.author),
            selectinload(TeachingPlan.classes).joinedload(PlanClass.class_group),
        )
        .order_by(PlanVersion.state_at, PlanVersion.id)
        .limit(limit)
    )
    if scope is not None:
        paths = scope.paths(Permission.PLAN_REVIEW)
        query = query.where(sa.or_(sa.false(), *(Organisation.path.startswith(p, autoescape=True) for p in paths)))
    rows = db.session.execute(query).unique().all()
    counts = _findings([version.id for _, version, _ in rows])
    threads = open_threads([plan.id for plan, _, _ in rows])
    late = late_plans([plan.id for plan, _, _ in rows])
    own = _own([(plan, version) for plan, version, _ in rows], scope)
    return [
        Candidate(
            plan, version, campus, counts.get(version.id, {}), threads.get(plan.id, 0), plan.id in late,
            version.id in own,
        )
        for plan, version, campus in rows
    ]  # fmt: skip


def _own(rows: Sequence[tuple[TeachingPlan, PlanVersion]], scope: Scope | None) -> frozenset[int]:
    """Ids of the versions that :func:`review.is_own` says are a person's own; it is asked only where it may be so."""
    if scope is None:
        return frozenset()
    submitted = set(
        db.session.scalars(
            sa.select(ReviewStep.version_id).where(
                ReviewStep.version_id.in_([version.id for _, version in rows]),
                ReviewStep.person_id == scope.person_id,
            )
        )
    )
    return frozenset(
        version.id
        for plan, version in rows
        if (
            version.id in submitted
            or scope.person_id in (plan.author_id, version.created_by_id)
            or any(link.class_id in scope.taught_class_ids for link in plan.classes)
        )
        and review.is_own(plan, version, scope.person_id)
    )


def _filter(without: Without) -> sa.ColumnElement[bool]:
    """:meth:`Candidate.passes` as a part of a query."""
    if without is Without.ANY:
        return sa.true()
    above = sa.exists().where(Finding.version_id == PlanVersion.id, Finding.severity.not_in(without.tolerated))
    return sa.and_(PlanVersion.coverage.is_not(None), ~above)


def _findings(version_ids: Iterable[int]) -> dict[int, dict[str, int]]:
    rows = db.session.execute(
        sa.select(Finding.version_id, Finding.severity, sa.func.count())
        .where(Finding.version_id.in_(list(version_ids)))
        .group_by(Finding.version_id, Finding.severity)
    )
    found: dict[int, dict[str, int]] = {}
    for version_id, severity, count in rows:
        found.setdefault(version_id, {})[severity] = count
    return found


def approve_all(
    chosen: Iterable[tuple[str, int]],
    *,
    scope: Scope | None,
    person: Person | None,
    without: Without = Without.ANY,
    comment: str = "",
) -> list[Outcome]:
    """Approve each plan of ``chosen`` (uid and the number of the version that was seen) in its own transaction, and
    say of each what happened: one's own plans, newer versions, and plans that no longer pass ``without`` are refused.

    Call it outside of a transaction.
    """
    return [_approve(uid, seen, scope, person, without, comment) for uid, seen in chosen]


def _approve(
    uid: str, seen: int, scope: Scope | None, person: Person | None, without: Without, comment: str
) -> Outcome:
    title = uid
    try:
        with transaction():
            plan = plan_by_uid(uid)
            if scope is not None:
                review.require_reviewer(plan, scope)
            title = plan.title
            version = plan.versions[-1]
            if version.number == seen:
                _still_passes(version, without)
            review.approve(plan, scope=scope, person=person, comment=comment, seen=seen)
    except BridgeError as refusal:
        return Outcome(uid, title, seen, approved=False, reason=str(refusal))
    return Outcome(uid, title, seen, approved=True)


def _still_passes(version: PlanVersion, without: Without) -> None:
    """The findings may have changed since the list was made: another benchmark may be in force."""
    if db.session.scalar(sa.select(PlanVersion.id).where(PlanVersion.id == version.id, _filter(without))) is None:
        raise WrongState(
            N_('It does not pass the filter "%(filter)s" any more: it was compared anew.'),
            remedy=N_("Open the plan and look at its findings."),
            filter=without.label,
        )
