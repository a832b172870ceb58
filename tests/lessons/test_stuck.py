"""Where every video system is down or full, those who can help are told: once for each lesson and outage."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage

import pytest
import sqlalchemy as sa
from flask import Flask

from lms_bridge.core import clock, outbox
from lms_bridge.core.database import db, transaction
from lms_bridge.core.models import AuditEntry, OutboxFact
from lms_bridge.core.settings import Settings
from lms_bridge.lessons import breaker, failover, meetings, stuck
from lms_bridge.lessons.models import Meeting, ProviderAccount
from lms_bridge.notices.models import Notification, Priority
from lms_bridge.notices.outbox import SEND
from tests import builders
from tests.builders import SchoolSystem
from tests.lessons.support import START, do, school_at
from tests.notices.mailbox import mails, said


class Outage:
    """The bureau's only system serves campuses A and B, and can fail; it is 5 minutes before the lesson of campus A,
    which has a second one at the same time. ``moment`` is the time."""

    def __init__(self, school: SchoolSystem, settings: Settings) -> None:
        self.school, self.settings = school, settings
        self.moment = START - timedelta(minutes=5)
        with transaction():
            db.session.execute(sa.update(ProviderAccount).values(enabled=False))
            self.account = builders.provider_account(school.bureau, "classroom", name="Board")
            for person, address in ((school.a.administrator, "a"), (school.b.administrator, "b")):
                builders.contact(person, f"{address}@example.org")
            builders.contact(school.bureau_administrator, "bureau@example.org")
            school.bureau_administrator.language = "en"
            self.second = builders.lesson(school.a.classes[1], school.subject, school.a.teacher, START)
            for lesson in (school.a.lesson, self.second):
                meetings.wish(lesson)

    def fails(self) -> None:
        """The system is down from now on; what follows from that, until nothing is left to do."""
        with transaction():
            account = db.session.get_one(ProviderAccount, self.account.id)
            account.healthy, account.state_at = False, self.moment
        failover.move_away(self.account.id)

    def stands(self) -> None:
        """The system answers again."""
        with transaction():
            breaker.succeeded(self.account.id)

    def tell(self, seconds: float = 11) -> dict[str, list[EmailMessage]]:
        """So many seconds later all messages have gone out; all that arrived until now, by their reader."""
        self.moment += timedelta(seconds=seconds)
        for kind in (stuck.TELL, outbox.EXPAND, SEND):
            do(kind)
        return mails(self.settings)


@pytest.fixture
def outage(app: Flask, settings: Settings) -> Iterator[Outage]:
    """A school before a lesson, whose system fails in the test."""
    with school_at(-5) as school:
        made = Outage(school, settings)
        with clock.at(lambda: made.moment):
            yield made


def test_administrators_get_one_urgent_message_of_all_lessons_that_have_nowhere_to_go(outage: Outage) -> None:
    outage.fails()
    failover.move_away(outage.account.id)  # as after each probe in vain
    arrived = outage.tell()
    assert {name: len(found) for name, found in arrived.items()} == {"a@example.org": 1, "bureau@example.org": 1}
    (mail,) = arrived["a@example.org"]
    assert mail["Subject"] == "2 节课没有在线房间可用"
    assert mail["Importance"] == "high"
    text = said(mail)
    for lesson in (outage.school.a.lesson, outage.second):
        assert lesson.audience[0].class_group.title in text
    assert "10:10–10:50" in text
    assert "“Board”没有应答" in text
    assert "http://bridge.test/system/video/now" in text
    assert outage.account.uid not in text  # the bureau's, which a campus does not set up
    (mail,) = arrived["bureau@example.org"]
    assert mail["Subject"] == "2 lessons have no online room"
    for kind in ("plain", "html"):
        assert "Board does not answer" in said(mail, kind)
        assert f"http://bridge.test/system/video/{outage.account.uid}" in said(mail, kind)
    entries = db.session.query(AuditEntry).filter_by(action="meeting.stuck").all()
    assert sorted(one.entity_uid for one in entries) == sorted((outage.school.a.lesson.uid, outage.second.uid))
    assert entries[0].details == {"attempt": 1, "at": outage.account.uid}


def test_the_name_of_a_system_is_no_html_in_the_message(outage: Outage) -> None:
    with transaction():
        db.session.get_one(ProviderAccount, outage.account.id).name = "<b onclick=x>Board</b>"
    outage.fails()
    (mail,) = outage.tell()["bureau@example.org"]
    assert "<b onclick=x>Board</b> does not answer" in said(mail)
    assert "<b onclick" not in said(mail, "html")


def test_the_same_outage_is_told_once_a_lesson_of_the_next_hour_and_another_outage_again(outage: Outage) -> None:
    outage.fails()
    outage.tell()
    for _ in range(3):
        failover.move_away(outage.account.id)
    outage.stands()
    outage.fails()  # it comes and goes
    assert len(outage.tell()["a@example.org"]) == 1
    with transaction():
        later = builders.lesson(
            outage.school.a.classes[0], outage.school.subject, outage.school.a.teacher, START + timedelta(minutes=30)
        )
        meetings.wish(later)
    outage.moment += timedelta(minutes=10)
    failover.move_away(outage.account.id)
    _, second = outage.tell()["a@example.org"]
    assert later.audience[0].class_group.title in second["Subject"]
    outage.stands()
    outage.moment += timedelta(minutes=15)
    outage.fails()
    assert len(outage.tell()["a@example.org"]) == 3
    assert db.session.query(AuditEntry).filter_by(action="meeting.stuck").count() == 6


def test_of_a_lesson_that_has_its_room_again_nobody_is_told(outage: Outage) -> None:
    outage.fails()
    outage.stands()
    assert outage.tell() == {}
    assert db.session.query(OutboxFact).filter_by(kind=stuck.STUCK).count() == 0
    outage.fails()  # at once again: what was not told yet is told now
    assert len(outage.tell()["a@example.org"]) == 1


def test_killed_at_any_line_it_is_told_once(outage: Outage, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def die(*args: object, **kw: object) -> None:
        raise Killed

    for place, name in ((stuck.audit, "record"), (stuck.jobs, "enqueue")):
        with monkeypatch.context() as patch, pytest.raises(Killed):
            patch.setattr(place, name, die)
            outage.fails()
        db.session.rollback()
        assert db.session.query(Meeting).filter(Meeting.stuck_at.is_not(None)).count() == 0
    outage.fails()
    outage.moment += timedelta(seconds=11)
    root = outage.school.bureau.path.strip("/")
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(stuck, "publish", die)
        stuck.tell(int(root))
    db.session.rollback()
    stuck.tell(int(root))
    stuck.tell(int(root))
    arrived = outage.tell()
    assert {name: len(found) for name, found in arrived.items()} == {"a@example.org": 1, "bureau@example.org": 1}
    assert {one.priority for one in db.session.query(Notification)} == {Priority.URGENT}
