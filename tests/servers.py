"""Real database and queue servers for tests, started from Debian's binaries in folders of their own.

Each is a child of the test process, listens on a unix socket or a free loopback port, keeps nothing, and ends with
the process that started it, even when that is killed.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

START_SECONDS = 60
PR_SET_PDEATHSIG = 1

POSTGRESQL_OPTIONS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "listen_addresses": "",
    "max_connections": "100",
    "shared_buffers": "64MB",
}

DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}

# Without triggers, and so without foreign keys, the order of the tables does not matter.
EMPTY = """
DO $$
DECLARE statements text;
BEGIN
    SET LOCAL session_replication_role = replica;
    SELECT string_agg(format('DELETE FROM %I', tablename), ';') INTO statements FROM pg_tables
        WHERE schemaname = 'public' AND tablename <> 'alembic_version';
    EXECUTE statements;
    PERFORM setval(oid::regclass, 1, false) FROM pg_class
        WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace;
END $$
"""


def missing(package: str) -> None:
    """Skip this test for want of a Debian package; under CI, where nothing may be missing, fail it."""
    reason = f"needs Debian's package {package}: apt-get install {package}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def postgresql_programs() -> Path | None:
    """The folder of the newest PostgreSQL server's programs; None when there is none."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: float(p.parts[-3]))
    if versions:
        return versions[-1].parent
    initdb = shutil.which("initdb")
    return Path(initdb).resolve().parent if initdb else None


def free_port() -> int:
    """A loopback port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def unprivileged_user() -> str | None:
    """Whom a server runs as, since PostgreSQL refuses root: None for the current user."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def end_with_parent(number: int = signal.SIGTERM) -> Callable[[], None] | None:
    """What a child runs first, so that it gets the signal when this process dies in any way (Linux)."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    return lambda: libc.prctl(PR_SET_PDEATHSIG, number)


def wait_until(ready: Callable[[], bool], process: subprocess.Popen[bytes], what: str, log: Path) -> None:
    """Wait for ``ready``; fail with the server's own words when it ends or takes too long."""
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            pytest.fail(f"{what} did not start:\n{log.read_text(encoding='utf-8', errors='replace')[-3000:]}")
        time.sleep(0.02)


class PostgreSQL:
    """A private cluster; databases for tests are copies of a template, or one that is emptied between tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._count = 0
        self._connections: dict[str, psycopg.Connection] = {}

    def url(self, name: str) -> str:
        """The SQLAlchemy address of database ``name``."""
        return f"postgresql+psycopg://postgres@/{name}?host={self.folder}"

    def execute(self, statement: str, name: str = "postgres") -> None:
        """Run one statement of the administrator in database ``name``, outside a transaction."""
        if name not in self._connections:
            where = f"host={self.folder} user=postgres dbname={name} application_name=administrator"
            self._connections[name] = psycopg.connect(where, autocommit=True)
        self._connections[name].execute(statement.encode())

    def empty(self, name: str) -> None:
        """Delete all rows of database ``name`` and start its numbers again; 10 ms, where a new copy takes 200.

        Whoever is still connected is cut off, so that no lock of an earlier test is waited for.
        """
        self.execute(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            f"WHERE datname = '{name}' AND application_name <> 'administrator'"
        )
        self.execute(EMPTY, name)

    def create(self, template: str = "template0") -> str:
        """A new database, a copy of ``template``; its name. FILE_COPY is the faster way without fsync."""
        self._count += 1
        name = f"test_{self._count}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        return name

    def drop(self, name: str) -> None:
        """Delete a database, whoever is still connected."""
        self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def is_up(self) -> bool:
        """Whether it takes connections."""
        try:
            self.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def close(self) -> None:
        """Close the administrator's connections."""
        for connection in self._connections.values():
            connection.close()


@contextmanager
def postgresql(*, durable: bool = False) -> Iterator[PostgreSQL]:
    """A running cluster, which waits for the disk at each commit if ``durable``; skips or fails when PostgreSQL is not
    installed."""
    programs = postgresql_programs()
    if programs is None:
        missing("postgresql")
    user = unprivileged_user()
    folder = Path(tempfile.mkdtemp(prefix="lms-bridge-pg-"))
    log = folder / "log"
    data = folder / "data"
    if user is not None:
        shutil.chown(folder, user)
    who: dict[str, object] = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if user else {}
    try:
        subprocess.run(
            [f"{programs}/initdb", "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C",
             "--no-sync", "--no-instructions"],
            check=True, capture_output=True, cwd=folder, **who,  # type: ignore[call-overload]
        )  # fmt: skip
        command = [f"{programs}/postgres", "-D", str(data), "-k", str(folder)]
        for name, value in (POSTGRESQL_OPTIONS | (DURABLE if durable else {})).items():
            command += ["-c", f"{name}={value}"]
        with log.open("wb") as out:
            server = subprocess.Popen(  # type: ignore[call-overload]
                command, stdout=out, stderr=out, cwd=folder, preexec_fn=end_with_parent(signal.SIGQUIT), **who
            )
        cluster = PostgreSQL(folder)
        try:
            wait_until(cluster.is_up, server, "PostgreSQL", log)
            yield cluster
        finally:
            cluster.close()
            server.send_signal(signal.SIGQUIT)
            server.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def redis() -> Iterator[str]:
    """The address of a running Redis that keeps nothing; skips or fails when Redis is not installed."""
    program = shutil.which("redis-server")
    if program is None:
        missing("redis-server")
    folder = Path(tempfile.mkdtemp(prefix="lms-bridge-redis-"))
    log, port = folder / "log", free_port()
    try:
        with log.open("wb") as out:
            server = subprocess.Popen(
                [str(program), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)],
                stdout=out, stderr=out, preexec_fn=end_with_parent(),
            )  # fmt: skip
        try:
            wait_until(lambda: _listens(port), server, "Redis", log)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.terminate()
            server.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
