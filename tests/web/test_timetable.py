"""Timetable pages: the week of a class or teacher, changing a lesson by form, solving a week and publishing it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import time, timedelta
from html.parser import HTMLParser

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from lms_bridge.core import clock, jobs
from lms_bridge.core.clock import local
from lms_bridge.core.database import db, transaction
from lms_bridge.roster.models import ClassGroup, Person
from lms_bridge.timetable.making.scheduling import solve_week
from lms_bridge.timetable.models import ChangeSet, Lesson, LessonStatus, SolveRun, TimetableWeek, Unavailability
from tests import builders
from tests.builders import SchoolSystem, added
from tests.lessons.support import START, school_at
from tests.timetable.school import FRIDAY, WEEK, school_with_plans
from tests.web.test_plans import signed_in


@pytest.fixture
def school(app: Flask) -> Iterator[SchoolSystem]:
    """A school on the Friday before an unpublished week."""
    app.config["WTF_CSRF_ENABLED"] = False
    with clock.at(FRIDAY):
        yield school_with_plans()


@pytest.fixture
def published(school: SchoolSystem) -> SchoolSystem:
    """The same, with the week published."""
    solve_week("campus-a", WEEK, actor=school.a.administrator)
    return school


class Table(HTMLParser):
    """The first table of a page as rows of cell texts, with the kinds and scopes of the cells."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.caption = ""
        self.rows: list[list[str]] = []
        self.scopes: set[tuple[str, str | None]] = set()
        self._into: str | None = None
        self._done = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._done:
            return
        if tag == "tr":
            self.rows.append([])
        elif tag in ("th", "td"):
            self.rows[-1].append("")
            self.scopes.add((tag, dict(attrs).get("scope")))
        if tag in ("th", "td", "caption"):
            self._into = tag

    def handle_endtag(self, tag: str) -> None:
        if tag in ("th", "td", "caption"):
            self._into = None
        self._done = self._done or tag == "table"

    def handle_data(self, data: str) -> None:
        if self._into == "caption":
            self.caption += data
        elif self._into and not self._done:
            self.rows[-1][-1] += data


def english(app: Flask, person: Person) -> FlaskClient:
    """A client of ``person`` in English."""
    client = signed_in(app, person)
    client.get("/language/en")
    return client


def shown(client: FlaskClient, path: str) -> str:
    """The text of a page that opens."""
    answer = client.get(path, follow_redirects=True)
    assert answer.status_code == 200, path
    return answer.get_data(as_text=True)


def lessons() -> list[Lesson]:
    """The lessons of the week in order of time."""
    db.session.rollback()
    db.session.expire_all()
    return list(
        db.session.scalars(
            sa.select(Lesson).join(TimetableWeek).where(TimetableWeek.week == WEEK).order_by(Lesson.starts_at)
        )
    )


def assert_stands_in_its_cell(table: Table, lesson: Lesson, who: str) -> None:
    """The lesson stands in the row of its period and the column of its day."""
    start = local(lesson.starts_at, lesson.zone)
    row = next(row for row in table.rows if f"{start:%H:%M}" in row[0] and "Period" in row[0])
    assert lesson.subject.name_en in row[start.weekday() + 1]
    assert who in row[start.weekday() + 1]


def test_the_week_of_a_class_is_a_table_of_periods_and_days(app: Flask, published: SchoolSystem) -> None:
    group = published.a.classes[0]
    table = Table(shown(english(app, published.a.administrator), f"/timetable?class={group.uid}&week={WEEK}"))
    assert "5-1" in table.caption
    assert {("th", "col"), ("th", "row")} <= table.scopes
    assert [re.sub(r"\W+", " ", head).strip() for head in table.rows[0][1:3]] == ["Mon 23 Nov", "Tue 24 Nov"]
    own = [row for row in lessons() if row.audience[0].class_id == group.id]
    assert len(own) >= 4
    for row in own:
        assert_stands_in_its_cell(table, row, row.teachers[0].person.display_name)
    cells = [cell for line in table.rows[1:] for cell in line[1:]]
    assert sum("Chinese" in cell or "Mathematics" in cell for cell in cells) == len(own)


def test_the_week_of_a_teacher_names_the_classes(app: Flask, published: SchoolSystem) -> None:
    table = Table(shown(english(app, published.a.teacher), f"/timetable?week={WEEK}"))
    own = [row for row in lessons() if row.teachers[0].person_id == published.a.teacher.id]
    assert len(own) >= 8
    for row in own:
        assert_stands_in_its_cell(table, row, row.audience[0].class_group.title)


def test_a_student_and_a_guardian_see_the_lessons_of_the_class_with_their_doors(
    app: Flask, published: SchoolSystem
) -> None:
    own = [row for row in lessons() if row.audience[0].class_id == published.a.classes[0].id]
    for person in (published.a.students[0], published.a.guardians[0]):
        page = shown(signed_in(app, person), f"/timetable?week={WEEK}")
        assert all(f'href="/l/{row.uid}"' in page for row in own)
        assert "/timetable/lessons/" not in page


def test_a_week_without_lessons_says_so(app: Flask, school: SchoolSystem) -> None:
    page = shown(english(app, school.a.students[0]), f"/timetable?week={WEEK}")
    assert "No lessons in this week" in page


def test_the_day_of_a_campus_leads_readers_to_pages_that_open_for_them(app: Flask, published: SchoolSystem) -> None:
    path = f"/timetable?campus=campus-a&week={WEEK}&day=2026-11-23"
    page = shown(signed_in(app, published.a.administrator), path)
    link = re.search(r'href="(/timetable/lessons/\w+)"', page)
    assert link is not None
    shown(signed_in(app, published.a.administrator), link[1])
    page = shown(signed_in(app, published.a.supervisor), path)
    assert "/timetable/lessons/" not in page
    assert "语文" in page


@pytest.mark.parametrize("who", ["administrator", "teacher", "students", "guardians"])
def test_nobody_of_another_campus_sees_the_week(app: Flask, published: SchoolSystem, who: str) -> None:
    found = getattr(published.b, who)
    client = signed_in(app, found[0] if isinstance(found, list) else found)
    a, uid = published.a, lessons()[0].uid
    change_set = db.session.scalars(sa.select(ChangeSet)).one()
    for path in (
        f"/timetable?class={a.classes[0].uid}&week={WEEK}",
        f"/timetable?teacher={a.teacher.uid}&week={WEEK}",
        f"/timetable?student={a.students[0].uid}&week={WEEK}",
        f"/timetable?campus=campus-a&week={WEEK}",
        f"/timetable/lessons/{uid}",
        f"/timetable/changes/{change_set.uid}",
    ):
        assert client.get(path).status_code in (403, 404), path
    assert client.get(f"/timetable?class={a.classes[0].uid}").status_code == 404
    assert client.post(f"/timetable/lessons/{uid}/cancel").status_code == 404
    assert client.post(f"/timetable/changes/{change_set.uid}/undo").status_code == 404
    assert all(row.status is LessonStatus.SCHEDULED for row in lessons())


def test_an_administrator_solves_a_week_watches_it_and_publishes_it(app: Flask, school: SchoolSystem) -> None:
    client = english(app, school.a.administrator)
    assert f'value="{WEEK}"' in shown(client, "/timetable/solve")
    answer = client.post("/timetable/solve", data={"campus": "campus-a", "week": WEEK})
    assert answer.status_code == 302
    run_page = answer.headers["Location"]
    page = shown(client, run_page)
    assert "Looking for the best timetable" in page
    assert "<progress" in page or 'role="progressbar"' in page
    assert "data-progress" in page
    jobs.run_due()
    page = shown(client, run_page)
    assert "There is a timetable" in page
    assert "data-progress" not in page
    assert lessons() == []
    proposal = re.search(r'href="(/timetable/changes/(\w+))"', page)
    assert proposal is not None
    assert "Proposed, not in force" in shown(client, proposal[1])
    page = client.post(f"{proposal[1]}/apply", follow_redirects=True).get_data(as_text=True)
    assert "The change is in force." in page
    assert len(lessons()) >= 8
    page = client.post(f"{proposal[1]}/undo", follow_redirects=True).get_data(as_text=True)
    assert "The change was undone." in page
    assert {row.status for row in lessons()} == {LessonStatus.CANCELLED}


def test_a_week_that_cannot_be_solved_says_why_on_the_page_of_the_run(app: Flask, school: SchoolSystem) -> None:
    with transaction():
        for weekday in range(4):
            added(Unavailability(person_id=school.a.teacher.id, weekday=weekday))
    client = english(app, school.a.administrator)
    run_page = client.post("/timetable/solve", data={"campus": "campus-a", "week": WEEK}).headers["Location"]
    jobs.run_due()
    page = shown(client, run_page)
    assert f"There is no timetable for campus campus-a in week {WEEK}" in page
    assert f"{school.a.teacher.display_name} has " in page
    assert "is free in 6." in page
    assert "One of these would" in page
    assert "Try again" in page
    assert lessons() == []


def test_only_those_who_write_the_timetable_solve_it(app: Flask, school: SchoolSystem) -> None:
    for person in (school.a.teacher, school.a.students[0], school.a.supervisor, school.b.administrator):
        answer = signed_in(app, person).post("/timetable/solve", data={"campus": "campus-a", "week": WEEK})
        assert answer.status_code in (403, 404)
    assert db.session.scalars(sa.select(SolveRun)).all() == []


def test_a_lesson_is_moved_by_the_form_and_the_week_shows_where_it_was(app: Flask, published: SchoolSystem) -> None:
    client = english(app, published.a.administrator)
    row = lessons()[0]
    page = shown(client, f"/timetable/lessons/{row.uid}")
    for field in ("date", "period", "start", "reason", "teacher"):
        assert re.search(rf'<label[^>]*for="field-{field}', page), field
        assert f'name="{field}"' in page
    period = next(
        n for n in (6, 5, 4) if all(local(x.starts_at, x.zone).day != 27 or x.period_number != n for x in lessons())
    )
    form = {"date": "2026-11-27", "period": str(period), "reason": "体检"}
    page = client.post(f"/timetable/lessons/{row.uid}/move", data=form, follow_redirects=True).get_data(as_text=True)
    assert "Done. Everybody concerned is being told." in page
    assert "体检" in page
    uid = row.audience[0].class_group.uid
    week = shown(client, f"/timetable?class={uid}&week={WEEK}")
    assert "moved from" in week


def test_what_speaks_against_a_form_stands_beside_its_field_and_what_was_typed_stays(
    app: Flask, published: SchoolSystem
) -> None:
    client = english(app, published.a.administrator)
    row = lessons()[0]
    answer = client.post(
        f"/timetable/lessons/{row.uid}/move", data={"date": "2026-11-28", "period": "1", "reason": "有事"}
    )
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "No school is held on Sat 28 Nov." in page
    assert 'value="2026-11-28"' in page
    assert 'value="有事"' in page
    assert 'aria-invalid="true"' in page
    answer = client.post(f"/timetable/lessons/{row.uid}/move", data={"date": "", "start": "25:99"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "No day was chosen." in page
    assert "“25:99” is not a time." in page
    answer = client.post(f"/timetable/lessons/{row.uid}/substitute", data={"teacher": ""})
    assert answer.status_code == 422
    assert "No teacher was chosen." in answer.get_data(as_text=True)
    assert lessons()[0].sequence == 0


def test_a_teacher_of_two_grades_whose_periods_begin_at_other_times_sees_the_week(app: Flask) -> None:
    with school_at(0) as school:
        with transaction():
            db.session.get_one(ClassGroup, school.a.classes[1].id).grade = "6"
            builders.grid(school.a.campus, starts=[time(9, 5)], grades=["6"])
            builders.lesson(school.a.classes[1], school.subject, school.a.teacher, START + timedelta(hours=2))
        page = signed_in(app, school.a.teacher).get("/timetable")
        assert page.status_code == 200
        assert school.a.classes[1].title in page.get_data(as_text=True)


def test_a_lesson_gets_another_teacher_and_is_cancelled_by_the_form(app: Flask, published: SchoolSystem) -> None:
    client = english(app, published.a.administrator)
    row = lessons()[0]
    page = shown(client, f"/timetable/lessons/{row.uid}")
    assert f'value="{published.a.other_teacher.uid}"' in page
    client.post(f"/timetable/lessons/{row.uid}/substitute", data={"teacher": published.a.other_teacher.uid})
    assert lessons()[0].teachers[0].person_id == published.a.other_teacher.id
    client.post(f"/timetable/lessons/{row.uid}/cancel", data={"reason": "停电"})
    assert lessons()[0].status is LessonStatus.CANCELLED
    page = shown(client, f"/timetable/lessons/{row.uid}")
    assert "This lesson cannot be changed any more" in page
    assert "停电" in page
    assert "停电" in shown(client, "/timetable/changes")


def test_the_second_of_two_who_publish_is_refused_with_what_changed(app: Flask, school: SchoolSystem) -> None:
    client = english(app, school.a.administrator)
    pages = []
    for _ in range(2):
        run_page = client.post("/timetable/solve", data={"campus": "campus-a", "week": WEEK}).headers["Location"]
        jobs.run_due()
        found = re.search(r'href="(/timetable/changes/\w+)"', shown(client, run_page))
        assert found is not None
        pages.append(found[1])
    assert client.post(f"{pages[0]}/apply").status_code == 302
    answer = client.post(f"{pages[1]}/apply")
    assert answer.status_code == 409
    text = answer.get_data(as_text=True)
    assert f"The timetable of {WEEK} was changed meanwhile, last by {school.a.administrator.display_name}" in text
    assert len({(x.starts_at, x.audience[0].class_id) for x in lessons()}) == len(lessons())


def test_on_a_phone_each_day_has_its_own_button(app: Flask, published: SchoolSystem) -> None:
    page = shown(english(app, published.a.students[0]), f"/timetable?week={WEEK}")
    picks = re.findall(r'<input class="pick[^>]*type="radio"[^>]*id="([^"]+)"', page)
    assert len(picks) == 5
    assert all(f'for="{pick}"' in page for pick in picks)
    assert 'name="viewport"' in page
