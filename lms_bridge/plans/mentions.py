"""Names written with ``@`` in a comment: which people they mean. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_AT = re.compile(r"(?<![A-Za-z0-9._%+-])[@＠](?=[^\W\d_])")
_NAMELIKE = re.compile(r"[^\s,.;:!?，。；：！？、@＠()（）]{1,12}")


@dataclass(frozen=True)
class Found:
    """The people meant, the names that mean nobody, and those that mean several people."""

    people: frozenset[int]
    unknown: tuple[str, ...]
    ambiguous: Mapping[str, frozenset[int]]


def find(text: str, names: Mapping[int, str]) -> Found:
    """Whom ``text`` mentions of the people in ``names`` (by id). The longest name that fits is meant, so that
    ``@王小明`` is not ``王小``; an address such as ``a@b.cn`` mentions nobody."""
    people: set[int] = set()
    unknown: list[str] = []
    ambiguous: dict[str, frozenset[int]] = {}
    for at in _AT.finditer(text):
        name = _name_at(text, at.end(), names)
        meant = frozenset(who for who, known in names.items() if known.casefold() == name.casefold())
        if not name:
            likely = _NAMELIKE.match(text, at.end())
            unknown.append(likely.group() if likely else text[at.end()])
        elif len(meant) > 1:
            ambiguous[name] = meant
        else:
            people |= meant
    return Found(frozenset(people), tuple(dict.fromkeys(unknown)), ambiguous)


def _name_at(text: str, start: int, names: Mapping[int, str]) -> str:
    """The longest name that stands at ``start``; empty for none. A Latin name ends where a word ends."""
    fitting = [
        name
        for name in names.values()
        if name
        and text[start : start + len(name)].casefold() == name.casefold()
        and not (_latin(name[-1]) and _latin(text[start + len(name) : start + len(name) + 1]))
    ]
    return max(fitting, key=len, default="")


def _latin(letter: str) -> bool:
    return letter.isascii() and letter.isalnum()


def pieces(text: str, names: Mapping[int, str]) -> list[tuple[str, bool]]:
    """``text`` cut into runs, each with whether it is a mention of somebody in ``names``."""
    cut: list[tuple[str, bool]] = []
    last = 0
    for at in _AT.finditer(text):
        name = _name_at(text, at.end(), names)
        if not name or at.start() < last:
            continue
        end = at.end() + len(name)
        cut += [(text[last : at.start()], False), (text[at.start() : end], True)]
        last = end
    cut.append((text[last:], False))
    return [(run, marked) for run, marked in cut if run]
