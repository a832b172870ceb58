"""A plan on its way from a teacher's document to approval."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BridgeError, Forbidden, InputError, NotFound
from lms_bridge.core.models import AuditEntry, OutboxFact
from lms_bridge.plans import adjusting, comparing, importer, review
from lms_bridge.plans.errors import PlanExists, UnknownCode, WrongState
from lms_bridge.plans.importer import ImportResult
from lms_bridge.plans.lookup import plan_by_uid
from lms_bridge.plans.models import Finding, TeachingPlan, VersionState
from lms_bridge.roster.models import EnrolmentRole
from lms_bridge.roster.scope import scope_for
from tests.builders import SchoolSystem, enrol, small_system, subject
from tests.plans.documents import plan_docx

BENCHMARK = [("有理数", 5), ("整式的加减", 4), ("一元一次方程", 6), ("几何图形初步", 4)]
PLAN = [("有理数", 5), ("一元一次方程", 4), ("整式的加减", 4), ("数学活动", 1)]


@pytest.fixture
def school(app: Flask) -> SchoolSystem:
    """A bureau with two campuses; each campus's teacher teaches physics too, for which there is no plan yet."""
    school = small_system()
    with transaction():
        school.subject = subject("physics", "物理", "Physics")
        for campus in (school.a, school.b):
            enrol(campus.teacher, campus.classes[0], EnrolmentRole.TEACHER, teaches=school.subject)
    return school


def bring_in(school: SchoolSystem, tmp_path: Path, units: list[tuple[str, int]] = PLAN) -> ImportResult:
    """The teacher of campus A imports a plan for the class they teach."""
    path = plan_docx(tmp_path / "plan.docx", units)
    document = importer.read(path, path.name)
    campus = school.a
    with transaction():
        return importer.import_plan(
            document,
            path,
            name=path.name,
            class_codes=[f"{campus.campus.code}/{campus.classes[0].code}"],
            subject_code=school.subject.code,
            scope=scope_for(campus.teacher),
            author=campus.teacher,
        )


def bring_benchmark(school: SchoolSystem, tmp_path: Path, longer: int = 0) -> None:
    """The researchers' benchmark for the grade, its units some periods ``longer``."""
    path = plan_docx(tmp_path / "benchmark.docx", [(title, periods + longer) for title, periods in BENCHMARK])
    document = importer.read(path, path.name)
    with transaction():
        importer.import_benchmark(
            document,
            path,
            name=path.name,
            organisation=school.bureau,
            subject_code=school.subject.code,
            grade=school.a.classes[0].grade,
            term=school.term,
            language="zh-CN",
            scope=scope_for(school.researcher),
            author=school.researcher,
        )


def test_findings_say_what_departs_from_the_benchmark(school: SchoolSystem, tmp_path: Path) -> None:
    bring_benchmark(school, tmp_path)
    version = bring_in(school, tmp_path).version
    assert version is not None
    kinds = sorted(f.kind for f in comparing.findings_of(version))
    assert kinds == ["extra", "missing", "reordered", "shortened", "total"]
    assert any("几何图形初步" in text for text in comparing.sentences(version, comparing.findings_of(version)))


def test_a_later_benchmark_is_compared_with_plans_that_are_there(school: SchoolSystem, tmp_path: Path) -> None:
    version = bring_in(school, tmp_path).version
    assert version is not None
    assert comparing.findings_of(version) == []
    bring_benchmark(school, tmp_path)
    assert len(comparing.findings_of(version)) == 5


def test_an_acceptance_stays_while_the_benchmark_says_the_same_and_ends_when_it_says_other(
    school: SchoolSystem, tmp_path: Path
) -> None:
    bring_benchmark(school, tmp_path)
    version = bring_in(school, tmp_path).version
    assert version is not None

    def missing() -> Finding:
        return next(f for f in comparing.findings_of(version) if f.kind == "missing")

    with transaction():
        plan = version.plan
        teacher = school.a.teacher
        adjusting.answer(
            plan, missing().position, comparing.ACCEPTED, seen=1, scope=scope_for(teacher), person=teacher
        )  # fmt: skip
    bring_benchmark(school, tmp_path)
    assert missing().answer == comparing.ACCEPTED
    bring_benchmark(school, tmp_path, longer=1)
    assert missing().answer is None


def test_a_plan_is_submitted_returned_submitted_again_and_approved(school: SchoolSystem, tmp_path: Path) -> None:
    plan = bring_in(school, tmp_path).plan
    assert plan is not None
    teacher, researcher = scope_for(school.a.teacher), scope_for(school.researcher)
    with transaction():
        review.submit(plan, scope=teacher, person=school.a.teacher)
    with transaction():
        review.return_plan(plan, scope=researcher, person=school.researcher, comment="缺一单元")
    with transaction():
        review.submit(plan, scope=teacher, person=school.a.teacher)
    with transaction():
        review.approve(plan, scope=researcher, person=school.researcher)
    assert plan.versions[-1].state is VersionState.APPROVED
    actions = db.session.scalars(sa.select(AuditEntry.action).where(AuditEntry.entity == "plan")).all()
    assert actions == ["plan.import", "plan.submitted", "plan.returned", "plan.submitted", "plan.approved"]
    assert len(db.session.scalars(sa.select(OutboxFact).filter_by(kind="plan.reviewed")).all()) == 2


def test_what_was_decided_once_cannot_be_decided_again(school: SchoolSystem, tmp_path: Path) -> None:
    plan = bring_in(school, tmp_path).plan
    assert plan is not None
    researcher = scope_for(school.researcher)
    with pytest.raises(WrongState), transaction():
        review.approve(plan, scope=researcher, person=school.researcher)
    with transaction():
        review.submit(plan, scope=None, person=None)
    with transaction():
        review.approve(plan, scope=researcher, person=school.researcher)
    with pytest.raises(WrongState), transaction():
        review.return_plan(plan, scope=researcher, person=school.researcher, comment="not after all")


def test_a_return_needs_a_reason_and_nobody_approves_their_own_plan(school: SchoolSystem, tmp_path: Path) -> None:
    plan = bring_in(school, tmp_path).plan
    assert plan is not None
    with transaction():
        review.submit(plan, scope=None, person=None)
    with pytest.raises(InputError), transaction():
        review.return_plan(plan, scope=None, person=school.researcher, comment="  ")
    with pytest.raises(Forbidden), transaction():
        review.approve(plan, scope=None, person=school.a.teacher)


def test_strangers_neither_see_nor_review_a_plan(school: SchoolSystem, tmp_path: Path) -> None:
    plan = bring_in(school, tmp_path).plan
    assert plan is not None
    for stranger in (school.b.teacher, school.b.administrator, school.a.guardians[0], school.a.students[0]):
        with pytest.raises(NotFound), transaction():
            review.submit(plan, scope=scope_for(stranger), person=stranger)
        with pytest.raises(NotFound), transaction():
            review.approve(plan, scope=scope_for(stranger), person=stranger)


def test_a_second_plan_is_refused_with_the_way_out_and_nothing_is_stored(school: SchoolSystem, tmp_path: Path) -> None:
    bring_in(school, tmp_path)
    with pytest.raises(PlanExists, match="new version"):
        bring_in(school, tmp_path)
    assert (
        db.session.scalar(sa.select(sa.func.count()).select_from(TeachingPlan).filter_by(subject_id=school.subject.id))
        == 1
    )


def test_unknown_codes_are_named_with_those_there_are(school: SchoolSystem, tmp_path: Path) -> None:
    path = plan_docx(tmp_path / "plan.docx", PLAN)
    document = importer.read(path, path.name)
    for group, code, shown in (("9-99", school.subject.code, "9-99"), (school.a.classes[0].code, "xyz", "xyz")):
        with pytest.raises(UnknownCode) as refusal, transaction():
            importer.import_plan(
                document, path, name=path.name, class_codes=[group], subject_code=code, scope=None, author=None
            )
        assert shown in str(refusal.value)
        assert "Known are" in str(refusal.value)


def test_a_teacher_cannot_bring_a_plan_for_somebody_elses_class(school: SchoolSystem, tmp_path: Path) -> None:
    path = plan_docx(tmp_path / "plan.docx", PLAN)
    document = importer.read(path, path.name)
    with pytest.raises(BridgeError), transaction():
        importer.import_plan(
            document,
            path,
            name=path.name,
            class_codes=[f"{school.a.campus.code}/{school.a.classes[0].code}"],
            subject_code=school.subject.code,
            scope=scope_for(school.b.teacher),
            author=school.b.teacher,
        )


def test_units_keep_their_keys_in_the_next_version(school: SchoolSystem, tmp_path: Path) -> None:
    result = bring_in(school, tmp_path)
    assert result.plan is not None
    assert result.version is not None
    before = {u.title: u.key for u in result.version.units}
    path = plan_docx(tmp_path / "next.docx", [("整式的加减", 4), ("有理数", 6), ("几何图形初步", 4)])
    with transaction():
        importer.import_version(
            plan_by_uid(result.plan.uid),
            importer.read(path, path.name),
            path,
            name=path.name,
            scope=scope_for(school.a.teacher),
            author=school.a.teacher,
        )
    plan = plan_by_uid(result.plan.uid)
    after = {u.title: u.key for u in plan.versions[-1].units}
    assert after["有理数"] == before["有理数"]
    assert after["整式的加减"] == before["整式的加减"]
    assert after["几何图形初步"] not in before.values()
    assert [v.state for v in plan.versions] == [VersionState.SUPERSEDED, VersionState.DRAFT]


def test_nobody_approves_a_version_that_came_after_they_looked(school: SchoolSystem, tmp_path: Path) -> None:
    plan = bring_in(school, tmp_path).plan
    assert plan is not None
    with transaction():
        review.submit(plan, scope=None, person=None)
    with transaction():
        review.return_plan(plan, scope=None, person=school.researcher, comment="缺一单元")
    path = plan_docx(tmp_path / "second.docx", [("有理数", 3)])
    with transaction():
        importer.import_version(
            plan, importer.read(path, path.name), path, name=path.name, scope=None, author=school.a.teacher
        )
    with transaction():
        review.submit(plan, scope=None, person=None)
    researcher = scope_for(school.researcher)
    with pytest.raises(WrongState, match=r"1.*2"), transaction():
        review.approve(plan, scope=researcher, person=school.researcher, seen=1)
    assert plan.versions[-1].state is VersionState.SUBMITTED
    with transaction():
        review.approve(plan, scope=researcher, person=school.researcher, seen=2)


def test_without_a_benchmark_what_cannot_go_online_is_found_all_the_same(school: SchoolSystem, tmp_path: Path) -> None:
    version = bring_in(school, tmp_path, [("学生实验：测密度", 2), ("有理数", 4)]).version
    assert version is not None
    assert version.coverage is None
    found = comparing.findings_of(version)
    assert [f.kind for f in found] == ["offline"]
    assert "学生实验" in comparing.sentences(version, found)[0]


def test_a_benchmark_says_what_is_done_online_instead(school: SchoolSystem, tmp_path: Path) -> None:
    path = tmp_path / "benchmark.csv"
    path.write_text("周次,课题,课时,线上替代方案\n1,有理数,5,\n2,整式的加减,4,在家用天平做\n", encoding="utf-8")
    document = importer.read(path, path.name)
    assert [(u.online_possible, u.online_alternative) for u in document.units] == [(True, ""), (False, "在家用天平做")]
