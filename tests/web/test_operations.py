"""The System page answers: is everything running? And it starts again what failed."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from lms_bridge.core import jobs
from lms_bridge.core.application import current_settings
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.models import AuditEntry, Job, JobState
from lms_bridge.plans import review
from lms_bridge.plans.models import VersionState
from tests.builders import SchoolSystem, added, small_system
from tests.servers import free_port
from tests.web.test_plans import signed_in

DONE: list[str] = []


@jobs.job("test.brittle", max_attempts=1)
def brittle(subject: str) -> None:
    """A job that fails until somebody has mended its cause."""
    if subject not in MENDED:
        raise RuntimeError(f"the cause of {subject} is not mended")
    DONE.append(subject)


MENDED: set[str] = set()


@pytest.fixture
def school(app: Flask) -> SchoolSystem:
    """A school system whose people read English."""
    DONE.clear()
    MENDED.clear()
    app.config["WTF_CSRF_ENABLED"] = False  # tests/web/test_every_route.py presses every button with its token
    school = small_system()
    with transaction():
        for person in (school.bureau_administrator, school.a.administrator, school.a.teacher):
            person.language = "en"
    return school


@pytest.fixture
def administrator(app: Flask, school: SchoolSystem) -> FlaskClient:
    """The browser of the bureau's administrator."""
    return signed_in(app, school.bureau_administrator)


def failing_job(subject: str = "1") -> int:
    """A job that has failed for good; its number."""
    with transaction():
        jobs.enqueue("test.brittle", subject)
    jobs.run_due()
    return db.session.execute(sa.select(Job.id).filter_by(kind="test.brittle", subject=subject)).scalar_one()


def page(client: FlaskClient) -> str:
    """The System page."""
    answer = client.get("/system")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_it_says_of_every_part_whether_it_runs(administrator: FlaskClient) -> None:
    text = page(administrator)
    for part in ("Database", "Tables", "Job store", "Background jobs", "Plugin smtp (messages)", "Plugin classroom"):
        assert part in text
    # The mailbox folder reaches nobody, and the address of a test is not encrypted: both need a look.
    assert "Mailbox folder" in text
    assert "classroom: Address of the classroom" in text
    assert "It runs, but something needs a look" in text
    assert "No job has failed" in text


def test_a_mail_server_that_is_down_is_named_with_what_to_do(
    administrator: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    monkeypatch.setenv("LMS_BRIDGE_SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("LMS_BRIDGE_SMTP_PORT", str(port))
    app, settings = administrator.application, current_settings()
    app.extensions["lms_bridge"] = settings.model_copy(update={"message_channel": "smtp"})
    text = page(administrator)
    assert "Something does not work" in text
    assert f"127.0.0.1:{port}" in text
    assert "Compare LMS_BRIDGE_SMTP_HOST" in text


def test_a_failed_job_is_listed_with_its_error_and_done_again_at_the_press_of_a_button(
    administrator: FlaskClient,
) -> None:
    number = failing_job()
    text = page(administrator)
    assert "test.brittle" in text
    assert "the cause of 1 is not mended" in text
    assert f"/system/jobs/{number}/again" in text
    MENDED.add("1")
    answer = administrator.post(f"/system/jobs/{number}/again", follow_redirects=True)
    assert "The job will be done at once." in answer.get_data(as_text=True)
    jobs.run_due()
    assert DONE == ["1"]
    assert "No job has failed" in page(administrator)


def test_who_pressed_the_button_is_written_down(administrator: FlaskClient, school: SchoolSystem) -> None:
    administrator.post(f"/system/jobs/{failing_job()}/again")
    entry = db.session.scalars(sa.select(AuditEntry).filter_by(action="job.again")).one()
    assert entry.actor_uid == school.bureau_administrator.uid
    text = page(administrator)
    assert "job.again" in text
    assert school.bureau_administrator.uid in text


def test_a_button_pressed_twice_does_the_job_once_and_says_so(administrator: FlaskClient) -> None:
    number = failing_job()
    MENDED.add("1")
    administrator.post(f"/system/jobs/{number}/again")
    answer = administrator.post(f"/system/jobs/{number}/again", follow_redirects=True)
    assert "This job runs or is done already." in answer.get_data(as_text=True)
    jobs.run_due()
    assert DONE == ["1"]


def test_a_failed_job_of_which_another_waits_already_is_not_done_twice(administrator: FlaskClient) -> None:
    number = failing_job()
    MENDED.add("1")
    with transaction():
        jobs.enqueue("test.brittle", "1")
    administrator.post(f"/system/jobs/{number}/again")
    jobs.run_due()
    assert DONE == ["1"]


def test_a_job_that_waits_for_its_next_attempt_is_brought_forward(administrator: FlaskClient) -> None:
    with transaction():
        job = added(
            Job(
                kind="test.brittle", subject="2", state=JobState.QUEUED, not_before=now() + timedelta(hours=1),
                attempts=3, last_error={"message": "RuntimeError: not yet"},
            )
        )  # fmt: skip
    assert "will be tried again" in page(administrator)
    MENDED.add("2")
    administrator.post(f"/system/jobs/{job.id}/again")
    jobs.run_due()
    assert DONE == ["2"]


def test_an_administrator_of_one_campus_sees_that_it_runs_but_no_errors_and_no_servers(
    app: Flask, school: SchoolSystem
) -> None:
    number = failing_job()
    client = signed_in(app, school.a.administrator)
    text = page(client)
    assert "Database" in text
    assert "test.brittle" in text
    assert "is not mended" not in text
    assert str(app.extensions["lms_bridge"].data_dir) not in text
    assert f"/system/jobs/{number}/again" not in text
    assert client.post(f"/system/jobs/{number}/again").status_code == 404


def test_each_administrator_sees_the_audit_entries_of_their_own_organisations(
    app: Flask, school: SchoolSystem, administrator: FlaskClient
) -> None:
    with transaction():
        for campus in (school.a, school.b):
            campus.plan.versions[-1].state = VersionState.SUBMITTED
            review.approve(campus.plan, scope=None, person=school.researcher)
    own = page(signed_in(app, school.a.administrator))
    assert school.a.plan.uid in own
    assert school.b.plan.uid not in own
    assert school.researcher.display_name not in own
    everything = page(administrator)
    assert school.a.plan.uid in everything
    assert school.b.plan.uid in everything


def test_it_is_said_in_chinese_too(administrator: FlaskClient) -> None:
    failing_job()
    administrator.get("/language/zh-CN")
    text = page(administrator)
    for words in ("系统各部分", "后台任务", "已彻底失败", "再试一次", "操作日志"):
        assert words in text


def test_only_administrators_open_it(app: Flask, school: SchoolSystem) -> None:
    number = failing_job()
    for person in (school.a.teacher, school.researcher, school.a.students[0], school.a.guardians[0]):
        client = signed_in(app, person)
        assert client.get("/system").status_code == 404
        assert client.post(f"/system/jobs/{number}/again").status_code == 404
    assert "/sign-in" in app.test_client().get("/system").headers["Location"]
