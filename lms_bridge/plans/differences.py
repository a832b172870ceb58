"""What differs between two versions of a plan: units added, removed and moved, and the words of each field.

The rule is pure: versions come as :class:`UnitText`, which :func:`unit_texts` makes from stored units. A unit is the
same in both versions when it has the same key; a unit has moved when it is not part of the longest run of units that
kept their order.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from lms_bridge.core.i18n import N_, gettext
from lms_bridge.plans.models import PlanUnit, PlanVersion
from lms_bridge.plans.wording_changes import Piece, changes

UnitState = Literal["added", "removed", "kept"]

FIELD_NAMES = {
    "title": N_("Unit"),
    "periods": N_("Periods"),
    "weeks": N_("Weeks"),
    "dates": N_("Dates"),
    "content": N_("Content"),
    "objectives": N_("Objectives"),
    "key_points": N_("Key and difficult points"),
    "methods": N_("Methods"),
    "homework": N_("Homework"),
    "materials": N_("Materials"),
    "remarks": N_("Remarks"),
    "online": N_("Possible online"),
    "online_alternative": N_("Online alternative"),
}
"""The compared fields, in the order in which they are shown, with their names."""

WHOLE = frozenset({"periods", "weeks", "dates", "online"})
"""Fields whose values are shown whole, old and new: a changed digit within a number helps nobody."""


@dataclass(frozen=True, slots=True)
class UnitText:
    """One unit as it is compared: its key, its place from 1, and the text of each field."""

    key: str
    position: int
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field whose text changed, piece by piece."""

    name: str
    pieces: tuple[Piece, ...]

    @property
    def label(self) -> str:
        """The field's name in the language in force."""
        return gettext(FIELD_NAMES[self.name])


@dataclass(frozen=True, slots=True)
class UnitChange:
    """What became of one unit. ``before`` and ``after`` are its places, from 1; None where it is not there.

    ``fields`` are those that changed; of a unit that came or went, all that say something.
    """

    key: str
    state: UnitState
    title: str
    before: int | None
    after: int | None
    moved: bool = False
    fields: tuple[FieldChange, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether anything at all became of it."""
        return self.state != "kept" or self.moved or bool(self.fields)


@dataclass(frozen=True, slots=True)
class Differences:
    """All units of both versions in the order of the later one; a removed unit stands after its former neighbour."""

    units: tuple[UnitChange, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many units were ``added``, ``removed``, ``moved``, ``changed`` (in their words) and stayed as they
        were (``same``); a unit may be both moved and changed."""
        return {
            "added": sum(u.state == "added" for u in self.units),
            "removed": sum(u.state == "removed" for u in self.units),
            "moved": sum(u.moved for u in self.units),
            "changed": sum(u.state == "kept" and bool(u.fields) for u in self.units),
            "same": sum(not u.changed for u in self.units),
        }

    @property
    def changed_keys(self) -> frozenset[str]:
        """The keys of the units of the earlier version that were removed, moved or changed."""
        return frozenset(u.key for u in self.units if u.changed and u.state != "added")

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON: the counts, and each unit that changed with its changed fields."""
        return {
            "counts": self.counts,
            "units": [
                {
                    "key": u.key,
                    "state": u.state,
                    "title": u.title,
                    "before": u.before,
                    "after": u.after,
                    "moved": u.moved,
                    "fields": {f.name: [{"kind": p.kind, "text": p.text} for p in f.pieces] for f in u.fields},
                }
                for u in self.units
                if u.changed
            ],
        }


def between(earlier: PlanVersion, later: PlanVersion) -> Differences:
    """What changed from one stored version to another; either may be the newer one."""
    return compare(unit_texts(earlier.units), unit_texts(later.units))


def unit_texts(units: Iterable[PlanUnit]) -> list[UnitText]:
    """Stored units as they are compared, in the language in force."""
    return [UnitText(unit.key, place, _texts(unit)) for place, unit in enumerate(units, start=1)]


def _texts(unit: PlanUnit) -> dict[str, str]:
    texts = {name: str(getattr(unit, name)).strip() for name in FIELD_NAMES if name not in ("weeks", "dates", "online")}
    texts["weeks"] = _span(unit.week_from, unit.week_to)
    texts["dates"] = _span(unit.date_from, unit.date_to)
    texts["online"] = gettext("yes") if unit.online_possible else gettext("no")
    return texts


def _span(first: object, last: object) -> str:
    return "–".join(dict.fromkeys(str(end) for end in (first, last) if end is not None))


def compare(earlier: Sequence[UnitText], later: Sequence[UnitText]) -> Differences:
    """What changed from ``earlier`` to ``later``."""
    old, new = {u.key: u for u in earlier}, {u.key: u for u in later}
    steady = _in_order([old[u.key].position for u in later if u.key in old])
    found: list[UnitChange] = []
    for unit in later:
        known = old.get(unit.key)
        if known is None:
            found.append(_alone(unit, "added"))
        else:
            found.append(_kept(known, unit, moved=known.position not in steady))
    return Differences(tuple(_with_removed(found, [u for u in earlier if u.key not in new], earlier)))


def _kept(old: UnitText, new: UnitText, *, moved: bool) -> UnitChange:
    fields = tuple(
        FieldChange(name, _field(name, old.fields.get(name, ""), new.fields.get(name, "")))
        for name in FIELD_NAMES
        if old.fields.get(name, "").split() != new.fields.get(name, "").split()
    )
    return UnitChange(new.key, "kept", new.fields.get("title", ""), old.position, new.position, moved, fields)


def _field(name: str, old: str, new: str) -> tuple[Piece, ...]:
    if name not in WHOLE:
        return changes(old, new)
    return tuple(p for p in (Piece("removed", old), Piece("added", new)) if p.text)


def _alone(unit: UnitText, state: Literal["added", "removed"]) -> UnitChange:
    """A unit that is in one version only, with all it says."""
    fields = tuple(
        FieldChange(name, (Piece(state, text),))
        for name in FIELD_NAMES
        if name not in ("title", "online") and (text := unit.fields.get(name, ""))
    )
    before, after = (None, unit.position) if state == "added" else (unit.position, None)
    return UnitChange(unit.key, state, unit.fields.get("title", ""), before, after, fields=fields)


def _in_order(positions: Sequence[int]) -> frozenset[int]:
    """The longest run of ``positions`` that rises: the units that kept their order."""
    ends: list[int] = []
    links: dict[int, int | None] = {}
    for position in positions:
        place = bisect_left(ends, position)
        links[position] = ends[place - 1] if place else None
        ends[place : place + 1] = [position]
    run: set[int] = set()
    last = ends[-1] if ends else None
    while last is not None:
        run.add(last)
        last = links[last]
    return frozenset(run)


def _with_removed(
    found: Sequence[UnitChange], removed: Sequence[UnitText], earlier: Sequence[UnitText]
) -> list[UnitChange]:
    """``found`` with each removed unit after the unit that stood before it in the earlier version."""
    result = list(found)
    before = {unit.key: earlier[place - 1].key if place else None for place, unit in enumerate(earlier)}
    for unit in removed:
        neighbour = before[unit.key]
        place = next((n for n, u in enumerate(result, start=1) if u.key == neighbour), 0)
        result.insert(place, _alone(unit, "removed"))
    return result
