"""What an uploaded file really is, told by its first bytes; its name and the browser's word for it prove nothing.

Only kinds that no browser runs are accepted: no HTML, no SVG, no programs. Signatures as in the file formats'
own specifications (ISO/IEC 14496-12 for ``ftyp``, RFC 8794 for EBML, ISO 32000 for PDF, PKWARE APPNOTE for zip).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import BinaryIO

from lms_bridge.core.errors import InputError, Place
from lms_bridge.core.i18n import N_

HEAD = 4096

MP4_BRANDS = frozenset({"isom", "iso2", "iso4", "iso5", "iso6", "mp41", "mp42", "avc1", "M4V", "MSNV", "dash", "qt"})

_OFFICE = {
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}
_OLE = {".doc": "application/msword", ".xls": "application/vnd.ms-excel", ".ppt": "application/vnd.ms-powerpoint"}

VIDEO_ENDINGS = (".mp4", ".m4v", ".webm")
FILE_ENDINGS = (".pdf", *_OFFICE, *_OLE, ".png", ".jpg", ".jpeg", ".gif", ".webp", ".mp3", ".m4a", ".txt")


@dataclass(frozen=True)
class FileType:
    """A media type, and whether browsers may show it in place (otherwise they save it)."""

    media_type: str
    inline: bool


def video_type(stream: BinaryIO, name: str) -> FileType:
    """The type of an uploaded video; the stream is put back to its beginning.

    :raises InputError: not an MP4 or WebM file.
    """
    head = _head(stream)
    if _is_mp4(head):
        return FileType("video/mp4", True)
    if head.startswith(b"\x1a\x45\xdf\xa3") and b"webm" in head[:64]:
        return FileType("video/webm", True)
    raise InputError(
        N_("This is not a video that browsers can play."),
        place=Place(file=name),
        remedy=N_("Save the video as MP4 (H.264) and upload that file."),
    )


def document_type(stream: BinaryIO, name: str) -> FileType:
    """The type of an uploaded document, picture, sound or text, by content and ending together; the stream is put
    back to its beginning.

    :raises InputError: a kind that is not accepted, or a content that does not fit the name.
    """
    head, ending = _head(stream), PurePath(name.lower()).suffix
    found = _by_content(head, ending)
    if found is None:
        raise InputError(
            N_("Files of this kind are not accepted, or the content does not fit the name."),
            place=Place(file=name),
            remedy=N_("Possible are %(endings)s."),
            endings=", ".join(FILE_ENDINGS),
        )
    return found


def may_show_inline(media_type: str) -> bool:
    """Whether a stored file of this type is shown in place rather than saved."""
    return media_type == "application/pdf" or media_type.startswith(("image/", "audio/", "video/"))


def _head(stream: BinaryIO) -> bytes:
    head = stream.read(HEAD)
    stream.seek(0)
    return head


def _is_mp4(head: bytes) -> bool:
    return head[4:8] == b"ftyp" and head[8:12].decode("latin-1").strip() in MP4_BRANDS


def _by_content(head: bytes, ending: str) -> FileType | None:
    fixed = {
        ".pdf": (b"%PDF-", "application/pdf"),
        ".png": (b"\x89PNG\r\n\x1a\n", "image/png"),
        ".jpg": (b"\xff\xd8\xff", "image/jpeg"),
        ".jpeg": (b"\xff\xd8\xff", "image/jpeg"),
    }
    if ending in fixed:
        magic, media_type = fixed[ending]
        return FileType(media_type, True) if head.startswith(magic) else None
    if ending == ".gif":
        return FileType("image/gif", True) if head.startswith((b"GIF87a", b"GIF89a")) else None
    if ending == ".webp":
        return FileType("image/webp", True) if head[:4] == b"RIFF" and head[8:12] == b"WEBP" else None
    if ending == ".mp3":
        tagged = head.startswith(b"ID3") or (len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0)
        return FileType("audio/mpeg", True) if tagged else None
    if ending == ".m4a":
        return FileType("audio/mp4", True) if head[4:8] == b"ftyp" and head[8:11] == b"M4A" else None
    if ending in _OFFICE:
        return FileType(_OFFICE[ending], False) if head.startswith(b"PK\x03\x04") else None
    if ending in _OLE:
        return FileType(_OLE[ending], False) if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") else None
    if ending == ".txt" and _is_text(head):
        return FileType("text/plain", False)
    return None


def _is_text(head: bytes) -> bool:
    if b"\x00" in head:
        return False
    for encoding in ("utf-8", "gb18030"):
        for cut in range(4):
            # The head may end in the middle of a character.
            try:
                head[: len(head) - cut].decode(encoding)
            except UnicodeDecodeError:
                continue
            return True
    return False
