"""No page, and no button, of one school opens for anybody of another, or for somebody who is not signed in.

Every route of the application is walked. A new one with a new kind of parameter needs a row in ``SAMPLES``; one that
is meant for everybody needs a reason in ``OPEN``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from zipfile import ZipFile

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from lms_bridge.calendar.models import CalendarDay, DayKind
from lms_bridge.core.access import Role
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.files import store
from lms_bridge.core.models import Job, JobState, StoredFile
from lms_bridge.core.outbox import publish
from lms_bridge.lessons.models import (
    ClassroomQuestion,
    LessonMaterial,
    MaterialKind,
    ProviderAccount,
    RecordedLesson,
)
from lms_bridge.lti.models import LtiPlatform
from lms_bridge.notices.models import Delivery, DeliveryItem, Notification
from lms_bridge.oidc.models import StoredProvider
from lms_bridge.plans.models import ColumnMapping, PlanBatch, PlanComment, PlanDeadline
from lms_bridge.roster.accounts import account_for
from lms_bridge.roster.api_tokens import create
from lms_bridge.roster.models import ApiToken, Person, RosterUpload, Stranger
from lms_bridge.sync.models import LmsAccount
from lms_bridge.timetable.cases.models import CaseProposal, ChangeCase, TeacherAbsence
from lms_bridge.timetable.inputs.models import Arrangement, ArrangementClass, RuleType, SubjectRule
from lms_bridge.timetable.models import ChangeCause, ChangeSet, RunState, SolveRun, SolveRunCampus, Unavailability
from tests import builders
from tests.builders import CampusWorld, SchoolSystem, added, small_system

MARK = "甲"
"""Stands in every name of campus A and nowhere else, so that a page that shows one of them is found."""

OPEN = {
    "static": "style, script and icon",
    "openapi.spec": "the description of the interface, without data",
    "health.": "asked by machines; metrics have a rule of their own (tests/core/test_health.py)",
    "auth.": "signing in and out",
    "oidc.": "signing in by an identity provider (tests/web/test_signing_in_by_provider.py)",
    "shell.": "the language switch and the style page",
    "feeds.calendar": "a calendar program has no session: the token in the address is the key",
    "door.personal": "families have no account: the token in the address is the key",
    "door.enter_by_link": "as above",
    "door.switch": "as above",
    "hooks.": "providers have no session: the token in the address says whose it is, the plugin who sends it",
    "lti.begin": "the LMS opens it; who comes is proved at the launch (tests/lti)",
    "lti.arrive": "as above",
    "lti.landing_again": "inside the frame of an LMS there is no session: the ticket in the form is the key",
    "lti.go": "as above",
    "lti_picking.pick": "as above",
    "lti.key_set": "public keys",
    "lti_registration.register": "the LMS opens it: the invitation in the address is the key",
}

FIGURES = {"people": 1, "students": 1, "families": 0, "teachers": 0, "delayed": 0, "kinds": {"cancelled": 1}}

FORM_TOKEN = "0123456789abcdef0123456789abcdef01234567"

BODIES: dict[str, object] = {
    "classroom.beat": {"session": "0123456789abcdef", "beats": [{"n": 1}]},
}
"""What a route must be sent before it looks at who asks."""

ACCOUNT = sa.select(ProviderAccount.uid).order_by(ProviderAccount.id)

Sample = Callable[["World"], object]


@dataclass
class World:
    """Campus A with something of every kind in it, and people of campus B who look for it."""

    system: SchoolSystem
    strangers: dict[str, Person]
    run: SolveRun
    change_set: ChangeSet
    delivery: Delivery
    notification: Notification
    material: LessonMaterial
    question: ClassroomQuestion
    upload: RosterUpload
    failed_job: Job
    comment: PlanComment
    deadline: PlanDeadline
    absence: TeacherAbsence
    case: ChangeCase
    waiting: StoredFile
    token: ApiToken
    batch: PlanBatch
    rule: SubjectRule
    arrangement: Arrangement
    unavailable: Unavailability
    own_day: CalendarDay
    form: ColumnMapping


SAMPLES: dict[tuple[str, str], Sample] = {
    ("plans.", "uid"): lambda w: w.system.a.plan.uid,
    ("plans.review.", "thread"): lambda w: w.comment.id,
    ("plans.review.settle", "what"): lambda w: "resolve",
    ("plans.deadlines.", "number"): lambda w: w.deadline.id,
    ("plans.adjusting.", "position"): lambda w: 1,
    ("plans.batches.", "uid"): lambda w: w.batch.uid,
    ("plans.batches.", "position"): lambda w: 1,
    ("plans.research.", "key"): lambda w: w.system.a.plan.versions[-1].units[0].key,
    ("plans.mapping.", "file"): lambda w: w.waiting.uid,
    ("plans.forms.", "number"): lambda w: w.form.id,
    ("timetable.exchange.", "file"): lambda w: w.waiting.uid,
    ("timetable.exchange.", "code"): lambda w: w.system.a.campus.code,
    ("timetable.exchange.", "week"): lambda w: "2026-W48",
    ("timetable.exchange.", "form"): lambda w: "csv",
    ("api_timetable_exchange.", "week"): lambda w: "2026-W48",
    ("api_timetable_exchange.", "file"): lambda w: w.waiting.uid,
    ("api_plan_work.", "uid"): lambda w: w.system.a.plan.uid,
    ("api_plan_batches.", "uid"): lambda w: w.batch.uid,
    ("api_plan_batches.", "position"): lambda w: 1,
    ("api_plan_deadlines.", "organisation"): lambda w: w.system.a.campus.code,
    ("api_implementation.of_class", "code"): lambda w: f"{w.system.a.campus.code}/{w.system.a.classes[0].code}",
    ("api_implementation.of_campus", "code"): lambda w: w.system.a.campus.code,
    ("api_plans.", "uid"): lambda w: w.system.a.plan.uid,
    ("api_plans.", "position"): lambda w: 1,
    ("api_plans.", "thread"): lambda w: w.comment.id,
    ("api_timetable_inputs.", "code"): lambda w: w.system.a.campus.code,
    ("api_timetable_inputs.", "uid"): lambda w: w.rule.uid,
    ("api_timetable_inputs.", "number"): lambda w: w.unavailable.id,
    ("api_calendar_inputs.", "code"): lambda w: w.system.a.campus.code,
    ("api_calendar_inputs.delete_grid", "number"): lambda w: w.system.a.grid.id,
    ("api_calendar_inputs.delete_school_day", "number"): lambda w: w.own_day.id,
    ("api_calendar_inputs.", "grade"): lambda w: w.system.a.classes[0].grade,
    ("api_calendar_inputs.", "uid"): lambda w: db.session.scalars(ACCOUNT).first(),
    ("api_teaching_inputs.", "code"): lambda w: w.system.a.campus.code,
    ("api_teaching_inputs.", "uid"): lambda w: w.arrangement.uid,
    ("api_teaching_inputs.", "group"): lambda w: w.system.a.classes[0].code,
    ("api_teaching_inputs.put_teacher_limit", "uid"): lambda w: w.system.a.teacher.uid,
    ("tokens.", "uid"): lambda w: w.token.uid,
    ("inbox.", "uid"): lambda w: w.notification.uid,
    ("messages.", "uid"): lambda w: w.delivery.uid,
    ("messages.attachment", "number"): lambda w: 0,
    ("timetable.changes.", "uid"): lambda w: w.change_set.uid,
    ("timetable.changes.lesson", "uid"): lambda w: w.system.a.lesson.uid,
    ("timetable.changes.move", "uid"): lambda w: w.system.a.lesson.uid,
    ("timetable.changes.cancel", "uid"): lambda w: w.system.a.lesson.uid,
    ("timetable.changes.substitute", "uid"): lambda w: w.system.a.lesson.uid,
    ("timetable.moving.", "uid"): lambda w: w.system.a.lesson.uid,
    ("api_timetable.", "uid"): lambda w: w.system.a.lesson.uid,
    ("api_change_sets.", "uid"): lambda w: w.change_set.uid,
    ("api_cases.", "uid"): lambda w: w.case.uid,
    ("api_cases.", "proposal"): lambda w: w.change_set.uid,
    ("api_absences.", "uid"): lambda w: w.absence.uid,
    ("api_cases.assign_lesson", "uid"): lambda w: w.system.a.lesson.uid,
    ("api_solve_runs.", "uid"): lambda w: w.run.uid,
    ("timetable.documents.", "number"): lambda w: w.system.a.classes[0].id,
    ("timetable.documents.", "code"): lambda w: w.system.a.campus.code,
    ("timetable.solving.", "uid"): lambda w: w.run.uid,
    ("timetable.pace.", "class_uid"): lambda w: w.system.a.classes[0].uid,
    ("timetable.pace.", "number"): lambda w: w.system.subject.id,
    ("timetable.inputs.", "code"): lambda w: w.system.a.campus.code,
    ("timetable.inputs.rules_remove", "uid"): lambda w: w.rule.uid,
    ("timetable.inputs.arrangements_", "uid"): lambda w: w.arrangement.uid,
    ("timetable.inputs.arrangements_", "number"): lambda w: w.system.a.classes[0].id,
    ("timetable.inputs.teachers_remove_absence", "number"): lambda w: w.unavailable.id,
    ("timetable.inputs.days_remove", "number"): lambda w: w.own_day.id,
    ("timetable.inputs.grids_remove", "number"): lambda w: w.system.a.grid.id,
    ("timetable.inputs.rooms_set", "uid"): lambda w: db.session.scalars(ACCOUNT).first(),
    ("timetable.cases.", "uid"): lambda w: w.case.uid,
    ("timetable.cases.", "proposal"): lambda w: w.change_set.uid,
    ("timetable.board.", "uid"): lambda w: w.system.a.lesson.uid,
    ("timetable.board.undo", "uid"): lambda w: w.change_set.uid,
    ("absences.", "uid"): lambda w: w.absence.uid,
    ("door.", "uid"): lambda w: w.system.a.lesson.uid,
    ("lessons.", "uid"): lambda w: w.system.a.lesson.uid,
    ("lessons.change_link", "action"): lambda w: "renew",
    ("recordings.", "uid"): lambda w: w.system.a.lesson.uid,
    ("recordings.", "recording"): lambda w: db.session.scalars(sa.select(RecordedLesson.uid)).one(),
    ("recordings.change", "action"): lambda w: "hide",
    ("classroom.", "uid"): lambda w: w.system.a.lesson.uid,
    ("", "lesson_uid"): lambda w: w.system.a.lesson.uid,
    ("", "person_uid"): lambda w: w.system.a.students[0].uid,
    ("", "question_uid"): lambda w: w.question.uid,
    ("", "material_uid"): lambda w: w.material.uid,
    ("roster.", "uid"): lambda w: w.upload.uid,
    ("operations.again", "number"): lambda w: w.failed_job.id,
    ("sync_accounts.", "uid"): lambda w: db.session.scalars(sa.select(LmsAccount.uid)).one(),
    ("sync_accounts.", "state"): lambda w: "off",
    ("sync.", "uid"): lambda w: db.session.scalars(sa.select(LmsAccount.uid)).one(),
    ("attendance.", "uid"): lambda w: w.system.a.lesson.uid,
    ("oidc.", "name"): lambda w: "nobody",
    ("lti_platforms.", "uid"): lambda w: db.session.scalars(sa.select(LtiPlatform.uid)).one(),
    ("lms_people.", "source"): lambda w: "launch",
    ("lms_people.", "key"): lambda w: db.session.scalars(sa.select(Stranger.uid)).one(),
    ("lms_people.", "where"): lambda w: "aside",
    ("lti_platforms.", "state"): lambda w: "off",
    ("api_lms_accounts.", "uid"): lambda w: db.session.scalars(sa.select(LmsAccount.uid)).one(),
    ("api_lms_accounts.", "run"): lambda w: "nothing",
    ("api_unmatched_people.", "source"): lambda w: "launch",
    ("api_unmatched_people.", "key"): lambda w: db.session.scalars(sa.select(Stranger.uid)).one(),
    ("identity_providers.", "name"): lambda w: db.session.scalars(sa.select(StoredProvider.identifier)).one(),
    ("identity_providers.", "state"): lambda w: "off",
    ("video_accounts.", "uid"): lambda w: db.session.scalars(sa.select(ProviderAccount.uid)).one(),
    ("video_accounts.follow", "uid"): lambda w: w.system.a.campus.uid,
    ("video_rooms.", "uid"): lambda w: db.session.scalars(sa.select(ProviderAccount.uid)).one(),
    ("video_now.ask", "uid"): lambda w: db.session.scalars(sa.select(ProviderAccount.uid)).one(),
    ("video_now.move", "uid"): lambda w: w.system.a.lesson.uid,
    ("video_accounts.", "state"): lambda w: "off",
    ("video_accounts.", "way"): lambda w: "up",
    ("sync_removal.", "uid"): lambda w: db.session.scalars(sa.select(LmsAccount.uid)).one(),
}

QUERY: dict[str, Sample] = {
    "campus": lambda w: w.system.a.campus.uid,
    "organisation": lambda w: w.system.a.campus.uid,
    "class": lambda w: w.system.a.classes[0].uid,
    "person": lambda w: w.system.a.students[0].uid,
    "student": lambda w: w.system.a.students[0].uid,
    "child": lambda w: w.system.a.students[0].uid,
    "teacher": lambda w: w.system.a.teacher.uid,
    "lesson": lambda w: w.system.a.lesson.uid,
    "plan": lambda w: w.system.a.plan.uid,
}


@pytest.fixture
def world(app: Flask) -> World:
    """Two campuses, A with one row of everything that a page can be about."""
    system = small_system()
    a, b = system.a, system.b
    with transaction():
        for person in (
            a.administrator,
            a.teacher,
            a.other_teacher,
            a.counsellor,
            a.supervisor,
            *a.students,
            *a.guardians,
        ):
            person.family_name = MARK
        a.campus.name, a.campus.name_en, a.plan.title = f"{MARK}校区", f"{MARK} campus", f"{MARK}计划"
        for group in a.classes:
            group.title = f"{MARK}班"
        world = _rows_of_everything(system)
        researcher = builders.person_as(Role.RESEARCHER, b.campus)
    world.strangers = {
        "administrator": b.administrator,
        "researcher": researcher,
        "teacher": b.teacher,
        "student": b.students[0],
        "guardian": b.guardians[0],
        "counsellor": b.counsellor,
        "supervisor": b.supervisor,
    }
    return world


def _run(of: CampusWorld) -> SolveRun:
    parts = [SolveRunCampus(campus_id=of.campus.id)]
    return added(SolveRun(campus_id=of.campus.id, week="2026-W48", author_id=of.administrator.id, parts=parts))


def _rows_of_everything(system: SchoolSystem) -> World:
    a = system.a
    fact = publish("test.fact", f"lesson:{a.lesson.id}", organisation_id=a.campus.id)
    notification = added(
        Notification(person_id=a.guardians[0].id, kind="timetable.changed", cause="change_set:1", fact_id=fact.id)
    )
    delivery = added(Delivery(person_id=a.guardians[0].id, channel="mailbox", message_id="1@bridge.test"))
    added(DeliveryItem(delivery_id=delivery.id, notification_id=notification.id, channel="mailbox"))
    file = stored_file(a.campus.id)
    material = LessonMaterial(lesson_id=a.lesson.id, kind=MaterialKind.FILE, title=MARK, file_id=file)
    account = db.session.scalars(sa.select(ProviderAccount)).one()
    builders.recording(a.lesson, account, url=f"https://video.test/{MARK}")
    question = ClassroomQuestion(lesson_id=a.lesson.id, person_id=a.students[0].id, client_key="1", text=MARK)
    a.plan.versions[-1].file_id = file
    added(LmsAccount(organisation_id=a.campus.id, plugin="moodle", name=MARK, settings={}))
    said = {"name": MARK, "issuer": "https://id.test", "client_id": "1", "client_secret": MARK}
    added(StoredProvider(organisation_id=a.campus.id, identifier="keycloak", said=said, enabled=False))
    arrangement = Arrangement(campus_id=a.campus.id, term_id=system.term.id, subject_id=system.subject.id, band=MARK)
    arrangement.classes = [ArrangementClass(class_id=a.classes[0].id, part=MARK)]
    rule = SubjectRule(campus_id=a.campus.id, subject_id=system.subject.id, kind=RuleType.SPREAD, grade=MARK, number=1)
    change_set = added(ChangeSet(campus_id=a.campus.id, cause=ChangeCause.REQUEST, reason=MARK))
    absence, case = upset_by_absence(system, change_set)
    lms = added(
        LtiPlatform(
            organisation_id=a.campus.id, name=MARK, issuer="https://lms.test", client_id="1", login_url="https://lms.test",
            token_url="https://lms.test", key_set_url="https://lms.test",
        )
    )  # fmt: skip
    added(Stranger(system=lms.system, sent_by=MARK, organisation_id=a.campus.id, subject="1", about={"name": MARK}))
    return World(
        system=system,
        rule=added(rule),
        arrangement=added(arrangement),
        unavailable=added(Unavailability(person_id=a.teacher.id, weekday=0, reason=MARK)),
        own_day=added(CalendarDay(organisation_id=a.campus.id, day=date(2026, 1, 1), kind=DayKind.HOLIDAY, name=MARK)),
        strangers={},
        run=_run(a),
        change_set=change_set,
        absence=absence,
        case=case,
        delivery=delivery,
        notification=notification,
        material=added(material),
        question=added(question),
        upload=added(roster_upload(a.administrator, file)),
        failed_job=added(
            Job(kind="test.job", state=JobState.DEAD, not_before=now(), last_error={"message": f"KeyError: {MARK}"})
        ),
        comment=added(PlanComment(version_id=a.plan.versions[-1].id, author_id=a.teacher.id, text=MARK)),
        waiting=plan_upload(a.teacher, a.campus.id),
        form=added(ColumnMapping(campus_id=a.campus.id, heading_hash=MARK, mapping={"headings": [MARK], "fields": {}})),
        batch=added(PlanBatch(name=f"{MARK}.zip", person_id=a.teacher.id, locale="zh-CN")),
        token=create(a.teacher, MARK, days=9, may_write=True, actor=None)[0],
        deadline=added(PlanDeadline(organisation_id=a.campus.id, term_id=system.term.id, due_at=now())),
    )


def upset_by_absence(system: SchoolSystem, change_set: ChangeSet) -> tuple[TeacherAbsence, ChangeCase]:
    """An absence of campus A's teacher with its case, of which ``change_set`` is the proposal."""
    teacher, day = system.a.teacher, now().date()
    absence = added(TeacherAbsence(person_id=teacher.id, first_day=day, last_day=day, reason={"text": MARK}))
    case = ChangeCase(
        campus_id=system.a.campus.id,
        cause=ChangeCause.TEACHER_ABSENCE,
        first_day=day,
        last_day=day,
        absence_id=absence.id,
        reason=MARK,
        computing=RunState.DONE,
    )
    case.proposals.append(CaseProposal(change_set_id=change_set.id, position=1, way="cancel", figures=FIGURES))
    return absence, added(case)


def stored_file(organisation_id: int) -> int:
    """A file of campus A in the private store; its number."""
    return store(
        BytesIO(MARK.encode()),
        name=f"{MARK}.docx",
        media_type="text/plain",
        purpose="plan",
        max_bytes=1000,
        organisation_id=organisation_id,
    ).id


def plan_upload(teacher: Person, organisation_id: int) -> StoredFile:
    """A document of the teacher of campus A that waits for its columns."""
    return store(
        BytesIO(f"进程,讲授什么\n1,{MARK}\n".encode()),
        name=f"{MARK}.csv",
        media_type="text/csv",
        purpose="plan_upload",
        max_bytes=1000,
        owner_id=teacher.id,
        organisation_id=organisation_id,
    )


def roster_upload(administrator: Person, file_id: int) -> RosterUpload:
    """A roster that the administrator of campus A looks at before it is imported."""
    return RosterUpload(file_id=file_id, file_name=f"{MARK}.zip", size=3, actor_uid=administrator.uid)


def is_open(rule: Rule) -> bool:
    """Whether the route is meant for everybody."""
    return any(rule.endpoint == name or (name.endswith(".") and rule.endpoint.startswith(name)) for name in OPEN)


def arguments(rule: Rule, world: World) -> dict[str, object]:
    """Campus A's own values for the parameters of a route; the most specific sample counts."""
    values: dict[str, object] = {}
    for name in rule.arguments:
        fitting = [key for key in SAMPLES if key[1] == name and rule.endpoint.startswith(key[0])]
        assert fitting, f"{rule.endpoint} takes {name!r}: add a row of campus A to SAMPLES"
        values[name] = SAMPLES[max(fitting, key=lambda key: len(key[0]))](world)
    return values


def visitor(app: Flask, person: Person | None = None) -> FlaskClient:
    """A client with a session, of ``person`` or of nobody, that may press buttons."""
    client = app.test_client()
    with client.session_transaction() as session:
        session["csrf_token"] = FORM_TOKEN
        if person is not None:
            with transaction():
                version = account_for(person).session_version
            session["_user_id"], session["_fresh"] = f"{person.uid}:{version}", True
    return client


def call(client: FlaskClient, method: str, address: str, rule: Rule) -> TestResponse:
    """Call a route as its own pages do, the form's token included."""
    token = URLSafeTimedSerializer(client.application.secret_key, salt="wtf-csrf-token").dumps(FORM_TOKEN)
    body = BODIES.get(rule.endpoint) if method != "GET" else None
    return client.open(address, method=method, json=body, headers={"X-CSRFToken": str(token)})


def shown(answer: TestResponse) -> str:
    """What a person could read of an answer; a workbook is looked into."""
    data = answer.get_data()
    if not data.startswith(b"PK"):
        return data.decode(errors="replace")
    with ZipFile(BytesIO(data)) as parts:
        return "".join(parts.read(name).decode(errors="replace") for name in parts.namelist())


def calls(app: Flask, world: World) -> list[tuple[str, str, Rule]]:
    """Method, address and rule of every route that is not open, with campus A's things in the address."""
    with app.test_request_context():
        adapter = app.create_url_adapter(None) or app.url_map.bind("bridge.test")
    found = []
    for rule in sorted(app.url_map.iter_rules(), key=lambda r: (r.rule, r.endpoint)):
        if is_open(rule):
            continue
        address = adapter.build(rule.endpoint, arguments(rule, world), force_external=False)
        found += [
            (method, address, rule) for method in sorted((rule.methods or set()) & {"GET", "POST", "PUT", "DELETE"})
        ]
    return found


def problem(answer_status: int, location: str, text: str, *, whole_page: bool) -> str:
    """What is wrong with an answer to somebody of another school; nothing when it is as it should be."""
    if answer_status >= 500:
        return "breaks"
    if MARK in text:
        return "shows something of campus A"
    # 401: the REST API, which takes no session (tests/api has its strangers with keys of their own).
    if whole_page or answer_status in (401, 403, 404, 405) or (answer_status == 302 and "/sign-in" in location):
        return ""
    return f"answers {answer_status} {location}"


@pytest.mark.parametrize(
    "role", ["administrator", "researcher", "teacher", "student", "guardian", "counsellor", "supervisor"]
)
def test_nobody_of_another_school_reaches_anything_of_a_school(app: Flask, world: World, role: str) -> None:
    client = visitor(app, world.strangers[role])
    wrong = []
    for method, address, rule in calls(app, world):
        answer = call(client, method, address, rule)
        # A list without a parameter is the stranger's own; it must only hold nothing of campus A.
        said = problem(
            answer.status_code, answer.headers.get("Location", ""), shown(answer),
            whole_page=not rule.arguments,
        )  # fmt: skip
        if said:
            wrong.append(f"{method} {address} ({rule.endpoint}) {said}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("role", ["administrator", "teacher", "student", "guardian"])
def test_no_question_in_an_address_leads_to_another_school(app: Flask, world: World, role: str) -> None:
    client = visitor(app, world.strangers[role])
    query = {name: str(sample(world)) for name, sample in QUERY.items()}
    wrong = []
    for method, address, rule in calls(app, world):
        if method != "GET" or rule.arguments:
            continue
        for asked in [query, *({name: value} for name, value in query.items())]:
            answer = client.get(address, query_string=asked)
            if answer.status_code >= 500 or MARK in shown(answer):
                wrong.append(f"{address}?{'&'.join(asked)} answers {answer.status_code}")
    assert not wrong, "\n".join(wrong)


def test_nobody_reaches_anything_without_signing_in(app: Flask, world: World) -> None:
    client = visitor(app)
    wrong = []
    for method, address, rule in calls(app, world):
        answer = call(client, method, address, rule)
        said = problem(answer.status_code, answer.headers.get("Location", ""), shown(answer), whole_page=False)
        if said:
            wrong.append(f"{method} {address} ({rule.endpoint}) {said}")
    assert not wrong, "\n".join(wrong)


def test_what_is_not_there_is_not_found_for_anybody(app: Flask, world: World) -> None:
    clients = {role: visitor(app, person) for role, person in world.strangers.items()}
    wrong = []
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or not rule.arguments or rule.endpoint in ("static", "auth.link_page"):
            continue
        with app.test_request_context():
            values = {
                name: 999 if "int:" in rule.rule and name == "number" else "nosuchthing" for name in rule.arguments
            }
            address = app.url_map.bind("bridge.test").build(rule.endpoint, values, force_external=False)
        for role, client in clients.items():
            status = client.get(address).status_code
            if status not in (302, 401, 403, 404, 410):
                wrong.append(f"{role}: {address} answers {status}")
    assert not wrong, "\n".join(wrong)


def test_people_of_the_school_itself_are_let_in(app: Flask, world: World) -> None:
    # Without this the tests above would also pass on an application that refuses everybody.
    client = visitor(app, world.system.a.administrator)
    answers = {
        rule.endpoint: call(client, method, address, rule)
        for method, address, rule in calls(app, world)
        if method == "GET"
    }
    assert all(answer.status_code < 500 for answer in answers.values())
    seen = {name for name, answer in answers.items() if MARK in shown(answer)}
    assert {"plans.plan", "timetable.week", "plans.research.page"} <= seen
    db.session.rollback()
