"""A timetable as a file states it: lessons by the names that people wrote, not yet held against the roster."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, time
from enum import StrEnum

from lms_bridge.core.errors import BridgeError, Place
from lms_bridge.timetable.fet.model import School
from lms_bridge.timetable.models import TeacherPart


class Parity(StrEnum):
    """In which teaching weeks of the term a lesson is held, by their number."""

    ALL = ""
    ODD = "odd"
    EVEN = "even"

    def holds_in(self, number: int) -> bool:
        """Whether it is held in the teaching week with this number."""
        return self is Parity.ALL or (number % 2 == 1) is (self is Parity.ODD)


@dataclass(frozen=True, slots=True)
class Original:
    """When the lesson was to be held that a make-up lesson stands for: its day, and its period or its beginning on the
    campus's clock."""

    day: date
    period: int | None = None
    at: time | None = None

    def __str__(self) -> str:
        return f"{self.day.isoformat()} {self.period if self.at is None else format(self.at, '%H:%M')}"


@dataclass(frozen=True, slots=True)
class GivenLesson:
    """One period a week of one or more classes. ``weekday`` 0 is Monday; ``period`` is the number in the period grid.

    ``parts`` name groups within the classes: none for whole classes, one for all of them, or one for each ("" for a
    whole class). ``teachers`` may say what somebody does (:func:`person_and_part`); none: those of the roster.
    ``makes_up``: it is the make-up lesson for another. ``readable``: weekday and period could be read; where not, only
    its names are worth a look. ``place`` is where it stood.
    """

    classes: tuple[str, ...]
    weekday: int
    period: int
    subject: str
    teachers: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    parity: Parity = Parity.ALL
    place: Place = field(default_factory=Place)
    makes_up: Original | None = None
    readable: bool = True

    def classes_with_parts(self) -> tuple[tuple[str, str], ...]:
        """Each class with its part, "" for all of it."""
        if len(self.parts) == len(self.classes):
            return tuple(zip(self.classes, self.parts, strict=True))
        return tuple((name, self.parts[0] if self.parts else "") for name in self.classes)


@dataclass(frozen=True, slots=True)
class GivenTimetable:
    """What a file says. ``problems``: what of it cannot be read; with any of them nothing is imported. ``notes``: what
    is left out of the timetable, with counts. ``school``: the FET file that it comes from, whose constraints may be
    taken too; ``times_locked``: its times are constraints of that file."""

    lessons: Sequence[GivenLesson]
    problems: Sequence[BridgeError] = ()
    notes: Sequence[BridgeError] = ()
    school: School | None = None
    times_locked: bool = False


PART_WORDS: dict[TeacherPart, tuple[str, ...]] = {
    TeacherPart.LEAD: ("lead", "主讲"),
    TeacherPart.ASSISTANT: ("assistant", "助教"),
    TeacherPart.SUBSTITUTE: ("substitute", "代课"),
}
"""What somebody does in a lesson, as it stands in brackets behind the name; English first."""
_BY_PART_WORD = {word: part for part, words in PART_WORDS.items() for word in words}
_MARKED = re.compile(r"(?P<name>.*\S)\s*[（(]\s*(?P<word>[^（）()]+?)\s*[）)]\s*")
WHOLE_CLASS = "-"
"""Stands among the groups of a joint lesson for a class that takes part as a whole."""


def person_and_part(text: str) -> tuple[str, TeacherPart | None]:
    """The name in "Li Qiang (substitute)" or "李强（代课）", and what the person does; None where it is not said."""
    found = _MARKED.fullmatch(text)
    part = _BY_PART_WORD.get(found["word"].casefold()) if found else None
    return (found["name"], part) if found and part else (text, None)


def parts_of(text: str, classes: int) -> tuple[str, ...]:
    """The groups in a cell: as many as there are classes, or one name for all."""
    named = several(text)
    if classes > 1 and len(named) == classes:
        return tuple("" if part in (WHOLE_CLASS, "–", "—") else part for part in named)
    return (text.strip(),) if text.strip() else ()


def original_of(text: str) -> Original | None:
    """When the lesson was to be held that is made up for: "2026-11-25 3", "2026/11/25 第3节" or "2026-11-25 10:10"."""
    found = re.fullmatch(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?[ T,，]*(\S.*)", " ".join(text.split()))
    if found is None:
        return None
    try:
        day = date(int(found[1]), int(found[2]), int(found[3]))
        clock = re.fullmatch(r"(\d{1,2})[:：](\d{2})(?:[:：]00)?", found[4])
        if clock is not None:
            return Original(day, at=time(int(clock[1]), int(clock[2])))
    except ValueError:
        return None
    periods = periods_of(found[4])
    return Original(day, periods[0]) if len(periods) == 1 else None


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
