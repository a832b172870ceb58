"""The fewest changes from the lessons in force to a new placement of the same course: pure matching."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lms_bridge.timetable.solving.problem import Slot


@dataclass(frozen=True, slots=True)
class Match:
    """``kept`` and ``moved`` are (lesson id, slot), ``added`` slots without a lesson, ``cancelled`` lesson ids."""

    kept: tuple[tuple[int, Slot], ...]
    moved: tuple[tuple[int, Slot], ...]
    added: tuple[Slot, ...]
    cancelled: tuple[int, ...]


def match(lessons: Mapping[int, Slot | None], placed: Sequence[Slot]) -> Match:
    """Match lessons (ids in order of time, with their slots; None: its time is in the grid no more) with the slots
    that the course shall have. A lesson that can stay stays; of the others those move within their day first, then
    in order of time; what is left over is cancelled or added."""
    free = sorted(placed)
    kept: list[tuple[int, Slot]] = []
    moved: list[tuple[int, Slot]] = []
    rest: list[int] = []
    for lesson, slot in lessons.items():
        if slot is not None and slot in free:
            free.remove(slot)
            kept.append((lesson, slot))
        else:
            rest.append(lesson)
    for same_day in (True, False):
        for lesson in list(rest):
            was = lessons[lesson]
            target = next((s for s in free if not same_day or (was is not None and s.day == was.day)), None)
            if target is not None:
                free.remove(target)
                rest.remove(lesson)
                moved.append((lesson, target))
    return Match(tuple(kept), tuple(moved), tuple(free), tuple(rest))


def split_by_mode(counts: Sequence[int], online: int, in_person: int) -> list[tuple[int, int]]:
    """How many of each course's periods fall to the online days and how many to the days at school, in a week that
    has both, in proportion to the room there is on them. Rounding is carried on from course to course, so that the
    sums are in proportion too."""
    room = online + in_person
    shares: list[tuple[int, int]] = []
    total = given = 0
    for count in counts:
        total += count
        upto = (2 * total * online + room) // (2 * room) if room else 0
        share = min(max(upto - given, 0), count)
        given += share
        shares.append((share, count - share))
    return shares
