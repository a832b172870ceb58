"""The members of the LMS's courses: matched before they come, compared with the class, bad lists refused; real HTTP."""

from __future__ import annotations

import json
from contextlib import nullcontext
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from lms_bridge.cli import main
from lms_bridge.cli import sync as sync_commands
from lms_bridge.core import jobs
from lms_bridge.core.access import Role
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.i18n import use_locale
from lms_bridge.core.kept_problems import said
from lms_bridge.core.models import ExternalId
from lms_bridge.lti.claims import NRPS
from lms_bridge.lti.errors import PlatformSilent
from lms_bridge.lti.library import PlatformConnector
from lms_bridge.lti.models import LtiCourse
from lms_bridge.roster.models import Account, ContactKind, ContactPoint, Enrolment, Person, RoleAssignment, Stranger
from lms_bridge.sync import leases, members
from lms_bridge.sync.models import LmsAccount, MappedKind, MappingState, SyncMapping
from tests import builders
from tests.builders import added
from tests.lti.conftest import World, lis
from tests.lti.test_launching import as_administrator
from tests.lti.test_members_and_grades import member, served

__all__ = ["served"]


@pytest.fixture
def course(served: World) -> World:
    """The course of class 5-1, known since its teacher came in once (as user 50)."""
    campus, group = served.system.a.campus, served.system.a.classes[0]
    with transaction():
        campus.locale = "en"
    served.lms.user = "50"
    served.login()
    service = {NRPS: {"context_memberships_url": f"{served.lms.url}/members", "service_versions": ["2.0"]}}
    assert served.launch(**lis("T1", f"{campus.code}/{group.code}"), **service).status_code == 200
    return served


def read(**more: Any) -> LtiCourse:
    """Read the course now; what stands with it afterwards."""
    number = db.session.scalars(sa.select(LtiCourse.id)).one()
    members.read(number, **more)
    return db.session.get_one(LtiCourse, number, populate_existing=True)


def bound(world: World) -> dict[str, int]:
    """The LMS's users who are known, with the number of their person."""
    rows = db.session.execute(
        sa.select(ExternalId.key, ExternalId.entity_id).where(ExternalId.system == world.platform.system)
    )
    return dict(iter(rows))


def strangers() -> list[str]:
    """The LMS's users who are on the administrator's list."""
    return list(db.session.scalars(sa.select(Stranger.subject).order_by(Stranger.id)))


def test_the_night_matches_a_class_before_it_comes_and_compares_it(course: World) -> None:
    a = course.system.a
    with transaction():
        guest = builders.person_as(Role.STUDENT, a.campus)
        guest.number = "G7"
    course.lms.members = [
        member(50, lis_person_sourcedid="T1", roles=["Instructor"]),
        member(1, lis_person_sourcedid="S1"),
        member(7, lis_person_sourcedid="G7"),
        member(8, lis_person_sourcedid="nobody", name="Who Else"),
    ]
    before = counts()
    with transaction():
        members.ask_for()
    jobs.run_due()
    row = read()
    assert bound(course) == {"50": a.teacher.id, "1": a.students[0].id, "7": guest.id}
    assert strangers() == ["8"]
    assert row.members_read_at is not None
    found = row.members_found
    assert (found["members"], found["recognised"], found["unmatched"]) == (4, 3, 1)
    assert found["other_people"] == [guest.uid], "in the course, not of the class"
    missing = found["missing_people"]
    assert a.students[1].uid in missing
    assert a.students[0].uid not in missing
    assert counts() == before, "nobody got a role, a class or an account"
    page = as_administrator(course, a.administrator).get(f"/lms/{course.platform.uid}").text
    assert "members: 4, recognised: 3, not recognised: 1" in page
    assert guest.display_name in page


def counts() -> list[int]:
    """How many roles, enrolments, accounts and people there are."""
    tables = (RoleAssignment, Enrolment, Account, Person)
    return [db.session.scalar(sa.select(sa.func.count(table.id))) or 0 for table in tables]


def test_a_stranger_of_the_list_stands_there_once_and_goes_when_known(course: World) -> None:
    course.lms.members = [member(8, lis_person_sourcedid="S99", name="Who Else")]
    read()
    read()
    assert strangers() == ["8"]
    stranger = db.session.scalars(sa.select(Stranger)).one()
    assert stranger.tries == 0, "read twice, came never"
    course.lms.user = "8"
    course.login()
    assert course.launch(**lis("S99")).status_code == 403
    assert strangers() == ["8"], "who came and was read is one"
    with transaction():
        student = builders.person_as(Role.STUDENT, course.system.a.campus)
        student.number = "S99"
    read()
    assert strangers() == []
    assert bound(course)["8"] == student.id
    read()
    assert (bound(course)["8"], strangers()) == (student.id, [])


def test_the_rules_are_those_of_a_launch(course: World) -> None:
    a = course.system.a
    with transaction():
        a.students[1].number = "N1"
        added(ContactPoint(person_id=a.students[0].id, kind=ContactKind.EMAIL, address="Kid@example.test"))
    course.lms.members = [
        member(1, lis_person_sourcedid="", email="kid@example.test"),
        member(2, lis_person_sourcedid="N1"),
        member(3, lis_person_sourcedid="N1"),
        member(4, lis_person_sourcedid="B1", name="Of another campus"),
        member(50, lis_person_sourcedid="S1", name="Came as the teacher"),
    ]
    with transaction():
        course.system.b.students[0].number = "B1"
    course.lms.page = 10
    read()
    assert bound(course) == {"50": a.teacher.id, "2": a.students[1].id}, "e-mail counts only where it is allowed"
    assert strangers() == ["1", "3", "4", "50"], "a number that two carry lets in the first; another's number nobody"
    with transaction():
        course.platform.email_counts = True
    read()
    assert bound(course)["1"] == a.students[0].id


def test_whom_the_lms_may_not_speak_for_is_not_bound(course: World) -> None:
    with transaction():
        builders.role(course.system.a.students[0], course.system.b.campus, Role.ADMINISTRATOR)
    course.lms.members = [member(1, lis_person_sourcedid="S1")]
    found = read().members_found
    assert (found["not_let_in"], strangers()) == (1, [])
    assert "1" not in bound(course)
    assert course.system.a.students[0].uid not in found["missing_people"]


def test_who_left_the_course_is_neither_bound_nor_unmatched_nor_forgotten(course: World) -> None:
    a = course.system.a
    course.lms.members = [member(1, lis_person_sourcedid="S1")]
    read()
    course.lms.members = [
        member(1, lis_person_sourcedid="S1", status="Inactive"),
        member(8, lis_person_sourcedid="S99", status="Deleted"),
    ]
    found = read().members_found
    assert (found["inactive"], found["recognised"], strangers()) == (2, 0, [])
    assert bound(course)["1"] == a.students[0].id, "a launch decides who comes in"
    assert a.students[0].uid in found["missing_people"]


def test_lists_with_doubles_and_entries_of_nobody(course: World) -> None:
    course.lms.members = [
        member(1, lis_person_sourcedid="S1"), member(1, lis_person_sourcedid="T1"), {"name": "?"},
        member(2, user_id=None), member(1, lis_person_sourcedid="S1"), member(3, user_id="x" * 300),
        member(4, user_id=4, name=None, roles="x"),
    ]  # fmt: skip
    course.lms.members.append("nonsense")  # type: ignore[arg-type]
    found = read().members_found
    assert (found["members"], found["recognised"], found["unmatched"], found["nameless"]) == (2, 1, 1, 4)
    assert strangers() == ["4"]


def test_a_dry_run_keeps_nothing_but_says_what_it_found(course: World) -> None:
    course.lms.members = [member(1, lis_person_sourcedid="S1"), member(8)]
    admin = as_administrator(course, course.system.a.administrator)
    page = f"/lms/{course.platform.uid}"
    assert admin.post(f"{page}/members", data={"dry_run": "1"}).status_code == 302
    assert 'data-refresh="2"' in admin.get(page).text
    jobs.run_due()
    text = admin.get(page).text
    assert "dry run" in text
    assert "members: 2, recognised: 1, recognised for the first time: 1, not recognised: 1" in text
    assert (list(bound(course)), strangers()) == (["50"], [])
    admin.post(f"{page}/members")
    jobs.run_due()
    assert "dry run" not in admin.get(page).text
    assert strangers() == ["8"]
    assert as_administrator(course, course.system.b.administrator).post(f"{page}/members").status_code == 404


def error_of(course: LtiCourse) -> str:
    """Why its members were not read, in English."""
    with use_locale("en"):
        return said(course.members_error)


def test_a_refusal_is_said_in_words_with_what_to_do(course: World) -> None:
    for path, broken, words in (
        ("/members", (403, '{"error": "forbidden"}'), "Names and Role Provisioning"),
        ("/members", (401, ""), "Names and Role Provisioning"),
        ("/token", (400, '{"error": "invalid_scope"}'), "Names and Role Provisioning"),
        ("/members", (404, "<html>"), "404"),
    ):
        PlatformConnector._tokens.clear()
        course.lms.broken = {path: broken}
        row = read()
        assert words in error_of(row), broken
        assert row.members_read_at is None
    page = as_administrator(course, course.system.a.administrator).get(f"/lms/{course.platform.uid}").text
    assert "not read" in page


def test_a_silent_platform_is_tried_again_and_what_was_read_stays(course: World) -> None:
    course.lms.members = [member(1, lis_person_sourcedid="S1")]
    read()
    for answer in ((200, "<html>maintenance</html>"), (503, ""), (200, '{"members": {}}')):
        course.lms.broken = {"/members": answer}
        with pytest.raises(PlatformSilent):
            read()
        row = db.session.scalars(sa.select(LtiCourse).execution_options(populate_existing=True)).one()
        assert row.members_error, answer
        assert (row.members_found["recognised"], row.busy_until) == (1, None)
    course.lms.broken = {}
    assert read().members_error is None


def test_a_list_goes_on_at_its_own_address_only(course: World, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = "http://127.0.0.1:9/members"
    page = (200, {"members": [member(1, lis_person_sourcedid="S1")]}, {"Link": f'<{elsewhere}>; rel="next"'})
    monkeypatch.setattr(type(course.lms), "_service", lambda *a: page)
    row = read()
    assert "127.0.0.1:9" in error_of(row)
    with transaction():
        row.members_url = elsewhere
    assert "Further addresses" in error_of(read()), "nor is any address asked that a launch names"


def test_a_long_list_is_matched_with_few_questions(course: World) -> None:
    course.lms.page = 200
    course.lms.members = [member(n, lis_person_sourcedid="") for n in range(100, 1300)]
    statements: list[str] = []
    sa.event.listen(db.engine, "before_cursor_execute", lambda *a: statements.append(a[2]))
    assert read().members_found["unmatched"] == 1200
    pages = course.lms.asked.count("/members")
    assert pages == 6
    asked = [one for one in statements if one.lstrip().upper().startswith("SELECT")]
    assert len(asked) < 20 * pages, "a page is matched with as many questions as one person"


def test_one_worker_reads_a_course_at_a_time(course: World) -> None:
    number = db.session.scalars(sa.select(LtiCourse.id)).one()
    with transaction() as session:
        session.get_one(LtiCourse, number).busy_until = now() + leases.LEASE
    with pytest.raises(jobs.RetryAt):
        members.read(number)
    with transaction():
        course.platform.reads_members = False
        session.get_one(LtiCourse, number).busy_until = None
    read()
    assert course.lms.asked.count("/members") == 0, "switched off on the platform's page"


def test_the_command_reads_now(course: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync_commands, "application", lambda: nullcontext(course.client.application))
    course.lms.members = [member(1, lis_person_sourcedid="S1")]
    result = CliRunner().invoke(main, ["sync", "members", "--json"])
    assert json.loads(result.stdout)[0]["found"]["recognised"] == 1
    course.lms.broken = {"/members": (403, "{}")}
    result = CliRunner().invoke(main, ["sync", "members"])
    assert result.exit_code == 1
    assert "403" in result.output


def test_who_came_and_stands_in_a_course_that_is_read_is_one_line_and_bound_in_both_ways(course: World) -> None:
    a, url = course.system.a, course.lms.url
    with transaction():
        account = added(
            LmsAccount(organisation_id=a.campus.id, plugin="moodle", name="Web service", settings={"url": f"{url}/"})
        )
        rows = [
            added(
                SyncMapping(
                    account_id=account.id, kind=MappedKind.PERSON, remote_id=number, state=MappingState.UNMATCHED,
                    sent={"name": f"Who {number}", "number": ""},
                )
            )
            for number in ("8", "9", "10")
        ]  # fmt: skip
    course.lms.members = [member(8, name="Who 8"), member(9, name="Who 9")]
    read()
    admin = as_administrator(course, a.administrator)
    page = admin.get("/lms/people").text
    assert [page.count(f"<strong>Who {number}</strong>") for number in (8, 9, 10)] == [1, 1, 1]
    assert "3 wait for you" in admin.get("/lms").text
    first, second = db.session.scalars(sa.select(Stranger.uid).order_by(Stranger.id))
    admin.post(f"/lms/people/launch/{first}", data={"person": a.students[0].uid})
    admin.post(f"/lms/people/launch/{second}/aside")
    admin.post(f"/lms/people/sync/{rows[2].id}", data={"person": a.students[1].uid})
    assert "Nobody waits" in admin.get("/lms/people").text
    assert admin.get("/lms/people?aside=1").text.count("<strong>Who 9</strong>") == 1
    assert (bound(course)["8"], bound(course)["10"]) == (a.students[0].id, a.students[1].id)
    stands = [db.session.get_one(SyncMapping, row.id, populate_existing=True) for row in rows]
    assert [(row.state, row.entity_id) for row in stands] == [
        (MappingState.DONE, a.students[0].id), (MappingState.NOT_OURS, None), (MappingState.DONE, a.students[1].id),
    ]  # fmt: skip
