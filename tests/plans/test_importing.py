"""What may become a plan: for which classes, for which grade, and when a document makes no new version."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BridgeError
from lms_bridge.plans import importer, lookup
from lms_bridge.plans.errors import PlanExists, UnknownCode, WrongState
from lms_bridge.plans.models import PlanKind, TeachingPlan, VersionState
from lms_bridge.plans.reading import read_plan
from lms_bridge.roster.models import ClassGroup, EnrolmentRole
from lms_bridge.roster.scope import scope_for
from tests.builders import SchoolSystem, class_group, enrol, small_system, subject
from tests.plans.making import excel, lines, word

ROWS = [("周次", "教学内容", "课时"), ("1", "声音", "2"), ("2", "光", "3")]


@pytest.fixture
def school(app: Flask) -> SchoolSystem:
    school = small_system()
    with transaction():
        school.subject = subject("physics", "物理", "Physics")
        for group in school.a.classes:
            enrol(school.a.teacher, group, EnrolmentRole.TEACHER, teaches=school.subject)
    return school


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "plan.csv"
    path.write_text(lines(ROWS), encoding="utf-8")
    return path


def bring(school: SchoolSystem, path: Path, *codes: str) -> TeachingPlan:
    """Campus A's teacher brings a plan in physics for these classes."""
    read = importer.read(path, path.name, group=school.a.classes[0])
    with transaction():
        result = importer.import_plan(
            read, path, name=path.name, class_codes=[f"{school.a.campus.code}/{code}" for code in codes],
            subject_code="physics", scope=scope_for(school.a.teacher), author=school.a.teacher,
        )  # fmt: skip
    assert result.plan is not None
    return result.plan


def version(plan: TeachingPlan, path: Path, school: SchoolSystem, *, seen: int | None = None) -> importer.ImportResult:
    """The teacher uploads a document as the plan's next version."""
    read = importer.read(path, path.name, group=school.a.classes[0])
    with transaction():
        return importer.import_version(
            plan, read, path, name=path.name, scope=scope_for(school.a.teacher), author=school.a.teacher, seen=seen
        )


def test_a_class_that_is_named_twice_is_served_once(school: SchoolSystem, document: Path) -> None:
    plan = bring(school, document, "5-1", "5-1", "5-2")
    assert sorted(link.class_group.code for link in plan.classes) == ["5-1", "5-2"]


def test_one_plan_is_not_for_several_grades(school: SchoolSystem, document: Path) -> None:
    with transaction():
        seventh = class_group(school.a.campus, school.term, code="7-1", grade="7")
        enrol(school.a.teacher, seventh, EnrolmentRole.TEACHER, teaches=school.subject)
    with pytest.raises(PlanExists, match="several grades: 5, 7"):
        bring(school, document, "5-1", "7-1")
    assert not db.session.scalar(sa.select(sa.func.count()).where(TeachingPlan.subject_id == school.subject.id))


def test_a_benchmark_is_for_a_grade_that_there_is(school: SchoolSystem, document: Path) -> None:
    read = importer.read(document, document.name, term=school.term)

    def benchmark(grade: str) -> importer.ImportResult:
        with transaction():
            return importer.import_benchmark(
                read, document, name=document.name, organisation=school.bureau, subject_code="physics", grade=grade,
                term=school.term, language="zh-CN", scope=scope_for(school.researcher), author=school.researcher,
            )  # fmt: skip

    for wrong in ("99", "a grade whose name is far longer than a column"):
        with pytest.raises(UnknownCode) as refused:
            benchmark(wrong)
        assert refused.value.status == 422
        assert "5" in refused.value.remedy_text()
    made = benchmark(" 05 ").plan
    assert made is not None
    assert (made.grade, made.kind) == ("5", PlanKind.BENCHMARK)


def test_the_same_document_makes_no_new_version(school: SchoolSystem, document: Path) -> None:
    plan = bring(school, document, "5-1")
    again = version(plan, document, school, seen=1)
    assert again.unchanged
    assert again.version is plan.versions[0]
    assert [(v.number, v.state) for v in plan.versions] == [(1, VersionState.DRAFT)]
    document.write_text(lines([*ROWS, ("3", "力", "4")]), encoding="utf-8")
    changed = version(plan, document, school, seen=1)
    assert (changed.unchanged, len(plan.versions)) == (False, 2)


def test_a_version_is_made_only_after_the_one_that_was_seen(school: SchoolSystem, document: Path) -> None:
    plan = bring(school, document, "5-1")
    document.write_text(lines([*ROWS, ("3", "力", "4")]), encoding="utf-8")
    version(plan, document, school, seen=1)
    document.write_text(lines([*ROWS, ("3", "电", "4")]), encoding="utf-8")
    with pytest.raises(WrongState) as refused:
        version(plan, document, school, seen=1)
    assert refused.value.status == 409
    assert len(lookup.plan_by_uid(plan.uid).versions) == 2


def test_refusals_are_for_people(school: SchoolSystem, document: Path) -> None:
    assert db.session.scalar(sa.select(ClassGroup.grade).where(ClassGroup.id == school.a.classes[0].id)) == "5"
    with pytest.raises(BridgeError) as refused:
        bring(school, document, "9-9")
    assert refused.value.remedy_text()


@pytest.mark.parametrize(
    ("make", "name", "said"),
    [
        (lambda path: path.write_text(lines(ROWS), encoding="utf-8"), "计划.docx", "plain text (.csv)"),
        (lambda path: excel(path, ROWS), "计划.docx", "an Excel workbook (.xlsx)"),
        (lambda path: word(path, ROWS), "计划.xlsx", "a Word document (.docx)"),
        (lambda path: path.write_text(lines(ROWS), encoding="utf-8"), "计划.csv", None),
        (lambda path: word(path, ROWS), "计划.DOCX", None),
        (lambda path: word(path, ROWS), "计划 v1.2", None),
    ],
)
def test_a_file_that_is_named_for_what_it_is_not_is_flagged(
    tmp_path: Path, make: Callable[[Path], object], name: str, said: str | None
) -> None:
    path = tmp_path / "upload"
    make(path)
    plan = read_plan(path, name=name)
    assert len(plan.units) == 2
    found = [str(warning) for warning in plan.warnings if "is named" in str(warning)]
    assert len(found) == (said is not None)
    assert all(said in text and text.startswith(name) for text in found if said)
