"""What makes a document look as schools leave it: landscape pages, shaded rows, coloured and frozen sheets."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping

import openpyxl
from docx.document import Document
from docx.enum.section import WD_ORIENT
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm
from docx.table import Table
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from tests.corpus.plans_generator.packing import packed_again


def landscape(document: Document) -> Document:
    """Turn the page and make its margins narrow."""
    section = document.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = Cm(29.7), Cm(21)
    section.left_margin = section.right_margin = Cm(1.5)
    return document


def shade(table: Table, row: int, colour: str) -> None:
    """Give all cells of a row a background, such as ``D9E2F3``."""
    for cell in table.rows[row].cells:
        properties = cell._tc.get_or_add_tcPr()
        for old in properties.findall(qn("w:shd")):
            properties.remove(old)
        shading = OxmlElement("w:shd")
        shading.set(qn("w:val"), "clear")
        shading.set(qn("w:fill"), colour)
        properties.append(shading)


def widths(table: Table, *centimetres: float) -> None:
    """Set the widths of the table's columns."""
    table.autofit = False
    for index, width in enumerate(centimetres):
        table.columns[index].width = Cm(width)
    for row in table.rows:
        for cell in row._tr.tc_lst:
            span = range(cell.grid_offset, cell.grid_offset + cell.grid_span)
            cell.width = Cm(sum(centimetres[column] for column in span))


def dressed(data: bytes, dress: Callable[[Worksheet], None], sheet: int = 0) -> bytes:
    """A workbook after ``dress`` has worked on one of its sheets."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    dress(book.worksheets[sheet])
    stream = io.BytesIO()
    book.save(stream)
    return packed_again(stream.getvalue())


def fill(sheet: Worksheet, row: int, colour: str) -> None:
    """Colour a row of a sheet (from 1)."""
    for cell in sheet[row]:
        cell.fill = PatternFill("solid", fgColor=colour)


def title_line(sheet: Worksheet, row: int) -> None:
    """Make a sheet's title large and centred, and the sheet as wide as a page when it is printed."""
    cell = sheet.cell(row, 1)
    cell.font = Font(bold=True, size=16)
    cell.alignment = Alignment(horizontal="center", vertical="center")
    sheet.row_dimensions[row].height = 30
    sheet.page_setup.orientation = "landscape"
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.page_setup.fitToHeight = 0


def column_widths(sheet: Worksheet, by_letter: Mapping[str, float]) -> None:
    """Set the widths of a sheet's columns, in characters."""
    for letter, width in by_letter.items():
        sheet.column_dimensions[letter].width = width
