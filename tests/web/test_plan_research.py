"""The researchers' overview in the browser: from the map to one unit of the benchmark."""

from __future__ import annotations

import io
import re

import openpyxl
import pytest
from flask import Flask

from tests.builders import SchoolSystem
from tests.plans.test_overview import school  # noqa: F401 - the fixture
from tests.web.test_plans import signed_in


@pytest.fixture
def bureau(school: SchoolSystem) -> SchoolSystem:  # noqa: F811
    """The same school system under another name."""
    return school


def test_from_the_map_to_a_unit(app: Flask, bureau: SchoolSystem) -> None:
    client = signed_in(app, bureau.researcher)
    client.get("/language/en")
    assert "/plans/overview" in client.get("/plans/").get_data(as_text=True)
    page = client.get("/plans/overview?subject=physics").get_data(as_text=True)
    assert "0 of 1 approved" in page
    assert "1 without a plan" in page
    cell = re.search(r'href="(/plans/overview/plans\?[^"]+)"', page)
    assert cell is not None
    listed = client.get(cell[1].replace("&amp;", "&")).get_data(as_text=True)
    assert bureau.a.classes[0].title in listed
    unit = re.search(r'href="(/plans/overview/unit/[^"]+)"', page)
    assert unit is not None
    told = client.get(unit[1].replace("&amp;", "&")).get_data(as_text=True)
    assert "no plan yet" in told


def test_the_workbook_is_downloaded(app: Flask, bureau: SchoolSystem) -> None:
    answer = signed_in(app, bureau.researcher).get("/plans/overview.xlsx")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert openpyxl.load_workbook(io.BytesIO(answer.data)).sheetnames[0] == "总览"


def test_teachers_have_no_overview(app: Flask, bureau: SchoolSystem) -> None:
    client = signed_in(app, bureau.a.teacher)
    for address in ("/plans/overview", "/plans/overview.xlsx", "/plans/overview/plans", "/plans/overview/unit/x"):
        assert client.get(address).status_code == 404
    assert "/plans/overview" not in client.get("/plans/").get_data(as_text=True)


def test_a_filter_that_finds_nothing_does_not_ask_for_a_roster(app: Flask, bureau: SchoolSystem) -> None:
    client = signed_in(app, bureau.researcher)
    client.get("/language/en")
    page = client.get("/plans/overview?subject=physics&grade=12").get_data(as_text=True)
    assert "Nothing for this choice" in page
    assert "Import the roster" not in page
