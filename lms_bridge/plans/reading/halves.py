"""Tables in two or three halves side by side (周次|内容|课时|周次|内容|课时), to save paper: put below each other.

The weeks must show in which order the halves go on; where they do not, the table is not taken apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise

from lms_bridge.plans.reading.captions import different_parts
from lms_bridge.plans.reading.columns import Column, Header, header_at
from lms_bridge.plans.reading.grid import Cell, Grid, Row
from lms_bridge.plans.reading.problems import CellProblem
from lms_bridge.plans.reading.roles import settled
from lms_bridge.plans.reading.when import read_when

_MOST = 3


def halves(grid: Grid, header: Header) -> list[tuple[Grid, Header]]:
    """The halves of ``grid`` in reading order, each with its header; none where the table is not made of such."""
    parts = _repeated(header)
    if not parts:
        return []
    cut = [_cut(grid, header, columns) for columns in parts]
    weeks = [[week for row in part.rows[head.index + 1 :] if (week := _week(head, row))] for part, head in cut]
    if not all(weeks):
        return []
    if different_parts(cut[0][0].caption, cut[1][0].caption):
        return cut
    down, across = _grows([week for column in weeks for week in column]), _grows(_in_rows(cut))
    if down and across and len(grid.rows) > header.index + 2:
        return []  # both orders fit, as where all stands in one week
    if down:
        return cut
    return [_woven(grid, cut)] if across else []


def _repeated(header: Header) -> list[tuple[Column, ...]]:
    """The columns of each half, where the same headings stand two or three times."""
    texts = ["".join(column.text.split()) for column in header.columns]
    for count in range(2, _MOST + 1):
        size, rest = divmod(len(texts), count)
        if rest == 0 and size >= 2 and texts[:size] * count == texts:
            return [header.columns[i * size : (i + 1) * size] for i in range(count)]
    return []


def _cut(grid: Grid, header: Header, columns: tuple[Column, ...]) -> tuple[Grid, Header]:
    start, end = columns[0].start, columns[-1].end
    rows = tuple(Row(row.number, tuple(row.cell(i) for i in range(start, end))) for row in grid.rows)
    above = grid.rows[header.top - 1].cell(start).text if header.top else ""
    part = Grid(grid.label, rows, grid.hidden_rows, grid.hidden_columns, caption=above)
    found = settled(part, header_at(part, header.top, header.index - header.top + 1))
    return part, replace(found, told=header.told)


def _woven(grid: Grid, cut: list[tuple[Grid, Header]]) -> tuple[Grid, Header]:
    """The halves row by row: first all of the first row, then all of the second."""
    first, head = cut[0]
    rows = list(first.rows[: head.index + 1])
    for index in range(head.index + 1, len(grid.rows)):
        for part, _ in cut:
            row = part.rows[index]
            rows.append(Row(row.number, tuple(Cell(c.text, c.kind, c.merged) for c in row.cells)))
    return Grid(grid.label, tuple(rows), grid.hidden_rows, grid.hidden_columns), head


def _in_rows(cut: list[tuple[Grid, Header]]) -> list[int]:
    first, head = cut[0]
    found = (_week(part_head, part.rows[i]) for i in range(head.index + 1, len(first.rows)) for part, part_head in cut)
    return [week for week in found if week]


def _week(header: Header, row: Row) -> int | None:
    for column in header.of("week", "when"):
        for cell in column.cells(row):
            if cell.text and not cell.merged:
                with suppress(CellProblem):
                    return read_when(cell.text, cell.kind, bare_weeks=True).week_from
    return None


def _grows(weeks: list[int]) -> bool:
    steps: Iterator[tuple[int, int]] = pairwise(weeks)
    return all(first <= second for first, second in steps)
