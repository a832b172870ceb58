"""Documents in old Office forms, turned into new ones by LibreOffice where it is installed.

LibreOffice runs in a process group of its own with limits of memory, processor and wall-clock time, with a profile
folder of its own in which macros and remote links are switched off, and without this service's environment.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Literal

import lms_bridge
from lms_bridge.plans.reading.limits import ReadLimits

log = logging.getLogger(__name__)

Target = Literal["docx", "xlsx"]
Converter = Callable[[Path, str, Target, ReadLimits], AbstractContextManager[Path | None]]

_MODULE = "lms_bridge.plans.reading.convert_child"
# What a refusal calls a form that LibreOffice reads -> (what it is turned into, the name's ending it knows it by).
_FORMS: dict[str, tuple[Target, str]] = {
    "doc": ("docx", "doc"),
    "wps": ("docx", "doc"),
    "rtf": ("docx", "rtf"),
    "odt": ("docx", "odt"),
    "xls": ("xlsx", "xls"),
    "et": ("xlsx", "xls"),
    "ods": ("xlsx", "ods"),
}
_SECONDS = 60.0

_PROFILE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="DisableMacrosExecution" oor:op="fuse">
<value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="BlockUntrustedRefererLinks"
 oor:op="fuse"><value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="DisableActiveContent" oor:op="fuse">
<value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Writer/Content/Update"><prop oor:name="Link" oor:op="fuse"><value>2</value>
</prop></item>
<item oor:path="/org.openoffice.Office.Calc/Content/Update"><prop oor:name="Link" oor:op="fuse"><value>2</value></prop>
</item>
</oor:items>
"""


def convertible(code: str) -> Target | None:
    """What a document refused with ``code`` can be turned into; None where it cannot."""
    form = _FORMS.get(code)
    return form[0] if form else None


def installed_converter() -> Converter | None:
    """LibreOffice, if it is installed here."""
    program = shutil.which("soffice") or shutil.which("libreoffice")
    return office(Path(program)) if program else None


def office(program: Path, seconds: float = _SECONDS) -> Converter:
    """A converter that runs LibreOffice's ``program`` for at most ``seconds``."""

    @contextmanager
    def convert(path: Path, code: str, target: Target, limits: ReadLimits) -> Iterator[Path | None]:
        """The converted document for the length of the block; None where LibreOffice could not make one."""
        with tempfile.TemporaryDirectory(prefix="plan-", ignore_cleanup_errors=True) as name:
            folder = Path(name)
            source = folder / f"plan.{_FORMS[code][1]}"
            shutil.copyfile(path, source)
            profile = folder / "profile" / "user"
            profile.mkdir(parents=True)
            (profile / "registrymodifications.xcu").write_text(_PROFILE, encoding="utf-8")
            made = folder / "out" / f"plan.{target}"
            _run(program, source, made, folder / "profile", seconds, limits)
            yield made if made.is_file() else None

    return convert


def _run(program: Path, source: Path, made: Path, profile: Path, seconds: float, limits: ReadLimits) -> None:
    arguments = {
        "program": str(program),
        "arguments": [
            f"-env:UserInstallation={profile.as_uri()}", "--headless", "--norestore", "--nolockcheck", "--nologo",
            "--convert-to", made.suffix[1:], "--outdir", str(made.parent), str(source),
        ],
        "seconds": int(seconds),
        "file_bytes": 4 * limits.file_bytes,
    }  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", _MODULE, json.dumps(arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=_environment(source.parent),
        cwd=source.parent,
        start_new_session=True,
    )
    try:
        code = process.wait(seconds)
        if code != 0:
            log.warning("LibreOffice ended with %s", code)
    except subprocess.TimeoutExpired:
        log.warning("LibreOffice took longer than %s seconds", seconds)
    finally:
        # soffice is a script that starts the program proper: the whole group ends.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _environment(folder: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    root = str(Path(lms_bridge.__file__).resolve().parent.parent)
    return kept | {"PYTHONPATH": root, "PYTHONUTF8": "1", "HOME": str(folder), "TMPDIR": str(folder), "LANG": "C.UTF-8"}
