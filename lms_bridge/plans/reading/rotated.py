"""Tables whose first column holds the headings and whose further columns are the units, turned over.

Weeks as columns are usual where a term is laid out across the page; a long term continues in a second block below,
with the same headings again.
"""

from __future__ import annotations

from contextlib import suppress

from lms_bridge.plans.reading.grid import Cell, Grid, Row
from lms_bridge.plans.reading.headings import recognise
from lms_bridge.plans.reading.problems import CellProblem
from lms_bridge.plans.reading.when import When, read_when

# Beyond this a column of words that happen to be headings is a list, not a form.
_FEWEST = 2
# What an empty corner beside weeks or dates would say.
_TIMES = "Week / dates"


def turned(grid: Grid) -> list[Grid]:
    """The blocks of ``grid`` turned over, so that each unit is a row; none where the first column has no headings."""
    rows = [_named(row) for row in grid.rows if row.texts()]
    labels = [recognise(_first(row).text) if _first(row).text else None for row in rows]
    begin = next((i for i, label in enumerate(labels) if label is not None), None)
    if begin is None or sum(label is not None for label in labels) < _FEWEST:
        return []
    blocks: list[list[Row]] = []
    seen: set[str] = set()
    for row, label in zip(rows[begin:], labels[begin:], strict=True):
        text = _first(row).text
        # The first heading again: the term continues below.
        if not blocks or (label is not None and not _first(row).merged and text in seen and text == _top(blocks)):
            blocks.append([])
            seen = set()
        seen.add(text)
        blocks[-1].append(row)
    return [_turn(grid, block) for block in blocks]


def turned_by_hand(grid: Grid) -> list[Grid]:
    """The same where a person says that the headings stand in the first column, whatever they are."""
    return turned(grid) or [_turn(grid, [row for row in grid.rows if row.texts()])]


def _named(row: Row) -> Row:
    """The row with a heading for its times, where they stand beside an empty corner."""
    texts = [cell.text for cell in row.cells[1:] if cell.text and not cell.merged]
    if row.cell(0).text or not texts or not all(is_time(text) for text in texts):
        return row
    return Row(row.number, (Cell(_TIMES), *row.cells[1:]))


def is_time(text: str) -> bool:
    """Whether the text says when something is: weeks, or days."""
    with suppress(CellProblem):
        return read_when(text, "text", bare_weeks=False) != When()
    return False


def _first(row: Row) -> Cell:
    return row.cell(0)


def _top(blocks: list[list[Row]]) -> str:
    return _first(blocks[-1][0]).text


def _turn(grid: Grid, rows: list[Row]) -> Grid:
    # A row with one text right across is a title or remark between the blocks, not a field of every unit.
    rows = [row for row in rows if not _across(row)]
    width = max((len(row.cells) for row in rows), default=0)
    cells = [[_cell(row, column) for row in rows] for column in range(width)]
    for column in range(1, width):
        for position, row in enumerate(rows):
            # What is merged sideways there is merged downwards here, and repeats its text.
            if row.cell(column).merged == "left":
                source = cells[column - 1][position]
                cells[column][position] = Cell(source.text, source.kind, "above") if source.text else Cell()
    turned_rows = tuple(Row(column + 1, tuple(line)) for column, line in enumerate(cells))
    return Grid(grid.label, turned_rows, grid.hidden_rows, grid.hidden_columns, tuple(row.number for row in rows))


def _cell(row: Row, column: int) -> Cell:
    cell = row.cell(column)
    if cell.merged == "above":
        return Cell(merged="left")
    return cell if not cell.merged else Cell()


def _across(row: Row) -> bool:
    return len(row.texts()) == 1 and bool(row.cell(0).text) and sum(c.merged == "left" for c in row.cells) > 0 and all(
        cell.merged == "left" for cell in row.cells[1:]
    )  # fmt: skip
