"""Periods of plans that do not tell them: shared out of the periods a week where the document names those, else one
for each unit and week. They are marked as assumed, and a warning says so."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from itertools import groupby, pairwise

from lms_bridge.core.errors import Place
from lms_bridge.core.i18n import N_
from lms_bridge.plans.reading.columns import Header
from lms_bridge.plans.reading.grid import RawDocument
from lms_bridge.plans.reading.notes import Notes
from lms_bridge.plans.reading.numerals import NUMBER, normalise, whole_number
from lms_bridge.plans.units import UnitDraft, Warning_

_UNIT = r"(?:个?(?:课时|学时|节课?)|lessons?|periods?|classes|class periods?|sessions?)"
_WEEKLY = (
    re.compile(rf"(?:每周|周)(?:课时|学时|节数|授课)数?\s*[:：]?\s*(?P<n>{NUMBER})\s*(?:{_UNIT})?(?!\d)"),
    re.compile(rf"(?:每|一)周\s*(?:共|有|上|授课|安排)?\s*(?P<n>{NUMBER})\s*{_UNIT}"),
    re.compile(rf"(?P<n>\d{{1,2}})\s*{_UNIT}\s*(?:per|a|each|every|/)\s*(?:week|wk)\b", re.IGNORECASE),
    re.compile(rf"{_UNIT}\s*(?:per|a|each|/)\s*(?:week|wk)\s*[:：]?\s*(?P<n>\d{{1,2}})", re.IGNORECASE),
)
_LABEL = re.compile(r"每?周(?:课时|学时|节数)数?|(?:lessons|periods|class periods) ?(?:per|a|/) ?week", re.IGNORECASE)
_MOST = 15


def weekly_periods(document: RawDocument) -> int | None:
    """How many periods a week the document names for the whole plan; None where it names none, or several."""
    texts: list[str] = [*document.lines, *(p.text for p in document.paragraphs[:40])]
    found: set[int] = set()
    for grid in document.grids:
        for row in grid.rows[:12]:
            own = row.texts()
            texts += own
            for label, value in pairwise(own):
                number = whole_number(re.sub(rf"{_UNIT}\Z", "", normalise(value)).strip())
                if number and _LABEL.fullmatch(normalise(label).rstrip(":")):
                    found.add(number)
    for text in texts:
        plain = normalise(text)
        for pattern in _WEEKLY:
            found |= {number for m in pattern.finditer(plain) if (number := whole_number(m["n"]))}
    found = {number for number in found if number <= _MOST}
    return found.pop() if len(found) == 1 else None


def estimated(units: list[UnitDraft], weekly: int | None, notes: Notes, place: Place) -> list[UnitDraft]:
    """``units`` with their periods concluded: ``weekly`` for each of their weeks, shared by those of the same weeks."""
    result: list[UnitDraft] = []
    for _, group in groupby(units, key=lambda unit: (unit.week_from, unit.week_to, unit.date_from)):
        same = list(group)
        result += [_with(unit, share) for unit, share in zip(same, _shares(same, weekly), strict=True)]
    if units:
        notes.warnings.append(_said(weekly, place))
    return result


def concluded(header: Header, place: Place) -> list[Warning_]:
    """What to say where each row was taken for a lesson, or bare numbers behind the names for periods."""
    if header.told == "each":
        return [Warning_(N_("Each row was read as one lesson, because the document numbers or dates them so."), place)]
    if header.told == "brackets" and not header.promised():
        return [Warning_(N_("The numbers in brackets behind the names were read as their periods."), place)]
    return []


def _shares(same: list[UnitDraft], weekly: int | None) -> Iterable[int]:
    first = same[0]
    weeks = first.week_to - first.week_from + 1 if first.week_from and first.week_to else 1
    if weekly is None:
        return [weeks if len(same) == 1 else 1] * len(same)
    each, more = divmod(weekly * weeks, len(same))
    return [max(1, each + (index < more)) for index in range(len(same))]


def _with(unit: UnitDraft, periods: int) -> UnitDraft:
    return replace(unit, periods=periods, assumed=tuple(dict.fromkeys((*unit.assumed, "periods"))))


def _said(weekly: int | None, place: Place) -> Warning_:
    if weekly is None:
        message = N_(
            "The document gives no number of periods; one was assumed for each unit and week. Correct them where they "
            "are more."
        )
        return Warning_(message, place)
    message = N_(
        "The document gives no number of periods for its units; the %(weekly)s periods of each week were shared among "
        "its units. Correct them where they differ."
    )
    return Warning_(message, place, {"weekly": weekly})
