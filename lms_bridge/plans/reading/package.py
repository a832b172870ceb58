"""The zip container of .docx and .xlsx files, looked at before anything in it is parsed.

Runs in the child process; raises :class:`~lms_bridge.plans.reading.limits.Refused`.
"""

from __future__ import annotations

import lzma
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass
from typing import IO, Literal
from xml.parsers import expat

from lms_bridge.plans.reading.limits import ReadLimits, Refused

# What zipfile and its decompressors raise over broken containers (RuntimeError: a part that claims to be encrypted).
DAMAGE = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    OSError,
    EOFError,
    RuntimeError,
    ValueError,
    OverflowError,
)

_ENCRYPTED = 0x1
_CHUNK = 64 * 1024

# What the main part calls itself in [Content_Types].xml (ECMA-376 part 1, 11.3.10 and 12.3.23).
_WORD = re.compile(r"wordprocessingml\.(document|template)\.main\+xml$")
_EXCEL = re.compile(r"spreadsheetml\.(sheet|template)\.main\+xml$")
_MACRO = re.compile(r"macroEnabled(Template)?\.main\+xml$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Package:
    """A checked container: what it holds and where its main part is."""

    archive: zipfile.ZipFile
    kind: Literal["docx", "xlsx"]
    main_part: str
    limits: ReadLimits

    def read(self, name: str) -> bytes:
        """One part, unpacked."""
        return _read(self.archive, name, self.limits)


def open_package(stream: IO[bytes], limits: ReadLimits) -> Package:
    """Check the container in ``stream`` against ``limits`` and find out what document it is.

    Raises ``Refused``, or one of ``DAMAGE`` where the container does not unpack; so does reading its parts later.
    """
    archive = zipfile.ZipFile(stream)
    infos = archive.infolist()
    _check_sizes(infos, limits)
    if any(info.flag_bits & _ENCRYPTED for info in infos):
        raise Refused("encrypted")
    names = [info.filename for info in infos]
    if len(set(names)) != len(names):
        raise Refused("damaged")
    if "[Content_Types].xml" not in names:
        raise Refused(_other_archive(archive, names, limits))
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise Refused("macros")
    for name in names:
        if name.endswith((".xml", ".rels")):
            _refuse_dtd(archive, name)
    kind, main_part = _main_part(_read(archive, "[Content_Types].xml", limits))
    if main_part not in names:
        raise Refused("damaged")
    return Package(archive, kind, main_part, limits)


def _check_sizes(infos: list[zipfile.ZipInfo], limits: ReadLimits) -> None:
    if len(infos) > limits.entries:
        raise Refused("too_many_entries", limit=limits.entries)
    unpacked = sum(info.file_size for info in infos)
    packed = sum(info.compress_size for info in infos)
    if unpacked > limits.unpacked_bytes:
        raise Refused("unpacks_too_large", size=unpacked // 1_000_000, limit=limits.unpacked_bytes // 1_000_000)
    if unpacked > limits.packing_floor and unpacked > packed * limits.packing_ratio:
        raise Refused("unpacks_too_large", size=unpacked // 1_000_000, limit=limits.packing_floor // 1_000_000)
    for info in infos:
        if info.filename.endswith((".xml", ".rels")) and info.file_size > limits.part_bytes:
            raise Refused("unpacks_too_large", size=info.file_size // 1_000_000, limit=limits.part_bytes // 1_000_000)


def _read(archive: zipfile.ZipFile, name: str, limits: ReadLimits) -> bytes:
    # zipfile stops at the size that the directory declares, which has been checked; one byte more shows a lie.
    with archive.open(name) as part:
        data = part.read(limits.part_bytes + 1)
    if len(data) > limits.part_bytes:
        raise Refused("unpacks_too_large", size=len(data) // 1_000_000, limit=limits.part_bytes // 1_000_000)
    return data


class _RootReached(Exception):
    """The document type declaration can only stand before the first element."""


def _refuse_dtd(archive: zipfile.ZipFile, name: str) -> None:
    """Refuse a part with a document type declaration: Office never writes one, attacks need one."""

    def doctype(*_: object) -> None:
        raise Refused("dtd", part=name)

    def root(*_: object) -> None:
        raise _RootReached

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler = root
    with archive.open(name) as part:
        try:
            while chunk := part.read(_CHUNK):
                parser.Parse(chunk, False)
            parser.Parse(b"", True)
        except _RootReached:
            return
        except expat.ExpatError as error:
            raise Refused("damaged") from error


def _main_part(content_types: bytes) -> tuple[Literal["docx", "xlsx"], str]:
    found: list[tuple[str, str]] = []

    def element(name: str, attributes: dict[str, str]) -> None:
        if name.rpartition(":")[2] == "Override":
            found.append((attributes.get("PartName", "").lstrip("/"), attributes.get("ContentType", "")))

    parser = expat.ParserCreate()
    parser.StartElementHandler = element
    try:
        parser.Parse(content_types, True)
    except expat.ExpatError as error:
        raise Refused("damaged") from error
    for part, content_type in found:
        if _MACRO.search(content_type):
            raise Refused("macros")
        if _WORD.search(content_type):
            return "docx", part
        if _EXCEL.search(content_type):
            return "xlsx", part
    types = " ".join(content_type for _, content_type in found)
    if "sheet.binary" in types:
        raise Refused("xlsb")
    if "presentationml" in types:
        raise Refused("slides")
    raise Refused("damaged")


def _other_archive(archive: zipfile.ZipFile, names: list[str], limits: ReadLimits) -> str:
    if "mimetype" in names:
        mimetype = _read(archive, "mimetype", limits)[:100]
        if b"opendocument.text" in mimetype:
            return "odt"
        if b"opendocument.spreadsheet" in mimetype:
            return "ods"
    if any(name.startswith(("word/", "xl/")) for name in names):
        return "damaged"
    return "archive"
