"""How far the lessons of a class have come in its plans, against the plan's own weeks and against the benchmark.

What lessons were moved, cancelled or lost shows here at once: units follow lessons, and a plan that falls behind is
seen with the periods that the term has no room for any more.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import sqlalchemy as sa

from lms_bridge.calendar.days import TeachingWeek, iso_week, teaching_weeks, term_in_hand
from lms_bridge.core.database import db
from lms_bridge.plans.benchmark import compare
from lms_bridge.plans.comparing import drafts
from lms_bridge.plans.lookup import approved_version, benchmark_for
from lms_bridge.plans.models import PlanUnit, PlanVersion, TeachingPlan
from lms_bridge.plans.weeks import Step, UnitWeeks, plan_weeks, weeks_of
from lms_bridge.roster.classes import class_order
from lms_bridge.roster.models import ClassGroup, Organisation, Subject, Term
from lms_bridge.roster.scope import today
from lms_bridge.timetable.units.pace import Record, untaught
from lms_bridge.timetable.units.plan_lines import Pair, PlanLine, plan_lines, records


@dataclass(frozen=True, slots=True)
class Progress:
    """A class in a subject at the end of a teaching week: periods ``planned`` by then, periods ``taught`` (those that
    lessons of the week are still to teach included), and of ``total`` those that are ``left_over``: the weeks to come
    have no room for them. ``unit_key`` is the unit that comes next, None when all is taught."""

    group: ClassGroup
    subject: Subject
    plan_id: int
    total: int
    planned: int
    taught: int
    left_over: int
    unit_key: str | None

    @property
    def behind(self) -> int:
        """How many periods the lessons are behind the plan; negative when they are ahead."""
        return self.planned - self.taught


@dataclass(frozen=True, slots=True)
class PaceWeek:
    """One teaching week: periods planned, taught and asked for by the benchmark up to its end. ``taught`` is None for
    weeks that have no timetable yet; ``benchmark`` and ``like_benchmark`` (what was taught, in periods of the
    benchmark) are None where there is none."""

    number: int
    iso: str
    planned: int
    taught: int | None
    benchmark: float | None = None
    like_benchmark: float | None = None


def class_progress(campus: Organisation, term: Term, groups: Sequence[ClassGroup]) -> list[Progress]:
    """How far each of these classes is in each subject with an approved plan, at the end of this teaching week."""
    by_id = {group.id: group for group in groups}
    weeks = teaching_weeks(campus, term)
    number = present_week(campus, weeks)
    lines = plan_lines(by_id, term, weeks)
    known = records(campus.id, by_id, weeks)
    subjects = {s.id: s for s in db.session.scalars(sa.select(Subject))}
    found = []
    for pair, line in lines.items():
        recorded = known.of(pair[0], line.plan_id)
        rest = untaught(line.weeks, number + 1, recorded)
        total = sum(map(len, line.weeks))
        found.append(
            Progress(
                by_id[pair[0]],
                subjects[pair[1]],
                line.plan_id,
                total,
                sum(map(len, line.weeks[:number])),
                total - len(rest),
                _left_over(line, known.weeks, number, recorded),
                rest[0].unit_key if rest else None,
            )
        )
    return found


def progress_of(groups: Sequence[ClassGroup]) -> list[Progress]:
    """How far these classes are in the terms in hand of their campuses; those that are furthest behind come first."""
    by_campus: dict[int, list[ClassGroup]] = {}
    for group in groups:
        by_campus.setdefault(group.campus_id, []).append(group)
    found: list[Progress] = []
    for mine in by_campus.values():
        term = term_in_hand(mine[0].campus)
        if term is not None:
            found += class_progress(mine[0].campus, term, [group for group in mine if group.term_id == term.id])
    return sorted(found, key=lambda row: (-row.left_over, -row.behind, class_order(row.group), row.subject.code))


def unit_names(plan_ids: Collection[int]) -> dict[tuple[int, str], str]:
    """The titles of units by plan and key, as in the newest version that has them."""
    rows = db.session.execute(
        sa.select(PlanVersion.plan_id, PlanUnit.key, PlanUnit.title)
        .join(PlanVersion, PlanVersion.id == PlanUnit.version_id)
        .where(PlanVersion.plan_id.in_(plan_ids))
        .order_by(PlanVersion.number)
    )
    return {(plan_id, key): title for plan_id, key, title in rows}


def pace(campus: Organisation, term: Term, pair: Pair) -> list[PaceWeek]:
    """A class in a subject, week by week; empty where no plan is approved."""
    weeks = teaching_weeks(campus, term)
    line = plan_lines([pair[0]], term, weeks).get(pair)
    if line is None:
        return []
    known = records(campus.id, [pair[0]], weeks)
    recorded = known.of(pair[0], line.plan_id)
    last = max([*known.weeks, present_week(campus, weeks)])
    expected, worth = _benchmark(line.plan_id, weeks)
    steps = [step for part in line.weeks for step in part]
    planned = list(accumulate(map(len, line.weeks)))
    found = []
    for week in weeks:
        taught, like = None, None
        if week.number <= last:
            rest = set(untaught(line.weeks, week.number + 1, recorded))
            done = [step for step in steps if step not in rest]
            taught = len(done)
            like = sum(worth.get(step.unit_key, 0.0) for step in done) if expected else None
        found.append(
            PaceWeek(
                week.number,
                week.iso,
                planned[week.number - 1],
                taught,
                expected[week.number - 1] if expected else None,
                like,
            )
        )
    return found


def present_week(campus: Organisation, weeks: Sequence[TeachingWeek]) -> int:
    """The number of the teaching week of today; 0 before the term, its last week afterwards."""
    present = iso_week(today(campus.zone))
    return sum(1 for week in weeks if week.iso <= present)


def _left_over(line: PlanLine, timetabled: Collection[int], number: int, recorded: Mapping[int, Record]) -> int:
    """The steps that are not taught by the last week with a timetable and that no week after it takes."""
    last = max([*timetabled, number], default=0)
    room = sum(map(len, line.weeks[last:]))
    return max(len(untaught(line.weeks, last + 1, recorded)) - room, 0)


def _benchmark(plan_id: int, weeks: Sequence[TeachingWeek]) -> tuple[list[float], dict[str, float]]:
    """What the benchmark asks for by the end of each week, in its periods, and how many of them a period of each unit
    of the plan is worth; only units that both have count. Nothing where there is no benchmark."""
    plan = db.session.get_one(TeachingPlan, plan_id)
    benchmark, version = benchmark_for(plan), approved_version(plan)
    if benchmark is None or version is None:
        return [], {}
    matches = compare(drafts(version.units), drafts(benchmark.units)).matches
    worth: dict[str, float] = {}
    counted: set[str] = set()
    for found in matches:
        ours = sum(version.units[i].periods for i in found.ours)
        theirs = sum(benchmark.units[i].periods for i in found.theirs)
        worth |= {version.units[i].key: theirs / ours for i in found.ours if ours}
        counted |= {benchmark.units[i].key for i in found.theirs}
    expected = [sum(step.unit_key in counted for step in part) for part in _weeks_of(benchmark, weeks)]
    return [float(value) for value in accumulate(expected)], worth


def _weeks_of(version: PlanVersion, weeks: Sequence[TeachingWeek]) -> list[list[Step]]:
    units = [
        UnitWeeks(u.key, u.periods, *weeks_of(u.week_from, u.week_to, u.date_from, u.date_to, weeks))
        for u in version.units
    ]
    return plan_weeks(units, [len(week.days) for week in weeks])
