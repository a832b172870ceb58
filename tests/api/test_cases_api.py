"""Programs report absences, read cases with their proposals, decide them, and work at the substitution board."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from lms_bridge.core import clock
from lms_bridge.core.access import Role
from lms_bridge.core.database import db, transaction
from lms_bridge.core.models import OutboxFact
from lms_bridge.roster.models import Person
from lms_bridge.timetable.cases.cases import case_by_uid
from lms_bridge.timetable.cases.models import ChangeCase
from lms_bridge.timetable.cases.runs import work_out_case
from tests.api.conftest import Caller, MakeCaller
from tests.builders import person_as, role
from tests.timetable.school import FRIDAY
from tests.timetable.upset import MONDAY, QUICK, Upset, day_of, timetabled

DAY = MONDAY.isoformat()
ENGLISH = {"headers": {"Accept-Language": "en"}}


@pytest.fixture
def upset(app: Flask) -> Iterator[Upset]:
    with clock.at(FRIDAY):
        yield timetabled()


@pytest.fixture
def administrator(upset: Upset, caller_of: MakeCaller) -> Caller:
    return caller_of(upset.administrator)


def reported(upset: Upset, administrator: Caller) -> tuple[str, ChangeCase]:
    """The uid of an absence of Monday, and its case with the proposals worked out."""
    said = {"teacher": upset.wang.uid, "first_day": DAY, "reason": "发烧"}
    answer = administrator.post("/absences", json=said)
    assert answer.status_code == 201
    assert "发烧" not in answer.get_data(as_text=True)
    (uid,) = answer.json["cases"]
    case = case_by_uid(uid)
    assert case is not None
    work_out_case(case.id, QUICK)
    return answer.json["uid"], case


def test_a_case_is_reported_read_decided_and_taken_back(upset: Upset, administrator: Caller) -> None:
    absence, case = reported(upset, administrator)
    listed = administrator.get("/cases?campus=campus-a&state=open").json
    assert [(row["uid"], row["computing"], row["absence"]) for row in listed["items"]] == [(case.uid, "done", absence)]
    shown = administrator.get(f"/cases/{case.uid}", **ENGLISH).json
    own = {row.uid for row in upset.lessons(upset.chinese) if day_of(row) == MONDAY}
    assert set(shown["hit"]) == own
    assert [row["position"] for row in shown["options"]] == list(range(1, len(shown["options"]) + 1))
    assert shown["options"][-1]["name"] == "Cancel without replacement"
    given = next(row for row in shown["options"] if row["way"] == "substitute")
    assert {row["lesson"] for row in given["change_set"]["changes"]} == own
    path = f"/cases/{case.uid}/proposals/{given['uid']}"
    assert administrator.post(f"{path}/apply").json["state"] == "applied"
    assert administrator.post(f"{path}/apply").status_code == 409
    assert administrator.get("/cases?campus=campus-a&state=open").json["total"] == 0
    assert administrator.get("/cases?campus=campus-a").json["items"][0]["state"] == "decided"
    assert administrator.post(f"{path}/undo").status_code == 200
    assert administrator.get(f"/cases/{case.uid}").json["state"] == "open"


def test_an_absence_is_withdrawn_once_and_wrong_ones_are_refused_in_words(
    upset: Upset, administrator: Caller, caller_of: MakeCaller
) -> None:
    teacher = caller_of(upset.wang)
    made = teacher.post("/absences", json={"first_day": DAY, "periods": [1]}).json
    assert (made["teacher"], made["last_day"], made["periods"]) == (upset.wang.uid, DAY, [1])
    assert administrator.get(f"/absences/{made['uid']}").json["withdrawn_at"] is None
    assert teacher.post(f"/absences/{made['uid']}/withdraw").json["withdrawn_at"]
    assert teacher.post(f"/absences/{made['uid']}/withdraw").status_code == 409
    assert administrator.get(f"/cases/{made['cases'][0]}").json["state"] == "withdrawn"
    wrong = teacher.post("/absences", json={"first_day": DAY, "last_day": "2026-11-01"}, **ENGLISH)
    assert wrong.status_code == 422
    assert "The absence ends before it begins." in wrong.get_data(as_text=True)
    assert teacher.post("/absences", json={"first_day": DAY, "day": DAY}).status_code == 422


def test_the_board_offers_who_is_free_and_a_lesson_is_given(upset: Upset, administrator: Caller) -> None:
    reported(upset, administrator)
    board = administrator.get(f"/board?campus=campus-a&day={DAY}").json
    assert board["missing"] == 2
    row = board["rows"][0]
    assert row["offers"][0]["teacher"] == upset.zhao.uid
    path = f"/board/lessons/{row['lesson']['uid']}/assign"
    seen = {"sequence": row["lesson"]["sequence"]}
    assert administrator.post(path, json=seen | {"teacher": "nobody"}).status_code == 422
    made = administrator.post(path, json=seen | {"teacher": upset.zhao.uid}).json
    assert made["state"] == "applied"
    again = administrator.get(f"/board?campus=campus-a&day={DAY}").json
    assert again["missing"] == 1
    assert (again["rows"][0]["stands_in"], again["rows"][0]["change_set"]) == (upset.zhao.display_name, made["uid"])


def test_who_gives_a_lesson_second_is_told_who_stands_in_and_replaces_only_on_purpose(
    upset: Upset, administrator: Caller, caller_of: MakeCaller
) -> None:
    reported(upset, administrator)
    second = caller_of(upset.school.bureau_administrator)
    row = second.get(f"/board?campus=campus-a&day={DAY}").json["rows"][0]
    path, seen = f"/board/lessons/{row['lesson']['uid']}/assign", {"sequence": row["lesson"]["sequence"]}
    assert administrator.post(path, json=seen | {"teacher": upset.zhao.uid}).status_code == 200
    other = person_who_teaches(upset)
    refused = second.post(path, json=seen | {"teacher": other.uid}, **ENGLISH)
    assert refused.status_code == 409
    assert f"{upset.zhao.display_name} already stands in for the lesson on Mon 23 Nov" in refused.json["detail"]
    facts = sa.select(sa.func.count()).select_from(OutboxFact).where(OutboxFact.kind == "timetable.changed")
    assert db.session.scalar(facts) == 1
    again = second.get(f"/board?campus=campus-a&day={DAY}").json["rows"][0]
    assert again["stands_in"] == upset.zhao.display_name
    on_purpose = {"teacher": other.uid, "sequence": again["lesson"]["sequence"]}
    assert second.post(path, json=on_purpose).status_code == 200
    assert second.post(path, json={"teacher": other.uid}).status_code == 422


def person_who_teaches(upset: Upset) -> Person:
    """Another teacher of the campus, free all day."""
    with transaction():
        return person_as(Role.TEACHER, upset.school.a.campus, family_name="周", given_name="方")


def test_where_a_teacher_is_only_a_parent_nobody_touches_their_absence(
    upset: Upset, administrator: Caller, caller_of: MakeCaller
) -> None:
    absence, _ = reported(upset, administrator)
    with transaction():
        role(upset.wang, upset.school.b.campus, Role.GUARDIAN)
    other = caller_of(upset.school.b.administrator)
    assert other.get(f"/absences/{absence}").status_code == 404
    assert other.post(f"/absences/{absence}/withdraw").status_code == 404
    wanted = {"teacher": upset.wang.uid, "first_day": "2026-11-25"}
    assert other.post("/absences", json=wanted).status_code == 404
    with transaction():
        role(upset.wang, upset.school.b.campus, Role.TEACHER)
    assert caller_of(upset.school.b.administrator).post("/absences", json=wanted).status_code == 201


@pytest.mark.parametrize(
    ("path", "said", "cause"),
    [
        ("back", {"first_day": "2026-11-25", "reason": "open again"}, "closure"),
        ("back", {"first_day": "2026-11-25", "class": "5-1"}, None),
        ("rooms-lost", {"first_day": DAY, "rooms": 1}, "provider_failure"),
        ("rooms-lost", {"first_day": DAY, "rooms": -1}, None),
        ("day-lost", {"day": "2026-11-24", "reason": "typhoon"}, "day_lost"),
        ("online", {"first_day": DAY, "last_day": "2026-11-24"}, None),
        ("online", {"first_day": DAY, "class": "9-9"}, None),
    ],
)
def test_what_happened_opens_a_case_or_is_refused_in_words(
    upset: Upset, administrator: Caller, path: str, said: dict[str, object], cause: str | None
) -> None:
    answer = administrator.post(f"/cases/{path}", json={"campus": "campus-a"} | said, **ENGLISH)
    if cause is None:
        assert answer.status_code == 422
        assert answer.json["errors"][0]["remedy"]
        return
    assert (answer.status_code, answer.json["cause"], answer.json["state"]) == (201, cause, "open")
    assert administrator.get("/cases?campus=campus-a&state=open").json["total"] == 1


def test_a_class_goes_online_again_and_the_case_is_closed_or_taken_back(upset: Upset, administrator: Caller) -> None:
    administrator.post("/cases/back", json={"campus": "campus-a", "first_day": "2026-11-25"})
    said = {"campus": "campus-a", "class": upset.two.code, "first_day": "2026-11-26"}
    made = administrator.post("/cases/online", json=said)
    assert (made.status_code, made.json["first_day"]) == (201, "2026-11-26")
    withdrawn = administrator.post(f"/cases/{made.json['uid']}/withdraw")
    assert withdrawn.json["state"] == "withdrawn"
    assert administrator.post(f"/cases/{made.json['uid']}/withdraw").status_code == 409
    again = administrator.post("/cases/online", json=said)
    assert again.status_code == 201
    assert administrator.post(f"/cases/{again.json['uid']}/close").json["state"] == "closed"
    assert administrator.post("/cases/online", json=said).status_code == 422


def test_a_teacher_asks_for_an_own_lesson_to_move(upset: Upset, administrator: Caller, caller_of: MakeCaller) -> None:
    teacher, lesson = caller_of(upset.wang), upset.lessons(upset.chinese)[0]
    wish = {"lesson": lesson.uid, "date": "2026-11-26", "period": 4, "reason": "dentist"}
    made = teacher.post("/move-requests", json=wish)
    assert (made.status_code, made.json["state"]) == (201, "open")
    assert teacher.get("/move-requests").json["requests"] == [made.json]
    assert made.json["lesson"] == lesson.uid
    assert administrator.post(f"/cases/{made.json['uid']}/close").json["cause"] == "request"
    assert [row["state"] for row in teacher.get("/move-requests").json["requests"]] == ["closed"]
    assert caller_of(upset.zhao).post("/move-requests", json=wish).status_code == 404
    half = teacher.post("/move-requests", json={"lesson": lesson.uid, "period": 4}, **ENGLISH)
    assert "A wish needs a day and a period." in half.get_data(as_text=True)


def test_strangers_and_keys_that_only_read_reach_nothing(
    upset: Upset, administrator: Caller, caller_of: MakeCaller
) -> None:
    absence, case = reported(upset, administrator)
    proposal = case.proposals[0].change_set.uid
    lesson = upset.lessons(upset.chinese)[0].uid
    reads = [
        f"/absences/{absence}",
        f"/cases/{case.uid}",
        f"/board?campus=campus-a&day={DAY}",
        "/cases?campus=campus-a",
    ]
    happened = {"campus": "campus-a", "first_day": DAY}
    steps: list[tuple[str, dict[str, Any] | None]] = [
        (f"/cases/{case.uid}/close", None),
        (f"/cases/{case.uid}/withdraw", None),
        ("/cases/online", happened),
        ("/cases/back", happened),
        ("/cases/rooms-lost", happened | {"rooms": 0}),
        ("/cases/day-lost", {"campus": "campus-a", "day": DAY}),
        ("/move-requests", {"lesson": lesson}),
        (f"/absences/{absence}/withdraw", None),
        (f"/cases/{case.uid}/again", None),
        (f"/cases/{case.uid}/proposals/{proposal}/apply", None),
        (f"/cases/{case.uid}/proposals/{proposal}/undo", None),
        (f"/board/lessons/{lesson}/assign", {"teacher": upset.zhao.uid, "sequence": 0}),
        ("/absences", {"teacher": upset.wang.uid, "first_day": "2026-12-01"}),
    ]
    for stranger in (caller_of(upset.school.b.administrator), caller_of(upset.school.a.students[0])):
        for path in reads:
            assert stranger.get(path).status_code == 404, path
        for path, body in steps:
            assert stranger.post(path, json=body).status_code == 404, path
    reader = caller_of(upset.administrator, write=False)
    for path, body in steps:
        assert reader.post(path, json=body).status_code == 403, path
