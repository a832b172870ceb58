"""Units that go on: 同上 and ditto marks, （续）, the same title again in the next row are one unit over its weeks."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from lms_bridge.core.errors import Place
from lms_bridge.core.i18n import N_
from lms_bridge.plans.reading.headings import TEXT_FIELDS
from lms_bridge.plans.units import UnitDraft, Warning_

_DITTO = re.compile(
    r"同上|同前|〃|[″“”\"'’′]{1,2}|,,|ditto|do\.|as above|same(?: as above)?|cont(?:inued|inue|'d|d)?\.?|续|接上周?"
)
_CONTINUED = re.compile(
    r"\s*(?:[(（\[【]\s*(?:续|接上周?|接上|上接|continued|continue|cont\.?|cont['’]?d\.?|ctd\.?)\s*[一二三四\d]*\s*[)）\]】]"
    r"|[-—–:：,，]+\s*(?:续|continued|cont['’]?d\.?|cont\.?|ctd\.?))\Z",
    re.IGNORECASE,
)
# The number of a lesson within its topic: （1）, （第1课时）, Day 2, - lesson 2.
_LESSON = re.compile(
    r"\s*(?:[(（\[]\s*(?:第\s*)?(?P<a>\d{1,2})\s*(?:课时|节|课)?\s*[)）\]]|第\s*(?P<b>\d{1,2})\s*(?:课时|节课)"
    r"|[,，:：\-—–]*\s*(?:day|lesson|part|period)\s*(?P<c>\d{1,2}))\Z",
    re.IGNORECASE,
)


def merged(units: Sequence[UnitDraft], file: str) -> tuple[list[UnitDraft], list[Warning_]]:
    """``units`` with those that only go on added to the one that they continue, counted anew; and what was done.

    Units with a key are left alone: they were told apart by the system that wrote the document.
    """
    result: list[UnitDraft] = []
    joined: dict[int, int] = {}
    for unit in units:
        at = _continued(unit, result)
        if at is None:
            title = unit.title
            result.append(replace(unit, sequence=len(result) + 1, title=title))
        else:
            result[at] = _together(result[at], unit)
            joined[at] = joined.get(at, 1) + 1
    if not joined:
        return result, []
    message = N_("%(count)s units stand in several rows, as they go on; each was read as one, its periods added up.")
    return result, [Warning_(message, Place(file=file), {"count": len(joined)})]


def without_counting(units: Sequence[UnitDraft]) -> list[UnitDraft]:
    """Lessons without their number behind the topic, where the lessons of one topic are counted from one."""
    result = list(units)
    index = 0
    while index < len(result):
        run = _run(result[index:])
        for offset in range(run):
            title = _LESSON.sub("", result[index + offset].title)
            result[index + offset] = replace(result[index + offset], title=title)
        index += max(run, 1)
    return result


def _run(units: Sequence[UnitDraft]) -> int:
    """How many lessons from the first on are counted 1, 2, 3 … behind the same topic; 0 where it is only one."""
    base, length = "", 0
    for unit in units:
        found = _LESSON.search(unit.title)
        number = next((int(n) for n in found.groups() if n), 0) if found else 0
        title = unit.title[: found.start()] if found else ""
        if number != length + 1 or (length and title != base):
            break
        base, length = title, number
    return length if length > 1 else 0


def _continued(unit: UnitDraft, before: Sequence[UnitDraft]) -> int | None:
    """The position of the unit that ``unit`` continues; None where it is one of its own."""
    if not before or unit.key is not None:
        return None
    last = before[-1]
    plain = unicodedata.normalize("NFKC", unit.title).strip().casefold()
    if _DITTO.fullmatch(plain) or _DITTO.fullmatch(unit.title.strip()):
        return len(before) - 1
    base = _CONTINUED.sub("", unit.title)
    if base != unit.title:
        return next((i for i in range(len(before) - 1, -1, -1) if _same(before[i].title, base)), None)
    goes_on = last.key is None and _same(last.title, unit.title) and unit.content in ("", last.content)
    return len(before) - 1 if goes_on else None


def _same(title: str, other: str) -> bool:
    return _plain(title) == _plain(other)


def _plain(title: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", title)).casefold()


def _together(unit: UnitDraft, more: UnitDraft) -> UnitDraft:
    """Both as one: periods added, the time from the first to the last, texts that differ below each other."""
    changes: dict[str, Any] = {"periods": unit.periods + more.periods}
    assumed = [*unit.assumed, "periods"]
    for field in TEXT_FIELDS:
        first, second = getattr(unit, field), getattr(more, field)
        if second and second not in first.split("\n") and second != first:
            changes[field] = "\n".join(filter(None, (first, second)))
            assumed += [field] if field in more.assumed else []
    for begin, end in (("week_from", "week_to"), ("date_from", "date_to")):
        starts = [value for u in (unit, more) if (value := getattr(u, begin)) is not None]
        ends = [value for u in (unit, more) if (value := getattr(u, end)) is not None]
        if starts and ends:
            changes |= {begin: min(starts), end: max(ends)}
            assumed += [name for name in (begin, end) if name in more.assumed]
            assumed += [end] if max(ends) != getattr(unit, end) else []
    if more.week_from is None and more.date_from is not None:
        changes |= {"week_from": None, "week_to": None}  # its weeks are counted otherwise: only the days are certain
    place = {name: more.provenance[name] for name in ("row", "column", "paragraph") if name in more.provenance}
    last = {f"to_{name}": value for name, value in place.items()} if _same_table(unit, more) else {}
    return replace(unit, provenance=unit.provenance | last, assumed=tuple(dict.fromkeys(assumed)), **changes)


def _same_table(unit: UnitDraft, more: UnitDraft) -> bool:
    return unit.provenance.get("table") == more.provenance.get("table")
