"""Rows among the units that are none: holidays, examinations, spare time, totals, signatures, bands, empty rows."""

from __future__ import annotations

from typing import Any

from lms_bridge.core.i18n import N_
from lms_bridge.plans.reading.cells import RowCells
from lms_bridge.plans.reading.exclusions import Exclusion, exclusion
from lms_bridge.plans.reading.grid import Grid, Row
from lms_bridge.plans.reading.notes import Notes
from lms_bridge.plans.units import UnitDraft

_LEFT_OUT: dict[Exclusion, str] = {
    "exam": N_("This row is an examination, not a unit, and was left out."),
    "spare": N_("This row is time kept free, not a unit, and was left out."),
    "signature": N_("This row is for signatures, not a unit, and was left out."),
    "note": N_("This row is a note, not a unit, and was left out."),
}


class LeftOut:
    """What a reader of rows says about those that it leaves out; it holds the units that were read so far."""

    units: list[UnitDraft]
    notes: Notes
    _grid: Grid
    _since: int  # the first unit after the last subtotal

    def _nameless(self, cells: RowCells) -> None:
        has_text = any(cells.texts(own=True).values())
        if has_text or (cells.periods_cell.text and not cells.periods_cell.merged):
            remedy = N_("Write what is taught, or remove the row if it is not a unit.")
            cells.problem(N_("The unit has no title."), remedy, cells.name_column)
        else:
            message = N_("This row names no unit and no periods and was left out.")
            self._warn(message, cells, " ".join(cells.row.texts()))

    def _exclusion(self, cells: RowCells) -> Exclusion | None:
        kinds = [exclusion(text) for text in cells.names.own]
        if kinds:
            if all(kinds):
                return kinds[0]
            # A signature block fills a row from left to right, whatever the columns are called.
            return "signature" if all(exclusion(text) == "signature" for text in cells.row.texts()) else None
        return next((kind for text in cells.row.texts() if (kind := exclusion(text))), None)

    def _left_out(self, kind: Exclusion, cells: RowCells, first: int) -> bool:
        """Whether the row is left out, saying so; a contradictory one becomes a problem."""
        text = next(iter(cells.names.own or cells.row.texts()), "")
        stated = cells.stated()
        periods = stated.periods if stated is not None else None
        if kind in ("total", "subtotal"):
            self._check_total(cells, kind, first)
            return True
        if kind in ("signature", "note") and periods:
            return False
        if kind in _LEFT_OUT:
            self._warn(_LEFT_OUT[kind], cells, text)
            return True
        if not periods:
            self._warn(N_("This row is a holiday, not a unit, and was left out."), cells, text)
            return True
        if kind == "no_school":
            cells.problem(
                N_("This row says that there is no school, but also gives periods."),
                N_("Remove the periods, or write what is taught."),
                cells.periods_column,
                cells.periods_cell.text,
            )
            return True
        self._warn(N_("This title may be a holiday; because it has periods it was read as a unit."), cells, text)
        return False

    def _check_total(self, cells: RowCells, kind: Exclusion, first: int) -> None:
        stated = cells.stated()
        said = stated.periods if stated else _number_in(cells.row)
        start = self._since if kind == "subtotal" else first
        sums = {sum(unit.periods for unit in self.units[start:])}
        if kind == "subtotal":
            self._since = len(self.units)
        else:
            sums.add(sum(unit.periods for unit in self.units))
        if said and said not in sums and not self.notes.problems:
            message = N_("The document gives %(total)s periods in all, but its units add up to %(found)s.")
            self._warn(message, cells, total=said, found=sum(unit.periods for unit in self.units[start:]))

    def _band(self, row: Row) -> bool:
        """A text that runs across most of the table is a heading between the rows."""
        if len(row.texts()) != 1 or any(cell.merged == "above" and cell.text for cell in row.cells):
            return False
        return sum(cell.merged == "left" for cell in row.cells) * 2 >= len(row.cells)

    def _warn(self, message: str, cells: RowCells, value: str | None = None, **params: Any) -> None:
        shown = next(iter(cells.row.texts()), "") if value is None else value
        self.notes.warn(message, self._grid, cells.row, shown, **params)


def _number_in(row: Row) -> int | None:
    """The only number that stands in a row of totals, in whichever column or behind the word itself."""
    digits = [run for text in row.texts() for run in "".join(c if c.isdigit() else " " for c in text).split()]
    return int(digits[0]) if len(digits) == 1 and len(digits[0]) < 5 else None
