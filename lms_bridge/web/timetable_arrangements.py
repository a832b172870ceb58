"""The page of a campus's teaching arrangements: classes together, groups within a class, two teachers."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from flask import request
from werkzeug.wrappers import Response

from lms_bridge.calendar.days import term_in_hand
from lms_bridge.core.database import db
from lms_bridge.core.errors import BadInputs, BridgeError, InputError, NotFound
from lms_bridge.core.i18n import N_, gettext
from lms_bridge.roster.classes import classes_of
from lms_bridge.roster.models import ClassGroup, Enrolment, EnrolmentRole, Organisation, Person, Subject
from lms_bridge.roster.scope import today, valid
from lms_bridge.timetable.cases.teacher_times import teachers_of
from lms_bridge.timetable.inputs import arrangements as arranging
from lms_bridge.timetable.inputs.models import Arrangement
from lms_bridge.web.session import current_person, signed_in_required
from lms_bridge.web.timetable_inputs import blueprint, campus_of, carried_out, key_of, page, subjects


@blueprint.get("/<code>/arrangements")
@signed_in_required
def arrangements(code: str) -> str:
    """The arrangements, and the form that adds one."""
    return _page(campus_of(code))


@blueprint.post("/<code>/arrangements")
@signed_in_required
def arrangements_add(code: str) -> Response | tuple[str, int]:
    """Add an arrangement."""
    campus = campus_of(code)
    return carried_out(
        lambda: arranging.add_arrangement(campus, _wanted(campus), actor=current_person()),
        gettext("Arranged. It holds from the next week that is solved."),
        "arrangements",
        campus,
        lambda problems: _page(campus, problems),
    )


@blueprint.post("/<code>/arrangements/<uid>/remove")
@signed_in_required
def arrangements_remove(code: str, uid: str) -> Response | tuple[str, int]:
    """Give an arrangement up."""
    campus = campus_of(code)
    row = _arrangement(campus, uid)
    return carried_out(
        lambda: arranging.remove_arrangement(row, actor=current_person()),
        gettext("The arrangement is removed. Weeks that are planned from now on have ordinary lessons."),
        "arrangements",
        campus,
        lambda problems: _page(campus, problems),
    )


@blueprint.get("/<code>/arrangements/<uid>/group/<int:number>")
@signed_in_required
def arrangements_members(code: str, uid: str, number: int) -> str:
    """Which students of a class belong to a group."""
    campus = campus_of(code)
    return _members(campus, *_group(campus, uid, number))


@blueprint.post("/<code>/arrangements/<uid>/group/<int:number>")
@signed_in_required
def arrangements_set_members(code: str, uid: str, number: int) -> Response | tuple[str, int]:
    """Say which students of a class belong to a group."""
    campus = campus_of(code)
    row, group, part = _group(campus, uid, number)
    chosen = [key for typed in request.form.getlist("students") if (key := key_of(typed)) is not None]
    return carried_out(
        lambda: arranging.set_members(group, part, chosen, actor=current_person()),
        gettext("The group is set."),
        "arrangements",
        campus,
        lambda problems: _members(campus, row, group, part, problems),
    )


def _arrangement(campus: Organisation, uid: str) -> Arrangement:
    row = db.session.scalar(sa.select(Arrangement).filter_by(campus_id=campus.id, uid=uid))
    if row is None:
        raise NotFound(N_("This arrangement was removed already."))
    return row


def _group(campus: Organisation, uid: str, number: int) -> tuple[Arrangement, ClassGroup, str]:
    row = _arrangement(campus, uid)
    found = next((part for part in row.classes if part.class_id == number and part.part), None)
    if found is None:
        raise NotFound()
    return row, found.class_group, found.part


def _page(campus: Organisation, problems: Sequence[BridgeError] = ()) -> str:
    term = term_in_hand(campus)
    rows = arranging.arrangements_of(campus.id, term.id) if term is not None else []
    members = arranging.members_of({part.class_id for row in rows for part in row.classes})
    teachers = teachers_of(campus)
    return page(
        "arrangements",
        campus,
        problems,
        term=term,
        rows=rows,
        counts={key: len(people) for key, people in members.items()},
        classes=[(str(group.id), group.title) for group in (classes_of(campus, term) if term is not None else [])],
        subjects=subjects(),
        teachers=[(person.uid, person.display_name) for person in teachers],
        bands=sorted({row.band for row in rows if row.band}),
    )


def _members(
    campus: Organisation, row: Arrangement, group: ClassGroup, part: str, problems: Sequence[BridgeError] = ()
) -> str:
    students = db.session.scalars(
        sa.select(Person)
        .join(Enrolment, Enrolment.person_id == Person.id)
        .where(
            Enrolment.class_id == group.id,
            Enrolment.role == EnrolmentRole.STUDENT,
            valid(Enrolment, today(campus.zone)),
        )
    )
    return page(
        "members",
        campus,
        problems,
        row=row,
        group=group,
        part=part,
        students=sorted(((p.id, p.display_name) for p in students), key=lambda pair: pair[1]),
        chosen=sorted(arranging.members_of([group.id]).get((group.id, part), set())),
    )


def _wanted(campus: Organisation) -> arranging.WantedArrangement:
    """The arrangement of the form.

    :raises BadInputs: no term or no subject.
    """
    term = term_in_hand(campus)
    typed = request.form.get("subject", "")
    subject = db.session.get(Subject, key_of(typed) or 0)
    if term is None or subject is None:
        raise BadInputs([InputError(N_("No subject was chosen."), remedy=N_("Choose what is taught."))])
    part = request.form.get("part", "")
    people = {person.uid: person for person in teachers_of(campus)}
    assistants = (people.get(uid) for uid in request.form.getlist("assistant") if uid)
    return arranging.WantedArrangement(
        term=term,
        subject=subject,
        classes=tuple((key, part) for typed in request.form.getlist("classes") if (key := key_of(typed)) is not None),
        lead=people.get(request.form.get("lead", "")),
        assistants=tuple(person for person in assistants if person is not None),
        band=request.form.get("band", "")[:60],
    )
