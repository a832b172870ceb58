"""The marker by which an event of ours is found again in an LMS: a class name on the link in its description, which
LMSs keep when they clean HTML, and which nobody sees."""

from __future__ import annotations

import html
import re

MARKER = re.compile(r"\blms-bridge-([A-Za-z0-9_-]{4,64})\b")
_KEY = re.compile(r"[A-Za-z0-9_-]{4,64}")
_LINK = re.compile(r"<a\b[^>]*\blms-bridge-[^>]*>", re.IGNORECASE)
_HREF = re.compile(r"""\bhref\s*=\s*["']([^"']*)["']""", re.IGNORECASE)


def marker(key: str) -> str:
    """The class name that marks what belongs to ``key``.

    :raises ValueError: no such key can be marked.
    """
    if not _KEY.fullmatch(key):
        raise ValueError(f"{key!r} cannot be a marker")
    return f"lms-bridge-{key}"


def described(description: str, url: str, key: str, label: str) -> str:
    """HTML of an event: the description's lines, and the marked link."""
    lines = "<br>".join(html.escape(line) for line in description.splitlines() if line.strip())
    link = f'<p><a class="{marker(key)}" href="{html.escape(url)}">{html.escape(label)}</a></p>'
    return (f"<p>{lines}</p>" if lines else "") + link


def marked(text: str | None) -> tuple[str, str] | None:
    """Key and address of the marked link in a description; None: nothing of ours."""
    found = MARKER.search(text or "")
    if found is None:
        return None
    link = _LINK.search(text or "")
    address = _HREF.search(link[0]) if link else None
    return found[1], html.unescape(address[1]) if address else ""
