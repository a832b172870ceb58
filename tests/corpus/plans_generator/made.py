"""A document that was made, and what a reader must find in it."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.corpus.plans_generator.columns import Column, choose
from tests.corpus.plans_generator.curricula import Curriculum, Topic, all_curricula
from tests.corpus.plans_generator.expectation import Expectation
from tests.corpus.plans_generator.schedule import Step, Term, one_a_week, packed, spread, with_final_exam
from tests.corpus.plans_generator.spellings import DATES, PERIODS, week_spelling

MINUTES = 45
"""The length of a period at every school of the corpus."""


@dataclass(frozen=True, slots=True)
class Made:
    """The bytes of a document, how its name ends, and its expectation as it is stored."""

    data: bytes
    suffix: str
    expected: dict[str, Any]


Layout = Callable[[random.Random], Made]


class Draft:
    """What every layout draws first: language, book, term, and how this teacher writes weeks, dates and periods."""

    def __init__(self, rng: random.Random, language: str | None = None) -> None:
        self.rng = rng
        self.language = language or rng.choice(("zh", "zh", "en"))
        self.curriculum: Curriculum = rng.choice(all_curricula(self.language))
        self.term = Term(self.language, rng)
        self.weeks = week_spelling(self.language, rng)
        self.dates = rng.choice(DATES[self.language])
        self.periods = rng.choice(PERIODS[self.language])
        self.expectation = Expectation()

    @property
    def zh(self) -> bool:
        """Whether the document is Chinese."""
        return self.language == "zh"

    def topics(self, fewest: int = 6, most: int = 14) -> tuple[Topic, ...]:
        """Some topics of the book in their order."""
        return self.curriculum.slice(self.rng, fewest, most)

    def steps(self, topics: Sequence[Topic], *, ways: Sequence[str] = ("spread", "packed", "weekly")) -> list[Step]:
        """The topics in the weeks of the term, sometimes with the examination at its end."""
        way = self.rng.choice(ways)
        weekly = self.rng.randint(4, 6)
        if way == "weekly":
            steps = one_a_week(self.term, topics)
        else:
            steps = (spread if way == "spread" else packed)(self.term, topics, weekly)
        steps = with_final_exam(self.term, steps) if self.rng.random() < 0.4 else steps
        return [step for step in steps if self.term.monday(step.week_to) <= self.term.last]

    def columns(
        self, *, need: tuple[str, ...] = (), without: tuple[str, ...] = (), most: int = 12
    ) -> tuple[Column, ...]:
        """Columns in an order that schools use."""
        return choose(self.language, self.rng, need=need, without=without, most=most)

    def title(self) -> str:
        """The line above the plan."""
        book, term = self.curriculum, self.term
        if self.zh:
            half = "第一学期" if term.first.month == 9 else "第二学期"
            year = term.first.year if term.first.month == 9 else term.first.year - 1
            name = self.rng.choice(("教学计划", "教学进度表", "教学进度计划", "学科教学计划"))
            return f"{year}—{year + 1}学年{half}{book.grade}{book.subject}{name}"
        name = self.rng.choice(("Scheme of Work", "Teaching Plan", "Curriculum Map", "Term Plan"))
        return f"{book.grade} {book.subject} {name}, {term.first.year}"

    def made(self, data: bytes, suffix: str, layout: str) -> Made:
        """The document with its expectation."""
        about = {
            "layout": layout,
            "language": self.language,
            "subject": self.curriculum.subject,
            "grade": self.curriculum.grade,
            "term": [self.term.first.isoformat(), self.term.last.isoformat()],
            "minutes": MINUTES,
        }
        return Made(data, suffix, self.expectation.as_json(**about))

    def text(self, kind: str, step: Step, number: int) -> str:
        """What stands in the column of this kind for a step; a pause fills only the columns about time and content."""
        topic = step.topic
        texts: dict[str, Callable[[], str]] = {
            "week": lambda: self.weeks(step.week_from, step.week_to),
            "dates": lambda: self.dates(step.date_from, step.date_to),
            "title": lambda: step.title,
        }
        if kind not in texts and step.kind != "unit":
            return ""
        texts |= {
            "number": lambda: str(number),
            "chapter": lambda: topic.chapter,
            "periods": lambda: self.periods(topic.periods),
            "objectives": lambda: topic.objectives,
            "key_points": lambda: topic.key_points,
            "methods": lambda: self.method,
            "homework": lambda: self.homework(step),
            "materials": lambda: "课件、学习单" if self.zh else "Slides, worksheet",
            "remarks": lambda: "",
            "teacher": lambda: "张敏" if self.zh else "A. Chen",
        }
        return texts[kind]()

    @property
    def method(self) -> str:
        """How it is taught."""
        return "讲练结合" if self.zh else "Pair work and discussion"

    def homework(self, step: Step) -> str:
        """The homework of a unit: the same for the same step."""
        page = step.week_from * 6 + len(step.title)
        return f"练习册第{page}页" if self.zh else f"Workbook page {page}"

    def row(self, columns: Sequence[Column], step: Step, number: int) -> list[str]:
        """A row of the table, and its expectation."""
        self.expectation.step(step, {column.kind for column in columns})
        return [self.text(column.kind, step, number) for column in columns]

    def rows(self, columns: Sequence[Column], steps: Sequence[Step]) -> list[list[str]]:
        """All rows, numbered where there is such a column."""
        rows, number = [], 0
        for step in steps:
            number += step.kind == "unit"
            rows.append(self.row(columns, step, number))
        return rows

    def total(self, columns: Sequence[Column], steps: Sequence[Step]) -> list[str]:
        """The row with the sum of the periods, which is no unit."""
        word = "合计" if self.zh else "Total"
        self.expectation.never(word)
        total = sum(step.topic.periods for step in steps if step.kind == "unit")
        return [word if index == 0 else str(total) if column.kind == "periods" else "" for index, column in
                enumerate(columns)]  # fmt: skip
