"""Lengths of time that a text names, in Chinese and English: 1小时30分钟, 一个半小时, 40-50分钟, 1 h 30 min. Pure."""

from __future__ import annotations

import re
import unicodedata

_DIGIT = {word: number for number, word in enumerate("一二三四五六七八九", start=1)} | {"两": 2}
_WORDS = {"half an": 0.5, "half-an": 0.5, "an": 1.0, "one": 1.0, "one and a half": 1.5, "two": 2.0, "three": 3.0}
# 周三十分钟 is ten minutes on Wednesday.
_NUMBER = r"(?:\d+(?:\.\d+)?|半|(?<![周第期])[一二两三四五六七八九十]+)"
_WORD_NUMBER = r"\b(?:half[ -]an|one and a half|an|one|two|three)(?=\s)"
_MINUTES = r"(?:分钟|min(?:ute)?s?\b)"
_TIME = re.compile(
    rf"(?:\d+(?:\.\d+)?\s*(?:小时|分钟|h|min)?\s*[-–—~～至到]\s*)?"  # 40-50分钟: the longer counts
    rf"(?:(?P<hours>{_NUMBER}|{_WORD_NUMBER})\s*-?\s*(?P<half>个半)?个?\s*(?P<unit>小时|钟头|hours?\b|hrs?\b|h(?=\d|\b))"
    rf"(?P<more>半|\s+and\s+a\s+half\b)?"
    rf"(?:\s*(?:零|又|and\b)?\s*(?P<extra>{_NUMBER})\s*(?:{_MINUTES}|分)|(?<=[hH])(?P<bare>[0-5]\d)(?![\d.]))?"
    rf"|(?P<minutes>{_NUMBER})\s*-?\s*(?P<short>{_MINUTES}))",
    re.IGNORECASE,
)


def minutes_in(text: str) -> int | None:
    """The longest time that a text names, in minutes; None where it names none."""
    return max((_minutes(time) for time in _TIME.finditer(unicodedata.normalize("NFKC", text))), default=None)


def at_most(text: str, limit: int) -> str:
    """``text`` with every time that is longer than ``limit`` minutes shortened to it."""

    plain = unicodedata.normalize("NFKC", text)
    if len(plain) != len(text):
        text = plain  # places in the one are no places in the other
    found, done = "", 0
    for time in _TIME.finditer(plain):
        if _minutes(time) > limit:
            chinese = (time["unit"] or time["short"])[0] in "小钟分"
            found += text[done : time.start()] + (f"{limit}分钟" if chinese else f"{limit} min")
            done = time.end()
    return found + text[done:]


def _minutes(time: re.Match[str]) -> int:
    if time["minutes"] is not None:
        return round(_number(time["minutes"]))
    hours = _number(time["hours"]) + (0.5 if time["half"] or time["more"] else 0)
    return round(hours * 60 + _number(time["extra"] or time["bare"] or "0"))


def _number(text: str) -> float:
    text = text.lower()
    if text in _WORDS:
        return _WORDS[text]
    if text == "半":
        return 0.5
    if text[0].isdigit():
        return float(text)
    tens, ten, ones = text.rpartition("十")
    return (_DIGIT.get(tens, 1) * 10 if ten else 0) + _DIGIT.get(ones[-1:], 0)
