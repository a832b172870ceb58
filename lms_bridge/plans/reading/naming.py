"""A unit's title and content out of the columns that name it: unit, topic, content."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lms_bridge.core.i18n import N_
from lms_bridge.plans.reading.columns import Header
from lms_bridge.plans.reading.grid import Row
from lms_bridge.plans.reading.headings import NAME_FIELDS
from lms_bridge.plans.reading.inline import read_tail
from lms_bridge.plans.reading.numerals import CHINESE, whole_number
from lms_bridge.plans.reading.problems import CellProblem

LONGEST_TITLE = 255
LONGEST_STORED_TITLE = 300
"""What a unit's title may have here; one that was exported may be as long."""

# Numbering that starts a unit: 第三单元, Unit 3. The word tells the level: units contain lessons.
_LEVEL = re.compile(
    rf"\s*(?:第\s*[\d{CHINESE}]+\s*(?P<zh>单元|章|节|课|模块|专题|部分)"
    r"|(?P<en>unit|module|chapter|lesson|topic)\s*\d+)",
    re.I,
)
_BULLET = re.compile(r"[•·●○■□◆◇▪–—*-]\s+(?=\S)")
_ONLY_NUMBER = re.compile(
    rf"(?:第\s*)?[\d{CHINESE}]+\s*(?:单元|章|节|课|模块|专题|部分)?|(?:unit|module|chapter|lesson|topic)\s*\d+", re.I
)


@dataclass(frozen=True, slots=True)
class Name:
    """Title and content of a row; ``assumed`` where the title was put together or taken from a lesser column."""

    title: str
    content: str
    assumed: bool = False


@dataclass(frozen=True, slots=True)
class NameCells:
    """The cells of a row that may name its unit: the leading column, and the further ones."""

    primary: str
    primary_above: bool
    further: tuple[str, ...]
    column: str

    @property
    def own(self) -> list[str]:
        """The texts that stand in this row itself."""
        first = [] if self.primary_above or not self.primary else [self.primary]
        return first + [text for text in self.further if text]


def name_cells(header: Header, row: Row) -> NameCells:
    """The name cells of ``row``; further columns count only where they are not repeated from above."""
    columns = [column for field in NAME_FIELDS for column in header.of(field)]
    first = columns[0].cells(row)
    texts = []
    for column in columns[1:]:
        texts.append("\n".join(cell.text for cell in column.cells(row) if cell.text and not cell.merged))
    return NameCells(
        primary="\n".join(cell.text for cell in first if cell.text),
        primary_above=any(cell.merged == "above" and cell.text for cell in first),
        further=tuple(texts),
        column=columns[0].text,
    )


def read_name(cells: NameCells, *, spans: bool) -> Name | None:
    """The name of the row's unit; None where nothing names it. ``spans``: the leading cell covers several rows."""
    further = [text for text in cells.further if text]
    if not cells.primary and not further:
        return None
    if not cells.primary:
        title, content = _first_line(further[0])
        return _checked(Name(title, "\n".join([content, *further[1:]]).strip(), assumed=True))
    if not further:
        return _checked(Name(*_first_line(cells.primary)))
    title = " ".join(cells.primary.split())
    if not spans and whole_number(title) is not None:
        line, content = _first_line(further[0])  # a column of mere numbers says where the unit stands, as the row does
        return _checked(Name(line, "\n".join([content, *further[1:]]).strip()))
    if spans or _ONLY_NUMBER.fullmatch(title):
        title = read_tail(title).title  # the periods of the whole unit are not part of each lesson's name
        line, content = _first_line(further[0])
        return _checked(Name(f"{title} {line}", "\n".join([content, *further[1:]]).strip(), assumed=True))
    _refuse_several(cells.primary)
    return _checked(Name(title, "\n".join(further)))


def plain_name(cells: NameCells) -> Name:
    """The name where each cell certainly holds what its heading says: title here, content there."""
    title, _, rest = cells.primary.partition("\n")
    return _checked(Name(title, "\n".join(text for text in (rest, *cells.further) if text)), LONGEST_STORED_TITLE)


def _first_line(text: str) -> tuple[str, str]:
    _refuse_several(text)
    text = _BULLET.sub("", text)
    line, _, rest = text.partition("\n")
    if _ONLY_NUMBER.fullmatch(line) and rest:
        second, _, rest = rest.partition("\n")
        line = f"{line} {second}"
    return line, rest


def only_first(lines: Sequence[str]) -> bool:
    """Whether the first of several lines names a unit (第三单元 童年) and the others only tell what is in it."""
    levels = [(found["zh"] or found["en"]).lower() if (found := _LEVEL.match(line)) else None for line in lines]
    return levels[0] is not None and levels[0] not in levels[1:]


def _refuse_several(text: str) -> None:
    """Refuse a cell in which several lines (or what stands between semicolons) each begin a unit of the same level as
    the first line."""
    starts = [found for line in re.split(r"\n|[；;]", text) if (found := _LEVEL.match(line))]
    levels = [(found["zh"] or found["en"]).lower() for found in starts]
    if levels and _LEVEL.match(text) and levels.count(levels[0]) > 1:
        raise CellProblem(
            N_("Several units stand in one cell, so it is not clear how the periods are shared."),
            N_("Give each unit a row of its own, with its own periods."),
        )


def _checked(name: Name, longest: int = LONGEST_TITLE) -> Name:
    if len(name.title) > longest:
        raise CellProblem(
            N_("The title has more than %(longest)s characters."),
            N_("Put a short title into the first line of the cell and the details below it."),
            longest=longest,
        )
    return name
