"""Teachers who would have more periods in a day than they may: asked before a lesson is moved or given to somebody."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from lms_bridge.core.clock import local
from lms_bridge.timetable.changing.clashes import Occupied
from lms_bridge.timetable.snapshots import LessonState


@dataclass(frozen=True, slots=True)
class FullDay:
    """Somebody's day that would have ``count`` periods, of which ``limit`` are allowed."""

    person_id: int
    day: date
    count: int
    limit: int


def full_days(
    wanted: Mapping[int, LessonState],
    occupied: Mapping[str, Sequence[Occupied]],
    limits: Mapping[int, int],
    zone: str,
    person_ids: Collection[int] | None = None,
) -> Iterator[FullDay]:
    """Which days of teachers (of ``person_ids``; None: all of them) would be too full with lessons in the states
    ``wanted`` (by id), and fuller than now. ``occupied`` are the lessons as they stand, at all campuses; days are those
    of ``zone``. Pure."""
    coming = [state for state in wanted.values() if state.takes_place]
    days = sorted(
        {
            (person_id, local(state.starts_at, zone).date())
            for state in coming
            for person_id in state.teacher_ids
            if person_id in limits and (person_ids is None or person_id in person_ids)
        }
    )
    for person_id, day in days:
        now_there = {
            e.lesson for e in occupied.get(f"teacher:{person_id}", ()) if local(e.starts_at, zone).date() == day
        }
        new = {
            lesson
            for lesson, state in wanted.items()
            if state.takes_place and person_id in state.teacher_ids and local(state.starts_at, zone).date() == day
        }
        then = (now_there - wanted.keys()) | new
        if len(then) > max(limits[person_id], len(now_there)):
            yield FullDay(person_id, day, len(then), limits[person_id])
