"""The frame of all Word documents: page, fonts and styles, as ``templates/documents/frame.docx``.

``python -m lms_bridge.plans.export.frame`` makes the file again, byte for byte the same; a school that wants other
fonts or sizes changes the styles in Word, and everything that is exported follows.
"""

from __future__ import annotations

import io
import sys
import zipfile
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import docx
from docx.document import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.opc.part import Part
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Cm, Pt, RGBColor
from docx.styles.style import ParagraphStyle

LATIN, LATIN_HEADING = "Times New Roman", "Arial"
SONG, HEI = "宋体", "黑体"
TABLE_STYLE = "School Table"

GREY = RGBColor(0x55, 0x5F, 0x6B)
_EPOCH = (2026, 9, 1, 0, 0, 0)
# What stands in for a font where it is missing; Word and LibreOffice look here before they guess.
_FALLBACKS = {
    SONG: ("SimSun", "Noto Serif CJK SC", "Source Han Serif SC", "Songti SC"),
    HEI: ("SimHei", "Noto Sans CJK SC", "Source Han Sans SC", "Heiti SC"),
    LATIN: ("Liberation Serif", "Tinos"),
    LATIN_HEADING: ("Liberation Sans", "Arimo"),
}
_KEPT_STYLES = {
    "Normal", "Header", "Footer", "Title", "Subtitle", "Heading 1", "Heading 2", "Default Paragraph Font",
    "Normal Table", "No List", "Header Char", "Footer Char", "Title Char", "Subtitle Char", "Heading 1 Char",
    "Heading 2 Char",
}  # fmt: skip


def frame_path() -> Path:
    """Where the frame lies, in a checkout or installed."""
    return Path(str(resources.files("lms_bridge_templates"))) / "documents" / "frame.docx"


def build_frame() -> bytes:
    """The frame as a .docx; always the same bytes."""
    document = docx.Document()
    _page(document)
    _strip(document)
    _defaults(document)
    _styles(document)
    _table_style(document)
    _fonts(document)
    properties = document.core_properties
    properties.author = properties.last_modified_by = properties.comments = properties.title = ""
    properties.created = properties.modified = datetime(*_EPOCH, tzinfo=UTC).replace(tzinfo=None)
    stream = io.BytesIO()
    document.save(stream)
    return _repacked(stream.getvalue())


def _page(document: Document) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm(2)
    section.top_margin, section.bottom_margin = Cm(2.2), Cm(2)
    section.header_distance = section.footer_distance = Cm(1.1)


def _strip(document: Document) -> None:
    """Leave out what the library's own template has and nobody needs: pictures of it, styles for other uses."""
    for relation in [*document.part.package.rels.values()]:
        if "thumbnail" in relation.reltype:
            del document.part.package.rels[relation.rId]
    for relation in [*document.part.rels.values()]:
        if relation.reltype.endswith(("/customXml", "/stylesWithEffects", "/numbering")):
            del document.part.rels[relation.rId]
    for element in [*document.styles.element]:
        name = element.find(qn("w:name"))
        label = name.get(qn("w:val")) if name is not None else ""
        kept = {style.casefold() for style in _KEPT_STYLES}
        if element.tag == qn("w:style") and label.casefold() not in kept:
            document.styles.element.remove(element)


def _defaults(document: Document) -> None:
    run = document.styles.element.find(f"{qn('w:docDefaults')}/{qn('w:rPrDefault')}/{qn('w:rPr')}")
    assert run is not None
    run.clear()
    run.append(_font_element(LATIN, SONG))
    run.append(parse_xml(f'<w:sz {nsdecls("w")} w:val="21"/>'))
    run.append(parse_xml(f'<w:szCs {nsdecls("w")} w:val="21"/>'))
    run.append(parse_xml(f'<w:lang {nsdecls("w")} w:val="en-GB" w:eastAsia="zh-CN" w:bidi="ar-SA"/>'))
    paragraph = document.styles.element.find(f"{qn('w:docDefaults')}/{qn('w:pPrDefault')}/{qn('w:pPr')}")
    assert paragraph is not None
    paragraph.clear()


def _font_element(latin: str, east_asian: str) -> object:
    return parse_xml(
        f'<w:rFonts {nsdecls("w")} w:ascii="{latin}" w:hAnsi="{latin}" w:eastAsia="{east_asian}" w:cs="{latin}"/>'
    )


def _styles(document: Document) -> None:
    normal = _style(document, "Normal", 10.5)
    normal.paragraph_format.line_spacing = 1.15
    title = _style(document, "Title", 18, heading=True, bold=True, after=4, align=WD_ALIGN_PARAGRAPH.CENTER)
    title.paragraph_format.keep_with_next = True
    _style(document, "Subtitle", 11, after=8, align=WD_ALIGN_PARAGRAPH.CENTER, colour=GREY)
    for name, size, before in (("Heading 1", 13, 12), ("Heading 2", 11, 8)):
        style = _style(document, name, size, heading=True, bold=True, before=before, after=4)
        style.paragraph_format.keep_with_next = True
    header = _style(document, "Header", 9, colour=GREY)
    line = f'<w:pBdr {nsdecls("w")}><w:bottom w:val="single" w:sz="4" w:space="2" w:color="7B8794"/></w:pBdr>'
    header.element.get_or_add_pPr().insert(0, parse_xml(line))
    _style(document, "Footer", 9, colour=GREY)
    _style(document, "Information", 10.5, new=True, after=2)
    _style(document, "Body", 10.5, new=True, after=4)
    _style(document, "Remark", 9, new=True, before=3, after=3, colour=GREY)
    _style(document, "Signature Line", 10.5, new=True, before=16)
    cell = _style(document, "Table Text", 9, new=True)
    cell.paragraph_format.line_spacing = 1.05
    _style(document, "Table Head", 9, heading=True, new=True, bold=True, align=WD_ALIGN_PARAGRAPH.CENTER)
    _style(document, "Table Small", 6.5, new=True, colour=GREY)


def _style(
    document: Document, name: str, size: float, *, heading: bool = False, new: bool = False, bold: bool = False,
    before: float = 0, after: float = 0, align: WD_ALIGN_PARAGRAPH | None = None, colour: RGBColor | None = None,
) -> ParagraphStyle:  # fmt: skip
    """A paragraph style with Latin and East Asian fonts; one that the library's template has is made anew."""
    if new:
        style = document.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        style.base_style = document.styles["Normal"]
        style.quick_style = True
    else:
        style = document.styles[name]
    assert isinstance(style, ParagraphStyle)
    for tag in ("w:rPr", "w:pPr"):
        old = style.element.find(qn(tag))
        if old is not None:
            style.element.remove(old)
    run = style.element.get_or_add_rPr()
    latin, east_asian = (LATIN_HEADING, HEI) if heading else (LATIN, SONG)
    run.append(_font_element(latin, east_asian))
    style.font.size, style.font.bold = Pt(size), bold or None
    style.font.color.rgb = colour if colour is not None else RGBColor(0, 0, 0)
    shape = style.paragraph_format
    shape.space_before, shape.space_after = Pt(before), Pt(after)
    if align is not None:
        shape.alignment = align
    return style


def _table_style(document: Document) -> None:
    edges = "".join(
        f'<w:{edge} w:val="single" w:sz="{size}" w:space="0" w:color="{colour}"/>'
        for edge, size, colour in (
            ("top", 8, "1F2933"), ("left", 4, "7B8794"), ("bottom", 8, "1F2933"), ("right", 4, "7B8794"),
            ("insideH", 4, "7B8794"), ("insideV", 4, "7B8794"),
        )
    )  # fmt: skip
    document.styles.element.append(
        parse_xml(
            f'<w:style {nsdecls("w")} w:type="table" w:customStyle="1" w:styleId="SchoolTable">'
            f'<w:name w:val="{TABLE_STYLE}"/><w:basedOn w:val="TableNormal"/><w:uiPriority w:val="59"/>'
            f"<w:tblPr><w:tblBorders>{edges}</w:tblBorders>"
            '<w:tblCellMar><w:top w:w="40" w:type="dxa"/><w:left w:w="70" w:type="dxa"/>'
            '<w:bottom w:w="40" w:type="dxa"/><w:right w:w="70" w:type="dxa"/></w:tblCellMar></w:tblPr>'
            '<w:tblStylePr w:type="firstRow"><w:tcPr><w:shd w:val="clear" w:color="auto" w:fill="E4EAF0"/>'
            '<w:vAlign w:val="center"/></w:tcPr></w:tblStylePr></w:style>'
        )
    )


def _fonts(document: Document) -> None:
    """The font table: which fonts the styles name, and what may stand in for each."""
    entries = "".join(
        f'<w:font w:name="{name}"><w:altName w:val="{",".join(others)}"/>'
        f'<w:charset w:val="{"86" if name in (SONG, HEI) else "00"}"/></w:font>'
        for name, others in _FALLBACKS.items()
    )
    part = next(r.target_part for r in document.part.rels.values() if r.reltype.endswith("/fontTable"))
    assert isinstance(part, Part)
    xml = f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<w:fonts {nsdecls("w")}>{entries}</w:fonts>'
    part._blob = xml.encode()


def _repacked(data: bytes) -> bytes:
    """The same container with fixed times, so that equal contents are equal bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            entry = zipfile.ZipInfo(info.filename, _EPOCH)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            new.writestr(entry, old.read(info.filename))
    return stream.getvalue()


if __name__ == "__main__":
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else frame_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(build_frame())
    sys.stdout.write(f"{path}\n")
