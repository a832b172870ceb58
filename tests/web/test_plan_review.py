"""The pages of the review: comments, differences, many plans at once, deadlines, and what a new version touches."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from lms_bridge.core.clock import local, now
from lms_bridge.core.database import db, transaction
from lms_bridge.plans import comments, review
from lms_bridge.plans.models import (
    Finding,
    PlanComment,
    PlanDeadline,
    PlanUnit,
    PlanVersion,
    TeachingPlan,
    VersionState,
)
from lms_bridge.roster.accounts import account_for
from lms_bridge.roster.models import EnrolmentRole, Person
from lms_bridge.timetable.models import LessonStatus
from tests.builders import SchoolSystem, enrol, lesson, plan, small_system, subject


@pytest.fixture
def school(app: Flask) -> SchoolSystem:
    """A small school; the plan of campus A is approved."""
    app.config["WTF_CSRF_ENABLED"] = False
    school = small_system()
    with transaction():
        school.a.teacher.family_name, school.a.teacher.given_name = "李", "明"
        school.researcher.family_name, school.researcher.given_name = "孙", "丽"
    return school


def signed_in(app: Flask, person: Person) -> FlaskClient:
    """A client with a session of ``person`` that reads English."""
    with transaction():
        version = account_for(person).session_version
    client = app.test_client()
    with client.session_transaction() as session:
        session["_user_id"] = f"{person.uid}:{version}"
        session["_fresh"] = True
    client.get("/language/en")
    return client


def read(client: FlaskClient, path: str) -> str:
    """A page that must be there, without its tags and with single spaces."""
    answer = client.get(path)
    assert answer.status_code == 200, path
    return words(answer.get_data(as_text=True))


def words(page: str) -> str:
    """The words of a page."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))


def new_version(row: TeachingPlan, *units: tuple[str, int], state: VersionState = VersionState.DRAFT) -> PlanVersion:
    """The next version; units of known titles keep their keys."""
    known = {unit.title: unit.key for unit in row.versions[-1].units}
    with transaction():
        version = PlanVersion(number=row.versions[-1].number + 1, state=state, created_by_id=row.author_id)
        for place, (title, periods) in enumerate(units, start=1):
            more = {"key": known[title]} if title in known else {}
            version.units.append(PlanUnit(sequence=place, title=title, periods=periods, **more))
        row.versions.append(version)
    return version


def test_researcher_and_teacher_talk_about_a_unit(app: Flask, school: SchoolSystem) -> None:
    row = school.a.plan
    researcher, teacher = signed_in(app, school.researcher), signed_in(app, school.a.teacher)
    path = f"/plans/{row.uid}/comments"
    assert "Nothing is open" in read(researcher, path)
    asked = researcher.post(path, data={"unit": row.versions[-1].units[0].key, "text": "@李明 两课时够吗？"})
    assert asked.status_code == 302
    thread = db.session.query(PlanComment).one().id
    assert asked.headers["Location"].endswith(f"#thread-{thread}")
    assert "One open thread" in read(teacher, f"/plans/{row.uid}")
    assert "@李明 两课时够吗？" in read(teacher, path)
    assert '<span class="mention">@李明</span>' in teacher.get(path).get_data(as_text=True)
    assert "you are mentioned" in read(teacher, "/plans/comments")
    assert teacher.post(f"{path}/{thread}/reply", data={"text": "加一课时"}).status_code == 302
    assert researcher.post(f"{path}/{thread}/resolve").status_code == 302
    page = read(researcher, path)
    assert "Settled by 孙丽" in page
    assert "No thread is open" in page
    assert "Thread settled" in read(researcher, f"/plans/{row.uid}")
    assert researcher.post(f"{path}/{thread}/resolve").status_code == 409


def test_a_refused_comment_comes_back_with_what_was_written(app: Flask, school: SchoolSystem) -> None:
    researcher = signed_in(app, school.researcher)
    refused = researcher.post(
        f"/plans/{school.a.plan.uid}/comments", data={"text": "@赵六 看看<b>", "tell": [school.a.teacher.uid]}
    )
    assert refused.status_code == 422
    page = refused.get_data(as_text=True)
    assert "is nobody who may read this plan" in page
    assert "@赵六 看看&lt;b&gt;</textarea>" in page
    assert re.search(rf'value="{school.a.teacher.uid}"[^>]* checked', page)
    assert db.session.query(PlanComment).count() == 0


def test_readers_see_the_comments_and_no_form_and_strangers_nothing(app: Flask, school: SchoolSystem) -> None:
    path = f"/plans/{school.a.plan.uid}/comments"
    with transaction():
        enrol(school.a.other_teacher, school.a.classes[0], EnrolmentRole.TEACHER)
        comments.begin(school.a.plan, "只读", scope=None, person=school.researcher)
    reader = signed_in(app, school.a.other_teacher)
    page = read(reader, path)
    assert "只读" in page
    assert "New comment" not in page
    assert reader.post(path, data={"text": "插话"}).status_code == 403
    for stranger in (school.b.teacher, school.a.students[0], school.a.guardians[0]):
        client = signed_in(app, stranger)
        assert client.get(path).status_code == 404
        assert client.post(path, data={"text": "?"}).status_code == 404
        assert client.get(f"/plans/{school.a.plan.uid}/differences").status_code == 404


def test_open_threads_are_said_beside_submitting_and_approving(app: Flask, school: SchoolSystem) -> None:
    row = plan(school.a.classes[:1], subject("art", "美术", "Art"), school.a.teacher, state=VersionState.DRAFT)
    with transaction():
        comments.begin(row, "未解决", scope=None, person=school.researcher)
    teacher, researcher = signed_in(app, school.a.teacher), signed_in(app, school.researcher)
    assert "One thread is openYou can go on" in read(teacher, f"/plans/{row.uid}")
    assert teacher.post(f"/plans/{row.uid}/submit").status_code == 302
    assert "One thread is openYou can go on" in read(researcher, f"/plans/{row.uid}")
    assert researcher.post(f"/plans/{row.uid}/approve").status_code == 302


def test_differences_are_marked_for_eyes_and_screen_readers(app: Flask, school: SchoolSystem) -> None:
    row = school.a.plan
    new_version(row, ("分数的初步认识", 4), ("面积", 2))
    client = signed_in(app, school.a.teacher)
    page = client.get(f"/plans/{row.uid}/differences?from=1&to=2").get_data(as_text=True)
    assert (
        '<del><span class="visually-hidden">[removed: </span>2<span class="visually-hidden"> end]</span></del>' in page
    )
    assert '<ins><span class="visually-hidden">[added: </span>4<span class="visually-hidden"> end]</span></ins>' in page
    assert "<del>小数加减法</del>" in page
    assert "<ins>面积</ins>" in page
    assert "From version 1 to version 2" in read(client, f"/plans/{row.uid}/differences")
    assert "Nothing differs" in read(client, f"/plans/{row.uid}/differences?from=2&to=2")
    assert f"/plans/{row.uid}/differences?to=2&amp;from=1" in client.get(f"/plans/{row.uid}").get_data(as_text=True)


def test_a_plan_with_one_version_has_no_differences_and_odd_numbers_are_borne(app: Flask, school: SchoolSystem) -> None:
    client = signed_in(app, school.a.teacher)
    assert "Nothing differs" in read(client, f"/plans/{school.a.plan.uid}/differences")
    assert "Nothing differs" in read(client, f"/plans/{school.a.plan.uid}/differences?from=99&to=x")


def test_a_new_version_of_an_approved_plan_says_which_lessons_it_touches(app: Flask, school: SchoolSystem) -> None:
    row, group = school.a.plan, school.a.classes[0]
    with transaction():
        for days in (1, 2, -1):
            lesson(group, school.subject, school.a.teacher, now() + timedelta(days=days), of_plan=row)
        lesson(
            group, school.subject, school.a.teacher, now() + timedelta(days=3), of_plan=row
        ).status = LessonStatus.CANCELLED
    client = signed_in(app, school.a.teacher)
    assert "would touch" not in read(client, f"/plans/{row.uid}")
    version = new_version(row, ("分数的初步认识", 3), ("小数加减法", 3))
    page = read(client, f"/plans/{row.uid}")
    assert "Version 2 would touch 3 lessons that are scheduled" in page
    assert "Version 1 stays in force until this one is approved." in page
    assert "分数的初步认识 (changed)" in page
    with transaction():
        version.units[0].periods = 2
        version.units[1].periods = 9
    assert "Version 2 touches no lesson that is scheduled" in read(client, f"/plans/{row.uid}")


def waiting(school: SchoolSystem, code: str, *severities: str) -> TeachingPlan:
    """A submitted plan that was compared, with findings of these severities."""
    with transaction() as session:
        row = plan(school.a.classes[:1], subject(code, code, code), school.a.teacher, state=VersionState.SUBMITTED)
        row.versions[-1].coverage = 0.9
        benchmark = school.benchmark.versions[-1].id
        session.add_all(
            Finding(
                version_id=row.versions[-1].id, benchmark_version_id=benchmark, position=n, kind="extra",
                severity=severity,
            )
            for n, severity in enumerate(severities)
        )  # fmt: skip
    return row


def test_a_researcher_approves_several_plans_with_one_press(app: Flask, school: SchoolSystem) -> None:
    good, small, grave = (
        waiting(school, code, *found) for code, *found in (("one",), ("two", "minor"), ("three", "major"))
    )
    client = signed_in(app, school.researcher)
    page = client.get("/plans/bulk?without=minor").get_data(as_text=True)
    assert f'value="{good.uid}:1"' in page
    assert f'value="{small.uid}:1"' in page
    assert f'value="{grave.uid}:1"' not in page
    assert f'value="{grave.uid}:1"' in client.get("/plans/bulk?without=any").get_data(as_text=True)
    with transaction():
        review.return_plan(small, scope=None, person=None, comment="!")
    answer = client.post(
        "/plans/bulk", data={"without": "minor", "plan": [f"{p.uid}:1" for p in (good, small, grave)]}
    ).get_data(as_text=True)
    assert "One plan was approved." in answer
    assert answer.count("not approved") == 2
    assert "the plan is returned" in answer
    assert "Nothing above minor" in answer
    assert review.newest_version(good).state is VersionState.APPROVED
    assert review.newest_version(grave).state is VersionState.SUBMITTED


def test_nothing_chosen_is_said_and_only_researchers_have_the_page(app: Flask, school: SchoolSystem) -> None:
    client = signed_in(app, school.researcher)
    assert client.post("/plans/bulk", data={"plan": ["odd", ":"]}).status_code == 422
    for person in (school.a.teacher, school.a.administrator, school.a.students[0]):
        assert signed_in(app, person).get("/plans/bulk").status_code == 404
        assert signed_in(app, person).post("/plans/bulk", data={"plan": ["x:1"]}).status_code == 404


def test_a_deadline_is_set_shown_and_removed(app: Flask, school: SchoolSystem) -> None:
    researcher, teacher = signed_in(app, school.researcher), signed_in(app, school.a.teacher)
    day = local(now(), school.bureau.zone).date() + timedelta(days=5)
    form = {"organisation": school.bureau.id, "term": school.term.id, "day": day.isoformat(), "time": "18:00"}
    assert researcher.post("/plans/deadlines", data=form).status_code == 302
    overview = read(researcher, "/plans/")
    assert "1 of 2 plans are still missing; due" in overview
    page = read(researcher, "/plans/deadlines")
    assert "5-2 · Mathematics" in page
    own = read(teacher, "/plans/")
    assert "the plan is there" in own
    assert "Set a deadline" not in read(teacher, "/plans/deadlines")
    assert teacher.post("/plans/deadlines", data=form).status_code == 422
    number = db.session.query(PlanDeadline).one().id
    assert teacher.post(f"/plans/deadlines/{number}/remove").status_code == 404
    assert researcher.post(f"/plans/deadlines/{number}/remove").status_code == 302
    assert "No plan is due" in read(researcher, "/plans/deadlines")


def test_a_deadline_without_day_or_organisation_is_refused_with_all_reasons(app: Flask, school: SchoolSystem) -> None:
    researcher = signed_in(app, school.researcher)
    refused = researcher.post("/plans/deadlines", data={"organisation": "0", "day": "tomorrow", "time": "18:00"})
    assert refused.status_code == 422
    page = words(refused.get_data(as_text=True))
    assert all(text in page for text in ("No organisation was chosen", "No term was chosen", "cannot be read"))


def test_late_plans_are_marked_in_the_list(app: Flask, school: SchoolSystem) -> None:
    with transaction() as session:
        school.a.plan.versions[-1].state = VersionState.DRAFT
        session.add(
            PlanDeadline(organisation_id=school.bureau.id, term_id=school.term.id, due_at=now() - timedelta(days=1))
        )
    assert " overdue " in read(signed_in(app, school.a.teacher), "/plans/")
    assert "were due" in read(signed_in(app, school.researcher), "/plans/")
