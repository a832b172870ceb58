"""Values in messages that are put into words only when the message is shown, in the reader's language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from lms_bridge.calendar.days import DayOff
from lms_bridge.core.i18n import get_locale, gettext
from lms_bridge.notices.dates import say_date, say_day
from lms_bridge.roster.models import Subject


@dataclass(frozen=True, slots=True)
class When:
    """A moment with its weekday, on the wall clock of ``zone``: "Wed 25 Nov, 10:10"."""

    moment: datetime
    zone: str

    def __str__(self) -> str:
        return say_date(self.moment, self.zone, get_locale(), with_time=True)


@dataclass(frozen=True, slots=True)
class Day:
    """A calendar day with its weekday: "Wed 25 Nov"."""

    day: date

    def __str__(self) -> str:
        return say_day(self.day, get_locale())


@dataclass(frozen=True, slots=True)
class Word:
    """One of the program's own words, by its message id."""

    message: str

    def __str__(self) -> str:
        return gettext(self.message)


@dataclass(frozen=True, slots=True)
class SubjectName:
    """The name of a subject."""

    name: str
    name_en: str

    @classmethod
    def of(cls, subject: Subject) -> SubjectName:
        """The name of ``subject``."""
        return cls(subject.name, subject.name_en)

    def __str__(self) -> str:
        return self.name_en if get_locale() == "en" else self.name


@dataclass(frozen=True, slots=True)
class DayOffName:
    """The name of a holiday, in the one language in which it is known or in the reader's."""

    name: str
    name_en: str

    @classmethod
    def of(cls, day: DayOff) -> DayOffName:
        """The name of ``day``; empty where it has none."""
        return cls(day.name, day.name_en)

    def __str__(self) -> str:
        return (self.name_en or self.name) if get_locale() == "en" else (self.name or self.name_en)


@dataclass(frozen=True, slots=True)
class DaysOff:
    """Days without school with their names: "Thu 1 Oct National Day; Fri 2 Oct National Day"."""

    days: Sequence[DayOff]

    def __str__(self) -> str:
        return str(Listed([f"{Day(day.day)} {DayOffName.of(day)}".strip() for day in self.days])) or "–"


@dataclass(frozen=True, slots=True)
class Course:
    """What one class has in one subject: "5-1 Mathematics"."""

    class_title: str
    subject: SubjectName

    def __str__(self) -> str:
        return f"{self.class_title} {self.subject}"


@dataclass(frozen=True, slots=True)
class Listed:
    """Several values, with the separator of the language between them."""

    values: Sequence[object]

    def __str__(self) -> str:
        return gettext("; ").join(str(value) for value in self.values)
