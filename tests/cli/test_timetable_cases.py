"""Cases by command: from an absence to a decision and back, without a page."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask

from lms_bridge.cli import main, timetable_cases
from lms_bridge.core import clock
from lms_bridge.core.database import db
from tests.timetable.school import FRIDAY
from tests.timetable.upset import MONDAY, Upset, timetabled

Command = Callable[..., Any]


@pytest.fixture
def upset(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Upset]:
    """The campus on Friday, its next two weeks timetabled; commands run in this process, on its database and clock."""
    monkeypatch.setattr(timetable_cases, "application", lambda: nullcontext(app))
    monkeypatch.setenv("LC_ALL", "en_GB.UTF-8")
    with clock.at(FRIDAY):
        yield timetabled()


def said(*arguments: str) -> str:
    """What a command of the timetable prints."""
    db.session.rollback()
    db.session.expire_all()
    done = CliRunner().invoke(main, ["timetable", *arguments])
    assert done.exit_code == 0, done.output
    return done.output


def answer(*arguments: str) -> Any:
    """The JSON document that a command prints."""
    return json.loads(said(*arguments, "--json"))


def test_an_absence_is_reported_decided_and_undone_by_commands(upset: Upset) -> None:
    day = MONDAY.isoformat()
    (case,) = answer("absence", "--teacher", upset.wang.uid, "--from", day, "--reason", "secret fever")["cases"]
    assert [p["position"] for p in case["proposals"]] == list(range(1, len(case["proposals"]) + 1))
    assert len(case["proposals"]) >= 3
    assert "secret fever" not in json.dumps(case)
    given = next(p for p in case["proposals"] if p["way"] == "substitute")
    assert {c["after"]["teachers"][0] for c in given["changes"] if c["told"]} == {upset.zhao.uid}
    assert answer("board", "--campus", "campus-a", "--day", day)["missing"] == 2
    assert "The change is in force." in said("apply", given["uid"])
    assert answer("board", "--campus", "campus-a", "--day", day)["missing"] == 0
    assert answer("cases")["cases"] == []
    assert "The change was undone." in said("undo", given["uid"])
    assert [row["uid"] for row in answer("cases", "--campus", "campus-a")["cases"]] == [case["uid"]]
    text = said("case", case["uid"])
    assert f"{upset.wang.display_name} is absent · Mon 23 Nov · To be decided" in text
    assert "1. " in text


@pytest.mark.parametrize(
    ("arguments", "title"),
    [
        (("day-lost", "--day", "2026-11-24"), "No school on Tue 24 Nov"),
        (("rooms", "--from", "2026-11-23", "--rooms", "0"), "No online room can be opened"),
        (("back", "--from", "2026-11-25"), "is at school again"),
    ],
)
def test_each_cause_has_a_command(upset: Upset, arguments: tuple[str, ...], title: str) -> None:
    text = said(arguments[0], "--campus", "campus-a", *arguments[1:])
    assert title in text
    assert "1. " in text


def test_rooms_of_a_decided_case_are_corrected_and_taken_back(upset: Upset) -> None:
    said("rooms", "--campus", "campus-a", "--from", "2026-11-23", "--rooms", "50")
    (case,) = answer("cases", "--campus", "campus-a", "--all")["cases"]
    assert case["state"] == "decided"
    text = said("case", case["uid"], "--rooms", "0", "--to", "2026-11-24")
    assert "No online room can be opened · Mon 23 Nov – Tue 24 Nov · To be decided" in text
    assert "Withdrawn" in said("case", case["uid"], "--withdraw")


def test_an_unknown_case_is_refused(upset: Upset) -> None:
    done = CliRunner().invoke(main, ["timetable", "case", "nosuchcase"])
    assert done.exit_code == 1
    assert "There is no case “nosuchcase”." in done.output
