"""Who is where when, while a proposal is worked out: pure, and quick to ask thousands of times."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from lms_bridge.core.clock import local
from lms_bridge.timetable.cases.desk import Desk
from lms_bridge.timetable.models import LessonMode
from lms_bridge.timetable.snapshots import LessonState
from lms_bridge.timetable.weeks.kept_rules import Broken, broken_anew, broken_in_week, slot_of, too_full

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
        self._of_class: defaultdict[tuple[int, int], set[int]] = defaultdict(set)
        self._of_day: defaultdict[tuple[int, date], set[int]] = defaultdict(set)
        self._before: dict[tuple[int, frozenset[int], int], frozenset[Broken]] = {}
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
        for class_id in state.class_ids:
            self._of_class[state.week_id, class_id].add(number)
        for person_id in state.teacher_ids:
            self._of_day[person_id, _day(state)].add(number)
        if state.mode is LessonMode.ONLINE:
            self._online[_day(state)][number] = state

    def take(self, number: int) -> None:
        """Forget a lesson, if it is in."""
        state = self.states.pop(number, None)
        if state is None:
            return
        for key, _ in _keys(state):
            self._entries[key] = [entry for entry in self._entries[key] if entry.lesson != number]
        for class_id in state.class_ids:
            self._of_class[state.week_id, class_id].discard(number)
        for person_id in state.teacher_ids:
            self._of_day[person_id, _day(state)].discard(number)
        self._online[_day(state)].pop(number, None)

    def fits(self, number: int, state: LessonState, *, ruled: bool = True) -> bool:
        """Whether a lesson could be so: teachers and classes are free, its teachers can teach, the classes have no
        more online lessons that day than allowed, there is a room, and (``ruled``) no rule that the campus states is
        broken that the timetable kept before. A lesson that keeps its time and mode keeps its room too."""
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
        if not stays and state.mode is LessonMode.ONLINE and not self._room_for(number, state, day):
            return False
        return not ruled or self._keeps_rules(number, state)

    def teacher_is_free(self, person_id: int, state: LessonState, besides: int) -> bool:
        """Whether somebody could teach at the time of a lesson, and may have one more that day."""
        return (
            not self.desk.is_closed(person_id, _day(state), state.period_number)
            and not self._busy("teacher", person_id, state, besides, "")
            and self._has_room(person_id, _day(state), besides)
        )

    def _has_room(self, person_id: int, day: date, besides: int) -> bool:
        """Whether one more lesson is within the most periods of a teacher's day."""
        most = self.desk.stated.per_day.get(person_id)
        if most is None:
            return True
        away = sum(entry.lesson == ELSEWHERE for entry in self._entries["teacher", person_id, day])
        return len(self._of_day[person_id, day] - {besides}) + away < most

    def _keeps_rules(self, number: int, state: LessonState) -> bool:
        """Whether this place breaks nothing that was kept: of the rules of a day before the change, of those of the
        week where the lesson stood."""
        day, before = _day(state), self.desk.lessons.get(number)
        for person_id in state.teacher_ids:
            stood = before is not None and person_id in before.teacher_ids and _day(before) == day
            if not stood and not self._has_room(person_id, day, number):
                return False
        others = self._beside(state, number)
        weekday = slot_of(state).day
        after = self._broken((*others, state), state, weekday)
        if not after:
            return True
        stand = (before,) if before is not None and before.week_id == state.week_id else ()
        allowed = {one for one in self._broken((*others, *stand), state, weekday) if one.day < 0}
        return after <= allowed | self._broken_before(state, weekday)

    def _beside(self, state: LessonState, number: int) -> list[LessonState]:
        """The other lessons of the week that a rule for this lesson may speak of: of its classes, and of its band."""
        return [self.states[key] for key in sorted(self._numbers(state) - {number})]

    def _numbers(self, state: LessonState) -> set[int]:
        found: set[int] = set()
        for class_id in self._concerned(state):
            found |= self._of_class[state.week_id, class_id]
        return found

    def _concerned(self, state: LessonState) -> frozenset[int]:
        """The classes of a lesson, and those that are taught at the same time as they in a band."""
        stated = self.desk.stated
        names = {name for (classes, _), name in stated.bands.items() if state.class_ids & {c for c, _ in classes}}
        return state.class_ids.union(
            c for (classes, _), name in stated.bands.items() if name in names for c, _ in classes
        )

    def _broken_before(self, state: LessonState, weekday: int) -> frozenset[Broken]:
        concerned = self._concerned(state)
        key = (state.week_id, concerned, weekday)
        if key not in self._before:
            own = [s for s in self.desk.lessons.values() if s.week_id == state.week_id and s.class_ids & concerned]
            self._before[key] = self._broken(own, state, weekday)
        return self._before[key]

    def _broken(self, lessons: Iterable[LessonState], state: LessonState, weekday: int) -> frozenset[Broken]:
        return broken_in_week(self.desk.stated, list(lessons), state.week_id, self.desk.openings, day=weekday)

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


def newly_broken(desk: Desk, after: Mapping[int, LessonState]) -> frozenset[Broken]:
    """The rules that the timetable of a desk keeps and would break with the lessons ``after`` (by number; negative:
    new ones). What lessons that are lost leave behind in a week breaks nothing."""
    states = {key: state for key, state in {**desk.lessons, **after}.items() if state.takes_place}
    full = too_full(desk.stated, states.values()) - too_full(desk.stated, desk.lessons.values())
    found = set(full)
    touched = [desk.lessons[key] for key in after if key in desk.lessons] + list(after.values())
    for week_id in sorted({state.week_id for state in touched}):
        found |= broken_anew(desk.stated, desk.lessons, after, week_id, desk.openings)
    return frozenset(found)


def _day(state: LessonState) -> date:
    return state.starts_local.date()


def _keys(state: LessonState) -> Iterator[tuple[tuple[str, int, date], str]]:
    day = _day(state)
    for person_id in state.teacher_ids:
        yield ("teacher", person_id, day), ""
    for class_id, part in state.classes:
        yield ("class", class_id, day), part
