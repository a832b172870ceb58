"""Opening a .docx or .xlsx file in a child process of its own, so that a hostile file can end only that.

A new interpreter is started, nothing is forked: the web server has threads, and the child must not inherit
connections or secrets.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import lms_bridge
from lms_bridge.plans.reading.grid import RawDocument, from_json
from lms_bridge.plans.reading.limits import ReadLimits, Refused
from lms_bridge.plans.units import Source

log = logging.getLogger(__name__)

_MODULE = "lms_bridge.plans.reading.child"


def read_in_child(path: Path, limits: ReadLimits) -> tuple[Source, RawDocument]:
    """The tables of the document at ``path``; raises ``Refused`` with the child's reason or that of its death."""
    with path.open("rb") as document, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(
            [sys.executable, "-m", _MODULE, json.dumps(asdict(limits))],
            stdin=document,
            stdout=out,
            stderr=err,
            env=_environment(),
            cwd="/" if os.name == "posix" else None,
        )
        try:
            code = process.wait(limits.wall_seconds)
        except subprocess.TimeoutExpired as error:
            raise Refused("time", limit=int(limits.wall_seconds)) from error
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        if code != 0:
            raise _death(code, err, limits)
        out.seek(0)
        answer: dict[str, Any] = json.loads(out.read())
    if "refused" in answer:
        raise Refused(answer["refused"], **answer["params"])
    return answer["source"], from_json(answer["document"])


def _environment() -> dict[str, str]:
    """No secrets and no settings: only what the interpreter needs to find this package."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TMPDIR", "LANG") if name in os.environ}
    root = str(Path(lms_bridge.__file__).resolve().parent.parent)
    return kept | {"PYTHONPATH": root, "PYTHONUTF8": "1"}


def _death(code: int, err: Any, limits: ReadLimits) -> Refused:
    err.seek(0)
    last = err.read()[-2000:].decode("utf-8", "replace").strip().rpartition("\n")[2]
    log.warning("document reader ended with %s: %s", code, last.partition(":")[0])
    if code == -getattr(signal, "SIGXCPU", 0):
        return Refused("time", limit=limits.cpu_seconds)
    if code == -getattr(signal, "SIGXFSZ", 0):
        return Refused("too_much_text", limit=limits.text_characters)
    if "MemoryError" in last or code == -getattr(signal, "SIGKILL", 0):
        return Refused("memory")
    return Refused("died")
