"""Reading a teaching plan out of a document: from the file to its units, or to all that is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping as Words
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from lms_bridge.core.errors import BadInputs, InputError, Place
from lms_bridge.core.i18n import N_
from lms_bridge.plans.reading.aligned import aligned_grid
from lms_bridge.plans.reading.amounts import USUAL_MINUTES
from lms_bridge.plans.reading.convert import Converter, convertible
from lms_bridge.plans.reading.delimited import read_delimited
from lms_bridge.plans.reading.estimates import weekly_periods
from lms_bridge.plans.reading.grid import Grid, RawDocument
from lms_bridge.plans.reading.headlines import headlines
from lms_bridge.plans.reading.limits import MEGABYTE, ReadLimits, Refused
from lms_bridge.plans.reading.mapped import Mapping, Remembered, mapped_tables, remembered_tables
from lms_bridge.plans.reading.merging import merged
from lms_bridge.plans.reading.misnamed import misnamed
from lms_bridge.plans.reading.notes import Notes
from lms_bridge.plans.reading.outside import outside
from lms_bridge.plans.reading.paragraphs import TextReader
from lms_bridge.plans.reading.process import read_in_child
from lms_bridge.plans.reading.refusals import refusal
from lms_bridge.plans.reading.rows import RowReader
from lms_bridge.plans.reading.sequel import read_tables
from lms_bridge.plans.reading.signatures import container
from lms_bridge.plans.reading.tables import Selection, Table, left_out, no_header, select
from lms_bridge.plans.reading.when import Calendar
from lms_bridge.plans.units import PlanDocument, Source, Warning_

_DEFAULT = ReadLimits()
_LONGEST_TITLE = 200


@dataclass(frozen=True, slots=True)
class Opened:
    """A document that was opened: what kind it is, its tables and paragraphs, and how it had to be converted."""

    source: Source
    document: RawDocument
    warnings: tuple[Warning_, ...] = ()


def read_plan(
    path: Path,
    *,
    name: str,
    limits: ReadLimits = _DEFAULT,
    term: tuple[date, date] | None = None,
    minutes: int = USUAL_MINUTES,
    mapping: Mapping | None = None,
    remembered: Words[str, Remembered] | None = None,
    converter: Converter | None = None,
) -> PlanDocument:
    """The plan in the file at ``path``, which people call ``name``.

    What the file is, is told by its content. ``term`` (first and last day) gives dates without a year theirs; such
    dates are marked as assumed, and without a term they are left open with a warning. ``minutes`` is the length of a
    period, for amounts given by the clock. ``mapping`` says by hand which column holds what; ``remembered`` are the
    mappings that people of the campus made earlier, by the hash of the headings. ``converter`` turns old Office
    forms into new ones first; without it they are refused.

    Raises ``InputError`` where the file as a whole cannot be read, and ``BadInputs`` with every problem of every row
    where some cannot be read with certainty.
    """
    opened = open_document(path, name, limits, converter)
    return plan_in(opened, name=name, limits=limits, term=term, minutes=minutes, mapping=mapping, remembered=remembered)


def plan_in(
    opened: Opened,
    *,
    name: str,
    limits: ReadLimits = _DEFAULT,
    term: tuple[date, date] | None = None,
    minutes: int = USUAL_MINUTES,
    mapping: Mapping | None = None,
    remembered: Words[str, Remembered] | None = None,
) -> PlanDocument:
    """The plan in a document that was opened; all else as in :func:`read_plan`."""
    document = opened.document
    calendar, weekly = Calendar(*term) if term else None, weekly_periods(document)
    selection = _selection(opened, name, mapping, remembered or {})
    text = TextReader(name, calendar, minutes, weekly)
    if selection is None or not selection.certain():
        text.read(document.paragraphs)
        if selection is not None and len(text.units) > sum(len(grid.rows) for grid, _ in selection.tables):
            selection = None  # the table tells no periods, and the text names more units
    reader: RowReader | TextReader = text
    if selection is None:
        if not reader.units and not reader.notes.problems:
            raise _nothing(document, name)
        warnings = left_out(document, name)
    else:
        reader = RowReader(name, calendar, minutes, weekly)
        read_tables(reader, selection, opened.source)
        warnings = selection.warnings
        if not selection.certain() and _unreadable(reader.notes):
            raise no_header(document, name)  # it is not sure what the columns hold: a person can say it
    if reader.notes.problems:
        raise BadInputs(reader.notes.problems, file=name)
    if len(reader.units) > limits.units:
        raise refusal("too_many_units", name, count=len(reader.units), limit=limits.units)
    if not reader.units and selection is not None:
        raise _no_units(selection.tables[0][0], name)
    units, together = merged(reader.units, name)
    return PlanDocument(
        title=_title(document, selection.tables[0] if selection else None),
        units=tuple(units),
        warnings=(
            *opened.warnings,
            *warnings,
            *reader.notes.warnings,
            *together,
            *_undated(reader.undated, name),
            *outside(units, calendar, name),
        ),
        source=opened.source,
        headlines=headlines(document, selection.tables if selection else [], name),
    )


def open_document(path: Path, name: str, limits: ReadLimits, converter: Converter | None = None) -> Opened:
    """Open the file; raises ``InputError`` with what it is and what to do where it cannot be."""
    try:
        source, document = _open(path, limits)
        return Opened(source, document, misnamed(name, source))
    except Refused as refused:
        target = convertible(refused.code)
        if converter is None or target is None:
            raise refusal(refused.code, name, **refused.params) from refused
        with converter(path, refused.code, target, limits) as converted:
            if converted is None:
                raise refusal(refused.code, name, **refused.params) from refused
            try:
                source, document = _open(converted, limits)
            except Refused as later:
                raise refusal(later.code, name, **later.params) from later
        message = N_("This document in an old form was converted before reading; compare the units with it.")
        return Opened(source, document, (Warning_(message, Place(file=name)),))


def _open(path: Path, limits: ReadLimits) -> tuple[Source, RawDocument]:
    if path.stat().st_size > limits.file_bytes:
        raise Refused("too_large", limit=limits.file_bytes // MEGABYTE)
    data = path.read_bytes()
    if container(data) == "text":
        return "csv", read_delimited(data, limits)
    source, document = read_in_child(path, limits)
    if not document.paragraphs and not any(row.texts() for grid in document.grids for row in grid.rows):
        raise Refused("empty")
    return source, document


def _selection(
    opened: Opened, name: str, mapping: Mapping | None, remembered: Words[str, Remembered]
) -> Selection | None:
    if mapping is not None:
        return mapped_tables(opened.document, mapping, name)
    known = remembered_tables(opened.document, remembered, name) or select(opened.document, opened.source, name)
    typed = aligned_grid(opened.document.paragraphs) if known is None else None
    if typed is None:
        return known
    return select(replace(opened.document, grids=(typed,)), opened.source, name)


def _unreadable(notes: Notes) -> bool:
    return any(isinstance(problem, InputError) and problem.place and problem.place.column for problem in notes.problems)


def _nothing(document: RawDocument, name: str) -> InputError:
    if any(row.texts() for grid in document.grids for row in grid.rows):
        return no_header(document, name)
    return refusal("no_table", name)


def _no_units(grid: Grid, name: str) -> InputError:
    return InputError(
        N_("There are headings, but no unit below them."),
        place=Place(file=name, table=grid.label),
        remedy=N_("Write each unit into a row of its own below the headings."),
    )


def _undated(count: int, name: str) -> list[Warning_]:
    if not count:
        return []
    message = N_("The dates of %(count)s units have no year and were left open, because the term is not known.")
    return [Warning_(message, Place(file=name), {"count": count})]


def _title(document: RawDocument, table: Table | None) -> str | None:
    """The first line of the document, else the line that runs across the top of the table."""
    if document.lines:
        return document.lines[0][:_LONGEST_TITLE]
    if table is None or table[0].typed:
        first = next(iter(document.paragraphs), None)
        return first.text.partition("\n")[0][:_LONGEST_TITLE] if first is not None else None
    grid, header = table
    first_row = grid.rows[header.top].number if grid.numbers is None else grid.numbers[0]
    whole = next((other for other in document.grids if other.label == grid.label), grid)
    for row in whole.rows:
        texts = row.texts()
        if row.number < first_row and len(texts) == 1:
            return " ".join(texts[0].split())[:_LONGEST_TITLE]
    return None
