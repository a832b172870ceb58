"""The calendar that people subscribe to: right in every program, cheap to look at, and taken back at any time."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import icalendar
import pytest
from flask import Flask
from flask.testing import FlaskClient

from lms_bridge.core import clock
from lms_bridge.core.database import transaction
from lms_bridge.roster.models import Person
from lms_bridge.timetable.feed import feed_url, renew_feed, revoke_feed
from tests.builders import SchoolSystem
from tests.notices.mailbox import begins, events
from tests.notices.school import MONDAY, TUESDAY, alter, cancel, make_school, publish


@pytest.fixture
def school(app: Flask) -> Iterator[SchoolSystem]:
    """A school on Monday morning."""
    with clock.at(MONDAY):
        yield make_school()


def address(person: Person, form: str = "standard") -> str:
    """Where the person's calendar is, as a path."""
    with transaction():
        return feed_url(person, form).removeprefix("http://bridge.test")


def fetched(client: FlaskClient, path: str, moment: datetime = MONDAY) -> icalendar.Calendar:
    """The calendar as a subscriber gets it at ``moment``."""
    with clock.at(moment):
        answer = client.get(path)
    assert answer.status_code == 200
    assert answer.content_type == "text/calendar; charset=utf-8"
    parsed = icalendar.Calendar.from_ical(answer.data)
    assert isinstance(parsed, icalendar.Calendar)
    return parsed


def entry_of(found: icalendar.Calendar, uid: str) -> Any:
    """The entry of a lesson, or None."""
    return events(found).get(f"{uid}@bridge.test")


def test_it_needs_no_sign_in_and_holds_the_lessons_with_their_zone(client: FlaskClient, school: SchoolSystem) -> None:
    (lesson,) = publish(school)
    found = fetched(client, address(school.a.guardians[0]))
    assert "METHOD" not in found
    assert found["X-WR-CALNAME"] == f"Lessons of {school.a.guardians[0].display_name}"
    (zone,) = found.walk("VTIMEZONE")
    assert zone["TZID"] == "Asia/Shanghai"
    assert b"TZOFFSETTO:+0800" in zone.to_ical()
    entry = entry_of(found, lesson.uid)
    assert entry["DTSTART"].params["TZID"] == "Asia/Shanghai"
    assert begins(entry) == TUESDAY
    assert "DURATION" not in entry
    assert entry["SUMMARY"] == f"Mathematics · {school.a.students[0].display_name}"
    assert str(entry["URL"]).startswith("http://bridge.test/j/")


def test_everybody_sees_their_own_lessons_alone(client: FlaskClient, school: SchoolSystem) -> None:
    (lesson,) = publish(school)
    for person in (school.a.students[0], school.a.guardians[0], school.a.teacher):
        assert entry_of(fetched(client, address(person)), lesson.uid)
    for person in (school.a.students[2], school.a.guardians[2], school.a.other_teacher, school.b.students[0]):
        assert entry_of(fetched(client, address(person)), lesson.uid) is None


def test_a_teacher_s_calendar_holds_no_link_that_opens_the_room_to_whoever_has_it(
    client: FlaskClient, school: SchoolSystem
) -> None:
    (lesson,) = publish(school)
    entry = entry_of(fetched(client, address(school.a.teacher)), lesson.uid)
    assert entry["URL"] == f"http://bridge.test/l/{lesson.uid}"


def test_a_cancelled_lesson_stays_as_cancelled_for_thirty_days(client: FlaskClient, school: SchoolSystem) -> None:
    starts = TUESDAY + timedelta(days=40)
    (lesson,) = publish(school, [starts])
    path = address(school.a.guardians[0])
    assert entry_of(fetched(client, path), lesson.uid)["STATUS"] == "CONFIRMED"
    cancel(school, lesson)
    entry = entry_of(fetched(client, path), lesson.uid)
    assert entry["STATUS"] == "CANCELLED"
    assert entry["TRANSP"] == "TRANSPARENT"
    assert entry["SEQUENCE"] == 1
    assert entry["SUMMARY"].startswith("Cancelled: ")
    assert "/j/" not in entry["DESCRIPTION"]
    assert entry_of(fetched(client, path, MONDAY + timedelta(days=29)), lesson.uid)["STATUS"] == "CANCELLED"
    assert entry_of(fetched(client, path, MONDAY + timedelta(days=31)), lesson.uid) is None


def test_the_form_for_moodle_leaves_cancelled_lessons_out_and_has_links_for_everybody(
    client: FlaskClient, school: SchoolSystem
) -> None:
    kept, dropped = publish(school, [TUESDAY, TUESDAY + timedelta(days=1)])
    path = address(school.a.students[0], "moodle")
    assert entry_of(fetched(client, path), dropped.uid)
    cancel(school, dropped)
    found = fetched(client, path)
    assert entry_of(found, dropped.uid) is None
    assert entry_of(found, kept.uid)["URL"] == f"http://bridge.test/l/{kept.uid}"


def test_a_moved_lesson_keeps_its_name_and_counts_up(client: FlaskClient, school: SchoolSystem) -> None:
    (lesson,) = publish(school)
    path = address(school.a.students[0])
    alter(school, lesson, starts_at=TUESDAY + timedelta(hours=2))
    entry = entry_of(fetched(client, path), lesson.uid)
    assert (begins(entry), entry["SEQUENCE"]) == (TUESDAY + timedelta(hours=2), 1)


def test_who_looks_again_gets_a_short_answer_until_something_changes(client: FlaskClient, school: SchoolSystem) -> None:
    (lesson,) = publish(school)
    path = address(school.a.students[0])
    first = client.get(path)
    tag = {"If-None-Match": first.headers["ETag"]}
    again = client.get(path, headers=tag)
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    with clock.at(MONDAY + timedelta(hours=1)):
        # Time alone changes nothing, or every subscriber would load everything at every look.
        assert client.get(path, headers=tag).status_code == 304
    alter(school, lesson, starts_at=TUESDAY + timedelta(hours=2))
    changed = client.get(path, headers=tag)
    assert changed.status_code == 200
    assert changed.headers["ETag"] != first.headers["ETag"]


def test_programs_that_ask_for_it_get_it_packed(client: FlaskClient, school: SchoolSystem) -> None:
    publish(school, [TUESDAY + timedelta(days=day) for day in range(3)])
    path = address(school.a.students[0])
    plain, packed = client.get(path), client.get(path, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert packed.headers["ETag"] != plain.headers["ETag"]


def test_an_address_that_was_taken_back_is_gone_and_the_new_one_works(
    client: FlaskClient, school: SchoolSystem
) -> None:
    (lesson,) = publish(school)
    person = school.a.guardians[0]
    old = address(person)
    with transaction():
        new = renew_feed(person).removeprefix("http://bridge.test")
    assert new != old
    assert client.get(old).status_code == 410
    # Also to a subscriber that remembers the last answer.
    assert client.get(old, headers={"If-None-Match": "*"}).status_code == 410
    assert entry_of(fetched(client, new), lesson.uid)
    with transaction():
        revoke_feed(person)
    assert client.get(new).status_code == 410


def test_the_calendar_of_somebody_who_left_is_gone_and_an_invented_address_is_not_found(
    client: FlaskClient, school: SchoolSystem
) -> None:
    path = address(school.a.students[0])
    with transaction():
        school.a.students[0].valid_to = MONDAY.date()
    assert client.get(path).status_code == 410
    assert client.get("/c/invented.ics").status_code == 404


def test_no_search_engine_and_no_page_learns_the_address(client: FlaskClient, school: SchoolSystem) -> None:
    answer = client.get(address(school.a.students[0]))
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "private" in answer.headers["Cache-Control"]
