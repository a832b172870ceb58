"""Where something stands in a document, as people are told it."""

from __future__ import annotations

from lms_bridge.core.errors import Place
from lms_bridge.plans.reading.grid import Grid, Row

_SHOWN = 60


def short(text: str) -> str:
    """``text`` on one line, cut where it is long."""
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def place_in(
    file: str, grid: Grid, row: Row, *, column: int | None = None, heading: str = "", value: str = ""
) -> Place:
    """The place of ``row``, or of its cell in ``column`` (from 0) under ``heading``.

    In a table that was turned over, row and column are those of the table as the person sees it.
    """
    if grid.typed:
        return Place(file, None, None, heading or None, short(value) or None, row.number)
    if grid.numbers is None:
        return Place(file, grid.label, row.number, heading or None, short(value) or None)
    line = grid.numbers[column] if column is not None and column < len(grid.numbers) else None
    return Place(file, grid.label, line, row.number, short(value) or None)
