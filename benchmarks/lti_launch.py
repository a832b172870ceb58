"""Measures complete LTI launches (login, launch with a real RS256 signature, landing page) against three bare routes.

    python benchmarks/lti_launch.py [--database postgresql sqlite] [--launches 600] [--processes 2] [--clients 8]
        [--rounds 3]

Both run in turns on one server (``--processes`` web processes, so many cores), over real HTTP with kept connections, on
a private PostgreSQL cluster (as a school system runs it) and on the embedded SQLite. The bare routes are plain Flask on
the same database: one select each, the last one also verifies an RS256 token. Compared is the processor time of the web
server, so that other work on the machine does not decide the ratio; launches a second are printed beside it. Exit code
1 when a launch takes more than three times the bare routes.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives import serialization
from flask import Flask

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

RATIO_TARGET = 3.0
STUDENTS = 200
ISSUER = "http://lms.test"
LOCAL = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Dest": "document"}


def server_app() -> Flask:
    """What the web server of this benchmark serves: LMS Bridge, and beside it the bare routes."""
    import sqlalchemy as sa
    from werkzeug.middleware.dispatcher import DispatcherMiddleware

    from lms_bridge.web.app import served_app

    app, bare = served_app(), Flask("bare")
    with app.app_context():
        from lms_bridge.core.database import db

        engine = db.engine
    key = serialization.load_pem_public_key(Path(os.environ["BARE_KEY"]).read_bytes())

    def row(number: int) -> str:
        with engine.connect() as connection:
            return str(connection.execute(sa.text("SELECT uid FROM person WHERE id = :n"), {"n": number}).scalar())

    @bare.get("/one")
    def one() -> str:
        return row(1)

    @bare.get("/two")
    def two() -> str:
        return row(2)

    @bare.post("/three")
    def three() -> str:
        from flask import request

        jwt.decode(request.form["id_token"], key, algorithms=["RS256"], audience="client")  # type: ignore[arg-type]
        return row(3)

    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/bare": bare.wsgi_app})  # type: ignore[method-assign]
    return app


def prepare(folder: Path, database_url: str) -> Any:
    """A school of :data:`STUDENTS` with a day of lessons, and an LMS whose key we hold."""
    from cryptography.hazmat.primitives.asymmetric import rsa

    from lms_bridge.core.clock import now
    from lms_bridge.core.database import Base, db, transaction
    from lms_bridge.core.models import ExternalId
    from lms_bridge.core.settings import load
    from lms_bridge.lti import platforms
    from lms_bridge.web.app import create_app
    from tests import builders

    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    numbers = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(private.public_key()))
    app = create_app(load(data_dir=folder, database_url=database_url, log_level="WARNING"))
    with app.app_context():
        if database_url:
            Base.metadata.drop_all(db.engine)
        Base.metadata.create_all(db.engine)
        system = builders.small_system()
        with transaction():
            found = platforms.Registered(
                name="LMS", issuer=ISSUER, client_id="client", login_url=f"{ISSUER}/auth",
                token_url=f"{ISSUER}/token", key_set_url=f"{ISSUER}/certs", deployments=("1",),
            )  # fmt: skip
            platform = platforms.add(found, system.a.campus.id, actor_uid=None)
            platform.key_set = {"keys": [{"kty": "RSA", "kid": "k", "n": numbers["n"], "e": numbers["e"]}]}
            from datetime import timedelta

            for hour in range(1, 6):
                builders.lesson(system.a.classes[0], system.subject, system.a.teacher, now() + timedelta(hours=hour))
            for number in range(STUDENTS):
                person = builders.person()
                builders.role(person, system.a.campus, builders.Role.STUDENT)
                builders.enrol(person, system.a.classes[0])
                builders.added(ExternalId(entity="person", entity_id=person.id, system="oneroster:x", key=f"S{number}"))
        db.session.remove()
        db.engine.dispose()
    pem = private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    (folder / "key.pem").write_bytes(pem)
    return private


class Client:
    """A browser with one kept connection."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(self, method: str, path: str, body: str = "", cookie: str = "") -> tuple[int, str, str, str]:
        """Status, text, where it leads, and the cookies that it sets."""
        headers = LOCAL | ({"Cookie": cookie} if cookie else {})
        self.connection.request(method, path, body or None, headers)
        answer = self.connection.getresponse()
        text = answer.read().decode()
        cookies = "; ".join(value.split(";")[0] for name, value in answer.getheaders() if name.lower() == "set-cookie")
        return answer.status, text, answer.getheader("Location", ""), cookies


def launch(client: Client, private: Any, base: str, number: int) -> None:
    """One complete launch of a student; fails when the landing page is not reached."""
    from lms_bridge.lti.claims import CLAIM

    target, who = f"{base}/lti/launch", number % STUDENTS
    begun = urlencode({"iss": ISSUER, "client_id": "client", "login_hint": str(who), "target_link_uri": target})
    status, text, where, cookie = client.ask("POST", "/lti/login", begun)
    assert status == 302, text[:2000]
    asked, moment = dict(parse_qsl(urlsplit(where).query)), int(time.time())
    claims = {
        "iss": ISSUER, "aud": "client", "sub": f"u{who}", "nonce": asked["nonce"], "iat": moment, "exp": moment + 60,
        f"{CLAIM}deployment_id": "1", f"{CLAIM}message_type": "LtiResourceLinkRequest", f"{CLAIM}version": "1.3.0",
        f"{CLAIM}target_link_uri": target, f"{CLAIM}resource_link": {"id": "1"}, f"{CLAIM}roles": [],
        f"{CLAIM}lis": {"person_sourcedid": f"S{who}"},
    }  # fmt: skip
    token = jwt.encode(claims, private, algorithm="RS256", headers={"kid": "k"})
    sent = urlencode({"id_token": token, "state": asked["state"]})
    status, text, _, _ = client.ask("POST", "/lti/launch", sent, cookie)
    assert status == 200, text[:2000]
    assert "/l/" in text


@cache
def _bare_token(private: Any) -> str:
    claims = {"aud": "client", "exp": int(time.time()) + 36000}
    return urlencode({"id_token": jwt.encode(claims, private, algorithm="RS256")})


def bare(client: Client, private: Any, base: str, number: int) -> None:
    """The three bare routes."""
    for method, path, body in (
        ("GET", "/bare/one", ""), ("GET", "/bare/two", ""), ("POST", "/bare/three", _bare_token(private)),
    ):  # fmt: skip
        assert client.ask(method, path, body)[0] == 200


def cpu_of(pid: int) -> float:
    """Processor seconds of a process and its living children (Linux)."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return own + sum(cpu_of(int(child)) for child in children)


def measured(
    work: Callable[[Client, Any, str, int], None], server: int, port: int, private: Any, count: int, clients: int
) -> tuple[float, float]:
    """Server processor milliseconds for one piece of ``work``, and how many were done in a second."""
    base, before, begun = f"http://127.0.0.1:{port}", cpu_of(server), time.monotonic()

    def some(first: int) -> None:
        client = Client(port)
        for number in range(first, count, clients):
            work(client, private, base, number)

    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(some, range(clients)))
    return (cpu_of(server) - before) * 1000 / count, count / (time.monotonic() - begun)


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--launches", type=int, default=600)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--database", nargs="+", choices=("postgresql", "sqlite"), default=["postgresql", "sqlite"])
    options = parser.parse_args()
    good = True
    for database in options.database:
        ratio = on_sqlite(options) if database == "sqlite" else on_postgresql(options)
        good &= ratio <= RATIO_TARGET
        verdict = "ok" if ratio <= RATIO_TARGET else "short"
        print(f"result: lti_launch_cpu_ratio_{database} {ratio:.2f} (target <= {RATIO_TARGET}) {verdict}")
    return 0 if good else 1


def on_postgresql(options: argparse.Namespace) -> float:
    """The ratio on a cluster of our own, which is gone afterwards."""
    from tests import servers

    with servers.postgresql() as cluster:
        return served(cluster.url(cluster.create()), options)


def on_sqlite(options: argparse.Namespace) -> float:
    """The ratio on a file of our own."""
    return served("", options)


def served(database_url: str, options: argparse.Namespace) -> float:
    """The ratio on one database: prepares it, runs the web server, measures."""
    with tempfile.TemporaryDirectory() as name, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
        probe.close()
        folder = Path(name)
        settings = {
            "LMS_BRIDGE_ENVIRONMENT": "development", "LMS_BRIDGE_DATA_DIR": name, "LMS_BRIDGE_LOG_LEVEL": "WARNING",
            "LMS_BRIDGE_DATABASE_URL": database_url, "LMS_BRIDGE_BASE_URL": f"http://127.0.0.1:{port}",
            "LMS_BRIDGE_CONFIG": f"{name}/none.toml", "BARE_KEY": f"{name}/key.pem",
        }  # fmt: skip
        os.environ |= settings
        private = prepare(folder, database_url)
        command = [
            sys.executable, "-m", "granian", "--interface", "wsgi", "--factory", "--port", str(port), "--workers",
            str(options.processes), "--blocking-threads", "8", "--no-ws", "benchmarks.lti_launch:server_app",
        ]  # fmt: skip
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=log, stderr=log
            )
        try:
            return _compared(server.pid, port, private, options)
        except (AssertionError, OSError):
            print((folder / "log").read_text()[-3000:], file=sys.stderr)
            raise
        finally:
            server.terminate()
            server.wait(20)


def _compared(server: int, port: int, private: Any, options: argparse.Namespace) -> float:
    deadline = time.monotonic() + 60
    while True:
        try:
            bare(Client(port), private, "", 0)
            break
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
    for work in (launch, bare):  # everybody comes for the first time once, and caches fill
        measured(work, server, port, private, STUDENTS, options.clients)
    rounds = []
    for number in range(options.rounds):
        full, rate = measured(launch, server, port, private, options.launches, options.clients)
        three, bare_rate = measured(bare, server, port, private, options.launches, options.clients)
        rounds.append(full / three)
        print(
            f"round {number + 1}: launch {full:.2f} ms CPU ({rate:.0f}/s), three bare routes {three:.2f} ms CPU "
            f"({bare_rate:.0f}/s), ratio {full / three:.2f}"
        )
    return median(rounds)


if __name__ == "__main__":
    sys.exit(main())
