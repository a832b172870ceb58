"""The researchers' overview as a workbook: how the cells stand, which plans there are, who is late, what departs."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from lms_bridge.core.i18n import get_locale, gettext
from lms_bridge.plans.export.about import say_moment
from lms_bridge.plans.export.plan_excel import write_text
from lms_bridge.plans.models import VersionState
from lms_bridge.plans.overview import Overview, Pair
from lms_bridge.plans.review import STATE_NAMES

_HEAD = PatternFill("solid", fgColor="FFE4EAF0")
_WIDEST = 40

Value = str | int | float | None


def overview_xlsx(found: Overview) -> bytes:
    """``found`` as .xlsx in the language in force; texts are texts, never formulas."""
    book = Workbook()
    book.remove(book.worksheets[0])
    locale = get_locale()
    states: tuple[VersionState, ...] = (
        VersionState.APPROVED, VersionState.SUBMITTED, VersionState.RETURNED, VersionState.DRAFT,
    )  # fmt: skip
    _sheet(
        book,
        gettext("Overview"),
        [gettext("Campus"), gettext("Subject"), gettext("Grade"), gettext("Plans needed"),
         *(gettext(STATE_NAMES[state]) for state in states), gettext("no plan yet"), gettext("overdue"),
         gettext("Coverage")],
        (
            [cell.pairs[0].campus.label(locale), cell.pairs[0].subject.label(locale), grade, len(cell.pairs),
             *(cell.states[state] for state in states), cell.missing, cell.late, cell.coverage]
            for (_, _, grade), cell in found.cells.items()
        ),
    )  # fmt: skip
    _sheet(
        book,
        gettext("Plans"),
        [gettext("Campus"), gettext("Class"), gettext("Grade"), gettext("Subject"), gettext("Teachers"),
         gettext("State"), gettext("Coverage"), gettext("due"), gettext("overdue")],
        (_line(pair, locale) for cell in found.cells.values() for pair in cell.pairs),
    )  # fmt: skip
    _sheet(
        book,
        gettext("overdue"),
        [gettext("Campus"), gettext("Class"), gettext("Grade"), gettext("Subject"), gettext("Teachers"),
         gettext("State"), gettext("Coverage"), gettext("due"), gettext("overdue")],
        (_line(pair, locale) for pair in found.late),
    )  # fmt: skip
    _sheet(
        book,
        gettext("Departures"),
        [gettext("Departure"), gettext("Severity"), gettext("Subject"), gettext("Grade"), gettext("Plans")],
        (
            [row.kind.label(), row.severity.label(), row.subject.label(locale), row.grade, row.plans]
            for row in found.departures
        ),
    )
    _sheet(
        book,
        gettext("Units of the benchmark"),
        [gettext("Unit"), gettext("Subject"), gettext("Grade"), gettext("missing in"), gettext("too short in")],
        ([row.title, row.subject.label(locale), row.grade, row.missing, row.shorter] for row in found.units),
    )
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _line(pair: Pair, locale: str) -> list[Value]:
    return [
        pair.campus.label(locale), pair.group.title, pair.group.grade, pair.subject.label(locale),
        gettext(", ").join(pair.teachers), gettext(STATE_NAMES[pair.state]) if pair.state else gettext("no plan yet"),
        pair.coverage, say_moment(pair.due_at, pair.campus.zone) if pair.due_at else "",
        gettext("overdue") if pair.late else "",
    ]  # fmt: skip


def _sheet(book: Workbook, title: str, head: Sequence[str], rows: Iterable[Sequence[Value]]) -> None:
    sheet = book.create_sheet(title[:31])
    widths = [len(text) + 4 for text in head]
    for number, line in enumerate([head, *rows], start=1):
        for column, value in enumerate(line, start=1):
            cell = sheet.cell(number, column)
            if isinstance(value, str):
                write_text(cell, value)
                # A Chinese character is as wide as two Latin letters.
                width = sum(2 if ord(letter) > 0x2E80 else 1 for letter in value) + 2
                widths[column - 1] = min(_WIDEST, max(widths[column - 1], width))
            elif value is not None:
                cell.value = value
                if isinstance(value, float):
                    cell.number_format = "0%"
            if number == 1:
                cell.font, cell.fill = Font(bold=True), _HEAD
            cell.alignment = Alignment(vertical="top", wrap_text=True)
    for column, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(column)].width = width
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions
