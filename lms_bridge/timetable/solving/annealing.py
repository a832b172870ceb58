"""Makes a large timetable better by simulated annealing: millions of small exchanges, each checked against every rule.

An exchange moves one lesson to another slot, with whatever is in the way of its class or teacher there moving back in
turn (a chain between two slots), and, so that rooms that are all taken are no obstacle, often another lesson the other
way. An exchange that breaks a rule is undone; one that costs more is taken with a chance that falls as time goes on.
The inner loop is compiled by numba and works on the arrays of :class:`Compiled`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from lms_bridge.timetable.solving.annealing_loop import exchanges
from lms_bridge.timetable.solving.compiled import OPEN_END, Compiled, Numbers

MOVES = 200_000
"""Exchanges tried in one slice, between which somebody may stop the search."""

MOVES_PER_WORK = 150_000
"""Exchanges that count as one unit of work: about what one core does in a second."""


class Tables(NamedTuple):
    """The problem in arrays. ``pair_of[course, slot]``: number of the pair, -1 where closed. ``people`` and ``mates``:
    the classes and teachers of a course, and the courses that share its slots, filled up with -1. ``rows`` and
    ``coefficients`` from ``row_start`` on: the rules that each variable is in. ``owners`` and ``signs`` from
    ``helper_start`` on: the helpers that each pair is counted in."""

    pair_of: Any
    people: Any
    mates: Any
    pool: Any
    row_start: Any
    rows: Any
    coefficients: Any
    low: Any
    high: Any
    helper_start: Any
    owners: Any
    signs: Any
    spare: Any
    most: Any
    price: Any
    first: int


class Moving(NamedTuple):
    """What changes as lessons move. ``at[person, slot]``: the course there, -1 if none. ``lessons``: course and slot
    of each lesson; ``listed``: the lessons of each slot, ``counts`` how many, ``place`` where in its slot each is."""

    values: Any
    activity: Any
    counted: Any
    against: Any
    at: Any
    course: Any
    slot: Any
    lesson_of: Any
    listed: Any
    counts: Any
    place: Any
    random: Any


class Annealing:
    """Anneals one timetable, slice by slice; the same for the same seed and the same temperatures."""

    def __init__(self, compiled: Compiled, values: Numbers, seed: int) -> None:
        self.compiled = compiled
        self.slots = sorted(set(compiled.problem.slots))
        self.tables = self._tables()
        self.moving = self._moving(values, seed)
        self.cost = compiled.cost(values)
        self.best_cost, self.best = self.cost, values.copy()
        weights = compiled.weights
        unit = max(weights.gap, weights.uneven, weights.same_day / 2, weights.late, weights.preferred, 1)
        self.warm, self.cold = 0.4 * unit, 0.03 * unit

    def slice(self, begun: float, ended: float, moves: int = MOVES) -> None:
        """Try so many exchanges, while this share of the whole annealing goes from ``begun`` to ``ended``."""
        from_, to = self._temperature(begun), self._temperature(ended)
        self.cost += int(exchanges(self.tables, self.moving, moves, from_, to))
        if self.cost <= self.best_cost:
            self.best_cost, self.best = self.cost, self.moving.values.copy()

    def values(self) -> Numbers:
        """The values of the best timetable so far, helpers included."""
        return self.compiled.values(self.compiled.placed(self.best))

    def _temperature(self, share: float) -> float:
        return float(self.warm * (self.cold / self.warm) ** min(1.0, max(0.0, share)))

    def _tables(self) -> Tables:
        compiled, problem = self.compiled, self.compiled.problem
        index = {course.key: number for number, course in enumerate(problem.courses)}
        column = {slot: number for number, slot in enumerate(self.slots)}
        pair_of = np.full((len(index), len(self.slots)), -1, dtype=np.int32)
        for number, (key, slot) in enumerate(compiled.pairs):
            pair_of[index[key], column[slot]] = number
        # A class and a teacher never share a key.
        people: dict[str, int] = {}
        for course in problem.courses:
            for key in (*course.classes, *course.teachers):
                people.setdefault(key, len(people))
        self.people_count = len(people)
        of_course = [sorted({people[key] for key in (*c.classes, *c.teachers)}) for c in problem.courses]
        mates: list[list[int]] = [[] for _ in problem.courses]
        for group in problem.parallel:
            known = [index[key] for key in group if key in index]
            for one in known:
                mates[one] += [other for other in known if other != one]
        pools = {key: number for number, key in enumerate(dict.fromkeys(c.pool for c in problem.courses))}
        owned = compiled.variable_rows.flat < compiled.hard
        owner = np.repeat(np.arange(len(compiled.number)), np.diff(compiled.variable_rows.start))[owned]
        start = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=len(compiled.number)))])
        return Tables(
            pair_of,
            _filled_up(of_course),
            _filled_up(mates),
            np.array([pools[c.pool] if c.online else -1 for c in problem.courses], dtype=np.int32),
            start.astype(np.int32),
            compiled.variable_rows.flat[owned].astype(np.int32),
            compiled.variable_coefficients[owned].astype(np.int32),
            np.maximum(compiled.low[: compiled.hard], -OPEN_END).astype(np.int32),
            compiled.high[: compiled.hard].astype(np.int32),
            compiled.helpers_of.start.astype(np.int32),
            (compiled.helpers_of.flat - len(compiled.pairs)).astype(np.int32),
            compiled.helper_signs.astype(np.int32),
            np.array([h.spare for h in compiled.helpers], dtype=np.int32),
            np.array([h.most for h in compiled.helpers], dtype=np.int32),
            compiled.price.astype(np.int32),
            len(compiled.pairs),
        )

    def _moving(self, values: Numbers, seed: int) -> Moving:
        compiled, tables = self.compiled, self.tables
        counted = np.zeros(len(compiled.helpers), dtype=np.int32)
        against = np.zeros(len(compiled.helpers), dtype=np.int32)
        chosen = np.flatnonzero(values[: len(compiled.pairs)])
        positions, _ = compiled.helpers_of.of(chosen)
        owners, signs = tables.owners[positions], tables.signs[positions]
        np.add.at(counted, owners[signs > 0], 1)
        np.add.at(against, owners[signs < 0], 1)
        index = {course.key: number for number, course in enumerate(compiled.problem.courses)}
        column = {slot: number for number, slot in enumerate(self.slots)}
        course = np.array([index[compiled.pairs[n][0]] for n in chosen.tolist()], dtype=np.int32)
        slot = np.array([column[compiled.pairs[n][1]] for n in chosen.tolist()], dtype=np.int32)
        at = np.full((self.people_count, len(self.slots)), -1, dtype=np.int32)
        lesson_of = np.full(len(compiled.pairs), -1, dtype=np.int32)
        listed = np.full((len(self.slots), len(compiled.problem.courses)), -1, dtype=np.int32)
        counts = np.zeros(len(self.slots), dtype=np.int32)
        place = np.zeros(len(chosen), dtype=np.int32)
        for lesson, number in enumerate(chosen.tolist()):
            one, when = int(course[lesson]), int(slot[lesson])
            for person in tables.people[one].tolist():
                if person >= 0:
                    at[person, when] = one
            lesson_of[number] = lesson
            place[lesson] = counts[when]
            listed[when, counts[when]] = lesson
            counts[when] += 1
        activity = compiled.activity(values)[: compiled.hard].astype(np.int32)
        random = np.array([seed * 2_654_435_761 % (1 << 62) + 88_172_645_463_325_252], dtype=np.uint64)
        own = values.astype(np.int32)
        return Moving(own, activity, counted, against, at, course, slot, lesson_of, listed, counts, place, random)


def _filled_up(lists: list[list[int]]) -> Any:
    width = max((len(one) for one in lists), default=0) or 1
    return np.array([one + [-1] * (width - len(one)) for one in lists], dtype=np.int32).reshape(len(lists), width)
