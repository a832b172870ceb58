"""The examples of docs/api.md work as they stand, over a real connection."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from threading import Thread

import pytest
from flask import Flask
from werkzeug.serving import make_server

from lms_bridge.core.database import transaction
from tests.api.conftest import MakeCaller
from tests.builders import SchoolSystem
from tests.plans.documents import plan_docx

DOCUMENT = Path(__file__).parents[2] / "docs" / "api.md"


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_examples_work(app: Flask, school: SchoolSystem, caller_of: MakeCaller, tmp_path: Path) -> None:
    with transaction():
        school.a.campus.code, school.a.classes[0].code = "A", "5-1"
    key = caller_of(school.a.teacher).key
    plan_docx(tmp_path / "plan.docx", [("声现象", 2), ("机械运动", 4)])
    server = make_server("127.0.0.1", 0, app, threaded=False)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    (examples,) = re.findall(r"```sh\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    variables = {"KEY": key, "URL": f"http://127.0.0.1:{server.server_port}", "PATH": os.environ["PATH"]}
    try:
        for line in filter(lambda line: line.startswith("curl"), examples.splitlines()):
            command = line.replace("curl -sS", "curl -sS --fail-with-body --noproxy 127.0.0.1 --max-time 30")
            run = subprocess.run(["sh", "-c", command], cwd=tmp_path, env=variables, capture_output=True, timeout=60)
            assert run.returncode == 0, f"{line}\n{run.stdout.decode()}{run.stderr.decode()}"
            if "-F file=" in line:
                variables["PLAN"] = json.loads(run.stdout)["plan"]
    finally:
        server.shutdown()
        thread.join()
    assert (tmp_path / "plan.docx").read_bytes()[:2] == b"PK"
