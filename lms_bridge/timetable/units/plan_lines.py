"""Reads approved plans as lines of steps by teaching week, and what lessons have taught of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from lms_bridge.calendar.days import TeachingWeek
from lms_bridge.core.database import db
from lms_bridge.plans.models import PlanClass, PlanKind, PlanVersion, TeachingPlan, VersionState
from lms_bridge.plans.weeks import Step, UnitWeeks, plan_weeks, weeks_of
from lms_bridge.roster.models import ClassGroup, Term
from lms_bridge.timetable.inputs.models import RuleType, SubjectRule
from lms_bridge.timetable.inputs.stated_rules import Stated, taught_in
from lms_bridge.timetable.models import Lesson, LessonAudience, LessonStatus, LessonUnit, TimetableWeek
from lms_bridge.timetable.units.pace import Record, only_in

Pair = tuple[int, int]
"""A class id and a subject id."""


@dataclass(frozen=True)
class PlanLine:
    """The approved plan of one class in one subject; ``weeks`` are its steps by teaching week of the term."""

    class_id: int
    subject_id: int
    plan_id: int
    author_id: int | None
    weeks: list[list[Step]]


class Records:
    """What lessons teach, of every week that has a timetable: by class, plan and named part of the class.

    ``weeks`` are the numbers of the teaching weeks that have a timetable.
    """

    def __init__(self, weeks: Collection[int]) -> None:
        self.weeks = tuple(sorted(weeks))
        self._found: defaultdict[tuple[int, int, str], dict[int, Record]] = defaultdict(dict)

    def note(self, class_id: int, plan_id: int, part: str, week: int, step: Step, *, taught: bool) -> None:
        """Write down that a lesson of the week was meant to teach a step, and whether it takes place."""
        record = self._found[class_id, plan_id, part].setdefault(week, Record())
        record.known.append(step)
        if taught:
            record.taught.append(step)

    def of(self, class_id: int, plan_id: int, part: str = "") -> dict[int, Record]:
        """A record for each week with a timetable (an empty one where no lesson is of this plan). For a part: what it
        was taught by itself and with the whole class; for the whole class: what any of its parts was taught."""
        found = {week: Record() for week in self.weeks}
        for (of_class, of_plan, of_part), weeks in self._found.items():
            if (of_class, of_plan) == (class_id, plan_id) and (not part or of_part in ("", part)):
                for week, record in weeks.items():
                    found[week].known += record.known
                    found[week].taught += record.taught
        return found


def plan_lines(class_ids: Collection[int], term: Term, weeks: Sequence[TeachingWeek]) -> dict[Pair, PlanLine]:
    """The plans that serve these classes in a term, by class and subject: of each the latest approved version, in the
    weeks in which the subject is taught."""
    links = db.session.scalars(
        sa.select(PlanClass)
        .join(TeachingPlan, TeachingPlan.id == PlanClass.plan_id)
        .where(
            PlanClass.class_id.in_(class_ids),
            PlanClass.term_id == term.id,
            TeachingPlan.kind == PlanKind.TEACHING,
            TeachingPlan.withdrawn_at.is_(None),
        )
        .options(joinedload(PlanClass.plan))
        .order_by(PlanClass.class_id, PlanClass.subject_id)
    ).all()
    versions = _approved({link.plan_id for link in links})
    units = {plan_id: _units(version, weeks) for plan_id, version in versions.items()}
    held = _weeks_held({link.class_id for link in links}, weeks)
    made: dict[tuple[int, tuple[bool, ...]], list[list[Step]]] = {}
    lines: dict[Pair, PlanLine] = {}
    for link in links:
        if link.plan_id not in versions:
            continue
        pair = (link.class_id, link.subject_id)
        key = (link.plan_id, held(pair))
        if key not in made:
            days = [len(week.days) * taught for week, taught in zip(weeks, key[1], strict=True)]
            made[key] = only_in(plan_weeks(units[link.plan_id], days), key[1])
        lines[pair] = PlanLine(*pair, link.plan_id, link.plan.author_id, made[key])
    return lines


def records(campus_id: int, class_ids: Collection[int], weeks: Sequence[TeachingWeek]) -> Records:
    """What lessons teach to these classes in every week of the campus that has a timetable."""
    numbers = {week.iso: week.number for week in weeks}
    timetabled = {
        row.id: numbers[row.week]
        for row in db.session.scalars(
            sa.select(TimetableWeek).where(
                TimetableWeek.campus_id == campus_id,
                TimetableWeek.week.in_(numbers),
                TimetableWeek.published_at.is_not(None),
            )
        )
    }
    found = Records(timetabled.values())
    rows = db.session.execute(
        sa.select(
            LessonUnit.class_id,
            LessonUnit.plan_id,
            LessonAudience.part,
            LessonUnit.unit_key,
            LessonUnit.ordinal,
            Lesson.week_id,
            Lesson.status,
        )
        .join(Lesson, Lesson.id == LessonUnit.lesson_id)
        .join(
            LessonAudience,
            sa.and_(LessonAudience.lesson_id == Lesson.id, LessonAudience.class_id == LessonUnit.class_id),
        )
        .where(LessonUnit.class_id.in_(class_ids), Lesson.week_id.in_(timetabled))
        .order_by(Lesson.starts_at, Lesson.id)
    )
    for class_id, plan_id, part, unit_key, ordinal, week_id, status in rows:
        step, taught = Step(unit_key, ordinal), status is LessonStatus.SCHEDULED
        found.note(class_id, plan_id, part, timetabled[week_id], step, taught=taught)
    return found


def _weeks_held(class_ids: Collection[int], weeks: Sequence[TeachingWeek]) -> Callable[[Pair], tuple[bool, ...]]:
    """For a class and subject, in which of the weeks it is taught: all, but for subjects of odd or even weeks."""
    classes = {g.id: g for g in db.session.scalars(sa.select(ClassGroup).where(ClassGroup.id.in_(class_ids)))}
    rules: defaultdict[int, list[Stated]] = defaultdict(list)
    for row in db.session.scalars(
        sa.select(SubjectRule).where(
            SubjectRule.campus_id.in_({g.campus_id for g in classes.values()}), SubjectRule.kind == RuleType.WEEKS
        )
    ):
        rules[row.campus_id].append(Stated.of(row))

    def held(pair: Pair) -> tuple[bool, ...]:
        group = classes[pair[0]]
        taught = taught_in(rules[group.campus_id], group.id, group.grade, pair[1])
        return tuple(taught(week.number) for week in weeks)

    return held


def _approved(plan_ids: Collection[int]) -> Mapping[int, PlanVersion]:
    rows = db.session.scalars(
        sa.select(PlanVersion)
        .where(PlanVersion.plan_id.in_(plan_ids), PlanVersion.state == VersionState.APPROVED)
        .options(selectinload(PlanVersion.units))
        .order_by(PlanVersion.number)
    )
    return {row.plan_id: row for row in rows}


def _units(version: PlanVersion, weeks: Sequence[TeachingWeek]) -> list[UnitWeeks]:
    return [
        UnitWeeks(unit.key, unit.periods, *weeks_of(unit.week_from, unit.week_to, unit.date_from, unit.date_to, weeks))
        for unit in version.units
    ]
