"""Whether a plan's unit names the objectives that the benchmark gives it. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rapidfuzz import fuzz

from lms_bridge.plans.similarity import Text, prepare
from lms_bridge.plans.units import UnitDraft

_ENDS = re.compile(
    r"[\n；;。！!?？]|(?<=[^\d])\.(?=\s|$)|(?<!\d)(?:\d{1,2}|[一二三四五六七八九十])[.、．)）]|[①-⑳]|[(（]\d{1,2}[)）]"
)
_SHORTEST = 4
_LONGEST = 4000
_SHARED = 0.6
_ALIKE = 75.0


def objectives_of(text: str) -> list[str]:
    """The single objectives in a text: its lines, sentences and numbered points."""
    parts = (part.strip(" \t:：-–—•·,，、") for part in _ENDS.split(text[:_LONGEST]))
    return [part for part in parts if len(part) >= _SHORTEST]


def uncovered_objectives(ours: Sequence[UnitDraft], theirs: Sequence[UnitDraft]) -> tuple[int, list[str]]:
    """How many objectives ``theirs`` have, and those that ``ours`` name nowhere: not among the objectives, not in
    content, key points or homework. Units of ours without any objectives are not held against: nothing is known."""
    wanted = [(o, prepare(o)) for unit in theirs for o in objectives_of(unit.objectives)]
    if not any(unit.objectives for unit in ours):
        return len(wanted), []
    texts = [
        prepare(part)
        for unit in ours
        for text in (unit.objectives, unit.content, unit.key_points, unit.homework, unit.title)
        for part in (objectives_of(text) or [text[:_LONGEST]])
        if part
    ]
    whole = Text(" ".join(text.plain for text in texts))
    return len(wanted), [objective for objective, text in wanted if not _covered(text, texts, whole)]


def _covered(wanted: Text, texts: Sequence[Text], whole: Text) -> bool:
    if not wanted.plain or wanted.plain in whole.plain:
        return True
    if any(fuzz.partial_ratio(wanted.plain, text.plain) >= _ALIKE for text in texts if len(text.plain) >= _SHORTEST):
        return True
    if not wanted.size:
        return True
    return any((wanted.pieces & text.pieces).total() >= _SHARED * wanted.size for text in texts)
