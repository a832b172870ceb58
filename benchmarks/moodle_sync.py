"""How fast people come in from a Moodle and lessons go out to its calendars, against the time that cannot be undercut.

A loopback server that answers like Moodle (tests/contracts/moodle_server.py, in a process of its own) answers 20 ms
after it was asked. Read are 10,000 enrolments in 200 courses, written 2,000 events. The ideal is the number of requests
times the delay, over the connections that are allowed at once; the claim is at most 1.5 times of it for both together,
in the middle one of some rounds, each with a database and a server of its own. The exit code is 1 when the claim is not
kept.

    python benchmarks/moodle_sync.py [--courses 200] [--connections 4] [--rounds 5]
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lms_bridge.core.application import end_of_start
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.roster.models import OrganisationKind
from lms_bridge.sync import accounts, runs
from lms_bridge.sync.models import LmsAccount, RunKind, SyncRun, SyncState
from lms_bridge.web.app import create_app
from tests import builders
from tests.conftest import make_settings, make_tables
from tests.contracts.moodle_server import TOKEN, member, moodle_server

DELAY = 0.02
IN_COURSE = 50
COURSES_OF_PERSON = 5
LESSONS = 2000
TARGET = 1.5


def serve(pipe: Connection, courses: int) -> None:
    """The Moodle: answers until the pipe closes; says its address, and when asked how many requests it has had."""
    people = courses * IN_COURSE // COURSES_OF_PERSON
    with moodle_server() as moodle:
        moodle.delay = DELAY
        moodle.courses = [
            {"id": n, "shortname": f"c{n}", "fullname": f"Class {n}", "idnumber": f"BENCH/c{n}"}
            for n in range(2, courses + 2)
        ]
        moodle.members = {
            course["id"]: [member(10_000 + (n * IN_COURSE + i) % people) for i in range(IN_COURSE)]
            for n, course in enumerate(moodle.courses)
        }
        moodle.people = list({row["id"]: row for rows in moodle.members.values() for row in rows}.values())
        # Else every look for garbage in all that this process has imported would hold an answer back for 150 ms.
        gc.collect()
        gc.freeze()
        pipe.send(moodle.url)
        try:
            while True:
                pipe.recv()
                pipe.send(len(moodle.asked))
        except EOFError:
            pass


def school(url: str, courses: int, connections: int) -> LmsAccount:
    """A campus with as many classes as there are courses, whose people come from the Moodle."""
    with transaction():
        bureau = builders.organisation(OrganisationKind.BUREAU, code="bureau")
        campus = builders.organisation(OrganisationKind.CAMPUS, bureau, code="BENCH")
        term, subject = builders.term(bureau), builders.subject()
        settings = {"url": url, "token": TOKEN, "connections": connections}
        account = accounts.connect(
            bureau, "moodle", name="Moodle", settings=settings, actor_uid=None, makes_people=True
        )
        start = now().replace(minute=0, second=0, microsecond=0) + timedelta(days=2)
        for n in range(2, courses + 2):
            group, teacher = builders.class_group(campus, term, code=f"c{n}"), builders.person()
            for k in range(LESSONS // courses):
                builders.lesson(group, subject, teacher, start + timedelta(hours=k))
    return account


def measured(account: LmsAccount, kind: RunKind, asked: Callable[[], int], connections: int) -> dict[str, Any]:
    """One run: its time, its requests, and the ratio to the ideal."""
    with transaction():
        run = runs.start(account, kind, actor_uid=None)
    before, started = asked(), time.perf_counter()
    runs.carry_out_now(run.id)
    seconds, requests = time.perf_counter() - started, asked() - before
    done = db.session.get_one(SyncRun, run.id, populate_existing=True)
    assert (done.state, done.problems) == (SyncState.DONE, []), done.problems
    ideal = requests * DELAY / connections
    return {
        "run": kind.value,
        "result": {key: value for key, value in done.result.items() if value and isinstance(value, int)},
        "requests": requests,
        "seconds": round(seconds, 2),
        "ideal_seconds": round(ideal, 2),
        "ratio": round(seconds / ideal, 2),
    }


def one_round(courses: int, connections: int) -> list[dict[str, Any]]:
    """People in, lessons out, and people once more where nothing has changed."""
    pipe, other = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(other, courses), daemon=True)
    server.start()
    url = pipe.recv()

    def asked() -> int:
        pipe.send(None)
        return int(pipe.recv())

    with tempfile.TemporaryDirectory() as folder:
        settings = make_settings(Path(folder), base_url="http://bridge.test")
        make_tables(settings)
        with create_app(settings).app_context():
            account = school(url, courses, connections)
            end_of_start()  # as a worker does
            rows = [measured(account, kind, asked, connections) for kind in (RunKind.ROSTER, RunKind.EVENTS)]
            rows.append(measured(account, RunKind.ROSTER, asked, connections) | {"run": "roster again"})
            db.session.remove()
            db.engine.dispose()
    server.terminate()
    server.join()
    return rows


def main() -> int:
    """Measure and print; 1 when the ratio is above its target."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--courses", type=int, default=200)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    wholes = []
    for number in range(options.rounds):
        rows = one_round(options.courses, options.connections)
        for row in rows:
            print(
                f"{row['run']:13} {row['requests']:5} requests  {row['seconds']:6.2f} s  "
                f"ideal {row['ideal_seconds']:6.2f} s  ratio {row['ratio']:.2f}  {row['result']}"
            )
        wholes.append(sum(row["seconds"] for row in rows[:2]) / sum(row["ideal_seconds"] for row in rows[:2]))
        print(f"round {number + 1}: ratio {wholes[-1]:.2f}")
    whole = median(wholes)
    print(f"result: moodle_sync_time_ratio {whole:.2f} (target <= {TARGET}) {'ok' if whole <= TARGET else 'short'}")
    return int(whole > TARGET)


if __name__ == "__main__":
    sys.exit(main())
