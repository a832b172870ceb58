"""Routes of what a campus's timetable is made from: the check of a week, subject rules, absences, and the pace."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from apiflask import APIBlueprint

from lms_bridge.api import timetable_input_answers as answers
from lms_bridge.api import timetable_input_schemas as schemas
from lms_bridge.api.callers import auth, caller
from lms_bridge.api.named import campus_to_plan, class_of
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import NotFound
from lms_bridge.plans.lookup import subject_by_code
from lms_bridge.roster.models import Organisation, Person
from lms_bridge.roster.scope import today
from lms_bridge.timetable.cases import teacher_times
from lms_bridge.timetable.inputs import subject_rules
from lms_bridge.timetable.inputs.models import DayPart, RuleType, SubjectRule, WeekParity
from lms_bridge.timetable.inputs.stated_rules import Stated
from lms_bridge.timetable.making.input_check import check_week
from lms_bridge.timetable.models import Unavailability

blueprint = APIBlueprint("api_timetable_inputs", __name__, url_prefix="/api/v1/campuses", tag="Rules and inputs")


@blueprint.get("/<code>/input-check")
@blueprint.auth_required(auth)
@blueprint.input(schemas.WeekQuery, location="query")
@blueprint.output(answers.InputCheck)
def input_check(code: str, query_data: dict[str, Any]) -> dict[str, Any]:
    """Everything that stands in the way of a week's timetable, with remedies."""
    return check_week(campus_to_plan(code), query_data["week"]).as_dict()


@blueprint.get("/<code>/subject-rules")
@blueprint.auth_required(auth)
@blueprint.output(answers.Rules)
def rules(code: str) -> dict[str, Any]:
    """The subject rules of a campus."""
    return {"rules": [_rule(row) for row in subject_rules.rules_of(campus_to_plan(code).id)]}


@blueprint.post("/<code>/subject-rules")
@blueprint.auth_required(auth)
@blueprint.input(schemas.RuleForm)
@blueprint.output(answers.AddedRule, status_code=201)
def add_rule(code: str, json_data: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """State a rule; refused with every rule that it contradicts."""
    campus = campus_to_plan(code)
    with transaction():
        uid = subject_rules.add_rule(campus, _stated(campus, json_data), actor=caller()).uid
    row = next(row for row in subject_rules.rules_of(campus.id) if row.uid == uid)
    return _rule(row), 201


@blueprint.delete("/<code>/subject-rules/<uid>")
@blueprint.auth_required(auth)
@blueprint.output(answers.Removed)
def remove_rule(code: str, uid: str) -> tuple[dict[str, Any], int]:
    """Take a rule back."""
    campus = campus_to_plan(code)
    with transaction():
        row = db.session.scalar(sa.select(SubjectRule).filter_by(campus_id=campus.id, uid=uid))
        if row is None:
            raise NotFound()
        subject_rules.remove_rule(row, actor=caller())
    return {}, 200


@blueprint.get("/<code>/absences")
@blueprint.auth_required(auth)
@blueprint.output(answers.Times)
def absences(code: str) -> dict[str, Any]:
    """When the teachers of a campus cannot teach, today and later."""
    campus = campus_to_plan(code)
    people = {person.id: person for person in teacher_times.teachers_of(campus)}
    rows = teacher_times.absences_of(people, today(campus.zone))
    return {"absences": [_absence(row, people[row.person_id]) for row in rows]}


@blueprint.post("/<code>/absences")
@blueprint.auth_required(auth)
@blueprint.input(schemas.AbsenceForm)
@blueprint.output(answers.Times, status_code=201)
def add_absence(code: str, json_data: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """State when a teacher cannot teach; lessons that are published stay as they are."""
    campus = campus_to_plan(code)
    person = next((p for p in teacher_times.teachers_of(campus) if p.uid == json_data["teacher"]), None)
    if person is None:
        raise NotFound()
    wanted = teacher_times.Absent(
        frozenset(json_data["weekdays"]), frozenset(json_data["periods"]),
        json_data["first_day"], json_data["last_day"], json_data["reason"],
    )  # fmt: skip
    with transaction():
        rows = teacher_times.add_absence(campus, person, wanted, actor=caller())
    return {"absences": [_absence(row, person) for row in rows]}, 201


@blueprint.delete("/<code>/absences/<int:number>")
@blueprint.auth_required(auth)
@blueprint.output(answers.Removed)
def remove_absence(code: str, number: int) -> tuple[dict[str, Any], int]:
    """Take a time back in which somebody could not teach."""
    campus = campus_to_plan(code)
    with transaction():
        row = db.session.get(Unavailability, number)
        if row is None or row.person_id not in {person.id for person in teacher_times.teachers_of(campus)}:
            raise NotFound()
        teacher_times.remove_absence(campus, row, actor=caller())
    return {}, 200


def _rule(row: SubjectRule) -> dict[str, Any]:
    return {
        "uid": row.uid,
        "text": str(subject_rules.text_of(row)),
        "kind": row.kind.value,
        "subject": row.subject.code,
        "other": row.other.code if row.other is not None else None,
        "weeks": row.weeks.value,
        "grade": row.grade,
        "class": row.class_group.code if row.class_group is not None else None,
        "number": row.number,
        "day_part": row.day_part.value if row.day_part is not None else None,
        "weekday": row.weekday,
        "first_period": row.first_period,
        "last_period": row.last_period,
    }


def _absence(row: Unavailability, person: Person) -> dict[str, Any]:
    return {
        "number": row.id,
        "teacher": person.uid,
        "weekday": row.weekday,
        "period": row.period_number,
        "first_day": row.first_day.isoformat() if row.first_day else None,
        "last_day": row.last_day.isoformat() if row.last_day else None,
        "reason": row.reason,
    }


def _stated(campus: Organisation, data: dict[str, Any]) -> Stated:
    """The rule of a request.

    :raises InputError: no subject or class has the code.
    """
    group = class_of(campus, data["class_"]) if data.get("class_") else None
    part = data.get("day_part")
    return Stated(
        subject_id=subject_by_code(data["subject"]).id,
        kind=RuleType(data["kind"]),
        weeks=WeekParity(data["weeks"]),
        grade=data["grade"],
        class_id=group.id if group is not None else None,
        other_id=subject_by_code(data["other"]).id if data.get("other") else None,
        number=data.get("number"),
        day_part=DayPart(part) if part else None,
        weekday=data.get("weekday"),
        first_period=data.get("first_period"),
        last_period=data.get("last_period"),
    )
