"""What a plan asks of the calendar, the grade and online teaching."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from lms_bridge.calendar.days import TeachingDay, TeachingWeek, iso_week
from lms_bridge.calendar.limits import default_limits
from lms_bridge.core.i18n import use_locale
from lms_bridge.plans.benchmark import compare
from lms_bridge.plans.clock_times import minutes_in
from lms_bridge.plans.feasibility import Circumstances, feasibility, pace_points
from lms_bridge.plans.findings import FindingKind, Severity
from lms_bridge.plans.reading.online import read_online
from lms_bridge.plans.sentences import finding_text
from lms_bridge.plans.units import UnitDraft

MONDAY = date(2026, 8, 31)


def weeks(*days: int) -> list[TeachingWeek]:
    """A week for each number of school days, from 31 August 2026 on."""
    return [
        TeachingWeek(
            n + 1,
            iso_week(MONDAY + timedelta(weeks=n)),
            tuple(TeachingDay(MONDAY + timedelta(weeks=n, days=d), d) for d in range(count)),
        )
        for n, count in enumerate(days)
    ]


def around(*days: int, grade: str = "7") -> Circumstances:
    return Circumstances(weeks(*days), default_limits(grade), grade)


def weekly(*periods: int) -> list[UnitDraft]:
    """One unit a week."""
    titles = ["有理数", "整式", "方程", "几何", "概率", "函数", "统计", "三角形"]
    return [UnitDraft(n, titles[n - 1], p, week_from=n, week_to=n) for n, p in enumerate(periods, 1)]


def found(plan: list[UnitDraft], benchmark: list[UnitDraft], circumstances: Circumstances) -> list[tuple[str, str]]:
    matches = compare(plan, benchmark).matches
    return [(f.kind.value, f.severity.value) for f in feasibility(plan, benchmark, matches, circumstances)]


def test_a_plan_at_the_pace_of_the_benchmark_has_no_findings() -> None:
    assert found(weekly(5, 5, 5, 5), weekly(5, 5, 5, 5), around(5, 5, 5, 5)) == []


def test_a_plan_that_begins_late_is_behind_at_a_date() -> None:
    benchmark = weekly(5, 5, 5, 5)
    plan = [replace(u, week_from=u.sequence + 2, week_to=u.sequence + 2) for u in benchmark]
    circumstances = around(5, 5, 5, 5, 5, 5)
    result = feasibility(plan, benchmark, compare(plan, benchmark).matches, circumstances)
    pace = next(f for f in result if f.kind is FindingKind.PACE)
    assert pace.severity is Severity.MAJOR
    assert finding_text(pace) == "At the end of week 2 (Fri 11 Sep) the plan is 10 periods behind the benchmark."
    points = pace_points(plan, benchmark, compare(plan, benchmark).matches, circumstances.weeks)
    assert [(p.plan, p.benchmark) for p in points[:3]] == [(0, 5), (0, 10), (5, 15)]


def test_more_than_the_calendar_leaves_is_said_with_its_days() -> None:
    result = feasibility(weekly(5, 5, 9), weekly(5, 5, 5), (), around(5, 5, 3))
    with use_locale("zh-CN"):
        texts = [finding_text(f) for f in result]
    assert texts == [
        "计划需要 19 课时；本学期 13 个上课日只有 13 课时。",
        "第 3 周（周一 9月14日起）只有 3 个上课日，计划却安排了 9 课时。",
    ]


def test_periods_in_a_week_without_school_are_a_major_finding() -> None:
    assert ("week", "major") in found(weekly(5, 5, 5), weekly(5, 5, 5), around(5, 0, 5))


@pytest.mark.parametrize(
    ("grade", "homework", "severity"),
    [
        ("1", "完成练习册第3页", "major"),
        ("1", "和家人一起数一数", None),
        ("4", "练习册，约40分钟", "minor"),
        ("4", "Reading, 1.5 hours", "major"),
        ("8", "练习册，约40分钟", None),
        ("8", "作业２小时", "major"),
        ("11", "作业2小时", None),
    ],
)
def test_homework_is_held_against_the_grade(grade: str, homework: str, severity: str | None) -> None:
    plan = [UnitDraft(1, "有理数", 4, homework=homework)]
    assert found(plan, plan, around(5, grade=grade)) == ([("homework", severity)] if severity else [])


def test_a_long_video_is_too_much_for_a_primary_class() -> None:
    plan = [UnitDraft(1, "认识图形", 4, methods="观看微课视频 35 分钟；小组讨论")]
    assert found(plan, plan, around(5, grade="3")) == [("screen", "minor")]
    assert found(plan, plan, around(5, grade="11")) == [("screen", "minor")]
    assert found([replace(plan[0], methods="小组讨论 35 分钟")], plan, around(5, grade="3")) == []


@pytest.mark.parametrize(
    ("unit", "severity"),
    [
        (UnitDraft(1, "探究凸透镜成像的实验", 2), "minor"),
        (UnitDraft(1, "Swimming and relay", 2), "minor"),
        (UnitDraft(1, "压强", 2, content="学生实验：测量大气压"), "minor"),
        (UnitDraft(1, "压强", 2, content="演示实验：测量大气压"), None),
        (UnitDraft(1, "篮球", 2, methods="居家练习"), "minor"),
        (UnitDraft(1, "居家篮球练习", 2), None),
        (UnitDraft(1, "篮球", 2, online_alternative="观看比赛并分析战术"), None),
        (UnitDraft(1, "压强", 2, online_possible=False), "major"),
    ],
)
def test_practical_work_is_found_unless_it_has_an_alternative(unit: UnitDraft, severity: str | None) -> None:
    assert found([unit], [], around(5)) == ([("offline", severity)] if severity else [])


def test_the_benchmark_decides_what_cannot_go_online_and_offers_its_alternative() -> None:
    benchmark = [UnitDraft(1, "压强", 2, online_possible=False, online_alternative="看演示视频并记录数据")]
    plan = [UnitDraft(1, "压强", 2)]
    result = feasibility(plan, benchmark, compare(plan, benchmark).matches, around(5))
    assert result[0].severity is Severity.MAJOR
    assert result[0].params["alternative"] == "看演示视频并记录数据"


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("约20分钟", 20), ("1.5 h", 90), ("半小时", 30), ("45 min × 2", 45), ("抄写两遍", None), ("２０分钟", 20),
     ("每天1小时30分钟", 90), ("一个半小时", 90), ("1小时半", 90), ("练习1小时，预习10分钟", 60),
     ("1 h 30 min", 90), ("1h30", 90),
     ("1 hour and 15 minutes", 75), ("half an hour", 30), ("an hour and a half", 90), ("周三十分钟", 10),
     ("四十五分钟", 45),
     ("40-50分钟", 50), ("第3周，两小时", 120)],
)  # fmt: skip
def test_minutes_are_read_as_people_write_them(text: str, minutes: int | None) -> None:
    assert minutes_in(text) == minutes


@pytest.mark.parametrize(
    ("text", "possible", "alternative"),
    [
        ("", True, ""),
        ("无", True, ""),
        ("是", True, ""),
        ("Yes", True, ""),
        ("否", False, ""),
        ("not possible", False, ""),
        ("看演示视频并记录数据", False, "看演示视频并记录数据"),
    ],
)
def test_a_column_about_online_teaching_is_understood(text: str, possible: bool, alternative: str) -> None:
    assert read_online(text) == (possible, alternative)
