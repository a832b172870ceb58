"""How alike two units are, from 0 (nothing in common) to 1 (the same), in Chinese and English.

Chinese has no spaces between words, so its pieces are pairs of neighbouring characters; English pieces are words.
Numbering (第三单元, Unit 3:, 3.1) says where a unit stands and not what it is, and is left out; numbers inside a title
(一次函数, 二次函数) tell units apart.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from rapidfuzz import fuzz

from lms_bridge.plans.units import UnitDraft

# Two units are taken for the same only from here on.
THRESHOLD = 0.6
# How much the contents count beside the titles, where both plans give them.
_CONTENT_WEIGHT = 0.35
# Characters of a content that are compared: the beginning tells units apart, and comparing costs their product.
_COMPARED = 500
# Titles of which each has a number that the other has not are different units, however alike they look.
_OTHER_NUMBER = 0.55

_CHINESE_DIGITS = "零一二三四五六七八九十百"
_NUMBERING = re.compile(
    rf"^\s*(?:第\s*[\d{_CHINESE_DIGITS}]+\s*(?:单元|章|节|课时|课|模块|专题|部分|讲)"
    rf"|(?:单元|模块|专题)\s*[\d{_CHINESE_DIGITS}]+(?![\d{_CHINESE_DIGITS}])"
    r"|(?:unit|module|chapter|lesson|topic|part|section)\s*(?:\d+(?:\.\d+)*|[ivx]+)\b"
    rf"|§?\s*\d+(?:\.\d+)+|\d+\s*[.、:)]|[{_CHINESE_DIGITS}]+\s*[、.:]|[（(][\d{_CHINESE_DIGITS}]+[)）])"
    r"[\s.、:：\-–—]*",
    re.IGNORECASE,
)
# 春（2课时）: how long, not what.
_LENGTH = re.compile(
    rf"[(（\[【]\s*(?:共|约)?\s*[\d{_CHINESE_DIGITS}两]+\s*(?:个?课时|学时|节|periods?|lessons?)\s*[)）\]】]",
    re.IGNORECASE,
)
_NUMBER = re.compile(rf"\d+|[{_CHINESE_DIGITS[1:]}]")
_WORD = re.compile(r"[a-z0-9']+|[^\W\d_a-z]+")
_PARTICLES = re.compile(r"(?<=[一-鿿])[的与和及之](?=[一-鿿])")
_ENGLISH_PARTICLES = frozenset({"a", "an", "the", "of", "and", "in", "on", "to", "for", "with"})


def strip_numbering(title: str) -> str:
    """``title`` without the numbering at its beginning and without its periods; kept where nothing else is in it."""
    plain = _LENGTH.sub(" ", unicodedata.normalize("NFKC", title)).strip() or title.strip()
    rest = plain
    while (found := _NUMBERING.match(rest)) and found.end() < len(rest):
        rest = rest[found.end() :]
    return rest.strip() or plain


@dataclass(frozen=True)
class Text:
    """A text prepared for comparison."""

    plain: str

    @cached_property
    def pieces(self) -> Counter[str]:
        """Words of alphabetic scripts, pairs of characters of Chinese."""
        found: Counter[str] = Counter()
        for word in _WORD.findall(self.plain):
            if word[0].isascii() or len(word) == 1:
                if word not in _ENGLISH_PARTICLES:
                    found[word] += 1
            else:
                found.update(word[i : i + 2] for i in range(len(word) - 1))
        return found

    @cached_property
    def size(self) -> int:
        """The number of pieces."""
        return self.pieces.total()

    @cached_property
    def numbers(self) -> Counter[str]:
        """The numbers in the text, each as often as it occurs."""
        return Counter(_NUMBER.findall(self.plain))

    def like(self, other: Text) -> float:
        """The likeness of two texts: of their letters in order, and of their pieces in any order."""
        if self.plain == other.plain:
            return 1.0 if self.plain else 0.0
        common = 0
        if not self.pieces.keys().isdisjoint(other.pieces):  # most pairs have nothing in common
            common = (self.pieces & other.pieces).total()
        total = self.size + other.size
        pieces = 2 * common / total if total else 0.0
        return (fuzz.ratio(self.plain, other.plain) / 100 + pieces) / 2


def prepare(text: str) -> Text:
    """``text`` without case, width, punctuation and Chinese particles."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    plain = " ".join(re.sub(r"[^\w']+|_", " ", plain).split())
    return Text(_PARTICLES.sub("", plain))


@dataclass(frozen=True)
class Fingerprint:
    """What of a unit is compared."""

    title: Text
    content: Text

    def like(self, other: Fingerprint) -> float:
        """The likeness of two units, from 0 to 1. The same title is the same unit, whatever its content."""
        titles = self.title.like(other.title)
        if titles == 1.0:
            return 1.0
        ours, theirs = self.title.numbers, other.title.numbers
        if ours - theirs and theirs - ours:
            titles *= _OTHER_NUMBER
        if not self.content.plain or not other.content.plain:
            return titles
        weighted = (1 - _CONTENT_WEIGHT) * titles
        if weighted + _CONTENT_WEIGHT < THRESHOLD:
            return weighted  # even the same content would not make them the same unit
        return weighted + _CONTENT_WEIGHT * self.content.like(other.content)


def fingerprint(unit: UnitDraft) -> Fingerprint:
    """The unit's title without numbering, and its content or else its objectives."""
    content = (unit.content or unit.objectives)[:_COMPARED]
    return Fingerprint(prepare(strip_numbering(unit.title[:_COMPARED])), prepare(content))
