"""Campuses are solved together from the page, by programs and from the command line; nobody publishes for a campus
that is not theirs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask import Flask

from lms_bridge.cli import timetable
from lms_bridge.core import clock, jobs
from lms_bridge.core.database import db
from lms_bridge.roster.models import Person
from lms_bridge.timetable.making.scheduling import solve_week
from lms_bridge.timetable.models import Lesson, LessonStatus
from tests.api.conftest import MakeCaller, caller_of
from tests.builders import SchoolSystem
from tests.timetable.school import FRIDAY, WEEK
from tests.timetable.sharing import group_administrator, shared_teacher
from tests.web.test_timetable import english, shown

__all__ = ["caller_of"]


@pytest.fixture
def school(app: Flask) -> Iterator[SchoolSystem]:
    app.config["WTF_CSRF_ENABLED"] = False
    with clock.at(FRIDAY):
        yield shared_teacher()[0]


@pytest.fixture
def administrator(school: SchoolSystem) -> Person:
    return group_administrator(school)


def music() -> dict[str, int | None]:
    """The periods of the music lessons that take place, by campus."""
    db.session.rollback()
    db.session.expire_all()
    rows = db.session.scalars(sa.select(Lesson).where(Lesson.status == LessonStatus.SCHEDULED))
    return {row.campus.code: row.period_number for row in rows if row.subject.code == "music"}


def test_what_one_campus_cannot_do_is_tried_together_from_the_page(
    app: Flask, school: SchoolSystem, administrator: Person
) -> None:
    solve_week("campus-a", WEEK, actor=None)
    client = english(app, administrator)
    page = shown(client, f"/timetable/solve?campus=campus-b&week={WEEK}")
    assert "1 teacher in common" in page
    assert "All campuses of Education group" in page
    alone = client.post("/timetable/solve", data={"campus": "campus-b", "week": WEEK})
    jobs.run_due()
    assert f"Try together with: {school.a.campus.name_en}" in shown(client, alone.location)
    together = client.post("/timetable/solve", data={"campus": "campus-b", "week": WEEK, "together": "1"})
    jobs.run_due()
    page = shown(client, together.location)
    assert "Look at each campus; publishing one publishes all of them, or none." in page
    links = re.findall(r'/timetable/changes/(\w+)">(Organisation \d+)</a>', page)
    assert [name for _, name in links] == [school.b.campus.name_en, school.a.campus.name_en]
    assert "Solved together with other campuses" in shown(client, f"/timetable/changes/{links[0][0]}")
    client.post(f"/timetable/changes/{links[0][0]}/apply")
    assert music() == {"campus-a": 2, "campus-b": 1}


def test_the_administrator_of_one_campus_sees_the_proposal_but_cannot_publish_for_the_other(
    app: Flask, school: SchoolSystem, administrator: Person, caller_of: MakeCaller
) -> None:
    client = english(app, administrator)
    run = client.post("/timetable/solve", data={"campus": "group:group", "week": WEEK})
    jobs.run_due()
    (uid, *_) = re.findall(r"/timetable/changes/(\w+)", shown(client, run.location))
    own = english(app, school.a.administrator)
    page = shown(own, f"/timetable/changes/{uid}")
    assert "Somebody who may change the timetable of all of them has to decide." in page
    assert f"/timetable/changes/{uid}/apply" not in page
    assert own.get(run.location).status_code == 404
    for step in ("apply", "discard"):
        assert own.post(f"/timetable/changes/{uid}/{step}").status_code == 403
        assert caller_of(school.a.administrator).post(f"/change-sets/{uid}/{step}").status_code == 403
    assert "Solved lately" not in shown(own, f"/timetable/solve?campus=campus-a&week={WEEK}")
    assert own.post("/timetable/solve", data={"campus": "group:group", "week": WEEK}).status_code == 404
    assert music() == {}


def test_a_program_solves_several_campuses_and_begins_nothing_twice(
    school: SchoolSystem, administrator: Person, caller_of: MakeCaller
) -> None:
    program = caller_of(administrator)
    both = {"campuses": ["campus-a", "campus-b"], "week": WEEK}
    started = program.post("/solve-runs", json=both)
    assert started.status_code == 202
    assert program.post("/solve-runs", json=both).json["uid"] == started.json["uid"]
    assert program.post("/solve-runs", json={"group": "group", "week": WEEK}).json["uid"] == started.json["uid"]
    shared = {"campus": "campus-a", "together": True, "week": WEEK}
    assert program.post("/solve-runs", json=shared).json["uid"] == started.json["uid"]
    assert program.get("/solve-runs?campus=campus-b").json["total"] == 1
    jobs.run_due()
    run = program.get(f"/solve-runs/{started.json['uid']}").json
    assert [(one["campus"], one["counts"]["added"] > 0) for one in run["campuses"]] == [
        ("campus-a", True),
        ("campus-b", True),
    ]
    of_b = run["campuses"][1]["change_set"]
    assert program.get(f"/change-sets/{of_b}").json["joint"] == [
        {"uid": run["campuses"][0]["change_set"], "campus": "campus-a"}
    ]
    assert program.post(f"/change-sets/{of_b}/apply").json["state"] == "applied"
    assert music() == {"campus-a": 2, "campus-b": 1}
    assert program.post("/solve-runs", json={"week": WEEK}).status_code == 422
    mine = caller_of(school.a.administrator)
    assert mine.post("/solve-runs", json=both).status_code == 404
    assert mine.post("/solve-runs", json={"group": "group", "week": WEEK}).status_code == 404
    assert mine.get(f"/solve-runs/{run['uid']}").status_code == 404
    assert mine.get("/solve-runs?campus=campus-a").json["total"] == 0


def test_the_command_solves_several_campuses(app: Flask, school: SchoolSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timetable, "application", app.app_context)
    for asked in ("--campus campus-b --campus campus-a", "--campus campus-b --together", "--group group"):
        solved = CliRunner().invoke(timetable.solve, [*asked.split(), "--week", WEEK, "--dry-run", "--json"])
        assert solved.exit_code == 0, solved.output
        found = json.loads(solved.stdout)
        assert sorted(one["campus"] for one in found["campuses"]) == ["campus-a", "campus-b"]
        assert found["counts"]["added"] == sum(one["counts"]["added"] for one in found["campuses"]) > 0
    assert music() == {}
