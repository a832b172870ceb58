"""What came of solving a week, for commands, pages and jobs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lms_bridge.core.errors import BridgeError
from lms_bridge.core.i18n import gettext
from lms_bridge.timetable.solving.cost_words import itemised


@dataclass(frozen=True)
class WeekCounts:
    """Lessons by what happens to them; ``changed`` are those that only get another teacher, mode or unit."""

    kept: int = 0
    added: int = 0
    moved: int = 0
    cancelled: int = 0
    changed: int = 0

    @property
    def lessons(self) -> int:
        """How many lessons the week has in the end."""
        return self.kept + self.added + self.moved + self.changed

    @property
    def anything(self) -> bool:
        """Whether anything changes."""
        return bool(self.added or self.moved or self.cancelled or self.changed)

    def as_dict(self) -> dict[str, int]:
        """The counts as plain JSON."""
        return {
            "lessons": self.lessons,
            "kept": self.kept,
            "added": self.added,
            "moved": self.moved,
            "cancelled": self.cancelled,
            "changed": self.changed,
        }


@dataclass(frozen=True)
class WeekResult:
    """A solved week. ``change_set_uid`` is None for a dry run and where nothing changes. ``warnings`` did not stop it;
    ``costs`` is what each wish of the solver cost; ``seconds`` what solving took."""

    campus_code: str
    week: str
    status: str
    counts: WeekCounts
    dry_run: bool
    change_set_uid: str | None = None
    warnings: tuple[BridgeError, ...] = ()
    costs: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """The result as plain JSON."""
        return {
            "campus": self.campus_code,
            "week": self.week,
            "status": self.status,
            "dry_run": self.dry_run,
            "change_set": self.change_set_uid,
            "counts": self.counts.as_dict(),
            "warnings": [warning.as_dict() for warning in self.warnings],
            "costs": dict(self.costs),
            "seconds": round(self.seconds, 2),
        }

    def lines(self) -> list[str]:
        """The result in a few lines, in the language in force."""
        return [*self.what_changes(), *self.what_it_costs(), *map(str, self.warnings)]

    def what_changes(self) -> list[str]:
        """What changes in the timetable in force, in a few lines."""
        counts = self.counts
        found = [
            gettext(
                "%(campus)s, week %(week)s: %(lessons)s lessons.",
                campus=self.campus_code,
                week=self.week,
                lessons=counts.lessons,
            )
        ]
        if not counts.anything:
            found.append(gettext("The timetable in force stays as it is; nobody is told anything."))
        else:
            found.append(
                gettext(
                    "%(added)s new, %(moved)s moved, %(changed)s changed otherwise, %(cancelled)s cancelled, "
                    "%(kept)s unchanged.",
                    **{name: value for name, value in counts.as_dict().items() if name != "lessons"},
                )
            )
            found.append(
                gettext("Nothing was stored: this was a dry run.")
                if self.dry_run
                else gettext("Published as change %(uid)s; messages are on their way.", uid=self.change_set_uid)
            )
        return found

    def what_it_costs(self) -> list[str]:
        """What each wish costs, line by line."""
        return [
            gettext("%(cost)s: %(what)s (%(count)s)", cost=item.cost, what=item.words, count=item.count)
            for item in itemised(self.costs)
        ]


@dataclass(frozen=True)
class SolveResult:
    """What came of solving one campus's week, or those of several campuses together, campus by campus."""

    weeks: tuple[WeekResult, ...]

    @property
    def warnings(self) -> tuple[BridgeError, ...]:
        """Everything that did not stop it."""
        return tuple(warning for week in self.weeks for warning in week.warnings)

    def as_dict(self) -> dict[str, Any]:
        """The result as plain JSON: what holds for all, and ``campuses``, one by one. The counts are those of all;
        ``change_set`` is that of the first campus where anything changes."""
        first = self.weeks[0]
        counts = [week.counts.as_dict() for week in self.weeks]
        return first.as_dict() | {
            "change_set": next((week.change_set_uid for week in self.weeks if week.change_set_uid is not None), None),
            "counts": {name: sum(one[name] for one in counts) for name in counts[0]},
            "warnings": [warning.as_dict() for warning in self.warnings],
            "campuses": [
                {"campus": week.campus_code, "change_set": week.change_set_uid, "counts": week.counts.as_dict()}
                for week in self.weeks
            ],
        }

    def lines(self) -> list[str]:
        """The result in a few lines, in the language in force."""
        found = [line for week in self.weeks for line in week.what_changes()]
        return found + self.weeks[0].what_it_costs() + [str(warning) for warning in self.warnings]
