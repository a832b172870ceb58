"""Where a teacher's plan departs from the benchmark of the teaching researchers.

Pure: units in, findings out. Units are matched one to one by title and content in any order, so a unit that moved is
found as moved and not as missing here and extra there.

Severity (a rule of this project, so that a researcher can sort; a bureau's own rule may replace it later):

=========== ==================================================================================================
missing     major; minor where the benchmark gives the unit one period only
extra       minor; info where it takes one period; major where it takes more than a tenth of the benchmark's total
reordered   minor; info where the unit stands at most one place from where it belongs
shortened   major where half of the periods or more are gone; minor for a quarter or more; else info
lengthened  minor where the unit takes half as much again or more, major where it takes twice as much and at least
            three periods more; else info
=========== ==================================================================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from lms_bridge.core.i18n import N_, gettext, ngettext
from lms_bridge.plans.alignment import longest_increasing, match
from lms_bridge.plans.similarity import THRESHOLD, fingerprint
from lms_bridge.plans.units import UnitDraft


class FindingKind(StrEnum):
    """How a plan departs from its benchmark."""

    MISSING = "missing"
    EXTRA = "extra"
    REORDERED = "reordered"
    SHORTENED = "shortened"
    LENGTHENED = "lengthened"

    def label(self) -> str:
        """A short name for lists and filters, in the language in force."""
        return gettext(_KIND_LABELS[self])


class Severity(StrEnum):
    """How much a finding matters; the members stand in rising order."""

    INFO = "info"
    MINOR = "minor"
    MAJOR = "major"

    def label(self) -> str:
        """A short name for lists and filters, in the language in force."""
        return gettext(_SEVERITY_LABELS[self])


_KIND_LABELS = {
    FindingKind.MISSING: N_("Missing unit"),
    FindingKind.EXTRA: N_("Extra unit"),
    FindingKind.REORDERED: N_("Out of order"),
    FindingKind.SHORTENED: N_("Fewer periods"),
    FindingKind.LENGTHENED: N_("More periods"),
}
_SEVERITY_LABELS = {
    Severity.INFO: N_("For information"),
    Severity.MINOR: N_("Minor"),
    Severity.MAJOR: N_("Major"),
}


@dataclass(frozen=True, slots=True)
class FindingDraft:
    """One departure. ``unit_sequence`` is the place in the plan, ``benchmark_sequence`` that in the benchmark.

    ``params`` are plain JSON: the titles (``title``, ``benchmark_title``) and numbers that the sentence needs.
    """

    kind: FindingKind
    severity: Severity
    unit_sequence: int | None
    benchmark_sequence: int | None
    params: dict[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class MatchedPair:
    """A unit of the plan and the unit of the benchmark that it is; ``likeness`` from the threshold up to 1."""

    unit_sequence: int
    benchmark_sequence: int
    likeness: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """All findings, in the order of the benchmark, then extra units in the order of the plan.

    ``coverage`` is the share of the benchmark's periods that the plan teaches, from 0 to 1: a shortened unit counts
    with the periods that are left, a lengthened one not more than once. ``pairs`` says which unit is which.
    """

    findings: tuple[FindingDraft, ...]
    coverage: float
    pairs: tuple[MatchedPair, ...] = ()


def compare(plan: Sequence[UnitDraft], benchmark: Sequence[UnitDraft]) -> Comparison:
    """Compare ``plan`` with ``benchmark``; either may be empty."""
    ours = [fingerprint(unit) for unit in plan]
    theirs = [fingerprint(unit) for unit in benchmark]
    likeness = [[unit.like(other) for unit in ours] for other in theirs]
    pairs = match(likeness, THRESHOLD)
    partner = dict(pairs)
    kept = longest_increasing([position for _, position in pairs])
    moved = {pair[0] for index, pair in enumerate(pairs) if index not in kept}
    findings: list[FindingDraft] = []
    for index, reference in enumerate(benchmark):
        if index not in partner:
            findings.append(_missing(reference))
            continue
        unit = plan[partner[index]]
        if index in moved:
            findings.append(_reordered(index, pairs, moved, plan, benchmark))
        if unit.periods != reference.periods:
            findings.append(_other_length(unit, reference))
    total = sum(reference.periods for reference in benchmark)
    matched = set(partner.values())
    findings += [_extra(unit, total) for index, unit in enumerate(plan) if index not in matched]
    taught = sum(min(plan[ours_].periods, benchmark[theirs_].periods) for theirs_, ours_ in pairs)
    return Comparison(
        findings=tuple(findings),
        coverage=taught / total if total else 1.0,
        pairs=tuple(
            MatchedPair(plan[column].sequence, benchmark[row].sequence, likeness[row][column]) for row, column in pairs
        ),
    )


def finding_text(finding: FindingDraft, plan: Sequence[UnitDraft] = (), benchmark: Sequence[UnitDraft] = ()) -> str:
    """The finding as a sentence in the language in force.

    Titles are those of the units given, where they are, else those that stood in the plans when they were compared.
    """
    params = dict(finding.params)
    own = {unit.sequence: unit.title for unit in plan}
    if finding.unit_sequence in own:
        params["title"] = own[finding.unit_sequence]
    titles = {unit.sequence: unit.title for unit in benchmark}
    if finding.benchmark_sequence in titles:
        params["benchmark_title"] = titles[finding.benchmark_sequence]
    if params.get("after_sequence") in titles:
        params["after"] = titles[params["after_sequence"]]
    return _SENTENCES[finding.kind](params)


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


def _reordered(
    index: int,
    pairs: Sequence[tuple[int, int]],
    moved: set[int],
    plan: Sequence[UnitDraft],
    benchmark: Sequence[UnitDraft],
) -> FindingDraft:
    """A unit taught out of turn: where it stands among the matched units, and after which one it belongs."""
    unit, reference = plan[dict(pairs)[index]], benchmark[index]
    # Places are counted among the matched units only, so that missing and extra ones do not shift them.
    here = sorted(column for _, column in pairs).index(dict(pairs)[index])
    there = [row for row, _ in pairs].index(index)
    before = [row for row, _ in pairs if row < index and row not in moved]
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


def _other_length(unit: UnitDraft, reference: UnitDraft) -> FindingDraft:
    params = {
        "title": unit.title,
        "benchmark_title": reference.title,
        "periods": unit.periods,
        "benchmark_periods": reference.periods,
    }
    shortened = unit.periods < reference.periods
    kind = FindingKind.SHORTENED if shortened else FindingKind.LENGTHENED
    severity = (_shortening if shortened else _lengthening)(unit.periods, reference.periods)
    return FindingDraft(kind, severity, unit.sequence, reference.sequence, params)


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


# --- sentences


def _missing_text(p: dict[str, Any]) -> str:
    return ngettext(
        "“%(benchmark_title)s” (%(n)s period in the benchmark) is missing from the plan.",
        "“%(benchmark_title)s” (%(n)s periods in the benchmark) is missing from the plan.",
        p["benchmark_periods"],
        benchmark_title=p["benchmark_title"],
    )


def _extra_text(p: dict[str, Any]) -> str:
    return ngettext(
        "“%(title)s” (%(n)s period) is in the plan but not in the benchmark.",
        "“%(title)s” (%(n)s periods) is in the plan but not in the benchmark.",
        p["periods"],
        title=p["title"],
    )


def _reordered_text(p: dict[str, Any]) -> str:
    title, after = p["title"], p.get("after")
    if after is None:
        return gettext("“%(title)s” comes later in the plan; in the benchmark it comes first.", title=title)
    if p["earlier"]:
        return gettext(
            "“%(title)s” comes earlier in the plan than in the benchmark, where it follows “%(after)s”.",
            title=title,
            after=after,
        )
    return gettext(
        "“%(title)s” comes later in the plan than in the benchmark, where it follows “%(after)s”.",
        title=title,
        after=after,
    )


def _shortened_text(p: dict[str, Any]) -> str:
    return gettext(
        "“%(title)s” has %(periods)s periods; the benchmark gives it %(benchmark_periods)s (%(difference)s fewer).",
        title=p["title"],
        periods=p["periods"],
        benchmark_periods=p["benchmark_periods"],
        difference=p["benchmark_periods"] - p["periods"],
    )


def _lengthened_text(p: dict[str, Any]) -> str:
    return gettext(
        "“%(title)s” has %(periods)s periods; the benchmark gives it %(benchmark_periods)s (%(difference)s more).",
        title=p["title"],
        periods=p["periods"],
        benchmark_periods=p["benchmark_periods"],
        difference=p["periods"] - p["benchmark_periods"],
    )


_SENTENCES = {
    FindingKind.MISSING: _missing_text,
    FindingKind.EXTRA: _extra_text,
    FindingKind.REORDERED: _reordered_text,
    FindingKind.SHORTENED: _shortened_text,
    FindingKind.LENGTHENED: _lengthened_text,
}
