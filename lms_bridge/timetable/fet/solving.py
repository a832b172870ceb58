"""A timetable for the school of a ``.fet`` file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lms_bridge.timetable.engine.problem import PlacingProblem
from lms_bridge.timetable.engine.search import Placing, Progress, place
from lms_bridge.timetable.fet.draft import Draft
from lms_bridge.timetable.fet.forming import Former
from lms_bridge.timetable.fet.model import School
from lms_bridge.timetable.fet.rules import draft_of


@dataclass(frozen=True, slots=True)
class FetSolution:
    """A timetable: the (day index, hour index) of each activity placed, its room where it was given one.

    ``unplaced`` are the ids of the active activities without a time: empty when the search succeeded. ``impossible``
    are those among them that no slot is left for even where nobody else is placed who shares anything with them.
    ``seconds`` is what the search took, ``tries`` how many placements it made.
    """

    starts: dict[int, tuple[int, int]]
    rooms: dict[int, str]
    unplaced: tuple[int, ...]
    impossible: tuple[int, ...]
    seconds: float
    tries: int


def solve_fet(
    school: School,
    seed: int = 1,
    seconds: float = 120.0,
    progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    *,
    calls: int | None = None,
) -> FetSolution:
    """A timetable that keeps all honoured hard constraints, within so many seconds (or calls, for a repeatable end).

    Constraints below 100 percent are checked with that probability, as FET does. What is not honoured is not looked
    at: ask :func:`lms_bridge.timetable.fet.rules.not_honoured` first. Where time runs out the best partial timetable
    is returned. The search runs in bursts of about a quarter of a second; between them ``progress`` is told and
    ``cancelled`` asked. The same seed gives the same timetable on every machine unless the clock ended the search.
    """
    draft = draft_of(school)
    problem = Former(draft).form()
    placing = place(problem, seed=seed, seconds=seconds, calls=calls, progress=progress, cancelled=cancelled)
    return _solution(draft, problem, placing)


def _solution(draft: Draft, problem: PlacingProblem, placing: Placing) -> FetSolution:
    starts: dict[int, tuple[int, int]] = {}
    rooms: dict[int, str] = {}
    impossible: list[int] = []
    need = 0
    for number, unit in enumerate(problem.units):
        slot = placing.starts[number]
        for found in unit.needs:
            if slot >= 0 and placing.rooms[need] >= 0:
                rooms[draft.activities[found.activity].id] = problem.resources[placing.rooms[need]].name
            need += 1
        ids = [draft.activities[member].id for member in unit.activities]
        if slot >= 0:
            starts.update(dict.fromkeys(ids, divmod(slot, problem.hours)))
        elif number in placing.impossible:
            impossible += ids
    return FetSolution(
        starts=starts,
        rooms=rooms,
        unplaced=tuple(activity.id for activity in draft.activities if activity.id not in starts),
        impossible=tuple(impossible),
        seconds=placing.seconds,
        tries=placing.tries,
    )
