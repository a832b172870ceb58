"""Which part of a large timetable is set free next: a few classes for the whole week, or many on one or two days.

Classes that cost much come sooner, together with others that share their teachers or rooms, since it is those that
can give way to each other. How large a part may be is learnt: parts that are solved to the end grow, those that are
cut short shrink.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import numpy as np

from lms_bridge.timetable.solving.compiled import Compiled, Numbers


@dataclass(slots=True)
class Shape:
    """A kind of part: ``days`` set free at once (0: all), for ``size`` classes."""

    name: str
    days: int
    size: float
    reward: float = 1.0


@dataclass(frozen=True, slots=True)
class Part:
    """Pairs that are set free, all of these classes."""

    shape: Shape
    classes: frozenset[str]
    pairs: Numbers


class Chooser:
    """Chooses parts of one problem; the same for the same seed and the same outcomes."""

    def __init__(self, compiled: Compiled, seed: int) -> None:
        self.compiled = compiled
        self.shapes = [Shape("week", 0, 2.0), Shape("day", 1, 8.0), Shape("two days", 2, 4.0)]
        self.random = Random(seed)
        self.by_class = {key: tuple(c.key for c in courses) for key, courses in compiled.wishes.by_class.items()}
        self.classes = list(self.by_class)
        self.days = sorted({slot.day for slot in compiled.problem.slots})
        self.owners = self._owners()
        self.near = self._near()
        self.visited = dict.fromkeys(self.classes, 0)
        self.turn = 0

    def next(self, values: Numbers, avoid: frozenset[str] = frozenset()) -> Part:
        """The next part for a timetable with these values, without the classes in ``avoid``."""
        self.turn += 1
        shape = self.random.choices(self.shapes, [one.reward for one in self.shapes])[0]
        classes = self._classes(values, max(1, round(shape.size)), avoid)
        days = self.random.sample(self.days, min(shape.days, len(self.days))) if shape.days else None
        for key in classes:
            self.visited[key] = self.turn
        return Part(shape, frozenset(classes), self.pairs(classes, days))

    def around(self, course: str, size: int) -> Part:
        """All of the classes of ``course``, its teachers' other lessons, and ``size`` classes near to it."""
        own = self.compiled.wishes.courses[course]
        classes = list(own.classes)
        for key in own.classes:
            near = self.near.get(key, [])
            classes += self.random.sample(near, min(size, len(near)))
        taught = {c.key for c in self.compiled.problem.courses if set(c.teachers) & set(own.teachers)}
        courses = dict.fromkeys(
            [key for one in dict.fromkeys(classes) for key in self.by_class.get(one, ())] + sorted(taught | {course})
        )
        return Part(self.shapes[0], frozenset(classes), self.compiled.pairs_of(self.together(courses)))

    def learn(self, part: Part, gain: float, work: float, *, finished: bool) -> None:
        """What came of a part: how much better the timetable got for how much work, and whether it was solved."""
        shape = part.shape
        shape.reward = max(0.05, 0.95 * shape.reward + 0.05 * gain / max(work, 0.001))
        most = max(1, len(self.classes))
        shape.size = min(most, shape.size * 1.05) if finished else max(1.0, shape.size * 0.9)

    def pairs(self, classes: list[str], days: list[int] | None) -> Numbers:
        """The pairs of the courses of these classes on these days, with the courses that share their slots."""
        courses = dict.fromkeys(key for one in classes for key in self.by_class[one])
        return self.compiled.pairs_of(self.together(courses), days)

    def together(self, courses: dict[str, None]) -> dict[str, None]:
        """These courses and those that always take the same slots."""
        for group in self.compiled.problem.parallel:
            if any(key in courses for key in group):
                courses |= dict.fromkeys(key for key in group if key in self.compiled.course_span)
        return courses

    def _classes(self, values: Numbers, size: int, avoid: frozenset[str]) -> list[str]:
        free = [key for key in self.classes if key not in avoid] or self.classes
        cost = self._cost_of_classes(values)
        drawn = self.random.sample(free, min(4, len(free)))
        first = max(drawn, key=lambda key: cost[key] - self.visited[key] * 0.02 * max(1.0, cost[key]) / len(free))
        near = [key for key in self.near[first] if key not in avoid]
        found = [first]
        while len(found) < size and near:
            some = self.random.sample(near, min(2, len(near)))
            best = max(some, key=lambda key: cost[key])
            near.remove(best)
            found.append(best)
        if len(found) < size:
            rest = [key for key in free if key not in found]
            found += self.random.sample(rest, min(size - len(found), len(rest)))
        return found

    def _cost_of_classes(self, values: Numbers) -> dict[str, float]:
        costs = np.bincount(self.owners, self.compiled.price * values, len(self.classes) + 1)
        return dict(zip(self.classes, costs.tolist(), strict=False))

    def _owners(self) -> Numbers:
        """The number of the class that each variable's cost is laid to, one beyond the last where it is nobody's."""
        compiled = self.compiled
        index = {key: number for number, key in enumerate(self.classes)}
        nobody = len(index)
        of_course = {c.key: index[c.classes[0]] if c.classes else nobody for c in compiled.problem.courses}
        found = np.full(len(compiled.number), nobody, dtype=np.int64)
        for key, (start, end) in compiled.course_span.items():
            found[start:end] = of_course[key]
        for number, helper in enumerate(compiled.helpers, start=len(compiled.pairs)):
            kind, key = helper.name[:2]
            found[number] = of_course.get(key, index.get(key, nobody)) if kind != "until" else index[key]
        return found

    def _near(self) -> dict[str, list[str]]:
        """For each class the others that share a teacher or a pool of rooms with it, at most 60, teachers first."""
        teachers: dict[str, dict[str, None]] = {}
        pools: dict[str, dict[str, None]] = {}
        for course in self.compiled.problem.courses:
            for key in course.classes:
                for teacher in course.teachers:
                    teachers.setdefault(teacher, {})[key] = None
                pools.setdefault(course.pool, {})[key] = None
        found = {}
        for key, courses in self.compiled.wishes.by_class.items():
            by_teacher = [other for c in courses for t in c.teachers for other in teachers[t]]
            by_pool = [other for c in courses for other in pools[c.pool]]
            rest = list(dict.fromkeys(by_pool))
            self.random.shuffle(rest)
            found[key] = [other for other in dict.fromkeys([*by_teacher, *rest]) if other != key][:60]
        return found
