"""Messages show what people write as they wrote it, and nothing of it is HTML."""

from __future__ import annotations

from importlib import resources

import pytest
from flask import Flask

from lms_bridge.notices import rendering

WRITTEN = "<b onclick=x>5 & 6</b>"


def test_words_that_text_and_html_share_are_escaped_in_html_alone(app: Flask) -> None:
    said = {
        end: rendering.environment().get_template(f"room_moved_words.{end}").module.what(WRITTEN, "", False)  # type: ignore[attr-defined]
        for end in ("txt", "html")
    }
    assert WRITTEN in said["txt"]
    assert "&lt;b onclick=x&gt;5 &amp; 6&lt;/b&gt;" in said["html"]
    assert "<b" not in said["html"]


@pytest.mark.parametrize(
    "name", [one.name for one in (resources.files("lms_bridge_templates") / "mail").iterdir() if "html" in one.name]
)
def test_html_takes_nothing_from_templates_that_escape_nothing(name: str) -> None:
    text = (resources.files("lms_bridge_templates") / "mail" / name).read_text(encoding="utf-8")
    assert '.txt"' not in text
