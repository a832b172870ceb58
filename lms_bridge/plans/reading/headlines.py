"""What a document says about itself above the plan: its title lines, and the form's fields for the subject."""

from __future__ import annotations

from collections.abc import Sequence

from lms_bridge.core.errors import Place
from lms_bridge.plans.reading.grid import RawDocument
from lms_bridge.plans.reading.places import place_in
from lms_bridge.plans.reading.tables import Table
from lms_bridge.plans.units import Headline

_MOST = 20
_LONGEST = 120
_PARAGRAPHS = 5


def headlines(document: RawDocument, tables: Sequence[Table], name: str) -> tuple[Headline, ...]:
    """The short texts above the first unit, in order, with their places."""
    found: list[Headline] = []
    if not tables:
        for paragraph in document.paragraphs[:_PARAGRAPHS]:
            found.append(Headline(paragraph.text, Place(file=name, paragraph=paragraph.number)))
    for number, line in enumerate(document.lines, start=1):
        found.append(Headline(line, Place(file=name, paragraph=number)))
    first = tables[0] if tables else None
    for grid in document.grids:
        plan = first is not None and grid.label == first[0].label
        for row in grid.rows:
            if plan and first is not None and row.number >= _header_row(first):
                break
            found += [Headline(text, place_in(name, grid, row)) for text in row.texts()]
        if plan:
            break
    short = [headline for headline in found if len(headline.text) <= _LONGEST]
    return tuple(dict.fromkeys(short))[:_MOST]


def _header_row(table: Table) -> int:
    grid, header = table
    return grid.rows[header.top].number if grid.numbers is None else grid.numbers[0]
