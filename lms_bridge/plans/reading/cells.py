"""The cells of one row under a header: periods, weeks and dates, texts, key. What is not certain becomes a problem."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from typing import Any

from lms_bridge.core.i18n import N_
from lms_bridge.plans.reading.amounts import DAYS, Amount, listed, read_amount
from lms_bridge.plans.reading.columns import Column, Header
from lms_bridge.plans.reading.grid import Cell, Grid, Kind, Row
from lms_bridge.plans.reading.headings import NAME_FIELDS, TEXT_FIELDS
from lms_bridge.plans.reading.naming import NameCells, name_cells
from lms_bridge.plans.reading.notes import Notes
from lms_bridge.plans.reading.numerals import normalise
from lms_bridge.plans.reading.problems import CellProblem
from lms_bridge.plans.reading.when import When, month_in, read_when

NO_PERIODS = (
    N_("The unit has no number of periods."),
    N_("Write the number of periods, or remove the row if it is not a unit."),
)

# The keys that this system gives to units (core.ids.new_uid); those of other forms are called otherwise.
_OWN_KEY = re.compile(r"[a-z2-7]{20}")


class RowCells:
    """One row of ``grid`` under ``header``; ``minutes`` is the length of a period."""

    def __init__(self, notes: Notes, grid: Grid, header: Header, row: Row, minutes: int) -> None:
        self.notes = notes
        self.grid = grid
        self.header = header
        self.row = row
        self.minutes = minutes
        self.names: NameCells = name_cells(header, row)
        self.name_column = next(column for field in NAME_FIELDS for column in header.of(field))
        self.periods_column = next(iter(header.of("periods")), self.name_column)
        self.periods_cell = self._periods_cell()

    def _periods_cell(self) -> Cell:
        if self.header.told != "column":
            return Cell()
        cells = [cell for cell in self.periods_column.cells(self.row) if cell.text]
        heading = self.periods_column.heading
        if len(cells) > 1 and heading is not None and heading.measure == "sum":
            return Cell("+".join(cell.text for cell in cells))
        if len(cells) > 1:
            return Cell(" ".join(cell.text for cell in cells))
        return cells[0] if cells else Cell()

    @property
    def periods_above(self) -> bool:
        """Whether the cell of periods is merged with the one above."""
        return self.periods_cell.merged == "above" and bool(self.periods_cell.text)

    def problem(self, message: str, remedy: str, column: Column, value: str = "", **params: Any) -> None:
        """Note a problem with the cell under ``column``."""
        self.notes.problem(CellProblem(message, remedy, **params), self.grid, self.row, column, value)

    def amount(self, text: str, kind: Kind = "text") -> Amount | None:
        """The periods that ``text`` says, in the column's measure; raises ``CellProblem``."""
        heading = self.periods_column.heading
        measure = heading.measure if heading is not None and heading.field == "periods" else "periods"
        if measure == "numbers":
            return listed(text)
        if measure == "days":
            text = DAYS.sub("", text)
        plain = measure if measure in ("minutes", "hours", "stated") else "periods"
        found = read_amount(text, kind, measure=plain, minutes=self.minutes)
        if found is not None and measure == "weekly" and (weeks := self._weeks()) > 1:
            return Amount(found.periods * weeks, assumed=True)
        if (
            found is not None
            and heading is not None
            and heading.field == "periods"
            and (heading.assumed or measure == "sum")
        ):
            return Amount(found.periods, assumed=True)
        return found

    def _weeks(self) -> int:
        """How many weeks the row names; 1 where it names none."""
        with suppress(CellProblem):
            when = read_cells(self.header, self.row)
            if when.week_from is not None and when.week_to is not None:
                return when.week_to - when.week_from + 1
        return 1

    def stated(self) -> Amount | None:
        """The periods in the row's own cell, None where it is empty, merged or not certain; notes nothing."""
        if self.periods_cell.merged:
            return None
        try:
            return self.amount(self.periods_cell.text, self.periods_cell.kind)
        except CellProblem:
            return None

    def periods(self) -> Amount | None:
        """The periods of the row's unit; None (and a problem is noted) where they are not certain."""
        cell = self.periods_cell
        if self.header.told in ("each", "nowhere"):
            return Amount(1, assumed=True)
        try:
            if self.periods_above:
                raise CellProblem(
                    N_("One number of periods stands for several units."),
                    N_("Undo the merge of the cell and give each unit its own periods."),
                )
            return self.checked(self.amount(cell.text, cell.kind))
        except CellProblem as problem:
            self.notes.problem(problem, self.grid, self.row, self.periods_column, cell.text)
            return None

    def checked(self, amount: Amount | None) -> Amount:
        """``amount``, refused where it is missing or zero."""
        if amount is None:
            raise CellProblem(*NO_PERIODS)
        if amount.periods == 0:
            raise CellProblem(N_("A unit takes at least one period."), NO_PERIODS[1])
        return amount

    def lost(self) -> bool:
        """Whether a cell that counts holds a formula without its result; each is noted as a problem."""
        found = False
        for column in self.header.columns:
            if column.heading is None or column.heading.field in ("other", "number"):
                continue
            for cell in column.cells(self.row):
                if cell.kind != "lost" or cell.merged:
                    continue
                found = True
                message = N_("The formula in this cell gives an error.")
                if cell.text == "=?":
                    message = N_("This cell holds a formula, but the file does not hold its result.")
                remedy = N_(
                    "Open the workbook in Excel or WPS, see that the cell shows its value, save and upload again."
                )
                self.problem(message, remedy, column, cell.text if cell.text != "=?" else "")
        return found

    def when(self) -> tuple[When, str]:
        """Weeks and days out of all columns about time, and the words that were read."""
        found = When()
        words: list[str] = []
        for column in self.header.of("week", "when", "dates"):
            text, kind = text_under(column, self.row)
            if not text:
                continue
            words.append(text)
            try:
                month = self.month() if "-" in normalise(text) or text.isdigit() else None
                found = joined(found, read_under(column, text, kind, month))
            except CellProblem as problem:
                self.notes.problem(problem, self.grid, self.row, column, text)
        return self._between(self._numbered(found, words), words), "; ".join(words)

    def month(self) -> int | None:
        """The month in the row's column of months, or in the last row above it that names one."""
        columns = self.header.of("month")
        if not columns:
            return None
        for row in reversed(self.grid.rows[self.header.index + 1 :]):
            if row.number <= self.row.number and (text := text_under(columns[0], row)[0]):
                return month_in(text)
        return None

    def _numbered(self, found: When, words: list[str]) -> When:
        """``found`` with the weeks of the columns in which a unit's first and its last one stand."""
        for column in self.header.of("first_week", "last_week"):
            text, kind = text_under(column, self.row)
            if not text or column.heading is None:
                continue
            words.append(text)
            try:
                week = read_when(text, kind, bare_weeks=True)
            except CellProblem as problem:
                self.notes.problem(problem, self.grid, self.row, column, text)
                continue
            if column.heading.field == "first_week":
                found = replace(found, week_from=week.week_from, week_to=found.week_to or week.week_to)
            else:
                found = replace(found, week_from=found.week_from or week.week_from, week_to=week.week_to)
        return found

    def _between(self, found: When, words: list[str]) -> When:
        """``found`` with the days of the columns in which a unit starts and in which it ends."""
        for column in self.header.of("starts", "ends"):
            cell = next((cell for cell in column.cells(self.row) if cell.text), None)
            if cell is None or column.heading is None:
                continue
            words.append(cell.text)
            try:
                day = read_when(cell.text, cell.kind, bare_weeks=False)
            except CellProblem as problem:
                self.notes.problem(problem, self.grid, self.row, column, cell.text)
                continue
            if column.heading.field == "starts":
                found = replace(found, day_from=found.day_from or day.day_from, day_to=found.day_to or day.day_to)
            else:
                found = replace(found, day_from=found.day_from or day.day_from, day_to=day.day_to or found.day_to)
        return found

    def time_lines(self, count: int) -> list[When] | None:
        """The time of each of ``count`` units, where a cell about time names one in each of so many lines."""
        for column in self.header.of("week", "when", "dates"):
            text = "\n".join(cell.text for cell in column.cells(self.row) if cell.text)
            lines = text.split("\n")
            if len(lines) != count or count < 2:
                continue
            bare_weeks = column.heading is not None and column.heading.field != "dates"
            try:
                return [read_when(line, "text", bare_weeks=bare_weeks) for line in lines]
            except CellProblem:
                return None
        return None

    def texts(self, *, own: bool = False) -> dict[str, str]:
        """The descriptive fields; several columns of one field are joined, each under its heading."""
        texts: dict[str, str] = {}
        for field in TEXT_FIELDS:
            columns = self.header.of(field)
            parts = []
            for column in columns:
                cells = [cell for cell in column.cells(self.row) if cell.text and not (own and cell.merged)]
                text = "\n".join(cell.text for cell in cells)
                if text:
                    parts.append(f"{column.text}: {text}" if len(columns) > 1 else text)
            texts[field] = "\n".join(parts)
        return texts

    def key(self, taken: set[str | None]) -> str | None:
        """The unit's key, which must not be ``taken``."""
        column, text = self._key()
        if column is not None and text in taken:
            message = N_("Another unit has the same key.")
            self.problem(message, N_("Leave the key of a new unit empty; it will be given one."), column, text)
        return text or None

    def _key(self) -> tuple[Column | None, str]:
        for column in self.header.of("key"):
            text = " ".join(cell.text for cell in column.cells(self.row) if cell.text and not cell.merged)
            # An export breaks its keys into two lines, so that the column stays narrow.
            whole = "".join(text.split())
            text = whole if _OWN_KEY.fullmatch(whole) else text
            if text:
                return column, text
        return None, ""

    @property
    def exported(self) -> bool:
        """Whether this system wrote the row, as the unit's key in it shows: then it is one unit, whatever it is
        called, and each cell holds what its heading says."""
        own = not self.names.primary_above and not self.periods_above and bool(self.names.primary)
        return own and _OWN_KEY.fullmatch(self._key()[1]) is not None


def text_under(column: Column, row: Row) -> tuple[str, Kind]:
    """What stands under a heading in a row, and what kind of value the spreadsheet says it is."""
    cells = [cell for cell in column.cells(row) if cell.text]
    return " ".join(cell.text for cell in cells), next((cell.kind for cell in cells), "text")


def read_under(column: Column, text: str, kind: Kind, month: int | None = None) -> When:
    """The time that stands under a heading about weeks or dates."""
    heading = column.heading
    found = read_when(text, kind, bare_weeks=heading is not None and heading.field != "dates", month=month)
    return replace(found, begins=True) if heading is not None and heading.begins else found


def read_cells(header: Header, row: Row) -> When:
    """The time in a row's columns about weeks and dates; raises ``CellProblem``."""
    found = When()
    for column in header.of("week", "when", "dates"):
        text, kind = text_under(column, row)
        if text:
            found = joined(found, read_under(column, text, kind))
    return found


def joined(found: When, more: When) -> When:
    """What two texts say about one unit's time; refuses two different weeks."""
    if more.week_from and found.week_from and (more.week_from, more.week_to) != (found.week_from, found.week_to):
        raise CellProblem(N_("Two columns name different weeks."), N_("Keep one column for the teaching week."))
    return When(
        found.week_from or more.week_from,
        found.week_to or more.week_to,
        found.day_from or more.day_from,
        found.day_to or more.day_to,
        found.begins or more.begins,
    )
