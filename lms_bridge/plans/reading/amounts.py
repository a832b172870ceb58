"""How many periods a unit takes: ``3``, ``2课时``, ``三课时``, ``共4节``, ``2+1``, and clock time such as ``90分钟``.

Clock time is turned into periods by the length of a period, and sums are added up; both are marked as concluded.
What leaves open how many are meant (a range, about so many) is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from lms_bridge.core.i18n import N_
from lms_bridge.plans.reading.grid import Kind
from lms_bridge.plans.reading.numerals import NUMBER, normalise, whole_number
from lms_bridge.plans.reading.problems import CellProblem

# A year has about 40 teaching weeks; no unit takes more than five periods in each of them.
MOST_PERIODS = 200
# A Chinese secondary school's period (国家课程方案); primary schools have 40 minutes, which callers hand in.
USUAL_MINUTES = 45
_LONGEST = 60
# What one lesson may last; "2 x 45 min" names two of them, "2 x 15 min" only half an hour.
_ONE_LESSON = range(30, 61)

Measure = Literal["periods", "minutes", "hours", "stated"]

PERIOD_WORDS = (
    r"个?(?:标准)?(?:课时|学时|节课|课节|节|时)|(?:class |teaching )?periods?|lessons?|class hours?|sessions?"
    r"|pds?|classes|class"
)
_MINUTES = r"分钟|分|minutes?|mins?"
_HOURS = r"个?(?:小时|钟头)|hours?|hrs?|h"
_WORD = rf"(?:(?P<p>{PERIOD_WORDS})|(?P<m>{_MINUTES})|(?P<h>{_HOURS}))?\.?"
_FIGURE = rf"(?P<n>\d+(?:\.\d+)?|{NUMBER})"
_LEAD = r"(?:共计|合计|总计|共|计|total:?|in all:?)?\s*"
_TERM = re.compile(rf"{_LEAD}{_FIGURE}\s*{_WORD}", re.I)
_PRODUCT = re.compile(
    rf"(?P<a>\d+(?:\.\d+)?)\s*(?P<aw>{_MINUTES}|{_HOURS}|{PERIOD_WORDS})?\s*[x×*]\s*"
    rf"(?P<b>\d+(?:\.\d+)?)\s*(?P<bw>{_MINUTES}|{_HOURS}|{PERIOD_WORDS}|次|times)?\.?",
    re.I,
)
# 4课时（含测验1课时）: the remark tells what the four are made of.
_REMARK = re.compile(r"\s*[(\[](?:其中|含|包括|包含|内含|including|incl\.?|of which).*[)\]]\Z", re.I)
# 2课时（每课时40分钟）, 2 periods (40 min each)
_LENGTH = re.compile(rf"\s*[(\[](?:每(?:课时|节)?|each|of)?\s*\d+\s*(?:{_MINUTES})\s*(?:each|/节|/课时)?[)\]]\Z", re.I)
_IN_ALL = re.compile(r"(?P<parts>[^()=]*\+[^()=]*)=\s*(?P<sum>[^=+]+)")
DAYS = re.compile(r"\s*(?:个?(?:教学|上课)?(?:天|日)|(?:school |instructional )?days?)\s*\Z", re.I)
_NUMBERS = re.compile(r"\d{1,3}(?:\s*[-,、]\s*\d{1,3})*")
_NONE = re.compile(r"[-/\s.]*|无|n/?a", re.I)
_REMEDY = N_("Write the number of periods as a whole number, for example 4.")


@dataclass(frozen=True, slots=True)
class Amount:
    """A whole number of periods; ``assumed`` where it was worked out and not read."""

    periods: int
    assumed: bool = False


def read_amount(text: str, kind: Kind, *, measure: Measure = "periods", minutes: int = USUAL_MINUTES) -> Amount | None:
    """The periods in a cell; None for an empty cell or a dash, 0 where 0 is written.

    ``measure`` is what a bare number counts (a column may be in minutes; ``stated``: nothing, the unit must be
    written); ``minutes`` is the length of a period.
    """
    plain = normalise(text)
    if _NONE.fullmatch(plain):
        return None
    if kind == "date":
        raise CellProblem(N_("The spreadsheet has turned these periods into a date."), _REMEDY)
    if len(plain) > _LONGEST:
        raise CellProblem(N_("This is not a number of periods."), _REMEDY)
    amount = _amount(plain, measure, minutes)
    if amount.periods > MOST_PERIODS:
        raise CellProblem(N_("So many periods cannot be: at most %(most)s are accepted."), _REMEDY, most=MOST_PERIODS)
    return amount


def listed(text: str) -> Amount | None:
    """How many lessons a list of their numbers names: ``1, 2`` and ``3-4`` are two, ``5`` is one."""
    plain = normalise(text)
    if _NONE.fullmatch(plain):
        return None
    if not _NUMBERS.fullmatch(plain):
        raise CellProblem(N_("This is not understood as the numbers of lessons."), _REMEDY)
    count = 0
    for part in re.split(r"[,、]", plain):
        first, _, last = part.partition("-")
        count += (int(last) - int(first) if last else 0) + 1
    if count < 1:
        raise CellProblem(N_("This is not understood as the numbers of lessons."), _REMEDY)
    return Amount(count)


def _amount(plain: str, measure: Measure, minutes: int) -> Amount:
    remark = _REMARK.search(plain) or _LENGTH.search(plain)
    if remark and remark.start():
        return Amount(_amount(plain[: remark.start()], measure, minutes).periods, assumed=True)
    if product := _PRODUCT.fullmatch(plain):
        return _product(product, measure, minutes)
    if sum_ := _IN_ALL.fullmatch(plain):
        return _stated_sum(sum_, measure, minutes)
    parts = [_TERM.fullmatch(part.strip()) for part in plain.split("+")]
    if any(part is None for part in parts):
        raise CellProblem(_why(plain), _REMEDY)
    amounts = [_term(part, measure, minutes) for part in parts if part is not None]
    if len(amounts) == 1:
        return amounts[0]
    return Amount(sum(amount.periods for amount in amounts), assumed=True)


def _term(found: re.Match[str], measure: Measure, minutes: int) -> Amount:
    if found["m"] or (measure == "minutes" and not found["p"] and not found["h"]):
        return _clock(_decimal(found["n"]), minutes)
    if found["h"] or (measure == "hours" and not found["p"]):
        return _clock(_decimal(found["n"]) * 60, minutes)
    if measure == "stated" and not found["p"]:
        raise CellProblem(N_("It is not said whether these are periods, minutes or hours."), _REMEDY)
    number = whole_number(found["n"])
    if number is None:
        raise CellProblem(_why(found[0]), _REMEDY)
    return Amount(number)


def _decimal(text: str) -> Decimal:
    whole = whole_number(text)
    if whole is not None:
        return Decimal(whole)
    if not re.fullmatch(r"\d+\.\d+", text):
        raise CellProblem(N_("This is not a number of periods."), _REMEDY)
    return Decimal(text)


def _clock(total: Decimal, minutes: int) -> Amount:
    """Minutes as periods; refused where they do not come out even."""
    periods = total / minutes
    if periods != int(periods):
        raise CellProblem(
            N_("%(total)s minutes are not a whole number of periods of %(minutes)s minutes."),
            N_("Write the number of periods instead of the time by the clock."),
            total=_short(total),
            minutes=minutes,
        )
    return Amount(int(periods), assumed=True)


def _short(number: Decimal) -> str:
    return str(int(number)) if number == int(number) else str(number.normalize())


def _product(found: re.Match[str], measure: Measure, minutes: int) -> Amount:
    """``45 min x 2``, ``2 x 45 min``, ``2课时x3``: so many times so much."""
    first, second = _measure(found["aw"]), _measure(found["bw"])
    if first and second:
        raise CellProblem(N_("This is not a number of periods."), _REMEDY)
    value, times, unit = _decimal(found["a"]), _decimal(found["b"]), first or second or measure
    if second:
        value, times = times, value
    if times != int(times):
        raise CellProblem(N_("This is not a number of periods."), _REMEDY)
    if unit == "stated":
        raise CellProblem(N_("It is not said whether these are periods, minutes or hours."), _REMEDY)
    if unit == "periods":
        if value != int(value):
            raise CellProblem(N_("This is not a number of periods."), _REMEDY)
        return Amount(int(value) * int(times), assumed=True)
    length = value * 60 if unit == "hours" else value
    if length == int(length) and int(length) in _ONE_LESSON:
        return Amount(int(times), assumed=True)
    return _clock(length * times, minutes)


def _measure(word: str | None) -> Measure | None:
    if not word or re.fullmatch(r"次|times", word, re.I):
        return None
    if re.fullmatch(_MINUTES, word, re.I):
        return "minutes"
    return "hours" if re.fullmatch(_HOURS, word, re.I) else "periods"


def _stated_sum(found: re.Match[str], measure: Measure, minutes: int) -> Amount:
    """``2+1=3``: both sides must agree."""
    parts, total = _amount(found["parts"].strip(), measure, minutes), _amount(found["sum"].strip(), measure, minutes)
    if parts.periods != total.periods:
        raise CellProblem(N_("This sum does not add up."), _REMEDY)
    return Amount(total.periods, assumed=True)


def _why(plain: str) -> str:
    if re.search(r"\d\s*-\s*\d", plain):
        return N_("A range of periods leaves open how many are meant.")
    if re.search(r"每周|/\s*周|per week|weekly|a week|/\s*wk", plain, re.I):
        return N_("These are periods a week, not those of the unit.")
    return N_("This is not a number of periods.")
