"""Plans go out as Word and Excel documents and come back as the same units."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lms_bridge.core.i18n import use_locale
from lms_bridge.core.ids import new_uid
from lms_bridge.plans.export import plan_excel, plan_word
from lms_bridge.plans.export.about import About
from lms_bridge.plans.export.clean import clean, one_line
from lms_bridge.plans.export.columns import COLUMNS
from lms_bridge.plans.reading import read_plan
from lms_bridge.plans.reading.grid import Budget
from lms_bridge.plans.reading.headings import recognise
from lms_bridge.plans.reading.limits import ReadLimits
from lms_bridge.plans.units import PlanDocument, UnitDraft

WRITERS = {"docx": plan_word.write_plan, "xlsx": plan_excel.write_plan}
TEXTS = (
    "content", "objectives", "key_points", "methods", "homework", "materials", "online_alternative", "remarks",
)  # fmt: skip
every_form = pytest.mark.parametrize("locale", ["zh-CN", "en"])
every_format = pytest.mark.parametrize("suffix", sorted(WRITERS))


def facts(units: list[UnitDraft]) -> About:
    """A plan of the seventh grade with these units."""
    return About(
        title="七年级数学教学计划",
        school="第一实验学校",
        term="2026年秋季学期",
        subject="数学",
        grade="7",
        classes="7年级1班",
        author="李小明",
        version=2,
        state="draft",
        approved_by="",
        approved_at=None,
        zone="Asia/Shanghai",
        benchmark=False,
        units=len(units),
        periods=sum(unit.periods for unit in units),
    )


def exported(path: Path, units: list[UnitDraft], locale: str) -> Path:
    """The units written to ``path``, whose name says the format."""
    with use_locale(locale):
        path.write_bytes(WRITERS[path.suffix[1:]](facts(units), units))
    return path


def there_and_back(path: Path, units: list[UnitDraft], locale: str) -> PlanDocument:
    """What the importer reads out of the exported units."""
    return read_plan(exported(path, units, locale), name=path.name)


def unit(sequence: int, title: str, periods: int = 2, **more: object) -> UnitDraft:
    """A unit with a key of its own."""
    return UnitDraft(sequence, title, periods, key=new_uid(), **more)  # type: ignore[arg-type]


TRICKY = [
    unit(1, "=1+1", 1, content="=SUM(A1:A9)", homework="@import", remarks="-1"),
    unit(2, "+86 电话里的数学", 4, objectives='第一行\n第二行\n“引号”与"quotes"', week_from=1, week_to=1),
    unit(3, "ＡＢＣ　全角１２３", 3, key_points="１．重点；２．难点", week_from=2, week_to=4),
    unit(4, "期末考试", 2, homework="习题 1.1（2课时）"),
    unit(5, "国庆节放假", 1),
    unit(6, "合计", 5, content="共 12 课时"),
    unit(7, "第一单元", 6, content="声现象（6课时）\n1.1 声音（2课时）\n1.2 声速（4课时）"),
    unit(8, "声音（2课时）", 2),
    unit(9, "第3周 复习", 2, week_from=7, week_to=7),
    unit(10, "单元", 1, homework="课时"),
    unit(11, "3", 3, content="数字作标题"),
    unit(12, "长" * 200, 200, content="很长的内容。" * 800),
    unit(13, "Dates only", 2, date_from=date(2026, 9, 1), date_to=date(2026, 9, 5)),
    unit(14, "Over New Year", 2, date_from=date(2026, 12, 28), date_to=date(2027, 1, 8)),
    unit(15, "One day", 1, date_from=date(2027, 2, 1), date_to=date(2027, 2, 1), week_from=9, week_to=10),
    unit(16, "实验", 2, online_possible=False, online_alternative="观看演示视频\n在家用水和冰做实验"),
    unit(17, "篮球", 2, online_possible=False),
    unit(18, "教师签字：", 1, remarks="备注：无"),
    unit(19, "<b>&amp;</b> _x0041_ %s {0}", 1, materials="a\tb"),
    unit(20, "期末考试", 1, week_from=20, week_to=20),
]


def said(unit_: UnitDraft) -> UnitDraft:
    """The unit as any reader says it: single spaces, no empty lines, nothing that cannot be seen."""
    budget = Budget(ReadLimits())
    texts = {name: budget.text(clean(getattr(unit_, name))) for name in TEXTS}
    texts["online_alternative"] = texts["online_alternative"].strip()
    return replace(unit_, title=budget.text(one_line(unit_.title)), **texts)  # type: ignore[arg-type]


@every_format
@every_form
def test_a_plan_that_goes_out_and_comes_back_has_the_same_units(tmp_path: Path, suffix: str, locale: str) -> None:
    document = there_and_back(tmp_path / f"plan.{suffix}", TRICKY, locale)
    assert list(document.units) == [said(row) for row in TRICKY]
    assert not document.warnings
    assert document.title == "七年级数学教学计划"


@every_format
def test_a_plan_without_weeks_comes_back_without_weeks(tmp_path: Path, suffix: str) -> None:
    units = [unit(1, "有理数", 4), unit(2, "整式的加减", 6)]
    document = there_and_back(tmp_path / f"plan.{suffix}", units, "zh-CN")
    assert [(row.week_from, row.date_from, row.assumed) for row in document.units] == [(None, None, ())] * 2


@every_format
def test_characters_that_no_document_can_hold_do_no_harm(tmp_path: Path, suffix: str) -> None:
    units = [unit(1, "声\x00音\x0b\ud800", 2, content="上\x07\uffff\r\n下\u2028末")]
    (row,) = there_and_back(tmp_path / f"plan.{suffix}", units, "zh-CN").units
    assert (row.title, row.content) == ("声音", "上\n下\n末")


words = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs",))
    | st.sampled_from("一二三四五第周课时单元（）：；=+-@'\"\n\t0123456789 "),
    max_size=60,
)


@st.composite
def plans(draw: st.DrawFn) -> list[UnitDraft]:
    """Units as a teacher might have written them, and worse."""
    units: list[UnitDraft] = []
    for number in range(1, draw(st.integers(1, 8)) + 1):
        title = draw(words)
        alternative = draw(words.filter(lambda text: not _answers(text)))
        when = {}
        if draw(st.booleans()):
            first = draw(st.integers(1, 30))
            when |= {"week_from": first, "week_to": first + draw(st.integers(0, 5))}
        if draw(st.booleans()):
            day = draw(st.dates(date(2020, 1, 1), date(2049, 1, 1)))
            when |= {"date_from": day, "date_to": day + timedelta(draw(st.integers(0, 300)))}
        texts = {name: draw(words) for name in TEXTS if name != "online_alternative"}
        row = unit(number, title, draw(st.integers(1, 200)), **texts, **when, online_alternative=alternative)
        shown = bool(said(row).online_alternative)
        row = replace(row, online_possible=not shown, title=title if said(row).title.strip() else f"{number}.")
        units.append(row)
    return units


def _answers(text: str) -> bool:
    """Whether the text only says yes or no, and therefore is no alternative."""
    plain = unicodedata.normalize("NFKC", text).strip(" 。.!！-—–/\\\n\t").casefold()
    return len(plain) < 6


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(units=plans(), locale=st.sampled_from(["zh-CN", "en"]), suffix=st.sampled_from(["docx", "xlsx"]))
def test_whatever_teachers_write_comes_back(tmp_path: Path, units: list[UnitDraft], locale: str, suffix: str) -> None:
    document = there_and_back(tmp_path / f"any.{suffix}", units, locale)
    assert list(document.units) == [said(row) for row in units]


def test_the_importer_understands_every_heading() -> None:
    for column in COLUMNS:
        for locale in ("zh-CN", "en"):
            found = recognise(column.heading(locale))
            assert found is not None
            assert (found.field, found.also, found.assumed) == (column.field, (), False)


def test_a_title_that_looks_like_a_formula_is_none(tmp_path: Path) -> None:
    sheet = openpyxl.load_workbook(exported(tmp_path / "plan.xlsx", TRICKY, "en")).active
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]  # type: ignore[union-attr]
    assert {cell.data_type for cell in cells} <= {"s", "n"}
    assert next(cell for cell in cells if cell.value == "=1+1").quotePrefix
