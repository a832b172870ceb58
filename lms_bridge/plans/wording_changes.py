"""Word-level differences of two texts: English by the word, Chinese by the character.

Pure. The result is meant to be read: a chance likeness of a character or two between two rewritten passages is shown
as part of the rewriting, since confetti of single characters says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

PieceKind = Literal["same", "removed", "added"]

_TOKEN = re.compile(
    r"(?:[\u3400-\u9fff\uf900-\ufaff]"  # a Chinese character
    r"|[^\W\d_\u3400-\u9fff\uf900-\ufaff]+(?:['’-][^\W\d_\u3400-\u9fff\uf900-\ufaff]+)*"  # a word
    r"|\d+(?:[.,:]\d+)*"  # a number
    r"|\S)\s*",
)
_PASSAGE = re.compile(r"[^\n。！？；;]*[\n。！？；;]?")

COMPARED = 1_000_000
"""Longest product of two token counts that is compared by the word; longer texts are compared by the sentence."""
CHANCE = 3
"""A likeness of at most so many letters between two longer changes is taken for chance."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text that stayed, went or came."""

    kind: PieceKind
    text: str


@dataclass(slots=True)
class _Block:
    """Text that stayed, and what was removed and added after it."""

    same: str
    removed: str = ""
    added: str = ""


def tokens(text: str) -> list[str]:
    """The words, Chinese characters, numbers and signs of a text, each with the white space after it."""
    return _TOKEN.findall(text)


def changes(before: str, after: str) -> tuple[Piece, ...]:
    """What of ``before`` stayed, went and came to make ``after``: the pieces in reading order.

    Those that are not ``added`` make ``before``, those that are not ``removed`` make ``after``; white space is not
    compared, and shown as it is in ``after`` where the words stayed.
    """
    before, after = before.strip(), after.strip()
    old, new = _units_of_comparison(before, after)
    head = _common(zip(old, new, strict=False))
    tail = _common(zip(reversed(old[head:]), reversed(new[head:]), strict=False))
    blocks = [_Block("".join(new[:head]))]
    for same, removed, added in _matched(old[head : len(old) - tail], new[head : len(new) - tail]):
        blocks.append(_Block(same, removed, added))
    blocks.append(_Block("".join(new[len(new) - tail :])))
    return tuple(_pieces(_without_chance(_joined(blocks))))


def _units_of_comparison(before: str, after: str) -> tuple[list[str], list[str]]:
    old, new = tokens(before), tokens(after)
    if len(old) * len(new) <= COMPARED:
        return old, new
    return [p for p in _PASSAGE.findall(before) if p], [p for p in _PASSAGE.findall(after) if p]


def _common(pairs: Iterator[tuple[str, str]]) -> int:
    """How many pairs are equal before the first that is not."""
    count = 0
    for one, other in pairs:
        if one.rstrip() != other.rstrip():
            break
        count += 1
    return count


def _matched(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    # White space is no token of its own: " and " would weigh more than the word beside it.
    matcher = SequenceMatcher(None, [t.rstrip() for t in old], [t.rstrip() for t in new], autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            yield "".join(new[j1:j2]), "", ""
        else:
            yield "", "".join(old[i1:i2]), "".join(new[j1:j2])


def _joined(blocks: Sequence[_Block]) -> list[_Block]:
    """Blocks in which every likeness is followed by a change, but for the last."""
    joined = [_Block("")]
    for block in blocks:
        last = joined[-1]
        if block.same and (last.removed or last.added):
            joined.append(_Block(block.same, block.removed, block.added))
        else:
            last.same += block.same
            last.removed += block.removed
            last.added += block.added
    return joined


def _without_chance(blocks: Sequence[_Block]) -> list[_Block]:
    """Short likenesses between two longer changes become part of one change."""
    kept = [blocks[0]]
    for block in blocks[1:]:
        last, size = kept[-1], len(block.same.strip())
        around = min(max(len(b.removed), len(b.added)) for b in (last, block))
        if size <= CHANCE and size < around:
            last.removed += block.same + block.removed
            last.added += block.same + block.added
        else:
            kept.append(block)
    return kept


def _pieces(blocks: Sequence[_Block]) -> Iterator[Piece]:
    for block in blocks:
        if block.same:
            yield Piece("same", block.same)
        if block.removed:
            yield Piece("removed", block.removed)
        if block.added:
            yield Piece("added", block.added)
