"""Where a plan departs from the benchmark is found and said in a sentence."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lms_bridge.core.i18n import use_locale
from lms_bridge.plans.alignment import longest_increasing, match
from lms_bridge.plans.benchmark import Comparison, compare
from lms_bridge.plans.findings import FindingKind, Severity
from lms_bridge.plans.sentences import finding_text
from lms_bridge.plans.similarity import THRESHOLD, fingerprint, strip_numbering
from lms_bridge.plans.units import UnitDraft

CHINESE = (  # noqa: SIM905
    "有理数 整式的加减 一元一次方程 几何图形初步 相交线与平行线 实数 平面直角坐标系 二元一次方程组 不等式与不等式组"
    " 数据的收集与整理 三角形 全等三角形 轴对称 分式 二次根式 勾股定理 平行四边形 一次函数 概率初步 投影与视图"
).split()
ENGLISH = [
    "My family", "Seasons and weather", "At the market", "Sports and games", "Healthy food", "Travelling by train",
    "Wild animals", "The solar system", "Inventions", "Festivals around the world", "Jobs people do", "A letter home",
    "Light and shadow", "Electric circuits", "Magnets", "The water cycle", "Rocks and soil", "Human body", "Plants",
    "Friction",
]  # fmt: skip


def units(titles: list[str], periods: list[int] | None = None) -> list[UnitDraft]:
    lengths = periods or [4] * len(titles)
    return [UnitDraft(i, title, n) for i, (title, n) in enumerate(zip(titles, lengths, strict=True), start=1)]


def renumbered(plan: list[UnitDraft]) -> list[UnitDraft]:
    return [replace(unit, sequence=i) for i, unit in enumerate(plan, start=1)]


def kinds(comparison: Comparison) -> list[tuple[str, int | None, int | None]]:
    return [(f.kind.value, f.unit_sequence, f.benchmark_sequence) for f in comparison.findings]


benchmarks = st.sampled_from([CHINESE, ENGLISH]).flatmap(
    lambda titles: st.lists(st.sampled_from(titles), min_size=3, max_size=20, unique=True).flatmap(
        lambda chosen: st.lists(st.integers(1, 9), min_size=len(chosen), max_size=len(chosen)).map(
            lambda periods: units(chosen, periods)
        )
    )
)


@settings(max_examples=60, deadline=None)
@given(benchmarks)
def test_a_plan_that_is_the_benchmark_has_no_findings(benchmark: list[UnitDraft]) -> None:
    comparison = compare(benchmark, benchmark)
    assert comparison.findings == ()
    assert comparison.coverage == 1.0
    assert [(p.unit_sequence, p.benchmark_sequence) for p in comparison.pairs] == [
        (u.sequence, u.sequence) for u in benchmark
    ]


@settings(max_examples=80, deadline=None)
@given(benchmarks, st.data())
def test_a_dropped_unit_is_exactly_one_missing_finding(benchmark: list[UnitDraft], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(benchmark) - 1))
    plan = renumbered(benchmark[:index] + benchmark[index + 1 :])
    comparison = compare(plan, benchmark)
    assert kinds(comparison) == [("missing", None, index + 1)]
    total = sum(unit.periods for unit in benchmark)
    assert comparison.coverage == pytest.approx((total - benchmark[index].periods) / total)


@settings(max_examples=80, deadline=None)
@given(benchmarks, st.data())
def test_an_added_unit_is_exactly_one_extra_finding(benchmark: list[UnitDraft], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(benchmark)))
    plan = renumbered([*benchmark[:index], UnitDraft(0, "Zzyzx 校本社团展示", 2), *benchmark[index:]])
    comparison = compare(plan, benchmark)
    assert kinds(comparison) == [("extra", index + 1, None)]
    assert comparison.coverage == 1.0


@settings(max_examples=80, deadline=None)
@given(benchmarks, st.data())
def test_two_swapped_units_are_found_out_of_order_and_nothing_else(
    benchmark: list[UnitDraft], data: st.DataObject
) -> None:
    first = data.draw(st.integers(0, len(benchmark) - 2))
    second = data.draw(st.integers(first + 1, len(benchmark) - 1))
    plan = list(benchmark)
    plan[first], plan[second] = plan[second], plan[first]
    found = compare(renumbered(plan), benchmark)
    assert {f.kind for f in found.findings} == {FindingKind.REORDERED}
    moved = {f.benchmark_sequence for f in found.findings}
    if second - first == 1:
        assert len(moved) == 1  # one of two neighbours has moved, the other has not
        assert moved <= {first + 1, second + 1}
    elif second - first > 2:
        assert moved == {first + 1, second + 1}
    assert found.coverage == 1.0


@settings(max_examples=60, deadline=None)
@given(benchmarks, st.data())
def test_a_moved_unit_is_the_only_one_out_of_order(benchmark: list[UnitDraft], data: st.DataObject) -> None:
    plan = list(benchmark)
    origin = data.draw(st.integers(0, len(plan) - 1))
    unit = plan.pop(origin)
    target = data.draw(st.integers(0, len(plan)).filter(lambda t: abs(t - origin) > 1))
    plan.insert(target, unit)
    found = compare(renumbered(plan), benchmark)
    assert kinds(found) == [("reordered", target + 1, origin + 1)]
    assert found.findings[0].params["earlier"] is (target < origin)


@settings(max_examples=60, deadline=None)
@given(benchmarks, st.data())
def test_another_number_of_periods_is_found(benchmark: list[UnitDraft], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(benchmark) - 1))
    periods = data.draw(st.integers(1, 20).filter(lambda n: n != benchmark[index].periods))
    plan = list(benchmark)
    plan[index] = replace(plan[index], periods=periods)
    expected = "shortened" if periods < benchmark[index].periods else "lengthened"
    assert kinds(compare(plan, benchmark)) == [(expected, index + 1, index + 1)]


@settings(max_examples=60, deadline=None)
@given(benchmarks, benchmarks)
def test_every_unit_of_both_sides_is_matched_once_or_reported(
    plan: list[UnitDraft], benchmark: list[UnitDraft]
) -> None:
    comparison = compare(plan, benchmark)
    ours = [plan[index].sequence for match_ in comparison.matches for index in match_.ours]
    ours += [f.unit_sequence or 0 for f in comparison.findings if f.kind is FindingKind.EXTRA]
    theirs = [benchmark[index].sequence for match_ in comparison.matches for index in match_.theirs]
    theirs += [f.benchmark_sequence or 0 for f in comparison.findings if f.kind is FindingKind.MISSING]
    assert sorted(ours) == [u.sequence for u in plan]
    assert sorted(theirs) == [u.sequence for u in benchmark]
    assert 0.0 <= comparison.coverage <= 1.0
    for finding in comparison.findings:
        assert "%(" not in finding_text(finding, plan, benchmark)


def test_numbering_and_small_rewording_do_not_make_another_unit() -> None:
    benchmark = units(["第一章 有理数", "第二章 整式的加减", "第三章 一元一次方程", "Unit 4: My family"])
    plan = units(["1. 有理数（4课时）", "二、整式加减法", "第3单元：一元一次方程的解法", "My family and me"])
    assert compare(plan, benchmark).findings == ()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("一元一次方程", "一元二次方程"),
        ("一次函数", "二次函数"),
        ("10以内的加法", "20以内的加法"),
        ("有理数", "无理数"),
        ("复习（一）", "复习（二）"),
        ("Unit 1", "Unit 2"),
        ("Reading 1", "Reading 2"),
        ("Photosynthesis", "Respiration"),
    ],
)
def test_titles_that_only_look_alike_are_different_units(one: str, other: str) -> None:
    assert kinds(compare(units([one]), units([other]))) == [("missing", None, 1), ("extra", 1, None)]


def test_content_decides_where_titles_are_reworded() -> None:
    content = "正数和负数\n数轴\n相反数\n绝对值"
    benchmark = [UnitDraft(1, "有理数的认识", 4, content=content), UnitDraft(2, "图形", 4, content="点线面体")]
    plan = [UnitDraft(1, "认识有理数", 4, content=content), UnitDraft(2, "图形", 4)]
    assert compare(plan, benchmark).findings == ()


def test_units_of_the_same_name_keep_their_order() -> None:
    benchmark = units(["有理数", "复习", "整式的加减", "复习", "一元一次方程", "复习"])
    plan = renumbered(benchmark[:1] + benchmark[2:])
    assert kinds(compare(plan, benchmark)) == [("missing", None, 2)]


def test_severity_follows_the_documented_rule() -> None:
    benchmark = units(["有理数", "整式的加减", "一元一次方程", "三角形", "实数"], [8, 8, 8, 8, 1])
    plan = [
        *units(["有理数", "整式的加减", "一元一次方程", "三角形"], [4, 6, 7, 16]),
        UnitDraft(5, "Zzyzx 社团", 1),
        UnitDraft(6, "Qwerty 展示活动周", 10),
    ]
    found = {(f.kind, f.unit_sequence or f.benchmark_sequence): f.severity for f in compare(plan, benchmark).findings}
    assert found == {
        (FindingKind.SHORTENED, 1): Severity.MAJOR,
        (FindingKind.SHORTENED, 2): Severity.MINOR,
        (FindingKind.SHORTENED, 3): Severity.INFO,
        (FindingKind.LENGTHENED, 4): Severity.MAJOR,
        (FindingKind.MISSING, 5): Severity.MINOR,
        (FindingKind.EXTRA, 5): Severity.INFO,
        (FindingKind.EXTRA, 6): Severity.MAJOR,
    }


def test_findings_are_sentences_in_both_languages() -> None:
    benchmark = units(["有理数", "整式的加减", "三角形", "实数"], [4, 6, 2, 3])
    plan = units(["整式的加减", "三角形", "有理数", "分式"], [4, 2, 4, 1])
    findings = compare(plan, benchmark).findings
    assert [finding_text(f, plan, benchmark) for f in findings] == [
        "“有理数” comes later in the plan; in the benchmark it comes first.",
        "“整式的加减” has 4 periods; the benchmark gives it 6 (2 fewer).",
        "“实数” (3 periods in the benchmark) is missing from the plan.",
        "“分式” (1 period) is in the plan but not in the benchmark.",
    ]
    with use_locale("zh-CN"):
        assert [finding_text(f) for f in findings] == [
            "“有理数”在计划中排得靠后，在基准中排在最前。",
            "“整式的加减”安排了 4 课时，基准为 6 课时，少 2 课时。",
            "计划中缺少“实数”（基准为 3 课时）。",
            "“分式”（1 课时）在计划中有，基准中没有。",
        ]
        assert [f.kind.label() for f in findings] == ["顺序不同", "课时偏少", "缺少单元", "多出单元"]


def test_empty_sides_are_answered() -> None:
    some = units(["有理数", "三角形"])
    assert [f.kind for f in compare([], some).findings] == [FindingKind.MISSING] * 2
    assert compare([], some).coverage == 0.0
    assert [f.kind for f in compare(some, []).findings] == [FindingKind.EXTRA] * 2
    assert compare([], []).findings == ()


def test_the_best_total_is_found_where_taking_the_best_pair_first_would_not() -> None:
    assert match([[0.9, 0.8], [0.85, 0.0]], 0.5) == [(0, 1), (1, 0)]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 5), st.integers(1, 5), st.data())
def test_the_matching_is_as_good_as_trying_all(height: int, width: int, data: st.DataObject) -> None:
    rows = st.lists(st.integers(0, 10).map(lambda n: n / 10), min_size=width, max_size=width)
    likeness = data.draw(st.lists(rows, min_size=height, max_size=height))

    def best(row: int, free: frozenset[int]) -> float:
        if row == height:
            return 0.0
        taken = [likeness[row][c] + best(row + 1, free - {c}) for c in free if likeness[row][c] >= 0.5]
        return max([best(row + 1, free), *taken])

    pairs = match(likeness, 0.5)
    assert len({r for r, _ in pairs}) == len({c for _, c in pairs}) == len(pairs)
    assert sum(likeness[r][c] for r, c in pairs) == pytest.approx(best(0, frozenset(range(width))), abs=0.006)


@given(st.permutations(range(7)))
def test_the_longest_increasing_part_is_increasing(values: list[int]) -> None:
    kept = sorted(longest_increasing(values))
    chosen = [values[i] for i in kept]
    assert chosen == sorted(chosen)
    parts = (part for size in range(1, 8) for part in combinations(values, size))
    assert len(chosen) == max(len(part) for part in parts if list(part) == sorted(part))


@pytest.mark.parametrize(
    ("title", "bare"),
    [
        ("第三单元：春天", "春天"),
        ("Unit 3: Seasons", "Seasons"),
        ("3.1 加法", "加法"),
        ("三、方程", "方程"),
        ("（二）方程", "方程"),
        ("Unit 3 Lesson 2 Light", "Light"),
        ("第三单元", "第三单元"),
        ("一元一次方程", "一元一次方程"),
        ("三国演义", "三国演义"),
        ("100以内的加法", "100以内的加法"),
        ("春（2课时）", "春"),
    ],
)
def test_numbering_is_not_part_of_a_title(title: str, bare: str) -> None:
    assert strip_numbering(title) == bare


def test_titles_of_the_tests_are_truly_different() -> None:
    for titles in (CHINESE, ENGLISH):
        prints = [fingerprint(unit) for unit in units(list(titles))]
        assert not [
            (titles[i], titles[j])
            for i in range(len(prints))
            for j in range(i)
            if prints[i].like(prints[j]) >= THRESHOLD and {titles[i], titles[j]} != {"三角形", "全等三角形"}
        ]
