"""What a week has to teach: for each class and subject with an approved plan its steps of the week, and who teaches."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import sqlalchemy as sa

from lms_bridge.calendar.days import TeachingWeek
from lms_bridge.core.database import db
from lms_bridge.core.errors import BridgeError, InputError
from lms_bridge.core.i18n import N_
from lms_bridge.plans.models import PlanClass, TeachingPlan
from lms_bridge.plans.weeks import Step
from lms_bridge.roster.models import ClassGroup, Enrolment, EnrolmentRole, Person, Subject, Term
from lms_bridge.timetable.inputs.arrangements import arrangements_of, titles
from lms_bridge.timetable.inputs.models import Arrangement
from lms_bridge.timetable.models import TeacherPart
from lms_bridge.timetable.units.pace import steps_of_week
from lms_bridge.timetable.units.plan_lines import Pair, PlanLine, plan_lines, records
from lms_bridge.timetable.wording import Course, SubjectName


class CourseId(NamedTuple):
    """A course of a week: an ordinary one by class and subject, or (``arrangement_id``) an arrangement, of which
    ``class_id`` is the first class."""

    class_id: int
    subject_id: int
    arrangement_id: int = 0


@dataclass(frozen=True)
class ClassSteps:
    """What one class, or a named part of it, is taught in a week: the steps of its plan, in order. ``plan_id`` is
    None where no plan of the class is approved."""

    class_id: int
    part: str
    plan_id: int | None
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Demand:
    """The periods of a course in a week: who is taught what (``audience``) and by whom; the leading teacher first.
    Courses of one ``band`` (not empty) are taught at the same time."""

    course: CourseId
    audience: tuple[ClassSteps, ...]
    teachers: tuple[tuple[int, TeacherPart], ...]
    band: str = ""

    @property
    def periods(self) -> int:
        """How many periods it takes: as many as the class with most to learn."""
        return max(len(part.steps) for part in self.audience)

    @property
    def classes(self) -> tuple[tuple[int, str], ...]:
        """Its class ids, each with the named part or ""."""
        return tuple(sorted((part.class_id, part.part) for part in self.audience))

    @property
    def class_ids(self) -> tuple[int, ...]:
        """Its class ids, the first class first."""
        return tuple(part.class_id for part in self.audience)

    @property
    def teacher_ids(self) -> tuple[int, ...]:
        """Everybody who teaches it."""
        return tuple(person_id for person_id, _ in self.teachers)


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
    (see :func:`lms_bridge.timetable.units.pace.steps_of_week`)."""
    by_id = {group.id: group for group in classes}
    lines = plan_lines(by_id, term, weeks)
    known = records(campus_id, by_id, weeks)
    teachers = _teachers(by_id, week.days[0].day if week.days else term.starts_on)
    arranged = arrangements_of(campus_id, term.id)
    people = {line.author_id for line in lines.values() if line.author_id is not None}
    people |= {row.person_id for arrangement in arranged for row in arrangement.teachers}
    active = set(db.session.scalars(sa.select(Person.id).where(Person.id.in_(people), Person.valid_to.is_(None))))
    subjects = {subject.id: SubjectName.of(subject) for subject in db.session.scalars(sa.select(Subject))}

    def steps(class_id: int, subject_id: int, part: str) -> ClassSteps:
        line = lines.get((class_id, subject_id))
        if line is None:
            return ClassSteps(class_id, part, None, ())
        recorded = known.of(class_id, line.plan_id, part)
        found = steps_of_week(line.weeks, week.number, recorded, shares.get(class_id, (1, 1)))
        return ClassSteps(class_id, part, line.plan_id, tuple(found))

    demands: list[Demand] = []
    problems: list[BridgeError] = []
    covered: set[Pair] = set()
    for row in arranged:
        classes_of = [part for part in row.classes if part.class_id in by_id]
        covered |= {(part.class_id, row.subject_id) for part in classes_of}
        if not any((part.class_id, row.subject_id) in lines for part in classes_of):
            continue
        demand, found = _arranged(row, [steps(p.class_id, row.subject_id, p.part) for p in classes_of], active)
        problems += found
        demands.append(demand)
    for pair, line in sorted(lines.items()):
        if pair in covered:
            continue
        taught = steps(*pair, "")
        teacher = _teacher(line, by_id[pair[0]], teachers, active)
        if teacher is not None:
            demands.append(Demand(CourseId(*pair), (taught,), ((teacher, TeacherPart.LEAD),)))
        elif taught.steps:
            problems.append(_nobody(Course(by_id[pair[0]].title, subjects[pair[1]])))
    lacking = sorted(
        {(c, s) for c, s in (*teachers, *covered) if s is not None and (c, s) not in lines},
        key=lambda pair: (by_id[pair[0]].title, pair[1]),
    )
    return WeekDemand(
        tuple(demands),
        tuple(Course(by_id[class_id].title, subjects[subject_id]) for class_id, subject_id in lacking),
        tuple(problems),
        frozenset(lines),
    )


def _arranged(
    row: Arrangement, audience: list[ClassSteps], active: Collection[int]
) -> tuple[Demand, list[BridgeError]]:
    """The demand of an arrangement, and who of its teachers is not there any more."""
    course = CourseId(audience[0].class_id, row.subject_id, row.id)
    people = sorted(row.teachers, key=lambda t: (t.part is not TeacherPart.LEAD, t.id))
    problems: list[BridgeError] = [
        InputError(
            N_("%(person)s, who is to teach %(course)s, has left."),
            remedy=N_("Give the arrangement another teacher (Rules and inputs, Classes together and groups)."),
            person=part.person.display_name,
            course=Course(titles(row.classes), SubjectName.of(row.subject)),
        )
        for part in people
        if part.person_id not in active
    ]
    return Demand(course, tuple(audience), tuple((t.person_id, t.part) for t in people), row.band), problems


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
