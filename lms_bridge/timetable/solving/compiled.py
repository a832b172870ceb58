"""A timetable problem in numbers, for models that are built thousands of times.

Every open pair (course, slot) and every helper is a variable with a number; the rules and wishes are rows over these
numbers, in arrays. What a model of a few classes takes is then cut out in milliseconds, whatever the school's size.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Sequence

import numpy as np
import numpy.typing as npt

from lms_bridge.timetable.solving.all_rules import bounds
from lms_bridge.timetable.solving.problem import Problem, Slot, Weights
from lms_bridge.timetable.solving.rules import Helper, Pair, Variable, open_slots
from lms_bridge.timetable.solving.shape_rules import shape_helpers
from lms_bridge.timetable.solving.wish_rows import prices
from lms_bridge.timetable.solving.wishes import Slots, Wishes

Numbers = npt.NDArray[np.int64]

OPEN_END = 1 << 30
"""Stands for no bound on a side of a row."""


class Lists:
    """Many lists of numbers end to end: list ``i`` is ``flat[start[i]:start[i + 1]]``."""

    def __init__(self, flat: Numbers, start: Numbers) -> None:
        self.flat, self.start = flat, start

    def of(self, indices: Numbers) -> tuple[Numbers, Numbers]:
        """The positions in ``flat`` of all numbers in these lists, and the index that each belongs to."""
        lengths = self.start[indices + 1] - self.start[indices]
        total = int(lengths.sum())
        owners = np.repeat(indices, lengths)
        before = np.repeat(np.cumsum(lengths) - lengths, lengths)
        return np.arange(total) - before + np.repeat(self.start[indices], lengths), owners


class Compiled:
    """``problem`` with the wishes at ``weights``.

    Variables: first the pairs, course by course (``pairs``, ``course_span``), then the helpers of rules, then from
    ``first_wish`` on those of wishes, each at most ``upper``. A
    row says ``low`` <= sum of coefficient times variable <= ``high``; the first ``hard`` rows are those of the rules,
    the others tie the helpers of wishes to what they count. The objective is ``constant`` plus the sum of
    ``price`` times variable.
    """

    def __init__(self, problem: Problem, weights: Weights) -> None:
        self.problem, self.weights = problem, weights
        self.wishes = Wishes(problem)
        self.open = {course.key: open_slots(problem, course) for course in problem.courses}
        self.pairs: list[Pair] = [(key, slot) for key, slots in self.open.items() for slot in slots]
        self.number: dict[Variable, int] = {pair: number for number, pair in enumerate(self.pairs)}
        self.course_span = self._spans()
        priced = prices(self.wishes, weights, self.open)
        self.helpers = [*self._helpers(shape_helpers(problem))]
        self.first_wish = len(self.number)
        self.helpers += self._helpers(priced.helpers)
        self.upper = np.ones(len(self.number), dtype=np.int64)
        self.upper[len(self.pairs) :] = [helper.most for helper in self.helpers]
        self.constant = priced.constant
        self.price = np.zeros(len(self.number), dtype=np.int64)
        for variable, price in priced.of.items():
            if variable in self.number:
                self.price[self.number[variable]] += price
        rows = _Rows(self.number)
        for bound in bounds(problem):
            rows.add(bound.pairs, bound.minus, bound.low, bound.high)
        self.hard = len(rows.low)
        for row in priced.rows:
            rows.add(row.plus, row.minus, None, row.high)
        self.low, self.high = np.array(rows.low, dtype=np.int64), np.array(rows.high, dtype=np.int64)
        self.row_terms, self.row_coefficients = rows.lists()
        self.variable_rows, self.variable_coefficients = self._transposed()
        self.helpers_of = self._helpers_of()
        self.day = np.array([slot.day for _, slot in self.pairs], dtype=np.int64)

    def pairs_of(self, courses: Iterable[str], days: Collection[int] | None = None) -> Numbers:
        """The numbers of the pairs of these courses, on these days (None: on all)."""
        spans = [np.arange(*self.course_span[key]) for key in courses]
        found = np.concatenate(spans) if spans else np.zeros(0, dtype=np.int64)
        return found if days is None else found[np.isin(self.day[found], list(days))]

    def with_helpers(self, pairs: Numbers, *, hard: bool = False) -> Numbers:
        """These pairs and all helpers that depend on any of them; with ``hard`` only the helpers of rules."""
        positions, _ = self.helpers_of.of(pairs)
        helpers = np.unique(self.helpers_of.flat[positions])
        return np.concatenate([pairs, helpers[helpers < self.first_wish] if hard else helpers])

    def values(self, placed: Slots) -> Numbers:
        """The value of each variable in this timetable; lessons in slots that are closed to them are left out."""
        found = np.zeros(len(self.number), dtype=np.int64)
        chosen = {(key, slot) for key, slots in placed.items() for slot in slots}
        for pair in chosen:
            number = self.number.get(pair)
            if number is not None:
                found[number] = 1
        first = len(self.pairs)
        for number, helper in enumerate(self.helpers, start=first):
            found[number] = helper.value(chosen)
        return found

    def placed(self, values: Numbers) -> dict[str, tuple[Slot, ...]]:
        """The slots of each course, in order of time."""
        found: dict[str, list[Slot]] = {key: [] for key in self.open}
        for number in np.flatnonzero(values[: len(self.pairs)]):
            key, slot = self.pairs[number]
            found[key].append(slot)
        return {key: tuple(sorted(slots)) for key, slots in found.items()}

    def activity(self, values: Numbers) -> Numbers:
        """The sum of each row."""
        terms = values[self.row_terms.flat] * self.row_coefficients
        sums = np.concatenate([[0], np.cumsum(terms)])
        return np.asarray(sums[self.row_terms.start[1:]] - sums[self.row_terms.start[:-1]], dtype=np.int64)

    def cost(self, values: Numbers) -> int:
        """The objective for these values."""
        return self.constant + int(self.price @ values)

    def _spans(self) -> dict[str, tuple[int, int]]:
        spans, start = {}, 0
        for key, slots in self.open.items():
            spans[key] = (start, start + len(slots))
            start += len(slots)
        return spans

    def _helpers(self, wanted: Iterable[Helper]) -> Iterable[Helper]:
        """Those that can be more than 0; numbers them."""
        for helper in wanted:
            if helper.name not in self.number and sum(pair in self.number for pair in helper.pairs) > helper.spare:
                self.number[helper.name] = len(self.number)
                yield helper

    def _transposed(self) -> tuple[Lists, Numbers]:
        rows = np.repeat(np.arange(len(self.low)), np.diff(self.row_terms.start))
        order = np.argsort(self.row_terms.flat, kind="stable")
        counts = np.bincount(self.row_terms.flat, minlength=len(self.number))
        start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return Lists(rows[order], start), self.row_coefficients[order]

    def _helpers_of(self) -> Lists:
        pairs, owners, signs = array("l"), array("l"), array("b")
        for number, helper in enumerate(self.helpers, start=len(self.pairs)):
            for sign, some in ((1, helper.pairs), (-1, helper.without)):
                known = [self.number[pair] for pair in some if pair in self.number]
                pairs.extend(known)
                owners.extend([number] * len(known))
                signs.extend([sign] * len(known))
        keys = np.frombuffer(pairs, dtype=np.int64) if pairs else np.zeros(0, dtype=np.int64)
        values = np.frombuffer(owners, dtype=np.int64) if owners else np.zeros(0, dtype=np.int64)
        order = np.argsort(keys, kind="stable")
        self.helper_signs = np.array(signs, dtype=np.int64)[order]
        counts = np.bincount(keys, minlength=len(self.pairs))
        return Lists(values[order], np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))


class _Rows:
    """Collects rows; terms that are always 0 are left out, and rows that cannot be broken then."""

    def __init__(self, number: dict[Variable, int]) -> None:
        self.number = number
        self.flat, self.coefficients, self.lengths = array("l"), array("b"), array("l")
        self.low: list[int] = []
        self.high: list[int] = []

    def add(self, plus: Sequence[Variable], minus: Sequence[Variable], low: int | None, high: int | None) -> None:
        number = self.number
        ones = [number[variable] for variable in plus if variable in number]
        others = [number[variable] for variable in minus if variable in number]
        if not others and not (low or 0) > 0 and (high is None or len(ones) <= high):
            return
        self.flat.extend(ones)
        self.flat.extend(others)
        self.coefficients.extend([1] * len(ones))
        self.coefficients.extend([-1] * len(others))
        self.lengths.append(len(ones) + len(others))
        self.low.append(-OPEN_END if low is None else low)
        self.high.append(OPEN_END if high is None else high)

    def lists(self) -> tuple[Lists, Numbers]:
        start = np.concatenate([[0], np.cumsum(np.array(self.lengths, dtype=np.int64))]).astype(np.int64)
        return Lists(np.array(self.flat, dtype=np.int64), start), np.array(self.coefficients, dtype=np.int64)
