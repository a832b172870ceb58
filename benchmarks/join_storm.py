"""Measures clicks at the door of one lesson against a bare Flask route that does one durable insert and a redirect.

    python benchmarks/join_storm.py [--database postgresql sqlite] [--clicks 3000] [--processes 2] [--clients 16]
        [--rounds 3] [--storm 2000]

A click is the press of the button at the door: stored durably before the answer leads on. It is made by personal link
without a sign-in, and by people who came from an LMS and so have a session. The lesson is held at BigBlueButton, whose
addresses are computed here; a server written from its documentation listens on loopback. Clicks and the bare route run
in turns on one server as ``lms-bridge web`` starts it (``--processes`` web processes, so many cores), over real HTTP
with kept connections, on a private PostgreSQL cluster that waits for the disk at each commit, and on SQLite. Compared
is the processor time of the web server, so that other work on the machine does not decide the ratio; clicks a second
and the 99th percentile of their times are printed beside it.

Then ``--storm`` people open a connection each, click in the same moment on a lesson whose room nobody made yet, and the
rooms made at the provider are counted, as are the clicks stored. Exit code 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median, quantiles
from urllib.parse import urlencode

from flask import Flask

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.lti_launch import cpu_of  # noqa: E402 - found by the line above
from tests.contracts.json_api import JsonApi  # noqa: E402

RATIO_TARGET = 2.0
ROOMS_TARGET = 1
AGENT = "join-storm"
START_SECONDS = 60
STORM_SECONDS = 30


@dataclass(frozen=True)
class Click:
    """One request that a browser sends."""

    path: str
    cookie: str
    body: str


BARE = Click("/bare/click", "", "person=7")


def server_app() -> Flask:
    """What the web server of this benchmark serves: LMS Bridge, and beside it the bare route."""
    import sqlalchemy as sa
    from flask import redirect, request
    from werkzeug.middleware.dispatcher import DispatcherMiddleware
    from werkzeug.wrappers import Response

    from lms_bridge.core.database import db
    from lms_bridge.web.app import served_app

    app, bare = served_app(), Flask("bare")
    with app.app_context():
        engine = db.engine
    insert = sa.text("INSERT INTO bare_click (person_id, at) VALUES (:person, :at)")

    @bare.post("/click")
    def click() -> Response:
        with engine.begin() as connection:
            connection.execute(insert, {"person": int(request.form["person"]), "at": time.time()})
        return redirect("/bare/room", code=303)

    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/bare": bare.wsgi_app})  # type: ignore[method-assign]
    return app


def serve() -> None:
    """The web server, as ``lms-bridge web`` starts it, with :func:`server_app`."""
    from lms_bridge.cli import serving
    from lms_bridge.core.settings import load

    settings = load()
    serving.serve(settings, "127.0.0.1", settings.port, factory="benchmarks.join_storm:server_app")


def prepare(folder: Path, database_url: str, provider: str, people: int) -> dict[str, list[Click]]:
    """A class of ``people``, two lessons that are open now, and the clicks of all of them: at the ``measured`` one by
    ``link`` and by ``session``, and by link at the one of the ``storm``."""
    import sqlalchemy as sa

    from lms_bridge.cli.database import upgrade_database
    from lms_bridge.core.clock import now
    from lms_bridge.core.database import db, transaction
    from lms_bridge.core.settings import load
    from lms_bridge.lessons import accounts, meetings
    from lms_bridge.lessons.models import JoinLink
    from lms_bridge.roster.models import Enrolment, EnrolmentRole, Person
    from lms_bridge.web.app import create_app
    from tests import builders
    from tests.contracts.bigbluebutton_server import SECRET

    app = create_app(load(data_dir=folder, database_url=database_url, log_level="WARNING"))
    with app.app_context():
        upgrade_database()
        school = builders.small_system()
        group = school.a.classes[0]
        with transaction() as session:
            session.execute(sa.text("CREATE TABLE bare_click (person_id INTEGER NOT NULL, at FLOAT NOT NULL)"))
            accounts.add(
                school.a.campus, "bigbluebutton", name="BBB", settings={"url": provider, "secret": SECRET}, actor=None
            )
            session.add_all(
                Person(family_name="S", given_name=str(number), language="zh-CN") for number in range(people)
            )
            session.flush()
            students = session.scalars(sa.select(Person).where(Person.family_name == "S").order_by(Person.id)).all()
            session.add_all(
                Enrolment(
                    person_id=one.id, class_id=group.id, role=EnrolmentRole.STUDENT,
                    valid_from=(now() - timedelta(days=30)).date(),
                )
                for one in students
            )  # fmt: skip
            lessons = [
                builders.lesson(group, school.subject, school.a.teacher, now() - timedelta(minutes=minutes))
                for minutes in (1, 2)
            ]
            meetings.follow([lesson.id for lesson in lessons])
            links = [[JoinLink(lesson_id=lesson.id, person_id=one.id) for one in students] for lesson in lessons]
            session.add_all(links[0] + links[1])
            session.flush()
        measured, storm = (
            [_by_link(app, lesson.uid, link.token) for link in rows]
            for lesson, rows in zip(lessons, links, strict=True)
        )
        by_session = [_by_session(app, lessons[0].uid, one) for one in students[: min(people, 500)]]
        db.session.remove()
        db.engine.dispose()
    return {"link": measured, "session": by_session, "storm": storm}


def _by_link(app: Flask, lesson_uid: str, token: str) -> Click:
    """What the browser sends that opened the door page by a personal link."""
    return _click(app, f"/j/{token}", {"doors": [[lesson_uid, token]], "_permanent": True})


def _by_session(app: Flask, lesson_uid: str, person: object) -> Click:
    """What the browser of somebody sends who was signed in by the LMS."""
    from flask import session

    from lms_bridge.core.database import transaction
    from lms_bridge.web.session import sign_in

    with app.test_request_context(headers={"User-Agent": AGENT}, environ_base={"REMOTE_ADDR": "127.0.0.1"}):
        with transaction():
            sign_in(person)  # type: ignore[arg-type]
        return _click(app, f"/l/{lesson_uid}", dict(session))


def _click(app: Flask, path: str, session: dict[str, object]) -> Click:
    """The press of the button by a browser with this session, as the door page put both into its hands."""
    from flask.sessions import SecureCookieSessionInterface
    from itsdangerous import URLSafeTimedSerializer

    serializer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert serializer is not None
    signed = serializer.dumps(session | {"csrf_token": "0" * 40})
    assert isinstance(app.secret_key, str)
    form = URLSafeTimedSerializer(app.secret_key, salt="wtf-csrf-token").dumps("0" * 40)
    return Click(path, f"lms_bridge={signed}", urlencode({"csrf_token": form}))


class Browser:
    """One kept connection."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def press(self, click: Click) -> str:
        """Where the answer leads; fails if it leads nowhere."""
        self.connection.request("POST", click.path, click.body, _headers(click))
        answer = self.connection.getresponse()
        text = answer.read()
        assert answer.status == 303, (click.path, answer.status, text[:500])
        return str(answer.getheader("Location"))


def _headers(click: Click) -> dict[str, str]:
    headers = {"Content-Type": "application/x-www-form-urlencoded", "User-Agent": AGENT}
    return headers | ({"Cookie": click.cookie} if click.cookie else {})


@dataclass(frozen=True)
class Measured:
    """What one round of clicks cost: processor milliseconds of the server for each, how many were done in a second,
    and the 99th percentile of their times in milliseconds."""

    cpu: float
    rate: float
    p99: float

    def __str__(self) -> str:
        return f"{self.cpu:.2f} ms CPU, {self.rate:.0f}/s, p99 {self.p99:.0f} ms"


def measured(clicks: Sequence[Click], server: int, port: int, count: int, clients: int) -> Measured:
    """``count`` presses, those of ``clicks`` in turn, by ``clients`` at the same time."""
    times: list[float] = []

    def some(first: int) -> None:
        browser = Browser(port)
        for number in range(first, count, clients):
            begun = time.perf_counter()
            where = browser.press(clicks[number % len(clicks)])
            times.append(time.perf_counter() - begun)
            assert where.endswith("/room"), where

    before, begun = cpu_of(server), time.monotonic()
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(some, range(clients)))
    seconds = time.monotonic() - begun
    return Measured((cpu_of(server) - before) * 1000 / count, count / seconds, quantiles(times, n=100)[98] * 1000)


async def storm(clicks: Sequence[Click], port: int) -> list[float]:
    """All of ``clicks`` in the same moment, each on a connection of its own; the seconds until each was let in."""
    streams = [await asyncio.open_connection("127.0.0.1", port) for _ in clicks]
    begun = time.perf_counter()

    async def one(click: Click, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> float:
        lines = [f"POST {click.path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(click.body)}"]
        lines += [f"{name}: {value}" for name, value in _headers(click).items()]
        writer.write(("\r\n".join(lines) + f"\r\n\r\n{click.body}").encode())
        status = await reader.readline()
        assert status.startswith(b"HTTP/1.1 303"), status
        seconds = time.perf_counter() - begun
        writer.close()
        return seconds

    return await asyncio.gather(*(one(click, *stream) for click, stream in zip(clicks, streams, strict=True)))


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clicks", type=int, default=3000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--storm", type=int, default=2000)
    parser.add_argument("--database", nargs="+", choices=("postgresql", "sqlite"), default=["postgresql", "sqlite"])
    options = parser.parse_args()
    good, most = True, 0
    for database in options.database:
        ratio, rooms = on_sqlite(options) if database == "sqlite" else on_postgresql(options)
        most = max(most, rooms)
        good &= ratio <= RATIO_TARGET
        verdict = "ok" if ratio <= RATIO_TARGET else "short"
        print(f"result: join_storm_ratio_{database} {ratio:.2f} (target <= {RATIO_TARGET}) {verdict}", flush=True)
    one = most == ROOMS_TARGET
    print(f"result: join_storm_rooms {most} (target <= {ROOMS_TARGET}) {'ok' if one else 'short'}")
    return 0 if good and one else 1


def on_postgresql(options: argparse.Namespace) -> tuple[float, int]:
    """Ratio and rooms on a cluster of our own, which is gone afterwards."""
    from tests import servers

    with servers.postgresql(durable=True) as cluster:
        return served(cluster.url(cluster.create()), options)


def on_sqlite(options: argparse.Namespace) -> tuple[float, int]:
    """Ratio and rooms on a file of our own."""
    return served("", options)


def served(database_url: str, options: argparse.Namespace) -> tuple[float, int]:
    """Ratio and rooms on one database: prepares it, runs the web server and a worker, measures."""
    from tests.contracts.bigbluebutton_server import BigBlueButton
    from tests.contracts.json_api import running

    with tempfile.TemporaryDirectory() as name, running(BigBlueButton()) as provider:
        folder, port = Path(name), _free_port()
        os.environ |= {
            "LMS_BRIDGE_ENVIRONMENT": "development", "LMS_BRIDGE_DATA_DIR": name, "LMS_BRIDGE_LOG_LEVEL": "WARNING",
            "LMS_BRIDGE_DATABASE_URL": database_url, "LMS_BRIDGE_BASE_URL": f"http://127.0.0.1:{port}",
            "LMS_BRIDGE_CONFIG": f"{name}/none.toml", "LMS_BRIDGE_PORT": str(port),
            "LMS_BRIDGE_WEB_PROCESSES": str(options.processes), "LMS_BRIDGE_INTERNAL_NETWORKS": "127.0.0.0/8",
            "PYTHONPATH": str(ROOT),
        }  # fmt: skip
        clicks = prepare(folder, database_url, provider.url, options.storm)
        with _child(folder, "from benchmarks.join_storm import serve; serve()") as server:
            _wait(port)
            with _child(folder, "from lms_bridge.cli import main; main(['worker'])"):
                ratio = _compared(server.pid, port, clicks, options)
                return ratio, _storm(folder, port, clicks["storm"], provider, database_url)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _child(folder: Path, program: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of ours while the block runs; its log is shown when that fails."""
    log = folder / "log"
    with log.open("ab") as out:
        child = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=out, stderr=out)
    try:
        yield child
    except (AssertionError, OSError):
        print(log.read_text()[-3000:], file=sys.stderr)
        raise
    finally:
        child.terminate()
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            child.kill()


def _wait(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            Browser(port).press(BARE)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return


def _compared(server: int, port: int, clicks: dict[str, list[Click]], options: argparse.Namespace) -> float:
    """The larger of the ratios of both ways to the door."""
    ways = {"bare route": [BARE], "personal link": clicks["link"], "LMS session": clicks["session"]}
    for way in ways.values():  # caches fill
        measured(way, server, port, 200, options.clients)
    rounds: dict[str, list[float]] = {way: [] for way in ways}
    for number in range(options.rounds):
        for way, presses in ways.items():
            found = measured(presses, server, port, options.clicks, options.clients)
            rounds[way].append(found.cpu)
            print(f"round {number + 1}: {way}: {found}, ratio {found.cpu / rounds['bare route'][-1]:.2f}", flush=True)
    bare = rounds.pop("bare route")
    return max(median(a / b for a, b in zip(costs, bare, strict=True)) for costs in rounds.values())


def _storm(folder: Path, port: int, clicks: Sequence[Click], provider: JsonApi, database_url: str) -> int:
    """How many rooms the provider was made to make for one lesson, while all came in the same moment."""
    import sqlalchemy as sa

    seconds = asyncio.run(storm(clicks, port))
    engine = sa.create_engine(database_url or f"sqlite:///{folder / 'lms-bridge.sqlite'}")
    with engine.connect() as connection:
        lesson = str(connection.scalar(sa.text("SELECT uid FROM lesson WHERE id = (SELECT max(id) FROM lesson)")))
    deadline = time.monotonic() + STORM_SECONDS
    while not _made(provider, lesson) and time.monotonic() < deadline:
        time.sleep(0.2)
    time.sleep(5)  # a second room would be made by now
    with engine.connect() as connection:
        stored = connection.scalar(
            sa.text(
                "SELECT count(DISTINCT person_id) FROM presence_evidence WHERE lesson_id = (SELECT max(id) FROM lesson)"
            )
        )
    engine.dispose()
    assert stored == len(clicks), f"{stored} of {len(clicks)} clicks were stored"
    made = _made(provider, lesson)
    if not made:
        print((folder / "log").read_text()[-3000:], [one.path for one in provider.asked], file=sys.stderr)
    print(
        f"storm: {len(clicks)} clicks in the same moment, all stored and let in, the last after {max(seconds):.1f} s "
        f"({len(clicks) / max(seconds):.0f}/s); rooms made {len(made)}",
        flush=True,
    )
    return len(made)


def _made(provider: JsonApi, lesson: str) -> list[str]:
    """The rooms that the provider was asked to make for a lesson, in order, repeats included."""
    created = [one.query for one in provider.asked if one.path.endswith("/create")]
    return [query["meetingID"] for query in created if query.get("meetingID", "").startswith(lesson)]


if __name__ == "__main__":
    sys.exit(main())
