"""A timetable as a file states it: lessons by the names that people wrote, not yet held against the roster."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum

from lms_bridge.core.errors import Place


class Parity(StrEnum):
    """In which teaching weeks of the term a lesson is held, by their number."""

    ALL = ""
    ODD = "odd"
    EVEN = "even"

    def holds_in(self, number: int) -> bool:
        """Whether it is held in the teaching week with this number."""
        return self is Parity.ALL or (number % 2 == 1) is (self is Parity.ODD)


@dataclass(frozen=True, slots=True)
class GivenLesson:
    """One period a week of one or more classes. ``weekday`` 0 is Monday; ``period`` is the number in the period grid;
    ``part`` names a group within the class; no ``teachers``: those of the roster. ``place`` is where it stood."""

    classes: tuple[str, ...]
    weekday: int
    period: int
    subject: str
    teachers: tuple[str, ...] = ()
    part: str = ""
    parity: Parity = Parity.ALL
    place: Place = field(default_factory=Place)


_ZH_DIGITS = {digit: number for number, digit in enumerate("一二三四五六七八九十", start=1)}
_WEEKDAYS = (
    ("monday", "mon", "一"), ("tuesday", "tue", "tues", "二"), ("wednesday", "wed", "三"),
    ("thursday", "thu", "thur", "thurs", "四"), ("friday", "fri", "五"), ("saturday", "sat", "六"),
    ("sunday", "sun", "日", "天", "七"),
)  # fmt: skip
_BY_WEEKDAY_WORD = {word: day for day, words in enumerate(_WEEKDAYS) for word in words}
_PARITIES = {
    "": Parity.ALL, "all": Parity.ALL, "every": Parity.ALL, "每周": Parity.ALL, "全周": Parity.ALL,
    "odd": Parity.ODD, "a": Parity.ODD, "单": Parity.ODD, "单周": Parity.ODD,
    "even": Parity.EVEN, "b": Parity.EVEN, "双": Parity.EVEN, "双周": Parity.EVEN,
}  # fmt: skip


def folded(text: str) -> str:
    """The text without what only writing makes different: width of characters, case, blanks, dashes."""
    text = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"[\s\-–—_.·:：()\[\]（）]+", "", text)


def weekday_of(text: str) -> int | None:
    """The weekday (0 is Monday) that a text names: 星期三, 周三, Wed, Wednesday, 3."""
    word = folded(text)
    for prefix in ("星期", "礼拜", "周"):
        word = word.removeprefix(prefix)
    if word in _BY_WEEKDAY_WORD:
        return _BY_WEEKDAY_WORD[word]
    return int(word) - 1 if re.fullmatch(r"[1-7]", word) else None


def periods_of(text: str) -> tuple[int, ...]:
    """The periods that a text names: 3, 第3节, 第三节, Period 3, P3, and runs such as 3-4 or 第3、4节; none if none."""
    word = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text).casefold())
    word = re.sub(r"^(第|period|lesson|hour|p|l|h)", "", word)
    word = re.sub(r"(节课?|课时|h)$", "", word)
    word = re.sub("十(?=[一二三四五六七八九])", "1", word)
    word = "".join(str(_ZH_DIGITS[c]) if c in _ZH_DIGITS else c for c in word)
    if re.fullmatch(r"\d{1,2}", word):
        return (int(word),)
    run = re.fullmatch(r"(\d{1,2})[-–—~至到](?:第)?(\d{1,2})", word)
    if run and int(run[1]) < int(run[2]) <= int(run[1]) + 5:
        return tuple(range(int(run[1]), int(run[2]) + 1))
    listed = re.fullmatch(r"\d{1,2}(?:[,、/]\d{1,2})+", word)
    return tuple(int(number) for number in re.split(r"[,、/]", word)) if listed else ()


def parity_of(text: str) -> Parity | None:
    """The weeks that a text names: odd, A, 单周; even, B, 双周; empty for all."""
    return _PARITIES.get(folded(text))


def several(text: str) -> tuple[str, ...]:
    """The names in a cell, between commas, slashes, semicolons, plus signs or line ends."""
    return tuple(part for raw in re.split(r"[,，、;；/+＋\n]+", text) if (part := raw.strip()))
