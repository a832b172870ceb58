"""Word documents from grids and paragraphs."""

from __future__ import annotations

import io

import docx
from docx.document import Document
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.shared import Pt
from docx.table import Table, _Cell

from tests.corpus.plans_generator.grid import Cell, Grid
from tests.corpus.plans_generator.packing import packed_again


def new_document(title: str, *below: str) -> Document:
    """A document with a centred title and lines below it."""
    document = docx.Document()
    thumbnail = [r for r in document.part.package.rels.values() if "thumbnail" in r.reltype]
    for relation in thumbnail:
        del document.part.package.rels[relation.rId]
    heading = document.add_paragraph()
    heading.alignment = WD_ALIGN_PARAGRAPH.CENTER
    run = heading.add_run(title)
    run.bold, run.font.size = True, Pt(16)
    for line in below:
        document.add_paragraph(line)
    return document


def draw(place: Document | _Cell, grid: Grid) -> Table:
    """Draw the grid as a table in a document or in a cell, with its merged cells."""
    width = grid.width()
    if isinstance(place, _Cell):
        table = place.add_table(len(grid.rows), width)
    else:
        table = place.add_table(len(grid.rows), width)
        table.style = "Table Grid"
        table.alignment = WD_TABLE_ALIGNMENT.CENTER
    squares = [list(row.cells) for row in table.rows]
    for index, line in enumerate(grid.squares()):
        for column, (cell, begins, first) in enumerate(line):
            if not (begins and first):
                continue
            target = squares[index][column]
            if cell.across > 1 or cell.down > 1:
                target = target.merge(squares[index + cell.down - 1][column + cell.across - 1])
            _fill(target, cell)
    return table


def _fill(target: _Cell, cell: Cell) -> None:
    lines = cell.text.split("\n")
    paragraph = target.paragraphs[0]
    for extra in target.paragraphs[1:]:
        extra._element.getparent().remove(extra._element)
    for number, line in enumerate(lines):
        if number:
            paragraph = target.add_paragraph()
        run = paragraph.add_run(line)
        run.bold = cell.bold or None


def saved(document: Document) -> bytes:
    """The document as a file."""
    stream = io.BytesIO()
    document.save(stream)
    return packed_again(stream.getvalue())
