"""Numbers and text as people type them in China and elsewhere: full width, Chinese numerals, many kinds of dash."""

from __future__ import annotations

import re
import unicodedata

_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_UNITS = {"十": 10, "百": 100}
CHINESE = "零〇一二两三四五六七八九十百"
# A whole number in either script, for use in larger patterns.
NUMBER = rf"(?:\d{{1,3}}|[{CHINESE}]{{1,5}})"

_DASHES = re.compile("[‐-―−－~～∼〜至]|(?<=\\d)到(?=\\d)")


def normalise(text: str) -> str:
    """Full-width forms made narrow, every kind of dash a ``-``, white space single."""
    text = unicodedata.normalize("NFKC", _DASHES.sub("-", text))
    return " ".join(_DASHES.sub("-", text).split())


def whole_number(text: str) -> int | None:
    """``3``, ``３``, ``3.0``, ``三``, ``十二``, ``二十``, ``一百零五``; None for everything else."""
    text = unicodedata.normalize("NFKC", text).strip()
    if re.fullmatch(r"\d{1,6}(\.0+)?", text) and text.isascii():
        return int(text.partition(".")[0])
    return _chinese(text)


def _chinese(text: str) -> int | None:
    if not text or any(c not in CHINESE for c in text):
        return None
    if not any(c in _UNITS for c in text):
        return _DIGITS[text] if len(text) == 1 else None  # 一二 is "one, two" as often as twelve
    total = 0
    digit: int | None = None
    last_unit = 1000
    for c in text:
        if c in _UNITS:
            unit = _UNITS[c]
            if unit >= last_unit:
                return None
            total += (1 if digit is None else digit) * unit
            digit, last_unit = None, unit
        elif digit is not None and digit != 0:
            return None
        else:
            digit = _DIGITS[c]
    return total + (digit or 0)
