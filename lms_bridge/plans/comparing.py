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
    it is found again. What the author accepted of this version stays accepted where the same is found again and the
    benchmark's unit is still what it was: an acceptance is of the proposal that was seen.
    """
    benchmark = benchmark_for(version.plan)
    before = findings_of(version)
    answered = {_subject(f): f for f in (*earlier, *before) if f.answer == REFUSED}
    accepted = {_subject(f): f for f in before if f.answer == ACCEPTED}
    theirs = list(benchmark.units) if benchmark is not None else None
    accepted = {key: f for key, f in accepted.items() if _same_benchmark_unit(f, theirs or ())}
    db.session.execute(sa.delete(Finding).where(Finding.version_id == version.id))
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
        known = answered.get(_subject(row))
        if known is None and (same := accepted.get(_subject(row))) is not None and same.params == row.params:
            known = same
        if known is not None:
            row.answer, row.answer_words = known.answer, known.answer_words
            row.answered_by_id, row.answered_at = known.answered_by_id, known.answered_at
        rows.append(row)
    db.session.add_all(rows)
    db.session.flush()
    return rows


def _subject(finding: Finding) -> tuple[str, str | None, str | None]:
    return finding.kind, finding.unit_key, finding.benchmark_unit_key


def _same_benchmark_unit(finding: Finding, theirs: Sequence[PlanUnit]) -> bool:
    """Whether the benchmark's unit that a finding is about says the same in the benchmark ``theirs``."""
    if finding.benchmark_unit_key is None:
        return True
    earlier = benchmark_of(finding)
    units = [*(earlier.units if earlier is not None else ()), *theirs]
    said = [
        [getattr(unit, name) for name in DRAFT_FIELDS if name not in ("sequence", "provenance")]
        for unit in units
        if unit.key == finding.benchmark_unit_key
    ]
    return len(said) == 2 and said[0] == said[1]


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
