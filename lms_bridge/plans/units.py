"""A teaching plan as it was read from a document: its units, in the order in which they stood there.

Plain values, no database: the readers in ``lms_bridge.plans.reading`` make them, the importer stores them, the
comparison in ``lms_bridge.plans.benchmark`` reads them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from lms_bridge.core.errors import Place
from lms_bridge.core.i18n import gettext

UNIT_FIELDS = (
    "sequence", "title", "periods", "content", "objectives", "key_points", "methods", "homework", "materials",
    "remarks", "week_from", "week_to", "date_from", "date_to", "provenance",
)  # fmt: skip
"""The fields of a unit that a stored unit takes over as they are."""

Source = Literal["docx", "xlsx", "csv"]


@dataclass(frozen=True, slots=True)
class UnitDraft:
    """One step of a plan.

    ``sequence`` counts from 1 in the order of the document. ``periods`` is how many periods of the school day the
    unit takes. ``week_from`` and ``week_to`` are teaching weeks of the term, ``date_from`` and ``date_to`` school
    days (campus calendar); both ends are included, and all four may be missing. ``online_possible`` is false where the
    unit cannot be taught online as it is; ``online_alternative`` is what takes its place. ``key`` is the unit's stable
    key where the document carries one. ``provenance`` says where the unit stood (``{"table": 1, "row": 3}``, counted
    from 1; in a workbook ``table`` is the sheet's name); it does not count when units are compared for equality.
    ``assumed`` names the fields whose value was concluded from something else rather than read.
    """

    sequence: int
    title: str
    periods: int
    content: str = ""
    objectives: str = ""
    key_points: str = ""
    methods: str = ""
    homework: str = ""
    materials: str = ""
    remarks: str = ""
    week_from: int | None = None
    week_to: int | None = None
    date_from: date | None = None
    date_to: date | None = None
    online_possible: bool = True
    online_alternative: str = ""
    key: str | None = None
    provenance: dict[str, Any] = field(default_factory=dict, compare=False)
    assumed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Warning_:  # noqa: N801 - Warning is a built-in exception
    """Something the reader left out or concluded, for the person to look at; it does not stop the import.

    ``message`` is a message id with ``%(name)s`` placeholders filled from ``params``.
    """

    message: str
    place: Place | None = None
    params: dict[str, Any] = field(default_factory=dict, hash=False)

    def text(self) -> str:
        """The message in the language in force, without the place."""
        return gettext(self.message, **self.params)

    def __str__(self) -> str:
        place = str(self.place) if self.place is not None else ""
        return f"{place}: {self.text()}" if place else self.text()

    def as_dict(self) -> dict[str, Any]:
        """The warning as plain JSON: message, place."""
        place = None
        if self.place is not None:
            place = {
                name: value
                for name in ("file", "table", "row", "column", "value", "paragraph")
                if (value := getattr(self.place, name)) is not None
            }
        return {"message": self.text(), "place": place}


@dataclass(frozen=True, slots=True)
class Headline:
    """A short text above the plan, such as its title or the name of the subject in a form."""

    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class PlanDocument:
    """A document read into units. ``title`` is the line above the table, where there is one; ``headlines`` are all
    that stand above the first unit."""

    title: str | None
    units: tuple[UnitDraft, ...]
    warnings: tuple[Warning_, ...]
    source: Source
    headlines: tuple[Headline, ...] = ()
