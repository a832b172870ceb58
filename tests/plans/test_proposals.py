"""Proposals turn a plan into what its benchmark asks for, one finding at a time or all together."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lms_bridge.core.i18n import use_locale
from lms_bridge.plans.benchmark import compare
from lms_bridge.plans.feasibility import feasibility
from lms_bridge.plans.findings import FindingDraft, FindingKind
from lms_bridge.plans.proposals import Accepted, adjust, by_calendar, needs_words, proposal_text
from lms_bridge.plans.units import UnitDraft
from tests.plans.test_feasibility import around, weeks

TITLES = [
    "有理数",
    "整式的加减",
    "一元一次方程",
    "几何图形初步",
    "相交线与平行线",
    "实数",
    "平面直角坐标系",
    "概率初步",
]


def benchmark_of(count: int = 6) -> list[UnitDraft]:
    """Units of four periods with objectives, one a week."""
    return [
        UnitDraft(n, title, 4, objectives=f"理解{title}的意义", week_from=n, week_to=n, key=f"b{n}")
        for n, title in enumerate(TITLES[:count], 1)
    ]


def numbered(units: list[UnitDraft]) -> list[UnitDraft]:
    return [replace(unit, sequence=n, key=f"p{n}") for n, unit in enumerate(units, 1)]


def after(plan: list[UnitDraft], benchmark: list[UnitDraft], *kinds: FindingKind, words: str = "") -> list[UnitDraft]:
    """The plan after all proposals (of these kinds) were accepted."""
    circumstances = around(*[5] * 10)
    comparison = compare(plan, benchmark)
    found = [*comparison.findings, *feasibility(plan, benchmark, comparison.matches, circumstances)]
    chosen = [Accepted(f, words) for f in found if not kinds or f.kind in kinds]
    return adjust(plan, benchmark, comparison.matches, chosen, circumstances)


def titles(units: list[UnitDraft]) -> list[str]:
    return [unit.title for unit in units]


changes = st.lists(
    st.tuples(st.sampled_from(["drop", "add", "swap", "periods", "objectives"]), st.integers(0, 7), st.integers(0, 7)),
    max_size=6,
)


@settings(max_examples=150, deadline=None)
@given(changes)
def test_accepting_everything_leads_to_the_benchmark(steps: list[tuple[str, int, int]]) -> None:
    benchmark, plan = benchmark_of(8), benchmark_of(8)
    for name, first, second in steps:
        one, other = first % max(len(plan), 1), second % max(len(plan), 1)
        if name == "drop" and len(plan) > 2:
            plan.pop(one)
        elif name == "add":
            plan.insert(one, UnitDraft(0, f"Zzyzx {'社团'[:1]}展示活动", 2, week_from=one + 1, week_to=one + 1))
        elif name == "swap":
            plan[one], plan[other] = plan[other], plan[one]
        elif name == "periods":
            plan[one] = replace(plan[one], periods=second + 1)
        elif plan[one].objectives:
            plan[one] = replace(plan[one], objectives="完全不同的一句话")
    result = after(numbered(plan), benchmark)
    assert titles(result) == titles(benchmark)
    assert [unit.periods for unit in result] == [4] * 8
    assert [unit.sequence for unit in result] == list(range(1, 9))
    again = compare(result, benchmark)
    assert again.coverage == 1.0
    assert [f for f in again.findings if f.kind is not FindingKind.OBJECTIVE] == []


def test_units_that_stay_keep_their_keys_and_new_ones_have_none() -> None:
    benchmark = benchmark_of()
    plan = numbered(benchmark[:2] + benchmark[3:])
    result = after(plan, benchmark)
    assert [unit.key for unit in result] == ["p1", "p2", None, "p3", "p4", "p5"]
    assert result[2].provenance == {"benchmark": 3}
    assert set(result[2].assumed) == {"week_from", "week_to"}


def test_only_what_is_accepted_is_done() -> None:
    benchmark = benchmark_of()
    plan = numbered([replace(benchmark[0], periods=2), *benchmark[2:]])
    assert titles(after(plan, benchmark, FindingKind.SHORTENED)) == titles(plan)
    assert [unit.periods for unit in after(plan, benchmark, FindingKind.MISSING)] == [2, 4, 4, 4, 4, 4]


def test_merged_units_are_divided_and_split_ones_joined() -> None:
    benchmark = benchmark_of(4)
    both = replace(benchmark[0], title="有理数与整式的加减", periods=6, homework="练习一")
    merged = after(numbered([both, *benchmark[2:]]), benchmark)
    assert titles(merged) == titles(benchmark)
    assert [unit.periods for unit in merged] == [4, 4, 4, 4]
    assert (merged[0].key, merged[0].homework) == ("p1", "练习一")
    parts = [
        replace(benchmark[0], title="有理数（一）", periods=1),
        replace(benchmark[0], title="有理数（二）", periods=3),
    ]
    joined = after(numbered([*parts, *benchmark[1:]]), benchmark)
    assert [(unit.title, unit.periods) for unit in joined][:2] == [("有理数", 4), ("整式的加减", 4)]


def test_practical_work_gets_the_alternative_of_the_benchmark_or_the_teachers_own() -> None:
    benchmark = [replace(u, online_possible=False, online_alternative="看演示视频") for u in benchmark_of(1)]
    plan = numbered(benchmark_of(1))
    assert after(plan, benchmark)[0].online_alternative == "看演示视频"
    practical = numbered([UnitDraft(1, "学生实验：测密度", 2)])
    assert (
        after(practical, [], FindingKind.OFFLINE, words="用厨房秤在家测量")[0].online_alternative == "用厨房秤在家测量"
    )
    finding = feasibility(practical, [], (), around(5))[0]
    assert needs_words(finding)


def test_what_the_teacher_wrote_is_still_there_when_a_unit_is_divided() -> None:
    benchmark = benchmark_of(4)
    own = {
        "content": "数轴与绝对值；整式的化简", "objectives": "理解有理数的意义\n会做整式的加减\n养成好习惯",
        "methods": "小组讨论",
        "key_points": "难点：去括号，整式", "materials": "自制数轴卡片", "homework": "练习一", "remarks": "放慢些",
        "online_alternative": "看录像",
    }  # fmt: skip
    both = replace(benchmark[0], title="有理数与整式的加减", periods=6, **own)
    first, second = after(numbered([both, *benchmark[2:]]), benchmark, FindingKind.MERGED)[:2]
    assert titles([first, second]) == ["有理数", "整式的加减"]
    assert (first.objectives, second.objectives) == ("理解有理数的意义\n养成好习惯", "会做整式的加减")
    assert (first.content, second.content) == ("数轴与绝对值；", "整式的化简")
    assert (first.key_points, second.key_points) == ("", "难点：去括号，整式")
    for unit in (first, second):
        assert (unit.methods, unit.materials, unit.online_alternative) == ("小组讨论", "自制数轴卡片", "看录像")
    assert (first.homework, first.remarks) == ("练习一", "放慢些")


@pytest.mark.parametrize("homework", ["练习册，每天 80 分钟", "习题 2 小时", "Workbook, 1 h 30 min", "每天1小时30分钟"])
def test_shortened_homework_is_no_finding_any_more(homework: str) -> None:
    plan = [UnitDraft(1, "有理数", 4, homework=homework)]
    circumstances = around(*[5] * 10)
    found = feasibility(plan, (), (), circumstances)
    assert [finding.kind for finding in found] == [FindingKind.HOMEWORK]
    with use_locale("en"):
        assert proposal_text(found[0]) == "Shorten it to 45 minutes."
    result = after(plan, [], FindingKind.HOMEWORK)
    assert "45" in result[0].homework
    assert feasibility(result, (), (), circumstances) == []


def test_only_the_time_is_changed_in_what_the_teacher_wrote() -> None:
    plan = [UnitDraft(1, "有理数", 4, homework="习题，共１２０分钟（分两次）")]
    assert after(plan, [], FindingKind.HOMEWORK)[0].homework == "习题，共45分钟（分两次）"


def test_homework_and_screen_time_are_shortened_to_the_limit_of_the_grade() -> None:
    plan = [UnitDraft(1, "有理数", 4, homework="习题 2 小时；预习10分钟", methods="Watch the video for 50 minutes")]
    result = after(plan, [], FindingKind.HOMEWORK, FindingKind.SCREEN)
    assert (result[0].homework, result[0].methods) == ("习题 45分钟；预习10分钟", "Watch the video for 30 min")


def test_weeks_by_the_calendar_leave_out_weeks_without_school() -> None:
    units = [replace(unit, periods=5) for unit in benchmark_of(3)]
    found = by_calendar(units, weeks(5, 0, 2, 5, 5), 5.0)
    assert [(u.week_from, u.week_to) for u in found] == [(1, 1), (3, 4), (4, 5)]
    assert all({"week_from", "week_to"} <= set(u.assumed) for u in found)


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
def test_every_proposal_is_a_sentence(locale: str) -> None:
    params = {
        "title": "a", "benchmark_title": "b", "benchmark_periods": 3, "benchmark_titles": ["b", "c"], "titles": ["a"],
        "limit": 30, "objectives": ["o"], "after": "x",
    }  # fmt: skip
    with use_locale(locale):
        texts = {kind: proposal_text(FindingDraft(kind, "minor", 1, 1, params)) for kind in FindingKind}  # type: ignore[arg-type]
    assert {kind for kind, text in texts.items() if not text} == {FindingKind.TOTAL}
    assert not [text for text in texts.values() if "%(" in text]
