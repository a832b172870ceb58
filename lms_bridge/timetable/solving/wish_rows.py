"""The wishes of :class:`Weights` for the solver: a price on pairs and on helpers, and what ties helpers to pairs.

Their sum is what :class:`lms_bridge.timetable.solving.wishes.Wishes` counts in a finished timetable, given that each
helper is as small as its rows let it be, which a solver that minimises sees to.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from lms_bridge.timetable.solving.problem import Slot, Weights
from lms_bridge.timetable.solving.rules import Helper, Pair, Variable
from lms_bridge.timetable.solving.wishes import Wishes


@dataclass(frozen=True, slots=True)
class WishRow:
    """``low`` <= sum of ``plus`` less that of ``minus`` <= ``high``."""

    plus: tuple[Variable, ...]
    minus: tuple[Variable, ...]
    high: int


@dataclass(slots=True)
class Prices:
    """What each variable costs, a constant, the helpers that the wishes need and the rows that define them."""

    weights: Weights
    constant: int = 0
    of: dict[Variable, int] = field(default_factory=dict)
    helpers: list[Helper] = field(default_factory=list)
    rows: list[WishRow] = field(default_factory=list)

    def add(self, variable: Variable, price: int) -> None:
        """Raise the price of a variable."""
        if price:
            self.of[variable] = self.of.get(variable, 0) + price


def prices(wishes: Wishes, weights: Weights, open_slots: dict[str, tuple[Slot, ...]]) -> Prices:
    """The prices of these wishes at these weights; ``open_slots`` by course."""
    found = Prices(weights)
    for key, slots in open_slots.items():
        _course(found, wishes, key, slots)
        if weights.same_day:
            _same_day(found, wishes, key, set(slots))
    opened = {key: set(slots) for key, slots in open_slots.items()}
    for key, courses in wishes.by_class.items():
        for slots in wishes.class_days[key].values():
            here = [tuple((c.key, slot) for c in courses if slot in opened[c.key]) for slot in slots]
            fair = wishes.class_fair[key]
            if weights.uneven and len(slots) > fair:
                name = ("uneven", key, slots[0], 0)
                _excess(found, name, [pair for pairs in here for pair in pairs], fair, len(slots), weights.uneven)
            if weights.gap:
                _gaps(found, key, slots, here)
    if weights.apart:
        for number, wish in enumerate(wishes.apart):
            for slot in wishes.rank:
                pairs = [(key, slot) for key in (*wish.one, *wish.other) if slot in opened[key]]
                name = ("apart", wish.name, slot, number)
                _excess(found, name, pairs, 1, 1, weights.apart * wish.weight)
    return found


def _course(found: Prices, wishes: Wishes, key: str, slots: Iterable[Slot]) -> None:
    """What a course costs by where its lessons are, each for itself."""
    weights, course = found.weights, wishes.courses[key]
    found.constant += weights.moved * course.people * wishes.keep[key]
    if course.may_drop:
        found.constant += weights.dropped * course.periods
    for slot in slots:
        price = weights.late * wishes.rank[slot]
        if slot in wishes.kept[key]:
            price -= weights.moved * course.people
        if course.preferred is not None and slot not in course.preferred:
            price += weights.preferred
        if course.may_drop:
            price -= weights.dropped
        found.add((key, slot), price)


def _same_day(found: Prices, wishes: Wishes, key: str, opened: set[Slot]) -> None:
    course, fair = wishes.courses[key], wishes.course_fair[key]
    most = min(course.max_per_day, course.periods)
    if most <= fair:
        return
    for slots in wishes.course_days[key].values():
        pairs = [(key, slot) for slot in slots if slot in opened]
        if len(pairs) > fair:
            _excess(found, ("same_day", key, slots[0], 0), pairs, fair, most - fair, found.weights.same_day)


def _gaps(found: Prices, key: str, slots: tuple[Slot, ...], here: list[tuple[Pair, ...]]) -> None:
    """Each slot before the last lesson of a day costs; a lesson in it gives the price back."""
    later: tuple[Variable, ...] = here[-1]
    for number in range(len(slots) - 2, -1, -1):
        until: Variable = ("until", key, slots[number], 0)
        from_here = tuple(pair for pairs in here[number:] for pair in pairs)
        if not from_here:
            continue
        found.helpers.append(Helper(("until", key, slots[number], 0), from_here))
        if here[number]:
            found.rows.append(WishRow(here[number], (until,), 0))
        if later:
            found.rows.append(WishRow(later, (until,), 0))
        found.add(until, found.weights.gap)
        for pair in here[number]:
            found.add(pair, -found.weights.gap)
        later = (until,)


def _excess(
    found: Prices, name: tuple[str, str, Slot, int], pairs: list[Pair], spare: int, most: int, price: int
) -> None:
    """A price on each chosen pair beyond ``spare``."""
    if len(pairs) > spare:
        found.helpers.append(Helper(name, tuple(pairs), spare, most))
        found.rows.append(WishRow(tuple(pairs), (name,), spare))
        found.add(name, price)
