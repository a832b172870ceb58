"""Programs report absences, read cases with their proposals, decide them, and work at the substitution board."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from lms_bridge.core import clock
from lms_bridge.timetable.cases.cases import case_by_uid
from lms_bridge.timetable.cases.models import ChangeCase
from lms_bridge.timetable.cases.runs import work_out_case
from tests.api.conftest import Caller, MakeCaller
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
    assert administrator.post(path, json={"teacher": "nobody"}).status_code == 422
    made = administrator.post(path, json={"teacher": upset.zhao.uid}).json
    assert made["state"] == "applied"
    again = administrator.get(f"/board?campus=campus-a&day={DAY}").json
    assert again["missing"] == 1
    assert (again["rows"][0]["stands_in"], again["rows"][0]["change_set"]) == (upset.zhao.display_name, made["uid"])


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
    steps: list[tuple[str, dict[str, str] | None]] = [
        (f"/absences/{absence}/withdraw", None),
        (f"/cases/{case.uid}/again", None),
        (f"/cases/{case.uid}/proposals/{proposal}/apply", None),
        (f"/cases/{case.uid}/proposals/{proposal}/undo", None),
        (f"/board/lessons/{lesson}/assign", {"teacher": upset.zhao.uid}),
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
