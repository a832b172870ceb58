"""How a plan could follow its benchmark, and fit online teaching: one proposal for a finding, and what becomes of the
units when some are accepted. Pure.

========== ==================================================================================================
missing    insert the benchmark's unit after the unit that it follows there
extra      leave the unit out
merged     divide it into the benchmark's units
split      join the parts into one unit
reordered  move it to where the benchmark has it
shortened, lengthened  the benchmark's periods
objective  add the objectives
pace, week weeks by the calendar: as many periods a week as its school days have
homework   half of the time that the grade may have in all subjects
screen     the time that the grade may have
offline    the benchmark's alternative, or the teacher's own words
========== ==================================================================================================
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from lms_bridge.calendar.days import TeachingWeek
from lms_bridge.core.i18n import gettext, ngettext
from lms_bridge.plans.benchmark import Match
from lms_bridge.plans.clock_times import at_most
from lms_bridge.plans.dividing import divided_texts
from lms_bridge.plans.feasibility import SCHOOL_DAYS, SCREEN, Circumstances, weekly_rate
from lms_bridge.plans.findings import FindingDraft, FindingKind
from lms_bridge.plans.units import UnitDraft


class Action(StrEnum):
    """What a proposal does."""

    INSERT = "insert"
    REMOVE = "remove"
    DIVIDE = "divide"
    JOIN = "join"
    MOVE = "move"
    PERIODS = "periods"
    OBJECTIVES = "objectives"
    WEEKS = "weeks"
    TIME = "time"
    ALTERNATIVE = "alternative"


ACTIONS = {
    FindingKind.MISSING: Action.INSERT,
    FindingKind.EXTRA: Action.REMOVE,
    FindingKind.MERGED: Action.DIVIDE,
    FindingKind.SPLIT: Action.JOIN,
    FindingKind.REORDERED: Action.MOVE,
    FindingKind.SHORTENED: Action.PERIODS,
    FindingKind.LENGTHENED: Action.PERIODS,
    FindingKind.OBJECTIVE: Action.OBJECTIVES,
    FindingKind.PACE: Action.WEEKS,
    FindingKind.WEEK: Action.WEEKS,
    FindingKind.HOMEWORK: Action.TIME,
    FindingKind.SCREEN: Action.TIME,
    FindingKind.OFFLINE: Action.ALTERNATIVE,
}

ORDER = (
    Action.PERIODS, Action.OBJECTIVES, Action.TIME, Action.ALTERNATIVE, Action.DIVIDE, Action.JOIN, Action.REMOVE,
    Action.MOVE, Action.INSERT, Action.WEEKS,
)  # fmt: skip
"""In which order accepted proposals are carried out; within an action in the order of the findings."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A finding whose proposal was accepted; ``words`` are the teacher's own, where a proposal takes some."""

    finding: FindingDraft
    words: str = ""


def action_for(finding: FindingDraft) -> Action | None:
    """What is proposed for a finding; None: that is for a person to think about."""
    action = ACTIONS.get(finding.kind)
    if finding.params.get("none") or (action is Action.TIME and not finding.params.get("limit")):
        return None
    if action is Action.MOVE and "after" not in finding.params and not finding.benchmark_sequence:
        return None
    return action


def needs_words(finding: FindingDraft) -> bool:
    """Whether the proposal can only be accepted with words of the teacher: nobody wrote an alternative yet."""
    return action_for(finding) is Action.ALTERNATIVE and not finding.params.get("alternative")


def proposal_text(finding: FindingDraft) -> str:
    """The proposal as a sentence in the language in force; empty where there is none."""
    action = action_for(finding)
    return _SENTENCES[action](finding.params) if action is not None else ""


def adjust(
    plan: Sequence[UnitDraft],
    benchmark: Sequence[UnitDraft],
    matches: Sequence[Match],
    accepted: Sequence[Accepted],
    around: Circumstances,
) -> list[UnitDraft]:
    """The units after the ``accepted`` proposals, numbered anew; units that stay keep their key, new ones have none.

    ``benchmark`` and ``matches`` are those that the findings came from.
    """
    draft = _Draft(plan, benchmark, matches)
    for action in ORDER:
        for choice in accepted:
            if action_for(choice.finding) is action and action is not Action.WEEKS:
                _DOERS[action](draft, choice)
    units = [line.unit for line in draft.lines]
    if any(action_for(choice.finding) is Action.WEEKS for choice in accepted):
        rate = weekly_rate(benchmark, around.weeks) or weekly_rate(plan, around.weeks)
        units = by_calendar(units, around.weeks, rate) if rate else units
    return [replace(unit, sequence=number) for number, unit in enumerate(units, start=1)]


def by_calendar(units: Sequence[UnitDraft], weeks: Sequence[TeachingWeek], rate: float) -> list[UnitDraft]:
    """The units with the weeks in which they fall when each week takes ``rate`` periods for five school days.

    What goes beyond the term falls into its last week with school.
    """
    ends: list[tuple[float, int]] = []
    total = 0.0
    for week in weeks:
        if week.days:
            total += rate * len(week.days) / SCHOOL_DAYS
            ends.append((total, week.number))
    if not ends:
        return list(units)

    def week_of(period: float) -> int:
        return next((number for end, number in ends if period <= end + 1e-9), ends[-1][1])

    found, done = [], 0
    for unit in units:
        first, last = week_of(done + 1), week_of(done + max(unit.periods, 1))
        done += unit.periods
        assumed = tuple(dict.fromkeys((*unit.assumed, "week_from", "week_to")))
        found.append(replace(unit, week_from=first, week_to=last, date_from=None, date_to=None, assumed=assumed))
    return found


# --- carrying out


@dataclass(slots=True)
class _Line:
    """A unit of the plan in the making. ``ours`` are the sequences that it was, ``theirs`` those of the benchmark."""

    unit: UnitDraft
    ours: set[int]
    theirs: set[int]


class _Draft:
    def __init__(self, plan: Sequence[UnitDraft], benchmark: Sequence[UnitDraft], matches: Sequence[Match]) -> None:
        partners: dict[int, set[int]] = {}
        for match in matches:
            for index in match.ours:
                partners[index] = {benchmark[i].sequence for i in match.theirs}
        self.lines = [_Line(unit, {unit.sequence}, partners.get(i, set())) for i, unit in enumerate(plan)]
        self.benchmark = {unit.sequence: unit for unit in benchmark}
        self.order = [unit.sequence for unit in benchmark]

    def line(self, sequence: int | None) -> _Line | None:
        return next((line for line in self.lines if sequence in line.ours), None)

    def after(self, sequence: int) -> int:
        """Where what is ``sequence`` in the benchmark belongs: behind the last line of what precedes it there."""
        earlier = self.order[: self.order.index(sequence)]
        for before in reversed(earlier):
            places = [n for n, line in enumerate(self.lines) if before in line.theirs]
            if places:
                return places[-1] + 1
        return 0


def _insert(draft: _Draft, choice: Accepted) -> None:
    sequence = choice.finding.benchmark_sequence
    if sequence is not None and sequence in draft.benchmark:
        draft.lines.insert(draft.after(sequence), _Line(_copied(draft.benchmark[sequence]), set(), {sequence}))


def _copied(unit: UnitDraft) -> UnitDraft:
    """A unit of the benchmark as one of the plan; the weeks are those of the benchmark, marked as assumed."""
    assumed = tuple(n for n in ("week_from", "week_to", "date_from", "date_to") if getattr(unit, n) is not None)
    return replace(unit, key=None, provenance={"benchmark": unit.sequence}, assumed=assumed)


def _remove(draft: _Draft, choice: Accepted) -> None:
    line = draft.line(choice.finding.unit_sequence)
    if line is not None:
        draft.lines.remove(line)


def _move(draft: _Draft, choice: Accepted) -> None:
    line, sequence = draft.line(choice.finding.unit_sequence), choice.finding.benchmark_sequence
    if line is None or sequence not in draft.benchmark:
        return
    # All parts of what is split move together.
    group = [other for other in draft.lines if other.theirs & line.theirs] or [line]
    draft.lines = [other for other in draft.lines if other not in group]
    reference = draft.benchmark[sequence]
    for moved in group:
        moved.unit = replace(
            moved.unit, week_from=reference.week_from, week_to=reference.week_to, date_from=reference.date_from,
            date_to=reference.date_to,
            assumed=tuple(dict.fromkeys((*moved.unit.assumed, *_copied(reference).assumed))),
        )  # fmt: skip
    place = draft.after(sequence)
    draft.lines[place:place] = group


def _periods(draft: _Draft, choice: Accepted) -> None:
    line = draft.line(choice.finding.unit_sequence)
    wanted = int(choice.finding.params.get("benchmark_periods", 0))
    if line is None or wanted < 1:
        return
    parts = [other for other in draft.lines if other.theirs & line.theirs] or [line]
    shares = _shares(wanted, [part.unit.periods for part in parts])
    for part, periods in zip(parts, shares, strict=True):
        part.unit = replace(part.unit, periods=periods)


def _shares(total: int, weights: Sequence[int]) -> list[int]:
    """``total`` in whole numbers of at least 1, in proportion to ``weights``; more than ``total`` only where needed."""
    whole = sum(weights) or len(weights)
    shares = [max(1, total * weight // whole) for weight in weights]
    while sum(shares) < total:
        index = max(range(len(shares)), key=lambda i: total * weights[i] / whole - shares[i])
        shares[index] += 1
    while sum(shares) > total and max(shares) > 1:
        shares[shares.index(max(shares))] -= 1
    return shares


def _divide(draft: _Draft, choice: Accepted) -> None:
    line = draft.line(choice.finding.unit_sequence)
    sequences = [s for s in choice.finding.params.get("benchmark_sequences", ()) if s in draft.benchmark]
    if line is None or len(sequences) < 2:
        return
    place = draft.lines.index(line)
    references = [draft.benchmark[sequence] for sequence in sequences]
    texts: list[dict[str, Any]] = [{**fields} for fields in divided_texts(line.unit, references)]
    parts = []
    for number, (reference, kept) in enumerate(zip(references, texts, strict=True)):
        unit = replace(_copied(reference), **kept, key=line.unit.key if number == 0 else None)
        parts.append(_Line(unit, line.ours if number == 0 else set(), {reference.sequence}))
    draft.lines[place : place + 1] = parts


_JOINED = ("content", "objectives", "key_points", "methods", "homework", "materials", "remarks", "online_alternative")


def _join(draft: _Draft, choice: Accepted) -> None:
    sequences = choice.finding.params.get("unit_sequences", ())
    lines = [line for sequence in sequences if (line := draft.line(sequence)) is not None]
    if len(lines) < 2:
        return
    first, last = lines[0].unit, lines[-1].unit
    texts: dict[str, Any] = {
        name: "\n".join(dict.fromkeys(text for line in lines if (text := getattr(line.unit, name)))) for name in _JOINED
    }
    reference = draft.benchmark.get(choice.finding.benchmark_sequence or 0)
    lines[0].unit = replace(
        first,
        title=reference.title if reference is not None else first.title,
        periods=sum(line.unit.periods for line in lines),
        week_to=last.week_to,
        date_to=last.date_to,
        online_possible=all(line.unit.online_possible for line in lines),
        **texts,
    )
    lines[0].ours = set().union(*(line.ours for line in lines))
    for line in lines[1:]:
        draft.lines.remove(line)


def _objectives(draft: _Draft, choice: Accepted) -> None:
    line = draft.line(choice.finding.unit_sequence)
    if line is not None:
        lines = [line.unit.objectives, *choice.finding.params.get("objectives", ())]
        line.unit = replace(line.unit, objectives="\n".join(text for text in lines if text))


def _time(draft: _Draft, choice: Accepted) -> None:
    line, limit = draft.line(choice.finding.unit_sequence), _wanted_minutes(choice.finding.params)
    if line is None or not limit:
        return
    names = (
        ("homework",)
        if choice.finding.kind is FindingKind.HOMEWORK
        else ("methods", "homework", "content", "materials")
    )
    before_screen = choice.finding.kind is FindingKind.SCREEN
    texts: dict[str, Any] = {
        name: "".join(
            part if before_screen and not SCREEN.search(part) else at_most(part, limit)
            for part in re.split(r"([\n；;。])", getattr(line.unit, name))
        )
        for name in names
    }
    line.unit = replace(line.unit, **texts)


def _wanted_minutes(params: Mapping[str, Any]) -> int:
    """To how many minutes a time is shortened, so that the finding is not made again."""
    return int(params.get("wanted") or params.get("limit") or 0)


def _alternative(draft: _Draft, choice: Accepted) -> None:
    line = draft.line(choice.finding.unit_sequence)
    words = choice.words.strip() or str(choice.finding.params.get("alternative", ""))
    if line is not None and words:
        line.unit = replace(line.unit, online_alternative=words)


_DOERS: Mapping[Action, Callable[[_Draft, Accepted], None]] = {
    Action.INSERT: _insert,
    Action.REMOVE: _remove,
    Action.DIVIDE: _divide,
    Action.JOIN: _join,
    Action.MOVE: _move,
    Action.PERIODS: _periods,
    Action.OBJECTIVES: _objectives,
    Action.TIME: _time,
    Action.ALTERNATIVE: _alternative,
}


# --- sentences


def _move_text(p: dict[str, Any]) -> str:
    if p.get("after"):
        return gettext("Move it behind “%(after)s”.", after=p["after"])
    return gettext("Move it to the beginning.")


def _alternative_text(p: dict[str, Any]) -> str:
    if p.get("alternative"):
        return gettext("Online do this instead: %(alternative)s", alternative=p["alternative"])
    return gettext("Write what is done online instead.")


_SENTENCES: Mapping[Action, Callable[[dict[str, Any]], str]] = {
    Action.INSERT: lambda p: ngettext(
        "Insert it from the benchmark, with %(n)s period.",
        "Insert it from the benchmark, with %(n)s periods.",
        p["benchmark_periods"],
    ),
    Action.REMOVE: lambda p: gettext("Leave it out while teaching is online."),
    Action.DIVIDE: lambda p: gettext(
        "Divide it into the benchmark's %(n)s units. Your own words stay: each line goes to the unit that it fits, "
        "methods and materials to all; only what you left empty comes from the benchmark.",
        n=len(p["benchmark_titles"]),
    ),
    Action.JOIN: lambda p: gettext("Join the parts into one unit."),
    Action.MOVE: _move_text,
    Action.PERIODS: lambda p: ngettext(
        "Give it %(n)s period, as in the benchmark.",
        "Give it %(n)s periods, as in the benchmark.",
        p["benchmark_periods"],
    ),
    Action.OBJECTIVES: lambda p: gettext("Add these objectives to the unit."),
    Action.WEEKS: lambda p: gettext("Give all units their weeks anew, by the school days of each week."),
    Action.TIME: lambda p: gettext("Shorten it to %(minutes)s minutes.", minutes=_wanted_minutes(p)),
    Action.ALTERNATIVE: _alternative_text,
}
