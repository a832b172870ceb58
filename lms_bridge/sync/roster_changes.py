"""What a run of the exchange of people and enrolments found and did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from lms_bridge.core.errors import BridgeError

LISTED = 50

Watch = Callable[[int, int | None], None]
"""Told how many of how many are done (None: not known yet)."""


@dataclass
class RosterChanges:
    """What a run found and did (or, as a dry run, would do)."""

    courses: int = 0
    cohorts: int = 0
    unmatched_courses: list[str] = field(default_factory=list)
    people_made: int = 0
    people_matched: int = 0
    people_changed: int = 0
    people_unmatched: int = 0
    enrolments_new: int = 0
    enrolments_ended: int = 0
    enrolments_kept_back: int = 0
    """Endings that wait for a person's word."""
    courses_made: int = 0
    enrolments_sent: int = 0
    problems: list[BridgeError] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The counts as plain JSON."""
        return {
            name: value[:LISTED] if isinstance(value, list) else value
            for name, value in vars(self).items()
            if name != "problems"
        }
