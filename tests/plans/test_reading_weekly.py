"""Plans week by week, as schools hand them in: without periods, with topics that go on, with lessons in brackets."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import docx
import pytest

from lms_bridge.core.errors import BadInputs, InputError
from lms_bridge.plans.reading import read_plan
from lms_bridge.plans.reading.merging import merged, without_counting
from lms_bridge.plans.units import PlanDocument, UnitDraft
from tests.plans.making import add_table, lines, word

TERM = (date(2026, 8, 31), date(2027, 1, 22))


def short(plan: PlanDocument) -> list[tuple[str, int, int | None, int | None]]:
    return [(unit.title, unit.periods, unit.week_from, unit.week_to) for unit in plan.units]


def told(plan: PlanDocument) -> list[str]:
    return [warning.text() for warning in plan.warnings]


WEEKS = [
    ("周次", "日期", "教学内容"),
    ("1", "9.1-9.4", "观潮\n走月亮"),
    ("2", "9.7-9.11", "• 繁星"),
    ("3", "9.14-9.18", "国庆放假"),
    ("4-5", "9.21-10.2", "期中复习"),
]


# --- no column of periods


def test_without_periods_one_is_assumed_for_each_line_and_week(tmp_path: Path) -> None:
    plan = read_plan(word(tmp_path / "a.docx", WEEKS), name="a.docx", term=TERM)
    assert short(plan) == [("观潮", 1, 1, 1), ("走月亮", 1, 1, 1), ("繁星", 1, 2, 2), ("期中复习", 2, 4, 5)]
    assert all("periods" in unit.assumed for unit in plan.units)
    assert any(text.startswith("The document gives no number of periods; one was assumed") for text in told(plan))


@pytest.mark.parametrize("said", ["每周4课时", "周课时：4节", "4 lessons a week", "Lessons per week: 4"])
def test_the_periods_a_week_that_the_document_names_are_shared(tmp_path: Path, said: str) -> None:
    plan = read_plan(word(tmp_path / "a.docx", WEEKS, title=f"语文教学计划 {said}"), name="a.docx", term=TERM)
    assert [unit.periods for unit in plan.units] == [2, 2, 4, 8]
    assert all("periods" in unit.assumed for unit in plan.units)
    assert any("the 4 periods of each week were shared" in text for text in told(plan))


def test_a_chapter_above_its_sections_in_a_cell_is_one_unit(tmp_path: Path) -> None:
    rows = [WEEKS[0], ("1", "9.1-9.4", "第一章 声现象\n第一节 声音\n第二节 声速"), *WEEKS[1:3]]
    unit = read_plan(word(tmp_path / "a.docx", rows), name="a.docx", term=TERM).units[0]
    assert (unit.title, unit.content) == ("第一章 声现象", "第一节 声音\n第二节 声速")


@pytest.mark.parametrize(
    "rows",
    [
        [("教学内容", "教学目标"), ("声", "知道"), ("光", "知道"), ("热", "知道")],
        [("日期", "内容"), ("9.1", "开学典礼"), ("10.15", "运动会"), ("12.1", "艺术节")],
        [("Week", "Topic", "Time"), ("1", "Sound", "Mon 8:00"), ("2", "Light", "Tue 8:00"), ("3", "Heat", "Wed 9:00")],
    ],
)
def test_where_it_is_not_sure_that_it_is_a_plan_a_person_is_asked(tmp_path: Path, rows: list[tuple[str, ...]]) -> None:
    with pytest.raises(InputError) as refused:
        read_plan(word(tmp_path / "a.docx", rows), name="a.docx", term=TERM)
    assert refused.value.code == "columns_unclear"


def test_periods_of_each_week_are_multiplied_by_the_weeks(tmp_path: Path) -> None:
    rows = [("周次", "课题", "周课时"), ("1-2", "声音", "4"), ("3", "光", "4"), ("4-6", "热", "3")]
    plan = read_plan(word(tmp_path / "a.docx", rows), name="a.docx")
    assert [(unit.periods, unit.assumed) for unit in plan.units] == [(8, ("periods",)), (4, ()), (9, ("periods",))]
    assert told(plan) == ["The periods a week in this column were multiplied by the weeks of each unit."]


def test_weeks_of_a_unit_in_a_merged_cell_add_up(tmp_path: Path) -> None:
    rows = [
        ("单元", "周次", "本周安排", "周课时"),
        ("声", "1", "新授", "3"),
        ("", "2", "练习", "3"),
        ("光", "3", "新授", "3"),
    ]
    plan = read_plan(word(tmp_path / "a.docx", rows, merges=[((1, 0), (2, 0))]), name="a.docx")
    assert short(plan) == [("声", 6, 1, 2), ("光", 3, 3, 3)]


def test_lines_that_name_their_weeks_and_no_periods(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("物理教学计划\n第1周：声音\n第2-3周：光\n第4周：热\n", encoding="utf-8")
    plan = read_plan(path, name="a.txt")
    assert short(plan) == [("声音", 1, 1, 1), ("光", 2, 2, 3), ("热", 1, 4, 4)]
    assert all("periods" in unit.assumed for unit in plan.units)


# --- topics that go on


@pytest.mark.parametrize("again", ["声音（续）", "声音(接上周)", "声音", "同上", "〃", "ditto", '"', "声音 (cont.)"])
def test_a_topic_that_goes_on_is_one_unit(tmp_path: Path, again: str) -> None:
    rows = [("周次", "课题", "课时", "目标"), ("1", "声音", "2", "知道"), ("2", again, "1", ""), ("3", "光", "3", "")]
    plan = read_plan(word(tmp_path / "a.docx", rows), name="a.docx")
    assert short(plan) == [("声音", 3, 1, 2), ("光", 3, 3, 3)]
    assert plan.units[0].assumed == ("periods", "week_to")
    assert plan.units[0].provenance["to_row"] == 3
    assert [unit.sequence for unit in plan.units] == [1, 2]
    assert told(plan) == ["1 units stand in several rows, as they go on; each was read as one, its periods added up."]


def test_the_same_title_later_is_another_unit(tmp_path: Path) -> None:
    rows = [("周次", "课题", "课时"), ("1", "复习", "2"), ("2", "光", "3"), ("3", "复习", "2")]
    assert len(read_plan(word(tmp_path / "a.docx", rows), name="a.docx").units) == 3


def test_units_with_the_keys_of_a_system_are_never_put_together() -> None:
    units = [UnitDraft(1, "Sound", 2, key="a"), UnitDraft(2, "Sound", 2, key="b")]
    assert merged(units, "a.docx") == (units, [])


def test_lessons_counted_behind_their_topic_lose_the_number_and_other_names_keep_it() -> None:
    titles = ["圆（1）", "圆（2）", "角（2）", "Light, Day 1", "Light, Day 2", "第一课（第1课时）", "Part 1"]
    units = [UnitDraft(n, title, 1) for n, title in enumerate(titles, 1)]
    assert [unit.title for unit in without_counting(units)] == [
        "圆", "圆", "角（2）", "Light", "Light", "第一课（第1课时）", "Part 1",
    ]  # fmt: skip


# --- lessons in brackets


def test_bare_numbers_in_brackets_are_periods_where_the_heading_says_so(tmp_path: Path) -> None:
    rows = [
        ("周次", "教学内容及课时安排"),
        ("1", "观潮（3） 走月亮（2）"),
        ("2", "走月亮（1）\n圆（一）（2）"),
        ("3", "运动会"),
        ("4", "繁星（2）；推荐一个好地方（3）"),
    ]
    plan = read_plan(word(tmp_path / "a.docx", [*rows[:3], rows[4]]), name="a.docx")
    assert short(plan) == [
        ("观潮", 3, 1, 1), ("走月亮", 3, 1, 2), ("圆（一）", 2, 2, 2), ("繁星", 2, 4, 4), ("推荐一个好地方", 3, 4, 4),
    ]  # fmt: skip
    assert plan.units[0].assumed == ()


def test_numbers_that_count_the_parts_of_a_topic_are_no_periods(tmp_path: Path) -> None:
    rows = [("周次", "内容"), ("1", "圆（1）"), ("2", "圆（2）"), ("3", "角（1）"), ("4", "角（2）")]
    plan = read_plan(word(tmp_path / "a.docx", rows), name="a.docx")
    assert [(unit.title, unit.periods) for unit in plan.units][:2] == [("圆（1）", 1), ("圆（2）", 1)]


def test_units_beside_each_other_with_their_periods(tmp_path: Path) -> None:
    rows = [("周次", "教学内容", "课时"), ("1", "声音（2课时） 声速（1课时）", "3"), ("2", "光", "2")]
    plan = read_plan(word(tmp_path / "a.docx", rows), name="a.docx")
    assert short(plan) == [("声音", 2, 1, 1), ("声速", 1, 1, 1), ("光", 2, 2, 2)]


# --- time


def test_days_beside_a_column_of_months(tmp_path: Path) -> None:
    rows = [
        ("月份", "周次", "日期", "内容", "课时"),
        ("九月", "4", "21—25", "声", "2"),
        ("", "5", "28—10.2", "光", "2"),
        ("十月", "6", "5～9日", "热", "2"),
    ]
    plan = read_plan(word(tmp_path / "a.docx", rows, merges=[((1, 0), (2, 0))]), name="a.docx", term=TERM)
    assert [(unit.date_from, unit.date_to) for unit in plan.units] == [
        (date(2026, 9, 21), date(2026, 9, 25)),
        (date(2026, 9, 28), date(2026, 10, 2)),
        (date(2026, 10, 5), date(2026, 10, 9)),
    ]


def test_the_monday_of_a_week_ends_it_on_friday_and_says_so(tmp_path: Path) -> None:
    rows = [
        ("Week", "Topic", "Lessons"),
        ("Wk 1-2 (w/b 31 Aug)", "Sound", "6"),
        ("Week 3: w/c 14 September", "Light", "3"),
    ]
    units = read_plan(word(tmp_path / "a.docx", rows), name="a.docx", term=TERM).units
    assert [(u.week_from, u.week_to, u.date_from, u.date_to) for u in units] == [
        (1, 2, date(2026, 8, 31), date(2026, 9, 11)), (3, 3, date(2026, 9, 14), date(2026, 9, 18)),
    ]  # fmt: skip
    assert "date_to" in units[0].assumed


def test_first_and_last_week_in_columns_of_their_own_below_lines_about_the_report(tmp_path: Path) -> None:
    rows = [("Report: plan", "", "", ""), ("Start week", "End week", "Unit title", "Periods"), ("1", "2", "Sound", "6"),
            ("3", "3", "Light", "3"), ("2 records", "", "", "")]  # fmt: skip
    path = tmp_path / "a.csv"
    path.write_text(lines(rows), encoding="utf-8")
    assert short(read_plan(path, name="a.csv")) == [("Sound", 6, 1, 2), ("Light", 3, 3, 3)]


def test_weeks_counted_anew_in_another_part_of_the_year_are_left_open(tmp_path: Path) -> None:
    def two(first: str, second: str) -> Path:
        document = docx.Document()
        for caption, rows in (
            (first, [("1", "声", "2"), ("2", "光", "3")]),
            (second, [("1", "热", "2"), ("2", "力", "3")]),
        ):
            document.add_paragraph(caption)
            add_table(document, [("周次", "教学内容", "课时"), *rows])
        document.save(str(tmp_path / "a.docx"))
        return tmp_path / "a.docx"

    plan = read_plan(two("第一学期", "第二学期"), name="a.docx")
    assert [(unit.title, unit.week_from) for unit in plan.units] == [("声", 1), ("光", 2), ("热", None), ("力", None)]
    assert "The weeks of this table are counted anew, so they were left open." in told(plan)
    with pytest.raises(BadInputs) as refused:
        read_plan(two("一班", "二班"), name="a.docx")
    assert "begins with week 1, but the one before it ends with week 2" in str(refused.value.problems[0])
