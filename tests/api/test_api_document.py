"""The examples of docs/api.md work as they stand, over a real connection."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import make_server

from lms_bridge.core import clock, jobs
from lms_bridge.core.database import transaction
from lms_bridge.timetable.cases.cases import case_by_uid
from lms_bridge.timetable.cases.runs import work_out_case
from tests.api.conftest import MakeCaller
from tests.builders import SchoolSystem, provider_account
from tests.contracts.moodle_server import member
from tests.plans.documents import plan_docx
from tests.timetable.placed import MONDAY, placed_week
from tests.timetable.school import FRIDAY, WEEK
from tests.timetable.upset import QUICK, timetabled
from tests.web.test_sync import World, world

__all__ = ["world"]

DOCUMENT = Path(__file__).parents[2] / "docs" / "api.md"
Learn = Callable[[str, Any], dict[str, str]]

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """The application on a port of this machine; its address."""
    server = make_server("127.0.0.1", 0, app, threaded=False)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()


def carried_out(number: int, variables: dict[str, str], folder: Path, learn: Learn) -> int:
    """Run the examples of the document's block ``number`` one after another; ``learn`` gives further variables from a
    line and its answer. How many there were."""
    examples = re.findall(r"```sh\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)[number]
    lines = [line for line in examples.splitlines() if line.startswith("curl")]
    for line in lines:
        command = line.replace("curl -sS", "curl -sS --fail-with-body --noproxy 127.0.0.1 --max-time 30")
        run = subprocess.run(["sh", "-c", command], cwd=folder, env=variables, capture_output=True, timeout=60)
        assert run.returncode == 0, f"{line}\n{run.stdout.decode()}{run.stderr.decode()}"
        variables |= learn(line, json.loads(run.stdout or b"null"))
    return len(lines)


def test_the_examples_of_plans_work(app: Flask, school: SchoolSystem, caller_of: MakeCaller, tmp_path: Path) -> None:
    with transaction():
        school.a.campus.code, school.a.classes[0].code = "A", "5-1"
    key = caller_of(school.a.teacher).key
    plan_docx(tmp_path / "plan.docx", [("声现象", 2), ("机械运动", 4)])
    with served(app) as url:
        variables = {"KEY": key, "URL": url, "PATH": os.environ["PATH"]}
        carried_out(0, variables, tmp_path, lambda line, said: {"PLAN": said["plan"]} if "-F file=" in line else {})
    assert (tmp_path / "plan.docx").read_bytes()[:2] == b"PK"


def test_the_examples_of_the_timetable_work(app: Flask, caller_of: MakeCaller, tmp_path: Path) -> None:
    def learn(line: str, said: Any) -> dict[str, str]:
        if "/lessons?" in line:
            return {"LESSON": said["items"][0]["uid"], "VERSION": str(said["items"][0]["version"])}
        if line.endswith('/move"'):
            return {"CHANGE": said["uid"]}
        return {"RUN": said["uid"]} if line.endswith('/solve-runs"') else {}

    with clock.at(FRIDAY):
        placed = placed_week()
        with transaction():
            placed.school.a.campus.code = "A"
        key = caller_of(placed.school.a.administrator).key
        with served(app) as url:
            variables = {"KEY": key, "URL": url, "PATH": os.environ["PATH"], "WEEK": WEEK, "DAY": MONDAY.isoformat()}
            assert carried_out(2, variables, tmp_path, learn) == 13


def test_the_examples_of_cases_work(app: Flask, caller_of: MakeCaller, tmp_path: Path) -> None:
    def learn(line: str, said: Any) -> dict[str, str]:
        if line.endswith('/absences"'):
            return {"ABSENCE": said["uid"], "CASE": said["cases"][0]}
        if line.endswith('/again"'):
            case = case_by_uid(said["uid"])
            assert case is not None
            work_out_case(case.id, QUICK)
        if "/board?" in line:
            lesson = said["rows"][0]["lesson"]
            return {"LESSON": lesson["uid"], "SEQUENCE": str(lesson["sequence"])}
        return {"PROPOSAL": said["options"][0]["uid"]} if line.endswith('/cases/$CASE"') else {}

    with clock.at(FRIDAY):
        upset = timetabled()
        with transaction():
            upset.school.a.campus.code = "A"
        key = caller_of(upset.administrator).key
        with served(app) as url:
            variables = {"KEY": key, "URL": url, "PATH": os.environ["PATH"], "DAY": MONDAY.isoformat()}
            variables |= {"TEACHER": upset.wang.uid, "OTHER": upset.zhao.uid}
            assert carried_out(3, variables, tmp_path, learn) == 9


def test_the_examples_of_what_else_happens_work(app: Flask, caller_of: MakeCaller, tmp_path: Path) -> None:
    def learn(line: str, said: Any) -> dict[str, str]:
        return {"CASE": said["uid"]} if "/cases/" in line and "--json" in line else {}

    with clock.at(FRIDAY):
        upset = timetabled()
        with transaction():
            upset.school.a.campus.code, upset.one.code = "A", "5-1"
        keys = {"KEY": caller_of(upset.administrator).key, "OWN_KEY": caller_of(upset.wang).key}
        with served(app) as url:
            variables = keys | {"URL": url, "PATH": os.environ["PATH"], "DAY": MONDAY.isoformat()}
            variables["LESSON"] = upset.lessons(upset.chinese)[0].uid
            assert carried_out(4, variables, tmp_path, learn) == 8


def test_the_examples_of_rules_and_inputs_work(
    app: Flask, school: SchoolSystem, caller_of: MakeCaller, tmp_path: Path
) -> None:
    def learn(line: str, said: Any) -> dict[str, str]:
        if line.endswith('/arrangements"'):
            return {"ARRANGEMENT": said.get("uid") or said["arrangements"][0]["uid"]}
        return {"GRID": str(said["number"])} if line.endswith('/grids"') and "--json" in line else {}

    with clock.at(FRIDAY):
        with transaction():
            school.a.campus.code, school.a.classes[0].code = "A", "5-1"
            account = provider_account(school.a.campus)
        key = caller_of(school.a.administrator).key
        with served(app) as url:
            variables = {"KEY": key, "URL": url, "PATH": os.environ["PATH"], "WEEK": WEEK, "DAY": MONDAY.isoformat()}
            variables |= {"TEACHER": school.a.teacher.uid, "STUDENT": school.a.students[0].uid, "ACCOUNT": account.uid}
            assert carried_out(5, variables, tmp_path, learn) == 16


def test_the_examples_of_timetables_in_and_out_work(app: Flask, caller_of: MakeCaller, tmp_path: Path) -> None:
    with clock.at(FRIDAY):
        placed = placed_week()
        with transaction():
            placed.school.a.campus.code, placed.school.a.classes[0].code = "A", "5-1"
        teacher = placed.school.a.teacher.display_name
        rows = f"class,weekday,period,subject,teacher\n5-1,Fri,2,{placed.school.subject.code},{teacher}\n"
        (tmp_path / "timetable.csv").write_text(rows, "utf-8")
        key = caller_of(placed.school.a.administrator).key
        with served(app) as url:
            variables = {"KEY": key, "URL": url, "PATH": os.environ["PATH"], "WEEK": WEEK}
            learn: Learn = lambda line, said: {"FILE": said["file"]} if "-F file=" in line else {}  # noqa: E731
            assert carried_out(6, variables, tmp_path, learn) == 4
    assert (tmp_path / "week.xlsx").read_bytes()[:2] == b"PK"


def test_the_examples_of_the_exchange_with_lmss_work(world: World, caller_of: MakeCaller, tmp_path: Path) -> None:
    def learn(line: str, said: Any) -> dict[str, str]:
        jobs.run_due()
        if line.endswith('/lms-accounts"'):
            return {"LMS": said["accounts"][0]["uid"]}
        if line.endswith('/unmatched-people"'):
            keys = [one["key"] for one in said["people"]]
            return {"UNMATCHED": keys[0], "OTHER": keys[1]}
        return {"RUN": said["uid"]} if "dry_run" in line else {}

    world.moodle.members[2].append(member(33))
    key = caller_of(world.system.bureau_administrator).key
    with served(world.client.application) as url:
        variables = {"KEY": key, "URL": url, "PATH": os.environ["PATH"], "NUMBER": "S31"}
        variables["PERSON"] = world.system.a.students[1].uid
        assert carried_out(7, variables, tmp_path, learn) == 12
