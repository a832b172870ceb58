"""Layouts in workbooks and in text files."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Sequence
from itertools import groupby

from tests.corpus.plans_generator.columns import Column
from tests.corpus.plans_generator.grid import Cell, Grid, plain
from tests.corpus.plans_generator.made import Draft, Made
from tests.corpus.plans_generator.paper_excel import workbook
from tests.corpus.plans_generator.schedule import Step


def sheet_with_titles(rng: random.Random) -> Made:
    """Title and teacher in merged rows above the headings, the sum at the end."""
    draft = Draft(rng)
    columns = draft.columns(need=("periods",))
    steps = draft.steps(draft.topics())
    rows = [plain([column.name for column in columns], bold=True)]
    rows += [plain(row) for row in draft.rows(columns, steps)]
    if rng.random() < 0.6:
        rows.append(plain(draft.total(columns, steps)))
    titles = [draft.title()]
    if rng.random() < 0.6:
        titles.append("任课教师：张敏" if draft.zh else "Teacher: A. Chen")
    name = "教学计划" if draft.zh else "Plan"
    return draft.made(workbook({name: (titles, Grid(rows))}), ".xlsx", "sheet_with_titles")


def sheet_for_each_month(rng: random.Random) -> Made:
    """A sheet for each month, all with the same headings."""
    draft = Draft(rng)
    columns = draft.columns(need=("week", "periods"), without=("number",))
    steps = draft.steps(draft.topics(8, 14), ways=("weekly",))
    sheets = {}
    for month, group in groupby(steps, key=lambda step: step.date_from.month):
        rows = [plain([column.name for column in columns], bold=True)]
        rows += [plain(row) for row in draft.rows(columns, list(group))]
        name = f"{month}月" if draft.zh else _MONTHS[month - 1]
        sheets[name] = ((), Grid(rows))
    return draft.made(workbook(sheets), ".xlsx", "sheet_for_each_month")


def plan_among_other_sheets(rng: random.Random) -> Made:
    """A cover and a list of pupils stand beside the sheet with the plan."""
    draft = Draft(rng)
    columns = draft.columns(need=("periods",))
    rows = [plain([column.name for column in columns], bold=True)]
    rows += [plain(row) for row in draft.rows(columns, draft.steps(draft.topics()))]
    if draft.zh:
        cover = Grid([plain(["学校", "实验中学"]), plain(["教师", "张敏"])])
        pupils = Grid([plain(["学号", "姓名"]), plain(["01", "李华"]), plain(["02", "王芳"])])
        sheets = {"封面": ([draft.title()], cover), "进度表": ((), Grid(rows)), "学生名单": ((), pupils)}
    else:
        cover = Grid([plain(["School", "Hill Road School"]), plain(["Teacher", "A. Chen"])])
        pupils = Grid([plain(["No", "Name"]), plain(["01", "Li Hua"]), plain(["02", "Wang Fang"])])
        sheets = {"Cover": ([draft.title()], cover), "Plan": ((), Grid(rows)), "Pupils": ((), pupils)}
    return draft.made(workbook(sheets), ".xlsx", "plan_among_other_sheets")


def sheet_with_real_dates(rng: random.Random) -> Made:
    """Start and end are cells with dates; the weeks are numbers; a row that was dropped is hidden."""
    draft = Draft(rng)
    steps = [step for step in draft.steps(draft.topics()) if step.kind == "unit"]
    names = (
        ("序号", "周次", "开始日期", "结束日期", "教学内容", "课时", "备注")
        if draft.zh
        else ("No.", "Week", "Start date", "End date", "Topic", "Periods", "Remarks")
    )
    rows = [plain(names, bold=True)]
    for number, step in enumerate(steps, 1):
        week = step.week_from if step.week_from == step.week_to else None
        rows.append(
            [
                Cell(str(number), value=number),
                Cell(f"{step.week_from}-{step.week_to}", value=week),
                Cell(value=step.date_from),
                Cell(value=step.date_to),
                Cell(step.title),
                Cell(value=step.topic.periods),
                Cell(""),
            ]
        )
        draft.expectation.step(step, {"week", "dates"})
    grid = Grid(rows)
    if rng.random() < 0.5:
        dropped = "选学：数学活动" if draft.zh else "Optional: project day"
        rows.insert(3, plain(["", "", "", "", dropped, "2", ""]))
        grid.hidden_rows.add(3)
        draft.expectation.never(dropped)
    name = "计划" if draft.zh else "Plan"
    return draft.made(workbook({name: ([draft.title()], grid)}), ".xlsx", "sheet_with_real_dates")


def sheet_with_merged_cells(rng: random.Random) -> Made:
    """Chapter and week are merged downwards, as people do in Excel to make it look well."""
    draft = Draft(rng)
    columns = draft.columns(need=("week", "chapter", "periods"), without=("number", "dates"))
    kinds = [column.kind for column in columns]
    steps = [step for step in draft.steps(draft.topics(), ways=("packed",)) if step.kind == "unit"]
    cells = [[Cell(text) for text in row] for row in draft.rows(columns, steps)]
    keys = {"week": _weeks_of(steps), "chapter": [step.topic.chapter for step in steps]}
    for kind, values in keys.items():
        at, start = kinds.index(kind), 0
        for _, group in groupby(values):
            count = len(list(group))
            cells[start][at].down = count
            start += count
    rows = [plain([column.name for column in columns], bold=True)]
    covered = [0] * len(columns)
    for row in cells:
        line = []
        for index, cell in enumerate(row):
            if covered[index]:
                covered[index] -= 1
                continue
            covered[index] = cell.down - 1
            line.append(cell)
        rows.append(line)
    name = "教学进度" if draft.zh else "Scheme"
    return draft.made(workbook({name: ([draft.title()], Grid(rows))}), ".xlsx", "sheet_with_merged_cells")


def _weeks_of(steps: Sequence[Step]) -> list[tuple[int, int]]:
    return [(step.week_from, step.week_to) for step in steps]


def text_file(rng: random.Random) -> Made:
    """A table saved as text: comma, semicolon or tab, in the encodings that spreadsheets write."""
    draft = Draft(rng)
    columns: tuple[Column, ...] = draft.columns(need=("periods",))
    steps = draft.steps(draft.topics())
    delimiter, suffix = rng.choice(((",", ".csv"), (";", ".csv"), ("\t", ".tsv"), ("\t", ".txt")))
    encoding = rng.choice(("utf-8", "utf-8-sig", "gb18030") if draft.zh else ("utf-8", "utf-8-sig"))
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=delimiter, lineterminator=rng.choice(("\r\n", "\n")))
    writer.writerow([column.name for column in columns])
    writer.writerows(draft.rows(columns, steps))
    if rng.random() < 0.4:
        writer.writerow(draft.total(columns, steps))
    return draft.made(stream.getvalue().encode(encoding), suffix, "text_file")


_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
           "December")  # fmt: skip

LAYOUTS = (
    sheet_with_titles, sheet_for_each_month, plan_among_other_sheets, sheet_with_real_dates, sheet_with_merged_cells,
    text_file,
)  # fmt: skip
