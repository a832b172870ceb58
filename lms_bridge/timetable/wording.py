"""Values in messages that are put into words only when the message is shown, in the reader's language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

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
