"""The many ways in which schools write weeks, dates and numbers of lessons.

A document keeps to one spelling per column, as a teacher does; which one is drawn when the document is made.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date

from tests.corpus.plans_generator.numerals import chinese, full_width

WeekSpelling = Callable[[int, int], str]
DateSpelling = Callable[[date, date], str]
PeriodSpelling = Callable[[int], str]

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
LONG_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


def _ranged(one: str, several: str, number: Callable[[int], str] = str) -> WeekSpelling:
    def say(first: int, last: int) -> str:
        if first == last:
            return one.format(number(first))
        return several.format(number(first), number(last))

    return say


WEEKS: dict[str, tuple[WeekSpelling, ...]] = {
    "zh": (
        _ranged("{}", "{}-{}"),
        _ranged("{}", "{}—{}"),
        _ranged("第{}周", "第{}-{}周"),
        _ranged("第{}周", "第{}～{}周"),
        _ranged("第{}周", "第{}周—第{}周"),
        _ranged("第{}周", "第{}至{}周"),
        _ranged("第{}周", "第{}、{}周", chinese),
        _ranged("第{}周", "第{}至{}周", chinese),
        _ranged("{}", "{}～{}", chinese),
        _ranged("{}周", "{}-{}周"),
        _ranged("第{}周", "第{}－{}周", lambda n: full_width(str(n))),
    ),
    "en": (
        _ranged("{}", "{}-{}"),
        _ranged("{}", "{}–{}"),
        _ranged("Week {}", "Weeks {}–{}"),
        _ranged("Week {}", "Weeks {}-{}"),
        _ranged("Week {}", "Week {} to {}"),
        _ranged("Week {}", "Weeks {} and {}"),
        _ranged("Wk {}", "Wk {}-{}"),
        _ranged("W{}", "W{}-W{}"),
        _ranged("Wk. {}", "Wks. {} & {}"),
    ),
}
"""``and``, ``&`` and ``、`` are written only where the two weeks follow each other (:func:`week_spelling`)."""

_ONLY_NEIGHBOURS = ("、", " and ", " & ")


def week_spelling(language: str, rng: random.Random) -> WeekSpelling:
    """One way of writing weeks, kept for a document."""
    chosen = rng.choice(WEEKS[language])
    plain = _ranged("第{}周", "第{}-{}周") if language == "zh" else _ranged("Week {}", "Weeks {}-{}")

    def say(first: int, last: int) -> str:
        text = chosen(first, last)
        if last - first > 1 and any(mark in text for mark in _ONLY_NEIGHBOURS):
            return plain(first, last)
        return text

    return say


def _dotted(first: date, last: date, *, dash: str = "-", pad: bool = False) -> str:
    number = "{:02d}.{:02d}" if pad else "{}.{}"
    begin = number.format(first.month, first.day)
    return begin if first == last else f"{begin}{dash}{number.format(last.month, last.day)}"


def _characters(first: date, last: date, *, dash: str = "—", short: bool = False) -> str:
    begin = f"{first.month}月{first.day}日"
    if first == last:
        return begin
    end = f"{last.day}日" if short and first.month == last.month else f"{last.month}月{last.day}日"
    return f"{begin}{dash}{end}"


def _english(first: date, last: date, *, long: bool = False, american: bool = False, dash: str = "–") -> str:
    names = LONG_MONTHS if long else MONTHS

    def one(day: date) -> str:
        name = names[day.month - 1]
        return f"{name} {day.day}" if american else f"{day.day} {name}"

    if first == last:
        return one(first)
    if first.month == last.month:
        if american:
            return f"{one(first)}{dash}{last.day}"
        return f"{first.day}{dash}{one(last)}"
    return f"{one(first)} {dash} {one(last)}"


DATES: dict[str, tuple[DateSpelling, ...]] = {
    "zh": (
        _dotted,
        lambda a, b: _dotted(a, b, dash="—"),
        lambda a, b: _dotted(a, b, dash="~"),
        lambda a, b: _dotted(a, b, dash="—", pad=True),
        lambda a, b: _dotted(a, b, dash="-").replace(".", "/"),
        _characters,
        lambda a, b: _characters(a, b, dash="-"),
        lambda a, b: _characters(a, b, dash="至"),
        lambda a, b: _characters(a, b, short=True),
        lambda a, b: f"{a.year}.{_dotted(a, b)}" if a.year == b.year else f"{a.year}.{a.month}.{a.day}-{b.year}."
                     f"{b.month}.{b.day}",
        lambda a, b: f"{a.isoformat()}至{b.isoformat()}",
        lambda a, b: f"（{_dotted(a, b)}）",
        lambda a, b: full_width(_characters(a, b, dash="~")),
    ),
    "en": (
        _english,
        lambda a, b: _english(a, b, dash="-"),
        lambda a, b: _english(a, b, long=True),
        lambda a, b: _english(a, b, american=True),
        lambda a, b: _english(a, b, american=True, long=True, dash="-"),
        lambda a, b: f"{a.isoformat()} to {b.isoformat()}",
        lambda a, b: f"{_english(a, b)} {b.year}" if a.year == b.year else f"{_english(a, a)} {a.year} – "
                     f"{_english(b, b)} {b.year}",
    ),
}  # fmt: skip

PERIODS: dict[str, tuple[PeriodSpelling, ...]] = {
    "zh": (str, str, str, "{}课时".format, "{} 课时".format, "{}节".format, "{}学时".format,
           lambda n: chinese(n), lambda n: ("两" if n == 2 else chinese(n)) + "课时", lambda n: full_width(str(n)),
           lambda n: f"{full_width(str(n))}课时", "共{}课时".format, "{}节课".format),
    "en": (str, str, str, lambda n: f"{n} period" + "s" * (n != 1), lambda n: f"{n} lesson" + "s" * (n != 1),
           lambda n: f"{n} class" + "es" * (n != 1), "{} x 45 min".format, "{} pd".format),
}  # fmt: skip


def duration(number: int, rng: random.Random) -> str:
    """A number of 45-minute lessons as hours or minutes, such as ``1.5 h`` for two."""
    minutes = number * 45
    ways = [f"45 min x {number}", f"{number} × 45 min", f"{number} x 45 minutes", f"{minutes} min"]
    if number % 2 == 0:
        hours = f"{minutes / 60:g}"
        ways += [f"{hours} h", f"{hours} hours" if number != 0 else "", f"{hours}h", f"{hours} hrs"]
    return rng.choice(ways)


def chinese_duration(number: int, rng: random.Random) -> str:
    """As :func:`duration`, in Chinese."""
    minutes = number * 45
    ways = [f"45分钟×{number}", f"{number}×45分钟", f"{minutes}分钟"]
    if number % 2 == 0:
        ways += [f"{minutes / 60:g}小时", f"{minutes / 60:g} h"]
    return rng.choice(ways)
