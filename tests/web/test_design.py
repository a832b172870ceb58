"""The design language: light, safe under the content security policy, and a week that is a real table."""

from __future__ import annotations

import gzip
import re
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment, FileSystemLoader

from lms_bridge.core.i18n import catalogue, get_locale, use_locale

PAGES = Path(str(resources.files("lms_bridge_templates"))) / "pages"
STATIC = Path(str(resources.files("lms_bridge"))) / "web" / "static"


@pytest.fixture
def pages() -> Environment:
    """The macros as the application sees them, without the application."""
    env = Environment(
        loader=FileSystemLoader(PAGES),
        extensions=["jinja2.ext.i18n"],
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.install_gettext_callables(  # type: ignore[attr-defined]
        lambda text: catalogue(get_locale()).gettext(text),
        lambda one, many, n: catalogue(get_locale()).ngettext(one, many, n),
        newstyle=True,
    )
    env.globals["csrf_token"] = lambda: "token"
    return env


def show(pages: Environment, macro_file: str, call: str, language: str = "en", **context: Any) -> str:
    """What a macro writes, with its white space made single."""
    name = call.split("(")[0]
    source = f'{{% from "macros/{macro_file}" import {name} %}}{{{{ {call} }}}}'
    with use_locale(language):
        return " ".join(pages.from_string(source).render(**context).split())


def week(now: str | None = "10:25") -> dict[str, Any]:
    moved = {"subject": "English", "who": "Mr Liu", "room": "soon", "moved_from": "Tue, period 2"}
    current = {"subject": "Maths", "who": "Ms Chen", "room": "open", "url": "/l/1"}
    return {
        "caption": "Class 3.2",
        "now": now,
        "days": [{"label": "Tue", "date": "24 Nov"}, {"label": "Wed", "date": "25 Nov", "today": True}],
        "rows": [
            {"number": 3, "start": "10:10", "end": "10:55", "cells": [[], [current]]},
            {"number": 4, "start": "11:05", "end": "11:50", "cells": [[], [moved]]},
        ],
    }


def test_style_sheet_and_script_of_a_first_visit_are_small() -> None:
    weight = sum(len(gzip.compress((STATIC / name).read_bytes())) for name in ("app.css", "app.js", "icon.svg"))
    assert weight < 30_000


def test_no_page_needs_inline_styles_or_scripts() -> None:
    for page in PAGES.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"<[^>]*\s(style|on[a-z]+)=", text), page.name
        assert not re.search(r"<script(?![^>]*\ssrc=)", text), page.name
        assert "<style" not in text, page.name


def test_the_week_is_a_table_with_headers_in_both_directions(pages: Environment) -> None:
    html = show(pages, "week.html", "week_grid(week)", week=week())
    assert html.count('scope="col"') == 3
    assert html.count('scope="row"') == 2
    assert "<caption>Class 3.2</caption>" in html


def test_the_week_says_which_day_is_today_and_which_lesson_is_now(pages: Environment) -> None:
    html = show(pages, "week.html", "week_grid(week)", week=week())
    assert html.count('aria-current="date"') == 1
    assert html.count('aria-current="time"') == 1
    assert 'y1="33%"' in html


@pytest.mark.parametrize(("now", "lines"), [("09:00", 0), ("10:10", 1), ("11:00", 1), ("11:50", 0), (None, 0)])
def test_the_line_of_now_is_drawn_only_during_the_school_day(pages: Environment, now: str | None, lines: int) -> None:
    html = show(pages, "week.html", "week_grid(week)", week=week(now))
    assert html.count("data-now-line") == lines


def test_a_moved_lesson_says_where_from_and_its_room_in_words(pages: Environment) -> None:
    html = show(pages, "week.html", "week_grid(week)", week=week())
    assert "moved from Tue, period 2" in html
    assert "Opens soon" in html
    assert "即将开放" in show(pages, "week.html", "week_grid(week)", "zh-CN", week=week())


def test_a_field_that_comes_back_keeps_what_was_typed_and_names_its_error(pages: Environment) -> None:
    html = show(pages, "forms.html", "field('mail', 'E-mail', 'a<b', 'email', hint='Yours', error='No @ in it')")
    assert 'value="a&lt;b"' in html
    assert 'aria-invalid="true"' in html
    assert 'aria-describedby="field-mail-hint field-mail-error"' in html


def test_a_password_is_never_written_back(pages: Environment) -> None:
    assert "secret" not in show(pages, "forms.html", "field('password', 'Password', 'secret', 'password')")


def test_a_table_without_rows_says_what_to_do_next(pages: Environment) -> None:
    html = show(pages, "tables.html", "data_table([{'key': 'name', 'label': 'Name'}], [], 'Plans', empty='Upload one')")
    assert html == "Upload one"


def test_a_chart_has_title_description_and_its_numbers(pages: Environment) -> None:
    series = [{"name": "Lessons", "values": [91, None, 97]}]
    call = "line_chart('c', 'Present', 'Rose to 97', ['Mon', 'Tue', 'Wed'], series, unit='%')"
    html = show(pages, "charts.html", call, series=series)
    assert '<title id="c-title">Present</title><desc id="c-desc">Rose to 97</desc>' in html
    assert all(f'<td class="number">{number}</td>' in html for number in ("91%", "–", "97%"))


def test_an_empty_chart_is_drawn_without_fault(pages: Environment) -> None:
    assert "<svg" in show(pages, "charts.html", "bar_chart('b', 'T', 'D', [])")
    assert "<svg" in show(pages, "charts.html", "line_chart('l', 'T', 'D', [], [])")
    assert "<svg" in show(pages, "charts.html", "line_chart('l', 'T', 'D', ['Mon'], [{'name': 'A', 'values': [0]}])")


def test_all_problems_of_an_input_are_listed_with_place_and_remedy(pages: Environment) -> None:
    problems = [{"place": f"row {row}", "message": "No title.", "remedy": "Write one."} for row in (14, 17)]
    html = show(pages, "layout.html", "problem_list(problems)", problems=problems)
    assert "row 14" in html
    assert "row 17" in html
    assert html.count("Write one.") == 2
