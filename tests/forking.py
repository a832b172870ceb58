"""Processes of the product without the second that Python needs to import it: forked from one that has.

A command of the product is a process of its own in tests as for an administrator: own environment, own database
connections, own exit code, killed on its own. What is saved is the start of the interpreter and the import of 2,400
modules, which took most of the time of every test of commands. ``python -m tests.forking`` is the process that forks:
it reads one request a line, is connected with no database, and ends with the test process.

What starting the interpreter itself could break is tested with ``processes.started``, which does start it.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import runpy
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from sqlalchemy.orm import configure_mappers

from tests import thrift
from tests.servers import end_with_parent

ROOT = Path(__file__).parents[1]


@dataclass
class Forked:
    """A forked process; as much of :class:`subprocess.Popen` as tests use."""

    pid: int
    _ended: Path
    returncode: int | None = None

    def poll(self) -> int | None:
        """Its exit code, or minus the number of the signal that killed it; None while it runs."""
        if self.returncode is None and self._ended.exists():
            self.returncode = int(self._ended.read_text(encoding="ascii"))
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end."""
        end = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if end is not None and time.monotonic() > end:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            time.sleep(0.002)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


@cache
def _notes() -> Path:
    """Where it is written down how the processes ended."""
    folder = tempfile.mkdtemp(prefix="lms-bridge-forked-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


@cache
def _forker() -> subprocess.Popen[str]:
    """The process that forks, one for a test process."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.forking"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        preexec_fn=end_with_parent(),
    )  # fmt: skip


def fork(
    module: str, arguments: Sequence[str], variables: Mapping[str, str], folder: Path, out: Path, err: Path
) -> Forked:
    """Run ``python -m module`` with these environment variables in ``folder``; what it says is added to the files."""
    ended = Path(tempfile.mkdtemp(dir=_notes())) / "code"
    wanted = {
        "module": module, "arguments": list(arguments), "variables": dict(variables), "folder": str(folder),
        "out": str(out), "err": str(err), "ended": str(ended),
    }  # fmt: skip
    forker = _forker()
    assert forker.stdin is not None
    assert forker.stdout is not None
    forker.stdin.write(json.dumps(wanted) + "\n")
    forker.stdin.flush()
    return Forked(int(forker.stdout.readline()), ended)


def make_ready() -> None:
    """Import what any command would import, and make one application, so that its routes are compiled."""
    thrift.begin()
    import_module("lms_bridge.cli")
    create_app = import_module("lms_bridge.web.app").create_app
    load = import_module("lms_bridge.core.settings").load
    with tempfile.TemporaryDirectory() as folder:
        create_app(
            load(environment="test", data_dir=Path(folder), secret_key="of no installation, only to make routes")
        )
    configure_mappers()
    gc.collect()
    gc.freeze()


def _redirect(file: str, mode: int, *descriptors: int) -> None:
    opened = os.open(file, mode, 0o600)
    for descriptor in descriptors:
        os.dup2(opened, descriptor)
    os.close(opened)


def _end_with_parent(parent: int) -> None:
    arrange = end_with_parent()
    if arrange is not None:
        arrange()
    if os.getppid() != parent:
        os._exit(1)


def _watch(wanted: dict[str, Any], forker: int) -> None:
    """In the child of the forker: fork the process itself, say its number, and write down how it ended. Returns only in
    that process."""
    _end_with_parent(forker)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    watcher = os.getpid()
    pid = os.fork()
    if pid == 0:
        _end_with_parent(watcher)
        return
    sys.stdout.write(f"{pid}\n")
    sys.stdout.flush()
    _redirect(os.devnull, os.O_RDWR, 0, 1, 2)
    _, status = os.waitpid(pid, 0)
    ended = Path(wanted["ended"])
    ended.with_suffix(".new").write_text(str(os.waitstatus_to_exitcode(status)), encoding="ascii")
    ended.with_suffix(".new").rename(ended)
    os._exit(0)


def _end(code: object) -> NoReturn:
    """End as the interpreter does, but for the taking apart of all modules."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    if isinstance(code, str):
        sys.stderr.write(f"{code}\n")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


def _become(wanted: dict[str, Any]) -> NoReturn:
    """Be the wanted process."""
    atexit._clear()
    _redirect(os.devnull, os.O_RDONLY, 0)
    _redirect(wanted["out"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 1)
    _redirect(wanted["err"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 2)
    os.environ.clear()
    os.environ.update(wanted["variables"])
    os.chdir(wanted["folder"])
    sys.argv = [wanted["module"], *wanted["arguments"]]
    try:
        runpy.run_module(wanted["module"], run_name="__main__", alter_sys=True)
    except SystemExit as end:
        _end(end.code)
    except BaseException:
        traceback.print_exc()
        _end(1)
    _end(0)


def main() -> None:
    """Read requests; each becomes a process."""
    make_ready()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    forker = os.getpid()
    for line in sys.stdin:
        if os.fork() == 0:
            wanted = json.loads(line)
            _watch(wanted, forker)
            _become(wanted)


if __name__ == "__main__":
    main()
