"""Changes of lessons by hand: move, change places, cancel, another teacher. Each is checked whole and is one change
set."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time

from lms_bridge.calendar.days import days_of_week, iso_week, online_days, term_of_week
from lms_bridge.calendar.grids import PeriodTime, grids_of
from lms_bridge.core.clock import local, now
from lms_bridge.core.database import db
from lms_bridge.core.errors import BadInputs, BridgeError
from lms_bridge.core.i18n import N_
from lms_bridge.roster.models import ClassGroup, Organisation, Person
from lms_bridge.roster.scope import is_teacher
from lms_bridge.timetable.changing import changes
from lms_bridge.timetable.changing.placing import LessonProblem as LessonProblem
from lms_bridge.timetable.changing.placing import Placing, placing_of
from lms_bridge.timetable.models import ChangeCause, ChangeSet, Lesson, LessonStatus, TeacherPart
from lms_bridge.timetable.snapshots import LessonState, state_of
from lms_bridge.timetable.weeks.slots import class_slots
from lms_bridge.timetable.wording import When


def planned_move(
    lesson: Lesson, day: date, *, period: int | None = None, start: time | None = None
) -> list[changes.Wanted]:
    """What moving a lesson to a day and either a period of its class's grid or a starting time (campus wall clock)
    would make of it; a lesson outside the grid keeps its length.

    :raises BadInputs: everything that speaks against it: begun or cancelled, in the past, outside the term, a day
        without school, no such period, class or teacher not free, too many online lessons on that day.
    """
    before = state_of(lesson)
    problems = not_changeable(lesson)
    placing = placing_of(lesson.campus, day, day, [before])
    found = placing.at_time(before, day, start) if start is not None else placing.at_period(before, day, period)
    problems += found.problems
    if found.state is not None:
        problems += placing.problems({lesson.id: found.state})
    if problems or found.state is None:
        raise BadInputs(problems)
    return [changes.Wanted(lesson, found.state)]


def planned_swap(one: Lesson, other: Lesson) -> list[changes.Wanted]:
    """What letting two lessons of one week change places would make of them; each keeps its teachers and classes.

    :raises BadInputs: everything that speaks against it.
    """
    problems = [*not_changeable(one), *not_changeable(other)]
    if one.week_id != other.week_id:
        problems.append(
            LessonProblem(
                N_("Only lessons of one campus and week can change places."),
                remedy=N_("Move each of them by itself."),
            )
        )
    if problems:
        raise BadInputs(problems)
    before = [state_of(one), state_of(other)]
    days = [state.starts_local.date() for state in before]
    placing = placing_of(one.campus, min(days), max(days), before)
    after, problems = swapped(placing, (one.id, before[0]), (other.id, before[1]))
    if problems:
        raise BadInputs(problems)
    return [changes.Wanted(one, after[one.id]), changes.Wanted(other, after[other.id])]


def hints_of(wanted: list[changes.Wanted]) -> list[BridgeError]:
    """Wishes that planned changes would not meet; nothing that speaks against them."""
    states = {wish.lesson.id: wish.after for wish in wanted if wish.lesson is not None}
    days = [state.starts_local.date() for state in states.values()]
    campus = db.session.get_one(Organisation, wanted[0].after.campus_id)
    return placing_of(campus, min(days), max(days), states.values()).hints(states)


def swapped(
    placing: Placing, one: tuple[int, LessonState], other: tuple[int, LessonState]
) -> tuple[dict[int, LessonState], list[BridgeError]]:
    """Two lessons (id and state) in each other's places, and what speaks against it."""
    after: dict[int, LessonState] = {}
    problems: list[BridgeError] = []
    for (number, mine), (_, theirs) in ((one, other), (other, one)):
        day, start = theirs.starts_local.date(), theirs.starts_local.time()
        if theirs.period_number is not None:
            found = placing.at_period(mine, day, theirs.period_number)
        else:
            found = placing.at_time(mine, day, start)
        problems += found.problems
        if found.state is not None:
            after[number] = found.state
    return after, problems or placing.problems(after)


def move_lesson(
    lesson: Lesson,
    day: date,
    *,
    period: int | None = None,
    start: time | None = None,
    actor: Person | None,
    reason: str = "",
    seen: int | None = None,
) -> ChangeSet:
    """Move a lesson as :func:`planned_move` says; ``seen`` is the version of its week that the caller looked at.

    :raises BadInputs: everything that speaks against it. :raises Conflict: the week was changed meanwhile.
    """
    changes.expect_version(lesson.week_id, seen)
    (wish,) = planned_move(lesson, day, period=period, start=start)
    week = changes.open_week(lesson.campus, term_of_week(lesson.campus, iso_week(day)), iso_week(day))
    wish = replace(wish, after=replace(wish.after, week_id=week.id))
    return _carry_out([wish], actor, reason, ChangeCause.REQUEST)


def swap_lessons(
    one: Lesson, other: Lesson, *, actor: Person | None, reason: str = "", seen: int | None = None
) -> ChangeSet:
    """Let two lessons change places as :func:`planned_swap` says.

    :raises BadInputs: everything that speaks against it. :raises Conflict: the week was changed meanwhile.
    """
    changes.expect_version(one.week_id, seen)
    return _carry_out(planned_swap(one, other), actor, reason, ChangeCause.REQUEST)


def cancel_lesson(lesson: Lesson, *, actor: Person | None, reason: str = "", seen: int | None = None) -> ChangeSet:
    """Cancel a lesson that is still to come; what it was to teach goes to the next one.

    :raises BadInputs: it has begun, or is cancelled already. :raises Conflict: the week was changed meanwhile.
    """
    changes.expect_version(lesson.week_id, seen)
    problems = not_changeable(lesson)
    if problems:
        raise BadInputs(problems)
    after = replace(state_of(lesson), status=LessonStatus.CANCELLED)
    return _carry_out([changes.Wanted(lesson, after)], actor, reason, ChangeCause.REQUEST)


def substitute_teacher(
    lesson: Lesson, teacher: Person, *, actor: Person | None, reason: str = "", seen: int | None = None
) -> ChangeSet:
    """Let ``teacher`` take a lesson in place of its leading teacher (or of an earlier substitute); assistants stay.

    :raises BadInputs: it has begun or is cancelled, or ``teacher`` is none, teaches it already, is not free or has as
        many periods that day as allowed.
    :raises Conflict: the week was changed meanwhile.
    """
    changes.expect_version(lesson.week_id, seen)
    before = state_of(lesson)
    assistants = tuple(t for t in before.teachers if t[1] is TeacherPart.ASSISTANT and t[0] != teacher.id)
    after = replace(before, teachers=tuple(sorted((*assistants, (teacher.id, TeacherPart.SUBSTITUTE)))))
    problems = not_changeable(lesson)
    if not is_teacher(teacher, before.starts_local.date()):
        problems.append(
            LessonProblem(
                N_("%(person)s is not a teacher."),
                field="teacher",
                remedy=N_("Choose a teacher, or enter the role in the roster first."),
                person=teacher.display_name,
            )
        )
    if (teacher.id, TeacherPart.LEAD) in before.teachers or (teacher.id, TeacherPart.SUBSTITUTE) in before.teachers:
        problems.append(
            LessonProblem(
                N_("%(person)s teaches this lesson already."),
                field="teacher",
                remedy=N_("Choose somebody else."),
                person=teacher.display_name,
            )
        )
    else:
        day = before.starts_local.date()
        placing = placing_of(lesson.campus, day, day, [after])
        problems += placing.clashes({lesson.id: after}, "teacher")
        problems += placing.absences(after, {teacher.id}, "teacher")
        problems += placing.too_full({lesson.id: after}, {teacher.id}, field="teacher")
    if problems:
        raise BadInputs(problems)
    return _carry_out([changes.Wanted(lesson, after)], actor, reason, ChangeCause.TEACHER_ABSENCE)


def periods_on(campus: Organisation, lesson: LessonState, day: date) -> list[PeriodTime]:
    """The periods that the lesson's (first) class has on a day; none without school or grid."""
    days, _ = days_of_week(campus, iso_week(day))
    teaching = next((d for d in days if d.day == day), None)
    group = db.session.get(ClassGroup, lesson.classes[0][0]) if lesson.classes else None
    if teaching is None or group is None:
        return []
    slots = class_slots([group], [teaching], grids_of(campus.id), online_days(campus, day, day), campus.zone)
    return [
        PeriodTime(
            day.weekday(),
            slot.period,
            local(at.starts_at, campus.zone).time(),
            local(at.ends_at, campus.zone).time(),
        )
        for slot, at in sorted(slots[group.id].items())
    ]


def not_changeable(lesson: Lesson) -> list[BridgeError]:
    """Why a lesson cannot be changed at all: cancelled, or begun."""
    when = When(lesson.starts_at, lesson.zone)
    if lesson.status is LessonStatus.CANCELLED:
        return [
            LessonProblem(
                N_("The lesson on %(when)s is cancelled already."),
                remedy=N_("It can be brought back only by undoing that change on its own day."),
                when=when,
            )
        ]
    if lesson.starts_at <= now():
        return [
            LessonProblem(
                N_("The lesson on %(when)s has begun already."),
                remedy=N_("Change one that is still to come."),
                when=when,
            )
        ]
    return []


def _carry_out(wanted: list[changes.Wanted], actor: Person | None, reason: str, cause: ChangeCause) -> ChangeSet:
    campus = db.session.get_one(Organisation, wanted[0].after.campus_id)
    return changes.apply(changes.propose(campus, cause, wanted, actor=actor, reason=reason), actor)
