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
_SHARED = 0.7
_ALIKE = 80.0


def objectives_of(text: str) -> list[str]:
    """The single objectives in a text: its lines, sentences and numbered points."""
    parts = (part.strip(" \t:：-–—•·,，、") for part in _ENDS.split(text[:_LONGEST]))
    return [part for part in parts if len(part) >= _SHORTEST]


def uncovered_objectives(ours: Sequence[UnitDraft], theirs: Sequence[UnitDraft]) -> tuple[int, list[str]]:
    """How many objectives ``theirs`` have, and those that ``ours`` name nowhere: neither among their objectives and
    key points nor word for word in the rest. Units of ours without any objectives are not held against: nothing is
    known."""
    wanted = [(o, prepare(o)) for unit in theirs for o in objectives_of(unit.objectives)]
    if not any(unit.objectives for unit in ours):
        return len(wanted), []
    named = [
        prepare(part)
        for unit in ours
        for text in (unit.objectives, unit.key_points)
        for part in (objectives_of(text) or [text[:_LONGEST]])
        if part
    ]
    fields = ("objectives", "key_points", "content", "homework", "title")
    whole = prepare("\n".join(getattr(unit, name)[:_LONGEST] for unit in ours for name in fields)).plain
    return len(wanted), [objective for objective, text in wanted if not _covered(text, named, whole)]


def _covered(wanted: Text, named: Sequence[Text], whole: str) -> bool:
    if not wanted.plain or wanted.plain in whole:
        return True
    return any(_same(wanted, text) for text in named)


def _same(wanted: Text, text: Text) -> bool:
    """Whether ``text`` says what is wanted, perhaps among other things; a mere part of it is not enough."""
    if len(text.plain) >= _SHARED * len(wanted.plain) and fuzz.partial_ratio(wanted.plain, text.plain) >= _ALIKE:
        return True
    return wanted.size > 0 and (wanted.pieces & text.pieces).total() >= _SHARED * wanted.size
