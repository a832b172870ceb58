"""The page of a run shows how the search goes, in words and numbers, and ends it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from lms_bridge.core import clock, jobs
from lms_bridge.core.database import db, transaction
from lms_bridge.timetable.making import runs
from lms_bridge.timetable.models import RunState, SolveRun
from lms_bridge.timetable.solving.effort import Progress, Stage
from tests.builders import SchoolSystem, small_system
from tests.timetable.school import FRIDAY, WEEK
from tests.web.test_timetable import english, shown


@pytest.fixture
def school(app: Flask) -> Iterator[SchoolSystem]:
    app.config["WTF_CSRF_ENABLED"] = False
    with clock.at(FRIDAY):
        yield small_system()


@pytest.fixture
def run(school: SchoolSystem) -> SolveRun:
    """A run that has found a first timetable."""
    with transaction():
        row = runs.start([school.a.campus], WEEK, actor=school.a.administrator)
        row.state = RunState.RUNNING
        row.progress = runs.noted(Progress(12.4, Stage.IMPROVING, 90, 96, {"gap": 35, "late": 7, "moved": 0}))
    return row


def test_a_run_shows_what_it_is_at_with_or_without_script(app: Flask, school: SchoolSystem, run: SolveRun) -> None:
    client = english(app, school.a.administrator)
    page = shown(client, f"/timetable/solve/{run.uid}")
    for text in (
        "Making the timetable better",
        "90 of 96 periods placed",
        "Free periods of a class before its last lesson of the day",
        "Stop and keep the best so far",
        '<progress id="run-progress" max="96" value="90">',
        '<noscript><meta http-equiv="refresh"',
    ):
        assert text in page
    said = client.get(f"/timetable/solve/{run.uid}/progress").json
    assert said is not None
    assert (said["working"], said["placed"], said["wanted"], said["seconds"], said["cost"]) == (True, 90, 96, 12, 42)
    assert [(item["name"], item["count"], item["cost"]) for item in said["items"]] == [("gap", 7, 35), ("late", 7, 7)]


def test_a_run_is_ended_from_its_page(app: Flask, school: SchoolSystem, run: SolveRun) -> None:
    client = english(app, school.a.administrator)
    page = client.post(f"/timetable/solve/{run.uid}/cancel", follow_redirects=True).text
    assert "The best timetable found so far is kept." in page
    assert "Stop and keep the best so far" not in page
    db.session.rollback()
    db.session.refresh(run)
    assert run.cancel_asked_at is not None
    jobs.run_due()
    assert "was stopped before it began" in shown(client, f"/timetable/solve/{run.uid}")
    assert client.post(f"/timetable/solve/{run.uid}/cancel").status_code == 409
    for person in (school.a.teacher, school.b.administrator):
        assert english(app, person).get(f"/timetable/solve/{run.uid}/progress").status_code == 404
