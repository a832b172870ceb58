"""Finding the header of a table, and where the periods of its units stand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

from lms_bridge.plans.reading.columns import TIMES, Header, Told, header_over
from lms_bridge.plans.reading.grid import Grid
from lms_bridge.plans.reading.headings import NAME_FIELDS
from lms_bridge.plans.reading.inline import amount_in
from lms_bridge.plans.reading.roles import one_lesson_each, only_days, settled
from lms_bridge.plans.reading.several import counted

# Title, school, class, term and teacher stand above the header in forms; more than this is not a form any more.
_SEARCHED_ROWS = 15


def find_header(grid: Grid) -> Header | None:
    """The header of ``grid``: the first that has a column for names and one for periods.

    Headings may stand in several rows, a joint one above its parts; the lowest that is understood counts. Failing a
    complete header, the one with most recognised headings (at least two) is returned, so that the refusal can say
    what is missing.
    """
    best: Header | None = None
    for index in range(min(_SEARCHED_ROWS, len(grid.rows))):
        header = settled(grid, header_over(grid, index))
        if header.complete():
            return header
        if len(header.fields()) >= 2 and (best is None or len(header.fields()) > len(best.fields())):
            best = header
    if best is not None and best.named():
        return replace(best, told=told_elsewhere(grid, best))
    return best


def told_elsewhere(grid: Grid, header: Header) -> Told:
    """Where the periods are under a header without a column for them."""
    if _in_names(grid, header, lambda text: any(amount_in(line) for line in text.split("\n"))):
        return "names"
    if _in_names(grid, header, lambda text: bool(counted(text))) and (
        header.promised() or not _only_numbered(grid, header)
    ):
        return "brackets"
    if one_lesson_each(grid, header):
        return "each"
    # Without a time a table of names may be anything: a person is asked.
    # So may a list of events, each with its day.
    days = header.of("dates")
    events = [days] == [header.of(*TIMES)] and all(only_days(grid, header, column) for column in days)
    return "nowhere" if header.of(*TIMES) and not events else "column"


def _only_numbered(grid: Grid, header: Header) -> bool:
    """Whether the numbers in brackets only count the parts of a topic: 圆（1） above 圆（2）."""
    texts = [
        cell.text for row in grid.rows[header.index + 1 :] for c in header.of(*NAME_FIELDS) for cell in c.cells(row)
    ]
    parts = [part for text in texts for part in counted(text)]
    return any(a.title == b.title and int(b.amount) == int(a.amount) + 1 == 2 for a, b in pairwise(parts))


def _in_names(grid: Grid, header: Header, told: Callable[[str], bool]) -> bool:
    """Whether most units under a header without a column for periods tell them behind their names."""
    with_amount = without = 0
    for row in grid.rows[header.index + 1 :]:
        texts = [cell.text for column in header.of(*NAME_FIELDS) for cell in column.cells(row) if cell.text]
        if any(told(text) for text in texts):
            with_amount += 1
        elif texts:
            without += 1
    return with_amount > without
