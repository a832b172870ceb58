"""The smallest change of a whole week that settles a case, with a bound of how small it is at least, from the pure
solver (:func:`lms_bridge.timetable.solving.solver.smallest_change`).

Unlike the steps of :mod:`lms_bridge.timetable.cases.repair`, which settle one lesson after the other, the solver may
move lessons that are not hit, if that makes the change smaller in the end. Among equally small changes it takes one in
which lessons stay near, between those of their course before and after.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from lms_bridge.timetable.cases import repair
from lms_bridge.timetable.cases.case_problem import Group, with_rules
from lms_bridge.timetable.cases.desk import Desk
from lms_bridge.timetable.cases.diary import Diary
from lms_bridge.timetable.cases.repair import Draft
from lms_bridge.timetable.making.taken_lessons import counted_lessons
from lms_bridge.timetable.models import LessonMode
from lms_bridge.timetable.snapshots import LessonState
from lms_bridge.timetable.solving import solver
from lms_bridge.timetable.solving.matching import match
from lms_bridge.timetable.solving.problem import Course, Pool, Problem, Slot, Solution, SolverLimits, Weights
from lms_bridge.timetable.weeks.capacity import POOL
from lms_bridge.timetable.weeks.slots import SlotTime, exact_slot, slots_during

ONLY_MOVES = Weights(moved=1, same_day=0, uneven=0, gap=0, late=0)
LARGE = 60_000
"""With more (course, slot) pairs than this only the classes concerned are set free."""

CAMPUS, CLASSES = "campus", "classes"
"""How far a bound reaches: no smaller change exists at the campus, or none that moves only the classes concerned."""

Key = tuple[tuple[tuple[int, str], ...], int, frozenset[int], bool]
"""What makes lessons of a week alike: classes, subject, teachers, and whether they are on online days."""


@dataclass
class _Week:
    """One week's problem, and what its answer is read with. ``homeless``: the students of hit lessons that have no
    period any more; they move whatever is found, which the solver does not count."""

    problem: Problem
    lessons: Mapping[str, Sequence[int]]
    times: Mapping[str, Mapping[Slot, SlotTime]]
    whole: bool
    homeless: int


@dataclass(frozen=True)
class Found:
    """A draft from the solver (None: it found none that holds on the clock), and its bound: no change that only moves
    lessons within their weeks moves fewer (each counted by its students, as :func:`students_moved` does), as far as
    ``reach`` says."""

    draft: Draft | None
    bound: int
    reach: str


def smallest_change(
    desk: Desk, hit: Sequence[int], sizes: Mapping[int, int], limits: SolverLimits, *, leave: bool = False
) -> Found | None:
    """Settle the lessons ``hit`` by the smallest change (moved lessons, each counted by its students), each week for
    itself; None where the solver finds nothing. ``sizes`` are the numbers of students by class; ``leave``: the lessons
    must leave their periods."""
    draft = Draft(desk, Diary(desk), hit)
    for number in hit:
        draft.diary.take(number)
    bound, reach, readable = 0, CAMPUS, True
    for week_id in sorted({desk.lessons[number].week_id for number in hit}):
        own = [number for number in hit if desk.lessons[number].week_id == week_id]
        week = _Builder(desk, week_id, own, sizes, leave).build()
        solution = solver.smallest_change(week.problem, limits)
        if not solution.found:
            return None
        readable = readable and _read(draft, week, solution)
        bound += (solution.bound or 0) + week.homeless
        reach = reach if week.whole else CLASSES
    return Found(draft if readable else None, bound, reach)


def students_moved(desk: Desk, states: Mapping[int, LessonState], sizes: Mapping[int, int]) -> int | None:
    """How much lessons in other states (by id) move, as the solver counts it: each lesson that is in another period or
    on another day, by its students. None where anything else happens to them than a move within their week."""
    total = 0
    for number, after in states.items():
        before = desk.lessons.get(number)
        if before is None or not after.takes_place or before.week_id != after.week_id:
            return None
        if before.teachers != after.teachers:
            return None
        periods = [(state.starts_local.date(), state.period_number) for state in (before, after)]
        if periods[0] != periods[1]:
            total += _students(before, sizes)
    return total


def _students(state: LessonState, sizes: Mapping[int, int]) -> int:
    return max(1, sum(sizes.get(class_id, 0) for class_id in state.class_ids))


def _read(draft: Draft, week: _Week, solution: Solution) -> bool:
    """Write the solver's answer into the draft; False where clock times clash after all (grids that differ)."""
    placed = solution.slots_by_course()
    moves: dict[int, LessonState] = {}
    left: list[int] = []
    for key, numbers in week.lessons.items():
        times = week.times[key]
        found = match({n: _stand(draft.desk.lessons[n], times) for n in numbers}, placed.get(key, ()))
        for number, slot in (*found.moved, *found.kept):
            after = repair.at(draft.desk.lessons[number], times[slot])
            if after != draft.desk.lessons[number]:
                moves[number] = after
        left += found.cancelled
    for number in (*moves, *left):
        draft.diary.take(number)
    for number, after in moves.items():
        if not draft.diary.fits(number, after, ruled=False):
            return False
        draft.change(number, after)
    for number in (*moves, *left):
        if number in left and not repair.make_up(draft, number):
            repair.cancel(draft, number)
            draft.settled[number] = "cancel"
        else:
            draft.settled[number] = "make_up" if number in left else "move"
    for numbers in week.lessons.values():
        for number in numbers:
            if number in draft.hit:
                draft.settled.setdefault(number, "move")
    return True


def _stand(state: LessonState, times: Mapping[Slot, SlotTime]) -> Slot | None:
    """The slot that a lesson stands in; where the day has other times by now, that of the same period."""
    exact = exact_slot(times, state.starts_at, state.ends_at)
    if exact is not None:
        return exact
    day = state.starts_local.date()
    return next((slot for slot, t in times.items() if t.day == day and slot.period == state.period_number), None)


@dataclass
class _Builder:
    """Turns the lessons of one week into the solver's terms."""

    desk: Desk
    week_id: int
    hit: Collection[int]
    sizes: Mapping[int, int]
    leave: bool
    openings: dict[int, dict[Slot, SlotTime]] = field(default_factory=dict)
    class_busy: defaultdict[str, set[Slot]] = field(default_factory=lambda: defaultdict(set))
    teacher_busy: defaultdict[str, set[Slot]] = field(default_factory=lambda: defaultdict(set))
    counted: bool = False

    def build(self) -> _Week:
        """The week's problem."""
        self.openings = {
            class_id: {t.slot: t for t in times if self.desk.weeks[t.day] == self.week_id}
            for class_id, times in self.desk.openings.items()
        }
        groups, fixed = self._groups(None)
        whole = sum(len(self._slots(key)) for key in groups) <= LARGE
        if not whole:
            concerned = {c for number in self.hit for c in self.desk.lessons[number].class_ids}
            groups, fixed = self._groups(concerned)
        for state in fixed:
            self._note_busy(state)
        every = [time for times in self.openings.values() for time in times.values()]
        for person_id, starts_at, ends_at in self.desk.away:
            self.teacher_busy[f"t{person_id}"] |= slots_during(every, starts_at, ends_at)
        rooms = self._rooms(every, groups, fixed)
        self.counted = bool(rooms)
        unavailable = self._unavailable({t for key in groups for t in key[2]}, every)
        taken = self._counted(fixed, every, unavailable)
        kinds = Counter((key[0], key[1]) for key in groups) + Counter({(s.classes, s.subject_id) for s in fixed})
        courses, lessons, times, hint = [], {}, {}, {}
        for number, (key, numbers) in enumerate(groups.items()):
            name = f"{number}"
            slots = self._slots(key)
            lessons[name], times[name] = numbers, slots
            stands = [_stand(self.desk.lessons[n], slots) for n in numbers]
            hint[name] = tuple(sorted(slot for slot in stands if slot is not None))
            course = self._course(name, key, numbers, slots)
            about = (key[0], key[1], course.online)
            near = self._near(numbers, slots)
            courses.append(Group(course, about, hint[name], slots, alone=kinds[key[0], key[1]] == 1, near=near))
        # Proofs hold for the terms given: where days of both kinds are mixed, lessons keep to theirs.
        mixed = len({time.online for time in every}) > 1
        problem = Problem(
            slots=tuple(sorted({slot for own in [*times.values(), *(c.fixed for c in taken)] for slot in own})),
            courses=(*(group.course for group in courses), *taken),
            unavailable={f"t{person_id}": slots for person_id, slots in unavailable.items()},
            max_online_per_day=self._limits(groups, self.desk.limits),
            max_online_run=self._limits(groups, self.desk.stated.runs),
            max_per_day={f"t{person_id}": most for person_id, most in self.desk.stated.per_day.items()},
            class_busy={key: frozenset(slots) for key, slots in self.class_busy.items()},
            teacher_busy={key: frozenset(slots) for key, slots in self.teacher_busy.items()},
            pools=rooms,
            hint={key: slots for key, slots in hint.items() if slots},
        )
        homeless = sum(
            _students(self.desk.lessons[n], self.sizes)
            for name, numbers in lessons.items()
            for n in numbers
            if _stand(self.desk.lessons[n], times[name]) is None
        )
        ruled = with_rules(problem, courses, self.desk.stated, self.week_id)
        return _Week(ruled, lessons, times, whole and not mixed, homeless)

    def _near(self, numbers: Sequence[int], slots: Mapping[Slot, SlotTime]) -> frozenset[Slot]:
        """The slots of a course in which a hit lesson comes after those of the course before it and before those
        after it, so that no unit comes later than need be; of a course that is not hit, those of its own days."""
        states = [self.desk.lessons[n] for n in numbers]
        beginnings = sorted(state.starts_at for state in states)
        hit = [self.desk.lessons[n].starts_at for n in numbers if n in self.hit]
        if not hit:
            days = {state.starts_local.date() for state in states}
            return frozenset(slot for slot, time in slots.items() if time.day in days)
        near: set[Slot] = set()
        for moment in hit:
            first = max((other for other in beginnings if other < moment), default=None)
            last = min((other for other in beginnings if other > moment), default=None)
            near |= {
                slot
                for slot, time in slots.items()
                if (first is None or time.starts_at > first) and (last is None or time.starts_at < last)
            }
        return frozenset(near)

    def _counted(
        self, fixed: Sequence[LessonState], every: Sequence[SlotTime], unavailable: Mapping[int, frozenset[Slot]]
    ) -> list[Course]:
        """What stays of the day of teachers whose periods are limited."""
        limited = self.desk.stated.per_day
        taken = [
            (person_id, state.starts_at, state.ends_at)
            for state in fixed
            for person_id in sorted(state.teacher_ids & set(limited))
        ]
        taken += [entry for entry in self.desk.away if entry[0] in limited]
        return counted_lessons(taken, every, unavailable, limited, self.teacher_busy)

    def _groups(self, only: Collection[int] | None) -> tuple[dict[Key, list[int]], list[LessonState]]:
        """Lessons that may move, alike ones together, and those that stay. ``only``: the classes that may change."""
        groups: defaultdict[Key, list[int]] = defaultdict(list)
        fixed: list[LessonState] = []
        for number, state in self.desk.lessons.items():
            if state.week_id != self.week_id:
                continue
            online = self._online_on(state)
            key = (state.classes, state.subject_id, state.teacher_ids, online)
            slots = self._slots(key)
            free = only is None or bool(state.class_ids & set(only))
            if number in self.hit or (free and state.starts_at >= self.desk.settled and self._stands(state, slots)):
                groups[key].append(number)
            else:
                fixed.append(state)
        return dict(groups), fixed

    def _stands(self, state: LessonState, slots: Mapping[Slot, SlotTime]) -> bool:
        """Whether a lesson is right where it is: what another case hits is left to that case."""
        slot = exact_slot(slots, state.starts_at, state.ends_at)
        if slot is None or repair.at(state, slots[slot]) != state:
            return False
        day = state.starts_local.date()
        return not any(self.desk.is_closed(person_id, day, state.period_number) for person_id in state.teacher_ids)

    def _online_on(self, state: LessonState) -> bool:
        """Whether the day of a lesson is an online day by now; its own mode where the day has no more periods."""
        day = state.starts_local.date()
        for class_id in state.class_ids:
            for time in self.openings.get(class_id, {}).values():
                if time.day == day:
                    return time.online
        return state.mode is LessonMode.ONLINE

    def _slots(self, key: Key) -> dict[Slot, SlotTime]:
        """The periods that all classes of a course have alike, on days of its kind (of any, where its kind has none
        this week)."""
        (first, _), *others = key[0]
        own = self.openings.get(first, {})
        for class_id, _ in others:
            theirs = self.openings.get(class_id, {})
            own = {s: t for s, t in own.items() if s in theirs and theirs[s].starts_at == t.starts_at}
        alike = {slot: time for slot, time in own.items() if time.online is key[3]}
        return alike or own

    def _course(self, name: str, key: Key, numbers: Sequence[int], slots: Mapping[Slot, SlotTime]) -> Course:
        per_day: defaultdict[date, int] = defaultdict(int)
        for n in numbers:
            per_day[self.desk.lessons[n].starts_local.date()] += 1
        online = any(time.online for time in slots.values())
        return Course(
            key=name,
            classes=self._class_keys(key[0]),
            teachers=tuple(f"t{person_id}" for person_id in sorted(key[2])),
            subject=str(key[1]),
            periods=len(numbers),
            label=name,
            max_per_day=max(2, *per_day.values()),
            online=online,
            slots=frozenset(slots),
            forbidden=self._left(numbers, slots),
            people=_students(self.desk.lessons[numbers[0]], self.sizes),
            may_drop=any(n in self.hit for n in numbers),
            pool=POOL if online and self.counted else "",
        )

    def _left(self, numbers: Sequence[int], slots: Mapping[Slot, SlotTime]) -> frozenset[Slot]:
        if not self.leave:
            return frozenset()
        stands = (_stand(self.desk.lessons[n], slots) for n in numbers if n in self.hit)
        return frozenset(slot for slot in stands if slot is not None)

    def _class_keys(self, classes: Sequence[tuple[int, str]]) -> tuple[str, ...]:
        """A class without parts is one key; with parts, each is one, and a lesson of the whole class names all.
        Classes with students in common share a key besides."""
        keys: dict[str, None] = {}
        for class_id, part in classes:
            parts = sorted({p for s in self.desk.lessons.values() for c, p in s.classes if c == class_id and p})
            for name in [part] if part else (parts or [""]):
                keys[f"c{class_id}/{name}"] = None
            for other in sorted(self.desk.linked.get(class_id, frozenset()) - {class_id}):
                keys["both{}:{}".format(*sorted((class_id, other)))] = None
        return tuple(keys)

    def _note_busy(self, state: LessonState) -> None:
        every = [time for times in self.openings.values() for time in times.values()]
        for person_id in state.teacher_ids:
            self.teacher_busy[f"t{person_id}"] |= slots_during(every, state.starts_at, state.ends_at)
        for key in self._class_keys(state.classes):
            self.class_busy[key] |= slots_during(every, state.starts_at, state.ends_at)

    def _unavailable(self, people: Collection[int], every: Collection[SlotTime]) -> dict[int, frozenset[Slot]]:
        slots = {time.slot: time for time in every}
        return {
            person_id: frozenset(
                slot for slot, time in slots.items() if self.desk.is_closed(person_id, time.day, slot.period)
            )
            for person_id in people
        }

    def _limits(self, groups: Collection[Key], by_class: Mapping[int, int]) -> dict[str, int]:
        return {
            name: by_class[class_id]
            for key in groups
            for class_id, part in key[0]
            if class_id in by_class
            for name in self._class_keys(((class_id, part),))
            if name.startswith("c")
        }

    def _rooms(
        self, every: Collection[SlotTime], groups: Mapping[Key, Sequence[int]], fixed: Sequence[LessonState]
    ) -> dict[str, Pool]:
        """The rooms that are left, slot by slot, on days on which they are counted. Lessons that are not hit may stay
        even where there are too few by now: that is left to another case."""
        held = [(state.starts_at, state.ends_at) for state in fixed if state.mode is LessonMode.ONLINE]
        stays = [(key, n) for key, numbers in groups.items() for n in numbers if key[3] and n not in self.hit]
        stands = (_stand(self.desk.lessons[n], self._slots(key)) for key, n in stays)
        pool = self.desk.rooms.pool(every, held, Counter(slot for slot in stands if slot is not None))
        return {POOL: pool} if pool is not None else {}
