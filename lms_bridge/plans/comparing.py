"""Compares a stored version with its benchmark and keeps the findings of the pair."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from lms_bridge.core.database import db
from lms_bridge.plans.benchmark import Comparison, FindingDraft, FindingKind, Severity, compare, finding_text
from lms_bridge.plans.lookup import benchmark_for
from lms_bridge.plans.models import Finding, PlanUnit, PlanVersion, TeachingPlan
from lms_bridge.plans.units import UnitDraft

DRAFT_FIELDS = (
    "sequence", "title", "periods", "content", "objectives", "key_points", "methods", "homework", "materials",
    "remarks", "week_from", "week_to", "date_from", "date_to", "key", "provenance",
)  # fmt: skip


def drafts(units: Sequence[PlanUnit]) -> list[UnitDraft]:
    """Stored units as plain values."""
    return [
        UnitDraft(**{name: getattr(unit, name) for name in DRAFT_FIELDS}, assumed=tuple(unit.assumed or ()))
        for unit in units
    ]


def compare_draft(plan: TeachingPlan, units: Sequence[UnitDraft]) -> Comparison | None:
    """What comparing ``units`` with the benchmark of ``plan`` (which need not be stored) would find; stores nothing.
    None: there is no benchmark."""
    benchmark = benchmark_for(plan)
    return compare(list(units), drafts(benchmark.units)) if benchmark is not None else None


def compare_version(version: PlanVersion) -> list[Finding]:
    """Compare ``version`` with the benchmark in force, replacing the findings of an earlier comparison; without a
    benchmark there are none and the coverage is unknown."""
    benchmark = benchmark_for(version.plan)
    db.session.execute(sa.delete(Finding).where(Finding.version_id == version.id))
    version.coverage = None
    if benchmark is None:
        db.session.flush()
        return []
    mine, theirs = list(version.units), list(benchmark.units)
    comparison = compare(drafts(mine), drafts(theirs))
    keys = {unit.sequence: unit.key for unit in mine}
    benchmark_keys = {unit.sequence: unit.key for unit in theirs}
    rows = [
        Finding(
            version_id=version.id,
            benchmark_version_id=benchmark.id,
            position=position,
            kind=found.kind.value,
            severity=found.severity.value,
            unit_key=keys.get(found.unit_sequence) if found.unit_sequence is not None else None,
            benchmark_unit_key=(
                benchmark_keys.get(found.benchmark_sequence) if found.benchmark_sequence is not None else None
            ),
            params=dict(found.params),
        )
        for position, found in enumerate(comparison.findings, start=1)
    ]
    version.coverage = comparison.coverage
    db.session.add_all(rows)
    db.session.flush()
    return rows


def findings_of(version: PlanVersion) -> list[Finding]:
    """The findings of the last comparison, in order."""
    return list(
        db.session.scalars(sa.select(Finding).where(Finding.version_id == version.id).order_by(Finding.position))
    )


def sentences(version: PlanVersion, findings: Sequence[Finding]) -> list[str]:
    """Each finding as a sentence in the language in force."""
    if not findings:
        return []
    benchmark = db.session.get_one(PlanVersion, findings[0].benchmark_version_id)
    mine, theirs = drafts(version.units), drafts(benchmark.units)
    by_key = {u.key: u.sequence for u in mine}
    theirs_by_key = {u.key: u.sequence for u in theirs}
    return [
        finding_text(
            FindingDraft(
                kind=FindingKind(row.kind),
                severity=Severity(row.severity),
                unit_sequence=by_key.get(row.unit_key),
                benchmark_sequence=theirs_by_key.get(row.benchmark_unit_key),
                params=row.params,
            ),
            mine,
            theirs,
        )
        for row in findings
    ]
