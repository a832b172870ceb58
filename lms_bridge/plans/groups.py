"""Which units are several of the other plan at once: merged (one for several) or split (several for one).

Pure, and the same rule in both directions: ``ones`` are the units that may stand for a run of neighbouring ``manys``.
A group needs a sign in each of its members, never a mere neighbourhood:

- the title of the one is that of the run put together (声现象与光现象 for 声现象, 光现象);
- the run repeats the one's title with numbered parts (有理数（一）, 有理数（二） for 有理数);
- the content of the one names the members, and it takes time for them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lms_bridge.plans.similarity import THRESHOLD, Fingerprint, Text, prepare, strip_numbering
from lms_bridge.plans.units import UnitDraft

LONGEST_RUN = 6
GAP = 2
"""Where the sign is a title or a content, so many units that came in between do not part a group."""
SAME = 0.9
"""From here on two units are so alike that neither is looked for in a group."""
_CONTAINED = 0.75
_BETTER = 0.05

_PART_NUMBER = r"[一二三四五六七八九十\d]{1,3}|[上中下]|[ⅠⅡⅢⅣⅤ]|[ivx]{1,4}|[a-d]"
_PART = re.compile(
    rf"\s*(?:[(（\[【]\s*(?:第?\s*(?:{_PART_NUMBER})\s*(?:课时|部分|节)?|续|cont(?:inued|'d|\.)?"
    rf"|part\s*(?:{_PART_NUMBER}|one|two|three))\s*[)）\]】]"
    rf"|[-–—:：·,，\s]\s*(?:第\s*[一二三四五六七八九十\d]+\s*(?:课时|部分)|part\s*(?:{_PART_NUMBER}|one|two|three)|续)"
    r"|第\s*[一二三四五六七八九十\d]+\s*(?:课时|部分))\s*$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Group:
    """The unit ``one`` of one side stands for the units ``many`` (at least two neighbours, in order) of the other."""

    one: int
    many: tuple[int, ...]


@dataclass(frozen=True)
class Side:
    """The units of one side with what of them is compared."""

    units: Sequence[UnitDraft]
    prints: Sequence[Fingerprint]

    def bases(self) -> list[tuple[str, bool]]:
        """Each title without the number of its part, and whether it had one."""
        found = []
        for unit in self.units:
            title = strip_numbering(unit.title)
            base = _PART.sub("", title)
            marked = base != title and bool(base.strip())
            found.append((prepare(base if marked else title).plain, marked))
        return found


def find_groups(ones: Side, manys: Side, likeness: Sequence[Sequence[float]]) -> list[Group]:
    """The groups that titles show. ``likeness[one][many]`` is that of two units. No unit is in two groups."""
    taken: set[int] = set()
    found: list[Group] = []
    for group in [*_numbered_parts(ones, manys), *_joined_titles(ones, manys, likeness)]:
        if taken.isdisjoint(group.many) and group.one not in {g.one for g in found}:
            found.append(group)
            taken.update(group.many)
    return found


def find_by_content(
    ones: Side, manys: Side, partner: Mapping[int, int], free_ones: Sequence[int], free_manys: Sequence[int]
) -> list[Group]:
    """The groups that contents show among what has no partner yet. ``partner`` is the pairs (one -> many) so far.

    A free unit joins the group of its neighbour's partner when that one's text names it and has periods for it.
    A free one takes a run of free units that its own text names.
    """
    free = set(free_manys)
    found: list[Group] = []
    for one, many in sorted(partner.items()):
        run = [many]
        for step in (-1, 1):
            neighbour = many + step
            while (
                neighbour in free and _room(ones, manys, one, [*run, neighbour]) and _names(ones, one, manys, neighbour)
            ):
                run.append(neighbour)
                free.discard(neighbour)
                neighbour += step
        if len(run) > 1:
            found.append(Group(one, tuple(sorted(run))))
    for one in free_ones:
        for run in _runs([many for many in sorted(free) if _names(ones, one, manys, many)], GAP):
            if len(run) > 1 and sum(manys.units[m].periods for m in run) <= 2 * ones.units[one].periods:
                found.append(Group(one, tuple(run)))
                free.difference_update(run)
                break
    return found


def _numbered_parts(ones: Side, manys: Side) -> list[Group]:
    by_title: dict[str, list[int]] = {}
    marked_ones: set[str] = set()
    for index, (title, marked) in enumerate(ones.bases()):
        by_title.setdefault(title, []).append(index)
        if marked:
            marked_ones.add(title)
    parts: dict[str, list[int]] = {}
    any_marked: set[str] = set()
    for index, (title, marked) in enumerate(manys.bases()):
        parts.setdefault(title, []).append(index)
        if marked:
            any_marked.add(title)
    found = []
    for title, indices in parts.items():
        here = by_title.get(title, [])
        numbered = title in any_marked and title not in marked_ones
        if numbered and len(here) == 1 and len(indices) > 1 and len(_runs(indices, GAP)) == 1:
            found.append(Group(here[0], tuple(indices)))
    return found


def _joined_titles(ones: Side, manys: Side, likeness: Sequence[Sequence[float]]) -> list[Group]:
    scored = []
    taught_elsewhere = [
        [row for row in range(len(ones.units)) if likeness[row][many] >= SAME] for many in range(len(manys.units))
    ]
    pieces_of = _index(manys)
    for one, print_ in enumerate(ones.prints):
        single = max(likeness[one], default=0.0)
        if single >= SAME or not print_.title.plain:
            continue
        near = {many for piece in print_.title.pieces for many in pieces_of.get(piece, ())}
        near |= {many for many in pieces_of.get("", ()) if manys.prints[many].title.plain in print_.title.plain}
        members = [
            many
            for many in sorted(near)
            if _contains(print_.title, manys.prints[many].title) and not set(taught_elsewhere[many]) - {one}
        ]
        for run in _runs(members):
            for part in _parts(run):
                joined = prepare(" ".join(manys.prints[many].title.plain for many in part))
                score = print_.title.like(joined)
                if score >= THRESHOLD and score > single + _BETTER:
                    scored.append((score, Group(one, tuple(part))))
    scored.sort(key=lambda entry: (-entry[0], entry[1].one))
    return [group for _, group in scored]


def _index(side: Side) -> dict[str, list[int]]:
    """The units by the pieces of their titles; under "" those whose titles are too short to have pairs."""
    found: dict[str, list[int]] = {}
    for index, print_ in enumerate(side.prints):
        for piece in print_.title.pieces:
            found.setdefault(piece, []).append(index)
        if len(print_.title.plain) == 1:
            found.setdefault("", []).append(index)
    return found


def _contains(whole: Text, part: Text) -> bool:
    """Whether ``part`` is named in ``whole``: word for word, or nearly all its pieces."""
    if not part.plain:
        return False
    if part.plain.isascii():
        if f" {part.plain} " in f" {whole.plain} ":
            return True
    elif part.plain.replace(" ", "") in whole.plain.replace(" ", ""):
        return True
    if part.size < 2:
        return False
    common = (part.pieces & whole.pieces).total()
    return common >= _CONTAINED * part.size


def _names(ones: Side, one: int, manys: Side, many: int) -> bool:
    """Whether the content of ``one`` names the title of ``many``; titles of a single character are named by chance."""
    title = manys.prints[many].title
    return len(title.plain) > 1 and _contains(ones.prints[one].content, title)


def _room(ones: Side, manys: Side, one: int, run: Sequence[int]) -> bool:
    """Whether ``one`` has periods for the run: at least for the first, and half of the periods of the others."""
    first, *others = (manys.units[many].periods for many in run)
    return ones.units[one].periods - first >= 0.5 * sum(others)


def _runs(indices: Sequence[int], gap: int = 0) -> list[list[int]]:
    """The runs of neighbours in sorted ``indices``; up to ``gap`` others may stand between two of them."""
    found: list[list[int]] = []
    for index in indices:
        if found and index - found[-1][-1] <= gap + 1:
            found[-1].append(index)
        else:
            found.append([index])
    return found


def _parts(run: Sequence[int]) -> list[Sequence[int]]:
    """All parts of a run that are at least two long, and not longer than is looked at."""
    size = len(run)
    return [run[i:j] for i in range(size) for j in range(i + 2, min(size, i + LONGEST_RUN) + 1)]
