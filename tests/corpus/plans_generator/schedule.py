"""When the topics are taught: teaching weeks of a term, with its holidays and examinations between them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from tests.corpus.plans_generator.curricula import Topic

Kind = Literal["unit", "holiday", "exam"]

TERMS = {
    "zh": ((date(2026, 9, 1), date(2027, 1, 22)), (date(2026, 3, 2), date(2026, 7, 3))),
    "en": ((date(2026, 8, 31), date(2027, 1, 22)), (date(2026, 3, 2), date(2026, 7, 3))),
}
"""First and last school day of the autumn and of the spring term; the autumn term runs over the turn of the year."""

PAUSES = {
    ("zh", 9): {5: ("holiday", ("国庆节放假", "国庆、中秋放假", "国庆节假期（10.1-10.7）", "放假（国庆节）")),
                10: ("exam", ("期中考试", "期中检测", "期中考试周", "期中学业水平检测"))},
    ("zh", 3): {10: ("exam", ("期中考试", "期中检测", "期中学业质量监测")),
                9: ("holiday", ("五一劳动节放假", "劳动节放假调休", "五一假期"))},
    ("en", 8): {5: ("holiday", ("National Day holiday", "Golden Week - school closed", "October holiday (no school)")),
                10: ("exam", ("Mid-term exam week", "Mid-term examinations", "Midterm exams"))},
    ("en", 3): {10: ("exam", ("Mid-term exam week", "Mid-term examinations")),
                9: ("holiday", ("Labour Day holiday", "Half-term break", "Spring break - no classes"))},
}  # fmt: skip
"""What interrupts the lessons in which week, by language and the term's first month."""

LAST_EXAM = {"zh": ("期末考试", "期末检测", "期末学业水平检测"), "en": ("Final exam week", "End-of-term examinations")}


@dataclass(frozen=True, slots=True)
class Step:
    """One row of a plan: a unit, or a week without lessons. Weeks and dates include both ends."""

    kind: Kind
    topic: Topic
    week_from: int
    week_to: int
    date_from: date
    date_to: date

    @property
    def title(self) -> str:
        """What is taught, or why nothing is."""
        return self.topic.title


class Term:
    """The weeks of one term. Week 1 is the one with the first school day; a school week ends on Friday."""

    def __init__(self, language: str, rng: random.Random) -> None:
        self.language = language
        self.first, self.last = rng.choice(TERMS[language])
        self.pauses = {
            week: Topic("", rng.choice(words), 0, "", "")
            for week, (_, words) in PAUSES[language, self.first.month].items()
        }
        self.kinds: dict[int, Kind] = {
            week: "exam" if kind == "exam" else "holiday"
            for week, (kind, _) in PAUSES[language, self.first.month].items()
        }
        self.last_exam = rng.choice(LAST_EXAM[language])

    def monday(self, week: int) -> date:
        """The Monday of a teaching week, even where it lies before the first school day."""
        return self.first - timedelta(days=self.first.weekday()) + timedelta(weeks=week - 1)

    def days(self, week_from: int, week_to: int) -> tuple[date, date]:
        """First and last school day of some weeks."""
        return max(self.monday(week_from), self.first), min(self.monday(week_to) + timedelta(days=4), self.last)

    def step(self, kind: Kind, topic: Topic, week_from: int, week_to: int) -> Step:
        """A step in these weeks, with the dates that they have."""
        return Step(kind, topic, week_from, week_to, *self.days(week_from, week_to))


def spread(term: Term, topics: Sequence[Topic], weekly: int) -> list[Step]:
    """Topics one after the other, ``weekly`` periods a week: a topic may begin and end within a week."""
    steps: list[Step] = []
    week, left = 1, weekly
    for topic in topics:
        if left == 0:
            week, left = week + 1, weekly
        week = _after_pauses(term, week, steps, fresh=left == weekly)
        begun, need = week, topic.periods
        while need > left:
            need -= left
            week, left = week + 1, weekly
            week += sum(1 for _ in _run_of_pauses(term, week))
        left -= need
        steps.append(term.step("unit", topic, begun, week))
    return _without_strays(steps)


def packed(term: Term, topics: Sequence[Topic], weekly: int) -> list[Step]:
    """As :func:`spread`, but no topic goes over the end of a week unless it is longer than one."""
    steps: list[Step] = []
    week, left = 1, weekly
    for topic in topics:
        if left < topic.periods and left < weekly:
            week, left = week + 1, weekly
        week = _after_pauses(term, week, steps, fresh=left == weekly)
        begun, need = week, topic.periods
        while need > left:
            need -= left
            week, left = week + 1, weekly
        left -= need
        steps.append(term.step("unit", topic, begun, week))
        if left == 0:
            week, left = week + 1, weekly
    return _without_strays(steps)


def one_a_week(term: Term, topics: Sequence[Topic]) -> list[Step]:
    """Each topic has one week of its own."""
    steps: list[Step] = []
    week = 1
    for topic in topics:
        week = _after_pauses(term, week, steps, fresh=True)
        steps.append(term.step("unit", topic, week, week))
        week += 1
    return steps


def with_final_exam(term: Term, steps: list[Step]) -> list[Step]:
    """The steps and, in the week after them, the examination at the end of the term."""
    week = steps[-1].week_to + 1
    return [*steps, term.step("exam", Topic("", term.last_exam, 0, "", ""), week, week)]


def _run_of_pauses(term: Term, week: int) -> list[int]:
    weeks = []
    while week in term.pauses:
        weeks.append(week)
        week += 1
    return weeks


def _after_pauses(term: Term, week: int, steps: list[Step], *, fresh: bool) -> int:
    if not fresh:
        return week
    for paused in _run_of_pauses(term, week):
        steps.append(term.step(term.kinds[paused], term.pauses[paused], paused, paused))
        week = paused + 1
    return week


def _without_strays(steps: list[Step]) -> list[Step]:
    """Pauses that fell into a long topic's weeks are named nowhere; a plan does not end with a pause."""
    while steps and steps[-1].kind != "unit":
        steps.pop()
    return steps
