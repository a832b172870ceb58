"""Pages of what upsets the timetable: a teacher's absence, cases with their proposals, the substitution board."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from lms_bridge.core import clock, jobs
from lms_bridge.core.access import Role
from lms_bridge.core.database import db, transaction
from lms_bridge.core.models import AuditEntry
from lms_bridge.timetable.cases.absences import report_absence
from lms_bridge.timetable.cases.board import assign
from lms_bridge.timetable.cases.models import CaseState, ChangeCase, TeacherAbsence
from lms_bridge.timetable.changing.lesson_changes import cancel_lesson
from lms_bridge.timetable.models import TeacherPart
from tests.builders import person_as
from tests.timetable.school import FRIDAY
from tests.timetable.upset import MONDAY, Upset, computed, day_of, stored, timetabled
from tests.web.test_timetable import english


@pytest.fixture
def upset(app: Flask) -> Iterator[Upset]:
    """The campus on Friday, its next two weeks timetabled."""
    app.config["WTF_CSRF_ENABLED"] = False
    with clock.at(FRIDAY):
        yield timetabled()


def the_case() -> ChangeCase:
    """The only case there is."""
    db.session.expire_all()
    return db.session.scalars(sa.select(ChangeCase)).one()


def case_of_absence(upset: Upset) -> ChangeCase:
    """The teacher of Chinese is ill on Monday; the case, with its proposals."""
    with transaction():
        report_absence(upset.wang, MONDAY, MONDAY, reason="secret fever", actor=upset.wang)
    return computed(the_case())


def test_a_teacher_sees_the_lessons_before_the_absence_is_reported(app: Flask, upset: Upset) -> None:
    client = english(app, upset.wang)
    form = {"first": MONDAY.isoformat(), "last": "", "whole": "no", "periods": ["2"], "reason": "secret fever"}
    asked = client.post("/absences", data=form).get_data(as_text=True)
    assert "5-2 Chinese · Mon 23 Nov, period 2, 8:50" in asked
    assert "5-1 Chinese" not in asked
    assert db.session.scalar(sa.select(sa.func.count()).select_from(TeacherAbsence)) == 0
    page = client.post("/absences", data=form | {"sure": "yes"}, follow_redirects=True).get_data(as_text=True)
    assert "1 lesson waits for the school" in page
    assert "secret fever" in page
    row = db.session.scalars(sa.select(TeacherAbsence)).one()
    assert (row.first_day, row.last_day, row.periods) == (MONDAY, MONDAY, [2])
    client.post(f"/absences/{row.uid}/withdraw")
    assert stored(the_case()).state is CaseState.WITHDRAWN


def test_a_wrong_absence_says_what_is_wrong_and_keeps_what_was_typed(app: Flask, upset: Upset) -> None:
    client = english(app, upset.wang)
    answer = client.post("/absences", data={"first": "2026-11-25", "last": "2026-11-24", "reason": "kept words"})
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert "The absence ends before it begins." in page
    assert "kept words" in page
    without = client.post("/absences", data={"first": "2026-11-25", "whole": "no"}).get_data(as_text=True)
    assert "No period was chosen." in without


def test_nobody_else_sees_an_absence_but_those_who_decide(app: Flask, upset: Upset) -> None:
    case = case_of_absence(upset)
    assert case.absence is not None
    address = f"/absences/{case.absence.uid}"
    for person in (upset.zhao, upset.school.a.guardians[0], upset.school.b.administrator):
        assert english(app, person).get(address).status_code == 404
        assert english(app, person).get(f"/timetable/cases/{case.uid}").status_code == 404
    client = english(app, upset.administrator)
    assert "secret fever" not in client.get(address).get_data(as_text=True)
    page = f"/timetable/cases/{case.uid}"
    assert "secret fever" not in client.get(page).get_data(as_text=True)
    assert "secret fever" in client.post(f"{page}/reason").get_data(as_text=True)
    looks = db.session.scalars(sa.select(AuditEntry).filter_by(action="absence.reason_read")).all()
    assert [row.actor_uid for row in looks] == [upset.administrator.uid]


def test_the_administrator_finds_the_case_on_the_home_page_and_decides(app: Flask, upset: Upset) -> None:
    case = case_of_absence(upset)
    client = english(app, upset.administrator)
    assert f"{upset.wang.display_name} is absent" in client.get("/").get_data(as_text=True)
    page = client.get(f"/timetable/cases/{case.uid}").get_data(as_text=True)
    assert page.count("people disturbed") == len(case.proposals)
    assert "5-1 Chinese · Mon 23 Nov, period 1, 8:00" in page
    first = case.proposals[0].change_set
    preview = client.get(f"/timetable/cases/{case.uid}/proposals/{first.uid}").get_data(as_text=True)
    assert "Class 5-1" in preview
    assert "Mailbox folder" in preview
    assert "4 people cannot be reached" in preview
    done = client.post(f"/timetable/cases/{case.uid}/proposals/{first.uid}/apply", follow_redirects=True)
    assert "The change is in force." in done.get_data(as_text=True)
    assert stored(case).state is CaseState.DECIDED
    back = client.post(f"/timetable/cases/{case.uid}/proposals/{first.uid}/undo", follow_redirects=True)
    assert "The change was undone." in back.get_data(as_text=True)
    assert stored(case).state is CaseState.OPEN


def test_who_comes_second_is_told_what_changed_and_solves_again(app: Flask, upset: Upset) -> None:
    case = case_of_absence(upset)
    with transaction():
        cancel_lesson(upset.lessons(upset.english)[0], actor=upset.school.bureau_administrator, reason="health check")
    client = english(app, upset.administrator)
    address = f"/timetable/cases/{case.uid}"
    answer = client.post(f"{address}/proposals/{case.proposals[0].change_set.uid}/apply")
    assert answer.status_code == 409
    page = answer.get_data(as_text=True)
    assert "was changed meanwhile, last by" in page
    assert "health check" in page
    assert "Solve again" in page
    client.post(f"{address}/again")
    jobs.run_due()
    assert "was changed meanwhile" not in client.get(address).get_data(as_text=True)


@pytest.mark.parametrize(
    ("kind", "form", "title"),
    [
        ("day", {"first": "2026-11-24", "reason": "typhoon"}, "No school on Tue 24 Nov"),
        ("rooms", {"first": "2026-11-23", "rooms": "1"}, "Only 1 online room at once"),
        ("back", {"first": "2026-11-25"}, "is at school again"),
    ],
)
def test_what_happened_opens_a_case(app: Flask, upset: Upset, kind: str, form: dict[str, str], title: str) -> None:
    client = english(app, upset.administrator)
    assert client.get(f"/timetable/cases/new?kind={kind}").status_code == 200
    data = {"kind": kind, "campus": "campus-a"} | form
    page = client.post("/timetable/cases/new", data=data, follow_redirects=True).get_data(as_text=True)
    assert title in page
    assert "Working out proposals" in page
    assert len(computed(the_case()).proposals) >= 2


def test_a_case_that_cannot_be_is_refused_beside_its_field(app: Flask, upset: Upset) -> None:
    client = english(app, upset.administrator)
    form = {"kind": "day", "campus": "campus-a", "first": "2026-11-28", "reason": "typhoon"}
    answer = client.post("/timetable/cases/new", data=form)
    assert answer.status_code == 422
    assert "No school is held on Sat 28 Nov. Choose a school day." in answer.get_data(as_text=True)
    assert "typhoon" in answer.get_data(as_text=True)
    online = {"kind": "online", "campus": "campus-a", "first": "2026-11-24"}
    assert "online already" in client.post("/timetable/cases/new", data=online).get_data(as_text=True)
    nobody = {"kind": "absence", "campus": "campus-a", "first": "2026-11-24"}
    assert "No teacher was chosen." in client.post("/timetable/cases/new", data=nobody).get_data(as_text=True)


def test_the_administrator_reports_an_absence_for_a_teacher(app: Flask, upset: Upset) -> None:
    client = english(app, upset.administrator)
    form = {"kind": "absence", "campus": "campus-a", "first": "2026-11-24", "teacher": upset.wang.uid}
    page = client.post("/timetable/cases/new", data=form, follow_redirects=True).get_data(as_text=True)
    assert f"{upset.wang.display_name} is absent" in page


def test_a_teacher_asks_for_a_lesson_to_move(app: Flask, upset: Upset) -> None:
    client = english(app, upset.wang)
    row = upset.lessons(upset.chinese)[0]
    assert "5-1 Chinese · Mon 23 Nov" in client.get("/absences/move").get_data(as_text=True)
    wish = {"lesson": row.uid, "day": "2026-11-26", "period": "4"}
    page = client.post("/absences/move", data=wish, follow_redirects=True).get_data(as_text=True)
    assert "To be decided" in page
    other = {"lesson": upset.lessons(upset.english)[0].uid}
    assert client.post("/absences/move", data=other).status_code == 422


def test_the_board_gives_a_lesson_with_one_tap_and_takes_it_back(app: Flask, upset: Upset) -> None:
    case = case_of_absence(upset)
    client = english(app, upset.administrator)
    address = f"/timetable/board?day={MONDAY.isoformat()}"
    page = client.get(address).get_data(as_text=True)
    assert "2 lessons without a teacher" in page
    assert "teaches the subject · stood in 0× this term · 0 lessons this week" in page
    row = upset.lessons(upset.chinese)[0]
    done = client.post(
        f"/timetable/board/{row.uid}", data={"teacher": upset.zhao.uid, "seen": row.sequence}, follow_redirects=True
    )
    page = done.get_data(as_text=True)
    assert f"{upset.zhao.display_name} takes the lesson." in page
    assert "1 lesson without a teacher" in page
    assert [t.part for t in upset.lessons(upset.chinese)[0].teachers] == [TeacherPart.SUBSTITUTE]
    assert stored(case).state is CaseState.OPEN
    undo = page.split("/timetable/board/")[1].split("/undo")[0]
    back = client.post(f"/timetable/board/{undo}/undo", data={"day": MONDAY.isoformat()}, follow_redirects=True)
    assert "2 lessons without a teacher" in back.get_data(as_text=True)
    busy = client.post(
        f"/timetable/board/{row.uid}",
        data={"teacher": upset.school.a.other_teacher.uid, "seen": upset.lessons(upset.chinese)[0].sequence},
        follow_redirects=True,
    )
    assert "already has a lesson on Mon 23 Nov" in busy.get_data(as_text=True)


def test_who_gives_a_lesson_of_the_board_second_is_told_who_stands_in(app: Flask, upset: Upset) -> None:
    case_of_absence(upset)
    address = f"/timetable/board?day={MONDAY.isoformat()}"
    first, second = (english(app, p) for p in (upset.administrator, upset.school.bureau_administrator))
    seen = re.search(r'name="seen" value="(\d+)"', second.get(f"{address}&campus=campus-a").get_data(as_text=True))
    assert seen is not None
    row = upset.lessons(upset.chinese)[0]
    first.post(f"/timetable/board/{row.uid}", data={"teacher": upset.zhao.uid, "seen": seen[1]})
    late = {"teacher": upset.school.a.counsellor.uid, "seen": seen[1]}
    page = second.post(f"/timetable/board/{row.uid}", data=late, follow_redirects=True).get_data(as_text=True)
    assert f"{upset.zhao.display_name} already stands in for the lesson on Mon 23 Nov, 8:00." in page
    assert [t.person_id for t in upset.lessons(upset.chinese)[0].teachers] == [upset.zhao.id]


def test_the_board_names_who_is_absent_however_often_the_substitute_changes(app: Flask, upset: Upset) -> None:
    case_of_absence(upset)
    row = upset.lessons(upset.chinese)[0]
    with transaction():
        other = person_as(Role.TEACHER, upset.school.a.campus, family_name="周", given_name="方")
    for teacher in (upset.zhao, other):
        with transaction():
            assign(row, teacher, seen=upset.lessons(upset.chinese)[0].sequence, actor=upset.administrator)
    page = english(app, upset.administrator).get(f"/timetable/board?day={MONDAY.isoformat()}").get_data(as_text=True)
    assert f"absent: {upset.wang.display_name}" in page
    assert f"absent: {upset.zhao.display_name}" not in page
    assert f"{other.display_name} stands in" in page


def test_undo_is_offered_only_as_long_as_it_works(app: Flask, upset: Upset) -> None:
    client, row = english(app, upset.administrator), upset.lessons(upset.english)[-1]
    with transaction():
        done = cancel_lesson(row, actor=upset.administrator)
    addresses = (f"/timetable/changes/{done.uid}", f"/timetable?class={upset.two.uid}&done={done.uid}")
    for address in addresses:
        assert f"/timetable/changes/{done.uid}/undo" in client.get(address).get_data(as_text=True)
    with clock.at(FRIDAY + timedelta(days=1)):
        for address in addresses:
            assert f"/timetable/changes/{done.uid}/undo" not in client.get(address).get_data(as_text=True)


def test_when_the_board_has_settled_all_lessons_the_case_is_decided(app: Flask, upset: Upset) -> None:
    case = case_of_absence(upset)
    client = english(app, upset.administrator)
    for row in [row for row in upset.lessons(upset.chinese) if day_of(row) == MONDAY]:
        client.post(f"/timetable/board/{row.uid}", data={"teacher": upset.zhao.uid, "seen": row.sequence})
    assert stored(case).state is CaseState.DECIDED
    page = client.get(f"/timetable/board?day={MONDAY.isoformat()}").get_data(as_text=True)
    assert "Every lesson has a teacher" in page
    assert page.count(f"{upset.zhao.display_name} stands in") == 2
    with clock.at(FRIDAY + timedelta(days=1)):
        assert "/undo" not in client.get(f"/timetable/board?day={MONDAY.isoformat()}").get_data(as_text=True)


def test_the_pages_speak_chinese_too(app: Flask, upset: Upset) -> None:
    case = case_of_absence(upset)
    client = english(app, upset.administrator)
    client.get("/language/zh-CN")
    page = client.get(f"/timetable/cases/{case.uid}").get_data(as_text=True)
    assert f"{upset.wang.display_name}缺勤" in page
    assert "查看变化" in page


def test_a_wrong_number_of_rooms_is_corrected_on_the_page_of_its_decided_case(app: Flask, upset: Upset) -> None:
    client = english(app, upset.administrator)
    client.post(
        "/timetable/cases/new", data={"kind": "rooms", "campus": "campus-a", "first": "2026-11-23", "rooms": "50"}
    )
    case = computed(db.session.scalars(sa.select(ChangeCase)).one())
    assert case.state is CaseState.DECIDED
    address = f"/timetable/cases/{case.uid}"
    assert "Other rooms than reported?" in client.get(address).get_data(as_text=True)
    wrong = client.post(f"{address}/rooms", data={"rooms": "-4", "last": "2026-11-23"})
    assert wrong.status_code == 422
    assert "-4 is no number of rooms." in wrong.get_data(as_text=True)
    done = client.post(f"{address}/rooms", data={"rooms": "1", "last": "2026-11-24"}, follow_redirects=True)
    assert "The rooms are corrected." in done.get_data(as_text=True)
    case = computed(case)
    assert case.state is CaseState.OPEN
    page = client.get(address).get_data(as_text=True)
    assert "Only 1 online room at once" in page
    assert "Proved: no smaller change exists" in page
    client.post(f"{address}/withdraw")
    assert stored(case).state is CaseState.WITHDRAWN
    assert "Other rooms than reported?" not in client.get(address).get_data(as_text=True)


def test_a_proposal_says_how_far_from_the_smallest_change_it_is(app: Flask, upset: Upset) -> None:
    case = case_of_absence(upset)
    page = english(app, upset.administrator).get(f"/timetable/cases/{case.uid}").get_data(as_text=True)
    swap = next(p for p in case.proposals if p.way == "swap")
    assert 0 < swap.figures["gap"] < 1
    assert f"At most {math.ceil(100 * swap.figures['gap'])}% from the smallest possible" in page
    assert "Proved: no smaller change exists" in page
