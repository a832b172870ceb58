"""Logs hold event names, opaque ids and numbers; secrets and personal data are masked even when logged by mistake."""

from __future__ import annotations

import json
import logging as stdlib_logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from lms_bridge.core import logging


@pytest.fixture(autouse=True)
def handlers_of_before() -> Iterator[None]:
    """Put the log's handlers back after each test."""
    root = stdlib_logging.getLogger()
    before, level = root.handlers[:], root.level
    yield
    root.handlers[:] = before
    root.setLevel(level)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What was logged, one object a line; standard output stays free for what commands print."""
    out, err = capsys.readouterr()
    assert out == ""
    return [json.loads(line) for line in err.splitlines()]


@pytest.mark.parametrize(
    "field", ["password", "secret", "token", "access_token", "Authorization", "cookie", "email", "phone", "family_name"]
)
def test_a_field_that_looks_secret_or_personal_is_masked(capsys: pytest.CaptureFixture[str], field: str) -> None:
    logging.configure("INFO", json=True)
    structlog.get_logger("test").info("signed in", **{field: "王小明 hunter2", "person": "k3x9"})
    (line,) = lines(capsys)
    assert line[field] == "********"
    assert (line["event"], line["person"]) == ("signed in", "k3x9")


@pytest.mark.parametrize(
    "path",
    [
        "/j/AbCd-123",
        "/c/AbCd-123.ics",
        "/sign-in/link/AbCd-123",
        "/hooks/providers/AbCd-123/x",
        "/hooks/meetings/AbCd-123",
    ],
)
def test_the_token_of_a_personal_address_is_masked_in_any_text(capsys: pytest.CaptureFixture[str], path: str) -> None:
    logging.configure("INFO", json=True)
    stdlib_logging.getLogger("some.library").warning("GET %s?x=1 failed", path)
    (line,) = lines(capsys)
    assert "AbCd" not in line["event"]
    assert line["event"].startswith("GET /")


def test_an_error_is_logged_with_where_it_happened(capsys: pytest.CaptureFixture[str]) -> None:
    logging.configure("INFO", json=True)
    try:
        raise RuntimeError("no such room")
    except RuntimeError:
        stdlib_logging.getLogger("some.library").exception("the job failed")
    (line,) = lines(capsys)
    assert "RuntimeError: no such room" in line["exception"]
    assert "test_logging.py" in line["exception"]


def test_what_is_below_the_level_is_not_logged(capsys: pytest.CaptureFixture[str]) -> None:
    logging.configure("WARNING", json=True)
    stdlib_logging.getLogger("some.library").info("chatter")
    assert lines(capsys) == []


@pytest.mark.parametrize("json", [True, False])
def test_an_error_shows_neither_the_values_that_it_met_nor_the_tokens_in_its_words(
    capsys: pytest.CaptureFixture[str], json: bool
) -> None:
    logging.configure("INFO", json=json)
    try:
        pair = "client:TOP-" + "SECRET"
        raise RuntimeError(f"no answer for {len(pair)} signs from /hooks/providers/AbCd-123")
    except RuntimeError:
        stdlib_logging.getLogger("some.library").exception("the plugin %s failed", "zoom")
    text = capsys.readouterr().err
    assert "the plugin zoom failed" in text
    assert "RuntimeError: no answer for 17 signs" in text
    assert "TOP-SECRET" not in text
    assert "AbCd" not in text
