"""Layouts in Word whose units do not stand in one row each."""

from __future__ import annotations

import random
from itertools import groupby

from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.table import Table

from tests.corpus.plans_generator.grid import Cell, Grid, plain
from tests.corpus.plans_generator.made import Draft, Made
from tests.corpus.plans_generator.paper_word import draw, new_document, saved
from tests.corpus.plans_generator.schedule import Step


def weeks_across(rng: random.Random) -> Made:
    """The table is turned over: a column for each week, a row for each kind of information."""
    draft = Draft(rng)
    topics = draft.topics(5, 8)
    steps = [step for step in draft.steps(topics, ways=("weekly",)) if step.kind == "unit"]
    columns = draft.columns(need=("week", "periods"), without=("number", "remarks", "teacher"), most=6)
    columns = tuple(sorted(columns, key=lambda column: column.kind != "week"))
    texts = draft.rows(columns, steps)
    rows = [plain([column.name, *(row[index] for row in texts)]) for index, column in enumerate(columns)]
    for row in rows:
        row[0].bold = True
    document = new_document(draft.title())
    draw(document, Grid(rows))
    return draft.made(saved(document), ".docx", "weeks_across")


def paragraphs(rng: random.Random) -> Made:
    """No table at all: a heading for each unit and lines with labels below it."""
    draft = Draft(rng)
    steps = [step for step in draft.steps(draft.topics(5, 9)) if step.kind == "unit"]
    document = new_document(draft.title())
    labels = (
        {"week": "周次", "periods": "课时", "objectives": "教学目标", "homework": "作业"}
        if draft.zh
        else {"week": "Week", "periods": "Periods", "objectives": "Objectives", "homework": "Homework"}
    )
    shown = [kind for kind in labels if kind == "periods" or rng.random() < 0.75]
    colon = "：" if draft.zh else ": "
    for step in steps:
        document.add_heading(step.title, 2)
        draft.expectation.step(step, set(shown), homework=draft.homework(step) if "homework" in shown else None)
        for kind in shown:
            document.add_paragraph(f"{labels[kind]}{colon}{draft.text(kind, step, 0)}")
    return draft.made(saved(document), ".docx", "paragraphs")


def two_halves(rng: random.Random) -> Made:
    """To save paper the weeks go on in a second set of columns on the right."""
    draft = Draft(rng)
    columns = draft.columns(need=("week", "periods"), without=("number", "dates", "objectives", "remarks"), most=4)
    steps = draft.steps(draft.topics(6, 12), ways=("weekly",))
    body = draft.rows(columns, steps)
    half = (len(body) + 1) // 2
    empty = [""] * len(columns)
    rows = [plain([column.name for column in columns] * 2, bold=True)]
    for index in range(half):
        right = body[half + index] if half + index < len(body) else empty
        rows.append(plain([*body[index], *right]))
    document = new_document(draft.title())
    draw(document, Grid(rows))
    return draft.made(saved(document), ".docx", "two_halves")


def units_of_a_week_in_one_cell(rng: random.Random) -> Made:
    """One row for each week; the units of the week are numbered lines, each with its own periods."""
    draft = Draft(rng)
    steps = draft.steps(draft.topics(7, 12), ways=("packed",))
    columns = draft.columns(need=("week",), without=(
        "periods", "number", "objectives", "key_points", "methods", "homework", "materials", "teacher", "dates",
    ))  # fmt: skip
    rows = [plain([column.name for column in columns], bold=True)]
    for _, group in groupby(steps, key=lambda step: (step.week_from, step.week_to)):
        together = list(group)
        units = [step for step in together if step.kind == "unit"]
        texts = draft.rows(columns, together)
        at = next(i for i, column in enumerate(columns) if column.kind == "title")
        row = texts[0]
        if units:
            row[at] = "\n".join(_line(draft, number, step) for number, step in enumerate(units, 1))
        rows.append(plain(row))
    document = new_document(draft.title())
    draw(document, Grid(rows))
    return draft.made(saved(document), ".docx", "units_of_a_week_in_one_cell")


def _line(draft: Draft, number: int, step: Step) -> str:
    count = step.topic.periods
    if draft.zh:
        return f"{number}、{step.title}（{count}课时）"
    return f"{number}. {step.title} ({count} period{'s' * (count != 1)})"


def tracked_changes(rng: random.Random) -> Made:
    """The head of the subject group corrected the plan with tracked changes; what counts is the accepted text."""
    draft = Draft(rng)
    columns = draft.columns(need=("periods",), without=("number",))
    steps = draft.steps(draft.topics())
    rows = [plain([column.name for column in columns], bold=True)]
    rows += [plain(row) for row in draft.rows(columns, steps)]
    document = new_document(draft.title())
    table = draw(document, Grid(rows))
    at = next(i for i, column in enumerate(columns) if column.kind == "periods")
    title = next(i for i, column in enumerate(columns) if column.kind == "title")
    units = [index for index, step in enumerate(steps, 1) if step.kind == "unit"]
    for index in rng.sample(units, min(3, len(units))):
        _replace(table, index, at, draft.periods(9), draft.periods(steps[index - 1].topic.periods))
    for index in rng.sample(units, min(2, len(units))):
        wrong = "（待定）" if draft.zh else "to be decided "
        _replace(table, index, title, wrong, steps[index - 1].title)
    return draft.made(saved(document), ".docx", "tracked_changes")


def _replace(table: Table, row: int, column: int, deleted: str, inserted: str) -> None:
    paragraph = table.cell(row, column).paragraphs[0]
    for run in paragraph.runs:
        run._element.getparent().remove(run._element)
    for number, (tag, part, text) in enumerate((("w:del", "w:delText", deleted), ("w:ins", "w:t", inserted))):
        change = OxmlElement(tag)
        change.set(qn("w:id"), str(row * 100 + column * 10 + number))
        change.set(qn("w:author"), "教研组长")
        change.set(qn("w:date"), "2026-08-28T09:00:00Z")
        run = OxmlElement("w:r")
        piece = OxmlElement(part)
        piece.text = text
        piece.set(qn("xml:space"), "preserve")
        run.append(piece)
        change.append(run)
        paragraph._element.append(change)


def form_for_each_unit(rng: random.Random) -> Made:
    """A small form of labels and values for each unit, one below the other."""
    draft = Draft(rng)
    steps = [step for step in draft.steps(draft.topics(4, 7)) if step.kind == "unit"]
    document = new_document(draft.title())
    labels = (
        ("课题", "课时", "周次", "教学目标", "作业")
        if draft.zh
        else ("Topic", "Periods", "Week", "Objectives", "Homework")
    )
    for step in steps:
        texts = [draft.text(kind, step, 0) for kind in ("title", "periods", "week", "objectives", "homework")]
        draft.expectation.step(step, {"week", "objectives"}, homework=draft.homework(step))
        title, periods, week, objectives, homework = (
            (Cell(label, bold=True), text) for label, text in zip(labels, texts, strict=True)
        )
        rows = [
            [title[0], Cell(title[1], across=3)],
            [periods[0], Cell(periods[1]), week[0], Cell(week[1])],
            [objectives[0], Cell(objectives[1], across=3)],
            [homework[0], Cell(homework[1], across=3)],
        ]
        draw(document, Grid(rows))
        document.add_paragraph("")
    return draft.made(saved(document), ".docx", "form_for_each_unit")


LAYOUTS = (weeks_across, paragraphs, two_halves, units_of_a_week_in_one_cell, tracked_changes, form_for_each_unit)
