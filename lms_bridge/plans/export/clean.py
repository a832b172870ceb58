"""Texts made fit for a document: without characters that XML does not know, and for file names."""

from __future__ import annotations

import re

# XML 1.0, production 2 (Char): everything else makes a part unreadable, as lone surrogates do.
_ILLEGAL = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_UNNAMEABLE = re.compile(r'[\\/:*?"<>|\s]+')
_LONGEST_NAME = 60


def clean(text: str) -> str:
    """``text`` with ``\\n`` for every kind of line end, and without the characters that XML does not allow."""
    return _ILLEGAL.sub("", "\n".join(text.splitlines()))


def one_line(text: str) -> str:
    """The same on one line, with single spaces."""
    return " ".join(clean(text).split())


def file_name(*parts: str, suffix: str) -> str:
    """A name for a download that every system can store: ``part-part.suffix``; empty parts are left out."""
    words = [word for part in parts if (word := _UNNAMEABLE.sub(" ", one_line(part)).strip(" ."))]
    stem = "-".join(word[:_LONGEST_NAME].strip() for word in words)
    return f"{stem or 'document'}.{suffix}"
