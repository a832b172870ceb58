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

ACCEPTED, REFUSED = "accepted", "refused"
"""What an author answers to the proposal of a finding."""

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


def benchmark_of(finding: Finding) -> PlanVersion | None:
    """The benchmark version that a finding came from."""
    known = finding.benchmark_version_id
    return db.session.get(PlanVersion, known) if known is not None else None


def compare_draft(plan: TeachingPlan, units: Sequence[UnitDraft]) -> list[FindingDraft]:
    """What :func:`compare_version` would find in ``units`` as a version of ``plan`` (which need not be stored); stores
    nothing."""
    benchmark = benchmark_for(plan)
    return _compared(plan, units, drafts(benchmark.units) if benchmark is not None else None)[0]


def _compared(
    plan: TeachingPlan, mine: Sequence[UnitDraft], theirs: Sequence[UnitDraft] | None
) -> tuple[list[FindingDraft], float | None]:
    """All findings and the coverage; without a benchmark only what calendar, grade and online teaching ask."""
    around = circumstances_of(plan)
    if theirs is None:
        return feasibility(mine, (), (), around), None
    comparison = compare(mine, theirs)
    return [*comparison.findings, *feasibility(mine, theirs, comparison.matches, around)], comparison.coverage


def compare_version(version: PlanVersion, *, earlier: Sequence[Finding] = ()) -> list[Finding]:
    """Compare ``version`` with the benchmark in force, replacing the findings of an earlier comparison; without a
    benchmark the coverage is unknown, and only what calendar, grade and online teaching ask is found.

    What the author refused of the findings before, or of those ``earlier`` (of another version), stays refused where
    it is found again.
    """
    benchmark = benchmark_for(version.plan)
    refused = {
        (f.kind, f.unit_key, f.benchmark_unit_key): (f.answer, f.answer_words, f.answered_by_id, f.answered_at)
        for f in (*earlier, *findings_of(version))
        if f.answer == REFUSED
    }
    db.session.execute(sa.delete(Finding).where(Finding.version_id == version.id))
    theirs = list(benchmark.units) if benchmark is not None else None
    found, version.coverage = _compared(
        version.plan, drafts(version.units), drafts(theirs) if theirs is not None else None
    )
    keys = {unit.sequence: unit.key for unit in version.units}
    benchmark_keys = {unit.sequence: unit.key for unit in theirs or ()}
    rows = []
    for position, draft in enumerate(found, start=1):
        row = Finding(
            version_id=version.id,
            benchmark_version_id=benchmark.id if benchmark is not None else None,
            position=position,
            kind=draft.kind.value,
            severity=draft.severity.value,
            unit_key=keys.get(draft.unit_sequence or 0),
            benchmark_unit_key=benchmark_keys.get(draft.benchmark_sequence or 0),
            params=dict(draft.params),
        )
        known = refused.get((row.kind, row.unit_key, row.benchmark_unit_key))
        if known is not None:
            row.answer, row.answer_words, row.answered_by_id, row.answered_at = known
        rows.append(row)
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
    benchmark = benchmark_of(finding)
    ours = {unit.key: unit.sequence for unit in version.units}
    theirs = {unit.key: unit.sequence for unit in benchmark.units} if benchmark is not None else {}
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
    benchmark = benchmark_of(findings[0])
    mine, theirs = drafts(version.units), drafts(benchmark.units) if benchmark is not None else []
    return [finding_text(as_draft(version, row), mine, theirs) for row in findings]
