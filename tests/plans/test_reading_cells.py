"""What people write into the cells for weeks, dates and periods."""

from __future__ import annotations

from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms_bridge.plans.reading.amounts import Amount, read_amount
from lms_bridge.plans.reading.exclusions import exclusion
from lms_bridge.plans.reading.grid import Paragraph
from lms_bridge.plans.reading.headings import recognise
from lms_bridge.plans.reading.inline import read_tail
from lms_bridge.plans.reading.numerals import whole_number
from lms_bridge.plans.reading.outline import take_apart
from lms_bridge.plans.reading.problems import CellProblem
from lms_bridge.plans.reading.when import Calendar, Day, read_when


@pytest.mark.parametrize(
    ("text", "weeks"),
    [
        ("第1-2周", (1, 2)),
        ("第１—２周", (1, 2)),
        ("第三周", (3, 3)),
        ("第七至八周", (7, 8)),
        ("第1周-第2周", (1, 2)),
        ("第十一、十二周", (11, 12)),
        ("Weeks 3–4", (3, 4)),
        ("Week 5 to 6", (5, 6)),
        ("week 5", (5, 5)),
        ("Wk 12", (12, 12)),
        ("7", (7, 7)),
        ("7-8", (7, 8)),
        ("二十", (20, 20)),
        ("—", (None, None)),
        ("", (None, None)),
    ],
)
def test_weeks_are_read(text: str, weeks: tuple[int | None, int | None]) -> None:
    when = read_when(text, "text", bare_weeks=True)
    assert (when.week_from, when.week_to) == weeks
    assert when.day_from is None


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("9.1-9.5", Day(9, 1), Day(9, 5)),
        ("9/1—9/5", Day(9, 1), Day(9, 5)),
        ("9月1日至9月5日", Day(9, 1), Day(9, 5)),
        ("9月1-5日", Day(9, 1), Day(9, 5)),
        ("12.28-1.3", Day(12, 28), Day(1, 3)),
        ("2026-09-01", Day(9, 1, 2026), Day(9, 1, 2026)),
        ("2026-09-01 – 2026-09-05", Day(9, 1, 2026), Day(9, 5, 2026)),
        ("2026年12月28日-1月3日", Day(12, 28, 2026), Day(1, 3, 2027)),
        ("Sep 1–5", Day(9, 1), Day(9, 5)),
        ("1–5 September", Day(9, 1), Day(9, 5)),
        ("September 1 - September 5, 2026", Day(9, 1, 2026), Day(9, 5, 2026)),
        ("28 Dec 2026 - 3 Jan 2027", Day(12, 28, 2026), Day(1, 3, 2027)),
    ],
)
def test_dates_are_read_under_any_heading_about_time(text: str, first: Day, last: Day) -> None:
    for bare_weeks in (True, False):
        when = read_when(text, "text", bare_weeks=bare_weeks)
        assert (when.day_from, when.day_to) == (first, last)
        assert when.week_from is None


@pytest.mark.parametrize(
    "text", ["机动", "1,3周", "5-3", "99", "9.31", "9.5-9.1", "第1周 周一", "0", "一二周", "13.13"]
)
def test_unclear_weeks_and_dates_are_refused(text: str) -> None:
    with pytest.raises(CellProblem):
        read_when(text, "text", bare_weeks=True)


@pytest.mark.parametrize("text", ["1-2", "3", "9-1", "soon", "1.9.2026"])
def test_unclear_dates_are_refused(text: str) -> None:
    with pytest.raises(CellProblem):
        read_when(text, "text", bare_weeks=False)


def test_a_date_falls_into_the_term() -> None:
    term = Calendar(date(2026, 8, 31), date(2027, 1, 22))
    assert term.resolve(Day(9, 1)) == date(2026, 9, 1)
    assert term.resolve(Day(1, 3)) == date(2027, 1, 3)
    assert term.resolve(Day(1, 3, 2026)) == date(2026, 1, 3)
    assert term.resolve(Day(2, 29)) == date(2028, 2, 29)


@given(st.integers(1, 60), st.integers(0, 20))
def test_every_range_of_weeks_comes_back(first: int, more: int) -> None:
    last = min(first + more, 60)
    for text in (f"第{first}-{last}周", f"Weeks {first}–{last}", f"{first}~{last}"):
        when = read_when(text, "text", bare_weeks=True)
        assert (when.week_from, when.week_to) == (first, last)


@pytest.mark.parametrize(
    ("text", "periods"),
    [
        ("3", 3),
        ("２课时", 2),
        ("三课时", 3),
        ("两节", 2),
        ("共12课时", 12),
        ("1 period", 1),
        ("5 lessons", 5),
        ("2.0", 2),
        ("2节", 2),
        ("共6课时", 6),
        ("Total: 8 periods", 8),
        ("0", 0),
        ("-", None),
        ("", None),
    ],
)
def test_periods_are_read(text: str, periods: int | None) -> None:
    assert (found.periods if (found := read_amount(text, "text")) else None) == periods


@pytest.mark.parametrize(
    ("text", "periods"),
    [
        ("90分钟", 2),
        ("１.５ h", 2),
        ("1.5小时", 2),
        ("45 min x 2", 2),
        ("40 min × 3", 3),
        ("2 x 45 min", 2),
        ("2 × 90 min", 4),
        ("2+1", 3),
        ("2课时+1课时", 3),
        ("2+1=3", 3),
        ("4课时（含测验1课时）", 4),
        ("2 periods (40 min each)", 2),
    ],
)
def test_times_by_the_clock_and_sums_are_worked_out_and_marked(text: str, periods: int) -> None:
    amount = read_amount(text, "text")
    assert amount is not None
    assert (amount.periods, amount.assumed) == (periods, True)


def test_the_length_of_a_period_decides_how_many_make_an_hour() -> None:
    assert read_amount("80分钟", "text", minutes=40) == Amount(2, assumed=True)
    assert read_amount("80", "text", measure="minutes", minutes=40) == Amount(2, assumed=True)
    with pytest.raises(CellProblem) as refused:
        read_amount("80分钟", "text", minutes=45)
    assert refused.value.params == {"total": "80", "minutes": 45}


def test_a_bare_number_under_a_heading_about_duration_is_refused() -> None:
    with pytest.raises(CellProblem):
        read_amount("2", "text", measure="stated")
    assert read_amount("2课时", "text", measure="stated") == Amount(2)


@pytest.mark.parametrize(
    "text", ["2-3", "1.5", "约3", "many", "201", "100分钟", "一二", "2+1=4", "4课时/周", "0.5课时", "2+"]
)
def test_unclear_periods_are_refused(text: str) -> None:
    with pytest.raises(CellProblem):
        read_amount(text, "text")


@given(st.integers(1, 99))
def test_chinese_numerals_up_to_a_hundred(number: int) -> None:
    digits = "零一二三四五六七八九"
    tens, ones = divmod(number, 10)
    text = ("" if tens <= 1 else digits[tens]) + ("十" if tens else "") + (digits[ones] if ones else "")
    assert whole_number(text) == number


@given(st.text(max_size=30))
def test_nothing_typed_into_a_cell_breaks_the_reader(text: str) -> None:
    for read in (lambda: read_when(text, "text", bare_weeks=True), lambda: read_amount(text, "text")):
        with suppress(CellProblem):
            read()
    exclusion(text)
    recognise(text)
    read_tail(text)
    take_apart([Paragraph(1, text)])


@pytest.mark.parametrize(
    ("line", "tail"),
    [
        ("1.1 声音（2课时）", ("1.1 声音", "2课时", "")),
        ("第一单元 声现象（第1-2周，6课时）", ("第一单元 声现象", "6课时", "第1-2周")),
        ("Unit 1 Sound (Weeks 1-2) (6 periods)", ("Unit 1 Sound", "6 periods", "Weeks 1-2")),
        ("Unit 1 Sound - 6 periods", ("Unit 1 Sound", "6 periods", "")),
        ("声现象 共6课时", ("声现象", "6课时", "")),
        ("Unit 3 lessons", ("Unit 3 lessons", "", "")),
        ("第5课时", ("第5课时", "", "")),
        ("第一章第2节", ("第一章第2节", "", "")),
        ("圆（一）", ("圆（一）", "", "")),
        ("Poems (revised edition, 6 periods)", ("Poems (revised edition, 6 periods)", "", "")),
    ],
)
def test_periods_and_weeks_behind_a_name_are_told_apart_from_it(line: str, tail: tuple[str, str, str]) -> None:
    found = read_tail(line)
    assert (found.title, found.amount, found.when) == tail


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("国庆放假", "no_school"),
        ("中秋、国庆放假", "no_school"),
        ("国庆节放假（10.1-10.7）", "no_school"),
        ("国庆节", "holiday"),
        ("National Day holiday", "holiday"),
        ("Spring break", "holiday"),
        ("期中考试", "exam"),
        ("第一次月考", "exam"),
        ("期末考试周", "exam"),
        ("Mid-term exam", "exam"),
        ("Final exams", "exam"),
        ("合计", "total"),
        ("北京的春节", None),
        ("期中复习", None),
        ("期末复习与考试", None),
        ("单元测试", None),
        ("Testing hypotheses", None),
        ("My summer holiday", None),
        ("Winter", None),
        ("检测电路", None),
        ("合计：40课时", "total"),
        ("小计", "subtotal"),
        ("教研组长签字：", "signature"),
        ("审核人：王芳", "signature"),
        ("年 月 日", "signature"),
        ("Signature: ____", "signature"),
        ("备注：本学期共二十周", "note"),
        ("教师节", None),
        ("学校生活", None),
        ("Note taking", None),
    ],
)
def test_only_rows_that_say_nothing_else_are_taken_for_holidays_and_exams(text: str, kind: str | None) -> None:
    assert exclusion(text) == kind


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("周 次", "week"),
        ("教学内容", "content"),
        ("课时（节）", "periods"),
        ("教学重点、难点", "key_points"),
        ("周次/日期", "when"),
        ("单元/课题", "unit"),
        ("Key and difficult points", "key_points"),
        ("No. of periods", "periods"),
        ("WEEK NO.", "week"),
        ("Teaching aids", "materials"),
        ("周课时", None),
        ("课时（每周）", None),
        ("Periods (cumulative)", None),
        ("时间（课时）", "periods"),
        ("Time (min)", "periods"),
        ("教学时间", "when"),
        ("教学内容及课时", "content"),
        ("教师", "other"),
        ("Weekday", "other"),
    ],
)
def test_headings_are_recognised_word_for_word(text: str, field: str | None) -> None:
    found = recognise(text)
    assert (found.field if found else None) == field
