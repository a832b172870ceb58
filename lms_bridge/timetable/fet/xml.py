"""Bounded parsing of a ``.fet`` file's XML into :class:`~lms_bridge.timetable.fet.model.Element` values."""

from __future__ import annotations

import io
import re
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from lms_bridge.core.errors import BadInputs, InputError, Place
from lms_bridge.core.i18n import N_
from lms_bridge.timetable.fet.model import Element

MAX_BYTES = 16 * 1024 * 1024
MAX_ELEMENTS = 600_000
"""The largest school among FET's own samples has 6 MB and 170,000 elements."""
MAX_DEPTH = 12
MAJOR_VERSIONS = (5, 6)
_BOM = b"\xef\xbb\xbf"


def parse(data: bytes, file: str | None) -> tuple[str, Element]:
    """The version and the root of a ``.fet`` file; :class:`BadInputs` with one problem where it is none."""
    try:
        return _parse(data, file)
    except InputError as error:
        raise BadInputs([error], file=file) from None


def _parse(data: bytes, file: str | None) -> tuple[str, Element]:
    place = Place(file=file)
    if len(data) > MAX_BYTES:
        raise InputError(
            N_("The file has %(size)s bytes; at most %(limit)s are read."),
            place=place,
            remedy=N_("Check that this is the input file of one school, not an archive or a result."),
            size=len(data),
            limit=MAX_BYTES,
        )
    try:
        return _read(data.removeprefix(_BOM), file)
    except ParseError as error:
        line, column = error.position
        raise InputError(
            N_("The file breaks off or is not well-formed XML here."),
            place=Place(file=file, row=line, column=column + 1),
            remedy=N_("Save it again in FET and send the whole file."),
        ) from None
    except DefusedXmlException:
        raise InputError(
            N_("The file declares XML entities or a document type, which no FET file does."),
            place=place,
            remedy=N_("Save it again in FET and send that file."),
        ) from None


def _read(data: bytes, file: str | None) -> tuple[str, Element]:
    version: str | None = None
    stack: list[list[Element]] = [[]]
    count = 0
    for event, element in iterparse(io.BytesIO(data), events=("start", "end"), forbid_dtd=True):
        if event == "start":
            count += 1
            if version is None:
                version = _version(element.tag, element.attrib, file)
            if len(stack) > MAX_DEPTH or count > MAX_ELEMENTS:
                raise InputError(
                    N_("The file is nested too deeply or has too many elements for a FET file."),
                    place=Place(file=file, value=element.tag[:80]),
                    remedy=N_("Check that this is the input file of one school."),
                )
            stack.append([])
        else:
            children = tuple(stack.pop())
            text = "" if children else (element.text or "")
            stack[-1].append(Element(element.tag, text, children))
            element.clear()
    assert version is not None
    return version, stack[0][0]


def _version(tag: str, attributes: dict[str, str], file: str | None) -> str:
    """The version that the root states, if its meaning is known."""
    if tag.lower() != "fet":
        raise InputError(
            N_("This is not a FET file: its outermost element is %(tag)s, not fet."),
            place=Place(file=file),
            remedy=N_("Send the .fet file that FET saves, not one of its results."),
            tag=tag[:80],
        )
    version = attributes.get("version", "").strip()
    found = re.match(r"(\d+)\.", version)
    if not found or int(found[1]) not in MAJOR_VERSIONS:
        raise InputError(
            N_("The file is of FET version %(version)s; versions 5 and 6 are understood."),
            place=Place(file=file, column="version", value=version[:80]),
            remedy=N_("Open it in FET 6 and save it again."),
            version=version[:80] or "?",
        )
    return version
