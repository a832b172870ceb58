"""What is wrong with lessons as they stand: two at once, a day without school, outside the grid, too much online, an
absent teacher. A change is refused for these; they come about when something else changes after it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from lms_bridge.core.errors import BridgeError, InputError
from lms_bridge.core.i18n import N_
from lms_bridge.roster.models import Organisation
from lms_bridge.timetable.changing.clashes import clash_errors, double_bookings, occupied_by
from lms_bridge.timetable.changing.placing import Placing, placing_of
from lms_bridge.timetable.models import Lesson, LessonMode
from lms_bridge.timetable.snapshots import LessonState, state_of
from lms_bridge.timetable.wording import Day, When


class ConflictKind(StrEnum):
    """What is wrong with a lesson; the first four are told in this order of weight."""

    TWICE = "twice"
    NO_SCHOOL = "no_school"
    ABSENT = "absent"
    ONLINE_LIMIT = "online_limit"
    OFF_GRID = "off_grid"


@dataclass(frozen=True, slots=True)
class LessonConflict:
    """One thing that is wrong with a lesson, in words."""

    kind: ConflictKind
    problem: BridgeError


Found = dict[int, list[LessonConflict]]
"""By lesson id what is wrong with it; lessons with which all is well are not in it."""


def conflicts_of(campus: Organisation, lessons: Iterable[Lesson], first: date, last: date) -> Found:
    """What is wrong with these lessons (parts loaded), all between two days of one campus; cancelled ones have no
    conflicts. Their classes and teachers are looked for at every campus."""
    states = {lesson.id: state_of(lesson) for lesson in lessons}
    states = {key: state for key, state in states.items() if state.takes_place}
    if not states:
        return {}
    placing = placing_of(campus, first, last, states.values())
    found: defaultdict[int, list[LessonConflict]] = defaultdict(list)
    for key, conflict in (*_twice(placing, states), *_by_itself(placing, states), *_online(placing, states)):
        found[key].append(conflict)
    order = list(ConflictKind)
    return {key: sorted(rows, key=lambda row: order.index(row.kind)) for key, rows in found.items()}


def _twice(placing: Placing, states: dict[int, LessonState]) -> Iterable[tuple[int, LessonConflict]]:
    new = [entry for key, state in states.items() for entry in occupied_by(key, state, new=True)]
    others = [entry for who in {e.who for e in new} for entry in placing.occupied[who] if entry.lesson not in states]
    for pair in double_bookings([*new, *others]):
        for here, there in (pair, pair[::-1]):
            if here.lesson in states:
                (problem,) = clash_errors([(here, there)], placing.names, placing.codes)
                yield here.lesson, LessonConflict(ConflictKind.TWICE, problem)


def _by_itself(placing: Placing, states: dict[int, LessonState]) -> Iterable[tuple[int, LessonConflict]]:
    for key, state in states.items():
        day = state.starts_local.date()
        closed = placing.closed(day)
        if closed is not None:
            yield key, LessonConflict(ConflictKind.NO_SCHOOL, closed)
        elif not _in_grid(placing, state):
            yield (
                key,
                LessonConflict(
                    ConflictKind.OFF_GRID,
                    InputError(
                        N_("%(when)s is no period of the grid."),
                        remedy=N_("Move the lesson into a period, or correct the period grid."),
                        when=When(state.starts_at, state.zone),
                    ),
                ),
            )
        for problem in placing.absences(state, state.teacher_ids):
            yield key, LessonConflict(ConflictKind.ABSENT, problem)


def _in_grid(placing: Placing, state: LessonState) -> bool:
    """Whether it has the times of a period of each of its classes' grids."""
    times = (state.starts_at, state.ends_at)
    return all(
        any((at.starts_at, at.ends_at) == times for at in placing.slots.get(class_id, {}).values())
        for class_id in state.class_ids
    )


def _online(placing: Placing, states: dict[int, LessonState]) -> Iterable[tuple[int, LessonConflict]]:
    """The lessons of a day that come after as many online ones as its class may have."""
    for (class_id, day), lessons in list(placing.online_lessons.items()):
        limit = placing.online_limit(class_id)
        late: Sequence[int] = sorted(lessons, key=lambda key: (lessons[key], key))[limit:]
        for key in late:
            if key in states and states[key].mode is LessonMode.ONLINE:
                yield (
                    key,
                    LessonConflict(
                        ConflictKind.ONLINE_LIMIT,
                        InputError(
                            N_("%(group)s has %(count)s online lessons on %(day)s; %(limit)s are allowed."),
                            remedy=N_("Move one of them to another day."),
                            group=placing.groups[class_id].title,
                            count=len(lessons),
                            day=Day(day),
                            limit=limit,
                        ),
                    ),
                )
