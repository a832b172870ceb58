"""What a timetable costs, item by item in words: how often each wish is not met, and what that counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lms_bridge.core.i18n import N_, gettext
from lms_bridge.timetable.solving.effort import Stage
from lms_bridge.timetable.solving.problem import Weights

WORDS = {
    "moved": N_("People whose lessons leave their slot in the timetable in force"),
    "same_day": N_("Periods of a subject on a day on which the class has it already"),
    "uneven": N_("Periods on days that are fuller than a class's others"),
    "gap": N_("Free periods of a class before its last lesson of the day"),
    "late": N_("Periods by which lessons begin after the first of the day"),
    "preferred": N_("Periods outside the preferred part of the day"),
    "apart": N_("Lessons at the same time in families that share a device or a parent who teaches"),
    "dropped": N_("Periods that found no place"),
}

STAGES = {
    Stage.READING: N_("Reading plans and rules"),
    Stage.FIRST: N_("Looking for a first timetable"),
    Stage.CHANGING: N_("Keeping close to the timetable in force"),
    Stage.IMPROVING: N_("Making the timetable better"),
    Stage.EXPLAINING: N_("Finding out why there is none"),
}


@dataclass(frozen=True, slots=True)
class Item:
    """One wish: its words, how often it is not met, and what that costs altogether."""

    name: str
    words: str
    count: int
    cost: int

    def as_dict(self) -> dict[str, Any]:
        """The item as plain JSON."""
        return {"name": self.name, "words": self.words, "count": self.count, "cost": self.cost}


def itemised(costs: Mapping[str, int], weights: Weights | None = None) -> list[Item]:
    """The wishes that a timetable does not meet in full, the dearest first, in the language in force."""
    weights = weights or Weights()
    found = [
        Item(name, gettext(WORDS[name]) if name in WORDS else name, cost // max(1, getattr(weights, name, 1)), cost)
        for name, cost in costs.items()
        if cost
    ]
    return sorted(found, key=lambda item: (-item.cost, item.name))


def stage_words(stage: str) -> str:
    """What a search is at, in the language in force."""
    known = {key.value: words for key, words in STAGES.items()}
    return gettext(known[stage]) if stage in known else stage
