"""What teachers are told when researchers have decided about their plan."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from lms_bridge.core import jobs
from lms_bridge.core.database import db, transaction
from lms_bridge.core.models import Job, JobState
from lms_bridge.core.settings import Settings
from lms_bridge.notices import inbox
from lms_bridge.notices.models import Notification
from lms_bridge.plans import review
from lms_bridge.plans.models import PlanKind, PlanVersion, TeachingPlan, VersionState
from lms_bridge.roster.models import EnrolmentRole, Person
from tests.builders import SchoolSystem, contact, enrol, small_system
from tests.notices.mailbox import mails, said


@pytest.fixture
def school(app: Flask) -> SchoolSystem:
    """A school whose teacher of campus A reads English, has an address, and has a plan with the researchers."""
    school = small_system()
    with transaction():
        school.a.teacher.language = "en"
        contact(school.a.teacher, "teacher@example.org")
        contact(school.researcher, "researcher@example.org")
        school.a.plan.versions[-1].state = VersionState.SUBMITTED
    return school


def unfinished_jobs() -> list[str | None]:
    """What is wrong with jobs that were not done."""
    rows = db.session.execute(sa.select(Job.kind, Job.last_error).where(Job.state != JobState.DONE))
    return [f"{kind}: {error}" for kind, error in rows]


def test_an_approval_sends_the_teacher_one_mail_in_their_language_with_the_way_to_the_plan(
    school: SchoolSystem, settings: Settings
) -> None:
    with transaction():
        review.approve(school.a.plan, scope=None, person=school.researcher, comment="Well paced & clear")
    jobs.run_due()
    jobs.run_due()
    assert unfinished_jobs() == []
    sent = mails(settings)
    assert sorted(sent) == ["teacher@example.org"]
    (mail,) = sent["teacher@example.org"]
    assert mail["Subject"] == f"Teaching plan approved: Mathematics {school.a.classes[0].title}"
    assert mail["Content-Language"] == "en"
    address = f"http://bridge.test/plans/{school.a.plan.uid}"
    assert address in said(mail)
    assert f'href="{address}"' in said(mail, "html")
    assert f"Decided by {school.researcher.display_name}" in said(mail)
    assert "Well paced & clear" in said(mail)
    assert "Well paced &amp; clear" in said(mail, "html")
    assert list(mail.iter_attachments()) == []


def test_a_return_says_why_and_what_to_do_in_chinese_to_those_who_read_chinese(
    school: SchoolSystem, settings: Settings
) -> None:
    with transaction():
        school.a.teacher.language = "zh-CN"
        review.return_plan(school.a.plan, scope=None, person=school.researcher, comment="缺一单元")
    jobs.run_due()
    (mail,) = mails(settings)["teacher@example.org"]
    assert mail["Subject"] == f"教学计划被退回：数学 {school.a.classes[0].title}"
    assert "缺一单元" in said(mail)
    assert "重新提交" in said(mail)
    assert "重新提交" in said(mail, "html")


def test_all_who_teach_the_plan_hear_of_it_and_nobody_else(school: SchoolSystem, settings: Settings) -> None:
    with transaction():
        enrol(school.a.other_teacher, school.a.classes[0], EnrolmentRole.TEACHER, teaches=school.subject)
        contact(school.a.other_teacher, "colleague@example.org")
        contact(school.b.teacher, "stranger@example.org")
        review.approve(school.a.plan, scope=None, person=school.researcher)
    jobs.run_due()
    assert sorted(mails(settings)) == ["colleague@example.org", "teacher@example.org"]


def test_a_decision_that_no_longer_holds_is_not_told(school: SchoolSystem, settings: Settings) -> None:
    with transaction():
        review.return_plan(school.a.plan, scope=None, person=school.researcher, comment="缺一单元")
    with transaction():
        review.submit(school.a.plan, scope=None, person=school.a.teacher)
    with transaction():
        review.approve(school.a.plan, scope=None, person=school.researcher)
    jobs.run_due()
    (mail,) = mails(settings)["teacher@example.org"]
    assert "approved" in mail["Subject"]


def test_the_decision_stands_in_the_inbox_too(school: SchoolSystem) -> None:
    with transaction():
        review.approve(school.a.plan, scope=None, person=school.researcher)
    jobs.run_due()
    person = db.session.get_one(Person, school.a.teacher.id)
    notification = db.session.scalars(sa.select(Notification).filter_by(person_id=person.id)).one()
    message = inbox.entry(person, notification, "zh-CN").message
    assert message is not None
    assert f"/plans/{school.a.plan.uid}" in message.content


def test_an_approved_benchmark_is_told_to_its_author_and_to_no_teacher(
    school: SchoolSystem, settings: Settings, tmp_path: Path
) -> None:
    with transaction() as session:
        plan = TeachingPlan(
            kind=PlanKind.BENCHMARK, organisation_id=school.bureau.id, subject_id=school.subject.id,
            term_id=school.term.id, grade="6", author_id=school.researcher.id, title="数学 基准计划",
        )  # fmt: skip
        plan.versions.append(PlanVersion(number=1, state=VersionState.SUBMITTED, created_by_id=school.researcher.id))
        session.add(plan)
        session.flush()
        review.approve(plan, scope=None, person=school.bureau_administrator)
    jobs.run_due()
    assert unfinished_jobs() == []
    assert sorted(mails(settings)) == ["researcher@example.org"]
