"""Writes the demonstration's teaching plans as Word documents, in the form in which schools keep them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from docx import Document

from lms_bridge.demo.curriculum import PlannedUnit

_HEADINGS = {
    "zh-CN": ("周次", "教学内容", "课时", "教学目标", "作业"),
    "en": ("Week", "Unit", "Periods", "Objectives", "Homework"),
}


def write_plan(path: Path, title: str, by: str, units: Sequence[PlannedUnit], language: str) -> Path:
    """A .docx with a title, a line that says by whom, and a table with one row a unit."""
    document = Document()
    document.add_heading(title, level=1)
    document.add_paragraph(by)
    headings = _HEADINGS[language]
    table = document.add_table(rows=len(units) + 1, cols=len(headings), style="Table Grid")
    # One look at all cells: reading a row's cells one by one walks the whole table each time.
    cells = table._cells
    rows = [headings, *(_row(unit, language) for unit in units)]
    for place, text in enumerate(value for row in rows for value in row):
        cells[place].text = text
    document.save(str(path))
    return path


def _row(unit: PlannedUnit, language: str) -> tuple[str, ...]:
    if language == "en":
        weeks = f"Week {unit.first}" if unit.first == unit.last else f"Weeks {unit.first}-{unit.last}"
    else:
        weeks = f"第{unit.first}周" if unit.first == unit.last else f"第{unit.first}-{unit.last}周"
    return weeks, unit.title, str(unit.periods), unit.objectives, unit.homework
