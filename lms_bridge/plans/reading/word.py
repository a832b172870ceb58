"""The tables of a Word document, read from WordprocessingML (ECMA-376 part 1, chapter 17).

Read from the XML and not through python-docx, because content controls, tracked changes, phonetic guides and legacy
horizontal merges decide what a person sees in a cell, and because the child process starts four times faster.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lxml import etree  # type: ignore[import-untyped]

from lms_bridge.plans.reading.aligned import pieces
from lms_bridge.plans.reading.grid import Budget, Cell, Grid, Paragraph, RawDocument, Row
from lms_bridge.plans.reading.limits import Refused
from lms_bridge.plans.reading.package import Package
from lms_bridge.plans.reading.word_styles import Styles

_COMPATIBILITY = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_LINES = 20
# So many paragraphs above a table may be its caption.
_CAPTION = 2
# Elements between a table and its rows, a row and its cells, a body and its paragraphs that change nothing.
_TRANSPARENT = ("sdt", "sdtContent", "customXml", "smartTag", "ins", "moveTo")


def read_word(package: Package) -> RawDocument:
    """All tables in document order (tables inside cells too), the paragraphs outside, the lines above the first one."""
    root = _parsed(package.read(package.main_part))
    # The strict and the transitional form of the format differ in the namespace only.
    namespace = root.tag.partition("}")[0] + "}"
    part = package.main_part.rpartition("/")[0] + "/styles.xml"
    styles = Styles(_parsed(package.read(part)), namespace) if part in package.archive.namelist() else Styles()
    return _Reader(namespace, Budget(package.limits), styles).document(root)


def _parsed(data: bytes) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        out_of_memory = error.code == etree.ErrorTypes.ERR_NO_MEMORY
        raise Refused("memory" if out_of_memory else "damaged") from error


class _Reader:
    def __init__(self, namespace: str, budget: Budget, styles: Styles) -> None:
        self.w = namespace
        self.budget = budget
        self.styles = styles
        self.transparent = {namespace + name for name in _TRANSPARENT}
        # Text that nobody sees in the paragraph: deleted or moved away, pinyin above the characters, a text box
        # anchored here, and the older copy of a drawing.
        self.invisible = {namespace + name for name in ("del", "moveFrom", "rt", "txbxContent", "tbl", "pPr", "rPr")}
        self.invisible.add(_COMPATIBILITY + "Fallback")

    def document(self, root: etree._Element) -> RawDocument:
        tables = [
            table
            for table in root.iter(self.w + "tbl")
            if not any(a.tag in (_COMPATIBILITY + "Fallback", self.w + "del") for a in table.iterancestors())
        ]
        self.budget.table(len(tables))
        grids = [Grid(number, tuple(self.rows(table))) for number, table in enumerate(tables, start=1)]
        body = root.find(self.w + "body")
        if body is None:
            raise Refused("damaged")
        paragraphs: list[Paragraph] = []
        above: int | None = None  # how many stand above the first table
        captions: dict[etree._Element, str] = {}
        since = 0  # the first paragraph below the last table
        for element in self.children(body, self.w + "p", self.w + "tbl"):
            if element.tag == self.w + "tbl":
                above = len(paragraphs) if above is None else above
                captions[element] = " ".join(p.text for p in paragraphs[max(since, len(paragraphs) - _CAPTION) :])
                since = len(paragraphs)
            else:
                self.add(paragraphs, element)
            for box in element.iter(self.w + "txbxContent"):
                if not self.copy(box):
                    for inner in self.children(box, self.w + "p"):
                        self.add(paragraphs, inner, boxed=True)
        lines = [p.text for p in paragraphs[:above] if not p.boxed][:_LINES]
        named = [replace(grid, caption=captions.get(table, "")) for grid, table in zip(grids, tables, strict=True)]
        return RawDocument(lines=tuple(lines), grids=tuple(named), paragraphs=tuple(paragraphs))

    def copy(self, element: etree._Element) -> bool:
        """Whether it is the older copy of a drawing, deleted, or inside a text box that is read by itself."""
        unread = (_COMPATIBILITY + "Fallback", self.w + "del", self.w + "moveFrom", self.w + "txbxContent")
        return any(ancestor.tag in unread for ancestor in element.iterancestors())

    def add(self, paragraphs: list[Paragraph], element: etree._Element, *, boxed: bool = False) -> None:
        """Append the paragraph unless it is empty or belongs to a table of contents."""
        raw = self.paragraph(element)
        text = self.budget.text(raw)
        level, item, contents = self.styles.of(element)
        if text and not contents:
            paragraphs.append(Paragraph(len(paragraphs) + 1, text, level, item, boxed, pieces(raw)))
            self.budget.paragraph(len(paragraphs))

    def rows(self, table: etree._Element) -> Iterator[Row]:
        above: tuple[Cell, ...] = ()
        number = 0
        for element in self.children(table, self.w + "tr"):
            properties = element.find(self.w + "trPr")
            if properties is not None and properties.find(self.w + "del") is not None:
                continue
            number += 1
            self.budget.row(number)
            above = self.cells(element, properties, above)
            yield Row(number, above)

    def cells(
        self, row: etree._Element, properties: etree._Element | None, above: tuple[Cell, ...]
    ) -> tuple[Cell, ...]:
        cells = [Cell() for _ in range(self.number(properties, "gridBefore", 0))]
        for element in self.children(row, self.w + "tc"):
            cell_properties = element.find(self.w + "tcPr")
            span = self.number(cell_properties, "gridSpan", 1)
            if self.continues(cell_properties, "hMerge"):
                cells.extend(Cell(merged="left") for _ in range(span))
            elif self.continues(cell_properties, "vMerge") and len(cells) < len(above):
                cells.append(Cell(above[len(cells)].text, merged="above"))
                cells.extend(Cell(merged="left") for _ in range(span - 1))
            else:
                cells.append(Cell(self.budget.text(self.cell_text(element))))
                cells.extend(Cell(merged="left") for _ in range(span - 1))
            self.budget.column(len(cells))
        return tuple(cells)

    def continues(self, properties: etree._Element | None, name: str) -> bool:
        """Whether the cell is merged into its neighbour: ``<w:vMerge/>`` without a value continues."""
        found = properties.find(self.w + name) if properties is not None else None
        return found is not None and found.get(self.w + "val", "continue") != "restart"

    def number(self, properties: etree._Element | None, name: str, default: int) -> int:
        found = properties.find(self.w + name) if properties is not None else None
        if found is None:
            return default
        value = found.get(self.w + "val", "")
        if not value.isascii() or not value.isdigit():
            raise Refused("damaged")
        self.budget.column(int(value[:9]))
        return max(int(value[:9]), default)

    def cell_text(self, cell: etree._Element) -> str:
        return "\n".join(self.paragraph(paragraph) for paragraph in self.children(cell, self.w + "p"))

    def paragraph(self, paragraph: etree._Element) -> str:
        """The visible text of a paragraph, with tracked changes accepted."""
        parts: list[str] = []
        self.collect(paragraph, parts)
        return "".join(parts)

    def collect(self, element: etree._Element, parts: list[str]) -> None:
        # The depth is bounded: the parser refuses documents nested more than 256 deep.
        w = self.w
        for child in element:
            if child.tag in self.invisible:
                continue
            if child.tag == w + "t":
                parts.append(child.text or "")
            elif child.tag == w + "tab":
                parts.append("\t")
            elif child.tag in (w + "br", w + "cr"):
                parts.append("\n")
            elif child.tag == w + "noBreakHyphen":
                parts.append("-")
            elif len(child):
                self.collect(child, parts)

    def children(self, element: etree._Element, *tags: str) -> Iterator[etree._Element]:
        for child in element:
            if child.tag in tags:
                yield child
            elif child.tag in self.transparent:
                yield from self.children(child, *tags)
