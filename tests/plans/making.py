"""Builders of real documents for the tests of reading plans."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import docx
import openpyxl
from docx.document import Document

Rows = Sequence[Sequence[object]]
Merge = tuple[tuple[int, int], tuple[int, int]]

CHINESE: Rows = (
    ("周次", "教学内容", "课时", "教学目标", "教学重难点", "作业", "备注"),
    ("第1周", "第一章 有理数", "4课时", "理解有理数", "数轴", "习题1.1", ""),
    ("第2-3周", "第二章 整式的加减", "6", "会合并同类项", "同类项", "习题2.1", "测验一次"),
    ("第４周", "第三章 一元一次方程", "五课时", "会解方程", "移项", "", ""),
)
ENGLISH: Rows = (
    ("Week", "Unit", "Periods", "Objectives", "Homework"),
    ("Week 1", "Unit 1 My family", "4", "Describe a family", "Page 8"),
    ("Weeks 2–3", "Unit 2 Seasons", "5 periods", "Talk about weather", ""),
    ("4", "Unit 3 At the market", "3", "Ask for prices", "Page 20"),
)


def add_table(document: Document, rows: Rows, merges: Iterable[Merge] = ()) -> None:
    """A Word table with ``rows``; ``merges`` are pairs of opposite corners (row, column), from 0."""
    table = document.add_table(len(rows), max(len(row) for row in rows))
    for row, values in zip(table.rows, rows, strict=True):
        for cell, value in zip(row.cells, values, strict=False):
            cell.text = str(value)
    for start, end in merges:
        text = table.cell(*start).text
        table.cell(*start).merge(table.cell(*end)).text = text


def word(path: Path, *tables: Rows, title: str = "", merges: Iterable[Merge] = ()) -> Path:
    """A .docx with a title line and tables; ``merges`` apply to the first table."""
    document = docx.Document()
    if title:
        document.add_heading(title, 1)
    for index, rows in enumerate(tables):
        add_table(document, rows, merges if index == 0 else ())
        document.add_paragraph("")
    document.save(str(path))
    return path


def excel(path: Path, rows: Rows, *, title: str = "", merges: Iterable[str] = (), sheet: str = "计划") -> Path:
    """An .xlsx with one sheet."""
    workbook = openpyxl.Workbook()
    worksheet = workbook.active
    assert worksheet is not None
    worksheet.title = sheet
    if title:
        worksheet.append([title])
        worksheet.merge_cells(start_row=1, end_row=1, start_column=1, end_column=len(rows[0]))
    for row in rows:
        worksheet.append(list(row))
    for area in merges:
        worksheet.merge_cells(area)
    workbook.save(path)
    return path


def lines(rows: Rows, delimiter: str = ",") -> str:
    """The rows as delimited text with Windows line ends."""
    return "".join(delimiter.join(str(value) for value in row) + "\r\n" for row in rows)


def repacked(source: Path, path: Path, changes: dict[str, bytes]) -> Path:
    """A copy of a zip container with some parts replaced or added."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            if info.filename not in changes:
                new.writestr(info, old.read(info.filename))
        for name, data in changes.items():
            new.writestr(name, data)
    return path


def part(path: Path, name: str) -> str:
    """One XML part of a container as text."""
    with zipfile.ZipFile(path) as archive:
        return archive.read(name).decode()
