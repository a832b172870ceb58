"""For which class and subject a file is, by its path: what people call the two, in Chinese and English. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from typing import TypeVar

_DIGITS = {word: str(number) for number, word in enumerate("一二三四五六七八九", start=1)}
_TOKENS = re.compile(r"[a-z]+|\d+|[^\W\da-z_]+")

Key = TypeVar("Key")


def plain(text: str) -> str:
    """``text`` without differences of width, case and way of writing numbers (七年级 is 7年级, 十一 is 11)."""
    text = unicodedata.normalize("NFKC", text).casefold()
    text = "".join(_DIGITS.get(character, character) for character in text)
    return re.sub(r"(\d)?十(\d)?", lambda m: f"{m[1] or 1}{m[2] or 0}", text)


def named(path: str, names: Mapping[Key, Collection[str]]) -> set[Key]:
    """Those of ``names`` that ``path`` names; a name that only stands within a longer one (科学 in 信息科学) does not
    count, nor does ``G7-1`` in ``G7-12``."""
    text = plain(path)
    spans = {(found.span(), key) for key, words in names.items() for word in words for found in _found(word, text)}
    return {key for span, key in spans if not _within(span, (other for other, _ in spans))}


def _found(word: str, text: str) -> Iterable[re.Match[str]]:
    tokens = _TOKENS.findall(plain(word))
    if not tokens:
        return ()
    pattern = r"[\W_]*".join(re.escape(token) for token in tokens)
    return re.finditer(f"{_edge(tokens[0], '<!')}{pattern}{_edge(tokens[-1], '!')}", text)


def _edge(token: str, look: str) -> str:
    if token.isdigit():
        return rf"(?{look}\d)"
    return rf"(?{look}[a-z])" if token.isascii() else ""


def _within(span: tuple[int, int], others: Iterable[tuple[int, int]]) -> bool:
    return any(o != span and o[0] <= span[0] and span[1] <= o[1] for o in others)
