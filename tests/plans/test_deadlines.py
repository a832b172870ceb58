"""Deadlines of plans: which holds, what is missing or late, and who is reminded when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from lms_bridge.core import clock, jobs
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import Forbidden, InputError, NotFound
from lms_bridge.core.settings import Settings
from lms_bridge.plans import deadlines, review
from lms_bridge.plans.models import PlanDeadline, PlanVersion, VersionState
from lms_bridge.plans.reminders import moments
from lms_bridge.roster.models import Enrolment, EnrolmentRole
from lms_bridge.roster.scope import scope_for
from tests.builders import SchoolSystem, contact, enrol, small_system, subject
from tests.notices.mailbox import mails, said

SHANGHAI = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=SHANGHAI)
FRIDAY = datetime(2026, 11, 27, 18, 0)


@pytest.fixture
def school(app: Flask) -> Iterator[SchoolSystem]:
    """A school on a Monday morning. The teacher of campus A has a mathematics plan as a draft and none for physics;
    the other teachers have theirs submitted."""
    with clock.at(MONDAY):
        school = small_system()
        with transaction():
            physics = subject("physics", "物理", "Physics")
            enrol(school.a.teacher, school.a.classes[0], EnrolmentRole.TEACHER, teaches=physics)
            contact(school.a.teacher, "teacher@example.org")
            school.a.teacher.language = "en"
            contact(school.b.teacher, "b@example.org")
            school.a.plan.versions[-1].state = VersionState.DRAFT
        yield school


def due(school: SchoolSystem, moment: datetime = FRIDAY) -> PlanDeadline:
    """The bureau's deadline, set by the researcher."""
    researcher = school.researcher
    with transaction():
        return deadlines.set_deadline(
            school.bureau, school.term, moment, scope=scope_for(researcher), person=researcher
        )


def later(**ahead: int) -> datetime:
    """A moment after the Monday morning."""
    return MONDAY + timedelta(**ahead)


def told(settings: Settings, who: str = "teacher@example.org") -> list[str]:
    """The subjects of the mails to somebody."""
    return [str(mail["Subject"]) for mail in mails(settings).get(who, [])]


def run_at(moment: datetime) -> None:
    """What the workers do at a moment."""
    with clock.at(moment):
        jobs.run_due()


def test_reminders_go_out_on_the_mornings_before_and_when_it_has_passed() -> None:
    friday = FRIDAY.replace(tzinfo=SHANGHAI)
    found = moments(friday, "Asia/Shanghai", MONDAY - timedelta(days=9))
    assert [(r.stage, r.at.astimezone(SHANGHAI).strftime("%a %H:%M")) for r in found] == [
        ("days3", "Tue 08:00"), ("day1", "Thu 08:00"), ("overdue", "Fri 18:00"),
    ]  # fmt: skip
    midnight = datetime(2026, 11, 27, 23, 59, tzinfo=SHANGHAI)
    assert moments(midnight, "Asia/Shanghai", MONDAY)[-1].at == datetime(2026, 11, 28, 8, tzinfo=SHANGHAI)


def test_a_deadline_at_short_notice_is_told_at_once() -> None:
    friday = FRIDAY.replace(tzinfo=SHANGHAI)
    wednesday, friday_noon = friday - timedelta(days=2), friday - timedelta(hours=6)
    assert [r.stage for r in moments(friday, "Asia/Shanghai", wednesday)] == ["day1", "overdue"]
    assert moments(friday, "Asia/Shanghai", friday_noon)[0].at == friday_noon


def test_plans_are_counted_as_missing_until_they_are_submitted(school: SchoolSystem) -> None:
    due(school)
    a, b = deadlines.standings(scope_for(school.researcher))
    assert [(s.campus.id, len(s.missing), len(s.plans)) for s in (a, b)] == [
        (school.a.campus.id, 3, 3), (school.b.campus.id, 1, 2),
    ]  # fmt: skip
    with transaction():
        review.submit(school.a.plan, scope=None, person=school.a.teacher)
    (own,) = deadlines.standings(scope_for(school.a.teacher))
    assert [(d.subject.code, d.plan_id) for d in own.missing] == [("physics", None)]
    with transaction():
        review.return_plan(school.a.plan, scope=None, person=school.researcher, comment="!")
    (own,) = deadlines.standings(scope_for(school.a.teacher))
    assert len(own.missing) == 1, "what was returned has been handed in"
    assert deadlines.standings(scope_for(school.a.students[0])) == []


def test_a_campus_keeps_its_own_deadline_and_others_that_of_the_bureau(school: SchoolSystem) -> None:
    whole = due(school)
    with transaction():
        own = deadlines.set_deadline(
            school.a.campus, school.term, FRIDAY + timedelta(days=7), scope=scope_for(school.a.administrator),
            person=school.a.administrator,
        )  # fmt: skip
    held = deadlines.holding([school.a.campus, school.b.campus])
    assert held == {(school.a.campus.id, school.term.id): own, (school.b.campus.id, school.term.id): whole}


def test_the_time_is_that_of_the_organisation_and_can_be_moved(school: SchoolSystem) -> None:
    first = due(school)
    assert first.due_at == datetime(2026, 11, 27, 10, tzinfo=UTC)
    assert due(school, FRIDAY + timedelta(days=1)).id == first.id


def test_a_deadline_in_the_past_or_of_a_foreign_term_is_refused(school: SchoolSystem) -> None:
    with pytest.raises(InputError, match="passed"):
        due(school, datetime(2026, 11, 20, 18))
    with pytest.raises(InputError, match="no term"), transaction():
        school.term.organisation_id = school.a.campus.id
        deadlines.set_deadline(school.b.campus, school.term, FRIDAY, scope=None, person=None)


def test_only_researchers_and_administrators_of_an_organisation_set_its_deadline(school: SchoolSystem) -> None:
    for person, where in (
        (school.a.teacher, school.a.campus),
        (school.a.administrator, school.bureau),
        (school.b.administrator, school.a.campus),
    ):
        with pytest.raises((NotFound, Forbidden)), transaction():
            deadlines.set_deadline(where, school.term, FRIDAY, scope=scope_for(person), person=person)
    with pytest.raises(NotFound), transaction():
        deadlines.remove_deadline(due(school), scope=scope_for(school.a.teacher), person=school.a.teacher)


def test_a_teacher_is_reminded_of_each_missing_plan_three_times_and_no_more(
    school: SchoolSystem, settings: Settings
) -> None:
    due(school)
    run_at(later(hours=1))
    assert mails(settings) == {}
    run_at(later(days=1))
    assert told(settings) == ["2 teaching plans due Fri 27 Nov, 18:00"]
    text = said(mails(settings)["teacher@example.org"][0])
    assert "Physics 5-1" in text
    assert "Mathematics 5-1: uploaded, not submitted yet" in text
    run_at(later(days=2))
    assert len(told(settings)) == 1
    run_at(later(days=3))
    run_at(later(days=3, hours=5))
    run_at(later(days=4, hours=9))
    assert told(settings)[1:] == ["2 teaching plans due Fri 27 Nov, 18:00", "2 teaching plans are overdue"]
    run_at(later(days=9))
    assert len(told(settings)) == 3
    assert "b@example.org" not in mails(settings), "their plan is approved"


def test_reminders_stop_when_the_plan_is_submitted(school: SchoolSystem, settings: Settings) -> None:
    due(school)
    run_at(later(days=1))
    with transaction():
        (physics,) = (e for e in db.session.query(Enrolment) if e.subject_id not in (None, school.subject.id))
        physics.valid_to = physics.valid_from
        review.submit(school.a.plan, scope=None, person=school.a.teacher)
    run_at(later(days=3))
    run_at(later(days=9))
    assert len(told(settings)) == 1


def test_a_deadline_that_was_moved_or_removed_reminds_only_of_what_holds(
    school: SchoolSystem, settings: Settings
) -> None:
    due(school)
    due(school, FRIDAY + timedelta(days=7))
    run_at(later(days=5))
    assert told(settings) == []
    run_at(later(days=8))
    assert told(settings) == ["2 teaching plans due Fri 4 Dec, 18:00"]
    with transaction():
        deadlines.remove_deadline(db.session.query(PlanDeadline).one(), scope=None, person=None)
    run_at(later(days=20))
    assert len(told(settings)) == 1


def test_plans_that_came_late_or_are_overdue_are_marked(school: SchoolSystem) -> None:
    due(school)
    ids = [school.a.plan.id, school.b.plan.id, school.benchmark.id]
    assert deadlines.late_plans(ids) == frozenset()
    with clock.at(later(days=5)):
        assert deadlines.late_plans(ids) == {school.a.plan.id}
        with transaction():
            review.submit(school.a.plan, scope=None, person=school.a.teacher)
        assert deadlines.late_plans(ids) == {school.a.plan.id}
        (own,) = deadlines.standings(scope_for(school.a.teacher))
        assert [d.subject.code for d in own.late] == ["math"]
        assert own.passed


def test_a_later_version_does_not_make_a_plan_late(school: SchoolSystem) -> None:
    due(school)
    with transaction():
        review.submit(school.a.plan, scope=None, person=school.a.teacher)
    with clock.at(later(days=5)):
        with transaction():
            review.return_plan(school.a.plan, scope=None, person=None, comment="!")
            school.a.plan.versions[-1].state = VersionState.SUPERSEDED
            school.a.plan.versions.append(PlanVersion(number=2, created_by_id=school.a.teacher.id))
        assert deadlines.late_plans([school.a.plan.id]) == frozenset()


def test_plans_due_before_the_term_begins_are_asked_of_those_who_will_teach(school: SchoolSystem) -> None:
    with transaction():
        school.term.starts_on += timedelta(weeks=20)
        school.term.ends_on += timedelta(weeks=20)
        for enrolled in db.session.query(Enrolment).all():
            enrolled.valid_from = school.term.starts_on
    due(school)
    assert [len(s.plans) for s in deadlines.standings(scope_for(school.researcher))] == [3, 2]
