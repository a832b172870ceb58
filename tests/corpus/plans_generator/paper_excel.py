"""Workbooks from grids."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import openpyxl
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.worksheet.worksheet import Worksheet

from tests.corpus.plans_generator.grid import Grid
from tests.corpus.plans_generator.packing import packed_again

_EDGE = Side(style="thin")
_BORDER = Border(left=_EDGE, right=_EDGE, top=_EDGE, bottom=_EDGE)


def workbook(sheets: Mapping[str, tuple[Sequence[str], Grid]]) -> bytes:
    """A workbook: by sheet, the lines above the table (each in a merged row) and the table."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, (titles, grid) in sheets.items():
        sheet = book.create_sheet(name)
        for number, title in enumerate(titles, 1):
            sheet.cell(number, 1, title).font = Font(bold=True)
            if grid.width() > 1:
                sheet.merge_cells(start_row=number, end_row=number, start_column=1, end_column=grid.width())
        _draw(sheet, grid, len(titles) + 1)
    stream = io.BytesIO()
    book.save(stream)
    return packed_again(stream.getvalue())


def _draw(sheet: Worksheet, grid: Grid, top: int) -> None:
    for index, line in enumerate(grid.squares()):
        for column, (cell, begins, first) in enumerate(line, 1):
            target = sheet.cell(top + index, column)
            target.border = _BORDER
            if not (begins and first):
                continue
            value = cell.value if cell.value is not None else _typed(cell.text)
            target.value = value
            target.alignment = Alignment(wrap_text=True, vertical="center")
            target.font = Font(bold=cell.bold)
            if cell.across > 1 or cell.down > 1:
                sheet.merge_cells(
                    start_row=top + index, start_column=column, end_row=top + index + cell.down - 1,
                    end_column=column + cell.across - 1,
                )  # fmt: skip
    for row in grid.hidden_rows:
        sheet.row_dimensions[top + row].hidden = True
    for column in range(1, grid.width() + 1):
        sheet.column_dimensions[openpyxl.utils.get_column_letter(column)].width = 18


def _typed(text: str) -> str | int | None:
    """What a spreadsheet makes of what is typed: whole numbers become numbers."""
    return int(text) if text.isascii() and text.isdigit() else text or None
