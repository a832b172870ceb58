"""The term of a campus: weeks with lessons, holidays and the pace of the plans, and who teaches how much."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask

from lms_bridge.calendar.days import teaching_weeks
from lms_bridge.calendar.models import CalendarDay, DayKind
from lms_bridge.core import clock
from lms_bridge.core.database import transaction
from lms_bridge.timetable.changing.lesson_changes import cancel_lesson, substitute_teacher
from lms_bridge.timetable.models import LessonUnit
from lms_bridge.timetable.reports.term_overview import Pace, term_overview
from lms_bridge.timetable.units.plan_lines import plan_lines
from tests.builders import added, plan
from tests.timetable.placed import MONDAY, placed_week
from tests.timetable.school import FRIDAY, WEEK
from tests.web.test_timetable import english, shown


def test_a_week_is_counted_and_the_plans_fall_behind_with_a_cancelled_lesson(app: Flask) -> None:
    with clock.at(FRIDAY):
        placed = placed_week()
        a = placed.school.a
        with transaction():
            cancel_lesson(placed.math_again, actor=None)
            substitute_teacher(placed.other_class, a.other_teacher, actor=None)
            added(
                CalendarDay(
                    organisation_id=a.campus.id, day=MONDAY + timedelta(days=11), kind=DayKind.HOLIDAY, name="校庆"
                )
            )
        found = term_overview(a.campus, placed.school.term)
        week = next(week for week in found.weeks if week.iso == WEEK)
        assert (week.lessons, week.online, week.cancelled, week.substituted) == (3, 3, 1, 1)
        assert (week.number, week.days, week.online_days, week.online_share) == (14, 5, 5, 100)
        assert isinstance(week.pace, Pace)
        assert [load.person.id for load in found.teachers] == [a.other_teacher.id, a.teacher.id]
        assert [(load.lessons, load.for_others, load.fullest) for load in found.teachers] == [(2, 1, 2), (1, 0, 1)]
        after = next(week for week in found.weeks if week.number == 15)
        assert (after.lessons, after.pace, after.days) == (0, None, 4)
        page = shown(english(app, a.administrator), "/timetable/term?campus=campus-a")
    assert "Week 14, from Mon 23 Nov" in page
    assert f"/timetable?campus=campus-a&amp;week={WEEK}&amp;view=week" in page
    assert "Fri 4 Dec 校庆" in page
    assert "Thu 1 Oct National Day" in page
    assert "The whole week online" in page


def test_the_pace_says_how_many_periods_are_behind_and_ahead(app: Flask) -> None:
    with clock.at(FRIDAY):
        placed = placed_week()
        a, term = placed.school.a, placed.school.term
        with transaction():
            units = [(f"第{n}课", 5) for n in range(1, 21)]
            made = plan([a.classes[0]], placed.chinese.subject, a.other_teacher, units=units)
            weeks = plan_lines({a.classes[0].id}, term, teaching_weeks(a.campus, term))
            steps = weeks[a.classes[0].id, placed.chinese.subject_id].weeks
            due, later = steps[13], steps[14][0]
            for lesson, step in ((placed.chinese, due[0]), (placed.math, later)):
                lesson.units.append(
                    LessonUnit(class_id=a.classes[0].id, plan_id=made.id, unit_key=step.unit_key, ordinal=step.ordinal)
                )
        week = next(week for week in term_overview(a.campus, term).weeks if week.iso == WEEK)
        assert week.pace is not None
        assert (week.pace.behind, week.pace.ahead) == (len(due) - 1, 1)
        page = shown(english(app, a.administrator), "/timetable/term?campus=campus-a")
    assert f"{len(due) - 1} periods behind in 1 course" in page
    assert "1 period ahead" in page


def test_only_people_with_a_whole_campus_see_its_term(app: Flask) -> None:
    with clock.at(FRIDAY):
        placed = placed_week()
        for person in (placed.school.a.supervisor, placed.school.bureau_administrator, placed.school.researcher):
            shown(english(app, person), "/timetable/term?campus=campus-a")
        for person in (placed.school.a.teacher, placed.school.a.students[0], placed.school.b.administrator):
            assert english(app, person).get("/timetable/term?campus=campus-a").status_code == 404
