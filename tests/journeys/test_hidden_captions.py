"""A caption that only screen readers read makes no page wider than a phone."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask, render_template_string

import lms_bridge.web
from tests.journeys.conftest import OpenContext, assert_no_sideways_scroll

pytestmark = pytest.mark.one_database

TABLE = """{% from "macros/tables.html" import data_table %}<main><h1>A</h1>
{% set caption = "A caption far longer than the window is wide, " * 4 %}
{{ data_table([{"key": "a", "label": "A"}], [{"a": 1}], caption, caption_hidden=true) }}
</main>"""


@pytest.mark.parametrize("phone", [True, False])
def test_a_hidden_caption_takes_no_room(app: Flask, browser_of: OpenContext, phone: bool) -> None:
    style = (Path(lms_bridge.web.__file__).parent / "static" / "app.css").read_text(encoding="utf-8")
    with app.test_request_context():
        table = render_template_string(TABLE)
    page = browser_of(phone=phone).new_page()
    page.set_content(
        f'<!doctype html><meta name="viewport" content="width=device-width"><style>{style}</style><body>{table}'
    )
    assert_no_sideways_scroll(page)
