"""The week's page offers moving to those who may: slots in words, a last question, undo; and shows what is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from lms_bridge.core import clock
from lms_bridge.core.clock import local
from lms_bridge.core.database import db, transaction
from lms_bridge.roster.models import ClassGroup, Person, Subject
from lms_bridge.timetable.changing.lesson_changes import move_lesson
from lms_bridge.timetable.models import Lesson, Unavailability
from tests.builders import added
from tests.timetable.placed import MONDAY, Placed, at, placed_week
from tests.timetable.school import FRIDAY, WEEK
from tests.web.test_timetable import english, shown

THURSDAY = (MONDAY + timedelta(days=3)).isoformat()


@pytest.fixture
def placed(app: Flask) -> Iterator[Placed]:
    app.config["WTF_CSRF_ENABLED"] = False
    with clock.at(FRIDAY):
        yield placed_week()


@pytest.fixture
def client(app: Flask, placed: Placed) -> FlaskClient:
    return english(app, placed.school.a.administrator)


def week_of_class(placed: Placed) -> str:
    return f"/timetable?class={placed.school.a.classes[0].uid}&week={WEEK}"


def place(lesson: Lesson) -> tuple[str, int | None]:
    db.session.rollback()
    db.session.refresh(lesson)
    return local(lesson.starts_at, lesson.zone).date().isoformat(), lesson.period_number


def test_only_those_who_write_the_timetable_are_offered_to_move(
    app: Flask, placed: Placed, client: FlaskClient
) -> None:
    a = placed.school.a
    page = shown(client, week_of_class(placed))
    assert page.count('data-slots="/timetable/lessons/') == 3
    assert 'data-slot="2026-11-26/4"' in page
    assert "week.js" in page
    for person in (a.teacher, a.students[0], a.guardians[0], a.supervisor):
        page = shown(english(app, person), f"/timetable?class={a.classes[0].uid}&week={WEEK}")
        assert "data-slot" not in page
        assert "week.js" not in page
        for path in ("slots", "place"):
            answer = english(app, person).get(f"/timetable/lessons/{placed.math.uid}/{path}")
            assert answer.status_code == 404


def test_the_slots_of_a_lesson_come_in_words(placed: Placed, client: FlaskClient) -> None:
    answer = client.get(f"/timetable/lessons/{placed.math.uid}/slots?week={WEEK}").json
    assert answer is not None
    slots = {(slot["day"], slot["period"]): slot for slot in answer["slots"]}
    assert len(slots) == 30
    assert answer["summary"].startswith("5-1 Mathematics, Mon 23 Nov, period 1, 8:00: 26 slots are free")
    free = slots[THURSDAY, 4]
    assert (free["verdict"], free["word"], free["at"]) == ("free", "Fits", "Thu 26 Nov, period 4, 10:40")
    swap = slots[MONDAY.isoformat(), 3]
    assert (swap["verdict"], swap["word"]) == ("swap", "Change places with 5-1 Chinese")
    clash = slots[(MONDAY + timedelta(days=1)).isoformat(), 1]
    assert clash["url"] is None
    assert "5-1 already has a lesson on Tue 24 Nov, 8:00." in clash["why"]


def test_the_last_question_says_what_changes_and_who_is_told_and_undo_is_offered(
    placed: Placed, client: FlaskClient
) -> None:
    back = week_of_class(placed)
    address = f"/timetable/lessons/{placed.math.uid}/place"
    page = shown(client, f"{address}?day={THURSDAY}&period=4&version=1&back={quote(back)}")
    assert "Mon 23 Nov, period 1, 8:00" in page
    assert "Thu 26 Nov, period 4, 10:40" in page
    assert re.search(r"2 students · 2 guardians · 1 teacher\b", page)
    assert place(placed.math) == (MONDAY.isoformat(), 1)
    form = {"day": THURSDAY, "period": "4", "version": "1", "back": back, "reason": "体检"}
    answer = client.post(address, data=form)
    assert answer.status_code == 302
    assert place(placed.math) == (THURSDAY, 4)
    page = shown(client, answer.headers["Location"])
    assert "Done. Everybody concerned is being told." in page
    undo = re.search(r'action="(/timetable/changes/\w+/undo)".*?name="next" value="([^"]+)"', page)
    assert undo is not None
    page = client.post(undo[1], data={"next": undo[2].replace("&amp;", "&")}, follow_redirects=True).text
    assert "The change was undone." in page
    assert "Class 5-1" in page
    assert place(placed.math) == (MONDAY.isoformat(), 1)


def test_two_lessons_change_places_from_the_page(placed: Placed, client: FlaskClient) -> None:
    address = f"/timetable/lessons/{placed.math.uid}/place"
    page = shown(client, f"{address}?swap={placed.chinese.uid}&version=1")
    assert "5-1 Mathematics and 5-1 Chinese change places" in page
    assert client.post(address, data={"swap": placed.chinese.uid, "version": "1"}).status_code == 302
    assert (place(placed.math)[1], place(placed.chinese)[1]) == (3, 1)


def test_a_place_that_does_not_fit_any_more_is_refused_with_the_reason(placed: Placed, client: FlaskClient) -> None:
    address = f"/timetable/lessons/{placed.math.uid}/place"
    page = shown(client, f"{address}?day={MONDAY.isoformat()}&period=3&version=1")
    assert "This does not fit" in page
    assert "5-1 already has a lesson on Mon 23 Nov, 9:50." in page
    assert "Move and tell them" not in page
    answer = client.post(address, data={"day": MONDAY.isoformat(), "period": "3", "version": "1"})
    assert answer.status_code == 422
    assert "5-1 already has a lesson" in answer.text
    assert client.get(f"{address}?day=tomorrow&period=3").status_code == 422


def test_who_saw_an_older_week_is_told_who_changed_it(placed: Placed, client: FlaskClient) -> None:
    with transaction():
        move_lesson(placed.chinese, MONDAY, period=5, actor=placed.school.a.administrator)
    form = {"day": THURSDAY, "period": "4", "version": "1"}
    answer = client.post(f"/timetable/lessons/{placed.math.uid}/place", data=form)
    assert answer.status_code == 409
    assert f"was changed meanwhile, last by {placed.school.a.administrator.display_name}" in answer.text
    assert place(placed.math) == (MONDAY.isoformat(), 1)


@pytest.mark.parametrize("step", ["move", "cancel", "substitute"])
def test_the_forms_of_a_lesson_are_guarded_by_the_version_that_was_seen(
    placed: Placed, client: FlaskClient, step: str
) -> None:
    page = shown(client, f"/timetable/lessons/{placed.math.uid}")
    assert page.count('name="version" value="1"') == 3
    with transaction():
        move_lesson(placed.chinese, MONDAY, period=5, actor=placed.school.a.administrator)
    form = {"date": THURSDAY, "period": "4", "teacher": placed.school.a.other_teacher.uid, "version": "1"}
    assert client.post(f"/timetable/lessons/{placed.math.uid}/{step}", data=form).status_code == 409


def test_the_pages_ask_the_database_no_oftener_for_a_fuller_week(placed: Placed, client: FlaskClient) -> None:
    a = placed.school.a
    ids = ((ClassGroup, a.classes[0].id), (Subject, placed.math.subject_id), (Person, a.teacher.id))
    paths = (
        week_of_class(placed),
        f"/timetable?campus=campus-a&week={WEEK}&view=week",
        f"/timetable/lessons/{placed.math.uid}/slots",
        "/timetable/term?campus=campus-a",
    )
    before = [statements(client, path) for path in paths]
    with transaction():
        group, math, teacher = (db.session.get_one(table, key) for table, key in ids)
        for day in range(5):
            for period in (5, 6):
                at(group, math, teacher, day, period)  # type: ignore[arg-type]
    assert [statements(client, path) for path in paths] == before


def statements(client: FlaskClient, path: str) -> int:
    """How many statements a page takes."""
    asked: list[str] = []

    def one_more(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    db.session.rollback()
    db.session.expunge_all()
    sa.event.listen(db.engine, "before_cursor_execute", one_more)
    try:
        assert client.get(path).status_code == 200
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", one_more)
    return len(asked)


def test_without_script_the_slots_are_a_list_of_links(placed: Placed, client: FlaskClient) -> None:
    page = shown(client, f"/timetable/lessons/{placed.math.uid}/place")
    assert "period 1, 8:00: Here now" in page
    assert len(re.findall(r">[^<]*: Fits</a>", page)) == 26
    assert "/place?version=1&amp;swap=" in page
    assert "5-1 already has a lesson on Tue 24 Nov, 8:00." in page
    link = shown(client, f"/timetable/lessons/{placed.math.uid}")
    assert f"/timetable/lessons/{placed.math.uid}/place" in link


def test_conflicts_stand_in_their_cell_and_in_a_list_for_those_who_can_mend_them(
    app: Flask, placed: Placed, client: FlaskClient
) -> None:
    a = placed.school.a
    with transaction():
        added(Unavailability(person_id=a.other_teacher.id, first_day=MONDAY, last_day=MONDAY))
    for path in (week_of_class(placed), f"/timetable?campus=campus-a&week={WEEK}&day={MONDAY.isoformat()}"):
        page = shown(client, path)
        assert re.search(r'lesson-conflict.*?Chinese.*?class="conflict"><svg.*?</svg>Teacher away', page, re.DOTALL)
        assert f"{a.other_teacher.display_name} cannot teach on Mon 23 Nov, 9:50." in page
    assert "Teacher away" not in shown(english(app, a.students[0]), f"/timetable?week={WEEK}")


def test_the_week_of_a_campus_is_one_table_of_classes_and_periods(placed: Placed, client: FlaskClient) -> None:
    page = shown(client, f"/timetable?campus=campus-a&week={WEEK}&view=week")
    rows = re.findall(r"<tr>.*?</tr>", page, re.DOTALL)
    days = re.findall(r'scope="colgroup" colspan="(\d)">([^<]+)', rows[0])
    assert days == [("3", "Mon 11/23"), ("1", "Tue 11/24")]
    first = next(row for row in rows if ">5-1<" in row)
    assert re.findall(r'title="([^"]+)">(\w+)', first)[0] == (
        f"Mathematics, {placed.school.a.teacher.display_name}, Mon 23 Nov, period 1, 8:00", "Math",
    )  # fmt: skip
