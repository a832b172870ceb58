"""What the plans of the corpus teach: chapters and topics as they stand in school books of several subjects."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache

from tests.corpus.plans_generator import curricula_en, curricula_zh

TEXTS = {"zh": curricula_zh.TEXT, "en": curricula_en.TEXT}


@dataclass(frozen=True, slots=True)
class Topic:
    """What is taught in one or several lessons. ``periods`` are whole lessons."""

    chapter: str
    title: str
    periods: int
    objectives: str
    key_points: str


@dataclass(frozen=True, slots=True)
class Curriculum:
    """One term's book of one subject and grade; ``language`` is ``zh`` or ``en``."""

    language: str
    subject: str
    grade: str
    book: str
    topics: tuple[Topic, ...]

    def slice(self, rng: random.Random, fewest: int, most: int) -> tuple[Topic, ...]:
        """Some topics that follow each other, beginning with a chapter's first."""
        count = min(rng.randint(fewest, most), len(self.topics))
        starts = [
            index
            for index, topic in enumerate(self.topics)
            if (index == 0 or self.topics[index - 1].chapter != topic.chapter) and index + count <= len(self.topics)
        ]
        start = rng.choice(starts)
        return self.topics[start : start + count]

    def chapters(self) -> tuple[Topic, ...]:
        """The chapters as topics of their own: all periods of their topics together."""
        found: dict[str, list[Topic]] = {}
        for topic in self.topics:
            found.setdefault(topic.chapter, []).append(topic)
        stop = "；" if self.language == "zh" else "; "
        return tuple(
            Topic("", name, sum(t.periods for t in topics), stop.join(t.objectives for t in topics[:2]),
                  topics[0].key_points)
            for name, topics in found.items()
        )  # fmt: skip


@cache
def all_curricula(language: str) -> tuple[Curriculum, ...]:
    """Every curriculum of a language, in the order of the text."""
    result: list[Curriculum] = []
    for block in TEXTS[language].split("## ")[1:]:
        head, *lines = block.strip().splitlines()
        subject, grade, book = head.split("|")
        chapter, topics = "", []
        for line in lines:
            if line.startswith("# "):
                chapter = line[2:]
                continue
            title, periods, objectives, key_points = line.split("|")
            topics.append(Topic(chapter, title, int(periods), objectives, key_points))
        result.append(Curriculum(language, subject, grade, book, tuple(topics)))
    return tuple(result)
