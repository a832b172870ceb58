"""Holds what was read of a document against what stands in it: right, flagged, or silently wrong.

The judge knows nothing of the reader. A unit is right when its title and everything that the document says of its
periods, weeks and dates came out the same. It is flagged when the reader said so: the document was refused, the unit
is named in a warning, or the value that differs is marked as assumed. Everything else is silently wrong, also a unit
that was lost and one that was made from a holiday, an examination or a heading.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_NUMBERING = re.compile(r"^(\d+([、)]|[.](?!\d))|[(]\d+[)])\s*")
JUDGED = ("periods", "week_from", "week_to", "date_from", "date_to")


@dataclass(slots=True)
class Verdict:
    """How many units came out how; ``wrong`` holds a sentence for each that is silently wrong."""

    right: int = 0
    flagged: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def units(self) -> int:
        """All units that were judged."""
        return self.right + self.flagged + len(self.wrong)


def refused(expected: Mapping[str, Any]) -> Verdict:
    """The verdict where the reader refused the document with a clear error."""
    return Verdict(flagged=len(expected["units"]))


def judge(expected: Mapping[str, Any], units: Sequence[Mapping[str, Any]], warnings: Sequence[str]) -> Verdict:
    """The verdict on what was read.

    ``units``: title, periods, week_from, week_to, date_from, date_to (ISO text or None) and ``assumed``, the names
    of fields that the reader marked. ``warnings`` are the sentences that it gave.
    """
    verdict = Verdict()
    named = [plain(text) for text in warnings]
    waiting = list(units)
    for unit in expected["units"]:
        found = _taken(unit, waiting)
        if found is None:
            _count(verdict, _is_named(unit, named), f"lost: {unit['title']}")
            continue
        differing = [name for name in JUDGED if _differs(name, unit, found)]
        silent = [name for name in differing if name not in found["assumed"]]
        if not differing:
            verdict.right += 1
        else:
            says = ", ".join(f"{name} {found[name]!r}, not {unit[name]!r}" for name in differing)
            _count(verdict, not silent or _is_named(unit, named), f"{unit['title']}: {says}")
    verdict.wrong += [f"made up: {found['title']}" for found in waiting]
    return verdict


def plain(text: str) -> str:
    """The text without what writing alone makes different: width of characters, spaces, quotation marks, dashes."""
    text = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"[\s“”‘’\"'·—–\-_:：,，.。、()（）《》]+", "", text)


def _taken(unit: Mapping[str, Any], waiting: list[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    titles = {_name(title) for title in (unit["title"], *unit["title_also"])}
    for index, found in enumerate(waiting):
        if _name(found["title"]) in titles:
            return waiting.pop(index)
    return None


def _name(title: str) -> str:
    return plain(_NUMBERING.sub("", unicodedata.normalize("NFKC", title).strip()))


def _differs(name: str, unit: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    return unit.get(name) is not None and found[name] != unit[name]


def _is_named(unit: Mapping[str, Any], named: Sequence[str]) -> bool:
    title = plain(unit["title"])
    return any(title in text for text in named)


def _count(verdict: Verdict, flagged: bool, sentence: str) -> None:
    if flagged:
        verdict.flagged += 1
    else:
        verdict.wrong.append(sentence)
