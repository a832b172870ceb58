"""The pieces of a Word document: head and foot, information lines, tables, places for signatures.

Tables are written as XML and not cell by cell through python-docx, which takes seconds for a term's plan.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import docx
from docx.document import Document
from docx.enum.section import WD_ORIENT
from docx.enum.text import WD_TAB_ALIGNMENT, WD_TAB_LEADER
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.oxml.xmlchemy import BaseOxmlElement
from docx.shared import Cm, Emu
from docx.text.paragraph import Paragraph

from lms_bridge.core.clock import now
from lms_bridge.core.i18n import gettext
from lms_bridge.plans.export.clean import clean, one_line
from lms_bridge.plans.export.frame import frame_path

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

_TWIPS_PER_CM = 567
# A row that would fill more lines than this may be split between pages: kept whole it could run over the edge of one.
_MOST_LINES = 24
# Widths of characters in 9 point, in centimetres.
_WIDE, _NARROW = 0.32, 0.165
_LINES = "\x00"


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table. ``style`` is a paragraph style of the frame; ``span`` how many columns it covers; ``bold``
    as it says; ``fill`` a background (``RRGGBB``)."""

    text: str = ""
    style: str = "Table Text"
    bold: bool = False
    centre: bool = False
    span: int = 1
    fill: str = ""


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column: its heading, its width in centimetres, whether it is narrow text in the middle. A width counts in
    proportion to the others, unless it is ``fixed``."""

    heading: str
    width: float
    centre: bool = False
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class Head:
    """What stands at the top and foot of every page: school, term and the document's short name; ``landscape`` turns
    the page."""

    title: str
    school: str
    term: str
    locale: str
    foot: str = ""
    landscape: bool = False
    author: str = ""


@dataclass
class Paper:
    """A document that is being written, from the frame."""

    head: Head
    document: Document = field(init=False)

    def __post_init__(self) -> None:
        self.document = docx.Document(str(frame_path()))
        self._page()
        self._edges()
        properties = self.document.core_properties
        properties.title, properties.author = one_line(self.head.title)[:255], one_line(self.head.author)[:255]
        properties.created = properties.modified = now().replace(tzinfo=None, microsecond=0)
        properties.language = self.head.locale

    @property
    def width(self) -> float:
        """How wide the text is, in centimetres."""
        section = self.document.sections[0]
        assert section.page_width is not None
        return float(Emu(section.page_width - (section.left_margin or 0) - (section.right_margin or 0)).cm)

    def _page(self) -> None:
        if not self.head.landscape:
            return
        section = self.document.sections[0]
        section.orientation = WD_ORIENT.LANDSCAPE
        section.page_width, section.page_height = section.page_height, section.page_width
        section.left_margin = section.right_margin = Cm(1.5)

    def _edges(self) -> None:
        section = self.document.sections[0]
        top, foot = section.header.paragraphs[0], section.footer.paragraphs[0]
        for paragraph in (top, foot):
            paragraph.paragraph_format.tab_stops.add_tab_stop(Cm(self.width), WD_TAB_ALIGNMENT.RIGHT)
        self._run(top, f"{one_line(self.head.school)}\t{one_line(self.head.term)}")
        self._run(foot, f"{one_line(self.head.foot or self.head.title)}\t")
        # "Page %(page)s of %(pages)s" with the fields in the places of the numbers.
        words = gettext("Page %(page)s of %(pages)s", page=f"{_LINES}PAGE{_LINES}", pages=f"{_LINES}NUMPAGES{_LINES}")
        for position, part in enumerate(words.split(_LINES)):
            if position % 2:
                _field(foot, part)
            elif part:
                self._run(foot, part)

    def _run(self, paragraph: Paragraph, text: str, *, bold: bool = False) -> None:
        paragraph._p.append(_run(text, chinese=self.head.locale != "en", bold=bold))

    # --- parts of the text

    def paragraph(self, text: str, style: str = "Body", *, keep: bool = False) -> Paragraph:
        """A paragraph; ``keep``: on one page with what follows."""
        paragraph = self.document.add_paragraph(style=style)
        self._run(paragraph, clean(text))
        if keep:
            paragraph.paragraph_format.keep_with_next = True
        return paragraph

    def title(self, text: str, under: str = "") -> None:
        """The document's title, with a line under it."""
        self.paragraph(one_line(text), "Title")
        if under:
            self.paragraph(one_line(under), "Subtitle")

    def heading(self, text: str, level: int = 1) -> None:
        """A heading of level 1 or 2."""
        self.paragraph(one_line(text), f"Heading {level}")

    def facts(self, items: Sequence[tuple[str, str]], columns: int = 3) -> None:
        """``label: value`` in lines of ``columns`` beside each other; a long value takes a line of its own."""
        colon = gettext("%(label)s: %(value)s")
        line: list[tuple[str, str]] = []
        step = self.width / columns
        for label, value in [(one_line(label), one_line(value)) for label, value in items]:
            long = _length(f"{label}: {value}") * 1.17 > step - 0.4
            if long and line:
                self._fact_line(line, step, colon)
                line = []
            line.append((label, value))
            if long or len(line) == columns:
                self._fact_line(line, step, colon)
                line = []
        if line:
            self._fact_line(line, step, colon)

    def _fact_line(self, items: Sequence[tuple[str, str]], step: float, colon: str) -> None:
        paragraph = self.document.add_paragraph(style="Information")
        for number in range(1, len(items)):
            paragraph.paragraph_format.tab_stops.add_tab_stop(Cm(step * number))
        for number, (label, value) in enumerate(items):
            self._run(paragraph, ("\t" if number else "") + colon % {"label": label, "value": ""}, bold=True)
            self._run(paragraph, value or "–")

    def table(self, columns: Sequence[TableColumn], rows: Iterable[Sequence[Cell | str]], *, head: bool = True) -> None:
        """A table over the whole width whose first row stands again on each page, and whose rows are not split.

        A row may be shorter than the table; its cells cover as many columns as they say.
        """
        widths = fitted(columns, self.width)
        table = OxmlElement("w:tbl")
        table.append(_table_properties(widths, head=head))
        table.append(_grid(widths))
        if head:
            cells = [Cell(column.heading, "Table Head") for column in columns]
            table.append(self._table_row(cells, columns, widths, repeated=True))
        for row in rows:
            cells = [cell if isinstance(cell, Cell) else Cell(cell) for cell in row]
            table.append(self._table_row(cells, columns, widths))
        body = self.document.element.body
        body.insert(len(body) - 1, table)  # before the section's properties

    def _table_row(
        self, cells: Sequence[Cell], columns: Sequence[TableColumn], widths: Sequence[float], *, repeated: bool = False
    ) -> BaseOxmlElement:
        row = OxmlElement("w:tr")
        properties = OxmlElement("w:trPr")
        row.append(properties)
        lines, start = 1, 0
        for cell in cells:
            width = sum(widths[start : start + cell.span])
            lines = max(lines, _lines(cell.text, width))
            centre = cell.centre or (start < len(columns) and columns[start].centre)
            row.append(self._table_cell(cell, width, centre=centre))
            start += cell.span
        if repeated or lines <= _MOST_LINES:
            properties.append(OxmlElement("w:cantSplit"))
        if repeated:
            properties.append(OxmlElement("w:tblHeader"))
        return row

    def _table_cell(self, cell: Cell, width: float, *, centre: bool) -> BaseOxmlElement:
        element = OxmlElement("w:tc")
        span = f'<w:gridSpan w:val="{cell.span}"/>' if cell.span > 1 else ""
        fill = f'<w:shd w:val="clear" w:color="auto" w:fill="{cell.fill}"/>' if cell.fill else ""
        element.append(
            parse_xml(
                f'<w:tcPr {nsdecls("w")}><w:tcW w:w="{round(width * _TWIPS_PER_CM)}" w:type="dxa"/>{span}{fill}'
                f'<w:vAlign w:val="{"center" if centre else "top"}"/></w:tcPr>'
            )
        )
        style = self.document.styles[cell.style].style_id
        middle = '<w:jc w:val="center"/>' if centre else ""
        element.append(parse_xml(f'<w:p {nsdecls("w")}><w:pPr><w:pStyle w:val="{style}"/>{middle}</w:pPr></w:p>'))
        if cell.text:
            element[-1].append(_run(clean(cell.text), chinese=self.head.locale != "en", bold=cell.bold))
        return element

    def signatures(self, labels: Sequence[str], columns: int = 3) -> None:
        """A line to sign on for each of ``labels``, with its date, ``columns`` beside each other."""
        step = self.width / columns
        for begin in range(0, len(labels), columns):
            line = labels[begin : begin + columns]
            paragraph = self.document.add_paragraph(style="Signature Line")
            paragraph.paragraph_format.keep_together = True
            for number, label in enumerate(line):
                stops = paragraph.paragraph_format.tab_stops
                stops.add_tab_stop(Cm(step * (number + 1) - 0.6), WD_TAB_ALIGNMENT.LEFT, WD_TAB_LEADER.LINES)
                if number + 1 < len(line):
                    stops.add_tab_stop(Cm(step * (number + 1)))
                self._run(paragraph, gettext("%(label)s: %(value)s") % {"label": one_line(label), "value": ""})
                self._run(paragraph, "\t" if number + 1 == len(line) else "\t\t")

    def blank(self) -> None:
        """A small distance, as after a table."""
        self.paragraph("", "Remark")

    def save(self) -> bytes:
        """The document as .docx."""
        stream = io.BytesIO()
        self.document.save(stream)
        return stream.getvalue()


def fitted(columns: Sequence[TableColumn], width: float) -> list[float]:
    """The widths of the columns in centimetres, together ``width``."""
    fixed = sum(column.width for column in columns if column.fixed)
    free = sum(column.width for column in columns if not column.fixed)
    factor = max(width - fixed, 0) / free if free else 1
    if free and factor < 0.4:  # too many fixed ones: all give way
        factor = width / (fixed + free)
        return [column.width * factor for column in columns]
    return [column.width if column.fixed else column.width * factor for column in columns]


def _length(text: str) -> float:
    """How long a line of ``text`` is in 9 point, in centimetres, roughly."""
    return sum(_WIDE if ord(c) > 0x2E7F else _NARROW for c in text)


def _lines(text: str, width: float) -> int:
    return sum(max(1, math.ceil(_length(line) / max(width - 0.25, 0.3))) for line in text.split("\n"))


def _run(text: str, *, chinese: bool, bold: bool = False) -> BaseOxmlElement:
    """A run of ``text``, whose tabs and line ends become the document's own."""
    run = OxmlElement("w:r")
    if chinese or bold:
        properties = OxmlElement("w:rPr")
        if chinese:
            # Quotation marks and dashes stand in both scripts: in Chinese they are as wide as a character.
            fonts = OxmlElement("w:rFonts")
            fonts.set(qn("w:hint"), "eastAsia")
            properties.append(fonts)
        if bold:
            properties.append(OxmlElement("w:b"))
        run.append(properties)
    for number, line in enumerate(text.split("\n")):
        if number:
            run.append(OxmlElement("w:br"))
        for position, piece in enumerate(line.split("\t")):
            if position:
                run.append(OxmlElement("w:tab"))
            if piece:
                element = OxmlElement("w:t")
                element.text = piece
                element.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
                run.append(element)
    return run


def _field(paragraph: Paragraph, instruction: str) -> None:
    """A field that Word and LibreOffice work out themselves (PAGE, NUMPAGES)."""
    words = f" {instruction} \\* MERGEFORMAT "
    paragraph._p.append(
        parse_xml(f'<w:fldSimple {nsdecls("w")} w:instr="{words}"><w:r><w:t>1</w:t></w:r></w:fldSimple>')
    )


def _table_properties(widths: Sequence[float], *, head: bool) -> BaseOxmlElement:
    return parse_xml(
        f'<w:tblPr {nsdecls("w")}><w:tblStyle w:val="SchoolTable"/>'
        f'<w:tblW w:w="{round(sum(widths) * _TWIPS_PER_CM)}" w:type="dxa"/><w:tblLayout w:type="fixed"/>'
        f'<w:tblLook w:val="0020" w:firstRow="{int(head)}" w:lastRow="0" w:firstColumn="0" w:lastColumn="0"'
        ' w:noHBand="1" w:noVBand="1"/></w:tblPr>'
    )


def _grid(widths: Sequence[float]) -> BaseOxmlElement:
    columns = "".join(f'<w:gridCol w:w="{round(width * _TWIPS_PER_CM)}"/>' for width in widths)
    return parse_xml(f"<w:tblGrid {nsdecls('w')}>{columns}</w:tblGrid>")
