"""The online-teaching plan of a class and of a campus say what is stored, in both languages."""

from __future__ import annotations

import io
from datetime import timedelta

import docx
import pytest
from docx.oxml.ns import qn
from flask import Flask

from lms_bridge.core.clock import now
from lms_bridge.core.database import transaction
from lms_bridge.roster.models import EnrolmentRole
from lms_bridge.timetable.reports import implementation
from lms_bridge.timetable.reports.implementation_word import campus_docx, class_docx
from tests.builders import SchoolSystem, enrol, online, small_system, subject
from tests.web.test_plans import signed_in


@pytest.fixture
def school(app: Flask) -> SchoolSystem:
    """Campus A is online for two weeks; physics is taught without a plan; a unit is marked for home."""
    school = small_system()
    with transaction():
        physics = subject("physics", "物理", "Physics")
        enrol(school.a.teacher, school.a.classes[0], EnrolmentRole.TEACHER, teaches=physics)
        enrol(school.a.teacher, school.a.classes[0], EnrolmentRole.TEACHER, teaches=school.a.plan.subject)
        day = now().date()
        online(school.a.campus, day, day + timedelta(days=13), reason="台风停课")
        unit = school.a.plan.versions[-1].units[0]
        unit.online_possible, unit.online_alternative = False, "在家用纸折"
    return school


def text_of(content: bytes) -> str:
    """Everything that stands in a document."""
    document = docx.Document(io.BytesIO(content))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([*cells, *(paragraph.text for paragraph in document.paragraphs)])


def test_the_plan_of_a_class(school: SchoolSystem) -> None:
    group = school.a.classes[0]
    found = implementation.of_class(group)
    chinese = text_of(class_docx(found, "zh-CN"))
    for part in (group.title, "台风停课", "物理", "尚无计划", school.a.plan.versions[-1].units[0].title, "在家用纸折"):
        assert part in chinese, part
    english = text_of(class_docx(found, "en"))
    assert "Subjects and teachers" in english
    assert "no plan yet" in english


def test_the_plan_of_a_campus_names_what_is_missing(school: SchoolSystem) -> None:
    content = campus_docx(implementation.of_campus(school.a.campus), "en")
    text = text_of(content)
    for part in ("What is missing", "Physics", "在家用纸折", "Limits by grade"):
        assert part in text, part
    rows = [row for table in docx.Document(io.BytesIO(content)).tables for row in table.rows]
    assert any(row._tr.trPr is not None and row._tr.trPr.find(qn("w:tblHeader")) is not None for row in rows)


def test_staff_download_it_and_families_do_not(app: Flask, school: SchoolSystem) -> None:
    group = school.a.classes[0]
    address = f"/timetable/class/{group.id}/online-teaching.docx"
    for person, status in ((school.a.teacher, 200), (school.a.students[0], 404), (school.b.teacher, 404)):
        assert signed_in(app, person).get(address).status_code == status
    campus = f"/timetable/campus/{school.a.campus.code}/online-teaching.docx"
    assert signed_in(app, school.a.administrator).get(campus).status_code == 200
    assert campus in signed_in(app, school.a.administrator).get(f"/timetable?campus={school.a.campus.code}").get_data(
        as_text=True
    )
    assert signed_in(app, school.a.teacher).get(campus).status_code == 404
