"""The units of a version that is made of a document, beside those of the version before."""

from __future__ import annotations

from collections.abc import Sequence

from lms_bridge.core.ids import new_uid
from lms_bridge.plans.benchmark import compare
from lms_bridge.plans.comparing import drafts
from lms_bridge.plans.models import PlanUnit, PlanVersion
from lms_bridge.plans.units import UNIT_FIELDS, UnitDraft


def unit_rows(units: Sequence[UnitDraft], earlier: PlanVersion | None, *, online_stays: bool) -> list[PlanUnit]:
    """Rows for the units; those that are the same as in ``earlier`` keep its key, and with ``online_stays`` what was
    said there of teaching them online."""
    same = _same(units, earlier.units if earlier is not None else ())
    rows = []
    for unit in units:
        row = PlanUnit(**{name: getattr(unit, name) for name in UNIT_FIELDS}, assumed=list(unit.assumed))
        known = same.get(unit.sequence)
        row.key = known.key if known is not None else new_uid()
        if known is not None and online_stays:
            row.online_possible = known.online_possible
            row.online_alternative = known.online_alternative
        if unit.online_alternative or not unit.online_possible:
            row.online_possible, row.online_alternative = unit.online_possible, unit.online_alternative
        rows.append(row)
    return rows


def _same(units: Sequence[UnitDraft], earlier: Sequence[PlanUnit]) -> dict[int, PlanUnit]:
    """By place, the earlier unit that each one is: the one whose key the document carries (an exported plan that came
    back), else the one that it resembles."""
    if not earlier:
        return {}
    by_key = {unit.key: unit for unit in earlier}
    same = {unit.sequence: by_key[unit.key] for unit in units if unit.key in by_key}
    claimed = {unit.key for unit in same.values()}
    before = {unit.sequence: unit for unit in earlier}
    for pair in compare(units, drafts(earlier)).pairs:
        known = before[pair.benchmark_sequence]
        if pair.unit_sequence not in same and known.key not in claimed:
            same[pair.unit_sequence] = known
    return same


def says_the_same(units: Sequence[UnitDraft], version: PlanVersion) -> bool:
    """Whether a version made of ``units`` after ``version`` would say what ``version`` says."""
    rows = unit_rows(units, version, online_stays=True)
    return [_said(row) for row in rows] == [_said(row) for row in version.units]


def _said(row: PlanUnit) -> list[object]:
    names = (*UNIT_FIELDS, "key", "online_alternative")
    return [*(getattr(row, name) for name in names), row.online_possible is not False, sorted(row.assumed or ())]
