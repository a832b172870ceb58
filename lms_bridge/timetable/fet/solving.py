"""A timetable for a ``.fet`` school."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lms_bridge.timetable.engine.search import Progress, place
from lms_bridge.timetable.fet.forming import Former
from lms_bridge.timetable.fet.model import School
from lms_bridge.timetable.fet.rules import draft_of


@dataclass(frozen=True, slots=True)
class FetSolution:
    """A timetable: the (day index, hour index) of each activity placed, its room where it needs one."""

    starts: dict[int, tuple[int, int]]
    rooms: dict[int, str]
    unplaced: tuple[int, ...]
    seconds: float
    tries: int


def solve_fet(
    school: School,
    seed: int = 1,
    seconds: float = 120.0,
    progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    **kw,
) -> FetSolution:
    draft = draft_of(school)
    former = Former(draft)
    problem = former.form()
    placing = place(problem, seed=seed, seconds=seconds, progress=progress, cancelled=cancelled, **kw)
    hours = len(school.hours)
    starts: dict[int, tuple[int, int]] = {}
    rooms: dict[int, str] = {}
    need = 0
    for number, unit in enumerate(problem.units):
        slot = placing.starts[number]
        for found in unit.needs:
            if slot >= 0 and placing.rooms[need] >= 0:
                rooms[draft.activities[found.activity].id] = problem.resources[placing.rooms[need]].name
            need += 1
        if slot >= 0:
            for member in unit.activities:
                starts[draft.activities[member].id] = divmod(slot, hours)
    unplaced = tuple(a.id for a in draft.activities if a.id not in starts)
    return FetSolution(starts, rooms, unplaced, placing.seconds, placing.tries)
