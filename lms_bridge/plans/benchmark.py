"""Where a teacher's plan departs from the benchmark of the teaching researchers.

Pure: units in, findings out. Units are matched by title and content in any order, one to one or as groups (merged,
split), so a unit that moved is found as moved and not as missing here and extra there.

Severity (a rule of this project, so that a researcher can sort; a bureau's own rule may replace it later):

=========== ==================================================================================================
missing     major; minor where the benchmark gives the unit one period only
extra       minor; info where it takes one period; major where it takes more than a tenth of the benchmark's total
merged      minor
split       info
reordered   minor; info where the unit stands at most one place from where it belongs
shortened   major where half of the periods or more are gone; minor for a quarter or more; else info
lengthened  minor where the unit takes half as much again or more, major where it takes twice as much and at least
            three periods more; else info
objective   major where more than half of the unit's objectives are not named; else minor; info where the whole plan
            names none
=========== ==================================================================================================

What depends on the calendar and the grade is in :mod:`lms_bridge.plans.feasibility`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lms_bridge.plans.alignment import longest_increasing, match
from lms_bridge.plans.findings import FindingDraft, FindingKind, Severity
from lms_bridge.plans.groups import Side, find_by_content, find_groups
from lms_bridge.plans.objectives import uncovered_objectives
from lms_bridge.plans.similarity import THRESHOLD, fingerprint
from lms_bridge.plans.units import UnitDraft


@dataclass(frozen=True, slots=True)
class MatchedPair:
    """A unit of the plan and the unit of the benchmark that it is; ``likeness`` from the threshold up to 1."""

    unit_sequence: int
    benchmark_sequence: int
    likeness: float


@dataclass(frozen=True, slots=True)
class Match:
    """What of the plan is what of the benchmark, as positions (from 0) in both: one to one, or one to several."""

    ours: tuple[int, ...]
    theirs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """All findings, in the order of the benchmark, then extra units in the order of the plan.

    ``coverage`` is the share of the benchmark's periods that the plan teaches, from 0 to 1: a shortened unit counts
    with the periods that are left, a lengthened one not more than once. ``pairs`` says which unit is which, one to
    one: of a group the unit that is most alike. ``matches`` has the groups whole.
    """

    findings: tuple[FindingDraft, ...]
    coverage: float
    pairs: tuple[MatchedPair, ...] = ()
    matches: tuple[Match, ...] = ()


def compare(plan: Sequence[UnitDraft], benchmark: Sequence[UnitDraft]) -> Comparison:
    """Compare ``plan`` with ``benchmark``; either may be empty."""
    ours = Side(plan, [fingerprint(unit) for unit in plan])
    theirs = Side(benchmark, [fingerprint(unit) for unit in benchmark])
    likeness = [[unit.like(other) for unit in ours.prints] for other in theirs.prints]
    matches = _matches(ours, theirs, likeness)
    moved = _moved(matches)
    findings: list[FindingDraft] = []
    by_first = {m.theirs[0]: m for m in matches}
    covered = {index for m in matches for index in m.theirs}
    any_objectives = any(unit.objectives for unit in plan)
    for index, reference in enumerate(benchmark):
        if index not in covered:
            findings.append(_missing(reference))
        elif index in by_first:
            found = by_first[index]
            findings += _grouped(found, plan, benchmark)
            if found in moved:
                findings.append(_reordered(found, matches, moved, plan, benchmark))
            findings += _other_length(found, plan, benchmark)
            if any_objectives:
                findings += _objectives(found, plan, benchmark)
    if plan and not any_objectives and any(benchmark[i].objectives for i in covered):
        findings.append(FindingDraft(FindingKind.OBJECTIVE, Severity.INFO, None, None, {"none": True}))
    total = sum(reference.periods for reference in benchmark)
    matched = {index for m in matches for index in m.ours}
    findings += [_extra(unit, total) for index, unit in enumerate(plan) if index not in matched]
    taught = sum(min(_periods(plan, m.ours), _periods(benchmark, m.theirs)) for m in matches)
    return Comparison(
        findings=tuple(findings),
        coverage=taught / total if total else 1.0,
        pairs=tuple(_pair(m, plan, benchmark, likeness) for m in matches),
        matches=tuple(matches),
    )


def _matches(ours: Side, theirs: Side, likeness: Sequence[Sequence[float]]) -> list[Match]:
    """Groups that titles show, then the best one-to-one matching of the rest, then groups that contents show."""
    turned = [[row[column] for row in likeness] for column in range(len(ours.units))]
    merged = find_groups(ours, theirs, turned)
    split = find_groups(theirs, ours, likeness)
    matches = [Match((g.one,), g.many) for g in merged]
    used_ours = {g.one for g in merged}
    used_theirs = {index for g in merged for index in g.many}
    for group in split:
        if group.one not in used_theirs and used_ours.isdisjoint(group.many):
            matches.append(Match(group.many, (group.one,)))
            used_theirs.add(group.one)
            used_ours.update(group.many)
    rows = [index for index in range(len(theirs.units)) if index not in used_theirs]
    columns = [index for index in range(len(ours.units)) if index not in used_ours]
    pairs = match([[likeness[row][column] for column in columns] for row in rows], THRESHOLD)
    partner = {columns[column]: rows[row] for row, column in pairs}
    free_ours = [column for column in columns if column not in partner]
    free_theirs = [row for row in rows if row not in partner.values()]
    for group in find_by_content(ours, theirs, partner, free_ours, free_theirs):
        matches.append(Match((group.one,), group.many))
        partner.pop(group.one, None)
        free_ours = [index for index in free_ours if index != group.one]
        free_theirs = [index for index in free_theirs if index not in group.many]
    back = {row: column for column, row in partner.items()}
    for group in find_by_content(theirs, ours, back, free_theirs, free_ours):
        matches.append(Match(group.many, (group.one,)))
        back.pop(group.one, None)
    matches += [Match((column,), (row,)) for row, column in back.items()]
    return sorted(matches, key=lambda m: m.theirs)


def _moved(matches: Sequence[Match]) -> set[Match]:
    kept = longest_increasing([m.ours[0] for m in matches])
    return {m for index, m in enumerate(matches) if index not in kept}


def _pair(
    found: Match, plan: Sequence[UnitDraft], benchmark: Sequence[UnitDraft], likeness: Sequence[Sequence[float]]
) -> MatchedPair:
    """The most alike of a match; of equals the first."""
    score, row, column = max(
        ((likeness[row][column], row, column) for row in found.theirs for column in found.ours),
        key=lambda entry: (entry[0], -entry[1], -entry[2]),
    )
    return MatchedPair(plan[column].sequence, benchmark[row].sequence, score)


def _periods(units: Sequence[UnitDraft], indices: Sequence[int]) -> int:
    return sum(units[index].periods for index in indices)


def _titles(units: Sequence[UnitDraft], indices: Sequence[int]) -> list[str]:
    return [units[index].title for index in indices]


def _sequences(units: Sequence[UnitDraft], indices: Sequence[int]) -> list[int]:
    return [units[index].sequence for index in indices]


# --- findings


def _missing(reference: UnitDraft) -> FindingDraft:
    severity = Severity.MINOR if reference.periods == 1 else Severity.MAJOR
    params = {"benchmark_title": reference.title, "benchmark_periods": reference.periods}
    return FindingDraft(FindingKind.MISSING, severity, None, reference.sequence, params)


def _extra(unit: UnitDraft, total: int) -> FindingDraft:
    severity = Severity.INFO if unit.periods == 1 else Severity.MINOR
    if unit.periods > 1 and unit.periods * 10 > total:
        severity = Severity.MAJOR
    params = {"title": unit.title, "periods": unit.periods}
    return FindingDraft(FindingKind.EXTRA, severity, unit.sequence, None, params)


def _grouped(found: Match, plan: Sequence[UnitDraft], benchmark: Sequence[UnitDraft]) -> list[FindingDraft]:
    if len(found.ours) == len(found.theirs) == 1:
        return []
    merged = len(found.theirs) > 1
    params: dict[str, Any] = {
        "title": plan[found.ours[0]].title,
        "benchmark_title": benchmark[found.theirs[0]].title,
        "titles": _titles(plan, found.ours),
        "benchmark_titles": _titles(benchmark, found.theirs),
        "unit_sequences": _sequences(plan, found.ours),
        "benchmark_sequences": _sequences(benchmark, found.theirs),
    }
    return [
        FindingDraft(
            FindingKind.MERGED if merged else FindingKind.SPLIT,
            Severity.MINOR if merged else Severity.INFO,
            plan[found.ours[0]].sequence,
            benchmark[found.theirs[0]].sequence,
            params,
        )
    ]


def _reordered(
    found: Match,
    matches: Sequence[Match],
    moved: set[Match],
    plan: Sequence[UnitDraft],
    benchmark: Sequence[UnitDraft],
) -> FindingDraft:
    """A unit taught out of turn: where it stands among the matched units, and after which one it belongs."""
    unit, reference = plan[found.ours[0]], benchmark[found.theirs[0]]
    # Places are counted among the matched units only, so that missing and extra ones do not shift them.
    here = sorted(m.ours[0] for m in matches).index(found.ours[0])
    there = matches.index(found)
    before = [m.theirs[-1] for m in matches[:there] if m not in moved]
    params: dict[str, Any] = {
        "title": unit.title,
        "benchmark_title": reference.title,
        "places": abs(here - there),
        "earlier": here < there,
    }
    if before:
        params |= {"after": benchmark[before[-1]].title, "after_sequence": benchmark[before[-1]].sequence}
    severity = Severity.INFO if abs(here - there) <= 1 else Severity.MINOR
    return FindingDraft(FindingKind.REORDERED, severity, unit.sequence, reference.sequence, params)


def _other_length(found: Match, plan: Sequence[UnitDraft], benchmark: Sequence[UnitDraft]) -> list[FindingDraft]:
    periods, reference = _periods(plan, found.ours), _periods(benchmark, found.theirs)
    if periods == reference:
        return []
    params: dict[str, Any] = {
        "title": plan[found.ours[0]].title,
        "benchmark_title": benchmark[found.theirs[0]].title,
        "periods": periods,
        "benchmark_periods": reference,
    }
    if len(found.ours) > 1:
        params["titles"] = _titles(plan, found.ours)
    shortened = periods < reference
    return [
        FindingDraft(
            FindingKind.SHORTENED if shortened else FindingKind.LENGTHENED,
            (_shortening if shortened else _lengthening)(periods, reference),
            plan[found.ours[0]].sequence,
            benchmark[found.theirs[0]].sequence,
            params,
        )
    ]


def _shortening(periods: int, reference: int) -> Severity:
    gone = reference - periods
    if gone * 2 >= reference:
        return Severity.MAJOR
    return Severity.MINOR if gone * 4 >= reference else Severity.INFO


def _lengthening(periods: int, reference: int) -> Severity:
    more = periods - reference
    if more >= reference and more >= 3:
        return Severity.MAJOR
    return Severity.MINOR if more * 2 >= reference else Severity.INFO


def _objectives(found: Match, plan: Sequence[UnitDraft], benchmark: Sequence[UnitDraft]) -> list[FindingDraft]:
    wanted, lacking = uncovered_objectives([plan[i] for i in found.ours], [benchmark[i] for i in found.theirs])
    if not lacking:
        return []
    params = {
        "title": plan[found.ours[0]].title,
        "benchmark_title": benchmark[found.theirs[0]].title,
        "objectives": lacking,
        "of": wanted,
    }
    severity = Severity.MAJOR if 2 * len(lacking) > wanted else Severity.MINOR
    return [
        FindingDraft(
            FindingKind.OBJECTIVE, severity, plan[found.ours[0]].sequence, benchmark[found.theirs[0]].sequence, params
        )
    ]
