"""``web``, ``worker`` and ``run``: the processes of an installation."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from types import FrameType

import click

from lms_bridge.cli.common import application
from lms_bridge.core.i18n import gettext
from lms_bridge.core.settings import Settings, load


@click.command()
@click.option("--host", help="Address to listen on (default: the setting).")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on (default: the setting).")
def web(host: str | None, port: int | None) -> None:
    """Run the web server."""
    with application():
        settings = load()
    serve(settings, host or settings.host, settings.port if port is None else port)


def serve(settings: Settings, host: str, port: int, *, factory: str = "lms_bridge.web.app:served_app") -> None:
    """Serve until told to stop. Each web process builds its own application from the environment."""
    from granian import Granian
    from granian.constants import Interfaces

    Granian(
        factory,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        factory=True,
        workers=settings.web_processes,
        blocking_threads=settings.web_threads,
        backpressure=max(64, settings.web_threads * 8),
        respawn_failed_workers=True,
        log_access=False,
        websockets=False,
    ).serve()


@click.command()
def worker() -> None:
    """Run background jobs."""
    from lms_bridge.core.queue import run_worker

    with application() as app:
        pass
    run_worker(app, app.extensions["lms_bridge"])


@click.command()
def run() -> None:
    """Run web server and worker together, for one machine; migrates the database first."""
    from lms_bridge.cli.database import upgrade_database

    with application(ready=False):
        upgrade_database()
        settings = load()
    click.echo(gettext("LMS Bridge serves at %(url)s (end with Ctrl+C)", url=settings.base_url), err=True)
    sys.exit(supervise([["web"], ["worker"]]))


def supervise(commands: list[list[str]]) -> int:
    """Keep one child process for each of ``commands`` alive until SIGTERM or SIGINT; a child that dies is started
    again after a pause that grows while it keeps dying. The exit code: 0, or 1 if a child never came up."""
    stopping = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    children = [_Child(command) for command in commands]
    while not stopping and not any(child.hopeless for child in children):
        for child in children:
            child.keep_alive()
        time.sleep(0.2)
    for child in children:
        child.end()
    return 0 if stopping else 1


class _Child:
    """One supervised process of this program."""

    HOPELESS_AFTER = 5

    def __init__(self, command: list[str]) -> None:
        self.command = command
        self.process: subprocess.Popen[bytes] | None = None
        self.started = 0.0
        self.quick_deaths = 0
        self.start_at = 0.0

    @property
    def hopeless(self) -> bool:
        """It died within seconds of its start several times in a row: a person must look."""
        return self.quick_deaths >= self.HOPELESS_AFTER

    def keep_alive(self) -> None:
        """Start it, or start it again when it died."""
        if self.process is not None and self.process.poll() is None:
            return
        if self.process is not None:
            self.quick_deaths = self.quick_deaths + 1 if time.monotonic() - self.started < 10 else 0
            self.start_at = time.monotonic() + min(2.0**self.quick_deaths, 30)
            self.process = None
        if self.start_at <= time.monotonic():
            # A group of its own, so that Ctrl+C reaches the children once, through end().
            self.process = subprocess.Popen(
                [sys.executable, "-m", "lms_bridge.cli", *self.command], env=os.environ, start_new_session=True
            )
            self.started = time.monotonic()

    def end(self) -> None:
        """Ask it to end, and end it after 20 seconds."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
