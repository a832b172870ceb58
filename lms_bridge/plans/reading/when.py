"""Teaching weeks and dates as people write them: ``第1-2周``, ``Weeks 3–4``, ``9.1-9.5``, ``9月1日至5日``, ``1–5 Sep``.

One cell may hold both (``第1周 (9.1-9.5)``), under whichever heading. Dates without a year get the year in which
they fall into the term; without a term they are left open rather than guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from lms_bridge.core.i18n import N_
from lms_bridge.plans.reading.grid import Kind
from lms_bridge.plans.reading.numerals import NUMBER, normalise, whole_number
from lms_bridge.plans.reading.problems import CellProblem

_LAST_WEEK = 60
_LONGEST = 120

_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, start=1)}
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\.?"
)

_LIST = rf"{NUMBER}(?:\s*[-,、&+和]\s*第?\s*{NUMBER})*"
_WEEKS = (
    re.compile(rf"第?\s*(?P<n>{_LIST})\s*教学周|第\s*(?P<m>{_LIST})\s*周|(?P<k>{_LIST})\s*周"),
    re.compile(
        r"\b(?:school |teaching )?(?:weeks?|wks?|w)\.?\s*"
        r"(?P<n>\d{1,3}(?:\s*(?:[-,&+]|to|and)\s*(?:(?:weeks?|wks?|w)\.?\s*)?\d{1,3})*)\b",
        re.I,
    ),
)
_WEEK_TWICE = re.compile(rf"第?\s*({NUMBER})\s*周\s*-\s*第?\s*({NUMBER})\s*周")
_EMPTY = re.compile(r"[-/\s.()\[\]无]*|n/?a", re.I)
_NOISE = re.compile(r"[()\[\],;:，；。、\s]+")

_NUMERIC = re.compile(r"(?:(?P<y>20\d\d)\s*[-./年]\s*)?(?P<m>\d{1,2})\s*(?P<s>[-./月])\s*(?P<d>\d{1,2})\s*[日号]?")
_DAY_FIRST = re.compile(rf"(?P<d>\d{{1,2}})(?:st|nd|rd|th)?\s+(?P<m>{_MONTH})(?:,?\s+(?P<y>20\d\d))?", re.I)
_MONTH_FIRST = re.compile(rf"(?P<m>{_MONTH})\s+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?:,?\s+(?P<y>20\d\d))?", re.I)
_DAY = re.compile(r"(?P<d>\d{1,2})(?:st|nd|rd|th)?\s*[日号]?", re.I)
_SHARED_MONTH = re.compile(rf"(?P<a>\d{{1,2}})\s*-\s*(?P<d>\d{{1,2}})\s+(?P<m>{_MONTH})(?:,?\s+(?P<y>20\d\d))?", re.I)
# Days whose month stands in another column: 7, 7-11, 28-10.2, 28-2 Oct.
_MONTHLESS = re.compile(
    rf"(?P<a>\d{{1,2}})\s*[日号]?(?:\s*-\s*(?:(?P<m>\d{{1,2}})\s*[./月]\s*)?(?P<b>\d{{1,2}})\s*[日号]?(?:\s+(?P<n>{_MONTH}))?)?",
    re.I,
)
# Only the Monday is said: w/b 31 Aug, week commencing 7 September.
_BEGINS = re.compile(r"\b(?:w\s?/?\s?[bc]\b|week (?:beginning|commencing|starting|of)\b)\.?:?", re.I)

_REMEDY_WEEK = N_("Write a teaching week as 3 or a range as 3-4.")
_REMEDY_DATE = N_("Write the dates as 2026-09-01 or as a range such as 9.1-9.5.")


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the calendar, perhaps without its year."""

    month: int
    day: int
    year: int | None = None


@dataclass(frozen=True, slots=True)
class When:
    """The weeks and days that a cell names; both ends included, None where it names none.

    ``begins``: the day is the first of a school week (``w/b 31 Aug``), of which the last day is not said.
    """

    week_from: int | None = None
    week_to: int | None = None
    day_from: Day | None = None
    day_to: Day | None = None
    begins: bool = False


@dataclass(frozen=True, slots=True)
class Calendar:
    """What is known of the term: its first and last day; None where nothing is known."""

    start: date
    end: date

    def resolve(self, day: Day) -> date | None:
        """The date of ``day``: in its own year, else in the year that puts it into the term (or nearest to it).

        None where there is no such date.
        """
        years = [day.year] if day.year else range(self.start.year - 1, self.end.year + 2)
        found = [d for year in years if (d := _date(year, day)) is not None]
        return min(found, key=self._distance, default=None)

    def _distance(self, day: date) -> int:
        return max((self.start - day).days, (day - self.end).days, 0)


def resolve(day: Day, calendar: Calendar | None) -> date | None:
    """The date of ``day``, or None where its year is not known."""
    if calendar is not None:
        return calendar.resolve(day)
    return _date(day.year, day) if day.year else None


def month_in(text: str) -> int | None:
    """The month that a text names: ``9月``, ``九月``, ``September``, ``Sep``, ``2026年9月``; None for all else."""
    plain = normalise(text)
    found = re.fullmatch(rf"(?:20\d\d\s*[年./-]\s*)?({NUMBER})\s*月?份?", plain)
    number = whole_number(found[1]) if found else None
    if number is None and (named := re.fullmatch(rf"({_MONTH})(?:\s+20\d\d)?", plain, re.I)):
        number = _MONTHS[named[1][:3].lower()]
    return number if number is not None and 1 <= number <= 12 else None


def read_when(text: str, kind: Kind, *, bare_weeks: bool, month: int | None = None) -> When:
    """The weeks and dates in a cell. ``bare_weeks``: a number alone is a week (the column is about weeks); ``month``:
    the one that stands beside it, for days without their month (``7-11``, ``28-10.2``)."""
    if kind == "date":
        return _stored_date(text, bare_weeks)
    # 9.1 as a number may have been typed as 9.10: the spreadsheet forgets the zero.
    if kind == "number" and re.fullmatch(r"\d{1,2}\.[123]", text):
        raise CellProblem(
            N_("This date is stored as a number, so %(text)s may also mean %(text)s0."),
            N_("Format the column as text and type the dates again."),
            text=text,
        )
    rest = normalise(text)
    if _EMPTY.fullmatch(rest):
        return When()
    if len(rest) > _LONGEST:
        raise _not_understood(bare_weeks)
    plain = _BEGINS.sub("; ", rest)
    begins, rest = plain != rest, plain
    weeks, rest = _take_weeks(rest)
    rest = _NOISE.sub(" ", rest).strip(" -")
    if not rest:
        return When(*weeks)
    if weeks == (None, None) and bare_weeks and (found := _bare_weeks(normalise(text))):
        return When(*found)
    if month is not None and (inside := _days_of(month, rest)) is not None:
        return When(*weeks, *inside)
    days = _days(re.sub(r"\s+(?:to|until|till)\s+", " - ", rest, flags=re.IGNORECASE))
    if days is None:
        raise _not_understood(bare_weeks)
    return When(*weeks, *days, begins)


def _days_of(month: int, text: str) -> tuple[Day, Day] | None:
    """Days of a month that stands elsewhere; the second may name the next month."""
    found = _MONTHLESS.fullmatch(text)
    if not found:
        return None
    first = Day(month, int(found["a"]))
    if found["b"] is None:
        return _ordered(first, first)
    named = found["m"] or found["n"]
    if named:
        second = int(named) if named.isdigit() else _MONTHS[named[:3].lower()]
    else:
        second = month if int(found["b"]) >= first.day else month % 12 + 1
    return _ordered(first, Day(second, int(found["b"])))


def _not_understood(bare_weeks: bool) -> CellProblem:
    if bare_weeks:
        return CellProblem(N_("This is not understood as a teaching week."), _REMEDY_WEEK)
    return CellProblem(N_("This is not understood as dates."), _REMEDY_DATE)


def _stored_date(text: str, bare_weeks: bool) -> When:
    if bare_weeks:
        raise CellProblem(
            N_("The spreadsheet has turned this week into a date."),
            N_("Format the column as text and type the week again, for example 3-4."),
        )
    stored = date.fromisoformat(text)
    day = Day(stored.month, stored.day, stored.year)
    return When(day_from=day, day_to=day)


def _take_weeks(text: str) -> tuple[tuple[int | None, int | None], str]:
    if found := _WEEK_TWICE.search(text):
        return _span([found[1], found[2]]), text[: found.start()] + " " + text[found.end() :]
    for pattern in _WEEKS:
        if found := pattern.search(text):
            words = next(group for group in found.groups() if group)
            rest = text[: found.start()] + " " + text[found.end() :]
            if pattern.search(rest):
                raise CellProblem(N_("This names weeks in more than one place."), _REMEDY_WEEK)
            return _week_list(words), rest
    return (None, None), text


def _bare_weeks(text: str) -> tuple[int | None, int | None] | None:
    return _week_list(text) if re.fullmatch(rf"第?\s*{_LIST}", text) else None


def _week_list(words: str) -> tuple[int, int]:
    """``3``, ``3-4``, or a list without gaps: ``3,4,5``."""
    words = re.sub(r"\s*\bto\b\s*", "-", words, flags=re.IGNORECASE)
    numbers = re.findall(NUMBER, words)
    if "-" in words and len(numbers) > 2:
        raise CellProblem(N_("This is not understood as a teaching week."), _REMEDY_WEEK)
    first, last = _span(numbers)
    if "-" not in words and len(numbers) > 1 and [whole_number(n) for n in numbers] != list(range(first, last + 1)):
        raise CellProblem(
            N_("These weeks do not follow each other."), N_("Give each stretch of weeks a row of its own.")
        )
    return first, last


def _span(words: list[str]) -> tuple[int, int]:
    numbers = [whole_number(word) for word in words]
    first, last = numbers[0], numbers[-1]
    if first is None or last is None or not 1 <= first <= last <= _LAST_WEEK:
        raise CellProblem(N_("These weeks cannot be: a term's weeks count from 1 upwards."), _REMEDY_WEEK)
    return first, last


def _days(text: str) -> tuple[Day, Day] | None:
    """One date or a range of two; None where the text is anything else."""
    if found := _SHARED_MONTH.fullmatch(text):
        last = _day(found)
        first = Day(last.month, int(found["a"]), last.year)
        return _ordered(first, last)
    for pattern in (_NUMERIC, _DAY_FIRST, _MONTH_FIRST):
        found = pattern.match(text)
        if not found:
            continue
        if not found["y"] and found.groupdict().get("s") == "-":
            return None  # 9-1 may be a day of September or the days nine to one
        first = _day(found)
        rest = text[found.end() :].strip()
        if not rest:
            return _ordered(first, first)
        if not rest.startswith("-"):
            return None
        rest = rest[1:].strip()
        if second := pattern.fullmatch(rest):
            return _ordered(first, _day(second))
        if second := _DAY.fullmatch(rest):
            return _ordered(first, Day(first.month, int(second["d"]), first.year))
        return None
    return None


def _day(found: re.Match[str]) -> Day:
    month = found["m"].rstrip(".").lower()
    number = int(month) if month.isdigit() else _MONTHS[month[:3]]
    year = found["y"]
    return Day(number, int(found["d"]), int(year) if year else None)


def _ordered(first: Day, last: Day) -> tuple[Day, Day]:
    """The two days, a year written only once given to both; refuses days that do not exist or stand in disorder."""
    # Only a range over New Year has the later month first.
    crosses = first.month - last.month >= 6
    if first.year is None and last.year is not None:
        first = Day(first.month, first.day, last.year - crosses)
    elif last.year is None and first.year is not None:
        last = Day(last.month, last.day, first.year + crosses)
    # Without a year a leap year stands in, so that 29 February is possible.
    begin = _date(first.year or 2024, first)
    end = _date(last.year or 2024 + crosses, last) or (_date(2024, last) if last.year is None else None)
    if begin is None or end is None:
        raise CellProblem(N_("There is no such date."), _REMEDY_DATE)
    if begin > end:
        raise CellProblem(N_("The first date is after the last one."), _REMEDY_DATE)
    return first, last


def _date(year: int, day: Day) -> date | None:
    try:
        return date(year, day.month, day.day)
    except ValueError:
        return None
