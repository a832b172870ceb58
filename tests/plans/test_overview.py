"""How the plans of many campuses stand, in figures that anybody can count by hand."""

from __future__ import annotations

import io
from datetime import timedelta

import openpyxl
import pytest
import sqlalchemy as sa
from flask import Flask

from lms_bridge.core.access import Role
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.i18n import use_locale
from lms_bridge.plans import comparing, overview, overview_units
from lms_bridge.plans.export.overview_excel import overview_xlsx
from lms_bridge.plans.findings import FindingKind
from lms_bridge.plans.models import PlanDeadline, PlanKind, PlanUnit, PlanVersion, TeachingPlan, VersionState
from lms_bridge.plans.overview import Filter
from lms_bridge.roster.models import EnrolmentRole
from lms_bridge.roster.scope import scope_for
from tests.builders import SchoolSystem, added, benchmark, enrol, person_as, plan, small_system, subject

UNITS = [("机械运动", 4), ("声现象", 4), ("物态变化", 5)]


@pytest.fixture
def school(app: Flask) -> SchoolSystem:
    """Two campuses with approved plans in mathematics; physics is taught at both, campus A alone has a plan."""
    school = small_system()
    with transaction():
        school.subject = subject("physics", "=物理", "Physics")
        for campus in (school.a, school.b):
            enrol(campus.teacher, campus.classes[0], EnrolmentRole.TEACHER, teaches=school.subject)
        benchmark(school.bureau, school.term, school.subject, school.researcher, units=UNITS)
        row = plan(
            school.a.classes[:1], school.subject, school.a.teacher, units=[("机械运动", 4), ("声现象", 2)],
            state=VersionState.SUBMITTED,
        )  # fmt: skip
        comparing.compare_version(row.versions[-1])
    return school


def seen_by(school: SchoolSystem, **wanted: str) -> overview.Overview:
    """The overview of the bureau's researcher."""
    return overview.overview(scope_for(school.researcher), Filter(**wanted))


def test_every_class_and_subject_that_needs_a_plan_is_counted(school: SchoolSystem) -> None:
    found = seen_by(school, subject="physics")
    cells = {found.cells[key].pairs[0].campus.code: found.cells[key] for key in found.cells}
    a, b = cells[school.a.campus.code], cells[school.b.campus.code]
    assert (len(a.pairs), a.states[VersionState.SUBMITTED], a.missing) == (1, 1, 0)
    assert a.coverage is not None
    assert 0 < a.coverage < 1
    assert (len(b.pairs), b.missing, b.coverage) == (1, 1, None)


def test_what_departs_most_and_which_units_are_left_out(school: SchoolSystem) -> None:
    found = seen_by(school, subject="physics")
    assert {(row.kind, row.plans) for row in found.departures} >= {(FindingKind.MISSING, 1), (FindingKind.SHORTENED, 1)}
    assert {(row.title, row.missing, row.shorter) for row in found.units} == {("物态变化", 1, 0), ("声现象", 0, 1)}
    missing = next(row for row in found.units if row.missing)
    told = {row.pair.campus.code: row for row in overview_units.treatments(found.whole.pairs, missing.key)}
    assert told[school.a.campus.code].kinds == (FindingKind.MISSING,)
    assert not told[school.b.campus.code].compared


def told_of(school: SchoolSystem, title: str) -> dict[str, tuple[bool, tuple[FindingKind, ...]]]:
    """What the drill-down without a filter says of the newest benchmark's unit, by class."""
    unit = db.session.scalars(
        sa.select(PlanUnit)
        .join(PlanVersion, PlanVersion.id == PlanUnit.version_id)
        .join(TeachingPlan, TeachingPlan.id == PlanVersion.plan_id)
        .where(PlanUnit.title == title, TeachingPlan.kind == PlanKind.BENCHMARK)
        .order_by(PlanUnit.version_id.desc())
    ).first()
    assert unit is not None
    rows = overview_units.treatments(seen_by(school).whole.pairs, unit.key)
    return {row.pair.group.code: (row.compared, row.kinds) for row in rows if row.pair.plan_uid is not None}


def test_a_unit_is_told_only_of_classes_that_are_compared_with_it(school: SchoolSystem) -> None:
    """Another subject has nothing to do with the unit; a class with a benchmark in its own language is not compared."""
    code = school.a.classes[0].code
    assert told_of(school, "物态变化") == {code: (True, (FindingKind.MISSING,))}
    with transaction():
        english = benchmark(
            school.bureau, school.term, school.subject, school.researcher, units=[("Motion", 4), ("Sound", 4)]
        )
        english.language = "en"
        row = plan(
            school.a.classes[1:2], school.subject, school.a.teacher, units=[("Motion", 4), ("Sound", 4)], language="en"
        )
        enrol(school.a.teacher, school.a.classes[1], EnrolmentRole.TEACHER, teaches=school.subject)
        comparing.compare_version(row.versions[-1])
    other = school.a.classes[1].code
    assert row.versions[-1].coverage == 1
    assert told_of(school, "物态变化") == {code: (True, (FindingKind.MISSING,)), other: (False, ())}
    assert told_of(school, "Sound") == {code: (False, ()), other: (True, ())}


def test_merged_units_are_told_of_each(school: SchoolSystem) -> None:
    with transaction():
        benchmark(school.a.campus, school.term, school.subject, school.researcher, units=[*UNITS, ("光现象", 2)])
        row = plan(
            school.a.classes[1:2], school.subject, school.a.teacher,
            units=[("机械运动", 4), ("声现象、物态变化", 9), ("光现象", 2)],
        )  # fmt: skip
        enrol(school.a.teacher, school.a.classes[1], EnrolmentRole.TEACHER, teaches=school.subject)
        found = comparing.compare_version(row.versions[-1])
    assert FindingKind.MERGED.value in [finding.kind for finding in found]
    code = school.a.classes[1].code
    assert FindingKind.MERGED in told_of(school, "声现象")[code][1]
    assert FindingKind.MERGED in told_of(school, "物态变化")[code][1]
    assert told_of(school, "光现象")[code] == (True, ())


def test_who_is_late(school: SchoolSystem) -> None:
    with transaction():
        added(PlanDeadline(organisation_id=school.bureau.id, term_id=school.term.id, due_at=now() - timedelta(hours=1)))
    late = seen_by(school, subject="physics", campus=school.b.campus.code).late
    assert [(pair.group.id, pair.plan_uid) for pair in late] == [(school.b.classes[0].id, None)]


def test_a_researcher_of_one_campus_sees_that_campus(school: SchoolSystem) -> None:
    with transaction():
        researcher = person_as(Role.RESEARCHER, school.b.campus)
    found = overview.overview(scope_for(researcher), Filter())
    assert {campus.id for campus in found.campuses} == {school.b.campus.id}
    assert overview.overview(scope_for(school.a.teacher), Filter()).cells == {}


def test_more_plans_need_no_more_statements(school: SchoolSystem) -> None:
    def statements() -> int:
        count = 0

        def one_more(*_: object) -> None:
            nonlocal count
            count += 1

        db.session.expire_all()
        sa.event.listen(db.engine, "before_cursor_execute", one_more)
        try:
            seen_by(school)
        finally:
            sa.event.remove(db.engine, "before_cursor_execute", one_more)
        return count

    before = statements()
    with transaction():
        for number in range(8):
            more = subject(f"more{number}", f"学科{number}", f"Subject {number}")
            for campus in (school.a, school.b):
                enrol(campus.teacher, campus.classes[0], EnrolmentRole.TEACHER, teaches=more)
                plan(campus.classes[:1], more, campus.teacher, units=UNITS)
    assert statements() <= before


def test_the_workbook_holds_the_same_figures_and_no_formulas(school: SchoolSystem) -> None:
    with use_locale("zh-CN"):
        book = openpyxl.load_workbook(io.BytesIO(overview_xlsx(seen_by(school, subject="physics"))))
    assert book.sheetnames == ["总览", "计划", "已过期", "差异", "基准单元"]
    head, *rows = book["总览"].iter_rows(values_only=True)
    assert [row[head.index("应有计划")] for row in rows] == [1, 1]
    cell = book["总览"]["B2"]
    assert (cell.value, cell.data_type) == ("=物理", "s")
    assert book["总览"].freeze_panes == "A2"
