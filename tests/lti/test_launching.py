"""From the course page to the lesson: who comes in, what they see in the frame and in a window, and who does not."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any

import jwt
import pytest
import sqlalchemy as sa

from lms_bridge.core import database
from lms_bridge.core.access import Role
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.models import AuditEntry, ExternalId
from lms_bridge.lti import platforms
from lms_bridge.lti.claims import CLAIM
from lms_bridge.roster import accounts, lms_identity
from lms_bridge.roster.accounts import account_for
from lms_bridge.roster.models import Organisation, Person, Stranger
from lms_bridge.supervision.models import Homework
from tests.builders import added, contact, person_as, role
from tests.lti.conftest import FRAME, OURS, World, known_as, lis
from tests.lti.lms import TOOL

IFRAME = {f"{CLAIM}launch_presentation": {"document_target": "iframe"}}
TEACHER = {f"{CLAIM}roles": ["http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor"]}


def in_frame(world: World, **claims: Any) -> Any:
    """A launch inside a frame of the LMS: its own page first, then the answer."""
    page = world.login(headers=FRAME)
    assert page.status_code == 200
    from html import unescape
    from urllib.parse import parse_qsl, urlsplit

    url = unescape(re.search(r'data-url="([^"]+)"', page.text)[1])  # type: ignore[index]
    world.asked = dict(parse_qsl(urlsplit(url).query))
    return world.launch(headers=FRAME, **claims)


def ticket_of(page: str) -> str:
    found = re.search(r'name="ticket" value="([^"]+)"', page)
    assert found, page
    return found[1]


def signed_in(world: World) -> str:
    """Whose home page this browser shows."""
    world.client.set_cookie("lms_bridge_language", "en")
    return world.client.get("/").text


def test_a_student_in_a_window_is_signed_in_and_sees_the_next_lesson(world: World) -> None:
    world.login()
    answer = world.launch(**lis("S1"))
    assert answer.status_code == 200
    assert "form-action" in answer.headers["Content-Security-Policy"]
    own_address = re.search('data-lti-address="([^"]+)"', answer.text)
    assert own_address is not None, "loaded again it would send the used form again"
    for page in (answer.text, world.client.get(own_address[1]).text):
        assert f"/l/{world.system.a.lesson.uid}" in page
    assert world.system.a.students[0].display_name in signed_in(world)


def test_a_teacher_may_start_the_lesson_and_take_attendance(world: World) -> None:
    world.login()
    page = world.launch(**lis("T1")).text
    assert "开始上课" in page
    assert "/absences" in page


def test_inside_a_frame_no_cookie_signs_in_and_every_way_out_takes_the_ticket_along(world: World) -> None:
    answer = in_frame(world, **lis("S1"))
    assert answer.status_code == 200
    assert "lms_bridge=" not in str(answer.headers.getlist("Set-Cookie"))
    assert f'value="/l/{world.system.a.lesson.uid}"' in answer.text
    assert 'target="_blank"' in answer.text
    assert 'href="/l/' not in answer.text
    sent = {"ticket": ticket_of(answer.text), "to": f"/l/{world.system.a.lesson.uid}"}
    out = world.client.post("/lti/go", data=sent, headers=OURS)
    assert out.headers["Location"] == sent["to"]
    assert world.client.get(sent["to"]).status_code == 200
    again = world.client.post("/lti/landing", data=sent, headers=OURS)
    assert sent["to"] in again.text


def again_in(page: str) -> int:
    found = re.search(r'data-lti-again="(\d+)"', page)
    assert found, page
    return int(found[1])


def test_the_page_in_a_frame_is_loaded_again_now_and_then(world: World) -> None:
    with transaction():
        world.system.a.lesson.starts_at = now() - timedelta(minutes=3)
    running = in_frame(world, **lis("S1")).text
    assert again_in(running) >= 300, "a running lesson is no reason to load it at once"
    with transaction():
        world.system.a.lesson.starts_at = now() + timedelta(seconds=100)
    ticket = ticket_of(in_frame(world, **lis("S1")).text)
    again = {again_in(world.client.post("/lti/landing", data={"ticket": ticket}, headers=OURS).text) for _ in range(8)}
    assert min(again) > 60
    assert max(again) <= 130
    assert len(again) > 1, "a class that waits for its lesson must not come in the same second"


def test_a_ticket_is_taken_from_our_own_pages_only_and_leads_nowhere_else(world: World) -> None:
    ticket = ticket_of(in_frame(world, **lis("S1")).text)
    fresh = world.client.application.test_client()
    for headers in ({}, {"Origin": "https://evil.test"}, {"Origin": "null"}):
        assert fresh.post("/lti/go", data={"ticket": ticket}, headers=headers).status_code == 403
    out = fresh.post("/lti/go", data={"ticket": ticket, "to": "https://evil.test/"}, headers=OURS)
    assert out.headers["Location"] == "/"
    with transaction():
        account_for(world.system.a.students[0]).session_version += 1
    assert fresh.post("/lti/go", data={"ticket": ticket}, headers=OURS).status_code == 403


def test_only_registered_platforms_may_frame_the_pages(world: World) -> None:
    policy = in_frame(world, **lis("S1")).headers["Content-Security-Policy"]
    assert f"frame-ancestors 'self' {world.lms.url}" in policy
    unknown = world.client.post(
        "/lti/login", data={"iss": "https://evil.test", "login_hint": "1", "target_link_uri": TOOL}
    )
    assert "evil.test" not in unknown.headers["Content-Security-Policy"]
    other = world.client.get("/sign-in").headers["Content-Security-Policy"]
    assert other.endswith("frame-ancestors 'self'")


def test_without_a_cookie_the_storage_of_the_lms_is_asked_once(world: World) -> None:
    page = world.login(headers=FRAME, lti_storage_target="_parent").text
    secret = re.search(r'data-value="([^"]+)"', page)[1]  # type: ignore[index]
    world.login(headers=FRAME, lti_storage_target="_parent")
    fresh = world.client.application.test_client()
    from html import unescape
    from urllib.parse import parse_qsl, urlsplit

    url = unescape(re.search(r'data-url="([^"]+)"', page)[1])  # type: ignore[index]
    world.asked = dict(parse_qsl(urlsplit(url).query))
    asked = world.launch(client=fresh, headers=FRAME, **lis("S1"))
    assert asked.status_code == 200
    assert "data-lti-storage" in asked.text
    assert world.launch(client=fresh, headers=OURS, more={"browser": "x" * 32}, **lis("S1")).status_code == 403
    assert world.launch(client=fresh, headers=OURS, more={"browser": secret}, **lis("S1")).status_code == 200


def test_the_number_of_the_school_does_for_the_first_who_carries_it(world: World) -> None:
    with transaction():
        world.system.a.students[1].number = "20270001"
    world.login()
    assert world.launch(**lis("20270001")).status_code in (200, 303)
    world.login()
    assert world.launch(sub="another", **lis("20270001")).status_code == 403


def test_somebody_whom_the_roster_does_not_know_is_told_what_to_do_and_bound_once(world: World) -> None:
    world.login()
    answer = world.launch(**TEACHER, **lis("T999"))
    assert answer.status_code == 403
    assert "We do not know you yet" in answer.text
    world.login()
    world.launch(**TEACHER, **lis("T999"))
    stranger = db.session.query(Stranger).one()
    assert stranger.tries == 2
    with transaction():
        world.system.a.other_teacher.number = "N7"
    admin = as_administrator(world, world.system.a.administrator)
    here, teacher = f"/lms/people/launch/{stranger.uid}", world.system.a.other_teacher
    assert "Tea Cher" in admin.get("/lms/people").text
    assert teacher.uid in admin.get(here, query_string={"q": "N7"}).text
    assert admin.post(here, data={"person": world.system.b.teacher.uid}).status_code == 404, "of another campus"
    admin.post(f"{here}/aside")
    assert "Tea Cher" not in admin.get("/lms/people").text
    assert "Tea Cher" in admin.get("/lms/people?aside=1").text
    admin.post(f"{here}/back")
    assert "Tea Cher" in admin.get("/lms/people").text
    assert admin.post(here, data={"person": teacher.uid}).status_code == 302
    assert "Tea Cher" not in admin.get("/lms/people").text
    world.login()
    assert world.launch(**TEACHER, **lis("T999")).status_code == 200
    assert world.system.a.other_teacher.display_name in signed_in(world)


def as_administrator(world: World, who: Person) -> Any:
    """A browser of somebody who signed in here."""
    with transaction():
        version = account_for(who).session_version
    client = world.client.application.test_client()
    world.client.application.config["WTF_CSRF_ENABLED"] = False
    with client.session_transaction() as session:
        session["_user_id"], session["_fresh"] = f"{who.uid}:{version}", True
    client.set_cookie("lms_bridge_language", "en")
    return client


def test_the_roster_decides_what_somebody_may_do(world: World) -> None:
    """The LMS calls a student a teacher and an administrator."""
    world.login()
    roles = ["http://purl.imsglobal.org/vocab/lis/v2/institution/person#Administrator", *TEACHER[f"{CLAIM}roles"]]
    page = world.launch(**{f"{CLAIM}roles": roles}, **lis("S1")).text
    assert "开始上课" not in page
    assert world.client.get("/system").status_code in (403, 404)
    world.login()
    picked = world.launch(world.lms.signed(world.lms.deep_link_claims(world.asked["nonce"], **lis("S1"))))
    assert picked.status_code == 403


def test_an_lms_speaks_for_its_own_organisation_only(world: World) -> None:
    with transaction():
        added(ExternalId(entity="person", entity_id=world.system.b.teacher.id, system="oneroster:sis", key="TB"))
        bureau = db.session.scalars(sa.select(Organisation).where(Organisation.parent_id.is_(None))).one()
        wide = person_as(Role.TEACHER, world.system.a.campus)
        role(wide, bureau, Role.ADMINISTRATOR)
        added(ExternalId(entity="person", entity_id=wide.id, system="oneroster:sis", key="W1"))
        added(ExternalId(entity="person", entity_id=wide.id, system="moodle:x", key="45"))
    world.login()
    assert "We do not know you yet" in world.launch(**lis("TB")).text
    world.login()
    assert "Your role reaches beyond this LMS" in world.launch(**lis("W1")).text
    world.login()
    assert "We do not know you yet" in world.launch(**lis("45")).text, "a number of another LMS is no identifier here"


@pytest.mark.parametrize("broken", ["S1\0", "S1\ud800"])
def test_an_identifier_that_no_database_holds_is_nobodys(world: World, broken: str) -> None:
    world.login()
    assert "We do not know you yet" in world.launch(**lis(broken)).text


@pytest.mark.parametrize("held", [Role.SUPERVISOR, Role.COUNSELLOR, Role.RESEARCHER, Role.TEACHER])
def test_an_lms_hands_out_no_role_that_is_held_elsewhere(world: World, held: Role) -> None:
    """A parent at campus A, who works elsewhere: the LMS of A could sign itself in as them."""
    person = world.system.a.guardians[0]
    elsewhere = world.system.b.campus if held is Role.TEACHER else world.system.bureau
    with transaction():
        known_as(person, "G1")
        role(person, elsewhere, held)
    world.login()
    answer = world.launch(**lis("G1"))
    assert (answer.status_code, world.client.get("/").status_code) == (403, 302)
    assert "Your role reaches beyond this LMS" in answer.text


def test_an_lms_that_stands_above_both_campuses_lets_in_who_works_at_both(world: World) -> None:
    teacher = world.system.a.teacher
    with transaction():
        role(teacher, world.system.b.campus, Role.TEACHER)
        world.platform.organisation_id = world.system.bureau.id
    world.login()
    assert world.launch(**lis("T1")).status_code == 200
    assert teacher.display_name in signed_in(world)


def test_a_user_who_comes_back_with_the_identifier_of_another_is_refused_until_bound_anew(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """In Moodle people may change their own ID number unless that is locked."""
    student, teacher = world.system.a.students[0], world.system.a.teacher
    world.login()
    assert world.launch(**lis("S1")).status_code == 200
    fresh = world.client.application.test_client()
    for _ in range(2):
        world.login(client=fresh)
        answer = world.launch(client=fresh, **lis("T1"))
        assert answer.status_code == 403
        assert "Moodle says now that you are somebody else than before" in answer.text
        assert "Unmatched people" in answer.text
        assert fresh.get("/").status_code == 302
    assert "lti refused: another_person" in caplog.text
    noted = db.session.query(AuditEntry).filter_by(action="remote_user.another_person").all()
    assert [(row.entity_uid, row.details["named"]) for row in noted] == [(student.uid, teacher.uid)] * 2
    stranger = db.session.query(Stranger).one()
    assert stranger.tries == 2
    admin = as_administrator(world, world.system.a.administrator)
    assert f"known until now as {student.display_name}" in admin.get("/lms/people").text
    world.login()
    assert world.launch(**lis("S1")).status_code == 200, "with their own they come in as before"
    admin.post(f"/lms/people/launch/{stranger.uid}", data={"person": teacher.uid})
    world.login(client=fresh)
    assert world.launch(client=fresh, **lis("T1")).status_code == 200
    assert teacher.display_name in fresh.get("/").text


@pytest.mark.parametrize("who", ["first", "known", "unknown", "deployment"])
def test_two_launches_at_once_end_as_one_would(world: World, monkeypatch: pytest.MonkeyPatch, who: str) -> None:
    """Who clicks twice comes twice; on PostgreSQL both have found nothing stored yet when they begin to store."""
    both = threading.Barrier(2, timeout=0.5)

    def wait(table: Any) -> Any:
        if database.connection().dialect.name == "postgresql":
            with suppress(threading.BrokenBarrierError):
                both.wait()
        return database.insert_into(table)

    for place in (lms_identity, accounts, platforms):
        monkeypatch.setattr(place, "insert_into", wait)
    if who == "known":
        student = world.system.a.students[0]
        with transaction():
            added(ExternalId(entity="person", entity_id=student.id, system=world.platform.system, key=world.lms.user))
    claims = lis("S9" if who == "unknown" else "S1") | {f"{CLAIM}deployment_id": "99" if who == "deployment" else "1"}
    coming = []
    for _ in range(2):
        client = world.client.application.test_client()
        world.login(client=client)
        token = world.lms.signed(world.lms.claims(world.asked["nonce"], **claims))
        coming.append((token, world.asked["state"], client))
    db.session.rollback()
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda one: world.launch(one[0], state=one[1], client=one[2]).status_code, coming))
    assert answers == ([200, 200] if who in ("first", "known") else [403, 403])


def test_an_email_address_counts_only_where_the_administrator_says_so(world: World) -> None:
    with transaction():
        contact(world.system.a.students[1], "Teach1@Example.test")
    world.login()
    assert world.launch().status_code == 403
    with transaction():
        world.platform.email_counts = True
    world.login()
    assert world.launch().status_code == 200
    with transaction():
        world.platform.email_counts = False
    world.login()
    assert world.launch(email=...).status_code == 200, "bound since the first time"
    with transaction():
        world.platform.email_counts = True
        contact(world.system.a.students[0], "two@example.test")
        contact(world.system.a.students[1], "two@example.test")
    world.lms.user = "u2"
    world.login()
    assert world.launch(email="two@example.test").status_code == 403, "two people: nobody is guessed"


def test_a_switched_off_account_does_not_come_in_by_the_lms(world: World) -> None:
    with transaction():
        account_for(world.system.a.students[0]).disabled_at = now()
    world.login()
    assert world.launch(**lis("S1")).status_code == 403


def test_a_teacher_picks_a_lesson_and_the_activity_opens_it(world: World) -> None:
    lesson = world.system.a.lesson
    world.login()
    picker = world.launch(world.lms.signed(world.lms.deep_link_claims(world.asked["nonce"], **lis("T1"))))
    assert f"lesson:{lesson.uid}" in picker.text
    sent = {"ticket": ticket_of(picker.text), "what": f"lesson:{lesson.uid}"}
    picked = world.client.post("/lti/pick", data=sent, headers=OURS)
    assert f'action="{world.lms.url}/picked"' in picked.text
    assert f"form-action 'self' {world.lms.url}" in picked.headers["Content-Security-Policy"]
    token = re.search(r'name="JWT" value="([^"]+)"', picked.text)[1]  # type: ignore[index]
    ours = {key["kid"]: jwt.PyJWK(key).key for key in world.client.get("/lti/jwks").get_json()["keys"]}
    said = jwt.decode(
        token,
        ours[jwt.get_unverified_header(token)["kid"]],
        algorithms=["RS256"],
        audience=world.lms.url,
        issuer="client-1",
    )
    item = said["https://purl.imsglobal.org/spec/lti-dl/claim/content_items"][0]
    assert said["https://purl.imsglobal.org/spec/lti-dl/claim/data"] == "keep this"
    assert item["url"] == f"{TOOL}/lti/launch"
    world.lms.user = "u2"
    world.login()
    opened = world.launch(**{f"{CLAIM}custom": item["custom"]}, **lis("S1"))
    assert opened.headers["Location"] == f"/l/{lesson.uid}"
    assert world.client.post("/lti/pick", data=sent | {"what": "lesson:other"}, headers=OURS).status_code == 422


def test_an_activity_with_the_whole_week_shows_a_student_the_homework_due(world: World) -> None:
    system, teacher_picks = world.system, {"what": "plan"}
    with transaction():
        added(Homework(class_id=system.a.classes[0].id, title="Fractions", due_at=now() + timedelta(days=1)))
    world.login()
    picker = world.launch(world.lms.signed(world.lms.deep_link_claims(world.asked["nonce"], **lis("T1"))))
    picked = world.client.post("/lti/pick", data=teacher_picks | {"ticket": ticket_of(picker.text)}, headers=OURS)
    token = re.search(r'name="JWT" value="([^"]+)"', picked.text)[1]  # type: ignore[index]
    said = jwt.decode(token, options={"verify_signature": False})
    item = said["https://purl.imsglobal.org/spec/lti-dl/claim/content_items"][0]
    world.lms.user = "u2"
    framed = in_frame(world, **{f"{CLAIM}custom": item["custom"]}, **lis("S1")).text
    again = world.client.post("/lti/landing", data={"ticket": ticket_of(framed)}, headers=OURS).text
    world.login()
    window = world.launch(**{f"{CLAIM}custom": item["custom"]}, **lis("S1")).text
    address = re.search('data-lti-address="([^"]+)"', window)[1]  # type: ignore[index]
    for page in (framed, again, window, world.client.get(address).text):
        assert "Fractions" in page
        assert f"/l/{system.a.lesson.uid}" in page
    world.login()
    assert "Fractions" not in world.launch(**lis("S1")).text


PLATFORMS: dict[str, dict[str, Any]] = {
    "Canvas": {
        "sub": "535fa085f22b4655f48cd5a36a9215f64c062838",
        f"{CLAIM}lis": {"person_sourcedid": "S1", "course_offering_sourcedid": "", "validation_context": None},
        f"{CLAIM}roles": [
            "http://purl.imsglobal.org/vocab/lis/v2/institution/person#Student",
            "http://purl.imsglobal.org/vocab/lis/v2/membership#Learner",
            "http://purl.imsglobal.org/vocab/lis/v2/system/person#User",
        ],
        f"{CLAIM}launch_presentation": {"document_target": "iframe", "height": 800, "width": None, "locale": "en"},
        f"{CLAIM}custom": {"bridge_view": "$Canvas.unknown"},
        f"{CLAIM}context": {"id": "4dde05e8", "label": "C1", "title": "Class", "validation_context": None},
        f"{CLAIM}lti1p1": {"user_id": "x"}, "errors": {"errors": {}}, "azp": "client-1", "locale": "zh-Hans",
    },
    "Sakai": {
        "sub": "http://127.0.0.1:8080/person/1", "aud": ["client-1"], "locale": "en_US",
        f"{CLAIM}lis": {"person_sourcedid": "S1", "version": ["1.0.0", "1.1.0"]},
        f"{CLAIM}ext": {"sakai_role": "access", "lms": "sakai-23"},
        f"{CLAIM}launch_presentation": {"css_url": "https://x.test/tool.css", "document_target": "iframe"},
        f"{CLAIM}tool_platform": {"product_family_code": "sakai"},
    },
    "Open edX": {
        "sub": "S1-edx", "name": ..., "email": "s1@example.org", f"{CLAIM}launch_presentation": ...,
        f"{CLAIM}roles": ["http://purl.imsglobal.org/vocab/lis/v2/institution/person#Student"],
        f"{CLAIM}context": {"id": "course-v1:X+1+2", "type": ["http://purl.imsglobal.org/vocab/lis/v2/course#CourseOffering"]},
    },
}  # fmt: skip


@pytest.mark.parametrize("name", PLATFORMS)
def test_launches_of_other_platforms_are_understood(world: World, name: str) -> None:
    with transaction():
        world.platform.email_counts = True
        contact(world.system.a.students[0], "s1@example.org")
    answer = in_frame(world, **PLATFORMS[name])
    assert answer.status_code == 200, answer.text
    assert f"/l/{world.system.a.lesson.uid}" in answer.text


def test_the_database_is_asked_few_times_by_a_launch_and_by_its_page(world: World) -> None:
    asked: list[str] = []
    sa.event.listen(db.engine, "before_cursor_execute", lambda *a: asked.append(a[2]))
    for _ in range(2):  # the first time the platform's keys are fetched, and the LMS's user is bound to the person
        asked.clear()
        world.login()
        assert world.launch(**lis("S1")).status_code == 200
    assert len([s for s in asked if s.startswith(("SELECT", "INSERT", "UPDATE"))]) <= 10, asked
    asked.clear()
    assert world.client.get("/lti/landing").status_code == 200
    assert len([s for s in asked if s.startswith("SELECT")]) <= 3, asked
