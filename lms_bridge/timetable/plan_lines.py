"""Reads approved plans as lines of steps by teaching week, and what lessons have taught of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from lms_bridge.calendar.days import TeachingWeek
from lms_bridge.core.database import db
from lms_bridge.plans.models import PlanClass, PlanKind, PlanVersion, TeachingPlan, VersionState
from lms_bridge.plans.weeks import Step, UnitWeeks, plan_weeks, weeks_of
from lms_bridge.roster.models import Term
from lms_bridge.timetable.models import Lesson, LessonStatus, LessonUnit, TimetableWeek
from lms_bridge.timetable.pace import Record

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


def plan_lines(class_ids: Collection[int], term: Term, weeks: Sequence[TeachingWeek]) -> dict[Pair, PlanLine]:
    """The plans that serve these classes in a term, by class and subject: of each the latest approved version."""
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
    days = [len(week.days) for week in weeks]
    by_plan = {plan_id: plan_weeks(_units(version, weeks), days) for plan_id, version in versions.items()}
    return {
        (link.class_id, link.subject_id): PlanLine(
            link.class_id, link.subject_id, link.plan_id, link.plan.author_id, by_plan[link.plan_id]
        )
        for link in links
        if link.plan_id in by_plan
    }


def records(campus_id: int, class_ids: Collection[int], weeks: Sequence[TeachingWeek]) -> dict[Pair, dict[int, Record]]:
    """What lessons teach: for each class and plan a record of every week of the campus that has a timetable."""
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
    found: defaultdict[Pair, dict[int, Record]] = defaultdict(lambda: {n: Record() for n in timetabled.values()})
    rows = db.session.execute(
        sa.select(
            LessonUnit.class_id,
            LessonUnit.plan_id,
            LessonUnit.unit_key,
            LessonUnit.ordinal,
            Lesson.week_id,
            Lesson.status,
        )
        .join(Lesson, Lesson.id == LessonUnit.lesson_id)
        .where(LessonUnit.class_id.in_(class_ids), Lesson.week_id.in_(timetabled))
        .order_by(Lesson.starts_at, Lesson.id)
    )
    for class_id, plan_id, unit_key, ordinal, week_id, status in rows:
        record = found[class_id, plan_id][timetabled[week_id]]
        record.known.append(Step(unit_key, ordinal))
        if status is LessonStatus.SCHEDULED:
            record.taught.append(Step(unit_key, ordinal))
    return found


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
