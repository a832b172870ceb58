"""What a comparison finds: kinds, severities, and one finding as a plain value."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from lms_bridge.core.i18n import N_, gettext


class FindingKind(StrEnum):
    """How a plan departs from its benchmark, from the school's calendar, or from what can be taught online."""

    MISSING = "missing"
    EXTRA = "extra"
    MERGED = "merged"
    """Several units of the benchmark are one in the plan."""
    SPLIT = "split"
    """One unit of the benchmark is several in the plan."""
    REORDERED = "reordered"
    SHORTENED = "shortened"
    LENGTHENED = "lengthened"
    OBJECTIVE = "objective"
    """Objectives of the benchmark that the plan's unit does not name."""
    PACE = "pace"
    """Ahead of the benchmark or behind it at a date."""
    TOTAL = "total"
    """More or fewer periods than the calendar leaves."""
    WEEK = "week"
    """More periods in a week than its school days have."""
    HOMEWORK = "homework"
    SCREEN = "screen"
    """More time before a screen at a stretch than the grade may have."""
    OFFLINE = "offline"
    """The unit cannot be taught online as it is."""

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

    @property
    def rank(self) -> int:
        """0 for the least severe."""
        return list(Severity).index(self)


_KIND_LABELS = {
    FindingKind.MISSING: N_("Missing unit"),
    FindingKind.EXTRA: N_("Extra unit"),
    FindingKind.MERGED: N_("Merged units"),
    FindingKind.SPLIT: N_("Split unit"),
    FindingKind.REORDERED: N_("Out of order"),
    FindingKind.SHORTENED: N_("Fewer periods"),
    FindingKind.LENGTHENED: N_("More periods"),
    FindingKind.OBJECTIVE: N_("Objective not covered"),
    FindingKind.PACE: N_("Pace"),
    FindingKind.TOTAL: N_("Total of periods"),
    FindingKind.WEEK: N_("Too much in a week"),
    FindingKind.HOMEWORK: N_("Too much homework"),
    FindingKind.SCREEN: N_("Too long before a screen"),
    FindingKind.OFFLINE: N_("Not possible online"),
}
_SEVERITY_LABELS = {
    Severity.INFO: N_("For information"),
    Severity.MINOR: N_("Minor"),
    Severity.MAJOR: N_("Major"),
}


@dataclass(frozen=True, slots=True)
class FindingDraft:
    """One departure. ``unit_sequence`` is the place in the plan, ``benchmark_sequence`` that in the benchmark; where
    units are merged or split they are the first of the group, and ``params`` has all of them.

    ``params`` are plain JSON: the titles (``title``, ``benchmark_title``) and numbers that the sentence needs.
    """

    kind: FindingKind
    severity: Severity
    unit_sequence: int | None
    benchmark_sequence: int | None
    params: dict[str, Any] = field(default_factory=dict, hash=False)
