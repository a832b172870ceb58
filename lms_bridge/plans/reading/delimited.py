"""Tables in text files: comma, semicolon or tab, in the encodings that Excel and WPS write in China and elsewhere."""

from __future__ import annotations

import codecs
import csv
import io

from lms_bridge.plans.reading.aligned import pieces
from lms_bridge.plans.reading.finding import find_header
from lms_bridge.plans.reading.grid import Budget, Cell, Grid, Paragraph, RawDocument, Row
from lms_bridge.plans.reading.limits import ReadLimits, Refused

_DELIMITERS = (",", ";", "\t", "，")


def read_delimited(data: bytes, limits: ReadLimits) -> RawDocument:
    """The one table in ``data``. The delimiter is the one under which the most headings are recognised."""
    text = decode(data)
    candidates: list[Grid] = []
    refused: Refused | None = None
    for delimiter in [d for d in _DELIMITERS if d in text] or [","]:
        try:
            candidates.append(_grid(text, delimiter, limits))
        except Refused as error:
            refused = error
    if refused is not None and not candidates:
        raise refused

    def recognised(grid: Grid) -> tuple[int, int]:
        header = find_header(grid)
        return (len(header.fields()) if header else 0, grid.width())

    return RawDocument(lines=(), grids=(max(candidates, key=recognised),), paragraphs=_paragraphs(text, limits))


def _paragraphs(text: str, limits: ReadLimits) -> tuple[Paragraph, ...]:
    """The lines of the text, for a plan that is no table."""
    budget = Budget(limits)
    lines = [(line, part) for part in text.splitlines()[: limits.paragraphs] if (line := budget.text(part))]
    return tuple(Paragraph(number, line, columns=pieces(part)) for number, (line, part) in enumerate(lines, start=1))


def decode(data: bytes) -> str:
    """``data`` as text: by its byte order mark, else strictly as UTF-8, else as GB18030 (which includes GBK)."""
    if data.startswith(codecs.BOM_UTF8):
        encodings = ["utf-8-sig"]
    elif data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8", "gb18030"]
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        # Random bytes often happen to be GB18030; text has no control characters and no private use ones.
        if not any((c < " " and c not in "\t\r\n\f") or "\ue000" <= c <= "\uf8ff" for c in text):
            return text
    raise Refused("not_text")


def _grid(text: str, delimiter: str, limits: ReadLimits) -> Grid:
    budget = Budget(limits)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows: list[Row] = []
    line = 0
    try:
        for record in reader:
            budget.column(len(record))
            cells = tuple(Cell(budget.text(value)) for value in record)
            if any(cell.text for cell in cells):
                rows.append(Row(line + 1, cells))
                budget.row(len(rows))
            line = reader.line_num
    except csv.Error as error:
        raise Refused("long_cell", limit=limits.cell_characters) from error
    return Grid(None, tuple(rows))
