"""What becomes of a teacher's own words when a unit is divided into several of the benchmark: none is lost. Pure.

Each line or sentence of content, objectives and key points goes to the part that it fits best (where none, to the
first); methods, materials and the online alternative stand in every part; homework and remarks stay with the first. A
field that the teacher left empty comes from the benchmark's unit, and so does one of a part to which no line went.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from lms_bridge.plans.similarity import Text, prepare
from lms_bridge.plans.units import UnitDraft

_BY_LINE = ("content", "objectives", "key_points")
_IN_ALL = ("methods", "materials", "online_alternative")
_IN_FIRST = ("homework", "remarks")
_LINE = re.compile(r"[^\n；;。]+[\n；;。]*")


def divided_texts(unit: UnitDraft, parts: Sequence[UnitDraft]) -> list[dict[str, str]]:
    """For each of ``parts`` (units of the benchmark) the fields that it has of ``unit``; others stay as they are."""
    found: list[dict[str, str]] = [{} for _ in parts]
    about = [[prepare(text) for text in (part.title, part.content, part.objectives, part.key_points)] for part in parts]
    for name in _BY_LINE:
        for line in _LINE.findall(getattr(unit, name)):
            part = found[_best(prepare(line), about)]
            part[name] = part.get(name, "") + line
    for name in _IN_ALL:
        if text := getattr(unit, name):
            for part in found:
                part[name] = text
    for name in _IN_FIRST:
        if text := getattr(unit, name):
            found[0][name] = text
    return [{name: text.strip("\n") for name, text in part.items()} for part in found]


def _best(line: Text, about: Sequence[Sequence[Text]]) -> int:
    """Which part a line shares most with: by what of the line's pieces stands there; of equals the first."""
    scores = [max((line.pieces & text.pieces).total() for text in texts) for texts in about]
    return scores.index(max(scores))
