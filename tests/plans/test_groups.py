"""Units that a teacher took together or divided are found as such, and nothing of them as missing or extra."""

from __future__ import annotations

import pytest

from lms_bridge.core.i18n import use_locale
from lms_bridge.plans.benchmark import compare
from lms_bridge.plans.findings import FindingKind
from lms_bridge.plans.sentences import finding_text
from lms_bridge.plans.units import UnitDraft


def plan(*units: tuple[str, int, str]) -> list[UnitDraft]:
    """Units of title, periods and content."""
    return [UnitDraft(n, title, periods, content=content) for n, (title, periods, content) in enumerate(units, 1)]


SOUND = ("声现象", 4, "声音的产生与传播\n声音的特性\n噪声的控制")
LIGHT = ("光现象", 3, "光的直线传播\n光的反射")
LENS = ("透镜及其应用", 3, "凸透镜\n照相机")


@pytest.mark.parametrize("title", ["声现象与光现象", "声现象、光现象", "第二章 声现象和光现象", "光现象；声现象"])
def test_units_taken_together_are_found_by_their_titles(title: str) -> None:
    found = compare(plan((title, 7, ""), LENS), plan(SOUND, LIGHT, LENS))
    assert [(f.kind, f.params["benchmark_sequences"]) for f in found.findings] == [(FindingKind.MERGED, [1, 2])]
    assert found.coverage == 1.0


def test_a_unit_that_names_the_next_one_in_its_content_and_has_its_periods_holds_both() -> None:
    found = compare(plan(("声现象", 7, "声音的产生与传播\n光现象\n光的反射"), LENS), plan(SOUND, LIGHT, LENS))
    assert [f.kind for f in found.findings] == [FindingKind.MERGED]


def test_a_unit_that_only_mentions_the_next_one_does_not_hold_it() -> None:
    found = compare(plan(("声现象", 4, "声音的产生与传播\n比较光现象"), LENS), plan(SOUND, LIGHT, LENS))
    assert [f.kind for f in found.findings] == [FindingKind.MISSING]


@pytest.mark.parametrize(
    "titles",
    [
        ("声现象（一）", "声现象（二）"),
        ("声现象 第1课时", "声现象 第2课时"),
        ("声现象（上）", "声现象（下）"),
        ("声现象", "声现象（续）"),
        ("声音的产生与传播", "声音的特性"),
    ],
)
def test_a_divided_unit_is_found(titles: tuple[str, str]) -> None:
    found = compare(plan((titles[0], 2, ""), (titles[1], 2, ""), LIGHT, LENS), plan(SOUND, LIGHT, LENS))
    assert [(f.kind, f.params["unit_sequences"]) for f in found.findings] == [(FindingKind.SPLIT, [1, 2])]
    assert found.coverage == 1.0


def test_numbered_units_of_both_sides_stay_single() -> None:
    numbered = plan(("阅读（一）", 2, ""), ("阅读（二）", 2, ""), LENS)
    assert compare(numbered, numbered).findings == ()
    assert [f.kind for f in compare(numbered[1:], numbered).findings] == [FindingKind.MISSING]


def test_the_periods_of_a_group_are_counted_together() -> None:
    found = compare(plan(("声现象与光现象", 3, ""), LENS), plan(SOUND, LIGHT, LENS))
    assert [f.kind for f in found.findings] == [FindingKind.MERGED, FindingKind.SHORTENED]
    assert found.coverage == pytest.approx(6 / 10)
    with use_locale("zh-CN"):
        assert [finding_text(f) for f in found.findings] == [
            "“声现象与光现象”把基准中的 2 个单元合并在一起：“声现象”、“光现象”。",
            "“声现象与光现象”安排了 3 课时，基准为 7 课时，少 4 课时。",
        ]


def test_objectives_that_the_plan_does_not_name_are_listed() -> None:
    theirs = [UnitDraft(1, "声现象", 4, objectives="1. 知道声音由振动产生\n2. 能区分音调与响度；3. 了解噪声的危害")]
    ours = [UnitDraft(1, "声现象", 4, objectives="理解声音是由物体振动产生的，声音由振动产生；能区分音调和响度")]
    found = compare(ours, theirs).findings
    assert [(f.kind, f.params["objectives"]) for f in found] == [(FindingKind.OBJECTIVE, ["了解噪声的危害"])]
    silent = compare([UnitDraft(1, "声现象", 4)], theirs).findings
    assert [finding_text(f) for f in silent] == [
        "The plan names no objectives; those of the benchmark cannot be compared."
    ]
