"""What families receive when a timetable is published or changed: once, in their language, true when it is sent."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from flask import Flask
from lms_bridge_mailbox.channel import MailboxSession

from lms_bridge.core import clock, i18n, jobs, outbox
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BridgeError
from lms_bridge.core.i18n import N_
from lms_bridge.core.models import Job, OutboxFact
from lms_bridge.core.plugins import PluginError, SendResult, SendState, TemporaryFailure
from lms_bridge.core.settings import Settings
from lms_bridge.notices import inbox
from lms_bridge.notices.answers import kept_answer
from lms_bridge.notices.models import Delivery, DeliveryState, Notification
from lms_bridge.notices.outbox import SEND
from lms_bridge.roster.models import ContactPoint, ContactState, Person
from tests.builders import SchoolSystem, contact, guardianship
from tests.lessons.support import browser
from tests.notices.mailbox import begins, calendar, events, mails, said
from tests.notices.school import MONDAY, TUESDAY, alter, cancel, make_school, publish, undo

FAMILIES = ("guardian-a0", "guardian-a1", "student-a0", "student-a1")
ENGLISH, CHINESE = "guardian-a0@example.org", "guardian-a1@example.org"
SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def school(app: Flask) -> Iterator[SchoolSystem]:
    """A school on Monday morning."""
    with clock.at(MONDAY):
        yield make_school()


def run() -> None:
    """All jobs are done, and none fails."""
    jobs.run_due()
    failed = db.session.execute(sa.select(Job.kind, Job.last_error).where(Job.last_error.is_not(None))).all()
    assert failed == []


def test_publishing_sends_each_student_and_guardian_of_the_class_one_message_and_nobody_else(
    school: SchoolSystem, settings: Settings
) -> None:
    publish(school, [TUESDAY, TUESDAY + timedelta(hours=2), TUESDAY + timedelta(days=1)])
    run()
    assert {address: len(found) for address, found in mails(settings).items()} == {
        f"{name}@example.org": 1 for name in FAMILIES
    }
    told = Counter(db.session.scalars(sa.select(Notification.person_id)))
    # The teacher has no address, and so a notification in the inbox alone.
    family = (*school.a.students[:2], *school.a.guardians[:2], school.a.teacher)
    assert told == {person.id: 1 for person in family}


def test_everybody_reads_it_in_their_language_as_text_and_as_html(school: SchoolSystem, settings: Settings) -> None:
    publish(school, [TUESDAY, TUESDAY + timedelta(days=1)])
    run()
    found = mails(settings)
    (english,), (chinese,) = found[ENGLISH], found[CHINESE]
    one, other = (student.display_name for student in school.a.students[:2])
    assert english["Subject"] in [f"{name}: Timetable from Tue 24 Nov: 2 lessons" for name in (one, other)]
    assert chinese["Subject"] in [f"{name}：周二 11月24日起的课表：2 节课" for name in (one, other)]
    assert (english["Content-Language"], chinese["Content-Language"]) == ("en", "zh-CN")
    for kind in ("plain", "html"):
        assert "Mathematics" in said(english, kind)
        assert "数学" in said(chinese, kind)
        assert "10:10–10:50" in said(english, kind)
        assert "周二 11月24日" in said(chinese, kind)
        assert school.a.students[0].display_name in said(english, kind)
        assert school.a.students[1].display_name not in said(english, kind)
    assert "<html" not in said(english)
    assert english["Auto-Submitted"] == "auto-generated"


def test_the_attached_calendar_names_each_lesson_for_ever_and_has_the_reader_s_own_link(
    school: SchoolSystem, settings: Settings
) -> None:
    (lesson,) = publish(school)
    run()
    links = set()
    for name in FAMILIES:
        (mail,) = mails(settings)[f"{name}@example.org"]
        (attachment,) = mail.iter_attachments()
        assert attachment.get_filename() == "calendar.ics"
        assert attachment["Content-Type"].params["method"] == "PUBLISH"
        found = calendar(mail)
        assert found["METHOD"] == "PUBLISH"
        assert [str(zone["TZID"]) for zone in found.walk("VTIMEZONE")] == ["Asia/Shanghai"]
        event = events(found)[f"{lesson.uid}@bridge.test"]
        assert event["SEQUENCE"] == 0
        assert event["STATUS"] == "CONFIRMED"
        assert event["DTSTART"].params["TZID"] == "Asia/Shanghai"
        assert begins(event) == TUESDAY
        assert re.fullmatch(r"http://bridge\.test/j/\S+", event["URL"])
        for kind in ("plain", "html"):
            assert event["URL"] in said(mail, kind)
        links.add(event["URL"])
    assert len(links) == len(FAMILIES)


def test_a_change_keeps_the_lesson_s_name_in_calendars_and_counts_up(school: SchoolSystem, settings: Settings) -> None:
    (lesson,) = publish(school)
    run()
    alter(school, lesson, starts_at=TUESDAY + timedelta(hours=2), reason="学校停电")
    run()
    cancel(school, lesson)
    run()
    found = mails(settings)[ENGLISH]
    name = f"{lesson.uid}@bridge.test"
    entries = [events(calendar(mail))[name] for mail in found]
    assert [entry["SEQUENCE"] for entry in entries] == [0, 1, 2]
    assert [entry["STATUS"] for entry in entries] == ["CONFIRMED", "CONFIRMED", "CANCELLED"]
    assert len({entry["URL"] for entry in entries}) == 1
    moved, cancelled = found[1:]
    assert "moved to Tue 24 Nov, period 3, 12:10" in moved["Subject"]
    assert "before: Tue 24 Nov, period 3, 10:10" in said(moved)
    assert "学校停电" in said(moved)
    assert "cancelled" in cancelled["Subject"]
    # Nobody is sent to a room that will not open.
    assert entries[2]["URL"] not in said(cancelled)


def test_jobs_that_run_twice_send_nothing_twice(school: SchoolSystem, settings: Settings) -> None:
    publish(school)
    run()
    before = mails(settings)
    with transaction():
        # As after a kill between the last chunk and the word that it was done, and with wake-up calls left over.
        for fact in db.session.scalars(sa.select(OutboxFact)):
            fact.cursor, fact.expanded_at = 0, None
            jobs.enqueue(outbox.EXPAND, str(fact.id))
        jobs.enqueue(SEND, "mailbox")
    run()
    run()
    after = mails(settings)
    assert {name: [m["Message-ID"] for m in found] for name, found in after.items()} == {
        name: [m["Message-ID"] for m in found] for name, found in before.items()
    }
    assert set(Counter(db.session.scalars(sa.select(Notification.person_id))).values()) == {1}
    attempts = db.session.scalars(sa.select(Delivery.attempts).where(Delivery.state == DeliveryState.SENT)).all()
    assert attempts == [1] * len(FAMILIES)


def test_a_lesson_moved_again_before_sending_is_told_once_as_it_is_in_force(
    school: SchoolSystem, settings: Settings
) -> None:
    (lesson,) = publish(school)
    run()
    alter(school, lesson, starts_at=TUESDAY + timedelta(hours=2))
    alter(school, lesson, starts_at=TUESDAY + timedelta(hours=5))
    run()
    for name in FAMILIES:
        assert len(mails(settings)[f"{name}@example.org"]) == 2
    mail = mails(settings)[ENGLISH][1]
    assert "moved to Tue 24 Nov, period 3, 15:10" in mail["Subject"]
    # They last heard of 10:10; that it was to be at 12:10 for a while concerns nobody.
    assert "before: Tue 24 Nov, period 3, 10:10" in said(mail)
    assert "12:10" not in said(mail)
    (event,) = events(calendar(mail)).values()
    assert event["SEQUENCE"] == 2
    assert begins(event).astimezone(SHANGHAI).hour == 15


def test_a_new_lesson_moved_before_sending_is_told_as_new_and_once(school: SchoolSystem, settings: Settings) -> None:
    (lesson,) = publish(school)
    alter(school, lesson, starts_at=TUESDAY + timedelta(hours=5))
    run()
    (mail,) = mails(settings)[ENGLISH]
    assert "10:10" not in said(mail)
    assert "15:10" in said(mail)
    assert "moved" not in mail["Subject"]


def test_of_a_change_set_the_lessons_that_were_not_moved_again_are_still_told(
    school: SchoolSystem, settings: Settings
) -> None:
    first, second = publish(school, [TUESDAY, TUESDAY + timedelta(days=1)])
    alter(school, first, starts_at=TUESDAY + timedelta(hours=5))
    run()
    told = [set(events(calendar(mail))) for mail in mails(settings)[ENGLISH]]
    assert sorted(told, key=sorted) == sorted([{f"{first.uid}@bridge.test"}, {f"{second.uid}@bridge.test"}], key=sorted)


def test_a_lesson_that_is_back_where_it_was_is_not_told_at_all(school: SchoolSystem, settings: Settings) -> None:
    (lesson,) = publish(school)
    run()
    alter(school, lesson, starts_at=TUESDAY + timedelta(hours=2))
    alter(school, lesson, starts_at=TUESDAY)
    run()
    assert len(mails(settings)[ENGLISH]) == 1


def test_a_change_undone_before_sending_is_never_told_and_one_undone_later_is_taken_back(
    school: SchoolSystem, settings: Settings
) -> None:
    (lesson,) = publish(school)
    run()
    undo(school, alter(school, lesson, starts_at=TUESDAY + timedelta(hours=2)))
    run()
    assert len(mails(settings)[ENGLISH]) == 1
    change_set = alter(school, lesson, starts_at=TUESDAY + timedelta(hours=3))
    run()
    undo(school, change_set)
    run()
    found = mails(settings)[ENGLISH]
    assert len(found) == 3
    assert found[2]["Subject"].startswith("Taken back: ")
    assert "10:10" in said(found[2])
    sequences = [events(calendar(mail))[f"{lesson.uid}@bridge.test"]["SEQUENCE"] for mail in found]
    assert sequences == sorted(set(sequences))


def test_a_guardian_of_two_children_of_the_class_gets_one_message_about_both(
    school: SchoolSystem, settings: Settings
) -> None:
    with transaction():
        guardianship(school.a.guardians[0], school.a.students[1])
    publish(school)
    run()
    (mail,) = mails(settings)[ENGLISH]
    for child in school.a.students[:2]:
        assert child.display_name in said(mail)
    assert len(events(calendar(mail))) == 1


def test_whom_a_court_shuts_out_hears_nothing(school: SchoolSystem, settings: Settings) -> None:
    with transaction():
        shut_out = school.b.guardians[0]
        guardianship(shut_out, school.a.students[0], restricted=True)
        contact(shut_out, "shut-out@example.org")
    publish(school)
    run()
    assert "shut-out@example.org" not in mails(settings)
    assert db.session.scalar(sa.select(Notification.id).filter_by(person_id=shut_out.id)) is None


def test_who_has_no_address_is_named_for_the_school_and_reads_it_in_the_inbox(school: SchoolSystem) -> None:
    publish(school)
    run()
    teacher = db.session.get_one(Person, school.a.teacher.id)
    delivery = db.session.scalars(sa.select(Delivery).filter_by(person_id=teacher.id)).one()
    assert delivery.state is DeliveryState.NO_ADDRESS
    notification = db.session.scalars(sa.select(Notification).filter_by(person_id=teacher.id)).one()
    message = inbox.entry(teacher, notification, "en").message
    assert message is not None
    assert "Lessons that you teach" in message.content


@pytest.mark.parametrize(
    ("answer", "chinese", "english"),
    [
        (None, "没有联系地址。", "There is no address."),
        (
            PluginError(N_("%(system)s did not answer within %(seconds)g seconds."), system="Post", seconds=5),
            "Post 在 5 秒内没有回应。",
            "Post did not answer within 5 seconds.",
        ),
        ("550 5.1.1 No such user", "550 5.1.1 No such user", "550 5.1.1 No such user"),
    ],
    ids=["no address", "our words", "the service's words"],
)
def test_what_became_of_a_message_is_said_in_the_language_of_whoever_reads(
    app: Flask, school: SchoolSystem, answer: BridgeError | str | None, chinese: str, english: str
) -> None:
    publish(school)
    with i18n.use_locale("en"):  # of the process
        run()
    delivery = db.session.scalars(sa.select(Delivery).filter_by(person_id=school.a.teacher.id)).one()
    reader = school.a.administrator
    if answer is not None:
        with transaction():
            delivery.answer = kept_answer(answer)
    assert chinese in browser(app, reader).get(f"/messages/{delivery.uid}").text
    with transaction():
        db.session.get_one(Person, reader.id).language = "en"
    assert english in browser(app, reader).get(f"/messages/{delivery.uid}").text


def test_why_a_service_is_down_and_why_an_address_is_bad_is_kept_in_no_language(
    school: SchoolSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    down = SendResult(
        SendState.RETRY,
        TemporaryFailure(N_("The mailbox folder cannot be written: the disk is full.")),
        service_down=True,
    )
    bad = SendResult(SendState.REJECTED, PluginError(N_("The address is malformed.")), address_bad=True)
    results = [bad, down]
    monkeypatch.setattr(MailboxSession, "send", lambda self, message: results.pop(0) if results else down)
    publish(school)
    with i18n.use_locale("zh-CN"):
        jobs.run_due()
    said = {row.answer["message"] for row in db.session.scalars(sa.select(Delivery)) if row.answer is not None}
    assert said == {
        "There is no address.",
        "The address is malformed.",
        "The mailbox folder cannot be written: the disk is full.",
    }
    (contact,) = db.session.scalars(sa.select(ContactPoint).where(ContactPoint.state == ContactState.BOUNCING))
    assert contact.state_reason is not None
    assert contact.state_reason["message"] == "The address is malformed."
