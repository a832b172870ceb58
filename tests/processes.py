"""The product's own processes in tests: web server and worker, started as an administrator starts them.

Each belongs to the test that started it, gets its settings by the environment alone, and ends with it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from lms_bridge.core.settings import Settings
from tests.forking import Forked, fork
from tests.servers import end_with_parent

ROOT = Path(__file__).parents[1]
READY_SECONDS = 90

Running = subprocess.Popen[bytes] | Forked


def environment(settings: Settings, **more: str) -> dict[str, str]:
    """The environment variables of an installation with ``settings``; nothing else of LMS Bridge is inherited."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LMS_BRIDGE_")}
    given = {
        "LMS_BRIDGE_ENVIRONMENT": settings.environment.value,
        "LMS_BRIDGE_SECRET_KEY": settings.secret_key.get_secret_value(),
        "LMS_BRIDGE_DATA_DIR": str(settings.data_dir.absolute()),
        "LMS_BRIDGE_DATABASE_URL": settings.database_url,
        "LMS_BRIDGE_JOB_STORE_URL": settings.job_store_url,
        "LMS_BRIDGE_BASE_URL": settings.base_url,
        "LMS_BRIDGE_HOST": settings.host,
        "LMS_BRIDGE_PORT": str(settings.port),
        "LMS_BRIDGE_PASSWORD_HASHING": settings.password_hashing,
        "LMS_BRIDGE_JOB_LEASE_SECONDS": str(settings.job_lease_seconds),
        "LMS_BRIDGE_SWEEP_SECONDS": str(settings.sweep_seconds),
        "LMS_BRIDGE_LOG_LEVEL": settings.log_level,
        "LMS_BRIDGE_INTERNAL_NETWORKS": ",".join(map(str, settings.internal_networks)),
        "LMS_BRIDGE_CONFIG": str(settings.data_dir / "none.toml"),
        "PYTHONPATH": str(ROOT),
    }
    if settings.identity_providers:
        said = {
            name: one.model_dump() | {"client_secret": one.client_secret.get_secret_value()}
            for name, one in settings.identity_providers.items()
        }
        given["LMS_BRIDGE_IDENTITY_PROVIDERS"] = json.dumps(said)
    return inherited | given | more


@contextmanager
def started(
    command: Sequence[str], variables: Mapping[str, str], log: Path, *, fresh: bool = False
) -> Iterator[Running]:
    """``python -m`` with ``command`` running in its own folder; ended at the end of the block. With ``fresh`` the
    interpreter is started, as an administrator does it; else it is forked from one that has imported the product."""
    module, *arguments = command
    if fresh:
        with log.open("ab") as out:
            process: Running = subprocess.Popen(
                [sys.executable, "-m", *command],
                env=dict(variables),
                cwd=log.parent,
                stdout=out,
                stderr=out,
                preexec_fn=end_with_parent(),
            )
    else:
        process = fork(module, arguments, variables, log.parent, log, log)
    try:
        yield process
    finally:
        end(process)


def end(process: Running) -> None:
    """Ask a process to end, and end it when it does not."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def kill(process: Running) -> None:
    """kill -9: nothing in the process can prepare for it."""
    process.send_signal(signal.SIGKILL)
    process.wait()


def run_command(arguments: Sequence[str], settings: Settings, *, fresh: bool = False) -> str:
    """Run ``lms-bridge`` with ``arguments`` to its end and return what it printed; fail when it refuses. ``fresh``: see
    :func:`started`."""
    done = ended_command(arguments, settings, fresh=fresh)
    if done.returncode != 0:
        pytest.fail(f"lms-bridge {' '.join(arguments)} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    return done.stdout


def ended_command(
    arguments: Sequence[str], settings: Settings, *, fresh: bool = False, **more: str
) -> subprocess.CompletedProcess[str]:
    """``lms-bridge`` with ``arguments`` run to its end; ``more`` variables win over those of ``settings``.
    For ``fresh`` see :func:`started`."""
    variables = environment(settings, LANG="C.UTF-8", LC_ALL="", LC_MESSAGES="", **more)
    if fresh:
        return subprocess.run(
            [sys.executable, "-m", "lms_bridge.cli", *arguments],
            env=variables,
            cwd=settings.data_dir,
            capture_output=True,
            text=True,
            check=False,
        )
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        code = fork("lms_bridge.cli", arguments, variables, settings.data_dir, out, err).wait()
        said = [path.read_text(encoding="utf-8") for path in (out, err)]
    return subprocess.CompletedProcess(list(arguments), code, *said)


def wait_for_answer(url: str, process: Running, log: Path) -> None:
    """Wait until ``url`` answers with success; fail with the log when the process ends or takes too long."""
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            pass
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"{url} did not answer:\n{log.read_text(encoding='utf-8', errors='replace')[-3000:]}")
        time.sleep(0.05)
