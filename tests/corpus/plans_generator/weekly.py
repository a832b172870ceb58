"""A term week by week, as layouts need it whose rows are weeks or days instead of units.

:class:`Timeline` deals a draft's topics to the weeks of its term. A topic may fall into several weeks and is then told
in several parts; a week may hold parts of several topics, or none because of a holiday or an examination.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from tests.corpus.plans_generator.curricula import Topic
from tests.corpus.plans_generator.made import Draft


@dataclass(frozen=True, slots=True)
class Part:
    """The lessons of a topic in one week; ``number`` counts the topic's parts from 1 to ``of``."""

    topic: Topic
    periods: int
    number: int
    of: int


@dataclass(frozen=True, slots=True)
class SchoolWeek:
    """A teaching week with its first and last school day, and what is taught in it or why nothing is."""

    number: int
    first: date
    last: date
    pause: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Lesson:
    """One lesson of a topic on a day; ``number`` counts the topic's lessons from 1."""

    day: date
    week: int
    topic: Topic
    number: int


class Timeline:
    """``weekly`` periods a week; with ``whole``, a topic that fits into a week is not cut at the week's end.

    Topics that would not end within the term are left out of ``topics``.
    """

    def __init__(self, draft: Draft, topics: Sequence[Topic], weekly: int, *, whole: bool = False) -> None:
        self.draft = draft
        self.weekly = weekly
        self._dealt: dict[int, list[tuple[Topic, int]]] = {}
        week, left = 1, weekly
        for topic in topics:
            need = topic.periods
            if whole and left < need <= weekly:
                week, left = week + 1, weekly
            while need:
                if left == 0 or week in draft.term.pauses:
                    week, left = week + 1, weekly
                    continue
                taken = min(need, left)
                self._dealt.setdefault(week, []).append((topic, taken))
                need, left = need - taken, left - taken
        self.topics = tuple(topic for topic in topics if draft.term.monday(self.span(topic)[1]) <= draft.term.last)
        self._dealt = {week: kept for week, parts in self._dealt.items()
                       if (kept := [part for part in parts if part[0] in self.topics])}  # fmt: skip
        self.last_week = max(self._dealt)

    def weeks(self) -> list[SchoolWeek]:
        """All weeks to the last one with a lesson."""
        seen: dict[Topic, int] = {}
        result = []
        for number in range(1, self.last_week + 1):
            parts = []
            for topic, periods in self._dealt.get(number, []):
                seen[topic] = seen.get(topic, 0) + 1
                parts.append(Part(topic, periods, seen[topic], len(self._weeks_with(topic))))
            pause = self.draft.term.pauses[number].title if number in self.draft.term.pauses else ""
            result.append(SchoolWeek(number, *self.draft.term.days(number, number), pause, tuple(parts)))
        return result

    def _weeks_with(self, topic: Topic) -> list[int]:
        return [week for week, parts in self._dealt.items() if any(found == topic for found, _ in parts)]

    def span(self, topic: Topic) -> tuple[int, int]:
        """First and last week of a topic."""
        weeks = self._weeks_with(topic)
        return min(weeks), max(weeks)

    def days(self, topic: Topic) -> tuple[date, date]:
        """First school day of the topic's first week, last one of its last week."""
        return self.draft.term.days(*self.span(topic))

    def pauses(self) -> list[str]:
        """Why there are no lessons in some of the weeks."""
        return [week.pause for week in self.weeks() if week.pause]

    def expect(self, *shown: str, objectives: bool = False) -> None:
        """Put all topics into the expectation; ``shown``: which of week, dates and periods the document tells."""
        for topic in self.topics:
            self.draft.expectation.unit(
                topic.title,
                topic.periods if "periods" in shown else None,
                also=(f"{topic.chapter} {topic.title}",),
                weeks=self.span(topic) if "week" in shown else None,
                days=self.days(topic) if "dates" in shown else None,
                objectives=topic.objectives if objectives else None,
            )
        self.draft.expectation.never(*self.pauses())


def lessons(draft: Draft, topics: Sequence[Topic], weekdays: Sequence[int]) -> list[Lesson]:
    """The topics' lessons one by one on these weekdays (0 is Monday), but for weeks without lessons.

    Topics that would not end within the term are left out.
    """
    waiting = [(topic, number) for topic in topics for number in range(1, topic.periods + 1)]
    result: list[Lesson] = []
    week = 1
    while waiting:
        for weekday in weekdays:
            day = draft.term.monday(week) + timedelta(days=weekday)
            if week in draft.term.pauses or day < draft.term.first or not waiting:
                continue
            result.append(Lesson(day, week, *waiting.pop(0)))
        week += 1
    late = {lesson.topic for lesson in result if lesson.day > draft.term.last}
    return [lesson for lesson in result if lesson.topic not in late]
