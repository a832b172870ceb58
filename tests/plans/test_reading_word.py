"""A teacher's plan in Word becomes units."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import docx
import pytest

from lms_bridge.core.errors import BadInputs, InputError
from lms_bridge.plans.reading import read_plan
from tests.plans.making import CHINESE, ENGLISH, add_table, part, repacked, word

TERM = (date(2026, 8, 31), date(2027, 1, 22))


def test_a_chinese_plan_is_read_with_all_its_columns(tmp_path: Path) -> None:
    plan = read_plan(word(tmp_path / "a.docx", CHINESE, title="七年级数学上册教学计划"), name="数学.docx")
    assert plan.source == "docx"
    assert plan.title == "七年级数学上册教学计划"
    assert [(u.sequence, u.title, u.periods, u.week_from, u.week_to) for u in plan.units] == [
        (1, "第一章 有理数", 4, 1, 1),
        (2, "第二章 整式的加减", 6, 2, 3),
        (3, "第三章 一元一次方程", 5, 4, 4),
    ]
    second = plan.units[1]
    assert (second.objectives, second.key_points, second.homework, second.remarks) == (
        "会合并同类项",
        "同类项",
        "习题2.1",
        "测验一次",
    )
    assert second.provenance["table"] == 1
    assert second.provenance["row"] == 3
    assert not plan.warnings
    assert all(unit.assumed == () for unit in plan.units)


def test_an_english_plan_is_read(tmp_path: Path) -> None:
    plan = read_plan(word(tmp_path / "a.docx", ENGLISH), name="english.docx")
    assert [(u.title, u.periods, u.week_from, u.week_to) for u in plan.units] == [
        ("Unit 1 My family", 4, 1, 1),
        ("Unit 2 Seasons", 5, 2, 3),
        ("Unit 3 At the market", 3, 4, 4),
    ]
    assert plan.title is None


def test_weeks_merged_downwards_count_for_every_unit_beside_them(tmp_path: Path) -> None:
    rows = [("周次", "课题", "课时"), ("第1-2周", "春", "2"), ("", "济南的冬天", "2"), ("第3周", "雨的四季", "3")]
    plan = read_plan(word(tmp_path / "a.docx", rows, merges=[((1, 0), (2, 0))]), name="语文.docx")
    assert [(u.title, u.week_from, u.week_to) for u in plan.units] == [
        ("春", 1, 2),
        ("济南的冬天", 1, 2),
        ("雨的四季", 3, 3),
    ]


def test_title_rows_inside_the_table_stand_above_the_headings(tmp_path: Path) -> None:
    rows = [("2026年秋 语文教学进度表", "", ""), ("任课教师：王芳", "", "班级：七(1)班"), *[r[:3] for r in CHINESE]]
    plan = read_plan(word(tmp_path / "a.docx", rows, merges=[((0, 0), (0, 2))]), name="a.docx")
    assert plan.title == "2026年秋 语文教学进度表"
    assert [unit.provenance["row"] for unit in plan.units] == [4, 5, 6]


def test_headings_in_two_rows_are_read_from_the_lower_one(tmp_path: Path) -> None:
    rows = [("周次", "教学安排", ""), ("", "教学内容", "课时"), ("1", "有理数", "4")]
    plan = read_plan(word(tmp_path / "a.docx", rows, merges=[((0, 0), (1, 0)), ((0, 1), (0, 2))]), name="a.docx")
    assert [(u.title, u.periods, u.week_from) for u in plan.units] == [("有理数", 4, 1)]


def test_holidays_exams_and_totals_are_left_out_and_named(tmp_path: Path) -> None:
    rows = [
        ("周次", "教学内容", "课时"),
        ("4", "有理数", "4"),
        ("5", "国庆放假", ""),
        ("9", "期中复习", "2"),
        ("10", "期中考试", "2"),
        ("", "合计", "9"),
    ]
    plan = read_plan(word(tmp_path / "a.docx", rows), name="a.docx")
    assert [unit.title for unit in plan.units] == ["有理数", "期中复习"]
    told = [(w.place.row, w.text()) for w in plan.warnings if w.place]
    assert told == [
        (3, "This row is a holiday, not a unit, and was left out."),
        (5, "This row is an examination, not a unit, and was left out."),
        (6, "The document gives 9 periods in all, but its units add up to 6."),
    ]


def test_a_lesson_about_a_holiday_stays_a_lesson(tmp_path: Path) -> None:
    rows = [
        ("Week", "Topic", "Periods"),
        ("1", "Spring Festival", "3"),
        ("2", "北京的春节", "2"),
        ("3", "Holiday", "-"),
    ]
    plan = read_plan(word(tmp_path / "a.docx", rows), name="a.docx")
    assert [unit.title for unit in plan.units] == ["Spring Festival", "北京的春节"]
    assert [w.place.row for w in plan.warnings if w.place] == [2, 4]


def test_a_table_repeated_on_the_next_page_continues_the_plan(tmp_path: Path) -> None:
    rest = [ENGLISH[0], ("5", "Unit 4 Sports", "4", "", "")]
    plan = read_plan(word(tmp_path / "a.docx", ENGLISH, rest), name="a.docx")
    assert [unit.sequence for unit in plan.units] == [1, 2, 3, 4]
    assert plan.units[3].provenance["table"] == 2
    assert [w.text() for w in plan.warnings] == ["Tables 1, 2 were read as one plan."]


def test_a_second_plan_in_the_same_document_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputs) as refused:
        read_plan(word(tmp_path / "a.docx", ENGLISH, ENGLISH), name="a.docx")
    assert "begins with week 1, but the one before it ends with week 4" in str(refused.value.problems[0])


def test_a_continuation_without_headings_is_read_where_its_weeks_go_on_and_is_named(tmp_path: Path) -> None:
    rest = [("5", "Unit 4 Sports", "4", "", "")]
    plan = read_plan(word(tmp_path / "a.docx", ENGLISH, rest), name="a.docx")
    assert (plan.units[3].title, plan.units[3].provenance) == ("Unit 4 Sports", {"table": 2, "row": 1, "when": "5"})
    told = [w.text() for w in plan.warnings if w.place and w.place.table == 2]
    assert told == ["This table has no headings; because its weeks go on it was read as the plan's continuation."]


@pytest.mark.parametrize(
    "rest", [("3", "Unit 4", "4", "", ""), ("", "Unit 4", "4", "", ""), ("5", "Unit 4", "many", "", "")]
)
def test_a_continuation_that_is_not_certain_is_refused(tmp_path: Path, rest: tuple[str, ...]) -> None:
    with pytest.raises(BadInputs) as refused:
        read_plan(word(tmp_path / "a.docx", ENGLISH, [rest]), name="a.docx")
    assert refused.value.problems[0].place is not None
    assert refused.value.problems[0].place.table == 2


def test_other_tables_are_named_as_left_out(tmp_path: Path) -> None:
    cover = [("School", "No. 3 Primary School"), ("Teacher", "Li Na")]
    plan = read_plan(word(tmp_path / "a.docx", cover, ENGLISH), name="a.docx")
    assert len(plan.units) == 3
    assert [str(w) for w in plan.warnings] == [
        "a.docx, table 1: This table has no headings of a plan and was left out."
    ]


def test_unit_and_lessons_in_two_columns(tmp_path: Path) -> None:
    rows = [
        ("单元", "教学内容", "课时"),
        ("第一单元 四季", "1 春\n2 济南的冬天", "6"),
        ("第二单元 亲情", "5 秋天的怀念", "2"),
        ("", "6 散步", "1"),
    ]
    plan = read_plan(word(tmp_path / "a.docx", rows, merges=[((2, 0), (3, 0))]), name="a.docx")
    assert [(u.title, u.content, u.periods, u.assumed) for u in plan.units] == [
        ("第一单元 四季", "1 春\n2 济南的冬天", 6, ()),
        ("第二单元 亲情 5 秋天的怀念", "", 2, ("title",)),
        ("第二单元 亲情 6 散步", "", 1, ("title",)),
    ]


def test_a_unit_merged_over_two_weeks_adds_up_its_periods_and_says_so(tmp_path: Path) -> None:
    rows = [("周次", "单元", "课时", "作业"), ("3", "有理数", "4", "A"), ("4", "", "5", "B"), ("5", "整式", "2", "")]
    plan = read_plan(word(tmp_path / "a.docx", rows, merges=[((1, 1), (2, 1))]), name="a.docx")
    first = plan.units[0]
    assert (first.title, first.periods, first.week_from, first.week_to) == ("有理数", 9, 3, 4)
    assert first.homework == "A\nB"
    assert first.assumed == ("periods",)
    assert first.provenance["to_row"] == 3
    assert len(plan.units) == 2


def test_dates_get_their_year_from_the_term_and_are_marked(tmp_path: Path) -> None:
    rows = [
        ("周次/日期", "教学内容", "课时"),
        ("第1周（9.1-9.5）", "有理数", "4"),
        ("第18周\n12月28日—1月3日", "整式", "4"),
        ("2027-01-04 - 2027-01-08", "方程", "4"),
    ]
    path = word(tmp_path / "a.docx", rows)
    plan = read_plan(path, name="a.docx", term=TERM)
    assert [(u.week_from, u.date_from, u.date_to) for u in plan.units] == [
        (1, date(2026, 9, 1), date(2026, 9, 5)),
        (18, date(2026, 12, 28), date(2027, 1, 3)),
        (None, date(2027, 1, 4), date(2027, 1, 8)),
    ]
    assert [u.assumed for u in plan.units] == [("date_from", "date_to"), ("date_from", "date_to"), ()]

    unknown = read_plan(path, name="a.docx")
    assert [u.date_from for u in unknown.units] == [None, None, date(2027, 1, 4)]
    assert "2 units have no year" in unknown.warnings[-1].text()


def test_tracked_changes_are_read_as_accepted_and_pinyin_is_not_text(tmp_path: Path) -> None:
    path = word(tmp_path / "a.docx", [("课题", "课时"), ("TITLE", "4")])
    w = part(path, "word/document.xml")
    changed = (
        '<w:ins w:id="1" w:author="a"><w:r><w:t>秋</w:t></w:r></w:ins>'
        '<w:del w:id="2" w:author="a"><w:r><w:delText>春</w:delText></w:r></w:del>'
        "<w:r><w:ruby><w:rubyPr/><w:rt><w:r><w:t>tiān</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>天</w:t></w:r>"
        "</w:rubyBase></w:ruby></w:r>"
    )
    w = w.replace("<w:r><w:t>TITLE</w:t></w:r>", changed)
    plan = read_plan(repacked(path, tmp_path / "b.docx", {"word/document.xml": w.encode()}), name="b.docx")
    assert [unit.title for unit in plan.units] == ["秋天"]


def test_a_plan_inside_a_cell_of_a_form_is_found(tmp_path: Path) -> None:
    document = docx.Document()
    outer = document.add_table(1, 1)
    inner = outer.cell(0, 0).add_table(2, 2)
    for cell, text in zip(inner._cells, ("课题", "课时", "春", "2"), strict=True):
        cell.text = text
    document.save(str(tmp_path / "a.docx"))
    plan = read_plan(tmp_path / "a.docx", name="a.docx")
    assert [(u.title, u.periods, u.provenance["table"]) for u in plan.units] == [("春", 2, 2)]


def test_all_problems_are_listed_at_once_with_their_places(tmp_path: Path) -> None:
    rows = [
        ("周次", "教学内容", "课时"),
        ("1", "有理数", ""),
        ("机动", "整式", "4"),
        ("3", "方程", "2-3"),
        ("4", "", "2"),
        ("5", "国庆放假", "2"),
        ("6", "几何", "1.7小时"),
        ("7", "第一单元\n第二单元", "4"),
        ("8", "函数", "0"),
    ]
    with pytest.raises(BadInputs) as refused:
        read_plan(word(tmp_path / "a.docx", rows), name="数学.docx")
    found = [(p.place.row, p.place.column, p.place.value) for p in refused.value.problems if p.place]
    assert found == [
        (2, "课时", None),
        (3, "周次", "机动"),
        (4, "课时", "2-3"),
        (5, "教学内容", None),
        (6, "课时", "2"),
        (7, "课时", "1.7小时"),
        (8, "教学内容", "第一单元 第二单元"),
        (9, "课时", "0"),
    ]
    assert all(p.place and p.place.file == "数学.docx" and p.place.table == 1 for p in refused.value.problems)
    assert all(p.remedy_text() for p in refused.value.problems)


def test_periods_merged_over_several_units_are_not_shared_out_by_guess(tmp_path: Path) -> None:
    rows = [("课题", "课时"), ("春", "5"), ("济南的冬天", "")]
    with pytest.raises(BadInputs) as refused:
        read_plan(word(tmp_path / "a.docx", rows, merges=[((1, 1), (2, 1))]), name="a.docx")
    assert "stands for several units" in str(refused.value.problems[0])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("教师", "电话"), ("王", "123")], "No table has headings that are understood."),
        ([("周次", "教学内容"), ("1", "春")], "The table has no column for the number of periods."),
        ([("周次", "课时"), ("1", "2")], "The table has no column for the title or content of the units."),
        ([("周次", "教学内容", "课时")], "There are headings, but no unit below them."),
    ],
)
def test_a_table_that_is_no_plan_is_refused_with_what_was_found(
    tmp_path: Path, rows: list[tuple[str, ...]], message: str
) -> None:
    with pytest.raises(InputError) as refused:
        read_plan(word(tmp_path / "a.docx", rows), name="a.docx")
    assert refused.value.text() == message
    assert refused.value.place is not None
    assert refused.value.place.table == 1
    if len(rows) > 1:
        assert rows[0][0] in refused.value.remedy_text()
        assert "课时 (Periods)" in refused.value.remedy_text()


HALVES = ("周次", "教学内容", "课时", "周次", "教学内容", "课时")


@pytest.mark.parametrize(
    "rows",
    [
        [HALVES, ("1", "春", "2", "3", "秋", "4"), ("2", "夏", "3", "4", "冬", "5")],
        [HALVES, ("1", "春", "2", "2", "夏", "3"), ("3", "秋", "4", "4", "冬", "5")],
    ],
)
def test_a_table_in_two_halves_is_read_in_the_order_of_its_weeks(tmp_path: Path, rows: list[tuple[str, ...]]) -> None:
    plan = read_plan(word(tmp_path / "a.docx", rows), name="a.docx")
    assert [(u.week_from, u.title, u.periods) for u in plan.units] == [
        (1, "春", 2), (2, "夏", 3), (3, "秋", 4), (4, "冬", 5),
    ]  # fmt: skip


@pytest.mark.parametrize("weeks", [("1", "1"), ("", ""), ("5", "2")])
def test_halves_whose_order_the_weeks_do_not_tell_are_refused(tmp_path: Path, weeks: tuple[str, str]) -> None:
    rows = [HALVES, (weeks[0], "春", "2", weeks[1], "夏", "2"), (weeks[0], "秋", "2", weeks[1], "冬", "2")]
    with pytest.raises(BadInputs) as refused:
        read_plan(word(tmp_path / "a.docx", rows), name="a.docx")
    assert len(refused.value.problems) == 3


def test_columns_that_are_not_understood_are_named(tmp_path: Path) -> None:
    rows = [("教学内容", "课时", "执教者"), ("春", "2", "王")]
    plan = read_plan(word(tmp_path / "a.docx", rows), name="a.docx")
    assert [w.place.column for w in plan.warnings if w.place] == ["执教者"]


def test_a_form_with_the_plan_below_an_unrelated_table_keeps_table_numbers(tmp_path: Path) -> None:
    document = docx.Document()
    add_table(document, [("a",), ("b",)])
    add_table(document, CHINESE)
    document.save(str(tmp_path / "a.docx"))
    assert {u.provenance["table"] for u in read_plan(tmp_path / "a.docx", name="a.docx").units} == {2}
