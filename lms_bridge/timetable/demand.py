"""What a week has to teach: for each class and subject with an approved plan its steps of the week, and who teaches."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from lms_bridge.calendar.days import TeachingWeek
from lms_bridge.core.database import db
from lms_bridge.core.errors import BridgeError, InputError
from lms_bridge.core.i18n import N_
from lms_bridge.plans.models import PlanClass, TeachingPlan
from lms_bridge.plans.weeks import Step
from lms_bridge.roster.models import ClassGroup, Enrolment, EnrolmentRole, Person, Subject, Term
from lms_bridge.timetable.pace import steps_of_week
from lms_bridge.timetable.plan_lines import Pair, PlanLine, plan_lines, records
from lms_bridge.timetable.wording import Course, SubjectName


@dataclass(frozen=True)
class Demand:
    """The periods of one class in one subject in a week. ``steps`` are what they teach, in order."""

    class_id: int
    subject_id: int
    plan_id: int
    teacher_id: int
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class WeekDemand:
    """All demands of a week. ``lacking`` names classes and subjects that are taught but have no approved plan;
    ``problems`` are demands that nobody can teach; ``planned`` are all pairs with an approved plan."""

    demands: tuple[Demand, ...]
    lacking: tuple[Course, ...]
    problems: tuple[BridgeError, ...]
    planned: frozenset[Pair]


def classes_of_term(campus_id: int, term: Term, day: date) -> list[ClassGroup]:
    """The classes of a campus in a term that still exist on ``day``, in order of their titles."""
    rows = db.session.scalars(
        sa.select(ClassGroup).where(
            ClassGroup.campus_id == campus_id,
            ClassGroup.term_id == term.id,
            sa.or_(ClassGroup.valid_to.is_(None), ClassGroup.valid_to > day),
        )
    )
    return sorted(rows, key=lambda c: (len(c.title), c.title, c.id))


def week_demand(
    campus_id: int,
    term: Term,
    weeks: Sequence[TeachingWeek],
    week: TeachingWeek,
    classes: Sequence[ClassGroup],
    shares: Mapping[int, tuple[int, int]],
) -> WeekDemand:
    """Read what ``week`` has to teach. ``shares`` is, by class id, the part of the week that is timetabled
    (see :func:`lms_bridge.timetable.pace.steps_of_week`)."""
    by_id = {group.id: group for group in classes}
    lines = plan_lines(by_id, term, weeks)
    known = records(campus_id, by_id, weeks)
    teachers = _teachers(by_id, week.days[0].day if week.days else term.starts_on)
    writers = {line.author_id for line in lines.values() if line.author_id is not None}
    active = set(db.session.scalars(sa.select(Person.id).where(Person.id.in_(writers), Person.valid_to.is_(None))))
    subjects = {subject.id: SubjectName.of(subject) for subject in db.session.scalars(sa.select(Subject))}
    demands: list[Demand] = []
    problems: list[BridgeError] = []
    for pair, line in sorted(lines.items()):
        steps = steps_of_week(line.weeks, week.number, known[pair[0], line.plan_id], shares.get(pair[0], (1, 1)))
        teacher = _teacher(line, by_id[pair[0]], teachers, active)
        if teacher is not None:
            demands.append(Demand(*pair, line.plan_id, teacher, tuple(steps)))
        elif steps:
            problems.append(_nobody(Course(by_id[pair[0]].title, subjects[pair[1]])))
    lacking = sorted(
        (pair for pair in teachers if pair[1] is not None and (pair[0], pair[1]) not in lines),
        key=lambda pair: (by_id[pair[0]].title, pair[1] or 0),
    )
    return WeekDemand(
        tuple(demands),
        tuple(Course(by_id[class_id].title, subjects[subject_id]) for class_id, subject_id in lacking if subject_id),
        tuple(problems),
        frozenset(lines),
    )


def plans_at_all(class_ids: Collection[int], term_id: int) -> int:
    """How many plans serve these classes at all, whatever their state."""
    return (
        db.session.scalar(
            sa.select(sa.func.count(sa.distinct(PlanClass.plan_id)))
            .join(TeachingPlan, TeachingPlan.id == PlanClass.plan_id)
            .where(
                PlanClass.class_id.in_(class_ids),
                PlanClass.term_id == term_id,
                TeachingPlan.withdrawn_at.is_(None),
            )
        )
        or 0
    )


def _teachers(classes: Mapping[int, ClassGroup], day: date) -> dict[tuple[int, int | None], int]:
    """Who teaches a class in a subject on ``day`` (None: any, a class teacher's row); the main teacher, or the one
    enrolled first."""
    rows = db.session.scalars(
        sa.select(Enrolment)
        .where(
            Enrolment.class_id.in_(classes),
            Enrolment.role == EnrolmentRole.TEACHER,
            sa.or_(Enrolment.valid_to.is_(None), Enrolment.valid_to > day),
        )
        .order_by(Enrolment.valid_from > day, Enrolment.is_primary.desc(), Enrolment.id)
    )
    found: dict[tuple[int, int | None], int] = {}
    for row in rows:
        subject_id = row.subject_id if row.subject_id is not None else classes[row.class_id].subject_id
        found.setdefault((row.class_id, subject_id), row.person_id)
    return found


def _teacher(
    line: PlanLine, group: ClassGroup, teachers: Mapping[tuple[int, int | None], int], active: Collection[int]
) -> int | None:
    enrolled = teachers.get((group.id, line.subject_id))
    if enrolled is not None:
        return enrolled
    return line.author_id if line.author_id in active else None


def _nobody(course: Course) -> BridgeError:
    return InputError(
        N_("Nobody teaches %(course)s."),
        remedy=N_("Enrol a teacher of this subject in the class (roster), or let the plan have an author."),
        course=course,
    )
