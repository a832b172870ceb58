"""A FET file comes in by command, with what becomes of each of its constraints."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask import Flask

from lms_bridge.cli import main, timetable_exchange
from lms_bridge.core import clock
from lms_bridge.core.database import db, transaction
from lms_bridge.timetable.models import Unavailability
from tests.builders import small_system, subject
from tests.timetable.fet.fet_text import activity, fet_text, rule, times
from tests.timetable.school import FRIDAY, WEEK


def test_the_command_names_every_constraint(app: Flask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(timetable_exchange, "application", lambda: nullcontext(app))
    monkeypatch.setenv("LC_ALL", "en_GB.UTF-8")
    with clock.at(FRIDAY):
        school = small_system()
        with transaction():
            school.a.teacher.number, school.a.classes[0].code = "T1", "A"
            subject("S", "语文", "Chinese")
        rules = [
            rule(
                "ActivityPreferredStartingTime", ("Activity_Id", 1), ("Preferred_Day", "D1"), ("Preferred_Hour", "H1")
            ),
            rule("TeacherNotAvailableTimes", ("Teacher", "T1"), *times("Not_Available_Time", [(4, 3)])),
            rule("TeachersMaxGapsPerWeek", ("Max_Gaps", 0)),
            rule("TeachersMaxGapsPerWeek", ("Max_Gaps", 1), weight=50),
        ]
        path = tmp_path / "s.fet"
        path.write_bytes(fet_text([activity(1, "T1", "A")], teachers=("T1",), students=("A",), time=rules))
        call = ["timetable", "import", str(path), "--campus", school.a.campus.code, "--from", WEEK]
        tried = CliRunner().invoke(main, [*call, "--rules", "none", "--dry-run"])
        assert "TeacherNotAvailableTimes: 1 hard, left out, as you chose" in tried.output
        assert "1 lesson a week in 1 week." in tried.output
        done = CliRunner().invoke(main, call)
        assert done.exit_code == 0, done.output
        assert "TeacherNotAvailableTimes: 1 hard, taken over" in done.output
        assert "TeachersMaxGapsPerWeek: 1 hard, 1 soft, not supported, left out" in done.output
        assert CliRunner().invoke(main, [*call, "--rules", "everything"]).exit_code == 2
    db.session.rollback()
    assert len(db.session.scalars(sa.select(Unavailability)).all()) == 1
