"""Plans in Excel and CSV become units."""

from __future__ import annotations

import datetime
from pathlib import Path

import openpyxl
import pytest

from lms_bridge.core.errors import BadInputs, InputError
from lms_bridge.plans.reading import ReadLimits, read_plan
from tests.plans.making import CHINESE, ENGLISH, excel, lines, part, repacked

TERM = (datetime.date(2026, 8, 31), datetime.date(2027, 1, 22))


@pytest.mark.parametrize("rows", [CHINESE, ENGLISH])
def test_an_excel_plan_with_a_title_above_is_read_like_a_word_plan(tmp_path: Path, rows: list[tuple[str, ...]]) -> None:
    plan = read_plan(excel(tmp_path / "a.xlsx", rows, title="教学计划 2026"), name="a.xlsx")
    assert plan.source == "xlsx"
    assert plan.title == "教学计划 2026"
    assert len(plan.units) == 3
    assert plan.units[0].title == rows[1][1]
    assert plan.units[0].provenance == {"table": "计划", "row": 3, "when": rows[1][0]}


def test_numbers_merged_weeks_and_stored_dates(tmp_path: Path) -> None:
    rows = [
        ("周次", "日期", "教学内容", "课时"),
        (1, datetime.date(2026, 9, 1), "有理数", 4),
        (None, datetime.date(2026, 9, 3), "数轴", 2.0),
        (3, None, "整式", 3),
    ]
    plan = read_plan(excel(tmp_path / "a.xlsx", rows, merges=["A2:A3"]), name="a.xlsx")
    assert [(u.title, u.periods, u.week_from, u.date_from) for u in plan.units] == [
        ("有理数", 4, 1, datetime.date(2026, 9, 1)),
        ("数轴", 2, 1, datetime.date(2026, 9, 3)),
        ("整式", 3, 3, None),
    ]


def test_values_that_the_spreadsheet_has_changed_are_refused(tmp_path: Path) -> None:
    rows = [
        ("周次", "日期", "教学内容", "课时"),
        (datetime.datetime(2026, 3, 4), None, "有理数", 4),
        (2, 9.1, "数轴", 2),
        (3, None, "整式", datetime.datetime(2026, 1, 2)),
    ]
    with pytest.raises(BadInputs) as refused:
        read_plan(excel(tmp_path / "a.xlsx", rows), name="a.xlsx")
    assert [(p.place.row, p.place.column, p.text()) for p in refused.value.problems if p.place] == [
        (2, "周次", "The spreadsheet has turned this week into a date."),
        (3, "日期", "This date is stored as a number, so 9.1 may also mean 9.10."),
        (4, "课时", "The spreadsheet has turned these periods into a date."),
    ]


def test_a_date_shown_with_two_decimals_is_certain(tmp_path: Path) -> None:
    path = excel(tmp_path / "a.xlsx", [("日期", "教学内容", "课时"), (9.1, "有理数", 4)])
    workbook = openpyxl.load_workbook(path)
    workbook.worksheets[0]["A2"].number_format = "0.00"
    workbook.save(path)
    plan = read_plan(path, name="a.xlsx", term=TERM)
    assert plan.units[0].date_from == datetime.date(2026, 9, 10)


def test_hidden_rows_and_sheets_are_named_not_read(tmp_path: Path) -> None:
    path = excel(tmp_path / "a.xlsx", ENGLISH)
    workbook = openpyxl.load_workbook(path)
    workbook.worksheets[0].row_dimensions[3].hidden = True
    old = workbook.create_sheet("old")
    for row in ENGLISH:
        old.append(list(row))
    old.sheet_state = "hidden"
    workbook.save(path)
    plan = read_plan(path, name="a.xlsx")
    assert [unit.title for unit in plan.units] == ["Unit 1 My family", "Unit 3 At the market"]
    assert [str(w) for w in plan.warnings] == [
        "a.xlsx, table old: This sheet is hidden and was left out.",
        "a.xlsx, table 计划, row 3: This row is hidden and was left out.",
    ]


def test_hidden_columns_are_named_not_read(tmp_path: Path) -> None:
    path = excel(tmp_path / "a.xlsx", [("周次", "教学内容", "课时", "作业"), (1, "声音", 2, "第3页")])
    workbook = openpyxl.load_workbook(path)
    workbook.worksheets[0].column_dimensions["D"].hidden = True
    workbook.save(path)
    plan = read_plan(path, name="a.xlsx")
    assert plan.units[0].homework == ""
    assert [(w.place.column, w.text()) for w in plan.warnings if w.place] == [
        ("D", "This column is hidden and was left out.")
    ]


def test_formulas_are_read_by_the_results_that_were_saved(tmp_path: Path) -> None:
    path = excel(tmp_path / "a.xlsx", [("教学内容", "课时"), ("声音", "=1+1"), ("光", 3), ("合计", "=SUM(B2:B3)")])
    with pytest.raises(BadInputs) as refused:
        read_plan(path, name="a.xlsx")
    assert [(p.place.row, p.place.column, p.text()) for p in refused.value.problems if p.place] == [
        (2, "课时", "This cell holds a formula, but the file does not hold its result.")
    ]
    xml = part(path, "xl/worksheets/sheet1.xml").replace("<f>1+1</f><v />", "<f>1+1</f><v>2</v>")
    xml = xml.replace("<f>1+1</f><v></v>", "<f>1+1</f><v>2</v>")
    saved = repacked(path, tmp_path / "b.xlsx", {"xl/worksheets/sheet1.xml": xml.encode()})
    assert [unit.periods for unit in read_plan(saved, name="b.xlsx").units] == [2, 3]


def test_a_formula_that_failed_is_refused_by_its_place(tmp_path: Path) -> None:
    path = excel(tmp_path / "a.xlsx", [("教学内容", "课时"), ("#REF!", 3)])
    with pytest.raises(BadInputs) as refused:
        read_plan(path, name="a.xlsx")
    assert "gives an error" in str(refused.value.problems[0])


def test_two_sheets_that_are_plans_are_not_mixed(tmp_path: Path) -> None:
    path = excel(tmp_path / "a.xlsx", ENGLISH, sheet="Grade 3")
    workbook = openpyxl.load_workbook(path)
    other = workbook.create_sheet("Grade 4")
    for row in ENGLISH:
        other.append(list(row))
    workbook.save(path)
    with pytest.raises(InputError, match="Grade 3, Grade 4"):
        read_plan(path, name="a.xlsx")


def test_one_stray_cell_at_the_end_of_the_sheet_costs_nothing(tmp_path: Path) -> None:
    path = excel(tmp_path / "a.xlsx", ENGLISH)
    workbook = openpyxl.load_workbook(path)
    workbook.worksheets[0].cell(1_048_576, 1).value = "end"
    workbook.save(path)
    plan = read_plan(path, name="a.xlsx")
    assert len(plan.units) == 3
    assert plan.warnings[0].place is not None
    assert plan.warnings[0].place.row == 1_048_576


def test_a_sheet_with_ten_thousand_rows_is_refused(tmp_path: Path) -> None:
    plan = excel(tmp_path / "a.xlsx", ENGLISH)
    rows = "".join(f'<row r="{i}"><c r="A{i}"><v>{i}</v></c></row>' for i in range(9, 10_000))
    xml = part(plan, "xl/worksheets/sheet1.xml").replace("</sheetData>", rows + "</sheetData>")
    path = repacked(plan, tmp_path / "b.xlsx", {"xl/worksheets/sheet1.xml": xml.encode()})
    with pytest.raises(InputError, match="more than 2000 rows"):
        read_plan(path, name="a.xlsx")


def test_more_units_than_a_term_has_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("Topic,Periods\n" + "".join(f"Topic {i},1\n" for i in range(600)), encoding="utf-8")
    with pytest.raises(InputError, match="600 units; a plan for a term has at most 500"):
        read_plan(path, name="a.csv")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_in_every_usual_encoding_and_delimiter(tmp_path: Path, encoding: str, delimiter: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(lines(CHINESE, delimiter).encode(encoding))
    plan = read_plan(path, name="数学.csv")
    assert plan.source == "csv"
    assert [(u.title, u.periods) for u in plan.units] == [
        ("第一章 有理数", 4),
        ("第二章 整式的加减", 6),
        ("第三章 一元一次方程", 5),
    ]
    assert plan.units[2].provenance == {"row": 4, "when": "第４周"}


def test_csv_rows_are_numbered_as_lines_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('Topic,Periods,Remarks\n"Light","2","two\nlines"\n\nSound,,\n', encoding="utf-8")
    with pytest.raises(BadInputs) as refused:
        read_plan(path, name="a.csv")
    assert [(p.place.row, p.place.table) for p in refused.value.problems if p.place] == [(5, None)]


def test_a_csv_file_named_docx_is_read_for_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    path.write_text(lines(ENGLISH), encoding="utf-8")
    assert read_plan(path, name="a.docx").source == "csv"


def test_hours_are_marked_as_assumed_to_be_periods(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("Topic,Hours\nLight,2\n", encoding="utf-8")
    plan = read_plan(path, name="a.csv")
    assert plan.units[0].assumed == ("periods",)
    assert plan.warnings[0].text() == "The hours in this column were read as periods."


def test_a_column_of_unit_numbers_does_not_become_part_of_the_titles(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("Unit,Topic,Periods\n1,My family,2\nUnit 2,Seasons,3\n", encoding="utf-8")
    units = read_plan(path, name="a.csv").units
    assert [(u.title, u.assumed) for u in units] == [("My family", ()), ("Unit 2 Seasons", ("title",))]


def test_keys_come_back_and_must_differ(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("Unit key,Topic,Periods\nk1,Light,2\nk2,Sound,3\n,Heat,1\n", encoding="utf-8")
    assert [unit.key for unit in read_plan(path, name="a.csv").units] == ["k1", "k2", None]
    path.write_text("Unit key,Topic,Periods\nk1,Light,2\nk1,Sound,3\n", encoding="utf-8")
    with pytest.raises(BadInputs):
        read_plan(path, name="a.csv")


def test_a_cell_without_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("Topic,Periods\n" + "x" * 30_000 + ",2\n", encoding="utf-8")
    with pytest.raises(InputError, match="more than 20000 characters"):
        read_plan(path, name="a.csv", limits=ReadLimits())
