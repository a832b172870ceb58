"""How many periods a unit takes: ``3``, ``2课时``, ``三课时``, ``共4节``, ``2 periods``. All else is refused."""

from __future__ import annotations

import re

from lms_bridge.core.i18n import N_
from lms_bridge.plans.reading.grid import Kind
from lms_bridge.plans.reading.numerals import NUMBER, normalise, whole_number
from lms_bridge.plans.reading.problems import CellProblem

# A year has about 40 teaching weeks; no unit takes more than five periods in each of them.
MOST_PERIODS = 200
_LONGEST = 60

_PERIODS = re.compile(
    rf"(?:共|约|计)?\s*(?P<n>\d+(?:\.0+)?|{NUMBER})\s*"
    r"(?:个)?(?:课时|学时|节课|节|时|(?:class |teaching )?periods?|lessons?|class hours?)?\.?",
    re.I,
)
_NONE = re.compile(r"[-/\s.]*|无|n/?a", re.I)
_REMEDY = N_("Write the number of periods as a whole number, for example 4.")


def read_periods(text: str, kind: Kind) -> int | None:
    """The whole number of periods; None for an empty cell or a dash, 0 where 0 is written."""
    plain = normalise(text)
    if _NONE.fullmatch(plain):
        return None
    if kind == "date":
        raise CellProblem(N_("The spreadsheet has turned these periods into a date."), _REMEDY)
    if len(plain) > _LONGEST:
        raise CellProblem(N_("This is not a number of periods."), _REMEDY)
    found = _PERIODS.fullmatch(plain)
    number = whole_number(found["n"]) if found and not plain.startswith("约") else None
    if number is None:
        raise CellProblem(_why(plain), _REMEDY)
    if number > MOST_PERIODS:
        raise CellProblem(N_("So many periods cannot be: at most %(most)s are accepted."), _REMEDY, most=MOST_PERIODS)
    return number


def _why(plain: str) -> str:
    if re.search(r"\d\s*-\s*\d", plain):
        return N_("A range of periods leaves open how many are meant.")
    if re.search(r"小时|分钟|\b(h|hrs?|hours?|min|mins|minutes?)\b|\d(h|min)\b", plain, re.I):
        return N_("This is a time by the clock, not a number of periods.")
    if re.search(r"\d\s*[+x×*]\s*\d", plain):
        return N_("A sum or product leaves open how many periods are meant.")
    return N_("This is not a number of periods.")
