"""Units follow lessons: whatever happens to lessons, those still to come teach their plan's units in order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass

import sqlalchemy as sa

from lms_bridge.calendar.days import TeachingWeek, teaching_weeks
from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.plans.weeks import Step
from lms_bridge.roster.models import Organisation, Term
from lms_bridge.timetable.models import Lesson, LessonAudience, LessonStatus, TimetableWeek
from lms_bridge.timetable.pace import Record, untaught
from lms_bridge.timetable.plan_lines import Pair, PlanLine, plan_lines, records
from lms_bridge.timetable.queries import WITH_PARTS
from lms_bridge.timetable.snapshots import UnitState


@dataclass(frozen=True)
class Known:
    """What was recorded of the plans of some classes before lessons changed, by term id."""

    records: Mapping[int, Mapping[Pair, Mapping[int, Record]]]


def known_before(campus_id: int, class_ids: Collection[int], week_ids: Collection[int]) -> Known:
    """Call it before lessons of these weeks change, and hand the answer to :func:`renumbered` afterwards: a lesson
    that leaves its week must not make it look as if its unit had been taught before the timetable began."""
    campus = db.session.get_one(Organisation, campus_id)
    return Known(
        {
            term.id: deepcopy(dict(records(campus_id, class_ids, teaching_weeks(campus, term))))
            for term in _terms(week_ids)
        }
    )


def renumbered(
    campus_id: int, class_ids: Collection[int], subject_ids: Collection[int], week_ids: Collection[int], known: Known
) -> Iterator[tuple[Lesson, tuple[UnitState, ...]]]:
    """The units of each lesson still to come of these classes and subjects, in the terms of these weeks. Lessons that
    have begun keep theirs; classes without an approved plan keep what they have."""
    campus = db.session.get_one(Organisation, campus_id)
    for term in _terms(week_ids):
        weeks = teaching_weeks(campus, term)
        lines = plan_lines(class_ids, term, weeks)
        lessons = _lessons(campus_id, class_ids, subject_ids, weeks)
        taught = records(campus_id, class_ids, weeks)
        wanted: defaultdict[int, dict[int, UnitState]] = defaultdict(dict)
        for pair, line in lines.items():
            own = [(number, lesson) for number, lesson in lessons if _is_of(lesson, pair)]
            earlier = known.records.get(term.id, {}).get((pair[0], line.plan_id), {})
            for lesson_id, unit in _assigned(line, own, taught[pair[0], line.plan_id], earlier):
                wanted[lesson_id][pair[0]] = unit
        for _, lesson in lessons:
            if lesson.starts_at > now() and lesson.status is LessonStatus.SCHEDULED:
                yield lesson, _units_of(lesson, wanted[lesson.id], lines)


def _assigned(
    line: PlanLine,
    lessons: Sequence[tuple[int, Lesson]],
    taught: Mapping[int, Record],
    earlier: Mapping[int, Record],
) -> Iterator[tuple[int, UnitState]]:
    """Week by week: first what has begun keeps its steps, then the others take the next ones."""
    recorded = {
        number: Record([], [*record.known, *(earlier[number].known if number in earlier else ())])
        for number, record in taught.items()
    }
    moment = now()
    for number, record in sorted(recorded.items()):
        own = [lesson for week, lesson in lessons if week == number and lesson.status is LessonStatus.SCHEDULED]
        record.taught = [step for lesson in own if lesson.starts_at <= moment for step in _steps(lesson, line)]
        free = iter([step for step in untaught(line.weeks, number, recorded) if step not in record.taught])
        for lesson in own:
            if lesson.starts_at <= moment:
                continue
            step = next(free, None)
            if step is not None:
                record.taught.append(step)
                yield lesson.id, UnitState(line.class_id, line.plan_id, step.unit_key, step.ordinal)


def _units_of(lesson: Lesson, wanted: Mapping[int, UnitState], lines: Mapping[Pair, PlanLine]) -> tuple[UnitState, ...]:
    kept = {
        unit.class_id: UnitState(unit.class_id, unit.plan_id, unit.unit_key, unit.ordinal)
        for unit in lesson.units
        if (unit.class_id, lesson.subject_id) not in lines
    }
    return tuple(unit for _, unit in sorted((kept | dict(wanted)).items()))


def _steps(lesson: Lesson, line: PlanLine) -> list[Step]:
    return [
        Step(unit.unit_key, unit.ordinal)
        for unit in lesson.units
        if unit.class_id == line.class_id and unit.plan_id == line.plan_id
    ]


def _is_of(lesson: Lesson, pair: Pair) -> bool:
    return lesson.subject_id == pair[1] and any(part.class_id == pair[0] for part in lesson.audience)


def _terms(week_ids: Collection[int]) -> list[Term]:
    return list(
        db.session.scalars(
            sa.select(Term)
            .where(Term.id.in_(sa.select(TimetableWeek.term_id).where(TimetableWeek.id.in_(week_ids))))
            .order_by(Term.id)
        )
    )


def _lessons(
    campus_id: int, class_ids: Collection[int], subject_ids: Collection[int], weeks: Sequence[TeachingWeek]
) -> list[tuple[int, Lesson]]:
    """Lessons of the weeks with the number of their teaching week, in order of time."""
    numbers = {week.iso: week.number for week in weeks}
    rows = db.session.execute(
        sa.select(Lesson, TimetableWeek.week)
        .join(TimetableWeek, TimetableWeek.id == Lesson.week_id)
        .where(
            TimetableWeek.campus_id == campus_id,
            TimetableWeek.week.in_(numbers),
            Lesson.subject_id.in_(subject_ids),
            Lesson.audience.any(LessonAudience.class_id.in_(class_ids)),
        )
        .options(*WITH_PARTS)
        .order_by(Lesson.starts_at, Lesson.id)
    )
    return [(numbers[week], lesson) for lesson, week in rows]
