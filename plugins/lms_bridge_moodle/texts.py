"""Texts on their way into Moodle and out of it."""

from __future__ import annotations

import html
import re

_TAG = re.compile(r"<[^<>]*>")


def plain(text: str | None) -> str:
    """A name as people wrote it: Moodle gives ``&`` back as ``&amp;``, and names from elsewhere may hold tags."""
    return html.unescape(_TAG.sub("", text or "")).strip()


def name(text: str, length: int = 255) -> str:
    """A name that Moodle takes: it refuses whatever looks like a tag, and line ends."""
    without = " ".join(_TAG.sub("", text).split())
    return without.replace("<", "‹").replace(">", "›")[:length]
