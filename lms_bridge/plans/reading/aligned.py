"""Tables that were only typed: columns held apart by tabs or wide spaces, a line for each row."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lms_bridge.plans.reading.columns import header_at
from lms_bridge.plans.reading.grid import Cell, Grid, Paragraph, Row

_GAP = re.compile("\t+|　{2,}| {2,}|[ 　]{3,}")
_FEWEST = 3


def pieces(text: str) -> tuple[str, ...]:
    """The columns of a typed line; none where nothing holds words apart."""
    found = tuple(piece.strip() for piece in _GAP.split(text.strip()) if piece.strip())
    return found if len(found) > 1 else ()


def aligned_grid(paragraphs: Sequence[Paragraph]) -> Grid | None:
    """The typed table among the paragraphs: a line of headings and the lines in columns below it; None without one."""
    for index, paragraph in enumerate(paragraphs):
        if len(paragraph.columns) < 2:
            continue
        header = header_at(Grid(None, (_row(paragraph),)), 0)
        known = sum(column.heading is not None for column in header.columns)
        if not header.named() or known * 2 <= len(header.columns) or known < 2:
            continue
        rows = [_row(paragraph)]
        for line in paragraphs[index + 1 :]:
            if not line.columns:
                break
            rows.append(_row(line))
        if len(rows) >= _FEWEST:
            return Grid(None, tuple(rows), typed=True)
    return None


def _row(paragraph: Paragraph) -> Row:
    return Row(paragraph.number, tuple(Cell(piece) for piece in paragraph.columns))
