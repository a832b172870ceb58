"""Routes of how a campus teaches below ``/api/v1/campuses``: classes together, groups and second teachers, and how many
periods a day teachers may have. What is stated holds from the next week that is solved."""

from __future__ import annotations

import sqlalchemy as sa
from apiflask import APIBlueprint

from lms_bridge.api import campus_schemas as schemas
from lms_bridge.api.callers import auth, caller
from lms_bridge.api.named import campus_to_plan, class_of, teacher_named
from lms_bridge.calendar.days import term_in_hand
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BadInputs, InputError, NotFound
from lms_bridge.core.i18n import N_
from lms_bridge.plans.lookup import subject_by_code
from lms_bridge.roster.models import Organisation, Person
from lms_bridge.timetable.cases import teacher_times
from lms_bridge.timetable.inputs import arrangements as arranging
from lms_bridge.timetable.inputs.models import Arrangement
from lms_bridge.timetable.models import TeacherPart

blueprint = APIBlueprint("api_teaching_inputs", __name__, url_prefix="/api/v1/campuses", tag="Rules and inputs")


@blueprint.get("/<code>/arrangements")
@blueprint.auth_required(auth)
@blueprint.output(schemas.Arrangements)
def arrangements(code: str) -> schemas.Arrangements:
    """The teaching arrangements of a campus in the term in hand."""
    campus = campus_to_plan(code)
    term = term_in_hand(campus)
    rows = arranging.arrangements_of(campus.id, term.id) if term is not None else []
    return schemas.Arrangements(arrangements=[_arrangement(row) for row in rows])


@blueprint.post("/<code>/arrangements")
@blueprint.auth_required(auth)
@blueprint.input(schemas.ArrangementIn)
@blueprint.output(schemas.ArrangementOut, 201)
def add_arrangement(code: str, json_data: schemas.ArrangementIn) -> schemas.ArrangementOut:
    """Arrange classes together, a group of a class, or a second teacher."""
    campus = campus_to_plan(code)
    with transaction():
        return _arrangement(arranging.add_arrangement(campus, _wanted(campus, json_data), actor=caller()))


@blueprint.delete("/<code>/arrangements/<uid>")
@blueprint.auth_required(auth)
@blueprint.output(schemas.Nothing)
def remove_arrangement(code: str, uid: str) -> schemas.Nothing:
    """Give an arrangement up."""
    campus = campus_to_plan(code)
    with transaction():
        arranging.remove_arrangement(_found(campus, uid), actor=caller())
    return schemas.Nothing()


@blueprint.put("/<code>/arrangements/<uid>/groups/<group>")
@blueprint.auth_required(auth)
@blueprint.input(schemas.MembersIn)
@blueprint.output(schemas.ArrangementOut)
def put_members(code: str, uid: str, group: str, json_data: schemas.MembersIn) -> schemas.ArrangementOut:
    """Say which students of a class (its code) belong to the group that the arrangement has of it."""
    campus = campus_to_plan(code)
    with transaction():
        row = _found(campus, uid)
        part = next((part for part in row.classes if part.class_group.code == group and part.part), None)
        if part is None:
            raise NotFound()
        known = dict(
            db.session.execute(sa.select(Person.uid, Person.id).where(Person.uid.in_(json_data.students))).all()
        )
        # Whoever is not known is nobody's student; 0 is no person's id.
        chosen = [known.get(student, 0) for student in json_data.students]
        arranging.set_members(part.class_group, part.part, chosen, actor=caller())
        return _arrangement(row)


@blueprint.get("/<code>/teacher-limits")
@blueprint.auth_required(auth)
@blueprint.output(schemas.TeacherLimits)
def teacher_limits(code: str) -> schemas.TeacherLimits:
    """The teachers of a campus whose periods a day are limited."""
    people = {person.id: person for person in teacher_times.teachers_of(campus_to_plan(code))}
    limits = teacher_times.limits_of(people)
    return schemas.TeacherLimits(
        limits=[_limit(person, limits[number]) for number, person in people.items() if number in limits]
    )


@blueprint.put("/<code>/teacher-limits/<uid>")
@blueprint.auth_required(auth)
@blueprint.input(schemas.TeacherLimitIn)
@blueprint.output(schemas.TeacherLimitOut)
def put_teacher_limit(code: str, uid: str, json_data: schemas.TeacherLimitIn) -> schemas.TeacherLimitOut:
    """Say how many periods a day a teacher of the campus may have, at all campuses together."""
    campus = campus_to_plan(code)
    with transaction():
        person = next((p for p in teacher_times.teachers_of(campus) if p.uid == uid), None)
        if person is None:
            raise NotFound()
        teacher_times.set_limit(campus, person, json_data.periods_per_day, actor=caller())
        return _limit(person, json_data.periods_per_day)


def _wanted(campus: Organisation, said: schemas.ArrangementIn) -> arranging.WantedArrangement:
    term = term_in_hand(campus)
    if term is None:
        raise BadInputs([InputError(N_("No term is running or to come."), remedy=N_("Terms come from the roster."))])
    return arranging.WantedArrangement(
        term=term,
        subject=subject_by_code(said.subject),
        classes=tuple((class_of(campus, part.class_).id, part.part) for part in said.classes),
        lead=teacher_named(said.lead),
        assistants=tuple(teacher_named(uid) for uid in said.assistants),
        band=said.band,
    )


def _found(campus: Organisation, uid: str) -> Arrangement:
    row = db.session.scalar(sa.select(Arrangement).filter_by(campus_id=campus.id, uid=uid))
    if row is None:
        raise NotFound()
    return row


def _arrangement(row: Arrangement) -> schemas.ArrangementOut:
    members = arranging.members_of([part.class_id for part in row.classes])
    people = {number for chosen in members.values() for number in chosen}
    uids = dict(db.session.execute(sa.select(Person.id, Person.uid).where(Person.id.in_(people))).all())
    return schemas.ArrangementOut(
        uid=row.uid,
        subject=row.subject.code,
        classes=[
            schemas.PartOut(
                class_=part.class_group.code,
                part=part.part,
                students=sorted(uids[number] for number in members.get((part.class_id, part.part), ())),
            )
            for part in row.classes
        ],
        lead=next((t.person.uid for t in row.teachers if t.part is TeacherPart.LEAD), None),
        assistants=[t.person.uid for t in row.teachers if t.part is TeacherPart.ASSISTANT],
        band=row.band,
    )


def _limit(person: Person, periods: int | None) -> schemas.TeacherLimitOut:
    return schemas.TeacherLimitOut(teacher=person.uid, name=person.display_name, periods_per_day=periods)
