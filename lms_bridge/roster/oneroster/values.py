"""Reading single cells: dates, lists, grades, addresses, codes; and the hash that tells a changed row."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_EMAIL = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s.,;<>\"]+")
_PHONE = re.compile(r"\+?[0-9][0-9 ()./#*x-]{2,39}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

_NUMERALS = {c: n for n, c in enumerate("一二三四五六七八九", 1)}
_STAGES = {"小": 0, "初": 6, "高": 9}


@lru_cache(maxsize=4096)
def iso_date(text: str) -> date | None:
    """The date of ``YYYY-MM-DD`` (OneRoster allows nothing else), or None if it is no such date."""
    if not _ISO_DATE.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def words(text: str) -> list[str]:
    """The entries of a list cell (``"a,b"``), blanks left out, repeated ones once, in their order."""
    if "," not in text:
        return [text] if text else []
    return list(dict.fromkeys(part for part in (p.strip() for p in text.split(",")) if part))


@lru_cache(maxsize=1024)
def grade(text: str) -> str:
    """A grade in one form: ``07``, ``7``, ``Grade 7``, ``七年级`` and ``初一`` are all ``7``; others stay upper-case.

    Grades of CEDS that are no number (``KG``, ``PK`` ...) stay as they are.
    """
    plain = text.strip().upper()
    digits = re.fullmatch(r"(?:GRADE|YEAR|G)?[ .]*0*(\d{1,2})(?:年级|年級)?", plain)
    if digits:
        return digits[1]
    stage = re.fullmatch(r"([小初高])([一二三四五六])(?:年级|年級)?", plain)
    if stage:
        return str(_STAGES[stage[1]] + _NUMERALS[stage[2]])
    numeral = re.fullmatch(r"(十)?([一二三四五六七八九])?年[级級]", plain)
    if numeral and plain[0] != "年":
        return str((10 if numeral[1] else 0) + _NUMERALS.get(numeral[2] or "", 0))
    return plain[:16]


@lru_cache(maxsize=4096)
def grades(text: str) -> str:
    """The grades of a list cell; a class of several grades gets them joined (``7/8``)."""
    return "/".join(grade(word) for word in words(text))[:16]


def is_email(text: str) -> bool:
    """Whether ``text`` has the form of one e-mail address."""
    return len(text) <= 254 and _EMAIL.fullmatch(text) is not None


def is_phone(text: str) -> bool:
    """Whether ``text`` has the form of a telephone number."""
    return _PHONE.fullmatch(text) is not None


def has_control(text: str) -> bool:
    """Whether a control character (a tab, a line break) stands in ``text``."""
    return _CONTROL.search(text) is not None


@lru_cache(maxsize=256)
def is_zone(text: str) -> bool:
    """Whether ``text`` names a time zone of the IANA database."""
    return text in available_timezones() and ZoneInfo(text) is not None


def short_code(text: str, longest: int) -> str:
    """``text`` as a code of at most ``longest`` characters; longer ones end in a hash that keeps them apart."""
    if len(text) <= longest:
        return text
    return f"{text[: longest - 9]}-{hashlib.blake2b(text.encode(), digest_size=4).hexdigest()}"


def digest(cells: Iterable[str]) -> int:
    """A 64-bit hash of what a row says, for comparing it with what it said in the last import."""
    text = "\x1f".join(cells)
    raw = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(raw, "big", signed=True)
