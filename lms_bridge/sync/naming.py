"""The names of what a run makes and changes, beside the counts: the first of each kind, for whoever looks at a dry run
before it is done in earnest.

Whoever counts a thing notes its name here; without a run that collects, nothing is kept and nothing is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar

import sqlalchemy as sa

from lms_bridge.core.database import db
from lms_bridge.core.i18n import get_locale, gettext
from lms_bridge.notices.dates import say_date
from lms_bridge.roster.models import ClassGroup, Enrolment, Person
from lms_bridge.sync.facts import LessonFacts
from lms_bridge.sync.models import SyncMapping

T = TypeVar("T")

LISTED = 50
"""So many names of each kind are kept."""


@dataclass
class Noted:
    """What stands behind one figure: how many, and the first names."""

    count: int = 0
    names: list[str] = field(default_factory=list)

    @property
    def room(self) -> int:
        """So many names more are kept."""
        return LISTED - len(self.names)


Collected = dict[str, Noted]

_collected: ContextVar[Collected | None] = ContextVar("collected", default=None)


@contextmanager
def collecting() -> Iterator[Collected]:
    """Collect the names that are noted in the block, by the figure that they stand behind."""
    collected: Collected = {}
    before = _collected.set(collected)
    try:
        yield collected
    finally:
        _collected.reset(before)


def added(result: dict[str, Any], collected: Collected) -> dict[str, Any]:
    """The result of a run with the names behind its figures."""
    names = {figure: noted.names for figure, noted in collected.items() if result.get(figure) and noted.names}
    names |= result.get("names", {})
    return result | {"names": names} if names else result


def counted(*figures: str) -> dict[str, int]:
    """How many were noted of each figure so far."""
    collected = _collected.get() or {}
    return {figure: collected[figure].count if figure in collected else 0 for figure in figures}


def note(figure: str, names: Sequence[str]) -> None:
    """Note things by their names."""
    _note(figure, names, lambda some: some)


def _note(figure: str, things: Sequence[T], look_up: Callable[[Sequence[T]], Iterable[str]]) -> None:
    """Note things; names are only looked up of as many as there is room for."""
    collected = _collected.get()
    if collected is None or not things:
        return
    noted = collected.setdefault(figure, Noted())
    noted.count += len(things)
    if noted.room > 0:
        noted.names += look_up(things[: noted.room])


def note_enrolments(figure: str, enrolment_ids: Sequence[int]) -> None:
    """Note who is in which class."""
    _note(figure, enrolment_ids, lambda ids: _who_in_which_class(Enrolment.id.in_(ids)))


def note_mapped_enrolments(figure: str, mapping_ids: Sequence[int]) -> None:
    """Note who is in which class, by the mappings of the enrolments."""
    of_mappings = sa.select(SyncMapping.entity_id)
    _note(
        figure,
        mapping_ids,
        lambda ids: _who_in_which_class(Enrolment.id.in_(of_mappings.where(SyncMapping.id.in_(ids)))),
    )


def note_lessons(figure: str, lessons: Sequence[LessonFacts], zone: str) -> None:
    """Note lessons by subject, classes and time on the clocks of ``zone``."""
    _note(figure, lessons, lambda some: [_lesson(one, zone) for one in some])


def _lesson(lesson: LessonFacts, zone: str) -> str:
    locale = get_locale()
    subject = lesson.subject_en if locale == "en" and lesson.subject_en else lesson.subject
    when = say_date(lesson.starts_at, zone, locale, with_time=True)
    return " · ".join([subject, gettext(", ").join(lesson.classes), when])


def note_classes(figure: str, class_ids: Sequence[int]) -> None:
    """Note classes by their titles."""
    _note(
        figure,
        class_ids,
        lambda ids: db.session.scalars(
            sa.select(ClassGroup.title).where(ClassGroup.id.in_(ids)).order_by(ClassGroup.id)
        ),
    )


def _who_in_which_class(chosen: sa.ColumnElement[bool]) -> Iterator[str]:
    rows = db.session.execute(
        sa.select(Person, ClassGroup.title)
        .join(Enrolment, Enrolment.person_id == Person.id)
        .join(ClassGroup, ClassGroup.id == Enrolment.class_id)
        .where(chosen)
        .order_by(Enrolment.id)
    )
    for person, title in rows:
        yield f"{person.display_name} · {title}"
