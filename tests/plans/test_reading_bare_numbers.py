"""Units that share a cell with bare numbers behind them; what may be several units is never silently one; weeks and
dates outside the term are named."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest

from lms_bridge.core.errors import BridgeError
from lms_bridge.core.i18n import use_locale
from lms_bridge.plans.reading import read_plan
from lms_bridge.plans.units import PlanDocument

TERM = (date(2026, 9, 1), date(2027, 1, 20))


def read(tmp_path: Path, cell: str, periods: str, when: str = "1") -> PlanDocument:
    """A plan with this cell in its first row."""
    path = tmp_path / "plan.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("周次", "教学内容", "课时"), (when, cell, periods), ("2", "扩散", "2")])
    with use_locale("en"):
        return read_plan(path, name=path.name, term=TERM)


@pytest.mark.parametrize(
    ("cell", "periods"),
    [
        ("1. Cells (3)\n2. Tissues (2)\n3. Organs (3)", "8"),
        ("《Cells》3\n《Tissues》2\n《Organs》3", "8"),
        ("Cells 3\nTissues 2\nOrgans 3", "8"),
        ("①Cells（3）②Tissues（2）③Organs（3）", "8"),
    ],
)
def test_bare_numbers_that_add_up_to_the_periods_part_a_cell(tmp_path: Path, cell: str, periods: str) -> None:
    units = read(tmp_path, cell, periods).units
    assert [(unit.title.strip("《》"), unit.periods) for unit in units[:3]] == [
        ("Cells", 3),
        ("Tissues", 2),
        ("Organs", 3),
    ]


def test_numbers_that_do_not_add_up_part_nothing(tmp_path: Path) -> None:
    found = read(tmp_path, "Cells 3\nTissues 2", "8")
    assert [(unit.title, unit.periods) for unit in found.units] == [("Cells 3", 8), ("扩散", 2)]


def test_numbered_lines_without_periods_are_one_unit_and_said_to_be(tmp_path: Path) -> None:
    found = read(tmp_path, "1.1 认识小数\n1.2 小数加减\n1.3 小数乘法", "8")
    assert "title" in found.units[0].assumed
    assert any("numbered lines" in warning.text() for warning in found.warnings)


def test_units_between_semicolons_without_periods_are_a_question(tmp_path: Path) -> None:
    with pytest.raises(BridgeError, match=r"Several units stand in one cell|problems? (was|were) found"):
        read(tmp_path, "Chapter 1: Cells; Chapter 2: Tissues", "8")


def test_weeks_and_dates_outside_the_term_are_named(tmp_path: Path) -> None:
    late = read(tmp_path, "细胞", "3", "30-31")
    assert any("after the last week" in warning.text() and "细胞" in warning.text() for warning in late.warnings)
    turned = read(tmp_path, "细胞", "3", "第1周 (8/9-12/9)")
    assert any("other way round" in warning.text() for warning in turned.warnings)
    assert not any("term" in warning.text() for warning in read(tmp_path, "细胞", "3").warnings)
