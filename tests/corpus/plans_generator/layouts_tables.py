"""Layouts in which each row of a Word table is a unit."""

from __future__ import annotations

import random
from itertools import groupby

from tests.corpus.plans_generator.grid import Cell, Grid, plain
from tests.corpus.plans_generator.made import Draft, Made
from tests.corpus.plans_generator.paper_word import draw, new_document, saved


def week_table(rng: random.Random) -> Made:
    """The commonest form: a title, a table with a row for each unit, holidays and examinations between."""
    draft = Draft(rng)
    columns = draft.columns(need=("periods",))
    steps = draft.steps(draft.topics())
    rows = [plain([column.name for column in columns], bold=True)]
    rows += [plain(row) for row in draft.rows(columns, steps)]
    if rng.random() < 0.5:
        rows.append(plain(draft.total(columns, steps), bold=True))
    document = new_document(draft.title(), *_teacher_line(draft))
    draw(document, Grid(rows))
    return draft.made(saved(document), ".docx", "week_table")


def merged_weeks(rng: random.Random) -> Made:
    """The cell of a week stands beside all units that are taught in it."""
    draft = Draft(rng)
    columns = draft.columns(need=("week", "periods"), without=("number", "dates"))
    steps = draft.steps(draft.topics(), ways=("packed",))
    rows = [plain([column.name for column in columns], bold=True)]
    for _, group in groupby(steps, key=lambda step: (step.week_from, step.week_to)):
        together = list(group)
        for index, step in enumerate(together):
            cells = [Cell(text) for text in draft.row(columns, step, 0)]
            at = next(i for i, column in enumerate(columns) if column.kind == "week")
            cells[at].down = len(together)
            rows.append([cell for i, cell in enumerate(cells) if not (i == at and index)])
    document = new_document(draft.title())
    draw(document, Grid(rows))
    return draft.made(saved(document), ".docx", "merged_weeks")


def merged_chapters(rng: random.Random) -> Made:
    """The cell of a chapter stands beside all its topics."""
    draft = Draft(rng)
    columns = draft.columns(need=("chapter", "periods"), without=("number",))
    steps = [step for step in draft.steps(draft.topics()) if step.kind == "unit"]
    rows = [plain([column.name for column in columns], bold=True)]
    at = next(i for i, column in enumerate(columns) if column.kind == "chapter")
    for _, group in groupby(steps, key=lambda step: step.topic.chapter):
        together = list(group)
        for index, step in enumerate(together):
            cells = [Cell(text) for text in draft.row(columns, step, 0)]
            cells[at].down = len(together)
            rows.append([cell for i, cell in enumerate(cells) if not (i == at and index)])
    document = new_document(draft.title())
    draw(document, Grid(rows))
    return draft.made(saved(document), ".docx", "merged_chapters")


def two_row_header(rng: random.Random) -> Made:
    """Headings in two rows: weeks and dates below a joint heading about time."""
    draft = Draft(rng)
    columns = draft.columns(need=("week", "dates", "periods"), without=("number",))
    kinds = [column.kind for column in columns]
    first = min(kinds.index("week"), kinds.index("dates"))
    if abs(kinds.index("week") - kinds.index("dates")) != 1:
        order = [*kinds]
        order.remove("dates")
        order.insert(order.index("week") + 1, "dates")
        columns = tuple(next(column for column in columns if column.kind == kind) for kind in order)
        first = order.index("week")
    joint = ("时间安排", "教学时间安排", "时间") if draft.zh else ("Timing", "Schedule", "When")
    upper = [Cell(column.name, down=2, bold=True) for column in columns]
    upper[first : first + 2] = [Cell(rng.choice(joint), across=2, bold=True)]
    lower = [Cell(column.name, bold=True) for column in columns[first : first + 2]]
    steps = draft.steps(draft.topics())
    rows = [upper, lower, *(plain(row) for row in draft.rows(columns, steps))]
    document = new_document(draft.title())
    draw(document, Grid(rows, headers=2))
    return draft.made(saved(document), ".docx", "two_row_header")


def header_again(rng: random.Random) -> Made:
    """The headings are typed again where the teacher's page ended."""
    draft = Draft(rng)
    columns = draft.columns(need=("periods",))
    steps = draft.steps(draft.topics(9, 14))
    head = plain([column.name for column in columns], bold=True)
    body = [plain(row) for row in draft.rows(columns, steps)]
    every = rng.randint(4, 6)
    rows = [head]
    for index, row in enumerate(body):
        if index and index % every == 0:
            rows.append(plain([cell.text for cell in head], bold=True))
        rows.append(row)
    document = new_document(draft.title())
    draw(document, Grid(rows))
    return draft.made(saved(document), ".docx", "header_again")


def table_for_each_chapter(rng: random.Random) -> Made:
    """A heading and a table with the same columns for each chapter."""
    draft = Draft(rng)
    columns = draft.columns(need=("week", "periods"), without=("chapter", "number"))
    steps = [step for step in draft.steps(draft.topics(), ways=("weekly", "packed")) if step.kind == "unit"]
    document = new_document(draft.title())
    for chapter, group in groupby(steps, key=lambda step: step.topic.chapter):
        document.add_heading(chapter, 2)
        rows = [plain([column.name for column in columns], bold=True)]
        rows += [plain(row) for row in draft.rows(columns, list(group))]
        draw(document, Grid(rows))
    return draft.made(saved(document), ".docx", "table_for_each_chapter")


def labels_above(rng: random.Random) -> Made:
    """A printed form: school, class and teacher in the first rows of the same table."""
    draft = Draft(rng)
    columns = draft.columns(need=("periods",), most=7)
    while len(columns) < 4:
        columns = draft.columns(need=("periods",), most=7)
    labels = (
        [("学科", draft.curriculum.subject), ("年级", draft.curriculum.grade), ("教材", draft.curriculum.book),
         ("任课教师", "张敏")]
        if draft.zh
        else [("Subject", draft.curriculum.subject), ("Grade", draft.curriculum.grade),
              ("Textbook", draft.curriculum.book), ("Teacher", "A. Chen")]
    )  # fmt: skip
    width = len(columns)
    rows = []
    for one, other in (labels[:2], labels[2:]):
        row = [Cell(one[0], bold=True), Cell(one[1]), Cell(other[0], bold=True), Cell(other[1], across=width - 3)]
        rows.append(row)
    rows.append(plain([column.name for column in columns], bold=True))
    rows += [plain(row) for row in draft.rows(columns, draft.steps(draft.topics()))]
    document = new_document(draft.title())
    draw(document, Grid(rows, headers=3))
    return draft.made(saved(document), ".docx", "labels_above")


def table_in_a_cell(rng: random.Random) -> Made:
    """A form whose largest cell holds the plan as a table of its own."""
    draft = Draft(rng)
    columns = draft.columns(need=("periods",), most=6)
    rows = [plain([column.name for column in columns], bold=True)]
    rows += [plain(row) for row in draft.rows(columns, draft.steps(draft.topics(5, 9)))]
    document = new_document(draft.title())
    frame = document.add_table(3, 2)
    frame.style = "Table Grid"
    words = (
        ("学情分析", "学生基础较好，学习兴趣浓厚。", "教学进度")
        if draft.zh
        else ("About the class", "A keen group with good reading skills.", "Plan")
    )
    frame.cell(0, 0).text, frame.cell(0, 1).text, frame.cell(1, 0).text = words
    draw(frame.cell(1, 1), Grid(rows))
    last = ("教研组长意见", "同意") if draft.zh else ("Signed", "Head of department")
    frame.cell(2, 0).text, frame.cell(2, 1).text = last
    return draft.made(saved(document), ".docx", "table_in_a_cell")


def _teacher_line(draft: Draft) -> tuple[str, ...]:
    if draft.rng.random() < 0.5:
        return ()
    subject, grade = draft.curriculum.subject, draft.curriculum.grade
    if draft.zh:
        return (f"年级：{grade}　　学科：{subject}　　任课教师：张敏",)
    return (f"Grade: {grade}    Subject: {subject}    Teacher: A. Chen",)


LAYOUTS = (
    week_table, merged_weeks, merged_chapters, two_row_header, header_again, table_for_each_chapter, labels_above,
    table_in_a_cell,
)  # fmt: skip
