"""Two languages: message ids are English sentences, zh-CN comes from ``lms_bridge/translations``.

Catalogues are ``translations/<locale>/<area>.po`` (one file per area, so that each feature keeps its own words) and
are compiled in memory at start; a conflict between two areas is an error. ``tests/core/test_translations.py``
fails on a message without a translation.
"""

from __future__ import annotations

import functools
import gettext as _stdlib
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import resources
from typing import Any

from babel.messages import Catalog, mofile, pofile

LOCALES = ("zh-CN", "en")
DEFAULT_LOCALE = "zh-CN"

_locale: ContextVar[str | Callable[[], str | None] | None] = ContextVar("lms_bridge_locale", default=None)


def N_(message: str) -> str:  # noqa: N802 - the name that gettext tools know
    """Mark a message for translation without translating it now."""
    return message


def NN_(singular: str, plural: str) -> tuple[str, str]:  # noqa: N802 - like N_
    """Mark a message with its plural for translation without translating it now."""
    return singular, plural


@functools.cache
def catalogue(locale: str) -> _stdlib.NullTranslations:
    """The compiled messages of one locale; English needs none."""
    if locale == "en":
        return _stdlib.NullTranslations()
    merged = Catalog(locale=locale.replace("-", "_"))
    folder = resources.files("lms_bridge") / "translations" / locale.replace("-", "_")
    for entry in sorted(folder.iterdir(), key=lambda e: e.name):
        if not entry.name.endswith(".po"):
            continue
        part = pofile.read_po(io.BytesIO(entry.read_bytes()), locale=locale.replace("-", "_"))
        for message in part:
            if not message.id or not message.string:
                continue
            known = merged.get(message.id)
            if known is not None and known.string != message.string:
                raise ValueError(f"{entry.name}: {message.id!r} is translated differently in another area")
            merged.add(message.id, message.string, flags=message.flags)
    compiled = io.BytesIO()
    mofile.write_mo(compiled, merged)
    compiled.seek(0)
    return _stdlib.GNUTranslations(compiled)


def get_locale() -> str:
    """The locale in force: the one set by :func:`use_locale`, else English (logs, developers)."""
    found = _locale.get()
    if callable(found):
        set_locale(found())
        return get_locale()
    return found or "en"


def set_locale(locale: str | None) -> None:
    """Set the locale for the rest of this context (a request); unknown ones fall back to the default."""
    _locale.set(match_locale(locale))


def set_locale_later(find: Callable[[], str | None]) -> None:
    """As :func:`set_locale`, but ``find`` is asked for the locale only when a text is wanted in it."""
    _locale.set(find)


@contextmanager
def use_locale(locale: str | None) -> Iterator[None]:
    """Speak ``locale`` inside the block: a message for one person, a document in one language."""
    token = _locale.set(match_locale(locale))
    try:
        yield
    finally:
        _locale.reset(token)


def match_locale(wanted: str | None) -> str:
    """The supported locale nearest to ``wanted`` (a BCP 47 tag such as ``zh-Hans-CN``)."""
    tag = (wanted or "").replace("_", "-").lower()
    if tag.startswith("zh"):
        return "zh-CN"
    if tag.startswith("en"):
        return "en"
    return DEFAULT_LOCALE


def gettext(message: str, **params: Any) -> str:
    """``message`` in the locale in force, with ``%(name)s`` placeholders filled."""
    text = catalogue(get_locale()).gettext(message) if message else ""
    return text % params if params else text


def ngettext(singular: str, plural: str, n: int, **params: Any) -> str:
    """The right plural form for ``n``; ``n`` fills ``%(n)s``."""
    text = catalogue(get_locale()).ngettext(singular, plural, n)
    return text % ({"n": n} | params)
