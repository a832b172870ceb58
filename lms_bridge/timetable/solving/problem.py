"""What the timetable solver is given and what it gives back: plain frozen dataclasses, no database.

A problem is one week. Its slots are the periods that exist on the days on which school is held; everything else
speaks of these slots. Keys of classes and teachers are any unique strings (a class and a teacher never share one);
``Problem.names`` gives the names that people read in messages.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple, Protocol, runtime_checkable

from lms_bridge.core.i18n import N_, gettext

WEEKDAYS = (
    N_("Monday"),
    N_("Tuesday"),
    N_("Wednesday"),
    N_("Thursday"),
    N_("Friday"),
    N_("Saturday"),
    N_("Sunday"),
)


@runtime_checkable
class Worded(Protocol):
    """A value that people read in their own language."""

    def text(self) -> str:
        """The value in the language in force."""


class Slot(NamedTuple):
    """One period of one day: ``day`` 0 is Monday ... 6 is Sunday, ``period`` is the number in the period grid.

    ``clock`` tells apart the grids of campuses whose bells ring at other times: periods of two clocks are different
    slots even where their numbers are the same (``Problem.overlapping`` says which share a moment). A named tuple,
    because slots are compared and hashed millions of times.
    """

    day: int
    period: int
    clock: int = 0

    def later(self, by: int) -> Slot:
        """The slot so many periods later on the same day (earlier, if negative), whether or not there is one."""
        return Slot(self.day, self.period + by, self.clock)

    def text(self) -> str:
        """The slot as people say it, in the language in force."""
        return gettext("%(day)s period %(period)s", day=gettext(WEEKDAYS[self.day]), period=self.period)


@dataclass(frozen=True, slots=True)
class Course:
    """The periods of one week that one or more classes have together in one subject.

    ``label`` is what people call it ("7-3 Maths"). ``forbidden`` are slots that it must not use, ``slots`` the period
    grid of its own classes (None: every slot of the problem), ``fixed`` slots that it must use. Only ``online``
    courses count for the online periods of a day and for the rooms. Part of a class is a class key of its own; a
    lesson of the whole class then names all its parts.

    ``blocks``: the lengths of its runs of neighbouring periods, adding up to ``periods`` (``(2, 1, 1)``: one double
    period and two single ones, no two runs touching); empty: any. ``preferred``: the slots that are wished for (None:
    all alike). ``pool``: the key of the rooms it takes one of when online (``Problem.pools``), empty: none but
    ``room_limit``. ``people``: how many people are disturbed when one of its lessons moves. ``may_drop``: its periods
    may stay unplaced, each at the price ``Weights.dropped``.
    """

    key: str
    classes: tuple[str, ...]
    teachers: tuple[str, ...]
    subject: str
    periods: int
    label: str
    forbidden: frozenset[Slot] = frozenset()
    fixed: tuple[Slot, ...] = ()
    max_per_day: int = 1
    online: bool = True
    slots: frozenset[Slot] | None = None
    blocks: tuple[int, ...] = ()
    preferred: frozenset[Slot] | None = None
    pool: str = ""
    people: int = 1
    may_drop: bool = False


@dataclass(frozen=True, slots=True)
class Pool:
    """Rooms that several courses share, for instance the licences of one provider account: at most ``limit`` lessons
    at once, or what ``at`` says for a slot. ``of``: the keys of other pools whose lessons take rooms of this one too
    (what two campuses have together is less than the sum of what each could have)."""

    limit: int
    at: Mapping[Slot, int] = field(default_factory=dict)
    of: tuple[str, ...] = ()

    def takes(self, key: str, course: Course) -> bool:
        """Whether the lessons of a course take rooms of this pool, whose key is ``key``."""
        return course.online and (course.pool == key or course.pool in self.of)

    def places(self, slots: Iterable[Slot]) -> int:
        """How many lessons there is room for in slots that share a moment."""
        return min((self.at.get(slot, self.limit) for slot in slots), default=self.limit)


@dataclass(frozen=True, slots=True)
class Apart:
    """A wish: two classes or teachers (by key) should not have an online lesson at once, each time at ``weight``:
    siblings with one device, a teacher whose young child is taught at home."""

    one: str
    other: str
    weight: int = 5


@dataclass(frozen=True, slots=True)
class Problem:
    """One week to be timetabled.

    ``unavailable`` and ``class_unavailable``: slots in which a teacher or class cannot have a lesson.
    ``teacher_busy`` and ``class_busy``: slots taken by lessons that are not to be moved (another campus, a lesson
    already held); they are not counted in ``max_online_per_day``, the number of online periods a class may have in
    a day. ``room_limit``: online rooms that may be open in one slot (None: no limit). ``hint``: the timetable in
    force; a solution keeps near to it. Slots outside the grid in any of these are ignored.

    ``max_online_run``: how many online periods a class may have without a break. ``max_per_day``: how many periods a
    teacher or class may have in a day. ``pools``: shared rooms by key (:class:`Course.pool`). ``not_same_day``: pairs
    of courses that never have lessons on one day. ``in_order``: pairs of courses of which, on a day on which both have
    lessons, the first has all of its own before the other. ``parallel``: courses (equal ``periods``) that always take
    the same slots. ``apart``: wishes about people in two lessons at once. ``overlapping``: sets of slots of different
    clocks that all share a moment; nobody is in two of their lessons, which take their rooms at once.
    """

    slots: tuple[Slot, ...]
    courses: tuple[Course, ...]
    unavailable: Mapping[str, frozenset[Slot]] = field(default_factory=dict)
    class_unavailable: Mapping[str, frozenset[Slot]] = field(default_factory=dict)
    max_online_per_day: Mapping[str, int] = field(default_factory=dict)
    class_busy: Mapping[str, frozenset[Slot]] = field(default_factory=dict)
    teacher_busy: Mapping[str, frozenset[Slot]] = field(default_factory=dict)
    room_limit: int | None = None
    hint: Mapping[str, tuple[Slot, ...]] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    max_online_run: Mapping[str, int] = field(default_factory=dict)
    max_per_day: Mapping[str, int] = field(default_factory=dict)
    pools: Mapping[str, Pool] = field(default_factory=dict)
    not_same_day: tuple[tuple[str, str], ...] = ()
    in_order: tuple[tuple[str, str], ...] = ()
    parallel: tuple[tuple[str, ...], ...] = ()
    apart: tuple[Apart, ...] = ()
    overlapping: tuple[tuple[Slot, ...], ...] = ()

    def name(self, key: str) -> str:
        """What people call the class or teacher with this key."""
        return self.names.get(key, key)


@dataclass(frozen=True, slots=True)
class Weights:
    """What one unit of each wish costs; a wish with weight 0 is not asked for.

    ``moved``: a lesson of the timetable in force that leaves its slot. ``same_day``: a second (third ...) period of
    a course on one day. ``uneven``: a period of a class above its average day. ``gap``: an empty period of a class
    before its last lesson of the day. ``late``: each period that a lesson begins after the first of its day.
    ``preferred``: a period outside the slots that its course prefers. ``apart``: multiplies the weights of
    ``Problem.apart``. ``dropped``: a period that stays unplaced. ``moved`` counts ``Course.people`` for each lesson.
    """

    moved: int = 30
    same_day: int = 10
    uneven: int = 5
    gap: int = 5
    late: int = 1
    preferred: int = 3
    apart: int = 1
    dropped: int = 10_000


@dataclass(frozen=True, slots=True)
class SolverLimits:
    """How long to search, and the seed.

    Work is counted in CP-SAT's deterministic time (about seconds of one core) and not by the clock: with one worker
    and the same seed the answer is the same on every machine fast enough to end within ``seconds`` of wall clock.
    ``deterministic_time`` bounds the work on a first timetable that keeps every rule, ``improve_time`` that on a
    better one; None searches until ``seconds`` are over or nothing better is found. ``explain_work``
    (deterministic time) and ``explain_seconds`` (wall clock) bound the search for the smallest sets of rules in
    conflict, which comes on top.
    """

    seconds: float = 60.0
    deterministic_time: float | None = 15.0
    improve_time: float | None = 1.5
    seed: int = 1
    workers: int = 1
    weights: Weights = Weights()
    explain_seconds: float = 20.0
    explain_work: float = 10.0


class Status(StrEnum):
    """How a search ended. UNKNOWN: neither a timetable nor a proof that there is none within the limits."""

    OPTIMAL = "optimal"
    FEASIBLE = "feasible"
    INFEASIBLE = "infeasible"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, order=True)
class Placement:
    """One period of a course in one slot."""

    course_key: str
    slot: Slot


class RuleKind(StrEnum):
    """The rules of a problem, each for one class, teacher, course or pool, or between some courses."""

    PERIODS = "periods"
    GRID = "grid"
    FORBIDDEN = "forbidden"
    FIXED = "fixed"
    MAX_PER_DAY = "max_per_day"
    CLASS_ONCE = "class_once"
    CLASS_UNAVAILABLE = "class_unavailable"
    CLASS_BUSY = "class_busy"
    TEACHER_ONCE = "teacher_once"
    TEACHER_UNAVAILABLE = "teacher_unavailable"
    TEACHER_BUSY = "teacher_busy"
    ONLINE_PER_DAY = "online_per_day"
    ROOMS = "rooms"
    CLASS_PER_DAY = "class_per_day"
    TEACHER_PER_DAY = "teacher_per_day"
    ONLINE_RUN = "online_run"
    POOL = "pool"
    BLOCKS = "blocks"
    NOT_SAME_DAY = "not_same_day"
    IN_ORDER = "in_order"
    PARALLEL = "parallel"


@dataclass(frozen=True, slots=True, order=True)
class Rule:
    """One rule: its kind and the key of the class, teacher, course or pool it holds for (empty for the rooms); rules
    between courses have all their keys (:func:`joined`)."""

    kind: RuleKind
    key: str = ""


def joined(keys: Iterable[str]) -> str:
    """The key of a rule that holds between these courses."""
    return " + ".join(keys)


@dataclass(frozen=True, slots=True)
class Relaxation:
    """One way out of a conflict: ``rule`` gives way by ``amount`` (a limit raised by so much, so many periods fewer,
    so many slots opened, of which ``slots`` are an example; 0: the rule falls as a whole).

    ``enough``: whether the whole week can be timetabled then; None where that was not found out.
    """

    rule: Rule
    amount: int
    message_id: str
    params: Mapping[str, Any] = field(default_factory=dict)
    slots: tuple[Slot, ...] = ()
    enough: bool | None = None

    def text(self) -> str:
        """The way out in plain words, in the language in force."""
        return gettext(self.message_id, **{name: _shown(value) for name, value in self.params.items()})


@dataclass(frozen=True, slots=True)
class Conflict:
    """Why there is no timetable: ``rules`` cannot hold together, whatever the rest of the problem says.

    ``message_id`` is translated when shown; a parameter that has words of its own (:class:`Worded`: a :class:`Slot`,
    another conflict) or is a tuple of such things is shown in the same language. ``relax``: what would help, each
    alone, the ways that are enough for the whole week first.
    """

    kind: str
    message_id: str
    params: Mapping[str, Any] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    relax: tuple[Relaxation, ...] = ()

    def text(self) -> str:
        """The conflict in plain words, in the language in force."""
        return gettext(self.message_id, **{name: _shown(value) for name, value in self.params.items()})


@dataclass(frozen=True, slots=True)
class Solution:
    """The answer: placements in order of course and slot, what each wish cost, or why there is none.

    ``costs`` are weighted and sum to the objective. ``seconds`` is the wall clock spent. ``conflicts`` is empty
    unless ``status`` is INFEASIBLE. ``bound``: no timetable costs less, as far as that was proved (None: not known).
    """

    status: Status
    placements: tuple[Placement, ...] = ()
    costs: Mapping[str, int] = field(default_factory=dict)
    conflicts: tuple[Conflict, ...] = ()
    seconds: float = 0.0
    bound: int | None = None

    @property
    def gap(self) -> float | None:
        """By what share of its cost the timetable is at most worse than the best one; 0 when proved the best."""
        cost = sum(self.costs.values())
        if not self.found or self.bound is None:
            return None
        return max(0, cost - self.bound) / cost if cost else 0.0

    @property
    def found(self) -> bool:
        """Whether there is a timetable."""
        return self.status in (Status.OPTIMAL, Status.FEASIBLE)

    def slots_by_course(self) -> dict[str, tuple[Slot, ...]]:
        """The slots of each course in order of time."""
        found: dict[str, list[Slot]] = {}
        for placement in self.placements:
            found.setdefault(placement.course_key, []).append(placement.slot)
        return {key: tuple(sorted(slots)) for key, slots in found.items()}


def _shown(value: Any) -> Any:
    if isinstance(value, Worded):
        return value.text()
    if isinstance(value, tuple):
        return gettext("; ").join(str(_shown(part)) for part in value)
    return value
