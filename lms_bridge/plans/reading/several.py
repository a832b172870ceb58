"""Several units in one cell, each line with its own periods: ``1.1 声音（2课时）`` above ``1.2 声速（1课时）``."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from lms_bridge.plans.reading.amounts import Amount, read_amount
from lms_bridge.plans.reading.inline import read_tail
from lms_bridge.plans.reading.problems import CellProblem

_COUNTED = re.compile(r"(?:(\d{1,2})\s*(?:[、)）]|[.．](?!\d))|[(（](\d{1,2})[)）])\s*(?P<rest>\S.*)\Z", re.DOTALL)
_IN_BRACKETS = re.compile(
    r"[(（\[【]\s*(?P<n>\d{1,2})\s*(?P<w>课时|学时|节|L|periods?|lessons?)?\s*[)）\]】](?=[\s；;，,、①-⑳]|\Z)",
    re.IGNORECASE,
)
_NUMBER_BEHIND = re.compile(r"(?P<title>.*(?:[》】」”)）]|\S\s))\s*(?P<n>\d{1,2})\Z")
_NUMBERING = re.compile(r"(?:(?P<dotted>\d{1,2}(?:\.\d{1,2})+)\s|(?P<counted>\d{1,2}\s*(?:[、)）]|[.．](?!\d)))|[①-⑳])")
_CIRCLED = re.compile(r"[①-⑳]\s*")
_BETWEEN = " \n；;，,、"
_BULLET = re.compile(r"^[\s•·●○■□◆◇▪–—*-]+(?=\S)")
_SEPARATOR = re.compile(r"\n|[；;](?=\s*\S)")


@dataclass(frozen=True, slots=True)
class Part:
    """One unit of a cell: its name, what stands below it, the words for its periods and its time."""

    title: str
    amount: str
    when: str = ""
    content: str = ""


def parts_of(text: str) -> list[Part]:
    """The units named in one cell with periods of their own; none unless the first line has such.

    Where the lines are counted (``1、`` ``2、``), the counting is no part of the names.
    """
    found = _parts(text)
    titles = _uncounted([part.title for part in found])
    return [replace(part, title=title) for part, title in zip(found, titles, strict=True)]


def _uncounted(titles: list[str]) -> list[str]:
    """The titles without the numbers before them, where these count from one."""
    found = [_COUNTED.match(title) for title in titles]
    numbers = [int(match[1] or match[2]) if match else None for match in found]
    if len(titles) < 2 or numbers != list(range(1, len(titles) + 1)):
        return titles
    return [match["rest"] for match in found if match]


def _parts(text: str) -> list[Part]:
    found: list[Part] = []
    for piece in filter(None, (piece.strip() for piece in _SEPARATOR.split(text))):
        tail = read_tail(piece)
        if tail.amount and tail.title:
            found.append(Part(tail.title, tail.amount, tail.when, tail.after))
        elif not found:
            return []
        else:
            last = found[-1]
            found[-1] = Part(last.title, last.amount, last.when, f"{last.content}\n{piece}".strip())
    return found


def headed(text: str) -> tuple[str, list[Part]] | None:
    """A first line without periods above lines that have them: the name of the whole, and its parts."""
    line, newline, rest = text.partition("\n")
    parts = parts_of(rest) if newline else []
    return (line, parts) if parts else None


def beside(names: str, amounts: str) -> list[Part]:
    """Units and their periods line by line in two cells; none unless every line of both fits."""
    name_lines, amount_lines = names.split("\n"), amounts.split("\n")
    if len(name_lines) < 2 or len(name_lines) != len(amount_lines):
        return []
    try:
        if any(read_amount(line, "text") is None for line in amount_lines):
            return []
    except CellProblem:
        return []
    return [Part(name, amount) for name, amount in zip(name_lines, amount_lines, strict=True)]


def total(parts: list[Part], minutes: int) -> Amount | None:
    """What the parts add up to; None where one of them is not certain."""
    try:
        amounts = [read_amount(part.amount, "text", minutes=minutes) for part in parts]
    except CellProblem:
        return None
    if any(amount is None for amount in amounts):
        return None
    return Amount(sum(amount.periods for amount in amounts if amount is not None), assumed=True)


def counted(text: str, *, worded: bool = False) -> list[Part]:
    """The units of a cell with a bare number in brackets behind each (``观潮（3） 走月亮（2）``).

    None unless that is so of all of them, and the numbers do not merely count the parts of one. ``worded``: only where
    each number says that it counts periods (``观潮（3课时） 走月亮（2课时）``)."""
    found: list[Part] = []
    position = 0
    for bracket in _IN_BRACKETS.finditer(text):
        title = text[position : bracket.start()].strip(_BETWEEN)
        position = bracket.end()
        if not title or "\n" in title or (worded and not bracket["w"]):
            return []
        found.append(Part(title, bracket["n"]))
    if text[position:].strip(_BETWEEN) or not all(int(part.amount) for part in found):
        return []
    same = len({part.title for part in found}) < len(found)
    return [] if same else found


def adding_up(text: str, periods: int | None) -> list[Part]:
    """The units of a cell with a bare number behind each, in brackets or not (``《春》2``, ``1. Cells (3)``), where the
    numbers add up to the ``periods`` that stand beside the cell: then they can be nothing else. None otherwise."""
    if periods is None:
        return []
    found = counted(text)
    if len(found) < 2:
        lines = [_NUMBER_BEHIND.match(line.strip()) for line in _SEPARATOR.split(text) if line.strip()]
        found = [Part(line["title"].strip(), line["n"]) for line in lines if line] if all(lines) else []
    if len(found) < 2 or sum(int(part.amount) for part in found) != periods:
        return []
    titles = _uncounted([_CIRCLED.sub("", part.title, count=1) for part in found])
    return [replace(part, title=title) for part, title in zip(found, titles, strict=True)]


def numbered(text: str) -> bool:
    """Whether each of several lines of a cell begins with a number of one kind (``1.1 …`` ``1.2 …``, ``①…`` ``②…``):
    they may be units of their own."""
    found = [_NUMBERING.match(line.strip()) for line in _SEPARATOR.split(text) if line.strip()]
    kinds = {match.lastgroup if match else "" for match in found}
    return len(found) > 1 and len(kinds) == 1 and "" not in kinds


def lines_of(text: str) -> list[str]:
    """The units of a cell that says nothing of their periods: one in each line, or between semicolons."""
    pieces = (_BULLET.sub("", piece.strip()).strip() for piece in _SEPARATOR.split(text))
    return _uncounted([piece for piece in pieces if piece])
