"""Which column of a plan holds what: the words that schools write above their columns, in Chinese and English.

A heading is recognised when it is in this table word for word (brackets, spaces, punctuation and a leading 教学 or
授课 apart), or when all its parts (``周次/日期``, ``Key points and difficult points``) are. Nothing is guessed from
similarity: what is not recognised is named to the person.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from lms_bridge.plans.reading.synonyms import NAME_FIELDS, SYNONYMS, TEXT_FIELDS, TIME_WORDS, Field

__all__ = ["NAME_FIELDS", "TEXT_FIELDS", "Field", "Heading", "plain_heading", "recognise", "understood"]

# No heading is longer; the bound keeps the patterns below from working on whole paragraphs.
_LONGEST = 80
_PARTS = re.compile(r"[/／、,，;；&＆+＋\n|]|及其|及|与|和|(?<=\w)\s+(?:and|or)\s+(?=\w)")
_BRACKETS = re.compile(r"[(\[【〔{].*?[)\]】〕}]", re.DOTALL)
_TEACHING = re.compile("^(教学|授课)")
# Read as periods only because a school's hour usually is one: such a column is marked as assumed.
_HOURS = ("hours", "noofhours", "numberofhours")


# What stands in brackets behind 课时 or Time: （分钟）, （节）, （每周）, (cumulative).
_IN_BRACKETS = re.compile(r"[(\[【〔{](.*?)[)\]】〕}]", re.DOTALL)
_NOT_OF_THE_UNIT = re.compile(r"每周|周|累计|实际|per week|/ ?week|weekly|cumulative|running|actual", re.IGNORECASE)
_MINUTES = re.compile(r"(?<!\d)(?:分钟|分|min(?:ute)?s?)", re.IGNORECASE)
_CLOCK_HOURS = re.compile(r"小时|\bh(?:ou)?rs?\b|\bh\b", re.IGNORECASE)
_PERIODS = re.compile(r"课时|学时|节|periods?|lessons?", re.IGNORECASE)

Measure = Literal["periods", "minutes", "hours", "stated", "weekly", "days", "numbers", "sum"]
_BEGINS = frozenset(("weekbeginning", "weekcommencing", "weekstarting", "weekof", "wb", "wc"))


@dataclass(frozen=True, slots=True)
class Heading:
    """A recognised heading. ``also`` are further fields that the same column holds; ``assumed`` as in a unit.

    ``measure`` says what a bare number in a column of periods counts; ``stated``: nothing, the cell must say it;
    ``weekly``: the periods of each week; ``days``: school days; ``numbers``: the cell lists the lessons' numbers;
    ``sum``: the column's cells are to be added up. ``begins``: a date is the Monday of the week.
    """

    field: Field
    also: tuple[Field, ...] = ()
    assumed: bool = False
    measure: Measure = "periods"
    begins: bool = False


def recognise(text: str) -> Heading | None:
    """What the column under the heading ``text`` holds; None where the heading is not known."""
    if len(text) > _LONGEST:
        return None
    key = _key(text)
    if not key:
        return None
    measured = _amount(text, key)
    if measured != "none":
        return measured
    if field := _lookup(key):
        inner = " ".join(_IN_BRACKETS.findall(unicodedata.normalize("NFKC", text)))
        # Content (lessons): the periods are expected in brackets behind the names.
        told = field in NAME_FIELDS and bool(_PERIODS.search(inner)) and not re.search(r"\d", inner)
        return Heading(field, also=("periods",) if told else (), begins=key in _BEGINS)
    parts = [_lookup(_key(part)) for part in _PARTS.split(_plain(text)) if _key(part)]
    fields = list(dict.fromkeys(field for field in parts if field is not None))
    if len(parts) < 2 or None in parts or "other" in parts:
        return None
    if len(fields) == 1:
        return Heading(fields[0])
    if set(fields) <= {"month", "week", "dates", "when"}:
        return Heading("when")
    # 教学内容及课时: the periods are expected behind the names, and found there or missed.
    if set(fields) <= {*NAME_FIELDS, "periods"}:
        named = min((f for f in fields if f != "periods"), key=NAME_FIELDS.index)
        return Heading(named, also=("periods",) if "periods" in fields else ())
    if set(fields) <= set(TEXT_FIELDS):
        return Heading(fields[0], also=tuple(fields[1:]))
    return None


def _amount(text: str, key: str) -> Heading | Literal["none"] | None:
    """The heading as one of periods; None where its brackets say that it counts something else, ``none`` where the
    heading is about something else altogether."""
    text = unicodedata.normalize("NFKC", text)
    inner = " ".join(_IN_BRACKETS.findall(text))
    time_word = _TEACHING.sub("", key) in _DURATIONS or key in _DURATIONS
    # 时间（课时） and Time (min) say how long, 时间 alone says when.
    how_long = _lookup(key) == "when" and bool(_PERIODS.search(inner) or _MINUTES.search(inner))
    if not (time_word or how_long or _lookup(key) == "periods"):
        return "none"
    if _NOT_OF_THE_UNIT.search(inner):
        return None
    if key == "minutes" or (_MINUTES.search(inner) and not re.search(r"\d", inner)):
        return Heading("periods", assumed=True, measure="minutes")
    if _CLOCK_HOURS.search(inner) and not _PERIODS.search(inner):
        return Heading("periods", assumed=True, measure="hours")
    if time_word and not _PERIODS.search(inner):
        return Heading("periods", measure="stated")
    return Heading("periods", assumed=key in _HOURS)


def understood(locale: str) -> dict[Field, str]:
    """The usual heading of each field in a language, to tell people what would be recognised."""
    position = 0 if locale.startswith("zh") else 1
    fields: tuple[Field, ...] = ("week", "dates", "unit", "content", "periods", *TEXT_FIELDS)
    words: dict[Field, str] = {}
    for field in fields:
        group = SYNONYMS[field].split("|")[position]
        first = group.split()[0] if position == 0 else group.strip().capitalize()
        words[field] = first
    return words


def _plain(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).strip()
    return _BRACKETS.sub(" ", text).strip() or text.strip("()[]【】〔〕{}")


def plain_heading(text: str) -> str:
    """The heading as it is looked up: without brackets, spaces, punctuation and capitals."""
    return _key(text)


def _key(text: str) -> str:
    return re.sub(r"[\W_]+", "", _plain(text)).casefold() or ("#" if text.strip() == "#" else "")


def _lookup(key: str) -> Field | None:
    return _TABLE.get(key) or _TABLE.get(_TEACHING.sub("", key))


def _durations() -> frozenset[str]:
    chinese, *english = TIME_WORDS.split("|")
    return frozenset(_key(word) for word in [*chinese.split(), *english, "minutes"])


def _build() -> dict[str, Field]:
    table: dict[str, Field] = {}
    for field, words in SYNONYMS.items():
        chinese, *english = words.split("|")
        for word in [*chinese.split(), *english]:
            key = _key(word)
            if table.setdefault(key, field) != field:
                raise ValueError(f"{word!r} stands for two fields")
    return table


_TABLE = _build()
_DURATIONS = _durations()
