"""Programs read weeks, move lessons and publish changes as their people may, guarded by the week's version."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask

from lms_bridge.core import clock, jobs
from lms_bridge.core.database import transaction
from tests.api.conftest import Caller, MakeCaller
from tests.timetable.placed import MONDAY, Placed, placed_week
from tests.timetable.school import FRIDAY, WEEK, chinese

ENGLISH = {"headers": {"Accept-Language": "en"}}
THURSDAY = (MONDAY + timedelta(days=3)).isoformat()


@pytest.fixture
def placed(app: Flask) -> Iterator[Placed]:
    with clock.at(FRIDAY):
        yield placed_week()


@pytest.fixture
def administrator(placed: Placed, caller_of: MakeCaller) -> Caller:
    return caller_of(placed.school.a.administrator)


def test_the_lessons_of_a_class_a_teacher_and_a_campus_come_in_pages(placed: Placed, administrator: Caller) -> None:
    a = placed.school.a
    found = administrator.get(f"/lessons?week={WEEK}&campus=campus-a&per_page=3").json
    assert (found["total"], found["pages"], len(found["items"])) == (4, 2, 3)
    first = found["items"][0]
    assert first["uid"] == placed.math.uid
    assert (first["date"], first["period"], first["starts_at"]) == ("2026-11-23", 1, "2026-11-23T00:00:00Z")
    assert (first["week"], first["version"], first["mode"]) == (WEEK, 1, "online")
    assert first["link"].endswith(f"/l/{placed.math.uid}")
    assert first["teachers"] == [{"uid": a.teacher.uid, "name": a.teacher.display_name, "part": "lead"}]
    second = administrator.get(f"/lessons?week={WEEK}&campus=campus-a&per_page=3&page=2").json
    assert [row["uid"] for row in second["items"]] == [placed.math_again.uid]
    of_class = administrator.get(f"/lessons?week={WEEK}&class=campus-a/5-1").json
    assert {row["uid"] for row in of_class["items"]} == {placed.math.uid, placed.math_again.uid, placed.chinese.uid}
    of_teacher = administrator.get(f"/lessons?week={WEEK}&teacher={a.other_teacher.uid}").json
    assert [row["uid"] for row in of_teacher["items"]] == [placed.chinese.uid]
    assert administrator.get(f"/lessons/{placed.chinese.uid}", **ENGLISH).json["subject_name"] == "Chinese"
    weeks = administrator.get("/timetable-weeks?campus=campus-a").json
    assert [(row["week"], row["version"], row["lessons"]) for row in weeks["items"] if row["week"] == WEEK] == [
        (WEEK, 1, 4)
    ]


def test_everybody_reads_their_own_lessons_and_nobody_those_of_others(placed: Placed, caller_of: MakeCaller) -> None:
    a, b = placed.school.a, placed.school.b
    teacher = caller_of(a.teacher)
    assert teacher.get(f"/lessons?week={WEEK}&teacher={a.teacher.uid}").json["total"] == 3
    assert teacher.get(f"/lessons/{placed.math.uid}").status_code == 200
    stranger = caller_of(b.administrator)
    for path in (
        f"/lessons?week={WEEK}&campus=campus-a",
        f"/lessons?week={WEEK}&class=campus-a/5-1",
        f"/lessons?week={WEEK}&class=nowhere",
        f"/lessons?week={WEEK}&teacher={a.teacher.uid}",
        f"/lessons/{placed.math.uid}",
        f"/lessons/{placed.math.uid}/slots",
        "/timetable-weeks?campus=campus-a",
        "/term-overview?campus=campus-a",
        "/solve-runs?campus=campus-a",
        "/change-sets?campus=campus-a",
    ):
        assert stranger.get(path).status_code == 404, path
    for step in ("move", "cancel", "substitute", "swap"):
        body = {"version": 1, "date": THURSDAY, "period": 1, "teacher": b.teacher.uid, "lesson": placed.math.uid}
        names = {"move": ("version", "date", "period"), "cancel": ("version",), "substitute": ("version", "teacher")}
        said = {name: body[name] for name in names.get(step, ("version", "lesson"))}
        assert stranger.post(f"/lessons/{placed.math.uid}/{step}", json=said).status_code == 404, step
        assert teacher.post(f"/lessons/{placed.math.uid}/{step}", json=said).status_code == 404, step


def test_a_move_is_checked_made_and_undone(placed: Placed, administrator: Caller) -> None:
    path = f"/lessons/{placed.math.uid}"
    slots = administrator.get(f"{path}/slots").json
    by_place = {(row["date"], row["period"]): row for row in slots["slots"]}
    assert by_place[THURSDAY, 4]["verdict"] == "free"
    assert by_place["2026-11-23", 3]["swap_with"] == placed.chinese.uid
    refused = administrator.get(f"{path}/move-check?date=2026-11-23&period=3", **ENGLISH).json
    assert (refused["fits"], refused["changes"]) == (False, [])
    assert refused["problems"][0]["message"] == "5-1 already has a lesson on Mon 23 Nov, 9:50."
    fits = administrator.get(f"{path}/move-check?date={THURSDAY}&period=4").json
    assert (fits["fits"], fits["version"], fits["touched"]["guardians"]) == (True, 1, 2)
    assert fits["changes"][0]["after"]["period"] == 4
    said = {"date": THURSDAY, "period": 4, "version": 1, "reason": "体检"}
    made = administrator.post(f"{path}/move", json=said)
    assert made.status_code == 200, made.text
    assert (made.json["state"], made.json["lessons"], made.json["reason"]) == ("applied", 1, "体检")
    assert administrator.get(path).json["date"] == THURSDAY
    stale = administrator.post(f"{path}/move", json=said | {"period": 5}, **ENGLISH)
    assert (stale.status_code, stale.content_type) == (409, "application/problem+json")
    assert "was changed meanwhile" in stale.json["detail"]
    undone = administrator.post(f"/change-sets/{made.json['uid']}/undo")
    assert undone.json["state"] == "undone"
    assert administrator.get(path).json["date"] == "2026-11-23"
    assert administrator.post(f"/change-sets/{made.json['uid']}/undo").status_code == 409


def test_lessons_are_swapped_cancelled_and_given_away(placed: Placed, administrator: Caller) -> None:
    a = placed.school.a
    swapped = administrator.post(f"/lessons/{placed.math.uid}/swap", json={"lesson": placed.chinese.uid, "version": 1})
    assert sorted(row["after"]["period"] for row in swapped.json["changes"]) == [1, 3]
    given = administrator.post(
        f"/lessons/{placed.other_class.uid}/substitute", json={"teacher": a.other_teacher.uid, "version": 2}
    )
    assert given.json["changes"][0]["after"]["teachers"] == [a.other_teacher.uid]
    cancelled = administrator.post(f"/lessons/{placed.math_again.uid}/cancel", json={"version": 3})
    assert cancelled.json["changes"][0]["kind"] == "cancelled"
    found = administrator.get("/change-sets?campus=campus-a&state=applied&per_page=2").json
    assert (found["total"], [row["cause"] for row in found["items"]]) == (3, ["request", "teacher_absence"])
    assert administrator.get(f"/lessons?week={WEEK}&campus=campus-a&cancelled=false").json["total"] == 3


def test_what_is_not_as_the_description_says_is_refused_by_field(placed: Placed, administrator: Caller) -> None:
    path = f"/lessons/{placed.math.uid}"
    answer = administrator.post(f"{path}/move", json={"date": "tomorrow", "versoin": 1})
    assert (answer.status_code, answer.content_type) == (422, "application/problem+json")
    assert {row["column"].split(".")[-1] for row in answer.json["errors"]} == {"date", "version", "versoin"}
    both = administrator.post(f"{path}/move", json={"date": THURSDAY, "period": 1, "start": "08:00", "version": 1})
    assert both.status_code == 422
    assert administrator.get(f"/lessons?week={WEEK}").status_code == 422
    assert administrator.get("/lessons?week=48&campus=campus-a").status_code == 422


def test_a_key_that_only_reads_changes_nothing(placed: Placed, caller_of: MakeCaller) -> None:
    reader = caller_of(placed.school.a.administrator, write=False)
    assert reader.get(f"/lessons/{placed.math.uid}/move-check?date={THURSDAY}&period=4").json["fits"]
    assert reader.post(f"/lessons/{placed.math.uid}/cancel", json={"version": 1}).status_code == 403
    assert reader.post("/solve-runs", json={"campus": "campus-a", "week": WEEK}).status_code == 403


def test_a_week_is_solved_looked_at_and_published(placed: Placed, administrator: Caller) -> None:
    with transaction():
        chinese(placed.school)
    started = administrator.post("/solve-runs", json={"campus": "campus-a", "week": WEEK})
    assert (started.status_code, started.json["state"]) == (202, "waiting")
    jobs.run_due()
    run = administrator.get(f"/solve-runs/{started.json['uid']}").json
    assert (run["state"], run["counts"]["lessons"] > 3) == ("done", True)
    proposal = administrator.get(f"/change-sets/{run['change_set']}").json
    assert (proposal["state"], proposal["stale"]) == ("proposed", False)
    cancelled = administrator.post(f"/lessons/{placed.math.uid}/cancel", json={"version": 1})
    assert cancelled.status_code == 200
    assert administrator.get(f"/change-sets/{run['change_set']}").json["stale"]
    assert administrator.post(f"/change-sets/{run['change_set']}/apply").status_code == 409
    assert administrator.post(f"/change-sets/{run['change_set']}/discard").json["state"] == "discarded"
    assert administrator.post(f"/solve-runs/{run['uid']}/cancel").status_code == 409
    assert administrator.get("/solve-runs?campus=campus-a").json["total"] == 1


def test_a_run_is_ended_and_says_why_there_is_none(placed: Placed, administrator: Caller) -> None:
    started = administrator.post("/solve-runs", json={"campus": "campus-a", "week": WEEK}, **ENGLISH).json
    assert administrator.post(f"/solve-runs/{started['uid']}/cancel").json["cancel_asked"]
    jobs.run_due()
    run = administrator.get(f"/solve-runs/{started['uid']}").json
    assert (run["state"], run["message"]) == ("refused", f"Solving week {WEEK} was stopped before it began.")


def test_the_term_comes_as_numbers(placed: Placed, administrator: Caller) -> None:
    found = administrator.get("/term-overview?campus=campus-a").json
    week = next(week for week in found["weeks"] if week["week"] == WEEK)
    assert (week["lessons"], week["online"], week["cancelled"]) == (4, 4, 0)
    assert found["teachers"][0]["lessons"] == 3


def test_the_description_shows_what_goes_in_and_what_comes_out(app: Flask, placed: Placed) -> None:
    document = app.test_client().get("/api/v1/openapi.json").json
    move = document["paths"]["/api/v1/lessons/{uid}/move"]["post"]
    body = move["requestBody"]["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[-1]
    answer = move["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[-1]
    schemas = document["components"]["schemas"]
    assert set(schemas[body]["required"]) == {"date", "version"}
    assert {"state", "touched", "changes"} <= set(schemas[answer]["properties"])
    listed = document["paths"]["/api/v1/lessons"]["get"]["parameters"]
    assert {row["name"] for row in listed} == {"week", "class", "teacher", "campus", "cancelled", "page", "per_page"}
