"""Units follow lessons: whatever happens to lessons, those still to come teach their plan's units in order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from lms_bridge.calendar.days import TeachingWeek, teaching_weeks
from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.plans.weeks import Step
from lms_bridge.roster.models import Organisation, Term
from lms_bridge.timetable.models import Lesson, LessonAudience, LessonStatus, TimetableWeek
from lms_bridge.timetable.queries import WITH_PARTS
from lms_bridge.timetable.snapshots import UnitState
from lms_bridge.timetable.units.pace import Record, untaught
from lms_bridge.timetable.units.plan_lines import Pair, PlanLine, Records, plan_lines, records


@dataclass(frozen=True)
class Known:
    """What was recorded of the plans of some classes before lessons changed, by term id."""

    records: Mapping[int, Records]


def known_before(campus_id: int, class_ids: Collection[int], week_ids: Collection[int]) -> Known:
    """Call it before lessons of these weeks change, and hand the answer to :func:`renumbered` afterwards: a lesson
    that leaves its week must not make it look as if its unit had been taught before the timetable began."""
    campus = db.session.get_one(Organisation, campus_id)
    return Known({term.id: records(campus_id, class_ids, teaching_weeks(campus, term)) for term in _terms(week_ids)})


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
            for lesson_id, unit in _assigned(line, own, taught, known.records.get(term.id)):
                wanted[lesson_id][pair[0]] = unit
        for _, lesson in lessons:
            if lesson.starts_at > now() and lesson.status is LessonStatus.SCHEDULED:
                yield lesson, _units_of(lesson, wanted[lesson.id], lines)


def _assigned(
    line: PlanLine, lessons: Sequence[tuple[int, Lesson]], taught: Records, earlier: Records | None
) -> Iterator[tuple[int, UnitState]]:
    """Week by week: first what has begun keeps its steps, then the others take the next ones. The groups of a divided
    class go through the plan each for itself; a lesson of the whole class takes what the slowest of them needs."""
    strands = sorted({part for _, lesson in lessons for part in _parts(lesson, line) if part}) or [""]
    recorded = {part: _recorded(line, part, taught, earlier) for part in strands}
    places = {step: place for place, step in enumerate(step for steps in line.weeks for step in steps)}
    moment = now()
    for number in taught.weeks:
        own = [lesson for week, lesson in lessons if week == number and lesson.status is LessonStatus.SCHEDULED]
        for part in strands:
            recorded[part][number].taught = [
                step
                for lesson in own
                if lesson.starts_at <= moment and part in _strands(lesson, line, strands)
                for step in _steps(lesson, line)
            ]
        free = {part: _free(line, number, recorded[part]) for part in strands}
        for lesson in own:
            if lesson.starts_at <= moment:
                continue
            taking_part = _strands(lesson, line, strands)
            step = min((free[part][0] for part in taking_part if free[part]), key=places.__getitem__, default=None)
            if step is not None:
                for part in taking_part:
                    recorded[part][number].taught.append(step)
                    free[part] = [other for other in free[part] if other != step]
                yield lesson.id, UnitState(line.class_id, line.plan_id, step.unit_key, step.ordinal)


def _recorded(line: PlanLine, part: str, taught: Records, earlier: Records | None) -> dict[int, Record]:
    """The records of one strand, with all that its lessons were meant to teach before they changed."""
    before = earlier.of(line.class_id, line.plan_id, part) if earlier is not None else {}
    return {
        number: Record([], [*record.known, *(before[number].known if number in before else ())])
        for number, record in taught.of(line.class_id, line.plan_id, part).items()
    }


def _free(line: PlanLine, number: int, recorded: Mapping[int, Record]) -> list[Step]:
    """The steps that are not taught before a week or by what has begun in it, in order."""
    done = set(recorded[number].taught)
    return [step for step in untaught(line.weeks, number, recorded) if step not in done]


def _parts(lesson: Lesson, line: PlanLine) -> set[str]:
    """The named parts of the line's class in a lesson; "" for the whole class."""
    return {part.part for part in lesson.audience if part.class_id == line.class_id}


def _strands(lesson: Lesson, line: PlanLine, strands: Sequence[str]) -> list[str]:
    """Which strands of the class a lesson is for."""
    parts = _parts(lesson, line)
    return [strand for strand in strands if "" in parts or strand in parts]


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
