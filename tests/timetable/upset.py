"""A campus with two subjects in two classes, timetabled for two weeks: what cases upset."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa

from lms_bridge.core import jobs
from lms_bridge.core.access import Role
from lms_bridge.core.clock import local, now
from lms_bridge.core.database import db, transaction
from lms_bridge.roster.models import ClassGroup, EnrolmentRole, Person, Subject
from lms_bridge.timetable.cases.cases import case_by_uid
from lms_bridge.timetable.cases.models import CaseProposal, ChangeCase
from lms_bridge.timetable.cases.proposals import ONLY_MOVES
from lms_bridge.timetable.models import Lesson, LessonStatus, TimetableWeek
from lms_bridge.timetable.queries import WITH_PARTS
from lms_bridge.timetable.snapshots import write_units
from lms_bridge.timetable.solving.problem import SolverLimits
from lms_bridge.timetable.units import unit_order
from lms_bridge.timetable.weeks.slots import wall_clock
from tests import builders
from tests.builders import PERIOD_STARTS, SchoolSystem, class_group, enrol, online, person_as, plan, subject

MONDAY = date(2026, 11, 23)
"""The first day of :data:`tests.timetable.school.WEEK`."""

CHINESE = (((0, 1), (1, 1), (2, 1), (3, 1)), ((0, 2), (1, 2), (2, 2), (3, 2)))
ENGLISH = (((0, 2), (2, 2), (4, 1)), ((0, 1), (2, 1), (4, 2)))
"""Weekday and period of the lessons of each of the two classes."""

QUICK = SolverLimits(
    seconds=20.0, deterministic_time=2.0, improve_time=0.5, weights=ONLY_MOVES, explain_seconds=0.1, explain_work=0.1
)
"""Enough work for the solver at this little school."""


@dataclass
class Upset:
    """The school and its teachers of Chinese: ``wang`` teaches both classes, ``zhao`` a third class without lessons,
    ``far`` a class at the other campus of the group."""

    school: SchoolSystem
    chinese: Subject
    english: Subject
    wang: Person
    zhao: Person
    far: Person
    third: ClassGroup

    @property
    def administrator(self) -> Person:
        """The administrator of the campus."""
        return self.school.a.administrator

    @property
    def one(self) -> ClassGroup:
        """The class with most students."""
        return self.school.a.classes[0]

    @property
    def two(self) -> ClassGroup:
        """The other class, with one student."""
        return self.school.a.classes[1]

    def lessons(self, what: Subject | None = None, group: ClassGroup | None = None) -> list[Lesson]:
        """The lessons of the campus that take place, in order of time, as they are stored now."""
        db.session.expire_all()
        query = (
            sa.select(Lesson)
            .where(Lesson.campus_id == self.school.a.campus.id, Lesson.status == LessonStatus.SCHEDULED)
            .options(*WITH_PARTS)
            .order_by(Lesson.starts_at, Lesson.id)
        )
        if what is not None:
            query = query.where(Lesson.subject_id == what.id)
        rows = db.session.scalars(query)
        return [row for row in rows if group is None or row.audience[0].class_id == group.id]


def timetabled(monday: date = MONDAY) -> Upset:
    """Two weeks of online lessons at campus A, from ``monday`` on: in both classes Chinese four times a week by one
    teacher, and English three times a week by each class's own. Set the clock to a day in the week before."""
    school = builders.small_system()
    world = school.a
    with transaction():
        db.session.delete(world.lesson)
        online(world.campus, monday - timedelta(days=30))
        chinese, english = subject("chinese", "语文", "Chinese"), subject("english", "英语", "English")
        wang, zhao = (
            person_as(Role.TEACHER, world.campus, family_name=family, given_name=given)
            for family, given in (("王", "敏"), ("孙", "立"))
        )
        far = person_as(Role.TEACHER, school.b.campus, family_name="何", given_name="远")
        third = class_group(world.campus, school.term, code="5-3")
        enrol(zhao, third, EnrolmentRole.TEACHER, teaches=chinese)
        enrol(far, school.b.classes[0], EnrolmentRole.TEACHER, teaches=chinese)
        upset = Upset(school, chinese, english, wang, zhao, far, third)
        for place, own in enumerate((world.teacher, world.other_teacher)):
            _course(upset, monday, chinese, wang, (world.classes[place], CHINESE[place], 8))
            _course(upset, monday, english, own, (world.classes[place], ENGLISH[place], 6))
        _number_units(upset)
    return upset


def _course(
    upset: Upset, monday: date, what: Subject, teacher: Person, of: tuple[ClassGroup, tuple[tuple[int, int], ...], int]
) -> None:
    """A plan of ten units, and two weeks of lessons. ``of``: the class, its weekdays and periods, the periods of a
    unit."""
    group, slots, size = of
    zone = upset.school.a.campus.zone
    enrol(teacher, group, EnrolmentRole.TEACHER, teaches=what)
    plan([group], what, teacher, units=[(f"{what.name} {n}", size) for n in range(1, 11)])
    for week in (0, 7):
        for weekday, period in slots:
            day = monday + timedelta(days=week + weekday)
            start = wall_clock(day, PERIOD_STARTS[period - 1], zone)
            builders.lesson(group, what, teacher, start, period_number=period)


def _number_units(upset: Upset) -> None:
    campus_id, groups = upset.school.a.campus.id, upset.school.a.classes
    weeks = db.session.scalars(sa.select(TimetableWeek).filter_by(campus_id=campus_id)).all()
    for week in weeks:
        week.published_at, week.version = now(), 1
    db.session.flush()
    classes, ids = {group.id for group in groups}, [week.id for week in weeks]
    subjects = {upset.chinese.id, upset.english.id}
    known = unit_order.known_before(campus_id, classes, ids)
    for row, units in unit_order.renumbered(campus_id, classes, subjects, ids, known):
        write_units(row, units)
    db.session.flush()


def computed(case: ChangeCase) -> ChangeCase:
    """The case once its proposals are worked out."""
    jobs.run_due()
    return stored(case)


def stored(case: ChangeCase) -> ChangeCase:
    """The case as it is stored now."""
    db.session.expire_all()
    found = case_by_uid(case.uid)
    assert found is not None
    return found


def ways(case: ChangeCase) -> list[str]:
    """The ways of its proposals, best first."""
    return [proposal.way for proposal in case.proposals]


def by_way(case: ChangeCase, way: str) -> CaseProposal:
    """The proposal of that way."""
    return next(proposal for proposal in case.proposals if proposal.way == way)


def units(lessons: list[Lesson]) -> list[tuple[str, int]]:
    """What lessons teach, in order of time."""
    return [(unit.unit_key, unit.ordinal) for row in lessons for unit in row.units]


def day_of(lesson: Lesson) -> date:
    """The day of a lesson on the campus's clock."""
    return local(lesson.starts_at, lesson.zone).date()
