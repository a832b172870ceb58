"""Plan documents for tests, as teachers write them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from docx import Document

HEADINGS = ("周次", "教学内容", "课时", "作业")


def plan_docx(path: Path, units: Sequence[tuple[str, int]], *, title: str = "七年级数学教学计划") -> Path:
    """A Word plan: a title line and a table with one row a unit, one week each."""
    document = Document()
    document.add_heading(title, level=1)
    table = document.add_table(rows=1, cols=len(HEADINGS))
    for cell, text in zip(table.rows[0].cells, HEADINGS, strict=True):
        cell.text = text
    for week, (name, periods) in enumerate(units, start=1):
        values = (f"第{week}周", name, str(periods), f"完成《{name}》练习")
        for cell, text in zip(table.add_row().cells, values, strict=True):
            cell.text = text
    document.save(str(path))
    return path
