"""The proposals of a case: every way is worked out, what says the same is told once, and the rest is ranked.

First come those that lose the fewest lessons, then those that disturb the fewest people, then those that delay the
fewest units; cancelling without replacement is thereby the last resort.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from lms_bridge.timetable.cases import repair
from lms_bridge.timetable.cases.desk import Desk
from lms_bridge.timetable.cases.diary import newly_broken
from lms_bridge.timetable.cases.models import ChangeCase
from lms_bridge.timetable.cases.repair import Draft
from lms_bridge.timetable.cases.ways import SOLVER, ways_of
from lms_bridge.timetable.cases.whole_week import ONLY_MOVES, Found, smallest_change, students_moved
from lms_bridge.timetable.models import ChangeCause, ChangeKind
from lms_bridge.timetable.snapshots import LessonState, difference
from lms_bridge.timetable.solving.problem import SolverLimits
from lms_bridge.timetable.telling.people import PeopleBook

MOST = 6
"""So many proposals of a case are kept."""

Change = tuple[int | None, LessonState]
"""A lesson (None: a new one) and what it shall be."""

Progress = Callable[[int, int, str], None]
"""``progress(done, of, way)`` is called before each way is worked out."""

LIMITS = SolverLimits(
    seconds=45.0, deterministic_time=12.0, improve_time=4.0, weights=ONLY_MOVES, explain_seconds=0.1, explain_work=0.1
)
"""How long the solver may think about a case."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a proposal is ranked by and shown with. ``kinds`` are lessons by :class:`ChangeKind`; ``made_up`` those of
    the cancelled ones that a new lesson stands for; ``lost`` the others.

    ``gap`` says by what share of what it moves a proposal is at most larger than the smallest change (None: nothing is
    known), for the lessons of ``reach`` (:mod:`lms_bridge.timetable.cases.whole_week`). ``proved``: the same reach
    where it is proved the smallest, else empty."""

    people: int
    students: int
    teachers: int
    families: int
    classes: int
    delayed: int
    lost: int
    made_up: int
    kinds: Mapping[str, int]
    proved: str = ""
    gap: float | None = None
    reach: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self) | {"kinds": dict(self.kinds)}


@dataclass(frozen=True, slots=True)
class Option:
    """One way to settle a case."""

    way: str
    changes: tuple[Change, ...]
    figures: Figures

    @property
    def rank(self) -> tuple[int, int, int, int]:
        """Smaller is better."""
        return (self.figures.lost, self.figures.people, self.figures.delayed, len(self.changes))


def options(
    case: ChangeCase,
    desk: Desk,
    book: PeopleBook,
    hit: Sequence[int],
    progress: Progress,
    limits: SolverLimits = LIMITS,
) -> list[Option]:
    """The proposals of a case, best first, at most :data:`MOST`; none where nothing is hit."""
    if not hit:
        return []
    found: list[Option] = []
    ways = ways_of(case, desk)
    for done, (way, steps) in enumerate(ways.items()):
        progress(done, len(ways) + 1, way)
        draft = repair.work_out(desk, hit, steps)
        if any(step == steps[0][0] for step in draft.settled.values()) and keeps_rules(draft):
            found.append(option(way, draft, book))
    progress(len(ways), len(ways) + 1, SOLVER)
    sizes = book.sizes(case.first_day)
    smallest = smallest_change(desk, hit, sizes, limits, leave=case.cause is ChangeCause.REQUEST)
    if smallest is not None:
        of_week = smallest.draft
        if of_week is not None and "move" in of_week.settled.values() and keeps_rules(of_week):
            best = option(SOLVER, of_week, book)
            found += [best] if not _no_better(best, found, desk, sizes) else []
        found = [_with_proof(one, smallest, desk, sizes) for one in found]
    progress(len(ways) + 1, len(ways) + 1, "")
    return ranked(found)


def keeps_rules(draft: Draft) -> bool:
    """Whether a draft breaks no rule of the campus that the timetable kept; others are never proposed."""
    return not newly_broken(draft.desk, {**draft.after, **draft.added})


def _with_proof(one: Option, smallest: Found, desk: Desk, sizes: Mapping[int, int]) -> Option:
    """How far a proposal that only moves lessons is from the solver's bound; of lessons that are lost, made up for or
    given to others the bound says nothing."""
    moved = _moved(one, desk, sizes)
    if moved is None or moved < smallest.bound or (moved and not smallest.bound):
        return one
    gap = (moved - smallest.bound) / moved if moved else 0.0
    proved = "" if gap else smallest.reach
    return replace(one, figures=replace(one.figures, proved=proved, gap=gap, reach=smallest.reach))


def _no_better(best: Option, others: Iterable[Option], desk: Desk, sizes: Mapping[int, int]) -> bool:
    """Whether one of the others moves as little as the solver's, or less, and ranks no worse."""
    moved = _moved(best, desk, sizes)
    if moved is None:
        return False
    found = ((_moved(one, desk, sizes), one) for one in others)
    return any(size is not None and size <= moved and one.rank <= best.rank for size, one in found)


def _moved(one: Option, desk: Desk, sizes: Mapping[int, int]) -> int | None:
    states = {number: after for number, after in one.changes if number is not None}
    return students_moved(desk, states, sizes) if len(states) == len(one.changes) else None


def ranked(found: Sequence[Option]) -> list[Option]:
    """Best first; of those that change the same lessons in the same way only the first, with the proof of the other."""
    different: dict[frozenset[Change], Option] = {}
    for one in found:
        key = frozenset(one.changes)
        known = different.get(key)
        if known is None:
            different[key] = one
        elif one.figures.proved and not known.figures.proved:
            different[key] = replace(known, figures=one.figures)
    return sorted((one for one in different.values() if one.changes), key=lambda one: one.rank)[:MOST]


def option(way: str, draft: Draft, book: PeopleBook) -> Option:
    """A draft with its figures."""
    before = draft.desk.lessons
    changed = {number: state for number, state in sorted(draft.after.items()) if state != before[number]}
    changes: list[Change] = [*changed.items(), *((None, state) for _, state in sorted(draft.added.items()))]
    return Option(way, tuple(changes), figures(draft.desk, changes, book))


def figures(desk: Desk, changes: Sequence[Change], book: PeopleBook) -> Figures:
    """What a set of changes means to people."""
    kinds = dict.fromkeys((kind.value for kind in ChangeKind), 0)
    touched: list[LessonState] = []
    for number, after in changes:
        before = desk.lessons[number] if number is not None else None
        kind = difference(before, after)
        if kind is None:
            continue
        kinds[kind.value] += 1
        if kind is not ChangeKind.UNIT:
            touched += [state for state in (before, after) if state is not None]
    disturbed = book.disturbed(touched)
    made_up = len({state.replaces_id for number, state in changes if number is None and state.replaces_id})
    return Figures(
        people=disturbed.people,
        students=len(disturbed.students),
        teachers=len(disturbed.teachers),
        families=len(disturbed.families),
        classes=len(disturbed.classes),
        delayed=repair.delayed(desk, [s for _, s in changes], [n for n, _ in changes if n is not None]),
        lost=kinds[ChangeKind.CANCELLED.value] - made_up,
        made_up=made_up,
        kinds={kind: count for kind, count in kinds.items() if count},
    )
