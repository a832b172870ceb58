"""What a plan asks of the calendar, of the grade and of online teaching. Pure.

========== ==================================================================================================
pace       compared with the benchmark's own weeks, where both give weeks or dates: minor from one week's periods ahead
           or behind, major from two; the worst week is named
total      major where the plan needs more than a tenth more periods than the calendar leaves at the benchmark's weekly
           rate; minor where it needs more; info where a fifth or more is left over
week       major where a week without school has periods; minor where a shortened week has more than its share
homework   against the minutes a day that the grade may have in all subjects: major above all of them (or any written
           homework where there must be none), minor above half of them
screen     minor: an activity before a screen that is longer than the grade's lesson online
offline    major where the benchmark says so, minor by keyword; nothing where the unit has an online alternative
========== ==================================================================================================

Limits by grade are settings of the bureau: :mod:`lms_bridge.calendar.limits` names the source of the defaults.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import median

from lms_bridge.calendar.days import TeachingWeek, monday_of
from lms_bridge.calendar.limits import Limits
from lms_bridge.plans.benchmark import Match
from lms_bridge.plans.clock_times import minutes_in
from lms_bridge.plans.findings import FindingDraft, FindingKind, Severity
from lms_bridge.plans.units import UnitDraft
from lms_bridge.plans.weeks import UnitWeeks, plan_weeks, weeks_of

SCHOOL_DAYS = 5
"""School days of a usual week."""


@dataclass(frozen=True)
class Circumstances:
    """The teaching weeks of the campus's term, and the online limits of the grade."""

    weeks: Sequence[TeachingWeek]
    limits: Limits
    grade: str


def feasibility(
    plan: Sequence[UnitDraft], benchmark: Sequence[UnitDraft], matches: Sequence[Match], around: Circumstances
) -> list[FindingDraft]:
    """All findings of this module for ``plan``; ``benchmark`` and ``matches`` are empty where there is none."""
    found = [*_pace(plan, benchmark, matches, around), *_calendar(plan, benchmark, around)]
    partner = {index: m for m in matches for index in m.ours}
    for index, unit in enumerate(plan):
        reference = benchmark[partner[index].theirs[0]] if index in partner else None
        found += [*_offline(unit, reference), *_homework(unit, around), *_screen(unit, around)]
    return found


@dataclass(frozen=True, slots=True)
class PacePoint:
    """How many periods' worth of the benchmark is done by the end of a teaching week: by the benchmark itself, and by
    the plan. Only units that both have are counted."""

    week: int
    last_day: str
    benchmark: float
    plan: float


def pace_points(
    plan: Sequence[UnitDraft], benchmark: Sequence[UnitDraft], matches: Sequence[Match], weeks: Sequence[TeachingWeek]
) -> list[PacePoint]:
    """The pace of both, week by week; empty where one of them has neither weeks nor dates."""
    if not weeks or not matches or not _dated(plan) or not _dated(benchmark):
        return []
    worth: dict[str, float] = {}
    counted: set[str] = set()
    for found in matches:
        ours = sum(plan[i].periods for i in found.ours)
        theirs = sum(benchmark[i].periods for i in found.theirs)
        worth |= {str(i): theirs / ours for i in found.ours if ours}
        counted |= {str(i) for i in found.theirs}
    planned = _by_week(plan, weeks, worth)
    expected = _by_week(benchmark, weeks, dict.fromkeys(counted, 1.0))
    return [
        PacePoint(week.number, (week.days[-1].day if week.days else monday_of(week.iso)).isoformat(), theirs, ours)
        for week, theirs, ours in zip(weeks, accumulate(expected), accumulate(planned), strict=True)
    ]


def _dated(units: Sequence[UnitDraft]) -> bool:
    return any(unit.week_from is not None or unit.date_from is not None for unit in units)


def _steps(units: Sequence[UnitDraft], weeks: Sequence[TeachingWeek]) -> list[Counter[str]]:
    """How many periods of each unit (by position) fall into each teaching week."""
    lines = [
        UnitWeeks(str(i), u.periods, *weeks_of(u.week_from, u.week_to, u.date_from, u.date_to, weeks))
        for i, u in enumerate(units)
    ]
    return [Counter(step.unit_key for step in steps) for steps in plan_weeks(lines, [len(w.days) for w in weeks])]


def _by_week(units: Sequence[UnitDraft], weeks: Sequence[TeachingWeek], worth: Mapping[str, float]) -> list[float]:
    return [sum(count * worth.get(key, 0.0) for key, count in week.items()) for week in _steps(units, weeks)]


def _pace(
    plan: Sequence[UnitDraft], benchmark: Sequence[UnitDraft], matches: Sequence[Match], around: Circumstances
) -> list[FindingDraft]:
    points = pace_points(plan, benchmark, matches, around.weeks)
    if not points:
        return []
    rate = weekly_rate(benchmark, around.weeks) or points[-1].benchmark / len(points)
    worst = max(points, key=lambda p: abs(p.plan - p.benchmark))
    apart = round(abs(worst.plan - worst.benchmark))
    if not rate or apart < max(rate, 1):
        return []
    severity = Severity.MAJOR if apart >= 2 * rate else Severity.MINOR
    params = {"week": worst.week, "day": worst.last_day, "periods": apart, "ahead": worst.plan > worst.benchmark}
    return [FindingDraft(FindingKind.PACE, severity, None, None, params)]


def weekly_rate(units: Sequence[UnitDraft], weeks: Sequence[TeachingWeek]) -> float | None:
    """The periods that ``units`` take in a usual week; None where they have neither weeks nor dates."""
    if not _dated(units):
        return None
    usual = [
        sum(counts.values())
        for counts, week in zip(_steps(units, weeks), weeks, strict=True)
        if len(week.days) >= SCHOOL_DAYS and counts
    ]
    return median(usual) if usual else None


def _calendar(plan: Sequence[UnitDraft], benchmark: Sequence[UnitDraft], around: Circumstances) -> list[FindingDraft]:
    weeks = around.weeks
    rate = weekly_rate(benchmark, weeks) or weekly_rate(plan, weeks)
    if not rate:
        return []
    found = []
    days = sum(len(week.days) for week in weeks)
    available, periods = round(rate * days / SCHOOL_DAYS), sum(unit.periods for unit in plan)
    params = {"periods": periods, "available": available, "days": days}
    if periods > available:
        severity = Severity.MAJOR if periods > 1.1 * available else Severity.MINOR
        found.append(FindingDraft(FindingKind.TOTAL, severity, None, None, params))
    elif benchmark and periods <= 0.8 * available:
        found.append(FindingDraft(FindingKind.TOTAL, Severity.INFO, None, None, params))
    if not _dated(plan):
        return found
    for counts, week in zip(_steps(plan, weeks), weeks, strict=True):
        planned, share = sum(counts.values()), rate * len(week.days) / SCHOOL_DAYS
        if len(week.days) < SCHOOL_DAYS and planned and (not week.days or planned > share + 1):
            first = week.days[0].day if week.days else monday_of(week.iso)
            about = {"week": week.number, "day": first.isoformat(), "days": len(week.days), "periods": planned}
            severity = Severity.MINOR if week.days else Severity.MAJOR
            found.append(FindingDraft(FindingKind.WEEK, severity, None, None, about))
    return found


# --- homework, screens

_WRITTEN = re.compile(
    r"练习册|抄写|书面|作业本|习题|默写|试卷|写作|作文|workbook|worksheet|written|copy out|essay", re.IGNORECASE
)
SCREEN = re.compile(
    r"视频|网课|直播|录播|微课|在线观看|观看影片|电影|屏幕|video|film|live stream|webinar|on screen|online lesson",
    re.IGNORECASE,
)


def _homework(unit: UnitDraft, around: Circumstances) -> list[FindingDraft]:
    limit = around.limits.homework_minutes_per_day
    if limit is None or not unit.homework:
        return []
    minutes = minutes_in(unit.homework)
    # "wanted" is what no longer is a finding: half of what all subjects together may take.
    params = {
        "title": unit.title, "grade": around.grade, "minutes": minutes or 0, "limit": limit, "wanted": limit // 2,
    }  # fmt: skip
    if limit == 0:
        severity = Severity.MAJOR if _WRITTEN.search(unit.homework) else None
    elif minutes is None or 2 * minutes <= limit:
        severity = None
    else:
        severity = Severity.MAJOR if minutes > limit else Severity.MINOR
    return [FindingDraft(FindingKind.HOMEWORK, severity, unit.sequence, None, params)] if severity else []


def _screen(unit: UnitDraft, around: Circumstances) -> list[FindingDraft]:
    limit = around.limits.minutes_per_lesson
    for text in (unit.methods, unit.homework, unit.content, unit.materials):
        for line in re.split(r"[\n；;。]", text):
            minutes = minutes_in(line) if SCREEN.search(line) else None
            if minutes is not None and minutes > limit:
                params = {"title": unit.title, "grade": around.grade, "minutes": minutes, "limit": limit}
                return [FindingDraft(FindingKind.SCREEN, Severity.MINOR, unit.sequence, None, params)]
    return []


# --- what cannot go online

_PRACTICAL = re.compile(
    r"(?:学生|分组|动手)实验|实验(?:操作|探究|测量|室)|(?:测量|探究|验证|观察)[^，。；、\n]{0,10}实验|解剖|参观|研学|实地|野外|田径|短跑|接力|跳远|跳高"
    r"|足球|篮球|排球|乒乓球|羽毛球|游泳|体操|武术|运动会|合唱排练|合奏|乐队|陶艺|烘焙|烹饪|木工|种植实践|社会实践|综合实践活动"
    r"|laborator(?:y|ies)|\blab\b|practical (?:work|activity|experiment)|hands-on experiment|dissect(?:ion)?"
    r"|field ?(?:trip|work)"
    r"|excursion|football|basketball|volleyball|swimming|gymnastics|athletics|relay|sports day|choir rehearsal"
    r"|orchestra|pottery|woodwork|cooking",
    re.IGNORECASE,
)
_AT_HOME = re.compile(
    r"居家|在家|家庭实验|家中|虚拟|仿真|模拟实验|演示实验|线上|云端|网上"
    r"|at home|home kit|virtual|simulat|demonstration|online",
    re.IGNORECASE,
)


def _offline(unit: UnitDraft, reference: UnitDraft | None) -> list[FindingDraft]:
    if unit.online_alternative:
        return []
    params = {"title": unit.title}
    if reference is not None and reference.online_alternative:
        params["alternative"] = reference.online_alternative
    if not unit.online_possible or (reference is not None and not reference.online_possible):
        sequence = reference.sequence if reference is not None else None
        return [FindingDraft(FindingKind.OFFLINE, Severity.MAJOR, unit.sequence, sequence, params)]
    for text in (unit.title, unit.content, unit.methods):
        for line in re.split(r"[\n；;。]", text):
            found = _PRACTICAL.search(line)
            if found and not _AT_HOME.search(line):
                params["word"] = found[0]
                sequence = reference.sequence if reference is not None else None
                return [FindingDraft(FindingKind.OFFLINE, Severity.MINOR, unit.sequence, sequence, params)]
    return []
