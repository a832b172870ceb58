"""What a reader should find in a document, collected while the document is being made."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from tests.corpus.plans_generator.schedule import Step

UNSAID = object()
"""For :meth:`Expectation.unit`: the field is not judged, whatever a reader makes of it."""


@dataclass(slots=True)
class Expectation:
    """Units in the order of the document, and the texts that are none."""

    units: list[dict[str, Any]] = field(default_factory=list)
    not_units: list[str] = field(default_factory=list)

    def unit(
        self,
        title: str,
        periods: int | None,
        *,
        also: tuple[str, ...] = (),
        weeks: tuple[int, int] | None = None,
        days: tuple[date, date | None] | None = None,
        objectives: str | None = None,
        homework: str | None = None,
        ambiguous: bool = False,
        unjudged: tuple[str, ...] = (),
    ) -> None:
        """A unit that must be found. ``None``: the document does not tell; ``unjudged`` fields are left out."""
        entry: dict[str, Any] = {
            "title": title,
            "title_also": sorted(set(also) - {title, ""}),
            "periods": periods,
            "week_from": weeks[0] if weeks else None,
            "week_to": weeks[1] if weeks else None,
            "date_from": days[0].isoformat() if days else None,
            "date_to": days[1].isoformat() if days and days[1] else None,
        }
        if objectives is not None:
            entry["objectives"] = objectives
        if homework is not None:
            entry["homework"] = homework
        if ambiguous:
            entry["may_be_flagged"] = True
        for name in unjudged:
            entry.pop(name, None)
        self.units.append(entry)

    def step(self, step: Step, shown: set[str], **more: Any) -> None:
        """A unit or a pause as a table's row shows it; ``shown`` are the kinds of columns that there are."""
        if step.kind != "unit":
            self.never(step.title)
            return
        values: dict[str, Any] = {
            "also": (f"{step.topic.chapter} {step.title}",),
            "weeks": (step.week_from, step.week_to) if "week" in shown else None,
            "days": (step.date_from, step.date_to) if "dates" in shown else None,
            "objectives": step.topic.objectives if "objectives" in shown else None,
        }
        values["also"] += tuple(more.pop("also", ()))
        self.unit(step.title, more.pop("periods", step.topic.periods), **(values | more))

    def never(self, *texts: str) -> None:
        """Texts that must not become units."""
        for text in texts:
            if text and text not in self.not_units:
                self.not_units.append(text)

    def as_json(self, **about: Any) -> dict[str, Any]:
        """The expectation with what the document is about, as it is stored beside it."""
        return {**about, "units": self.units, "not_units": self.not_units}
