"""Plans without a table: headings and paragraphs, lists, text boxes, plain text files."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import docx
import pytest
from docx.oxml import parse_xml

from lms_bridge.core.errors import BadInputs, InputError
from lms_bridge.plans.reading import read_plan
from lms_bridge.plans.units import PlanDocument
from tests.plans.making import CHINESE, add_table

TERM = (date(2026, 8, 31), date(2027, 1, 22))


def text(path: Path, *paragraphs: str | tuple[str, str]) -> Path:
    """A .docx with these paragraphs; a pair is (style, text)."""
    document = docx.Document()
    for paragraph in paragraphs:
        style, words = paragraph if isinstance(paragraph, tuple) else ("Normal", paragraph)
        document.add_paragraph(words, style=style)
    document.save(str(path))
    return path


def short(plan: PlanDocument) -> list[tuple[str, int, int | None]]:
    return [(unit.title, unit.periods, unit.week_from) for unit in plan.units]


def told(plan: PlanDocument) -> list[tuple[int | None, str]]:
    return [(w.place.paragraph, w.text()) for w in plan.warnings if w.place]


def test_units_as_headings_with_labelled_lines(tmp_path: Path) -> None:
    path = text(
        tmp_path / "a.docx",
        ("Title", "八年级物理教学计划"),
        ("Heading 1", "一、学情分析"),
        "学生对物理充满兴趣。",
        ("Heading 1", "二、教学进度"),
        ("Heading 2", "第一单元 声现象（第1-2周，6课时）"),
        "教学目标：知道声音由振动产生。",
        "能区分音调和响度。",
        "【作业】练习册第3页",
        ("Heading 2", "第二单元 光现象（4课时）"),
        "周次：第3周（9.14-9.18）",
        "教学重点：光的反射",
        "本单元以实验为主。",
        ("Heading 1", "三、教学措施"),
        "加强实验。",
    )
    plan = read_plan(path, name="a.docx", term=TERM)
    assert plan.title == "八年级物理教学计划"
    assert short(plan) == [("第一单元 声现象", 6, 1), ("第二单元 光现象", 4, 3)]
    first, second = plan.units
    assert (first.objectives, first.homework) == ("知道声音由振动产生。\n能区分音调和响度。", "练习册第3页")
    assert first.provenance == {"paragraph": 5, "when": "第1-2周"}
    assert second.date_from == date(2026, 9, 14)
    assert second.key_points == "光的反射\n本单元以实验为主。"
    assert told(plan) == [(13, "This text stands outside of the units and was left out.")]


def test_an_english_plan_in_paragraphs(tmp_path: Path) -> None:
    path = text(
        tmp_path / "a.docx",
        "Physics, grade 8",
        "Unit 1 Sound (6 periods)",
        "Objectives: know how sound is made",
        "Weeks: 1-2",
        "Unit 2 Light",
        "Periods: 4",
        "Homework: page 9",
        "Mid-term exam",
        "Unit 3 Lenses — 90 min",
        "Total: 12 periods",
    )
    plan = read_plan(path, name="a.docx")
    assert short(plan) == [("Unit 1 Sound", 6, 1), ("Unit 2 Light", 4, None), ("Unit 3 Lenses", 2, None)]
    assert plan.units[2].assumed == ("periods",)
    assert plan.units[1].homework == "page 9"


def test_a_week_as_the_heading_of_each_unit(tmp_path: Path) -> None:
    path = text(
        tmp_path / "a.docx",
        "第1周：声音的产生（2课时）",
        "目标：知道",
        "第2周（3课时）",
        "课题：声音的特性",
        "第3周：国庆放假",
    )
    plan = read_plan(path, name="a.docx")
    assert short(plan) == [("声音的产生", 2, 1), ("声音的特性", 3, 2)]
    assert [unit.assumed for unit in plan.units] == [(), ("title",)]
    assert told(plan) == [(5, "This line is a holiday, not a unit, and was left out.")]


def test_weeks_above_their_units(tmp_path: Path) -> None:
    path = text(
        tmp_path / "a.docx", "第1周", "第一课 声音（2课时）", "第二课 声速（1课时）", "第2周", "第三课 光（3课时）"
    )
    plan = read_plan(path, name="a.docx")
    assert short(plan) == [("第一课 声音", 2, 1), ("第二课 声速", 1, 1), ("第三课 光", 3, 2)]
    assert plan.units[0].assumed == ("week_from", "week_to")


def test_lists_are_read_and_their_points_belong_to_the_unit(tmp_path: Path) -> None:
    path = text(
        tmp_path / "a.docx",
        "教学安排",
        ("List Number", "声现象（2课时）"),
        ("List Bullet 2", "声音的产生"),
        ("List Number", "光现象（3课时）"),
    )
    plan = read_plan(path, name="a.docx")
    assert short(plan) == [("声现象", 2, None), ("光现象", 3, None)]
    assert plan.units[0].content == "声音的产生"


def test_lessons_below_a_unit_that_tells_its_periods_are_its_content(tmp_path: Path) -> None:
    path = text(
        tmp_path / "a.docx",
        "第一单元 声现象（3课时）", "1.1 声音（2课时）", "1.2 声速（1课时）",
        "第二单元 光现象（5课时）", "2.1 反射（2课时）", "2.2 折射（2课时）",
    )  # fmt: skip
    plan = read_plan(path, name="a.docx")
    assert short(plan) == [("第一单元 声现象", 3, None), ("第二单元 光现象", 5, None)]
    assert told(plan) == [(4, "The parts of this unit add up to 4 periods, but it is said to take 5.")]


def test_lessons_are_the_units_where_only_they_tell_their_periods(tmp_path: Path) -> None:
    path = text(
        tmp_path / "a.docx",
        "第一章 声现象", "第一节 声音（2课时）", "第二节 声速（1课时）",
        "第二章 光现象", "第一节 反射（2课时）",
    )  # fmt: skip
    assert short(read_plan(path, name="a.docx")) == [
        ("第一节 声音", 2, None), ("第二节 声速", 1, None), ("第一节 反射", 2, None),
    ]  # fmt: skip


def test_text_boxes_are_read_and_their_order_is_named(tmp_path: Path) -> None:
    box = """<w:p xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"
      xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"
      xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"><w:r><mc:AlternateContent>
      <mc:Choice Requires="wps"><w:drawing><wps:wsp><wps:txbx><w:txbxContent>{}</w:txbxContent></wps:txbx></wps:wsp>
      </w:drawing></mc:Choice><mc:Fallback><w:pict><w:txbxContent>{}</w:txbxContent></w:pict></mc:Fallback>
      </mc:AlternateContent></w:r></w:p>"""
    document = docx.Document()
    for words in ("第一单元 声现象（2课时）", "第二单元 光现象（3课时）"):
        inner = f"<w:p><w:r><w:t>{words}</w:t></w:r></w:p>"
        document.element.body.insert(0 if "一" in words else 1, parse_xml(box.format(inner, inner)))
    document.save(str(tmp_path / "a.docx"))
    plan = read_plan(tmp_path / "a.docx", name="a.docx")
    assert short(plan) == [("第一单元 声现象", 2, None), ("第二单元 光现象", 3, None)]
    assert [w.text() for w in plan.warnings] == ["Text boxes were read in the order in which the document stores them."]


def test_a_table_about_the_school_does_not_hide_the_text(tmp_path: Path) -> None:
    document = docx.Document()
    add_table(document, [("学校", "第三中学"), ("教师", "王芳")])
    for line in ("第一单元 声现象（2课时）", "第二单元 光现象（3课时）"):
        document.add_paragraph(line)
    document.save(str(tmp_path / "a.docx"))
    plan = read_plan(tmp_path / "a.docx", name="a.docx")
    assert short(plan) == [("第一单元 声现象", 2, None), ("第二单元 光现象", 3, None)]
    assert [str(w) for w in plan.warnings] == [
        "a.docx, table 1: This table has no headings of a plan and was left out."
    ]


def test_a_table_that_is_the_plan_is_read_and_not_the_text_around_it(tmp_path: Path) -> None:
    document = docx.Document()
    document.add_paragraph("本学期：第一单元（6课时），第二单元（4课时）")
    add_table(document, CHINESE)
    document.add_paragraph("第一单元 复习（2课时）")
    document.save(str(tmp_path / "a.docx"))
    assert len(read_plan(tmp_path / "a.docx", name="a.docx").units) == 3


def test_a_text_file_is_read_like_a_document(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(
        "物理教学计划\r\n第一单元 声现象（2课时）\r\n目标：知道\r\n第二单元 光现象（3课时）\r\n".encode("gb18030")
    )
    plan = read_plan(path, name="a.txt")
    assert short(plan) == [("第一单元 声现象", 2, None), ("第二单元 光现象", 3, None)]


def test_every_problem_of_the_text_is_named_with_its_paragraph(tmp_path: Path) -> None:
    path = text(
        tmp_path / "a.docx",
        "第一单元 声现象（6课时）", "第二单元 光现象", "第三单元 透镜（4课时）", "课时：5",
        "第四单元 力（2-3课时）", "第五单元 热（4课时）",
    )  # fmt: skip
    with pytest.raises(BadInputs) as refused:
        read_plan(path, name="a.docx")
    assert [(p.place.paragraph, p.text()) for p in refused.value.problems if p.place] == [
        (2, "The unit has no number of periods."),
        (3, "Different numbers of periods are given for this unit."),
        (5, "The unit has no number of periods."),
    ]
    assert str(refused.value.problems[0]).startswith("a.docx, paragraph 2: ")


def test_a_letter_is_no_plan(tmp_path: Path) -> None:
    path = text(tmp_path / "a.docx", "各位老师：", "请于9月1日前提交教学计划，共20课时。", "谢谢")
    with pytest.raises(InputError, match="no table"):
        read_plan(path, name="a.docx")
