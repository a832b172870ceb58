"""The commands as an administrator types them: own processes, exit codes, one JSON document on standard output."""

from __future__ import annotations

import csv
import json
import sqlite3
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from lms_bridge.core.clock import now
from lms_bridge.core.database import transaction
from lms_bridge.core.settings import Settings
from tests.builders import SchoolSystem, online, small_system
from tests.processes import ended_command, run_command

UNITS = [("分数的初步认识", "2"), ("长方形的面积", "3")]
NEXT_WEEK = 14
"""The number of next week in the term of the builders."""


@pytest.fixture
def school(app: Flask) -> SchoolSystem:
    """The small school system, online from today for four weeks."""
    school = small_system()
    with transaction():
        online(school.a.campus, now().date(), now().date() + timedelta(days=28))
    return school


def plan_csv(folder: Path) -> Path:
    """A plan for the second class, which has none yet."""
    path = folder / "plan.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["周次", "教学内容", "课时"])
        writer.writerows([f"第{week}周", *unit] for week, unit in enumerate(UNITS, start=NEXT_WEEK))
    return path


def answer(arguments: list[str], settings: Settings) -> Any:
    """The JSON document that a command printed."""
    return json.loads(run_command([*arguments, "--json"], settings))


def test_a_plan_goes_from_file_to_lessons_by_commands_alone(
    school: SchoolSystem, settings: Settings, tmp_path: Path
) -> None:
    path = str(plan_csv(tmp_path))
    call = ["plan", "import", path, "--class", f"{school.a.campus.code}/5-2", "--subject", school.subject.code]
    looked = answer([*call, "--dry-run"], settings)
    assert (looked["dry_run"], looked["plan"], looked["findings"]) == (True, None, 3)
    brought = answer(call, settings)
    assert (brought["periods"], brought["findings"]) == (5, 3)
    plan = brought["plan"]
    compared = answer(["plan", "benchmark", plan], settings)
    assert sorted(finding["kind"] for finding in compared["findings"]) == ["extra", "missing", "total"]
    assert answer(["plan", "submit", plan], settings)["state"] == "submitted"
    assert answer(["plan", "approve", plan], settings)["state"] == "approved"
    second = ended_command(call, settings)
    assert second.returncode == 1
    assert plan in second.stderr
    year, week, _ = (now() + timedelta(days=7)).isocalendar()
    checked = answer(["timetable", "check", "--campus", school.a.campus.code, "--week", f"{year}-W{week:02}"], settings)
    assert checked["problems"] == []
    solved = answer(["timetable", "solve", "--campus", school.a.campus.code, "--week", f"{year}-W{week:02}"], settings)
    listed = answer(["lessons", "list", "--campus", school.a.campus.code, "--week", f"{year}-W{week:02}"], settings)
    assert solved
    assert any(UNITS[0][0] in lesson["unit"] and "2" in lesson["classes"] for lesson in listed), (solved, listed)


def test_an_empty_installation_says_what_to_do_first(settings: Settings, tmp_path: Path) -> None:
    empty = {"LMS_BRIDGE_DATABASE_URL": f"sqlite:///{tmp_path / 'nothing.sqlite'}"}
    listed = ended_command(["lessons", "list", "--json"], settings, **empty)
    assert listed.returncode == 1
    assert "db upgrade" in json.loads(listed.stdout)["error"]["remedy"]
    kept = ended_command(["db", "backup", str(tmp_path / "copy")], settings, **empty)
    assert kept.returncode == 1
    assert not (tmp_path / "copy").exists()
    assert ended_command(["doctor"], settings, fresh=True, **empty).returncode == 1
    assert ended_command(["no-such-command"], settings, **empty).returncode == 2


def test_a_backup_brings_back_what_was_there(
    school: SchoolSystem, settings: Settings, tmp_path: Path, on_postgresql: bool
) -> None:
    if on_postgresql:
        pytest.skip("pg_dump has its own tests")
    copy = tmp_path / "kept" / "copy"
    said = run_command(["db", "backup", str(copy)], settings)
    assert str(copy) in said
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert [path.name for path in copy.parent.iterdir()] == ["copy"]
    database = settings.data_dir / "lms-bridge.sqlite"
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE person SET family_name = '?'")
    refused = ended_command(["db", "restore", str(copy)], settings)
    assert refused.returncode == 1
    assert "--yes" in refused.stderr
    run_command(["db", "restore", str(copy), "--yes"], settings)
    with sqlite3.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM person WHERE family_name = '?'").fetchone() == (0,)
    broken = tmp_path / "broken"
    broken.write_bytes(copy.read_bytes()[:5000])
    assert ended_command(["db", "restore", str(broken), "--yes"], settings).returncode == 1


def test_a_backup_that_cannot_be_written_is_refused_in_words(settings: Settings, app: Flask) -> None:
    refused = ended_command(["db", "backup", "/proc/no-such-place/copy"], settings)
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    assert "/proc/no-such-place" in refused.stderr


def test_a_plan_is_written_as_a_document_and_refused_as_another_kind(
    school: SchoolSystem, settings: Settings, tmp_path: Path
) -> None:
    plan = school.a.plan.uid
    for name, more in (("plan.docx", []), ("plan.xlsx", ["--language", "en"]), ("sheet.docx", ["--review-sheet"])):
        path = tmp_path / name
        assert answer(["plan", "export", plan, "--to", str(path), *more], settings)["units"] == 2
        assert path.read_bytes().startswith(b"PK")
    refused = ended_command(["plan", "export", plan, "--to", str(tmp_path / "plan.pdf")], settings)
    assert refused.returncode == 1
    assert ".docx, .xlsx" in refused.stderr
    assert not (tmp_path / "plan.pdf").exists()


def test_a_folder_of_plans_is_reported_file_by_file_with_the_place(
    school: SchoolSystem, settings: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "plans"
    folder.mkdir()
    group, campus = school.a.classes[0], school.a.campus
    (folder / f"{campus.code} {group.code} 数学.csv").write_text("周次,教学内容,课时\n1,分数,很多\n", encoding="utf-8")
    (folder / "readme.txt").write_text("hello", encoding="utf-8")
    found = answer(["plan", "import-all", str(folder)], settings)
    assert found["counts"]["refused"] == 2
    said = ended_command(["plan", "import-all", str(folder)], settings)
    assert said.returncode == 0
    assert "row 2" in said.stdout
    assert "Name class and subject" in said.stdout
