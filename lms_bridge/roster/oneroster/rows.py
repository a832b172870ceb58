"""Streaming the rows of one table as cells in the order of its columns.

Memory stays bounded because :meth:`Archive.check_text` has refused files with endless lines or quotes before.
"""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from operator import gt, itemgetter
from typing import TextIO

from lms_bridge.core.i18n import N_
from lms_bridge.roster.oneroster.archive import Archive
from lms_bridge.roster.oneroster.problems import Problems
from lms_bridge.roster.oneroster.tables import Table
from lms_bridge.roster.oneroster.values import has_control

BUFFER = 256 * 1024
TICK_ROWS = 5_000

Tick = Callable[[int], None]
"""Told every :data:`TICK_ROWS` rows how many rows of the table were read."""


def check_headers(archive: Archive, problems: Problems) -> None:
    """Name every missing and repeated column of every table, before any row is read."""
    for table in archive.present():
        with open_text(archive, table) as stream:
            try:
                header = next(csv.reader(stream), [])
            except csv.Error:
                header = []
            positions_of(table, header, problems)


def open_text(archive: Archive, table: Table) -> TextIO:
    """The text of a table's file, without a byte order mark, line ends as they are."""
    binary = io.BufferedReader(archive.open(table.file), BUFFER)  # type: ignore[type-var]
    return io.TextIOWrapper(binary, encoding="utf-8-sig", newline="")


def positions_of(table: Table, header: list[str], problems: Problems) -> list[int] | None:
    """Where each column of ``table`` stands in ``header`` (one behind the end: not there); None: named as wrong."""
    names = [name.strip().lower() for name in header]
    file = table.file
    if len(header) <= 1:
        wrong = ";" if ";" in "".join(header) else "TAB" if "\t" in "".join(header) else None
        problems.add(
            N_("The first line does not name the columns, separated by commas."),
            file=file,
            row=1,
            value="".join(header) or None,
            remedy=N_("Save it as CSV with commas (not %(separator)s).") if wrong else N_("Export the file again."),
            separator=wrong or "",
        )
        return None
    good = True
    for column in table.columns:
        times = names.count(column.name.lower())
        if times > 1:
            problems.add(
                N_("The column is there twice."),
                file=file, row=1, column=column.name, remedy=N_("Leave one of them."),
            )  # fmt: skip
        elif times == 0 and column.required:
            problems.add(
                N_("The column is missing."),
                file=file,
                row=1,
                column=column.name,
                remedy=N_("Add it, spelt exactly so; OneRoster demands it."),
            )
        good = good and (times == 1 or (times == 0 and not column.required))
    if not good:
        return None
    return [
        names.index(column.name.lower()) if column.name.lower() in names else len(header) for column in table.columns
    ]


class Rows:
    """The rows of ``table``, one after the other, as (line number, stripped cells in the order of its columns).

    Rows with too few or too many cells, blank required cells, or values that are too long are named in ``problems``
    and left out. Lines count from 1, the header being line 1; a row of several lines has the number of its last.
    """

    def __init__(self, archive: Archive, table: Table, problems: Problems, tick: Tick | None = None) -> None:
        self._archive = archive
        self._table = table
        self._problems = problems
        self._tick = tick
        self._required = [n for n, column in enumerate(table.columns) if column.required]
        self._pick_required = itemgetter(*self._required)
        self._limits = [column.longest for column in table.columns]

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        """
        :raises BadInputs: the CSV itself is broken, so that what follows could only be guessed.
        """
        line = 0
        with open_text(self._archive, self._table) as stream:
            reader = csv.reader(stream, strict=True)
            try:
                header = next(reader, [])
                positions = positions_of(self._table, header, self._problems)
                if positions is None:
                    return
                pick, width, line, count = itemgetter(*positions), len(header), reader.line_num, 0
                for row in reader:
                    line = reader.line_num
                    count += 1
                    if self._tick is not None and count % TICK_ROWS == 0:
                        self._tick(count)
                    if len(row) != width:
                        if row:
                            self._name_width(line, row, width)
                        continue
                    # A column that the file does not have is read from this blank cell behind the last.
                    row.append("")
                    cells = list(map(str.strip, pick(row)))
                    if self._is_good(line, cells):
                        yield line, cells
            except (csv.Error, zipfile.BadZipFile, zlib.error, EOFError):
                self._problems.add(
                    N_("The CSV is broken here, at a quote or because a text is too long."),
                    file=self._table.file,
                    row=line + 1,
                    remedy=N_("Look at the quotes in this row; a quote within a text is written twice."),
                )
                self._problems.refuse_if_any()
        if self._tick is not None:
            self._tick(count)

    def _is_good(self, line: int, cells: list[str]) -> bool:
        good = True
        if "" in self._pick_required(cells):
            for n in (n for n in self._required if not cells[n]):
                good = False
                self._problems.add(
                    N_("The cell is blank."),
                    file=self._table.file,
                    row=line,
                    column=self._table.columns[n].name,
                    remedy=N_("OneRoster demands a value here."),
                )
        if any(map(gt, map(len, cells), self._limits)):
            good = False
            self._name_long(line, cells)
        key = cells[0]
        if not key.isprintable() and has_control(key):
            good = False
            self._problems.add(
                N_("The sourcedId holds a tab or another control character."),
                file=self._table.file, row=line, column="sourcedId", remedy=N_("Export the file again without it."),
            )  # fmt: skip
        if not good:
            self._problems.spoil(self._table.file, key)
        return good

    def _name_long(self, line: int, cells: list[str]) -> None:
        for column, cell in zip(self._table.columns, cells, strict=True):
            if len(cell) > column.longest:
                self._problems.add(
                    N_("The value has %(count)s characters."),
                    file=self._table.file,
                    row=line,
                    column=column.name,
                    value=cell,
                    remedy=N_("At most %(limit)s are allowed."),
                    count=len(cell),
                    limit=column.longest,
                )

    def _name_width(self, line: int, row: list[str], width: int) -> None:
        # The sourcedId is the first column of every table in the standard.
        self._problems.spoil(self._table.file, row[0].strip())
        self._problems.add(
            N_("The row has %(count)s cells, but there are %(width)s columns."),
            file=self._table.file,
            row=line,
            remedy=N_("A text with a comma in it must stand in double quotes."),
            count=len(row),
            width=width,
        )
