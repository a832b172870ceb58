"""The sheets of an Excel workbook, read with openpyxl: the values that Excel last computed and showed."""

from __future__ import annotations

import io
import re
import warnings
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import MergedCell
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from lms_bridge.plans.reading.grid import Budget, Cell, Grid, Kind, RawDocument, Row
from lms_bridge.plans.reading.limits import Refused
from lms_bridge.plans.reading.package import Package

_STRICT = b"http://purl.oclc.org/ooxml/"
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")


def read_excel(package: Package) -> RawDocument:
    """Every visible sheet as a grid; hidden sheets and rows are named, not read."""
    if _STRICT in package.read(package.main_part)[:4096]:
        raise Refused("strict_xlsx")
    budget = Budget(package.limits)
    workbook = _loaded(package, values=True)
    budget.table(len(workbook.worksheets))
    visible = [sheet for sheet in workbook.worksheets if sheet.sheet_state == "visible"]
    hidden = tuple(sheet.title for sheet in workbook.worksheets if sheet.sheet_state != "visible" and sheet.max_row > 1)
    # With the formulas themselves only where there are any: it takes as long again.
    formulas = _loaded(package, values=False) if _has_formulas(package) else None
    grids = tuple(_grid(sheet, formulas[sheet.title] if formulas else None, budget) for sheet in visible)
    return RawDocument(lines=(), grids=grids, hidden_sheets=hidden)


def _loaded(package: Package, *, values: bool) -> Workbook:
    stream = package.archive.fp
    assert stream is not None  # the archive is open
    stream.seek(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about styles and extensions that do not matter here
            return load_workbook(io.BytesIO(stream.read()), data_only=values, keep_links=False)
    except (MemoryError, RecursionError):
        raise
    except Exception as error:  # openpyxl raises whatever it stumbles over in a malformed part
        raise Refused("damaged") from error


def _has_formulas(package: Package) -> bool:
    sheets = (
        name for name in package.archive.namelist() if name.startswith("xl/worksheets/") and name.endswith(".xml")
    )
    return any(_FORMULA.search(package.read(name)) for name in sheets)


def _grid(sheet: Worksheet, formulas: Worksheet | None, budget: Budget) -> Grid:
    # Only the cells that exist: one stray cell in the last row must not make a million empty rows.
    stored: dict[int, dict[int, Cell]] = {}
    for (row, column), cell in sheet._cells.items():
        if isinstance(cell, MergedCell):
            continue
        text, kind = _value(cell.value, cell.number_format)
        if cell.data_type == "e" or (cell.value is None and formulas is not None and _computed(formulas, row, column)):
            text, kind = str(cell.value or "=?"), "lost"
        if text := budget.text(text):
            stored.setdefault(row, {})[column] = Cell(text, kind)
    hidden = [row for row in sorted(stored) if sheet.row_dimensions[row].hidden]
    for row in hidden:
        del stored[row]
    budget.row(len(stored))
    if stored:
        _merge(sheet, stored)
    width = max((max(cells) for cells in stored.values()), default=0)
    budget.column(width)
    unseen = _hidden_columns(sheet, stored)
    for cells in stored.values():
        for column in unseen:
            cells.pop(column, None)
    rows = (
        Row(number, tuple(cells.get(column, Cell()) for column in range(1, width + 1)))
        for number, cells in sorted(stored.items())
    )
    return Grid(sheet.title, tuple(rows), tuple(hidden), tuple(get_column_letter(column) for column in unseen))


def _computed(formulas: Worksheet, row: int, column: int) -> bool:
    cell = formulas._cells.get((row, column))
    return cell is not None and cell.data_type == "f"


def _hidden_columns(sheet: Worksheet, stored: dict[int, dict[int, Cell]]) -> list[int]:
    """The hidden columns in which something stands."""
    used = {column for cells in stored.values() for column, cell in cells.items() if cell.text}
    spans = [(d.min, d.max) for d in sheet.column_dimensions.values() if d.hidden and d.min and d.max]
    return sorted(column for column in used if any(first <= column <= last for first, last in spans))


def _merge(sheet: Worksheet, stored: dict[int, dict[int, Cell]]) -> None:
    """Mark the cells covered by merged ranges, in rows and columns where something stands."""
    numbers = sorted(stored)
    width = max(max(cells) for cells in stored.values())
    for area in sheet.merged_cells.ranges:
        first = stored.get(area.min_row, {}).get(area.min_col, Cell())
        for number in numbers:
            if not area.min_row <= number <= area.max_row:
                continue
            for column in range(area.min_col, min(area.max_col, width) + 1):
                if column > area.min_col:
                    stored[number][column] = Cell(merged="left")
                elif number > area.min_row:
                    stored[number][column] = Cell(first.text, first.kind, "above")


def _value(value: Any, number_format: str) -> tuple[str, Kind]:
    if value is None:
        return "", "text"
    if isinstance(value, bool):
        return ("TRUE" if value else "FALSE"), "text"
    if isinstance(value, datetime):
        return value.date().isoformat(), "date"
    if isinstance(value, date):
        return value.isoformat(), "date"
    if isinstance(value, time):
        return value.isoformat(), "text"
    if isinstance(value, int | float | Decimal):
        return _number(float(value), number_format), "number"
    return str(value), "text"


def _number(value: float, number_format: str) -> str:
    """As the sheet shows it, where that matters: 9.1 in the format 0.00 is the tenth of September, not the first."""
    if value.is_integer() and abs(value) < 1e15 and "." not in number_format:
        return str(int(value))
    decimals = number_format.partition(".")[2]
    if decimals and set(decimals) == {"0"} and set(number_format) <= set("0#.,"):
        return f"{value:.{len(decimals)}f}"
    return str(int(value)) if value.is_integer() else repr(value)
