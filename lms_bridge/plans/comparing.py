"""Compares a stored version with its benchmark and keeps the findings of the pair."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from lms_bridge.calendar.days import teaching_weeks
from lms_bridge.calendar.limits import limits_for
from lms_bridge.core.database import db
from lms_bridge.plans.benchmark import compare
from lms_bridge.plans.feasibility import Circumstances, feasibility
from lms_bridge.plans.findings import FindingDraft, FindingKind, Severity
from lms_bridge.plans.lookup import benchmark_for
from lms_bridge.plans.models import Finding, PlanUnit, PlanVersion, TeachingPlan
from lms_bridge.plans.sentences import finding_text
from lms_bridge.plans.units import UnitDraft
from lms_bridge.roster.models import Organisation, Term

DRAFT_FIELDS = (
    "sequence", "title", "periods", "content", "objectives", "key_points", "methods", "homework", "materials",
    "remarks", "week_from", "week_to", "date_from", "date_to", "key", "provenance",
    "online_possible", "online_alternative",
)  # fmt: skip


def drafts(units: Sequence[PlanUnit]) -> list[UnitDraft]:
    """Stored units as plain values."""
    return [
        UnitDraft(**{name: getattr(unit, name) for name in DRAFT_FIELDS}, assumed=tuple(unit.assumed or ()))
        for unit in units
    ]


def circumstances_of(plan: TeachingPlan) -> Circumstances:
    """The calendar of the plan's campus in its term, and the limits of its grade."""
    campus = db.session.get_one(Organisation, plan.organisation_id)
    term = db.session.get_one(Term, plan.term_id)
    return Circumstances(teaching_weeks(campus, term), limits_for(campus, plan.grade), plan.grade)


def compare_draft(plan: TeachingPlan, units: Sequence[UnitDraft]) -> list[FindingDraft] | None:
    """What comparing ``units`` with the benchmark of ``plan`` (which need not be stored) would find; stores nothing.
    None: there is no benchmark."""
    benchmark = benchmark_for(plan)
    if benchmark is None:
        return None
    mine, theirs = list(units), drafts(benchmark.units)
    comparison = compare(mine, theirs)
    return [*comparison.findings, *feasibility(mine, theirs, comparison.matches, circumstances_of(plan))]


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
    found_all = [
        *comparison.findings,
        *feasibility(drafts(mine), drafts(theirs), comparison.matches, circumstances_of(version.plan)),
    ]
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
        for position, found in enumerate(found_all, start=1)
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


def as_draft(version: PlanVersion, finding: Finding) -> FindingDraft:
    """A stored finding of ``version`` as a plain value, with the places that its units have today."""
    benchmark = db.session.get_one(PlanVersion, finding.benchmark_version_id)
    ours = {unit.key: unit.sequence for unit in version.units}
    theirs = {unit.key: unit.sequence for unit in benchmark.units}
    return FindingDraft(
        kind=FindingKind(finding.kind),
        severity=Severity(finding.severity),
        unit_sequence=ours.get(finding.unit_key or ""),
        benchmark_sequence=theirs.get(finding.benchmark_unit_key or ""),
        params=finding.params,
    )


def sentences(version: PlanVersion, findings: Sequence[Finding]) -> list[str]:
    """Each finding as a sentence in the language in force."""
    if not findings:
        return []
    benchmark = db.session.get_one(PlanVersion, findings[0].benchmark_version_id)
    mine, theirs = drafts(version.units), drafts(benchmark.units)
    return [finding_text(as_draft(version, row), mine, theirs) for row in findings]
