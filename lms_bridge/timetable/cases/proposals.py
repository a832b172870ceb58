"""The proposals of a case: every way is worked out, what says the same is told once, and the rest is ranked.

First come those that lose the fewest lessons, then those that disturb the fewest people, then those that delay the
fewest units; cancelling without replacement is thereby the last resort.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from lms_bridge.timetable.cases import repair
from lms_bridge.timetable.cases.desk import Desk
from lms_bridge.timetable.cases.diary import newly_broken
from lms_bridge.timetable.cases.models import ChangeCase
from lms_bridge.timetable.cases.repair import Draft
from lms_bridge.timetable.cases.ways import SOLVER, ways_of
from lms_bridge.timetable.cases.whole_week import ONLY_MOVES, smallest_change
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
    the cancelled ones that a new lesson stands for; ``lost`` the others. ``proved`` is empty or how far the proof
    reaches that no smaller change exists (:mod:`lms_bridge.timetable.cases.whole_week`); ``gap`` how far from the best
    the solver's answer may be."""

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
    moves = smallest is not None and any(step == "move" for step in smallest.draft.settled.values())
    if smallest is not None and moves and keeps_rules(smallest.draft):
        found.append(option(SOLVER, smallest.draft, book, smallest.proved, smallest.gap))
        found = [_with_proof(one, found[-1], desk, sizes) for one in found]
    progress(len(ways) + 1, len(ways) + 1, "")
    return ranked(found)


def keeps_rules(draft: Draft) -> bool:
    """Whether a draft breaks no rule of the campus that the timetable kept; others are never proposed."""
    return not newly_broken(draft.desk, {**draft.after, **draft.added})


def _with_proof(one: Option, best: Option, desk: Desk, sizes: Mapping[int, int]) -> Option:
    """What the solver proved of its own change holds for any other that is as small. Of lessons that are lost or made
    up for it proves nothing."""
    proved = best.figures.proved
    if not proved or any(_moved(o, desk, sizes) is None for o in (one, best)):
        return one if one is not best else replace(one, figures=replace(one.figures, proved="", gap=None))
    if one is best or _moved(one, desk, sizes) != _moved(best, desk, sizes):
        return one
    return replace(one, figures=replace(one.figures, proved=proved, gap=0.0))


def _moved(one: Option, desk: Desk, sizes: Mapping[int, int]) -> int | None:
    """How much a proposal moves, as the solver counts: each moved lesson by its students; None where it does more
    than move lessons within their weeks."""
    total = 0
    for number, after in one.changes:
        before = desk.lessons.get(number) if number is not None else None
        if before is None or not after.takes_place or before.week_id != after.week_id:
            return None
        if before.teachers != after.teachers:
            return None
        if (before.starts_at, before.period_number) != (after.starts_at, after.period_number):
            total += max(1, sum(sizes.get(class_id, 0) for class_id in before.class_ids))
    return total


def ranked(found: Sequence[Option]) -> list[Option]:
    """Best first; of those that change the same lessons in the same way only the first, with the proof of the other."""
    different: dict[frozenset[Change], Option] = {}
    for one in found:
        key = frozenset(one.changes)
        known = different.get(key)
        if known is None:
            different[key] = one
        elif one.figures.proved and not known.figures.proved:
            proof = replace(known.figures, proved=one.figures.proved, gap=one.figures.gap)
            different[key] = replace(known, figures=proof)
    return sorted((one for one in different.values() if one.changes), key=lambda one: one.rank)[:MOST]


def option(way: str, draft: Draft, book: PeopleBook, proved: str = "", gap: float | None = None) -> Option:
    """A draft with its figures."""
    before = draft.desk.lessons
    changed = {number: state for number, state in sorted(draft.after.items()) if state != before[number]}
    changes: list[Change] = [*changed.items(), *((None, state) for _, state in sorted(draft.added.items()))]
    return Option(way, tuple(changes), figures(draft.desk, changes, book, proved, gap))


def figures(
    desk: Desk, changes: Sequence[Change], book: PeopleBook, proved: str = "", gap: float | None = None
) -> Figures:
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
        proved=proved,
        gap=gap,
    )
