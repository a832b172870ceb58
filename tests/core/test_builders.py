"""The rows that tests build are whole: people reach their own campus and nothing of the other."""

from __future__ import annotations

from flask import Flask

from lms_bridge.core.access import Permission, Target
from lms_bridge.roster.scope import scope_for
from lms_bridge.timetable.queries import lessons_of_student, students_of
from tests.builders import small_system


def test_a_small_school_system_has_two_campuses_that_do_not_see_each_other(app: Flask) -> None:
    system = small_system()
    mine = Target(path=system.a.campus.path, class_ids=frozenset({system.a.classes[0].id}))
    assert scope_for(system.a.teacher).allows(Permission.TIMETABLE_READ, mine)
    assert scope_for(system.a.guardians[0]).allows(Permission.TIMETABLE_READ, mine)
    assert not scope_for(system.b.administrator).allows(Permission.TIMETABLE_READ, mine)
    assert scope_for(system.bureau_administrator).allows(Permission.TIMETABLE_READ, mine)


def test_the_lesson_of_a_small_school_system_expects_its_class(app: Flask) -> None:
    system = small_system()
    lesson = system.a.lesson
    assert students_of([lesson])[lesson.id] == sorted(s.id for s in system.a.students[:2])
    assert lessons_of_student(system.a.students[0].id, lesson.starts_at, lesson.ends_at) == [lesson]
