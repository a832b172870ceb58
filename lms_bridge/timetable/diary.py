"""Who is where when, while a proposal is worked out: pure, and quick to ask thousands of times."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from lms_bridge.core.clock import local
from lms_bridge.timetable.desk import Desk
from lms_bridge.timetable.models import LessonMode
from lms_bridge.timetable.snapshots import LessonState

ELSEWHERE = 0
"""The number of a lesson at another campus, which this one does not change."""


@dataclass(frozen=True, slots=True)
class _Entry:
    starts_at: datetime
    ends_at: datetime
    lesson: int
    part: str


class Diary:
    """The lessons of a desk as they would be; lessons are put in and taken out by number (negative: not stored)."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.states: dict[int, LessonState] = {}
        self._entries: defaultdict[tuple[str, int, date], list[_Entry]] = defaultdict(list)
        self._online: defaultdict[date, dict[int, LessonState]] = defaultdict(dict)
        for person_id, starts_at, ends_at in desk.away:
            day = local(starts_at, desk.campus.zone).date()
            self._entries["teacher", person_id, day].append(_Entry(starts_at, ends_at, ELSEWHERE, ""))
        for number, state in desk.lessons.items():
            self.put(number, state)

    def put(self, number: int, state: LessonState) -> None:
        """Note a lesson; a cancelled one takes no time."""
        self.take(number)
        if not state.takes_place:
            return
        self.states[number] = state
        for key, part in _keys(state):
            self._entries[key].append(_Entry(state.starts_at, state.ends_at, number, part))
        if state.mode is LessonMode.ONLINE:
            self._online[_day(state)][number] = state

    def take(self, number: int) -> None:
        """Forget a lesson, if it is in."""
        state = self.states.pop(number, None)
        if state is None:
            return
        for key, _ in _keys(state):
            self._entries[key] = [entry for entry in self._entries[key] if entry.lesson != number]
        self._online[_day(state)].pop(number, None)

    def fits(self, number: int, state: LessonState) -> bool:
        """Whether a lesson could be so: teachers and classes are free, its teachers can teach, the classes have no
        more online lessons that day than allowed, and there is a room. A lesson that keeps its time and mode keeps
        its room too."""
        day = _day(state)
        if any(self.desk.is_closed(person_id, day, state.period_number) for person_id in state.teacher_ids):
            return False
        if any(self._busy("teacher", person_id, state, number, "") for person_id in state.teacher_ids):
            return False
        for class_id, part in state.classes:
            for other in self.desk.linked.get(class_id, frozenset({class_id})):
                if self._busy("class", other, state, number, part if other == class_id else ""):
                    return False
        before = self.desk.lessons.get(number)
        stays = before is not None and (before.starts_at, before.mode) == (state.starts_at, state.mode)
        return stays or state.mode is not LessonMode.ONLINE or self._room_for(number, state, day)

    def teacher_is_free(self, person_id: int, state: LessonState, besides: int) -> bool:
        """Whether somebody could teach at the time of a lesson."""
        return not self.desk.is_closed(person_id, _day(state), state.period_number) and not self._busy(
            "teacher", person_id, state, besides, ""
        )

    def _busy(self, kind: str, key: int, state: LessonState, besides: int, part: str) -> bool:
        return any(
            entry.lesson != besides
            and entry.starts_at < state.ends_at
            and state.starts_at < entry.ends_at
            and not (part and entry.part and entry.part != part)
            for entry in self._entries[kind, key, _day(state)]
        )

    def _room_for(self, number: int, state: LessonState, day: date) -> bool:
        online = [other for key, other in self._online[day].items() if key != number]
        for class_id in state.class_ids:
            limit = self.desk.limits.get(class_id)
            if limit is not None and sum(class_id in other.class_ids for other in online) >= limit:
                return False
        rooms = self.desk.rooms.at(day, state.starts_at, state.ends_at)
        return rooms is None or sum(other.overlaps(state) for other in online) < rooms


def _day(state: LessonState) -> date:
    return state.starts_local.date()


def _keys(state: LessonState) -> Iterator[tuple[tuple[str, int, date], str]]:
    day = _day(state)
    for person_id in state.teacher_ids:
        yield ("teacher", person_id, day), ""
    for class_id, part in state.classes:
        yield ("class", class_id, day), part
