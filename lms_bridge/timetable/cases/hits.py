"""Which lessons cannot stay as they are, by the cause of a case."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import date

from lms_bridge.core.clock import now
from lms_bridge.timetable.cases.desk import Desk
from lms_bridge.timetable.cases.models import ChangeCase
from lms_bridge.timetable.models import ChangeCause, LessonMode, TeacherPart
from lms_bridge.timetable.snapshots import LessonState


def hit_lessons(case: ChangeCase, desk: Desk, students: Mapping[int, int]) -> list[int]:
    """The lessons (ids, in order of time) of the desk that the case hits. Those that have begun stay.

    ``students``: how many students each class has; where rooms are short, lessons of few students give way.
    """
    find = _FINDERS.get(case.cause)
    if find is None:
        return []
    moment = now()
    coming = {
        number: state
        for number, state in desk.lessons.items()
        if state.starts_at > moment and case.first_day <= state.starts_local.date() <= case.last_day
    }
    found = find(case, desk, coming, students)
    return sorted(found, key=lambda number: (desk.lessons[number].starts_at, number))


def absent_from(state: LessonState, desk: Desk, person_id: int | None = None) -> bool:
    """Whether a lesson has nobody to lead it: all who lead it (or stand in) cannot teach at its time, for a reported
    absence. ``person_id``: only if it is this person who is absent."""
    leaders = [teacher for teacher, part in state.teachers if part is not TeacherPart.ASSISTANT]
    day = state.starts_local.date()
    gone = [teacher for teacher in leaders if desk.is_closed(teacher, day, state.period_number)]
    return bool(gone) and len(gone) == len(leaders) and (person_id is None or person_id in gone)


Coming = Mapping[int, LessonState]
Students = Mapping[int, int]


def _without_teacher(case: ChangeCase, desk: Desk, coming: Coming, students: Students) -> list[int]:
    absence = case.absence
    if absence is None or absence.withdrawn_at is not None:
        return []
    return [number for number, state in coming.items() if absent_from(state, desk, absence.person_id)]


def _in_the_wrong_mode(case: ChangeCase, desk: Desk, coming: Coming, students: Students) -> list[int]:
    """Lessons that are online on a day at school, or the other way round."""
    online = _online_days(desk)
    found = []
    for number, state in coming.items():
        if case.class_id is not None and case.class_id not in state.class_ids:
            continue
        day = state.starts_local.date()
        wanted = [online[class_id, day] for class_id in state.class_ids if (class_id, day) in online]
        if wanted and any(wanted) is not (state.mode is LessonMode.ONLINE):
            found.append(number)
    return found


def _online_days(desk: Desk) -> dict[tuple[int, date], bool]:
    """Whether each class is online on each day on which it has periods to come."""
    return {(class_id, time.day): time.online for class_id, times in desk.openings.items() for time in times}


def _without_room(case: ChangeCase, desk: Desk, coming: Coming, students: Students) -> list[int]:
    """Where more lessons run at once than there are rooms, those of the fewest students."""
    found: list[int] = []
    by_day: defaultdict[date, list[tuple[int, LessonState]]] = defaultdict(list)
    for number, state in coming.items():
        if state.mode is LessonMode.ONLINE:
            by_day[state.starts_local.date()].append((number, state))
    for day, lessons in sorted(by_day.items(), key=lambda pair: pair[0]):
        kept: list[LessonState] = []
        lessons.sort(key=lambda pair: (-sum(students.get(c, 0) for c in pair[1].class_ids), pair[1].starts_at, pair[0]))
        for number, state in lessons:
            rooms = desk.rooms.at(day, state.starts_at, state.ends_at)
            if rooms is None or _most_at_once(state, kept) < rooms:
                kept.append(state)
            else:
                found.append(number)
    return found


def _most_at_once(state: LessonState, kept: list[LessonState]) -> int:
    """How many of ``kept`` run at once at some moment of ``state``: looked at when each of them begins."""
    beside = [other for other in kept if other.overlaps(state)]
    moments = [max(other.starts_at, state.starts_at) for other in beside]
    return max((sum(o.starts_at <= moment < o.ends_at for o in beside) for moment in moments), default=0)


def _on_lost_days(case: ChangeCase, desk: Desk, coming: Coming, students: Students) -> list[int]:
    return [number for number, state in coming.items() if state.starts_local.date() not in desk.days]


def _asked_to_move(case: ChangeCase, desk: Desk, coming: Coming, students: Students) -> list[int]:
    return [number for number in coming if number == case.lesson_id]


_FINDERS: dict[ChangeCause, Callable[[ChangeCase, Desk, Coming, Students], list[int]]] = {
    ChangeCause.TEACHER_ABSENCE: _without_teacher,
    ChangeCause.CLOSURE: _in_the_wrong_mode,
    ChangeCause.PROVIDER_FAILURE: _without_room,
    ChangeCause.DAY_LOST: _on_lost_days,
    ChangeCause.REQUEST: _asked_to_move,
}
