"""Documents in old Office forms: converted where LibreOffice is installed, refused with the remedy elsewhere."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from lms_bridge.core.errors import InputError
from lms_bridge.plans.reading import installed_converter, read_plan
from lms_bridge.plans.reading.convert import office
from tests.plans.making import CHINESE, excel, word

OFFICE = shutil.which("soffice")
needs_office = pytest.mark.skipif(OFFICE is None, reason="LibreOffice is not installed")


def old_form(folder: Path, ending: str) -> Path:
    """A plan in an old form, written by LibreOffice."""
    source = word(folder / "plan.docx", CHINESE, title="数学计划")
    if ending in ("xls", "ods"):
        source = excel(folder / "plan.xlsx", CHINESE)
    subprocess.run(
        [
            str(OFFICE), f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless",
            "--convert-to", ending, "--outdir", str(folder), str(source),
        ],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    return folder / f"plan.{ending}"


@needs_office
@pytest.mark.parametrize(
    "ending", ["doc", "xls", *(pytest.param(ending, marks=pytest.mark.slow) for ending in ("rtf", "odt", "ods"))]
)
def test_old_forms_are_converted_and_it_is_said(tmp_path: Path, ending: str) -> None:
    path = old_form(tmp_path, ending)
    with pytest.raises(InputError):
        read_plan(path, name=path.name)
    plan = read_plan(path, name=path.name, converter=installed_converter())
    assert [(u.title, u.periods, u.week_from, u.week_to) for u in plan.units] == [
        ("第一章 有理数", 4, 1, 1),
        ("第二章 整式的加减", 6, 2, 3),
        ("第三章 一元一次方程", 5, 4, 4),
    ]
    assert plan.warnings[0].text().startswith("This document in an old form was converted before reading")


@needs_office
def test_what_cannot_be_converted_keeps_its_refusal(tmp_path: Path) -> None:
    path = tmp_path / "broken.doc"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504 + "WordDocument".encode("utf-16-le"))
    with pytest.raises(InputError, match=r"old \.doc form"):
        read_plan(path, name="broken.doc", converter=installed_converter())


def program(path: Path, body: str) -> Path:
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.mark.skipif(os.name != "posix", reason="a shell script stands in for the program")
def test_a_conversion_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    script = program(tmp_path / "soffice", f"sleep 300 &\necho $! > {tmp_path}/child\nwait")
    rtf = tmp_path / "a.rtf"
    rtf.write_bytes(b"{\\rtf1\\ansi plan}")
    with pytest.raises(InputError, match="Rich Text"):
        read_plan(rtf, name="a.rtf", converter=office(script, seconds=1))
    child = int((tmp_path / "child").read_text())
    stat = Path(f"/proc/{child}/stat")
    assert not stat.exists() or stat.read_text().split()[2] == "Z"


@pytest.mark.skipif(os.name != "posix", reason="a shell script stands in for the program")
def test_the_converter_gets_no_secrets_and_a_profile_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LMS_BRIDGE_SECRET_KEY", "secret")
    script = program(tmp_path / "soffice", f'env > {tmp_path}/env; echo "$@" > {tmp_path}/arguments')
    rtf = tmp_path / "a.rtf"
    rtf.write_bytes(b"{\\rtf1\\ansi plan}")
    with pytest.raises(InputError):
        read_plan(rtf, name="a.rtf", converter=office(script))
    assert "secret" not in (tmp_path / "env").read_text()
    assert "-env:UserInstallation=file:///" in (tmp_path / "arguments").read_text()
