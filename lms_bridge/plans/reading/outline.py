"""The lines of a plan that is no table: which begin a unit, which name a field, which end the plan."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lms_bridge.plans.reading.exclusions import exclusion
from lms_bridge.plans.reading.grid import Paragraph
from lms_bridge.plans.reading.headings import Field, recognise
from lms_bridge.plans.reading.inline import Tail, is_amount, read_tail, take_week
from lms_bridge.plans.reading.numerals import CHINESE, NUMBER, normalise, whole_number

_NUMERAL = rf"[\d{CHINESE}]+"
# The words that number units, from the greater to the lesser.
_WORDS = (
    ("单元", "模块", "专题", "部分", "项目", "unit", "module", "theme", "part", "project"),
    ("章", "chapter"),
    ("课", "节", "篇", "lesson", "section", "topic"),
)
_CHINESE_LEVEL = re.compile(rf"第\s*{_NUMERAL}\s*(?P<word>单元|模块|专题|部分|项目|章|课(?!时)|节|篇)")
_SHORT_LEVEL = re.compile(rf"(?P<word>单元|模块|专题|项目)\s*{_NUMERAL}")
_ENGLISH_LEVEL = re.compile(
    r"(?P<word>unit|module|theme|part|project|chapter|lesson|section|topic)\s+(?:\d+|[ivx]+|one|two|three|four|five|six"
    r"|seven|eight|nine|ten|eleven|twelve)\b",
    re.IGNORECASE,
)
_NUMBERINGS = (
    ("cn", re.compile(rf"[{CHINESE}]{{1,3}}\s*[、.．]")),
    ("cn()", re.compile(rf"[(（][{CHINESE}]{{1,3}}[)）]")),
    ("n", re.compile(r"\d{1,2}\s*[.、．)）](?!\d)\s*")),
    ("n()", re.compile(r"[(（]\d{1,2}[)）]")),
    ("n.n", re.compile(r"\d{1,2}\.\d{1,2}(?![.\d])\s*")),
    ("circled", re.compile(r"[①-⑳]")),
)
_SECTION = re.compile(rf"\s*([{CHINESE}]{{1,3}})\s*[、.．]")
_BRACKETED_LABEL = re.compile(r"[【\[〔](?P<label>[^】\]〕]{1,20})[】\]〕]\s*[:：]?\s*(?P<rest>.*)", re.DOTALL)
_BULLET = re.compile(r"^[\s•·●○■□◆◇▪–—*-]+(?=\S)")
_LONGEST_LABEL = 40
_FEWEST_WEEKS = 3
# The rank of lines that begin with a week, below the words that number units and above all other numbering.
WEEK = 5


@dataclass(frozen=True, slots=True)
class Line:
    """One paragraph taken apart.

    ``family`` is the kind of numbering or style that it begins with; lines of one family are units of one kind.
    ``rank`` orders families from the greater to the lesser. ``field`` is what a label such as 教学目标： names.
    """

    paragraph: Paragraph
    text: str
    tail: Tail
    week: str
    family: str
    rank: int
    field: Field | None = None
    label: str = ""


def take_apart(paragraphs: Sequence[Paragraph]) -> list[Line]:
    """The lines of the document; a paragraph with line breaks gives one line for each."""
    lines: list[Line] = []
    for paragraph in paragraphs:
        for position, piece in enumerate(paragraph.text.split("\n")):
            lines.append(_line(paragraph if position == 0 else _plain(paragraph), piece.strip()))
    return lines


def _plain(paragraph: Paragraph) -> Paragraph:
    return Paragraph(paragraph.number, paragraph.text, 0, 0, paragraph.boxed)


def _line(paragraph: Paragraph, text: str) -> Line:
    bare = _BULLET.sub("", text)
    week, rest = take_week(bare)
    if not week:
        week, rest = take_week(without_number(bare))
    rest = rest if week else bare
    family, rank = _family(paragraph, rest, bool(week))
    label = _label(bare)
    if label is not None:
        heading, words, value = label
        if heading == "when" and is_amount(value):
            heading = "periods"
        return Line(paragraph, value, Tail(value), "", family, rank, heading, words)
    return Line(paragraph, bare, read_tail(rest), week, family, rank)


def _label(text: str) -> tuple[Field, str, str] | None:
    """``教学目标：…``, ``【作业】…``, ``一、教学目标``: the field, the label's words, and what stands behind it."""
    if bracketed := _BRACKETED_LABEL.match(text):
        heading = recognise(bracketed["label"])
        return (heading.field, bracketed["label"], bracketed["rest"]) if heading else None
    for candidate in (text, without_number(text)):
        words, colon, rest = candidate.replace("：", ":", 1).partition(":")
        heading = recognise(words) if len(words) <= _LONGEST_LABEL else None
        if heading is not None and (colon or not rest):
            return heading.field, words, rest.strip()
    return None


def without_number(text: str) -> str:
    """``text`` without the numbering before it."""
    for _, pattern in _NUMBERINGS:
        if found := pattern.match(text):
            return text[found.end() :].strip()
    return text


def _family(paragraph: Paragraph, text: str, week: bool) -> tuple[str, int]:
    for pattern in (_CHINESE_LEVEL, _SHORT_LEVEL, _ENGLISH_LEVEL):
        if found := pattern.match(text):
            word = found["word"].lower()
            return word, next(rank for rank, words in enumerate(_WORDS) if word in words)
    if week:
        return "week", WEEK
    if paragraph.level:
        return f"heading {paragraph.level}", 10 + paragraph.level
    for rank, (family, pattern) in enumerate(_NUMBERINGS):
        if pattern.match(text):
            return family, 20 + rank
    if paragraph.item:
        return f"list {paragraph.item}", 30 + paragraph.item
    return "plain", 40


def unit_family(lines: Sequence[Line]) -> str | None:
    """The family of the lines that are units: the greatest of which most tell their periods; None where none does."""
    families: dict[str, list[bool]] = {}
    rank: dict[str, int] = {}
    for index, line in enumerate(lines):
        if line.field is not None or not _may_be_unit(line):
            continue
        families.setdefault(line.family, []).append(bool(line.tail.amount) or _amount_below(lines, index))
        rank[line.family] = line.rank
    likely = [f for f, told in families.items() if sum(told) >= 2 and sum(told) * 2 >= len(told)]
    likely = likely or [f for f, told in families.items() if any(told) and f != "plain"]
    return min(likely, key=lambda family: rank[family], default=None)


def weeks_told(lines: Sequence[Line]) -> bool:
    """Whether the lines are a plan that tells no periods: at least three name a week and what is taught in it, each
    week after the one before."""
    told = [line for line in lines if line.family == "week" and line.field is None and line.tail.title]
    weeks = [int(found[0]) for line in told if (found := re.search(r"\d+", _digits(line.week)))]
    return len(told) >= _FEWEST_WEEKS and len(weeks) == len(told) and weeks == sorted(weeks)


def _digits(week: str) -> str:
    """The first number of a week's words, in digits."""
    found = re.search(NUMBER, normalise(week))
    number = whole_number(found[0]) if found else None
    return "" if number is None else str(number)


def _may_be_unit(line: Line) -> bool:
    if not (line.tail.title or line.week):
        return False
    return exclusion(line.text) is None and exclusion(line.tail.title) is None


def _amount_below(lines: Sequence[Line], index: int) -> bool:
    """Whether a line 课时：6 stands below, before the next line of the same or a greater family."""
    for line in lines[index + 1 :]:
        if line.field == "periods":
            return True
        if line.field is None and line.rank <= lines[index].rank:
            return False
    return False


def sections_of(lines: Sequence[Line], family: str) -> set[int]:
    """The paragraphs that look like a unit's label (三、教学措施) but begin a section of the whole document.

    They go on with the numbering that began above the first unit, or are headings of a greater level than the units,
    or of the same level where no other unit has such a label.
    """
    first = next(i for i, line in enumerate(lines) if line.family == family and line.field is None)
    above = [number for line in lines[:first] if (number := _section_number(line)) is not None]
    level = lines[first].paragraph.level
    labels = [line for line in lines[first:] if line.field is not None]
    units = sum(line.family == family and line.field is None for line in lines)
    found: set[int] = set()
    for line in labels:
        number = _section_number(line)
        if above and number == above[-1] + 1:
            above.append(number)
            found.add(line.paragraph.number)
        elif 0 < line.paragraph.level < level or (
            line.paragraph.level == level > 0 and units > 1 and sum(other.field == line.field for other in labels) == 1
        ):
            found.add(line.paragraph.number)
    return found


def _section_number(line: Line) -> int | None:
    found = _SECTION.match(line.paragraph.text)
    return whole_number(found[1]) if found else None


def apart_from(lines: Sequence[Line], family: str) -> set[int]:
    """The lines (by position) of the units' family that stand in lists of their own, none of which tells its periods:
    aims and measures are numbered like the units of many plans."""
    found: set[int] = set()
    run: list[int] = []
    rank = next(line.rank for line in lines if line.family == family)
    for position, line in enumerate([*lines, None]):
        if line is not None and line.field is None and line.family == family:
            run.append(position)
        elif line is None or (line.field is None and line.rank < rank):
            if not any(lines[i].tail.amount or _amount_below(lines, i) for i in run):
                found |= set(run)
            run = []
    return found
