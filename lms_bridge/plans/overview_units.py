"""How classes deal with one unit of a benchmark: the last step of the overview's drill-down."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from lms_bridge.core.database import db
from lms_bridge.plans.findings import FindingKind as Kind
from lms_bridge.plans.lookup import nearest_benchmark
from lms_bridge.plans.models import Finding, PlanKind, PlanUnit, PlanVersion, TeachingPlan, VersionState
from lms_bridge.plans.overview import Pair
from lms_bridge.roster.models import Organisation

_AT_ONCE = 10_000


@dataclass(frozen=True)
class Treatment:
    """How one class deals with a unit of the benchmark: ``kinds`` are the findings that concern it; none: as it
    should be. ``compared`` is false where the class has no plan, or its plan is compared with another benchmark."""

    pair: Pair
    compared: bool
    kinds: tuple[Kind, ...]


def treatments(pairs: Sequence[Pair], unit_key: str) -> list[Treatment]:
    """How those of ``pairs`` whom the benchmark with the unit ``unit_key`` concerns (its subject, grade, term and
    organisation) deal with it."""
    newest = _newest(unit_key)
    if newest is None:
        return []
    plan = newest[0]
    path = db.session.get_one(Organisation, plan.organisation_id).path
    concerned = [
        pair
        for pair in pairs
        if (pair.subject.id, pair.group.grade, pair.group.term_id) == (plan.subject_id, plan.grade, plan.term_id)
        and pair.campus.path.startswith(path)
    ]
    units = db.session.execute(sa.select(PlanUnit.version_id, PlanUnit.sequence).where(PlanUnit.key == unit_key))
    sequences: dict[int, int] = {row[0]: row[1] for row in units}
    kinds = _kinds([pair.version_id for pair in concerned if pair.version_id is not None], unit_key, sequences)
    rivals = _in_force(plan)
    found = []
    for pair in concerned:
        chosen = nearest_benchmark(rivals, pair.campus.path, pair.language or "")
        compared = pair.coverage is not None and chosen is not None and chosen.id in sequences
        found.append(Treatment(pair, compared, tuple(kinds.get(pair.version_id or 0, ())) if compared else ()))
    return found


def unit_title(unit_key: str) -> str | None:
    """What the newest benchmark with this unit calls it; None where no benchmark has it."""
    found = _newest(unit_key)
    return found[1] if found is not None else None


def _newest(unit_key: str) -> tuple[TeachingPlan, str] | None:
    """The benchmark with the unit, and what its newest version calls it."""
    row = db.session.execute(
        sa.select(TeachingPlan, PlanUnit.title)
        .select_from(PlanUnit)
        .join(PlanVersion, PlanVersion.id == PlanUnit.version_id)
        .join(TeachingPlan, TeachingPlan.id == PlanVersion.plan_id)
        .where(PlanUnit.key == unit_key, TeachingPlan.kind == PlanKind.BENCHMARK)
        .order_by(PlanVersion.id.desc())
        .limit(1)
    ).first()
    return (row[0], row[1]) if row is not None else None


def _in_force(plan: TeachingPlan) -> list[PlanVersion]:
    """The benchmarks in force for the subject, grade and term of ``plan``, of all organisations and languages."""
    query = (
        sa.select(PlanVersion)
        .join(TeachingPlan, TeachingPlan.id == PlanVersion.plan_id)
        .where(
            TeachingPlan.kind == PlanKind.BENCHMARK,
            TeachingPlan.withdrawn_at.is_(None),
            TeachingPlan.subject_id == plan.subject_id,
            TeachingPlan.term_id == plan.term_id,
            TeachingPlan.grade == plan.grade,
            PlanVersion.state == VersionState.APPROVED,
        )
        .options(joinedload(PlanVersion.plan))
    )
    return list(db.session.scalars(query))


def _kinds(version_ids: Sequence[int], unit_key: str, sequences: dict[int, int]) -> dict[int, list[Kind]]:
    """The findings about the unit by the version of the plan. ``sequences`` are the unit's places in the versions of
    the benchmark: a finding of merged units names the first by its key, and all by their places."""
    found: defaultdict[int, list[Kind]] = defaultdict(list)
    for start in range(0, len(version_ids), _AT_ONCE):
        rows = db.session.scalars(
            sa.select(Finding)
            .where(
                Finding.version_id.in_(version_ids[start : start + _AT_ONCE]),
                Finding.benchmark_version_id.in_(sequences),
                sa.or_(Finding.benchmark_unit_key == unit_key, Finding.kind == Kind.MERGED.value),
            )
            .order_by(Finding.position)
        )
        for row in rows:
            place = sequences[row.benchmark_version_id or 0]
            if row.benchmark_unit_key == unit_key or place in row.params.get("benchmark_sequences", ()):
                found[row.version_id].append(Kind(row.kind))
    return found
