"""The rows under a recognised header, read into units. What is not certain becomes a problem, never a guess."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lms_bridge.core.errors import Place
from lms_bridge.core.i18n import N_
from lms_bridge.plans.reading.amounts import USUAL_MINUTES, Amount
from lms_bridge.plans.reading.cells import RowCells, joined
from lms_bridge.plans.reading.columns import Header, header_at, header_over
from lms_bridge.plans.reading.dating import dated
from lms_bridge.plans.reading.estimates import concluded, estimated
from lms_bridge.plans.reading.grid import Grid, Row
from lms_bridge.plans.reading.inline import Tail, read_tail
from lms_bridge.plans.reading.leftout import LeftOut
from lms_bridge.plans.reading.merging import without_counting
from lms_bridge.plans.reading.naming import Name, only_first, plain_name, read_name
from lms_bridge.plans.reading.notes import Notes
from lms_bridge.plans.reading.online import fields
from lms_bridge.plans.reading.problems import CellProblem
from lms_bridge.plans.reading.roles import has_parts, settled
from lms_bridge.plans.reading.several import (
    Part,
    adding_up,
    beside,
    counted,
    headed,
    lines_of,
    numbered,
    parts_of,
    total,
)
from lms_bridge.plans.reading.spells import fill_weeks
from lms_bridge.plans.reading.when import Calendar, When, read_when, resolve
from lms_bridge.plans.units import UnitDraft


class RowReader(LeftOut):
    """Reads the rows of one table after another into ``units``, collecting all problems and warnings.

    ``name`` is the file's name for the places of problems; ``calendar`` the term, where it is known; ``minutes`` the
    length of a period; ``weekly`` how many periods a week the document names for the whole plan.
    """

    def __init__(
        self, name: str, calendar: Calendar | None, minutes: int = USUAL_MINUTES, weekly: int | None = None
    ) -> None:
        self.weekly = weekly
        self.name = name
        self.calendar = calendar
        self.minutes = minutes
        self.units: list[UnitDraft] = []
        self.notes = Notes(name)
        self.undated = 0
        self._grid: Grid
        self._header: Header
        self._chapters = False
        self._open = False  # whether the last row belongs to the last unit, so that merged cells may continue it
        self._timeless: list[tuple[int, Row]] = []  # units whose cell about the week is empty
        self._since = 0  # the first unit after the last subtotal

    def read(self, grid: Grid, header: Header) -> None:
        """All rows of ``grid`` below ``header``."""
        self._grid, self._header, self._open = grid, header, False
        first = self._since = len(self.units)
        self._timeless = []
        self._chapters = self._has_chapters()
        index = header.index + 1
        while index < len(grid.rows):
            row = grid.rows[index]
            if row.texts() and (written := self._cells(row)).exported:
                self._exported(written)
                index += 1
                continue
            again = self._header_again(index) if row.texts() else None
            if again is not None:
                self._header, self._open = again, False
                index = again.index + 1
                continue
            if row.texts() and not self._above_header(row):
                cells = self._cells(row)
                following = self._cells(grid.rows[index + 1]) if index + 1 < len(grid.rows) else None
                try:
                    self._row(cells, following, first)
                except CellProblem as problem:
                    # An open problem in the naming columns: the others place themselves.
                    self.notes.problem(problem, grid, row, cells.name_column, cells.names.primary)
                    self._open = False
            index += 1
        self.units = fill_weeks(self.units, self._timeless, first, self.notes, grid)
        place = Place(file=self.name, table=grid.label)
        if header.told == "nowhere":
            self.units[first:] = estimated(self.units[first:], self.weekly, self.notes, place)
        elif header.told == "each":
            self.units[first:] = without_counting(self.units[first:])
        if self.units[first:]:
            self.notes.warnings += concluded(header, place)

    def _has_chapters(self) -> bool:
        """Whether the leading column names chapters: one of them stands beside several rows with their own periods.
        Then a chapter of a single row is one, too. Not where the periods are those of each week: there a unit goes
        over its weeks."""
        if any(column.heading and column.heading.measure == "weekly" for column in self._header.of("periods")):
            return False
        if has_parts(self._header):
            return True
        untold = self._header.told == "nowhere"
        below = (self._cells(row) for row in self._grid.rows[self._header.index + 1 :] if row.texts())
        return any(cells.names.primary_above and not cells.periods_above and any(cells.names.further)
                   and (untold or cells.stated() is not None) for cells in below)  # fmt: skip

    def _cells(self, row: Row) -> RowCells:
        return RowCells(self.notes, self._grid, self._header, row, self.minutes)

    def _header_again(self, index: int) -> Header | None:
        """The header that stands again at ``index``, perhaps with its columns in another order."""
        known = [column.heading is not None for column in header_at(self._grid, index).columns]
        # A unit may contain a word that is a heading ("units"); headings are known words for the most part.
        if sum(known) * 2 <= len(known):
            return None
        here = settled(self._grid, header_over(self._grid, index))
        if self._header.told != "column" and here.named() and here.layout() == self._header.layout():
            return replace(here, told=self._header.told)
        return here if here.complete() else None

    def _above_header(self, row: Row) -> bool:
        """Whether the row repeats one that stands above the lowest row of the header."""
        return any(row.cells == above.cells for above in self._grid.rows[self._header.top : self._header.index])

    # --- one row

    def _row(self, cells: RowCells, following: RowCells | None, first: int) -> None:
        kind = self._exclusion(cells)
        if kind is not None and self._left_out(kind, cells, first):
            self._open = False
            return
        if self._band(cells.row):
            self._warn(N_("This row holds one text across the table and was not read as a unit."), cells)
            self._open = False
            return
        if cells.lost():
            self._open = False
            return
        names = cells.names
        further = [text for text in names.further if text]
        if self._open and names.primary_above and (cells.periods_above or not further or self._by_week(cells)):
            self._continue(cells)
            return
        self._open = False
        if parts := self._parts(cells):
            self._several(cells, parts)
            return
        below = following is not None and following.names.primary_above
        # Where the periods span the same rows, the lessons are what the unit is about, not units.
        whole = below and following is not None and (following.periods_above or self._by_week(cells))
        # One line beside a chapter is its only lesson; several are what it is about.
        lesson = self._chapters and len(further) == 1 and "\n" not in further[0]
        name = read_name(names, spans=(names.primary_above or below or lesson) and not whole)
        if name is None:
            self._nameless(cells)
            return
        self._single(cells, name)

    def _exported(self, cells: RowCells) -> None:
        """A row of a plan that was exported, perhaps changed by a person since: nothing in it is interpreted."""
        self._open = False
        if cells.lost():
            return
        before = len(self.notes.problems)
        try:
            name = plain_name(cells.names)
        except CellProblem as problem:
            self.notes.problem(problem, self._grid, cells.row, cells.name_column, cells.names.primary)
            return
        amount, (when, words) = cells.periods(), cells.when()
        key = cells.key({unit.key for unit in self.units})
        if amount is not None and len(self.notes.problems) == before:
            assumed = ("periods",) if amount.assumed else ()
            self._add(cells, name, amount.periods, when, words, cells.texts(), assumed, key)

    def _single(self, cells: RowCells, name: Name) -> None:
        name, tail = self._without_tail(cells, name)
        before = len(self.notes.problems)
        amount = self._inline_amount(cells, name, tail)
        if amount is None and len(self.notes.problems) == before:
            amount = cells.periods()
        when, words = cells.when()
        if tail.when:
            when = joined(when, read_when(tail.when, "text", bare_weeks=True))
        texts = cells.texts()
        key = cells.key({unit.key for unit in self.units})
        if amount is None or len(self.notes.problems) > before:
            return
        if len(cells.names.own) == 1 and numbered(cells.names.own[0]):
            name = replace(name, assumed=True)
            message = N_("This cell has several numbered lines and was read as one unit; if they are units, part them.")
            self._warn(message, cells, name.title)
        assumed = (*(["title"] if name.assumed else []), *(["periods"] if amount.assumed else []))
        self._add(cells, name, amount.periods, when, words, texts, assumed, key)

    def _without_tail(self, cells: RowCells, name: Name) -> tuple[Name, Tail]:
        """The name without the periods behind it, where they agree with the column; a warning where they do not."""
        tail = read_tail(name.title)
        if not tail.amount and not tail.when:
            return name, Tail(name.title)
        stated = cells.stated()
        try:
            said = cells.amount(tail.amount) if tail.amount else None
        except CellProblem:
            return name, Tail(name.title)
        if stated is not None and said is not None and said.periods != stated.periods:
            message = N_("The name says %(said)s periods, the column %(stated)s; the column was taken.")
            self._warn(message, cells, name.title, said=said.periods, stated=stated.periods)
            return name, Tail(name.title)
        content = "\n".join(part for part in (tail.after, name.content) if part)
        return Name(tail.title, content, name.assumed), tail

    def _inline_amount(self, cells: RowCells, name: Name, tail: Tail) -> Amount | None:
        """The periods behind the name, or the sum of those behind the lines below it, where the column has none."""
        if cells.stated() is not None or cells.periods_cell.text:
            self._check_parts(cells, name)
            return None
        try:
            if tail.amount:
                return cells.checked(cells.amount(tail.amount))
            if parts := parts_of(name.content):
                return total(parts, self.minutes)
        except CellProblem as problem:
            self.notes.problem(problem, self._grid, cells.row, cells.name_column, tail.amount)
        return None

    def _check_parts(self, cells: RowCells, name: Name) -> None:
        parts, stated = parts_of(name.content), cells.stated()
        found = total(parts, self.minutes) if parts else None
        if found is not None and stated is not None and found.periods != stated.periods:
            message = N_("The parts of this unit add up to %(found)s periods, the column says %(stated)s.")
            self._warn(message, cells, name.title, found=found.periods, stated=stated.periods)

    # --- several units in one cell

    def _parts(self, cells: RowCells) -> list[Part]:
        """The units that share the row's only name cell, each with its own periods; none where it is one unit."""
        own = cells.names.own
        if len(own) != 1 or cells.periods_above:
            return []
        text = own[0]
        if self._header.told == "brackets":
            return counted(text)
        if self._header.told == "nowhere":
            lines = lines_of(text)
            return [] if len(lines) < 2 or only_first(lines) else [Part(line, "1") for line in lines]
        parts = parts_of(text)
        if len(beside_each_other := counted(text, worded=True)) > max(1, len(parts)):
            parts = beside_each_other
        if len(parts) > 1:
            self._agree(cells, parts)
            return parts
        stated = cells.stated()
        if bare := adding_up(text, stated.periods if stated is not None else None):
            return bare
        return [] if headed(text) else beside(text, cells.periods_cell.text)

    def _agree(self, cells: RowCells, parts: list[Part]) -> None:
        stated, found = cells.stated(), total(parts, self.minutes)
        if stated is not None and found is not None and stated.periods != found.periods:
            raise CellProblem(
                N_("The units in this cell add up to %(found)s periods, but the row gives %(stated)s."),
                N_("Correct the periods, or give each unit a row of its own."),
                found=found.periods,
                stated=stated.periods,
            )

    def _several(self, cells: RowCells, parts: list[Part]) -> None:
        before = len(self.notes.problems)
        shared, words = cells.when() if (lines := cells.time_lines(len(parts))) is None else (When(), "")
        texts = cells.texts()
        # They were written for the units together; each gets them, and it is marked.
        common = tuple(field for field, text in texts.items() if text)
        names = cells.names
        for number, part in enumerate(parts):
            amount = self._share(cells, part)
            when = lines[number] if lines else shared
            if part.when:
                when = joined(when, read_when(part.when, "text", bare_weeks=True))
            spread = () if lines or part.when or when.week_from == when.week_to else ("week_from", "week_to")
            title, prefixed = part.title, bool(names.primary_above and names.primary)
            if prefixed:
                title = f"{read_tail(' '.join(names.primary.split())).title} {title}"
            assumed = (*(["title"] if prefixed else []), *(["periods"] if amount.assumed else []), *common, *spread)
            if len(self.notes.problems) > before:
                return
            self._add(cells, Name(title, part.content), amount.periods, when, words, texts, assumed, None, number + 1)
        self._open = False

    def _share(self, cells: RowCells, part: Part) -> Amount:
        """The periods of one of several units; behind bare numbers only the heading can say that they are periods."""
        amount = cells.checked(cells.amount(part.amount))
        bare = self._header.told == "brackets" and not self._header.promised()
        return Amount(amount.periods, assumed=True) if bare or self._header.told == "nowhere" else amount

    def _by_week(self, cells: RowCells) -> bool:
        """Whether the row gives another week's periods of a unit that stands in a cell over all its weeks."""
        heading = cells.periods_column.heading
        return heading is not None and heading.measure == "weekly"

    def _add(
        self, cells: RowCells, name: Name, periods: int, when: When, words: str, texts: dict[str, Any],
        assumed: tuple[str, ...], key: str | None, part: int | None = None,
    ) -> None:  # fmt: skip
        provenance = self._grid.provenance(cells.row)
        if part is not None:
            provenance["part"] = part
        if words:
            provenance["when"] = words
        unit = UnitDraft(
            sequence=len(self.units) + 1,
            title=name.title,
            periods=periods,
            content=name.content,
            key=key,
            provenance=provenance,
            assumed=assumed,
            week_from=when.week_from,
            week_to=when.week_to,
        )
        self.units.append(self._dated(replace(unit, **fields(texts)), when, cells))
        timed = when.week_from is not None or when.day_from is not None
        if self._header.of("week", "when") and not timed and not cells.exported:
            self._timeless.append((len(self.units) - 1, cells.row))
        self._open = True

    def _continue(self, cells: RowCells) -> None:
        """Add a row to the unit that its merged title cell belongs to."""
        unit = self.units[-1]
        before = len(self.notes.problems)
        changes: dict[str, Any] = {}
        for field, text in cells.texts(own=True).items():
            changes[field] = "\n".join(part for part in (getattr(unit, field), text) if part)
        further = "\n".join(text for text in cells.names.further if text)
        changes["content"] = "\n".join(part for part in (unit.content, further) if part)
        if cells.periods_cell.merged != "above" and cells.periods_cell.text:
            more = cells.periods()
            changes["periods"] = unit.periods + (more.periods if more else 0)
            changes["assumed"] = tuple(dict.fromkeys((*unit.assumed, "periods")))
        when, _ = cells.when()
        if when.week_to is not None and unit.week_from is not None:
            changes["week_to"] = max(when.week_to, unit.week_to or 0)
        if len(self.notes.problems) > before:
            return
        last = cells.row.number
        extended = replace(unit, provenance=unit.provenance | {"to_row": last}, **changes)
        if when.day_to is not None and extended.date_from is not None:
            end = resolve(when.day_to, self.calendar)
            if end is not None and extended.date_to is not None:
                extended = replace(extended, date_to=max(end, extended.date_to))
        self.units[-1] = extended

    def _dated(self, unit: UnitDraft, when: When, cells: RowCells) -> UnitDraft:
        try:
            found = dated(unit, when, self.calendar)
        except CellProblem as problem:
            column = next(iter(self._header.of("dates", "when", "week")), cells.name_column)
            self.notes.problem(problem, self._grid, cells.row, column, unit.provenance.get("when", ""))
            return unit
        self.undated += found is None
        return found or unit
