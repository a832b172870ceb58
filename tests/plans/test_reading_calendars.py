"""Calendars and schemes of work: lessons by weekday, weeks as columns, a row for each lesson, columns told by what
stands below them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import docx
import pytest

from lms_bridge.core.errors import BadInputs
from lms_bridge.plans.reading import read_plan
from lms_bridge.plans.units import PlanDocument
from tests.plans.making import excel, lines, word

TERM = (date(2026, 8, 31), date(2027, 1, 22))


def short(plan: PlanDocument) -> list[tuple[str, int, int | None, int | None]]:
    return [(unit.title, unit.periods, unit.week_from, unit.week_to) for unit in plan.units]


def told(plan: PlanDocument) -> list[str]:
    return [warning.text() for warning in plan.warnings]


# --- calendars


def test_a_lesson_in_the_cell_of_each_weekday(tmp_path: Path) -> None:
    rows = [
        ("周次", "周一", "周二", "周三", "周四", "周五"),
        ("1", "8.31", "9.1\n声音（1）", "9.2\n声音（2）", "9.3", "9.4\n光"),
        ("2", "国庆放假", "", "", "", ""),
        ("3", "9.14\n光", "", "", "热（第1课时）", "热（第2课时）"),
    ]
    path = word(tmp_path / "a.docx", rows, merges=[((2, 1), (2, 5))])
    plan = read_plan(path, name="a.docx", term=TERM)
    assert short(plan) == [("声音", 2, 1, 1), ("光", 2, 1, 3), ("热", 2, 3, 3)]
    assert (plan.units[0].date_from, plan.units[0].date_to) == (date(2026, 9, 1), date(2026, 9, 2))
    assert "periods" in plan.units[0].assumed
    assert "Each row was read as one lesson, because the document numbers or dates them so." in told(plan)


@pytest.mark.parametrize("mark", ["2", "■"])
def test_units_in_rows_and_weeks_as_columns(tmp_path: Path, mark: str) -> None:
    rows = [
        ("教学内容", "九月", "", "十月", "合计"),
        ("", "第1周", "第2周", "第3周", ""),
        ("声音", mark, mark, "", "4"),
        ("光", "", "", mark, "2"),
        ("合计", "", "", "", "6"),
    ]
    plan = read_plan(excel(tmp_path / "a.xlsx", rows, merges=["A1:A2", "B1:C1", "E1:E2"]), name="a.xlsx")
    assert short(plan)[0][2:] == (1, 2)
    assert [(unit.week_from, unit.week_to) for unit in plan.units] == [(1, 2), (3, 3)]


def test_squares_without_a_sum_are_added_up_and_marked(tmp_path: Path) -> None:
    rows = [("Topic", "W1", "W2", "W3"), ("Sound", "2", "1", ""), ("Light", "", "2", "3")]
    path = tmp_path / "a.csv"
    path.write_text(lines(rows), encoding="utf-8")
    plan = read_plan(path, name="a.csv")
    assert short(plan) == [("Sound", 3, 1, 2), ("Light", 5, 2, 3)]
    assert plan.units[0].assumed == ("periods",)


@pytest.mark.parametrize("corner", ["", "周次"])
def test_weeks_as_columns_without_periods_and_with_an_empty_corner(tmp_path: Path, corner: str) -> None:
    rows = [(corner, "第1周\n8.31-9.4", "第2周\n9.7-9.11", "第3周\n9.14-9.18"), ("教学内容", "声音", "光", "热"),
            ("教学目标", "知道", "知道", "知道")]  # fmt: skip
    plan = read_plan(word(tmp_path / "a.docx", rows), name="a.docx", term=TERM)
    assert short(plan) == [("声音", 1, 1, 1), ("光", 1, 2, 2), ("热", 1, 3, 3)]
    assert plan.units[1].date_from == date(2026, 9, 7)


def test_the_topic_below_the_week_in_one_cell(tmp_path: Path) -> None:
    rows = [("Week", "Learning intentions"), ("Week 1\nSound", "• know"), ("Week 2\nHalf-term break", ""),
            ("Week 3\nLight", "• tell"), ("Week 4\nHeat", "• explain")]  # fmt: skip
    plan = read_plan(word(tmp_path / "a.docx", rows), name="a.docx")
    assert short(plan) == [("Sound", 1, 1, 1), ("Light", 1, 3, 3), ("Heat", 1, 4, 4)]
    assert plan.units[0].objectives == "• know"


# --- a row for each lesson


def test_a_row_for_each_lesson_with_its_day(tmp_path: Path) -> None:
    rows = [("Lesson", "Date", "Week", "Topic"), *(
        (str(n), day, week, topic)
        for n, (day, week, topic) in enumerate(
            [("2026-09-01", "1", "Sound"), ("2026-09-03", "1", "Sound"), ("2026-09-08", "2", "Light")], 1
        )
    )]  # fmt: skip
    plan = read_plan(word(tmp_path / "a.docx", rows), name="a.docx")
    assert short(plan) == [("Sound", 2, 1, 1), ("Light", 1, 2, 2)]
    assert (plan.units[0].date_from, plan.units[0].date_to) == (date(2026, 9, 1), date(2026, 9, 3))
    assert "periods" in plan.units[0].assumed


def test_the_time_of_the_day_is_no_number_of_periods(tmp_path: Path) -> None:
    rows = [("Date", "Day", "Period", "Topic"), ("2026-09-01", "Tue", "3", "Sound"),
            ("2026-09-02", "Wed", "5", "Sound"), ("2026-09-08", "Tue", "3", "Light")]  # fmt: skip
    path = tmp_path / "a.csv"
    path.write_text(lines(rows), encoding="utf-8")
    assert [(unit.title, unit.periods) for unit in read_plan(path, name="a.csv").units] == [("Sound", 2), ("Light", 1)]


# --- columns told by what stands below them


def test_numbers_of_lessons_are_counted_below_topic_and_subtopic(tmp_path: Path) -> None:
    rows = [("WK", "LSN", "TOPIC", "SUB-TOPIC"), ("1", "1, 2", "MOTION", "Speed"), ("1", "3-5", "MOTION", "Velocity"),
            ("2", "1", "FORCE", "Friction")]  # fmt: skip
    plan = read_plan(word(tmp_path / "a.docx", rows), name="a.docx")
    assert [(unit.title, unit.periods) for unit in plan.units] == [
        ("MOTION Speed", 2), ("MOTION Velocity", 3), ("FORCE Friction", 1),
    ]  # fmt: skip


def test_a_range_of_periods_is_not_taken_for_numbers_of_lessons(tmp_path: Path) -> None:
    rows = [("Week", "Topic", "Lessons"), ("1", "Sound", "2-3"), ("2", "Light", "4"), ("3", "Heat", "5-6")]
    with pytest.raises(BadInputs) as refused:
        read_plan(word(tmp_path / "a.docx", rows), name="a.docx")
    assert "A range of periods leaves open" in str(refused.value.problems[0])


def kinds(*names: str, rows: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    return [("周次", "内容", "课时", *[""] * (len(names) - 1)), ("", "", *names), *rows]


def test_kinds_of_periods_with_their_sum(tmp_path: Path) -> None:
    rows = kinds("新授", "练习", "合计", rows=[("1", "声", "2", "1", "3"), ("2", "光", "4", "", "4")])
    merges = [((0, 0), (1, 0)), ((0, 1), (1, 1)), ((0, 2), (0, 4))]
    plan = read_plan(word(tmp_path / "a.docx", rows, merges=merges), name="a.docx")
    assert [(unit.periods, unit.assumed, unit.homework) for unit in plan.units] == [(3, (), ""), (4, (), "")]


def test_kinds_of_periods_without_their_sum_are_added_up_and_marked(tmp_path: Path) -> None:
    rows = kinds("新授", "复习", rows=[("1", "声", "2", "1"), ("2", "光", "4", "")])
    merges = [((0, 0), (1, 0)), ((0, 1), (1, 1)), ((0, 2), (0, 3))]
    plan = read_plan(word(tmp_path / "a.docx", rows, merges=merges), name="a.docx")
    assert [(unit.periods, unit.assumed) for unit in plan.units] == [(3, ("periods",)), (4, ("periods",))]
    assert told(plan) == ["The periods in these columns were added up."]


def test_planned_and_really_given_periods_are_not_added_up(tmp_path: Path) -> None:
    rows = kinds("计划", "实际", rows=[("1", "声", "2", "1"), ("2", "光", "4", "4")])
    merges = [((0, 0), (1, 0)), ((0, 1), (1, 1)), ((0, 2), (0, 3))]
    plan = read_plan(word(tmp_path / "a.docx", rows, merges=merges), name="a.docx")
    assert [(unit.periods, unit.assumed) for unit in plan.units] == [(2, ()), (4, ())]


def test_school_days_are_periods_only_where_nothing_else_is(tmp_path: Path) -> None:
    head, row = ("Unit", "Dates", "Days"), ("Sound", "Sep 1 - Sep 4", "4 days")
    more = [("Light", "Sep 7 - Sep 8", "2"), ("Flex days", "", ""), ("Heat", "Sep 9", "1 day")]
    plan = read_plan(word(tmp_path / "a.docx", [head, row, *more]), name="a.docx", term=TERM)
    assert [(unit.title, unit.periods, "periods" in unit.assumed) for unit in plan.units] == [
        ("Sound", 4, True), ("Light", 2, True), ("Heat", 1, True),
    ]  # fmt: skip
    both = [(*head, "Lessons"), (*row, "3")]
    assert read_plan(word(tmp_path / "b.docx", both), name="b.docx", term=TERM).units[0].periods == 3


def test_time_holds_periods_where_amounts_stand_below_it(tmp_path: Path) -> None:
    rows = [("Week", "Topic", "Time"), ("1", "Sound", "2 lessons"), ("2", "Light", "90 min")]
    plan = read_plan(word(tmp_path / "a.docx", rows), name="a.docx")
    assert [unit.periods for unit in plan.units] == [2, 2]


def test_time_kept_free_is_no_unit(tmp_path: Path) -> None:
    rows = [("周次", "教学内容", "课时"), ("1", "声", "2"), ("2", "机动", "2"), ("3", "光", "2")]
    plan = read_plan(word(tmp_path / "a.docx", rows), name="a.docx")
    assert [unit.title for unit in plan.units] == ["声", "光"]
    assert told(plan) == ["This row is time kept free, not a unit, and was left out."]


# --- typed tables


@pytest.mark.parametrize("gap", ["\t", "　　", "    "])
def test_columns_held_apart_by_wide_spaces(tmp_path: Path, gap: str) -> None:
    rows = [("周次", "日期", "教学内容", "课时"), ("第１周", "９月１日－９月４日", "声音", "２课时"),
            ("第２周", "９月７日－９月１１日", "期中考试"),
            ("第３周", "９月１４日－９月１８日", "光", "３课时")]  # fmt: skip
    path = tmp_path / "a.txt"
    path.write_text("\n".join(["物理教学进度", "", *(gap.join(row) for row in rows)]), encoding="utf-8")
    plan = read_plan(path, name="a.txt", term=TERM)
    assert short(plan) == [("声音", 2, 1, 1), ("光", 3, 3, 3)]
    assert plan.units[1].date_to == date(2026, 9, 18)


def test_a_typed_table_in_word_names_the_paragraph_of_a_problem(tmp_path: Path) -> None:
    document = docx.Document()
    for line in ("物理教学进度", "周次\t教学内容\t课时", "1\t声音\t2", "2\t光\t许多", "3\t热\t3"):
        document.add_paragraph(line)
    document.save(str(tmp_path / "a.docx"))
    with pytest.raises(BadInputs) as refused:
        read_plan(tmp_path / "a.docx", name="a.docx")
    place = refused.value.problems[0].place
    assert place is not None
    assert (place.paragraph, place.column, place.value) == (4, "课时", "许多")


def test_numbered_aims_and_measures_around_a_numbered_plan(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    text = ["一、教学目标", "1. 掌握基础知识", "2. 养成习惯", "二、教学进度", "1. 第1周：声音（2课时）",
            "2. 第2周：光（3课时）",
            "三、措施", "1. 认真备课", "2. 每周小测"]  # fmt: skip
    path.write_text("\n".join(text), encoding="utf-8")
    assert short(read_plan(path, name="a.txt")) == [("声音", 2, 1, 1), ("光", 3, 2, 2)]
