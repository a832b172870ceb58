"""A campus with two subjects in two classes, timetabled for two weeks: what cases upset."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from lms_bridge.core import jobs
from lms_bridge.core.access import Role
from lms_bridge.core.clock import local
from lms_bridge.core.database import db, transaction
from lms_bridge.roster.models import EnrolmentRole, Person, Subject
from lms_bridge.timetable.case_models import CaseProposal, ChangeCase
from lms_bridge.timetable.cases import case_by_uid
from lms_bridge.timetable.models import Lesson, LessonStatus, TimetableWeek
from lms_bridge.timetable.queries import WITH_PARTS
from lms_bridge.timetable.scheduling import solve_week
from tests.builders import SchoolSystem, class_group, enrol, online, person_as, plan, small_system, subject
from tests.timetable.school import WEEK

NEXT_WEEK = "2026-W49"
MONDAY = date(2026, 11, 23)
"""The first day of :data:`tests.timetable.school.WEEK`."""


@dataclass
class Upset:
    """The school and its teachers of Chinese: ``wang`` teaches both classes, ``zhao`` a third class without lessons,
    ``far`` a class at the other campus of the group."""

    school: SchoolSystem
    chinese: Subject
    wang: Person
    zhao: Person
    far: Person

    @property
    def administrator(self) -> Person:
        """The administrator of the campus."""
        return self.school.a.administrator

    def lessons(self, what: Subject | None = None, *, week: str | None = None) -> list[Lesson]:
        """The lessons of the campus that take place, in order of time, as they are stored now."""
        db.session.expire_all()
        query = (
            sa.select(Lesson)
            .join(TimetableWeek)
            .where(Lesson.campus_id == self.school.a.campus.id, Lesson.status == LessonStatus.SCHEDULED)
            .options(*WITH_PARTS)
            .order_by(Lesson.starts_at, Lesson.id)
        )
        if what is not None:
            query = query.where(Lesson.subject_id == what.id)
        if week is not None:
            query = query.where(TimetableWeek.week == week)
        return list(db.session.scalars(query))


def timetabled(*, weeks: tuple[str, ...] = (WEEK, NEXT_WEEK)) -> Upset:
    """Online lessons at campus A: in both classes Chinese four times a week by one teacher, and English three times a
    week by each class's own. Call it with the clock at ``FRIDAY``."""
    school = small_system()
    world = school.a
    with transaction():
        db.session.delete(world.lesson)
        online(world.campus, date(2026, 11, 1))
        chinese, english = subject("chinese", "语文", "Chinese"), subject("english", "英语", "English")
        wang, zhao = (
            person_as(Role.TEACHER, world.campus, family_name=family, given_name=given)
            for family, given in (("王", "敏"), ("孙", "立"))
        )
        far = person_as(Role.TEACHER, school.b.campus, family_name="何", given_name="远")
        third = class_group(world.campus, school.term, code="5-3")
        enrol(zhao, third, EnrolmentRole.TEACHER, teaches=chinese)
        enrol(far, school.b.classes[0], EnrolmentRole.TEACHER, teaches=chinese)
        for group, own in zip(world.classes, (world.teacher, world.other_teacher), strict=True):
            enrol(wang, group, EnrolmentRole.TEACHER, teaches=chinese)
            enrol(own, group, EnrolmentRole.TEACHER, teaches=english)
            plan([group], chinese, wang, units=[(f"第{n}课", 8) for n in range(1, 11)])
            plan([group], english, own, units=[(f"Unit {n}", 6) for n in range(1, 11)])
    for week in weeks:
        solve_week(world.campus.code, week, actor=world.administrator)
    return Upset(school, chinese, wang, zhao, far)


def computed(case: ChangeCase) -> ChangeCase:
    """The case once its proposals are worked out."""
    jobs.run_due()
    found = case_by_uid(case.uid)
    assert found is not None
    return found


def ways(case: ChangeCase) -> list[str]:
    """The ways of its proposals, best first."""
    return [proposal.way for proposal in case.proposals]


def by_way(case: ChangeCase, way: str) -> CaseProposal:
    """The proposal of that way."""
    return next(proposal for proposal in case.proposals if proposal.way == way)


def day_of(lesson: Lesson) -> date:
    """The day of a lesson on the campus's clock."""
    return local(lesson.starts_at, lesson.zone).date()
