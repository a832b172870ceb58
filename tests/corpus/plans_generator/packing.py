"""The same bytes for the same document: containers are packed again with fixed times."""

from __future__ import annotations

import io
import re
import zipfile

_TIME = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*(<)")


def packed_again(data: bytes) -> bytes:
    """A .docx or .xlsx without the time of its making."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            entry = zipfile.ZipInfo(info.filename, (2026, 9, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            part = old.read(info.filename)
            if info.filename == "docProps/core.xml":
                part = _TIME.sub(rb"\g<1>2026-09-01T00:00:00Z\3", part)
            new.writestr(entry, part)
    return stream.getvalue()
