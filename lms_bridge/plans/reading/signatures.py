"""What a file really is, told by its first bytes and never by its name."""

from __future__ import annotations

from typing import Literal

from lms_bridge.plans.reading.limits import Refused

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

# Names of streams in an OLE compound file (MS-CFB), as they stand in its directory: UTF-16. The order matters: an
# encrypted .docx also has other streams, and a .doc may carry an embedded workbook.
_OLE_STREAMS = (
    ("EncryptedPackage", "encrypted"),
    ("WpsContent", "wps"),
    ("WordDocument", "doc"),
    ("EtContent", "et"),
    ("PowerPoint Document", "ppt"),
    ("Workbook", "xls"),
    ("Book", "xls"),
)

_IMAGES = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
)

_ARCHIVES = (b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b\x08", b"BZh", b"\xfd7zXZ\x00")


def container(data: bytes) -> Literal["zip", "text"]:
    """``zip`` for what may be .docx or .xlsx, ``text`` for what may be a CSV file; all else is refused by name."""
    if not data.strip(b"\x00 \t\r\n\xef\xbb\xbf"):
        raise Refused("empty")
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    if data.startswith(_OLE):
        raise Refused(_ole(data))
    if b"%PDF-" in data[:1024]:
        raise Refused("pdf")
    _refuse_image(data)
    if data.startswith(_ARCHIVES):
        raise Refused("archive")
    _refuse_markup(data)
    return "text"


def _ole(data: bytes) -> str:
    for stream, code in _OLE_STREAMS:
        if stream.encode("utf-16-le") in data:
            return code
    return "ole"


def _refuse_image(data: bytes) -> None:
    for magic, kind in _IMAGES:
        if data.startswith(magic):
            raise Refused("image", kind=kind)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        raise Refused("image", kind="WebP")
    if data[4:8] == b"ftyp" and data[8:12] in (b"heic", b"heix", b"mif1", b"avif"):
        raise Refused("image", kind="HEIC")
    # Two letters are weak evidence: the header's length field must fit too.
    if data[:2] == b"BM" and data[14:18] in (b"\x28\x00\x00\x00", b"\x6c\x00\x00\x00", b"\x7c\x00\x00\x00"):
        raise Refused("image", kind="BMP")


def _refuse_markup(data: bytes) -> None:
    start = data.lstrip(b"\xef\xbb\xbf \t\r\n")[:2048].lower()
    if start.startswith(b"{\\rtf"):
        raise Refused("rtf")
    if start.startswith((b"<!doctype html", b"<html", b"<table", b"<head", b"<body", b"mime-version:")):
        raise Refused("html")
    if start.startswith(b"<?xml"):
        raise Refused("html" if b"<html" in start else "xml")
