"""Tables as schools lay them out: headings in two rows, weeks side by side, forms, several tables and sheets."""

from __future__ import annotations

import datetime
from pathlib import Path

import docx
import openpyxl
import pytest

from lms_bridge.core.errors import BadInputs, InputError
from lms_bridge.plans.reading import read_plan
from lms_bridge.plans.units import PlanDocument
from tests.plans.making import add_table, excel, lines, word

TERM = (datetime.date(2026, 8, 31), datetime.date(2027, 1, 22))


def short(plan: PlanDocument) -> list[tuple[str, int, int | None]]:
    """What a teacher would check first: title, periods, first week."""
    return [(unit.title, unit.periods, unit.week_from) for unit in plan.units]


# --- headings


def test_joint_headings_above_their_parts(tmp_path: Path) -> None:
    rows = [
        ("教学时间", "", "教学内容", "课时", "教学目标", "", ""),
        ("周次", "日期", "", "", "知识与技能", "过程与方法", "情感"),
        ("1", "9.1-9.4", "声音的产生", "2", "知道声音由振动产生", "实验", "兴趣"),
        ("2", "9.7-9.11", "声音的特性", "3", "区分音调和响度", "", ""),
    ]
    merges = [((0, 0), (0, 1)), ((0, 2), (1, 2)), ((0, 3), (1, 3)), ((0, 4), (0, 6))]
    plan = read_plan(word(tmp_path / "a.docx", rows, merges=merges), name="a.docx", term=TERM)
    assert short(plan) == [("声音的产生", 2, 1), ("声音的特性", 3, 2)]
    assert plan.units[0].date_from == datetime.date(2026, 9, 1)
    assert plan.units[0].objectives.splitlines() == [
        "知识与技能: 知道声音由振动产生",
        "过程与方法: 实验",
        "教学目标 情感: 兴趣",
    ]
    assert plan.units[0].provenance["row"] == 3


def test_joint_headings_in_a_sheet_without_merges(tmp_path: Path) -> None:
    rows = [("教学时间", "", "教学内容", "课时"), ("周次", "日期", "", ""), ("1", "9.1", "声音", "2")]
    path = tmp_path / "a.csv"
    path.write_text(lines(rows), encoding="utf-8")
    assert short(read_plan(path, name="a.csv")) == [("声音", 2, 1)]


def test_what_was_really_done_is_not_mixed_with_the_plan(tmp_path: Path) -> None:
    rows = [
        ("周次", "计划", "", "实际完成", ""),
        ("", "教学内容", "课时", "教学内容", "课时"),
        ("1", "声音", "2", "声音的产生", "3"),
    ]
    merges = [((0, 0), (1, 0)), ((0, 1), (0, 2)), ((0, 3), (0, 4))]
    plan = read_plan(word(tmp_path / "a.docx", rows, merges=merges), name="a.docx")
    assert short(plan) == [("声音", 2, 1)]
    assert [w.place.column for w in plan.warnings if w.place] == ["实际完成 教学内容", "实际完成 课时"]


def test_headings_again_in_the_middle_may_stand_in_another_order(tmp_path: Path) -> None:
    rows = [
        ("初二物理教学进度", "", ""),
        ("周次", "教学内容", "课时"),
        ("1", "声音", "2"),
        ("周次", "教学内容", "课时"),
        ("2", "光", "3"),
        ("课时", "周次", "教学内容"),
        ("4", "3", "透镜"),
    ]
    plan = read_plan(word(tmp_path / "a.docx", rows, merges=[((0, 0), (0, 2))]), name="a.docx")
    assert plan.title == "初二物理教学进度"
    assert short(plan) == [("声音", 2, 1), ("光", 3, 2), ("透镜", 4, 3)]


def test_columns_may_stand_in_any_order(tmp_path: Path) -> None:
    rows = [("Remarks", "Periods", "Homework", "Topic", "Week"), ("quiz", "3", "p. 4", "Light", "2")]
    plan = read_plan(word(tmp_path / "a.docx", rows), name="a.docx")
    assert short(plan) == [("Light", 3, 2)]
    assert (plan.units[0].remarks, plan.units[0].homework) == ("quiz", "p. 4")


@pytest.mark.parametrize(
    ("heading", "cell"), [("课时（分钟）", "90"), ("Time (min)", "90"), ("Duration", "1.5 h"), ("课时（小时）", "1.5")]
)
def test_columns_of_clock_time_become_periods_and_say_so(tmp_path: Path, heading: str, cell: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(lines([("课题", heading), ("声音", cell)]), encoding="utf-8")
    unit = read_plan(path, name="a.csv").units[0]
    assert (unit.periods, unit.assumed) == (2, ("periods",))


def test_the_schools_own_length_of_a_period_counts(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(lines([("课题", "课时"), ("声音", "80分钟")]), encoding="utf-8")
    assert read_plan(path, name="a.csv", minutes=40).units[0].periods == 2
    with pytest.raises(BadInputs, match="1 problem") as refused:
        read_plan(path, name="a.csv", minutes=45)
    assert "80 minutes are not a whole number of periods of 45 minutes" in str(refused.value.problems[0])


def test_periods_a_week_are_not_taken_for_those_of_the_unit(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(lines([("周次", "课题", "课时（每周）"), ("1-2", "声音", "4")]), encoding="utf-8")
    with pytest.raises(InputError, match="no column for the number of periods"):
        read_plan(path, name="a.csv")


# --- turned over


ROTATED = [
    ("周次", "第1周", "第2周", "第3-4周"),
    ("教学内容", "声音的产生", "声音的特性", "光的反射"),
    ("课时", "2", "3", "6课时"),
    ("作业", "第3页", "", "第9页"),
]


def test_weeks_as_columns(tmp_path: Path) -> None:
    plan = read_plan(word(tmp_path / "a.docx", ROTATED, title="物理教学进度"), name="a.docx")
    assert plan.title == "物理教学进度"
    assert short(plan) == [("声音的产生", 2, 1), ("声音的特性", 3, 2), ("光的反射", 6, 3)]
    assert plan.units[2].provenance == {"table": 1, "column": 4, "when": "第3-4周"}
    assert plan.units[2].homework == "第9页"
    assert not plan.warnings


def test_weeks_as_columns_that_go_on_in_a_second_block_below(tmp_path: Path) -> None:
    rows = [
        ("物理教学进度", "", ""),
        ("周次", "1", "2"), ("内容", "声音", "国庆放假"), ("课时", "2", ""),
        ("周次", "3", "4"), ("内容", "光", "透镜"), ("课时", "4", "3"),
    ]  # fmt: skip
    plan = read_plan(excel(tmp_path / "a.xlsx", rows, merges=["A1:C1"]), name="a.xlsx")
    assert plan.title == "物理教学进度"
    assert short(plan) == [("声音", 2, 1), ("光", 4, 3), ("透镜", 3, 4)]
    assert [w.text() for w in plan.warnings] == ["This row is a holiday, not a unit, and was left out."]


def test_problems_of_a_turned_over_table_are_named_as_the_person_sees_it(tmp_path: Path) -> None:
    rows = [*ROTATED[:2], ("课时", "2", "许多", "6"), ROTATED[3]]
    with pytest.raises(BadInputs) as refused:
        read_plan(word(tmp_path / "a.docx", rows), name="a.docx")
    place = refused.value.problems[0].place
    assert place is not None
    assert (place.table, place.row, place.column, place.value) == (1, 3, 3, "许多")


def test_a_unit_merged_over_two_weeks_in_a_turned_over_table(tmp_path: Path) -> None:
    rows = [("周次", "1", "2", "3"), ("单元", "声音", "", "光"), ("课时", "3", "4", "2")]
    plan = read_plan(word(tmp_path / "a.docx", rows, merges=[((1, 1), (1, 2))]), name="a.docx")
    assert [(u.title, u.periods, u.week_from, u.week_to) for u in plan.units] == [("声音", 7, 1, 2), ("光", 2, 3, 3)]
    assert plan.units[0].assumed == ("periods",)


# --- forms


def test_a_form_for_each_unit(tmp_path: Path) -> None:
    def form(title: str, periods: str, week: str) -> list[tuple[str, ...]]:
        return [
            ("单元名称", title, "课时", periods),
            ("周次", week, "作业", "练习册"),
            ("教学目标", f"理解{title}", "", ""),
        ]

    document = docx.Document()
    for values in (("声现象", "4课时", "1-2"), ("光现象", "6", "第3周")):
        add_table(document, form(*values), [((2, 1), (2, 3))])
        document.add_paragraph("")
    document.save(str(tmp_path / "a.docx"))
    plan = read_plan(tmp_path / "a.docx", name="a.docx")
    assert short(plan) == [("声现象", 4, 1), ("光现象", 6, 3)]
    assert plan.units[1].objectives == "理解光现象"
    assert [unit.provenance["table"] for unit in plan.units] == [1, 2]


def test_forms_below_each_other_in_one_table(tmp_path: Path) -> None:
    rows = [
        ("学科", "物理", "年级", "八年级"),
        ("周次", "1", "课题", "声音的产生"), ("课时", "2", "作业", "第3页"),
        ("周次", "2", "课题", "声音的特性"), ("课时", "3", "作业", ""),
    ]  # fmt: skip
    plan = read_plan(word(tmp_path / "a.docx", rows), name="a.docx")
    assert short(plan) == [("声音的产生", 2, 1), ("声音的特性", 3, 2)]


# --- several units in one cell


@pytest.mark.parametrize("periods", ["3", ""])
def test_several_units_in_one_cell_with_their_own_periods(tmp_path: Path, periods: str) -> None:
    rows = [
        ("周次", "教学内容", "课时", "作业"),
        ("第1周", "1.1 声音（2课时）\n1.2 声速（1课时）", periods, "第3页"),
        ("第2周", "1.3 噪声", "2", ""),
    ]
    plan = read_plan(word(tmp_path / "a.docx", rows), name="a.docx")
    assert short(plan) == [("1.1 声音", 2, 1), ("1.2 声速", 1, 1), ("1.3 噪声", 2, 2)]
    assert [unit.assumed for unit in plan.units] == [("homework",), ("homework",), ()]
    assert [unit.provenance.get("part") for unit in plan.units] == [1, 2, None]


def test_units_and_periods_line_by_line(tmp_path: Path) -> None:
    rows = [("Week", "Topic", "Periods"), ("1\n2", "Sound\nLight", "2\n3")]
    plan = read_plan(word(tmp_path / "a.docx", rows), name="a.docx")
    assert short(plan) == [("Sound", 2, 1), ("Light", 3, 2)]


def test_units_in_one_cell_that_do_not_add_up_are_refused(tmp_path: Path) -> None:
    rows = [("周次", "教学内容", "课时"), ("1", "声音（2课时）\n声速（1课时）", "4")]
    with pytest.raises(BadInputs) as refused:
        read_plan(word(tmp_path / "a.docx", rows), name="a.docx")
    assert "add up to 3 periods, but the row gives 4" in str(refused.value.problems[0])


def test_a_table_without_a_column_for_periods_that_stand_behind_the_names(tmp_path: Path) -> None:
    rows = [
        ("周次", "教学内容", "教学目标"),
        ("1-2", "第一单元 声现象（6课时）", "知道声音的产生"),
        ("3", "第二单元 光现象(共4课时)", ""),
        ("4", "期中考试", ""),
    ]
    plan = read_plan(word(tmp_path / "a.docx", rows), name="a.docx")
    assert short(plan) == [("第一单元 声现象", 6, 1), ("第二单元 光现象", 4, 3)]
    missing = [*rows[:3], ("5", "第三单元 透镜", "")]
    with pytest.raises(BadInputs) as refused:
        read_plan(word(tmp_path / "b.docx", missing), name="b.docx")
    assert "has no number of periods" in str(refused.value.problems[0])


def test_a_unit_with_its_lessons_below_it_is_one_unit(tmp_path: Path) -> None:
    rows = [
        ("单元", "教学内容", "课时"),
        ("声现象", "声音（2课时）\n声速（1课时）", "3"),
        ("光现象", "反射（2课时）\n折射（2课时）", "5"),
    ]
    plan = read_plan(word(tmp_path / "a.docx", rows), name="a.docx")
    assert short(plan) == [("声现象", 3, None), ("光现象", 5, None)]
    assert [(w.place.row, w.text()) for w in plan.warnings if w.place] == [
        (3, "The parts of this unit add up to 4 periods, the column says 5.")
    ]


def test_lessons_beside_a_unit_whose_periods_span_them_are_its_content(tmp_path: Path) -> None:
    rows = [("单元", "课题", "课时"), ("声现象", "声音", "3"), ("", "声速", ""), ("光现象", "反射", "2")]
    path = word(tmp_path / "a.docx", rows, merges=[((1, 0), (2, 0)), ((1, 2), (2, 2))])
    plan = read_plan(path, name="a.docx")
    assert [(u.title, u.content, u.periods) for u in plan.units] == [("声现象", "声音\n声速", 3), ("光现象", "反射", 2)]


def test_periods_in_the_name_that_contradict_the_column_are_named(tmp_path: Path) -> None:
    rows = [("单元", "课时"), ("声现象（4课时）", "4"), ("光现象（6课时）", "5")]
    plan = read_plan(word(tmp_path / "a.docx", rows), name="a.docx")
    assert short(plan) == [("声现象", 4, None), ("光现象（6课时）", 5, None)]
    assert [w.text() for w in plan.warnings] == ["The name says 6 periods, the column 5; the column was taken."]


# --- several tables and sheets


def sheets(path: Path, *parts: tuple[str, list[tuple[object, ...]]]) -> Path:
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.worksheets[0])
    for name, rows in parts:
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    workbook.save(path)
    return path


HEAD = ("周次", "教学内容", "课时")


def test_a_sheet_for_each_month_is_one_plan(tmp_path: Path) -> None:
    path = sheets(
        tmp_path / "a.xlsx",
        ("说明", [("学校", "第三中学"), ("教师", "王芳")]),
        ("九月", [HEAD, ("1", "声音", 2), ("2", "声速", 3)]),
        ("十月", [HEAD, ("5", "光", 4)]),
    )
    plan = read_plan(path, name="a.xlsx")
    assert short(plan) == [("声音", 2, 1), ("声速", 3, 2), ("光", 4, 5)]
    assert [u.provenance["table"] for u in plan.units] == ["九月", "九月", "十月"]
    assert [str(w) for w in plan.warnings] == [
        "a.xlsx, table 说明: This table has no headings of a plan and was left out.",
        "a.xlsx: Tables 九月, 十月 were read as one plan.",
    ]


def test_sheets_without_weeks_are_one_plan_only_where_their_names_say_so(tmp_path: Path) -> None:
    head = ("教学内容", "课时")
    by_month = sheets(tmp_path / "a.xlsx", ("9月", [head, ("声音", 2)]), ("10月", [head, ("光", 4)]))
    assert len(read_plan(by_month, name="a.xlsx").units) == 2
    by_class = sheets(tmp_path / "b.xlsx", ("七1班", [head, ("声音", 2)]), ("七2班", [head, ("光", 4)]))
    with pytest.raises(InputError, match="七1班, 七2班"):
        read_plan(by_class, name="b.xlsx")


def test_sheets_whose_dates_go_back_are_different_plans(tmp_path: Path) -> None:
    head = ("日期", "教学内容", "课时")
    path = sheets(
        tmp_path / "a.xlsx",
        ("物理", [head, ("2026-09-01 - 2026-11-01", "声音", 2)]),
        ("化学", [head, ("2026-09-01 - 2026-09-09", "水", 4)]),
    )
    with pytest.raises(InputError, match="物理, 化学"):
        read_plan(path, name="a.xlsx")


def test_tables_of_one_plan_may_differ_in_their_descriptions(tmp_path: Path) -> None:
    document = docx.Document()
    add_table(document, [("周次", "教学内容", "课时", "作业"), ("1", "声音", "2", "第3页")])
    document.add_paragraph("下半学期")
    add_table(document, [("周次", "课时", "教学内容"), ("10", "3", "光")])
    document.save(str(tmp_path / "a.docx"))
    assert short(read_plan(tmp_path / "a.docx", name="a.docx")) == [("声音", 2, 1), ("光", 3, 10)]


# --- rows that are no units


def test_signatures_notes_and_totals_at_the_end(tmp_path: Path) -> None:
    rows = [
        HEAD,
        ("1", "声音", "2"),
        ("2", "光", "3"),
        ("", "小计", "5"),
        ("3", "透镜", "4"),
        ("合计：9课时", "", ""),
        ("备注：实验课在实验室上", "", ""),
        ("教研组长签字：", "", "日期：    年  月  日"),
    ]
    plan = read_plan(word(tmp_path / "a.docx", rows), name="a.docx")
    assert short(plan) == [("声音", 2, 1), ("光", 3, 2), ("透镜", 4, 3)]
    assert [(w.place.row, w.text()) for w in plan.warnings if w.place] == [
        (7, "This row is a note, not a unit, and was left out."),
        (8, "This row is for signatures, not a unit, and was left out."),
    ]


def test_a_total_that_differs_is_named(tmp_path: Path) -> None:
    for row in (("", "合计", "10"), ("合计", "", "10"), ("Total: 10 periods", "", "")):
        plan = read_plan(word(tmp_path / "a.docx", [HEAD, ("1", "声音", "2"), row]), name="a.docx")
        assert [w.text() for w in plan.warnings] == [
            "The document gives 10 periods in all, but its units add up to 2."
        ], row


def test_weeks_written_once_for_the_rows_below_are_filled_in_and_marked(tmp_path: Path) -> None:
    rows = [HEAD, ("1", "声音", 2), (None, "声速", 1), ("2", "光", 3), (None, "影", 1), ("5", "透镜", 2)]
    plan = read_plan(excel(tmp_path / "a.xlsx", rows), name="a.xlsx")
    assert [(u.week_from, u.assumed) for u in plan.units] == [
        (1, ()),
        (1, ("week_from", "week_to")),
        (2, ()),
        (None, ()),
        (5, ()),
    ]
    assert [(w.place.row, w.text()) for w in plan.warnings if w.place] == [
        (5, "The week of this unit was left open: it may be that of the row above or a later one.")
    ]


def test_a_unit_above_repeated_headings_is_not_taken_for_one_of_them(tmp_path: Path) -> None:
    head = ("Week", "Periods", "Lesson topic", "Focus / difficulties")
    rows = [head, ("1", "2", "1.5 Energy", "efficiency"), ("2", "2", "1.6 Pressure", "units"), head,
            ("3", "3", "2.1 Particles", "motion")]  # fmt: skip
    assert [unit.title for unit in read_plan(word(tmp_path / "p.docx", rows), name="p.docx").units] == [
        "1.5 Energy", "1.6 Pressure", "2.1 Particles",
    ]  # fmt: skip


def test_counted_lines_of_a_week_are_units_without_their_counting(tmp_path: Path) -> None:
    rows = [
        ("周", "教学内容"),
        ("第一周", "1、4 古诗三首（2课时）\n2、5 铺满金色巴掌的水泥道（1课时）"),
        ("第二周", "秋天的雨（2课时）"),
    ]
    units = read_plan(word(tmp_path / "p.docx", rows), name="p.docx").units
    assert [(unit.title, unit.periods) for unit in units] == [
        ("4 古诗三首", 2),
        ("5 铺满金色巴掌的水泥道", 1),
        ("秋天的雨", 2),
    ]


def test_start_and_end_in_columns_of_their_own(tmp_path: Path) -> None:
    rows = [("开始日期", "结束日期", "教学内容", "课时"), ("2026-09-01", "2026-09-04", "第一章", "4"),
            ("2026.9.7", "2026.9.11", "第二章", "4")]  # fmt: skip
    units = read_plan(word(tmp_path / "p.docx", rows), name="p.docx").units
    assert [(str(unit.date_from), str(unit.date_to)) for unit in units] == [
        ("2026-09-01", "2026-09-04"), ("2026-09-07", "2026-09-11"),
    ]  # fmt: skip


def test_weeks_and_periods_beside_each_other_in_a_form(tmp_path: Path) -> None:
    rows = [("课题", "春", "", ""), ("课时", "2", "周次", "第3周"), ("教学目标", "会朗读", "", "")]
    unit = read_plan(word(tmp_path / "p.docx", rows), name="p.docx").units[0]
    assert (unit.title, unit.periods, unit.week_from) == ("春", 2, 3)


def test_a_chapter_of_one_row_is_named_like_the_others(tmp_path: Path) -> None:
    rows = [
        ("单元", "课题", "课时"),
        ("一 童年", "古诗", "2"),
        ("一 童年", "祖父的园子", "2"),
        ("二 观察", "白鹭", "1"),
    ]
    path = word(tmp_path / "p.docx", rows, merges=[((1, 0), (2, 0))])
    assert [unit.title for unit in read_plan(path, name="p.docx").units] == [
        "一 童年 古诗",
        "一 童年 祖父的园子",
        "二 观察 白鹭",
    ]
