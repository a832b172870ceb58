"""Comments on a plan: threads, answers, mentions, who may write and who is told."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask

from lms_bridge.core import audit, jobs
from lms_bridge.core.access import Permission, Role
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BadInputs, Forbidden, NotFound
from lms_bridge.core.settings import Settings
from lms_bridge.plans import comments, mentions, readers, review, threads
from lms_bridge.plans.errors import WrongState
from lms_bridge.plans.history import history
from lms_bridge.plans.lookup import plan_access
from lms_bridge.plans.models import PlanComment, PlanUnit, PlanVersion, TeachingPlan, VersionState
from lms_bridge.roster.models import EnrolmentRole, Person
from lms_bridge.roster.scope import scope_for
from tests.builders import SchoolSystem, contact, enrol, person_as, small_system
from tests.notices.mailbox import mails, said


@pytest.fixture
def school(app: Flask) -> SchoolSystem:
    """A school whose teacher and researcher have addresses; the teacher of campus A reads English."""
    school = small_system()
    with transaction():
        school.a.teacher.family_name, school.a.teacher.given_name = "李", "明"
        school.researcher.family_name, school.researcher.given_name = "孙", "丽"
        school.a.teacher.language = "en"
        contact(school.a.teacher, "teacher@example.org")
        contact(school.researcher, "researcher@example.org")
    return school


def begin(plan: TeachingPlan, text: str, person: Person, unit: int | None = 0, tell: list[str] | None = None) -> int:
    """A thread about a unit of the newest version (None: the whole), by its number."""
    key = plan.versions[-1].units[unit].key if unit is not None else None
    with transaction():
        return comments.begin(plan, text, scope=scope_for(person), person=person, unit_key=key, tell=tell or ()).id


def next_version(plan: TeachingPlan, titles: list[str]) -> PlanVersion:
    """A new draft with these units; those of known titles keep their keys."""
    known = {unit.title: unit.key for unit in plan.versions[-1].units}
    with transaction():
        version = PlanVersion(number=plan.versions[-1].number + 1)
        for place, title in enumerate(titles, start=1):
            more = {"key": known[title]} if title in known else {}
            version.units.append(PlanUnit(sequence=place, title=title, periods=2, **more))
        plan.versions.append(version)
    return version


def test_a_thread_is_answered_resolved_and_opened_again(school: SchoolSystem) -> None:
    plan, teacher, researcher = school.a.plan, school.a.teacher, school.researcher
    thread = begin(plan, "课时够吗？", researcher)
    with transaction():
        comments.reply(plan, thread, "加了一课时", scope=scope_for(teacher), person=teacher)
    with transaction():
        comments.resolve(plan, thread, scope=scope_for(researcher), person=researcher)
    (shown,) = threads.discussion(plan, plan.versions[-1]).threads
    assert [comment.author for comment in shown.comments] == ["孙丽", "李明"]
    assert shown.resolved_by == "孙丽"
    assert comments.open_threads([plan.id]) == {}
    with pytest.raises(WrongState), transaction():
        comments.resolve(plan, thread, scope=None, person=teacher)
    with transaction():
        comments.reopen(plan, thread, scope=scope_for(teacher), person=teacher)
    assert comments.open_threads([plan.id]) == {plan.id: 1}
    assert [(entry.kind, entry.who) for entry in history(plan)][-2:] == [("resolved", "孙丽"), ("reopened", "李明")]


def test_an_answer_to_a_resolved_thread_opens_it_again(school: SchoolSystem) -> None:
    plan, teacher = school.a.plan, school.a.teacher
    thread = begin(plan, "课时够吗？", school.researcher)
    with transaction():
        comments.resolve(plan, thread, scope=None, person=teacher)
    with transaction():
        comments.reply(plan, thread, "还有一个问题", scope=None, person=teacher)
    assert comments.open_threads([plan.id]) == {plan.id: 1}


def test_a_thread_stays_with_its_unit_in_the_next_version_and_survives_its_unit(school: SchoolSystem) -> None:
    plan = school.a.plan
    begin(plan, "关于第一单元", school.researcher, unit=0)
    begin(plan, "关于整个计划", school.researcher, unit=None)
    moved = next_version(plan, ["小数加减法", "分数的初步认识"])
    whole, about_unit = threads.discussion(plan, moved).threads
    assert (whole.unit_key, about_unit.unit, about_unit.place) == (None, "分数的初步认识", 2)
    gone = next_version(plan, ["小数加减法"])
    assert [(t.unit, t.place) for t in threads.discussion(plan, gone).threads][1] == ("分数的初步认识", None)


def test_an_earlier_version_is_shown_with_what_was_said_by_then(school: SchoolSystem) -> None:
    plan = school.a.plan
    begin(plan, "到第一版", school.researcher, unit=None)
    next_version(plan, ["小数加减法"])
    begin(plan, "到第二版", school.researcher, unit=None)
    assert len(threads.discussion(plan, plan.versions[0]).threads) == 1
    assert len(threads.discussion(plan, plan.versions[1]).threads) == 2


def test_those_who_may_only_read_a_plan_cannot_comment_and_strangers_do_not_find_it(school: SchoolSystem) -> None:
    plan = school.a.plan
    with transaction():
        enrol(school.a.other_teacher, school.a.classes[0], EnrolmentRole.TEACHER)
    with pytest.raises(Forbidden):
        begin(plan, "旁观者", school.a.other_teacher)
    for stranger in (school.b.teacher, school.a.guardians[0], school.a.students[0]):
        with pytest.raises(NotFound):
            begin(plan, "陌生人", stranger)
    begin(plan, "管理员", school.a.administrator)
    thread = begin(plan, "研究员", school.researcher)
    with pytest.raises(NotFound), transaction():
        comments.reply(school.b.plan, thread, "别的计划", scope=scope_for(school.researcher), person=school.researcher)


def test_the_readers_of_a_plan_are_those_whose_scope_allows_it(school: SchoolSystem) -> None:
    with transaction():
        enrol(school.a.other_teacher, school.a.classes[0], EnrolmentRole.TEACHER)
        person_as(Role.RESEARCHER, school.group)
        person_as(Role.RESEARCHER, school.b.campus)
        person_as(Role.TEACHER, school.a.campus)
    everybody = db.session.scalars(sa.select(Person)).all()
    for plan in (school.a.plan, school.b.plan, school.benchmark):
        target = plan_access(plan).read
        allowed = {p.id for p in everybody if scope_for(p).allows(Permission.PLAN_READ, target)}
        assert {p.id for p in readers.readers_of(plan)} == allowed


def test_a_mention_and_an_answer_tell_each_person_once(school: SchoolSystem, settings: Settings) -> None:
    plan, teacher, researcher = school.a.plan, school.a.teacher, school.researcher
    thread = begin(plan, "请@李明 看一下课时", researcher)
    jobs.run_due()
    (mail,) = mails(settings)["teacher@example.org"]
    assert "孙丽 mentions you" in mail["Subject"]
    assert "请@李明 看一下课时" in said(mail)
    assert f"/plans/{plan.uid}/comments#thread-{thread}" in said(mail)
    with transaction():
        comments.reply(plan, thread, "@孙丽 已改", scope=None, person=teacher)
    jobs.run_due()
    assert sorted(mails(settings)) == ["researcher@example.org", "teacher@example.org"]
    (answer,) = mails(settings)["researcher@example.org"]
    assert "李明提到了您" in answer["Subject"]
    with transaction():
        comments.reply(plan, thread, "谢谢", scope=None, person=researcher)
    jobs.run_due()
    assert len(mails(settings)["teacher@example.org"]) == 2
    assert len(mails(settings)["researcher@example.org"]) == 1


def test_a_comment_without_mention_or_answer_tells_nobody(school: SchoolSystem, settings: Settings) -> None:
    begin(school.a.plan, "记一笔", school.researcher)
    jobs.run_due()
    assert mails(settings) == {}


def test_somebody_who_may_no_longer_read_the_plan_is_not_told(school: SchoolSystem, settings: Settings) -> None:
    begin(school.a.plan, "请@李明 看", school.researcher)
    with transaction() as session:
        for table in ("role_assignment", "enrolment"):
            session.execute(
                sa.text(f"UPDATE {table} SET valid_to = valid_from WHERE person_id = {school.a.teacher.id}")
            )
    jobs.run_due()
    assert mails(settings) == {}


def test_a_mention_of_nobody_or_of_several_is_refused_and_a_tick_says_who_is_meant(school: SchoolSystem) -> None:
    plan = school.a.plan
    with pytest.raises(BadInputs) as refusal:
        begin(plan, "@赵六 看看", school.researcher)
    assert '"@赵六' in str(refusal.value.problems[0])
    with transaction():
        twin = person_as(Role.ADMINISTRATOR, school.a.campus, family_name="李", given_name="明")
    with pytest.raises(BadInputs, match="1 problem"):
        begin(plan, "@李明 看看", school.researcher)
    thread = begin(plan, "@李明 看看", school.researcher, tell=[twin.uid])
    (shown,) = threads.discussion(plan, plan.versions[-1]).threads
    assert (shown.id, shown.comments[0].told) == (thread, ())
    assert threads.concerns(scope_for(twin))[0].mentioned


@pytest.mark.parametrize("text", ["", "   \n", "字" * 4001])
def test_an_empty_or_endless_comment_is_refused(school: SchoolSystem, text: str) -> None:
    with pytest.raises(BadInputs):
        begin(school.a.plan, text, school.researcher)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(PlanComment)) == 0


def test_a_unit_that_is_not_in_the_version_cannot_be_commented_on(school: SchoolSystem) -> None:
    with pytest.raises(NotFound), transaction():
        comments.begin(school.a.plan, "?", scope=None, person=school.researcher, unit_key="nowhere")


def test_mentions_are_found_again_with_what_was_said_last(school: SchoolSystem) -> None:
    plan, teacher, researcher = school.a.plan, school.a.teacher, school.researcher
    first = begin(plan, "@李明 一", researcher)
    second = begin(plan, "二", teacher, unit=1)
    begin(plan, "与他无关", researcher, unit=1)
    with transaction():
        comments.resolve(plan, first, scope=None, person=researcher)
        comments.reply(plan, second, "答复", scope=None, person=researcher)
    found = threads.concerns(scope_for(teacher))
    assert [(c.thread_id, c.open, c.mentioned, c.text) for c in found] == [
        (second, True, False, "答复"),
        (first, False, True, "@李明 一"),
    ]
    assert threads.concerns(scope_for(school.b.teacher)) == []


def test_names_are_recognised_in_chinese_and_latin_text() -> None:
    names = {1: "王小明", 2: "王小", 3: "Li Wei", 4: "Li Weiping", 5: "Ann"}

    def found(text: str) -> set[int]:
        return set(mentions.find(text, names).people)

    assert found("请@王小明看一下，＠王小 也看") == {1, 2}
    assert found("ask @li wei, and @Li Weiping") == {3, 4}
    assert mentions.find("@Anna", names).unknown == ("Anna",)
    assert mentions.find("write to a@ann.cn or 3@5", names).unknown == ()
    assert mentions.pieces("请@王小明 看", {1: "王小明"}) == [("请", False), ("@王小明", True), (" 看", False)]


def test_submitting_and_approving_are_possible_with_open_threads(school: SchoolSystem) -> None:
    plan = school.a.plan
    begin(plan, "未解决", school.researcher)
    next_version(plan, ["小数加减法"])
    with transaction():
        review.submit(plan, scope=scope_for(school.a.teacher), person=school.a.teacher)
    with transaction():
        review.approve(plan, scope=scope_for(school.researcher), person=school.researcher)
    assert plan.versions[-1].state is VersionState.APPROVED
    assert comments.open_threads([plan.id]) == {plan.id: 1}


def test_the_history_tells_in_order_who_did_what(school: SchoolSystem) -> None:
    plan, teacher, researcher = school.a.plan, school.a.teacher, school.researcher
    next_version(plan, ["小数加减法"])
    with transaction():
        review.submit(plan, scope=None, person=teacher, comment="请审")
    thread = begin(plan, "少一课时", researcher)
    with transaction():
        review.return_plan(plan, scope=None, person=researcher, comment="见意见")
    with transaction():
        comments.resolve(plan, thread, scope=None, person=teacher)
    told = [(entry.kind, entry.version, entry.who, entry.text) for entry in history(plan)]
    assert told == [
        ("version", 1, "李明", ""),
        ("version", 2, "", ""),
        ("step", 2, "李明", "请审"),
        ("step", 2, "孙丽", "见意见"),
        ("resolved", None, "李明", "少一课时"),
    ]
    assert all(entry.at <= now() for entry in history(plan))


def test_the_history_says_from_how_many_proposals_a_version_was_made(school: SchoolSystem) -> None:
    plan = school.a.plan
    next_version(plan, ["小数加减法"])
    with transaction():
        audit.record("plan.adjusted", "plan", plan.uid, actor_uid=None, version=2, accepted=3)
    assert [(entry.version, entry.accepted) for entry in history(plan)] == [(1, 0), (2, 3)]
