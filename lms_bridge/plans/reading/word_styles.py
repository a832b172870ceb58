"""What a paragraph's style says: which level of heading it is, how deep in a list, whether in a table of contents."""

from __future__ import annotations

import re

from lxml import etree  # type: ignore[import-untyped]

# The names of the built-in styles are English in every language of Word and WPS; their ids are not.
_HEADING = re.compile(r"heading ([1-9])", re.IGNORECASE)
_LIST = re.compile(r"list (?:bullet|number)(?: ([2-5]))?", re.IGNORECASE)
_NOTHING = (0, 0, False)

Meaning = tuple[int, int, bool]


class Styles:
    """The paragraph styles of a document: id -> (heading level, depth of the list item, table of contents)."""

    def __init__(self, root: etree._Element | None = None, namespace: str = "") -> None:
        self.w = namespace
        self.known: dict[str, Meaning] = {}
        if root is not None:
            for style in root.iter(namespace + "style"):
                self.known[style.get(namespace + "styleId", "")] = self._meaning(style)

    def of(self, paragraph: etree._Element) -> Meaning:
        """Heading level (0: none), list depth (0: none) and whether the table of contents, of a paragraph."""
        w = paragraph.tag.removesuffix("p")
        properties = paragraph.find(w + "pPr")
        if properties is None:
            return _NOTHING
        style = properties.find(w + "pStyle")
        level, item, contents = self.known.get(style.get(w + "val", ""), _NOTHING) if style is not None else _NOTHING
        outline = _number(properties.find(w + "outlineLvl"), w)
        if outline is not None:
            level = outline + 1 if outline < 9 else 0
        numbering = properties.find(w + "numPr")
        if numbering is not None:
            numbered = _number(numbering.find(w + "numId"), w)
            item = 0 if numbered == 0 else (_number(numbering.find(w + "ilvl"), w) or 0) + 1
        return level, item, contents

    def _meaning(self, style: etree._Element) -> Meaning:
        w = self.w
        named = style.find(w + "name")
        name = named.get(w + "val", "") if named is not None else ""
        heading, listed = _HEADING.fullmatch(name), _LIST.fullmatch(name)
        level = int(heading[1]) if heading else 0
        properties = style.find(w + "pPr")
        outline = _number(properties.find(w + "outlineLvl"), w) if properties is not None else None
        if not level and outline is not None and outline < 9:
            level = outline + 1
        return level, int(listed[1] or 1) if listed else 0, name.lower().startswith("toc ")


def _number(element: etree._Element | None, w: str) -> int | None:
    value = element.get(w + "val", "") if element is not None else ""
    return int(value) if value.isascii() and value.isdigit() and len(value) < 6 else None
