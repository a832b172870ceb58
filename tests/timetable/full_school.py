"""A campus whose week is as full as a real one: four classes, four subjects, one teacher of each subject."""

from __future__ import annotations

from lms_bridge.core.access import Role
from lms_bridge.core.database import db, transaction
from lms_bridge.roster.models import EnrolmentRole, Person
from lms_bridge.timetable.making.scheduling import solve_week
from tests.builders import SchoolSystem, class_group, enrol, online, person_as, plan, small_system, subject
from tests.timetable.school import WEEK

SUBJECTS = (("chinese", "语文", "Chinese", 5), ("math", "数学", "Mathematics", 5),
            ("english", "英语", "English", 4), ("science", "科学", "Science", 3))  # fmt: skip


def full_school(classes: int = 4) -> SchoolSystem:
    """Campus A with ``classes`` classes and approved plans of four subjects (17 periods a week each), its week
    ``WEEK`` published; call it with the clock at ``FRIDAY``."""
    school = small_system()
    with transaction():
        a = school.a
        db.session.delete(a.lesson)
        db.session.flush()
        db.session.delete(a.plan)
        db.session.flush()
        a.classes += [class_group(a.campus, school.term, code=f"5-{n}") for n in range(3, classes + 1)]
        online(a.campus, school.term.starts_on)
        for (code, name, name_en, periods), teacher in zip(SUBJECTS, _teachers(school), strict=True):
            what = subject(code, name, name_en)
            for group in a.classes:
                enrol(teacher, group, EnrolmentRole.TEACHER, teaches=what)
                units = [(f"第{n}课", periods) for n in range(1, 21)]
                plan([group], what, teacher, units=units)
    solve_week("campus-a", WEEK, actor=school.a.administrator)
    return school


def _teachers(school: SchoolSystem) -> list[Person]:
    names = ("孙", "钱")
    return [
        school.a.teacher,
        school.a.other_teacher,
        *(person_as(Role.TEACHER, school.a.campus, family_name=n) for n in names),
    ]
