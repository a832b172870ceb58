"""Two campuses of a group that need each other's help: solved one after the other the second finds no place."""

from __future__ import annotations

from datetime import datetime, timedelta

from lms_bridge.core.access import Role
from lms_bridge.core.database import db, transaction
from lms_bridge.lessons.capacity import set_rooms
from lms_bridge.lessons.models import ProviderAccount
from lms_bridge.roster.models import EnrolmentRole, Person
from lms_bridge.timetable.inputs.models import RuleType
from lms_bridge.timetable.inputs.stated_rules import Stated
from lms_bridge.timetable.inputs.subject_rules import add_rule
from lms_bridge.timetable.models import Unavailability
from tests.builders import SchoolSystem, added, enrol, online, person_as, plan, small_system, subject
from tests.timetable.school import FRIDAY


def shared_teacher(*, until: int = 2) -> tuple[SchoolSystem, Person]:
    """One music teacher for a class at each campus, who can teach on Mondays only, up to the period ``until``. B's
    lesson must be in the first; A's would rather be there too. Call it with the clock at ``FRIDAY``."""
    school = small_system()
    with transaction():
        teacher = person_as(Role.TEACHER, school.group, family_name="冯")
        _music(school, teacher, teacher)
        _mondays(teacher, until)
    return school, teacher


def shared_rooms() -> SchoolSystem:
    """The same with a teacher for each campus, but one room for the online lessons of both."""
    school = small_system()
    with transaction():
        teachers = [person_as(Role.TEACHER, at.campus, family_name="冯") for at in (school.a, school.b)]
        _music(school, *teachers)
        for teacher in teachers:
            _mondays(teacher, 2)
        online(school.group, (FRIDAY - timedelta(days=60)).date())
        (account,) = db.session.query(ProviderAccount)
        set_rooms(account, 1, actor=None)
    return school


def group_administrator(school: SchoolSystem) -> Person:
    """An administrator of the whole group."""
    with transaction():
        return person_as(Role.ADMINISTRATOR, school.group, family_name="蒋")


def ring_later(school: SchoolSystem, minutes: int) -> None:
    """Let every period of campus B begin and end so much later."""
    with transaction():
        for period in school.b.grid.periods:
            for name in ("starts", "ends"):
                at = datetime.combine(FRIDAY.date(), getattr(period, name)) + timedelta(minutes=minutes)
                setattr(period, name, at.time())


def _music(school: SchoolSystem, at_a: Person, at_b: Person) -> None:
    """One period of music a week for a class of each campus."""
    music = subject("music", "音乐", "Music")
    for at, teacher in ((school.a, at_a), (school.b, at_b)):
        enrol(teacher, at.classes[1], EnrolmentRole.TEACHER, teaches=music)
        plan(at.classes[1:], music, teacher, units=[("歌唱", 20)])
    fixed = Stated(music.id, RuleType.FIXED, class_id=school.b.classes[1].id, weekday=0, first_period=1)
    add_rule(school.b.campus, fixed, actor=school.b.administrator)


def _mondays(teacher: Person, until: int) -> None:
    for weekday in range(1, 5):
        added(Unavailability(person_id=teacher.id, weekday=weekday))
    for period in range(until + 1, 7):
        added(Unavailability(person_id=teacher.id, weekday=0, period_number=period))
