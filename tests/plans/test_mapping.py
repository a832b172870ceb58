"""Columns named by hand, remembered for the campus; and what else is known of a document before it is read."""

from __future__ import annotations

import datetime
from datetime import time
from pathlib import Path

import pytest
from flask import Flask

from lms_bridge.calendar.grids import every_weekday, set_grid
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BadInputs, InputError
from lms_bridge.plans import importer, mapping
from lms_bridge.plans.models import ColumnMapping
from lms_bridge.plans.reading import Mapping, Remembered, heading_hash, preview, read_plan
from lms_bridge.plans.subject_check import subject_warning
from tests.builders import SchoolSystem, small_system
from tests.plans.making import CHINESE, lines, word

OWN_FORM = [("进程", "讲授什么", "几节", "谁来讲"), ("1", "声音", "2", "王芳"), ("2", "光", "3", "王芳")]
DAY = datetime.date(2026, 11, 2)


def own_form(path: Path) -> Path:
    path.write_text(lines(OWN_FORM), encoding="utf-8")
    return path


@pytest.fixture
def school(app: Flask) -> SchoolSystem:
    return small_system()


def test_the_preview_shows_the_table_and_what_was_recognised(tmp_path: Path) -> None:
    rows = [("王芳老师的计划", "", ""), ("周次", "讲授什么", "课时"), ("1", "声音", "2")]
    seen = preview(word(tmp_path / "a.docx", [("学校", "三中")], rows, merges=[]), "a.docx")
    table = seen.tables[0]
    assert (table.label, table.header_row, table.complete, table.turned) == (2, 2, False, False)
    assert [(c.heading, c.field) for c in table.columns] == [("周次", "week"), ("讲授什么", None), ("课时", "periods")]
    assert table.rows[2].cells == ("1", "声音", "2")
    assert len(seen.tables) == 2


def test_a_form_with_words_of_its_own_is_read_as_a_person_says(tmp_path: Path) -> None:
    path = own_form(tmp_path / "a.csv")
    with pytest.raises(InputError, match="No table has headings that are understood"):
        read_plan(path, name="a.csv")
    plan = read_plan(path, name="a.csv", mapping=Mapping(None, 1, {0: "week", 1: "content", 2: "periods"}))
    assert [(u.title, u.periods, u.week_from) for u in plan.units] == [("声音", 2, 1), ("光", 3, 2)]
    assert not plan.warnings


def test_a_mapping_that_makes_no_units_is_refused_whole(tmp_path: Path) -> None:
    path = own_form(tmp_path / "a.csv")
    with pytest.raises(BadInputs) as refused:
        read_plan(path, name="a.csv", mapping=Mapping(None, 1, {0: "week", 1: "periods", 2: "periods"}))
    assert [p.text() for p in refused.value.problems] == [
        "No column was chosen for the title or content of the units.",
        "2 columns hold the same: 讲授什么, 几节.",
    ]
    with pytest.raises(InputError, match="no such table and row"):
        read_plan(path, name="a.csv", mapping=Mapping("old", 1, {0: "content"}))


def test_all_tables_with_the_same_headings_follow_the_mapping(tmp_path: Path) -> None:
    more = [OWN_FORM[0], ("3", "透镜", "4", "李")]
    path = word(tmp_path / "a.docx", OWN_FORM, more, [("甲", "乙"), ("1", "2")])
    plan = read_plan(path, name="a.docx", mapping=Mapping(1, 1, {0: "week", 1: "content", 2: "periods"}))
    assert [(u.title, u.provenance["table"]) for u in plan.units] == [("声音", 1), ("光", 1), ("透镜", 2)]
    assert [w.place.table for w in plan.warnings if w.place and w.place.table] == [3]


def test_a_table_turned_over_by_hand(tmp_path: Path) -> None:
    rows = list(zip(*OWN_FORM, strict=True))
    path = word(tmp_path / "a.docx", rows)
    plan = read_plan(path, name="a.docx", mapping=Mapping(1, 1, {0: "week", 1: "content", 2: "periods"}, turned=True))
    assert [(u.title, u.periods, u.week_from) for u in plan.units] == [("声音", 2, 1), ("光", 3, 2)]
    assert plan.units[1].provenance["column"] == 3


def test_what_was_said_about_a_form_is_used_again_and_named(tmp_path: Path) -> None:
    known = {heading_hash(OWN_FORM[0]): Remembered({0: "week", 1: "content", 2: "periods"}, DAY)}
    plan = read_plan(own_form(tmp_path / "a.csv"), name="a.csv", remembered=known)
    assert len(plan.units) == 2
    assert [str(w) for w in plan.warnings] == [
        "a.csv, row 1: The columns were read as they were explained on 2026-11-02."
    ]
    assert len(read_plan(word(tmp_path / "a.docx", CHINESE), name="a.docx", remembered=known).units) == 3


def test_headings_are_the_same_however_they_are_spaced() -> None:
    assert heading_hash(["周 次", "课时（节）"]) == heading_hash(["周次", "课时(节)"])
    assert heading_hash(["周次", "课时"]) != heading_hash(["课时", "周次"])


def test_a_campus_remembers_and_another_does_not(school: SchoolSystem) -> None:
    campus, teacher = school.a.campus, school.a.teacher
    with transaction():
        mapping.remember(campus, OWN_FORM[0], {1: "topic", 2: "periods"}, person=teacher)
        mapping.remember(campus, OWN_FORM[0], {1: "content", 2: "periods"}, bare={4: "remarks"}, person=teacher)
    assert db.session.query(ColumnMapping).count() == 1
    known = mapping.remembered_at(campus)[heading_hash(OWN_FORM[0])]
    assert (known.fields, known.bare, known.turned) == ({1: "content", 2: "periods"}, {4: "remarks"}, False)
    assert mapping.lookup(campus, OWN_FORM[0]) is not None
    assert mapping.lookup(school.b.campus, OWN_FORM[0]) is None
    assert mapping.remembered_at(school.b.campus) == {}


def test_a_class_tells_the_reader_its_term_its_periods_and_what_its_campus_remembers(
    school: SchoolSystem, tmp_path: Path
) -> None:
    campus, group = school.a.campus, school.a.classes[0]
    with transaction():
        mapping.remember(campus, ("日子", "讲什么", "多久"), {0: "dates", 1: "topic", 2: "periods"}, person=None)
        set_grid(campus, "school", every_weekday([(time(8), time(8, 40)), (time(9), time(9, 40))]), online=False)
    term = importer.db.session.get_one(importer.Term, group.term_id)
    day = term.starts_on + datetime.timedelta(days=7)
    path = tmp_path / "a.csv"
    path.write_text(
        lines([("日子", "讲什么", "多久"), (f"{day.month}月{day.day}日", "声音", "80分钟")]), encoding="utf-8"
    )
    unit = importer.read(path, "a.csv", group=group).units[0]
    assert (unit.periods, unit.date_from) == (2, day)
    assert set(unit.assumed) == {"periods", "date_from", "date_to"}


@pytest.mark.parametrize(
    ("title", "own", "other"),
    [
        ("八年级物理教学计划", {"数学"}, "物理"),
        ("八年级数学教学计划", {"数学"}, None),
        ("Physics, grade 8", {"mathematics"}, "physics"),
        ("教学计划", {"数学"}, None),
        ("信息科学与数学", {"数学"}, None),
    ],
)
def test_a_plan_of_another_subject_is_noticed(tmp_path: Path, title: str, own: set[str], other: str | None) -> None:
    plan = read_plan(word(tmp_path / "a.docx", CHINESE, title=title), name="a.docx")
    warning = subject_warning(plan, own, [])
    assert (warning.params["other"] if warning else None) == other
    if warning is not None:
        assert warning.place is not None
        assert warning.place.paragraph == 1


def test_the_subject_in_a_form_above_the_plan_counts_too(tmp_path: Path) -> None:
    path = word(tmp_path / "a.docx", [("学科", "物理"), ("教师", "王芳")], CHINESE, title="教学计划")
    warning = subject_warning(read_plan(path, name="a.docx"), {"数学"}, [])
    assert warning is not None
    assert warning.place is not None
    assert (warning.place.table, warning.place.row) == (1, 1)
