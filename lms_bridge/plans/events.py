"""Facts that plans announce to the packages above, within the transaction of the change."""

from __future__ import annotations

from dataclasses import dataclass

from lms_bridge.core.events import Event


@dataclass(frozen=True)
class PlanReviewed(Event):
    """A version was approved or returned."""

    plan_id: int
    version_id: int
    approved: bool
