"""A first timetable for a large school, placed lesson by lesson: the most difficult course first, each lesson in the
cheapest slot that every rule leaves open. What finds no place then takes one from other lessons, which look for another
in turn; a lesson that was driven out often is left alone the longer the more.

CP-SAT needs a minute for a first timetable of 400 classes; this takes two or three seconds. What is missing even then
is left to the repair in ``search``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from random import Random

import numpy as np
import numpy.typing as npt

from lms_bridge.timetable.solving.compiled import OPEN_END, Compiled, Numbers
from lms_bridge.timetable.solving.problem import Course
from lms_bridge.timetable.solving.rules import courses_by_teacher

MOST_STEPS = 4000
"""Lessons that may be driven out in all before the rest is left to CP-SAT."""


def placed_one_by_one(compiled: Compiled, seed: int) -> Numbers:
    """The values of a timetable that breaks no rule except that some periods may be missing; the same for the same
    seed."""
    return _Starter(compiled, Random(seed)).placed()


def placed_near(compiled: Compiled, values: Numbers, seed: int) -> Numbers:
    """The same, begun with every lesson of ``values`` that has a place beside those put back before it."""
    return _Starter(compiled, Random(seed)).placed_near(values)


class _Starter:
    def __init__(self, compiled: Compiled, chooser: Random) -> None:
        self.compiled, self.chooser = compiled, chooser
        size, rows = len(compiled.number), len(compiled.low)
        self.values = np.zeros(size, dtype=np.int64)
        self.activity = np.zeros(rows, dtype=np.int64)
        # How many full rows each variable is in; only a pair that is in none can be chosen.
        self.full = np.zeros(size, dtype=np.int64)
        self.is_full = np.zeros(rows, dtype=np.bool_)
        self.driven: dict[str, int] = {}
        for row in np.flatnonzero(compiled.high[: compiled.hard] <= 0):
            self._fill(int(row))
        self.shaped = self._with_helpers_in_rules()
        self.fixed = self._not_to_be_moved()
        self.droppable = {course.key for course in compiled.problem.courses if course.may_drop}

    def placed(self) -> Numbers:
        """Place every course; the helpers of wishes follow from where the lessons lie."""
        for course in self._in_order():
            self._place(course)
        self._make_room()
        return self.compiled.values(self.compiled.placed(self.values))

    def placed_near(self, values: Numbers) -> Numbers:
        """Put back what was there, the lessons that disturb most people first; then place the rest."""
        compiled = self.compiled
        people = sorted(compiled.problem.courses, key=lambda course: (course.key not in self.shaped, -course.people))
        for course in people:
            first, end = compiled.course_span[course.key]
            pairs = (np.flatnonzero(values[first:end]) + first).tolist()
            if course.key in self.shaped:
                changed = self._after(pairs)
                if pairs and not any(self.values[pair] for pair in pairs) and self._keeps_rules(changed):
                    self._change(changed)
            else:
                for pair in pairs:
                    if not self.full[pair]:
                        self._change({pair: 1})
        return self.placed()

    def _in_order(self) -> list[Course]:
        """Courses by difficulty: those in rules about shape, then the fewest spare slots for course and teacher."""
        problem = self.compiled.problem
        load = {key: sum(c.periods for c in own) for key, own in courses_by_teacher(problem).items()}
        grid, away = len(set(problem.slots)), problem.unavailable

        def difficulty(course: Course) -> tuple[bool, float]:
            free = len(self.compiled.open[course.key])
            taught = max((load[key] / max(1, grid - len(away.get(key, ()))) for key in course.teachers), default=0)
            return course.key not in self.shaped, -(taught + course.periods / max(1, free) + 0.1 * len(course.classes))

        return sorted(problem.courses, key=difficulty)

    def _place(self, course: Course) -> None:
        compiled = self.compiled
        fixed = [compiled.number[course.key, slot] for slot in course.fixed if (course.key, slot) in compiled.number]
        there = int(self.values[slice(*compiled.course_span[course.key])].sum())
        if course.key in self.shaped:
            blocks = _rest(sorted(course.blocks, reverse=True) or [1] * course.periods, there)
            for length in blocks:
                self._place_run(course, length)
            return
        span = np.arange(*compiled.course_span[course.key])
        noise = np.array([self.chooser.random() for _ in span])
        noise[np.isin(span, fixed)] = -1e9
        order = span[np.argsort(compiled.price[span] + self._pressure(span) + noise, kind="stable")]
        left = course.periods - there
        for pair in order.tolist():
            if left > 0 and not self.full[pair] and not self.values[pair]:
                self._change({pair: 1})
                left -= 1

    def _pressure(self, span: Numbers) -> npt.NDArray[np.float64]:
        """How full the rows of each pair are: 0 to 1, the fullest counts."""
        compiled = self.compiled
        positions, owners = compiled.variable_rows.of(span)
        rows = compiled.variable_rows.flat[positions]
        owners, rows = owners[rows < compiled.hard], rows[rows < compiled.hard]
        share = np.where(compiled.high[rows] < OPEN_END, self.activity[rows] / np.maximum(1, compiled.high[rows]), 0)
        found = np.zeros(len(span))
        if len(span):
            np.maximum.at(found, owners - span[0], np.minimum(share, 1))
        return found

    def _change(self, values: dict[int, int]) -> None:
        compiled = self.compiled
        for variable, value in values.items():
            delta = value - int(self.values[variable])
            if not delta:
                continue
            self.values[variable] = value
            start, end = compiled.variable_rows.start[variable : variable + 2]
            rows = compiled.variable_rows.flat[start:end]
            self.activity[rows] += delta * compiled.variable_coefficients[start:end]
            rows = rows[rows < compiled.hard]
            full = self.activity[rows] >= compiled.high[rows]
            for row in rows[full != self.is_full[rows]].tolist():
                self._fill(row)

    def _fill(self, row: int) -> None:
        """Nothing more goes into this row, or something does again."""
        compiled = self.compiled
        full = bool(self.activity[row] >= compiled.high[row])
        self.is_full[row] = full
        start, end = compiled.row_terms.start[row : row + 2]
        positive = compiled.row_coefficients[start:end] > 0
        self.full[compiled.row_terms.flat[start:end][positive]] += 1 if full else -1

    def _make_room(self) -> None:
        """Place what is missing by driving out other lessons, until nothing is missing or it leads nowhere."""
        compiled = self.compiled
        waiting = deque(self._room_for_runs())
        waiting.extend(
            course.key
            for course in compiled.problem.courses
            if course.key not in self.shaped and not course.may_drop
            for _ in range(course.periods - int(self.values[slice(*compiled.course_span[course.key])].sum()))
        )
        for _ in range(MOST_STEPS):
            if not waiting:
                return
            key = waiting.popleft()
            found = self._cheapest_room(key)
            if found is None or (found[1] and key in self.droppable):
                continue
            pair, driven_out = found
            self._change(dict.fromkeys(driven_out, 0))
            self._change({pair: 1})
            for other in driven_out:
                course = compiled.pairs[other][0]
                self.driven[course] = self.driven.get(course, 0) + 1
                waiting.append(course)

    def _room_for_runs(self) -> Iterator[str]:
        """Place the runs that are missing by driving out lessons of courses without such rules: their courses."""
        compiled = self.compiled
        for course in compiled.problem.courses:
            there = int(self.values[slice(*compiled.course_span[course.key])].sum())
            if course.key not in self.shaped or course.may_drop or there >= course.periods:
                continue
            for length in _rest(sorted(course.blocks, reverse=True) or [1] * course.periods, there):
                ways = sorted(self._ways_for_run(course, length), key=lambda way: way[0])
                for _, changed, driven_out in ways:
                    self._change(dict.fromkeys(driven_out, 0))
                    if self._keeps_rules(changed):
                        self._change(changed)
                        yield from (compiled.pairs[other][0] for other in driven_out)
                        break
                    self._change(dict.fromkeys(driven_out, 1))

    def _ways_for_run(self, course: Course, length: int) -> Iterator[tuple[float, dict[int, int], list[int]]]:
        """For each run its price, what it changes, and the pairs that must go for it."""
        compiled = self.compiled
        for pairs in self._runs(course, length):
            changed = self._after(pairs)
            driven_out: list[int] = []
            for row in self._over(changed):
                terms = compiled.row_terms.flat[compiled.row_terms.start[row] : compiled.row_terms.start[row + 1]]
                inside = [n for n in terms[self.values[terms] > 0].tolist() if n not in self.fixed]
                if not inside:
                    break
                if not any(other in inside for other in driven_out):
                    driven_out.append(min(inside, key=lambda n: self.chooser.random()))
            else:
                yield len(driven_out) + self.chooser.random(), changed, driven_out

    def _cheapest_room(self, key: str) -> tuple[int, list[int]] | None:
        """A pair for one more lesson of this course, and the pairs that must go for it, driven out least so far."""
        best: tuple[float, int, list[int]] | None = None
        for pair in range(*self.compiled.course_span[key]):
            if self.values[pair]:
                continue
            driven_out = self._in_the_way(pair) if self.full[pair] else []
            if driven_out is None:
                continue
            driven = sum(1 + self.driven.get(self.compiled.pairs[other][0], 0) for other in driven_out)
            cost = driven + self.chooser.random()
            if best is None or cost < best[0]:
                best = cost, pair, driven_out
        return None if best is None else best[1:]

    def _in_the_way(self, pair: int) -> list[int] | None:
        """One chosen pair of each full row that ``pair`` is in; None where a row has none that may go."""
        compiled = self.compiled
        start, end = compiled.variable_rows.start[pair : pair + 2]
        rows = compiled.variable_rows.flat[start:end]
        rows = rows[(rows < compiled.hard)]
        rows = rows[self.is_full[rows]]
        found: list[int] = []
        for row in rows[np.argsort(compiled.high[rows], kind="stable")].tolist():
            terms = compiled.row_terms.flat[compiled.row_terms.start[row] : compiled.row_terms.start[row + 1]]
            inside = [other for other in terms[self.values[terms] > 0].tolist() if other not in self.fixed]
            if any(other in inside for other in found):
                continue
            if not inside:
                return None
            found.append(min(inside, key=lambda n: self.driven.get(compiled.pairs[n][0], 0) + self.chooser.random()))
        return found

    def _place_run(self, course: Course, length: int) -> None:
        """The cheapest run of this length that breaks no rule, checked with the helpers that would change."""
        runs = sorted(self._runs(course, length), key=lambda pairs: self._price(pairs))
        for pairs in runs:
            changed = self._after(pairs)
            if self._keeps_rules(changed):
                self._change(changed)
                return

    def _price(self, pairs: list[int]) -> float:
        return float(sum(self.compiled.price[pairs])) + self.chooser.random()

    def _runs(self, course: Course, length: int) -> Iterator[list[int]]:
        number = self.compiled.number
        for slot in self.compiled.open[course.key]:
            run = [number.get((course.key, slot.later(step))) for step in range(length)]
            pairs = [pair for pair in run if pair is not None and not self.values[pair]]
            if len(pairs) == length:
                yield pairs

    def _after(self, pairs: list[int]) -> dict[int, int]:
        """The variables of hard rules that change with these pairs: themselves, helpers, courses in the same slots."""
        compiled = self.compiled
        chosen = {compiled.pairs[pair] for pair in pairs}
        for key, slot in list(chosen):
            chosen |= {(mate, slot) for group in compiled.problem.parallel if key in group for mate in group}
        numbers = [compiled.number[pair] for pair in chosen if pair in compiled.number]
        changed = dict.fromkeys(numbers, 1)
        keys = {key for key, _ in chosen}
        own = {compiled.pairs[n] for key in keys for n in range(*compiled.course_span[key]) if self.values[n]}
        every = own | chosen
        positions, _ = compiled.helpers_of.of(np.array(sorted(numbers), dtype=np.int64))
        first = len(compiled.pairs)
        for helper in np.unique(compiled.helpers_of.flat[positions]).tolist():
            one = compiled.helpers[helper - first]
            if one.name[0] in HARD:
                changed[helper] = one.value(every)
        return changed

    def _keeps_rules(self, changed: dict[int, int]) -> bool:
        return not self._over(changed)

    def _over(self, changed: dict[int, int]) -> list[int]:
        """The rows of rules that these values would break."""
        compiled = self.compiled
        deltas: dict[int, int] = {}
        for variable, value in changed.items():
            delta = value - int(self.values[variable])
            start, end = compiled.variable_rows.start[variable : variable + 2]
            for row, coefficient in zip(
                compiled.variable_rows.flat[start:end].tolist(),
                compiled.variable_coefficients[start:end].tolist(),
                strict=True,
            ):
                deltas[row] = deltas.get(row, 0) + delta * coefficient
        return [
            row
            for row, delta in deltas.items()
            if row < compiled.hard
            and (
                self.activity[row] + delta > compiled.high[row]
                or (compiled.low[row] == 0 and self.activity[row] + delta < 0)
            )
        ]

    def _not_to_be_moved(self) -> frozenset[int]:
        """Pairs that a rule asks for, pairs of courses in rules about shape, and all helpers."""
        compiled = self.compiled
        found = set(range(len(compiled.pairs), compiled.first_wish))
        for course in compiled.problem.courses:
            if course.key in self.shaped:
                found |= set(range(*compiled.course_span[course.key]))
            found |= {n for n in (compiled.number.get((course.key, slot)) for slot in course.fixed) if n is not None}
        return frozenset(found)

    def _with_helpers_in_rules(self) -> frozenset[str]:
        """The courses in rules about shape, whose lessons cannot be placed one by one."""
        problem = self.compiled.problem
        pairs = {key for pair in (*problem.not_same_day, *problem.in_order, *problem.parallel) for key in pair}
        return frozenset(c.key for c in problem.courses if c.key in pairs or len(c.blocks) > 0)


def _rest(lengths: list[int], placed: int) -> list[int]:
    """The runs that are missing when the first ones, ``placed`` periods in all, are there."""
    while lengths and placed > 0:
        placed -= lengths[0]
        lengths = lengths[1:]
    return lengths


HARD = frozenset({"run", "on", "begun"})
"""The kinds of helpers that rules need; those of wishes are as small as they can be and never stand in the way."""
