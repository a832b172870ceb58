"""The rows under a recognised header, read into units. What is not certain becomes a problem, never a guess."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lms_bridge.core.errors import BridgeError, InputError, Place
from lms_bridge.core.i18n import N_
from lms_bridge.plans.reading.amounts import read_periods
from lms_bridge.plans.reading.columns import Column, Header, header_at
from lms_bridge.plans.reading.exclusions import Exclusion, exclusion
from lms_bridge.plans.reading.grid import Cell, Grid, Kind, Row
from lms_bridge.plans.reading.headings import TEXT_FIELDS
from lms_bridge.plans.reading.naming import Name, NameCells, name_cells, read_name
from lms_bridge.plans.reading.problems import CellProblem
from lms_bridge.plans.reading.when import Calendar, When, read_when, resolve
from lms_bridge.plans.units import UnitDraft, Warning_

_SHOWN = 60


class RowReader:
    """Reads the rows of one table after another into ``units``, collecting all problems and warnings.

    ``name`` is the file's name for the places of problems; ``calendar`` the term, where it is known.
    """

    def __init__(self, name: str, calendar: Calendar | None) -> None:
        self.name = name
        self.calendar = calendar
        self.units: list[UnitDraft] = []
        self.problems: list[BridgeError] = []
        self.warnings: list[Warning_] = []
        self.undated = 0
        self._grid: Grid
        self._header: Header
        self._open = False  # whether the last row belongs to the last unit, so that merged cells may continue it

    def read(self, grid: Grid, header: Header) -> None:
        """All rows of ``grid`` below ``header``."""
        self._grid, self._header, self._open = grid, header, False
        first = len(self.units)
        below = grid.rows[header.index + 1 :]
        for position, row in enumerate(below):
            following = below[position + 1] if position + 1 < len(below) else None
            if not row.texts() or self._repeats_header(header.index + 1 + position):
                continue
            try:
                self._row(row, following, first)
            except CellProblem as problem:
                # An open problem in the naming columns: the others place themselves.
                self._problem(problem, row, self._names_column(), self._names(row).primary)
                self._open = False

    # --- one row

    def _row(self, row: Row, following: Row | None, first: int) -> None:
        names = self._names(row)
        periods_cell, periods_column = self._periods_cell(row)
        kind = self._exclusion(row, names)
        if kind is not None and self._left_out(kind, row, periods_cell, periods_column, first):
            self._open = False
            return
        if self._band(row):
            self._warn(N_("This row holds one text across the table and was not read as a unit."), row, row.texts()[0])
            self._open = False
            return
        further = [text for text in names.further if text]
        periods_above = periods_cell.merged == "above" and bool(periods_cell.text)
        if self._open and names.primary_above and (periods_above or not further):
            self._continue(row, periods_cell, periods_column)
            return
        self._open = False
        spans = names.primary_above or (following is not None and self._names(following).primary_above)
        name = read_name(names, spans=spans)
        if name is None:
            self._nameless(row, periods_cell)
            return
        self._unit(row, name, periods_cell, periods_column, periods_above)

    def _unit(self, row: Row, name: Name, periods_cell: Cell, periods_column: Column, periods_above: bool) -> None:
        before = len(self.problems)
        periods = self._periods(row, periods_cell, periods_column, periods_above)
        when, words = self._when(row)
        texts = self._texts(row)
        key = self._key(row)
        if len(self.problems) > before:
            return
        assumed = ["title"] if name.assumed else []
        if periods_column.heading is not None and periods_column.heading.assumed:
            assumed.append("periods")
        provenance: dict[str, Any] = {"row": row.number}
        if self._grid.label is not None:
            provenance = {"table": self._grid.label, "row": row.number}
        if words:
            provenance["when"] = words
        unit = UnitDraft(
            sequence=len(self.units) + 1,
            title=name.title,
            periods=periods,
            content=name.content,
            key=key,
            provenance=provenance,
            assumed=tuple(assumed),
            week_from=when.week_from,
            week_to=when.week_to,
        )
        unit = replace(unit, **texts)
        self.units.append(self._dated(unit, when, row))
        self._open = True

    def _continue(self, row: Row, periods_cell: Cell, periods_column: Column) -> None:
        """Add a row to the unit that its merged title cell belongs to."""
        unit = self.units[-1]
        before = len(self.problems)
        changes: dict[str, Any] = {}
        for field, text in self._texts(row, own=True).items():
            changes[field] = "\n".join(part for part in (getattr(unit, field), text) if part)
        further = "\n".join(text for text in self._names(row).further if text)
        changes["content"] = "\n".join(part for part in (unit.content, further) if part)
        if periods_cell.merged != "above" and periods_cell.text:
            more = self._periods(row, periods_cell, periods_column, above=False)
            changes["periods"] = unit.periods + more
            changes["assumed"] = tuple(dict.fromkeys((*unit.assumed, "periods")))
        when, _ = self._when(row)
        if when.week_to is not None and unit.week_from is not None:
            changes["week_to"] = max(when.week_to, unit.week_to or 0)
        if len(self.problems) > before:
            return
        extended = replace(unit, provenance=unit.provenance | {"to_row": row.number}, **changes)
        if when.day_to is not None and extended.date_from is not None:
            last = resolve(when.day_to, self.calendar)
            if last is not None and extended.date_to is not None:
                extended = replace(extended, date_to=max(last, extended.date_to))
        self.units[-1] = extended

    def _nameless(self, row: Row, periods_cell: Cell) -> None:
        has_text = any(self._texts(row, own=True).values())
        if has_text or (periods_cell.text and not periods_cell.merged):
            problem = CellProblem(
                N_("The unit has no title."), N_("Write what is taught, or remove the row if it is not a unit.")
            )
            self._problem(problem, row, self._names_column(), "")
        else:
            self._warn(N_("This row names no unit and no periods and was left out."), row, " ".join(row.texts()))

    # --- what is no unit

    def _exclusion(self, row: Row, names: NameCells) -> Exclusion | None:
        candidates = names.own
        kinds = [exclusion(text) for text in candidates]
        if candidates:
            return kinds[0] if all(kinds) else None
        return next((kind for text in row.texts() if (kind := exclusion(text))), None)

    def _left_out(self, kind: Exclusion, row: Row, cell: Cell, column: Column, first: int) -> bool:
        """Whether the row is left out, saying so; a contradictory one becomes a problem."""
        text = next(iter(row.texts()), "") if not self._names(row).own else self._names(row).own[0]
        try:
            periods = read_periods(cell.text, cell.kind) if not cell.merged else None
        except CellProblem:
            periods = None
        if kind == "total":
            self._check_total(row, periods, first)
            return True
        if kind == "exam":
            self._warn(N_("This row is an examination, not a unit, and was left out."), row, text)
            return True
        if not periods:
            self._warn(N_("This row is a holiday, not a unit, and was left out."), row, text)
            return True
        if kind == "no_school":
            problem = CellProblem(
                N_("This row says that there is no school, but also gives periods."),
                N_("Remove the periods, or write what is taught."),
            )
            self._problem(problem, row, column.text, cell.text)
            return True
        self._warn(N_("This title may be a holiday; because it has periods it was read as a unit."), row, text)
        return False

    def _check_total(self, row: Row, total: int | None, first: int) -> None:
        found = sum(unit.periods for unit in self.units[first:])
        if total and total != found and not self.problems:
            self.warnings.append(
                Warning_(
                    N_("The document gives %(total)s periods in all, but its units add up to %(found)s."),
                    Place(file=self.name, table=self._grid.label, row=row.number),
                    {"total": total, "found": found},
                )
            )

    def _band(self, row: Row) -> bool:
        """A text that runs across most of the table is a heading between the rows."""
        if len(row.texts()) != 1 or any(cell.merged == "above" and cell.text for cell in row.cells):
            return False
        return sum(cell.merged == "left" for cell in row.cells) * 2 >= len(row.cells)

    def _repeats_header(self, index: int) -> bool:
        here = header_at(self._grid, index)
        return here.complete() or (self._header.index > 0 and here.row.cells == self._above_header())

    def _above_header(self) -> tuple[Cell, ...]:
        return self._grid.rows[self._header.index - 1].cells

    # --- cells

    def _names(self, row: Row) -> NameCells:
        return name_cells(self._header, row)

    def _names_column(self) -> str:
        return self._names(self._header.row).column

    def _periods_cell(self, row: Row) -> tuple[Cell, Column]:
        column = self._header.of("periods")[0]
        cells = [cell for cell in column.cells(row) if cell.text]
        if len(cells) > 1:
            return Cell(" ".join(cell.text for cell in cells)), column
        return (cells[0] if cells else Cell()), column

    def _periods(self, row: Row, cell: Cell, column: Column, above: bool) -> int:
        """The periods of the row's unit; a problem is noted (and 0 returned) where they are not certain."""
        try:
            if above:
                raise CellProblem(
                    N_("One number of periods stands for several units."),
                    N_("Undo the merge of the cell and give each unit its own periods."),
                )
            periods = read_periods(cell.text, cell.kind)
            if periods is None:
                raise CellProblem(
                    N_("The unit has no number of periods."),
                    N_("Write the number of periods, or remove the row if it is not a unit."),
                )
            if periods == 0:
                raise CellProblem(
                    N_("A unit takes at least one period."),
                    N_("Write the number of periods, or remove the row if it is not a unit."),
                )
        except CellProblem as problem:
            self._problem(problem, row, column.text, cell.text)
            return 0
        return periods

    def _when(self, row: Row) -> tuple[When, str]:
        """Weeks and days out of all columns about time, and the words that were read."""
        found = When()
        words: list[str] = []
        for column in self._header.of("week", "when", "dates"):
            text = " ".join(cell.text for cell in column.cells(row) if cell.text)
            kind: Kind = next((cell.kind for cell in column.cells(row) if cell.text), "text")
            if not text:
                continue
            words.append(text)
            bare_weeks = column.heading is not None and column.heading.field != "dates"
            try:
                when = read_when(text, kind, bare_weeks=bare_weeks)
                if when.week_from and found.week_from and when != found:
                    raise CellProblem(
                        N_("Two columns name different weeks."), N_("Keep one column for the teaching week.")
                    )
            except CellProblem as problem:
                self._problem(problem, row, column.text, text)
                continue
            found = When(
                found.week_from or when.week_from,
                found.week_to or when.week_to,
                found.day_from or when.day_from,
                found.day_to or when.day_to,
            )
        return found, "; ".join(words)

    def _dated(self, unit: UnitDraft, when: When, row: Row) -> UnitDraft:
        """``unit`` with its dates, as far as their year is known."""
        if when.day_from is None or when.day_to is None:
            return unit
        start, end = resolve(when.day_from, self.calendar), resolve(when.day_to, self.calendar)
        if start is None or end is None:
            self.undated += 1
            return unit
        assumed = unit.assumed
        if when.day_from.year is None:
            assumed += ("date_from", "date_to")
        if end < start:
            self._problem(
                CellProblem(
                    N_("The first date is after the last one."),
                    N_("Write the dates as 2026-09-01 or as a range such as 9.1-9.5."),
                ),
                row, self._header.of("dates", "when", "week")[0].text, unit.provenance.get("when", ""),
            )  # fmt: skip
        return replace(unit, date_from=start, date_to=end, assumed=assumed)

    def _texts(self, row: Row, *, own: bool = False) -> dict[str, Any]:
        """The descriptive fields; several columns of one field are joined, each under its heading."""
        texts: dict[str, Any] = {}
        for field in TEXT_FIELDS:
            columns = self._header.of(field)
            parts = []
            for column in columns:
                cells = [cell for cell in column.cells(row) if cell.text and not (own and cell.merged)]
                text = "\n".join(cell.text for cell in cells)
                if text:
                    parts.append(f"{column.text}: {text}" if len(columns) > 1 else text)
            texts[field] = "\n".join(parts)
        return texts

    def _key(self, row: Row) -> str | None:
        for column in self._header.of("key"):
            text = " ".join(cell.text for cell in column.cells(row) if cell.text and not cell.merged)
            if not text:
                continue
            if any(unit.key == text for unit in self.units):
                problem = CellProblem(
                    N_("Another unit has the same key."), N_("Leave the key of a new unit empty; it will be given one.")
                )
                self._problem(problem, row, column.text, text)
            return text
        return None

    # --- findings

    def _problem(self, problem: CellProblem, row: Row, column: str, value: str) -> None:
        place = Place(self.name, self._grid.label, row.number, column, _short(value) or None)
        self.problems.append(InputError(problem.message, place=place, remedy=problem.remedy, **problem.params))

    def _warn(self, message: str, row: Row, value: str) -> None:
        self.warnings.append(Warning_(message, Place(self.name, self._grid.label, row.number, value=_short(value))))


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
