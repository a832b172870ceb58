"""The teaching plan as a workbook with one sheet: all columns that the importer knows, to be filled in further."""

from __future__ import annotations

import io
from collections.abc import Sequence

from openpyxl import Workbook
from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.header_footer import HeaderFooterItem
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from lms_bridge.core.clock import now
from lms_bridge.core.i18n import get_locale, gettext, use_locale
from lms_bridge.plans.export.about import About, about
from lms_bridge.plans.export.clean import clean, one_line
from lms_bridge.plans.export.columns import COLUMNS, Unit, UnitColumn
from lms_bridge.plans.models import PlanVersion

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_HEADER_ROW = 3
_CHARACTERS_PER_CM = 4.6
_LINE = Side(style="thin", color="FF7B8794")
_BORDER = Border(left=_LINE, right=_LINE, top=_LINE, bottom=_LINE)
_HEAD_FILL = PatternFill("solid", fgColor="FFE4EAF0")


def plan_xlsx(version: PlanVersion, locale: str | None = None) -> bytes:
    """``version`` as .xlsx in ``locale`` (default: the plan's own language)."""
    with use_locale(locale or version.plan.language):
        return write_plan(about(version), version.units)


def write_plan(facts: About, units: Sequence[Unit]) -> bytes:
    """The workbook of these facts and units, in the language in force."""
    locale = get_locale()
    workbook = Workbook()
    sheet = workbook.active
    assert isinstance(sheet, Worksheet)
    sheet.title = gettext("Teaching plan")[:31]
    _above(sheet, facts, locale)
    for number, column in enumerate(COLUMNS, start=1):
        _head(sheet, number, column, locale)
    for row, unit in enumerate(units, start=_HEADER_ROW + 1):
        for number, column in enumerate(COLUMNS, start=1):
            _unit_cell(sheet.cell(row, number), column, unit, locale)
    _paper(sheet, facts)
    properties = workbook.properties
    properties.title, properties.creator = one_line(facts.title), one_line(facts.author) or None
    properties.created = properties.modified = now().replace(tzinfo=None, microsecond=0)
    stream = io.BytesIO()
    workbook.save(stream)
    return stream.getvalue()


def _above(sheet: Worksheet, facts: About, locale: str) -> None:
    texts = (facts.title, " · ".join(part for part in (facts.school, facts.term, facts.classes, facts.author) if part))
    for row, text in enumerate(texts, start=1):
        cell = sheet.cell(row, 1)
        write_text(cell, one_line(text))
        cell.font = Font(bold=row == 1, size=16 if row == 1 else 10)
        cell.alignment = Alignment(horizontal="center", vertical="center")
        sheet.merge_cells(start_row=row, end_row=row, start_column=1, end_column=len(COLUMNS))
    sheet.row_dimensions[1].height = 28


def _head(sheet: Worksheet, number: int, column: UnitColumn, locale: str) -> None:
    cell = sheet.cell(_HEADER_ROW, number)
    write_text(cell, column.heading(locale))
    cell.font, cell.fill, cell.border = Font(bold=True), _HEAD_FILL, _BORDER
    cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
    width = 24 if column.field == "key" else column.width * _CHARACTERS_PER_CM
    sheet.column_dimensions[get_column_letter(number)].width = round(max(width, 7), 1)


def _unit_cell(cell: Cell | MergedCell, column: UnitColumn, unit: Unit, locale: str) -> None:
    text = column.text(unit, locale)
    assert isinstance(cell, Cell)
    if column.field in ("number", "periods") or (column.field == "week" and text.isdigit()):
        cell.value = int(text) if text else None
    elif text:
        write_text(cell, text)
    cell.border = _BORDER
    cell.alignment = Alignment(
        horizontal="center" if column.centre else "left", vertical="top", wrap_text=column.field != "key"
    )


def write_text(cell: Cell | MergedCell, text: str) -> None:
    """Put ``text`` into ``cell`` as text, whatever it looks like: never a formula, a number or a link."""
    assert isinstance(cell, Cell)
    cell.value = clean(text)
    cell.data_type = "s"
    cell.number_format = "@"
    # Excel shows what begins with such a sign as it stands, also after somebody has edited the cell.
    cell.quotePrefix = text[:1] in ("=", "+", "-", "@", "'")


def _paper(sheet: Worksheet, facts: About) -> None:
    """How it is printed: across, as wide as one page, headings on each, numbered."""
    sheet.freeze_panes = f"A{_HEADER_ROW + 1}"
    sheet.print_title_rows = f"{_HEADER_ROW}:{_HEADER_ROW}"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    header, footer = HeaderFooterItem(), HeaderFooterItem()
    header.left.text = one_line(facts.school).replace("&", "&&")
    header.right.text = one_line(facts.term).replace("&", "&&")
    footer.center.text = gettext("Page %(page)s of %(pages)s", page="&P", pages="&N")
    sheet.oddHeader, sheet.oddFooter = header, footer
