"""Teaching arrangements: lessons of several classes, groups within a class, two teachers in one lesson.

An arrangement replaces the ordinary lessons of its classes in its subject. A class that is taught in groups has one
arrangement for each group; with the same band they are at the same time, so that nobody sits idle.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from lms_bridge.core import audit
from lms_bridge.core.database import db
from lms_bridge.core.errors import BadInputs, BridgeError, InputError
from lms_bridge.core.i18n import N_
from lms_bridge.roster.models import ClassGroup, Enrolment, EnrolmentRole, Organisation, Person, Subject, Term
from lms_bridge.roster.scope import is_teacher, today
from lms_bridge.timetable.inputs.models import Arrangement, ArrangementClass, ArrangementTeacher, ClassPartMember
from lms_bridge.timetable.models import TeacherPart
from lms_bridge.timetable.wording import Course, SubjectName

PART_LENGTH = 60


@dataclass(frozen=True, slots=True)
class WantedArrangement:
    """What is to be arranged. ``classes`` are class ids with a named part or ""; ``band`` "" for no band."""

    term: Term
    subject: Subject
    classes: tuple[tuple[int, str], ...]
    lead: Person | None
    assistants: tuple[Person, ...] = ()
    band: str = ""


def arrangements_of(campus_id: int, term_id: int | None = None) -> list[Arrangement]:
    """The arrangements of a campus (in a term), oldest first."""
    query = sa.select(Arrangement).where(Arrangement.campus_id == campus_id)
    if term_id is not None:
        query = query.where(Arrangement.term_id == term_id)
    return list(
        db.session.scalars(
            query.options(
                joinedload(Arrangement.subject),
                selectinload(Arrangement.classes).joinedload(ArrangementClass.class_group),
                selectinload(Arrangement.teachers).joinedload(ArrangementTeacher.person),
            )
            .order_by(Arrangement.id)
            .execution_options(populate_existing=True)
        )
    )


def add_arrangement(campus: Organisation, wanted: WantedArrangement, *, actor: Person | None) -> Arrangement:
    """Arrange it. Published weeks keep their lessons until they are solved again.

    :raises BadInputs: everything that is missing or wrong, or that another arrangement says otherwise.
    """
    problems = _problems(campus, wanted)
    if problems or wanted.lead is None:
        raise BadInputs(problems)
    row = Arrangement(
        campus_id=campus.id, term_id=wanted.term.id, subject_id=wanted.subject.id, band=wanted.band.strip()
    )
    row.classes = [ArrangementClass(class_id=class_id, part=part.strip()) for class_id, part in wanted.classes]
    row.teachers = [
        ArrangementTeacher(person_id=wanted.lead.id, part=TeacherPart.LEAD),
        *(ArrangementTeacher(person_id=p.id, part=TeacherPart.ASSISTANT) for p in wanted.assistants),
    ]
    db.session.add(row)
    db.session.flush()
    _record("timetable.arrangement_added", campus, row, actor)
    return row


def remove_arrangement(row: Arrangement, *, actor: Person | None) -> None:
    """Give an arrangement up: in weeks that are solved from now on its classes have ordinary lessons; lessons that
    exist stay until they are cancelled."""
    _record("timetable.arrangement_removed", row.campus, row, actor)
    db.session.delete(row)
    db.session.flush()


def members_of(class_ids: Collection[int]) -> dict[tuple[int, str], set[int]]:
    """The students (person ids) of the named parts of these classes, by class id and part."""
    found: dict[tuple[int, str], set[int]] = {}
    for row in db.session.scalars(sa.select(ClassPartMember).where(ClassPartMember.class_id.in_(class_ids))):
        found.setdefault((row.class_id, row.part), set()).add(row.person_id)
    return found


def set_members(group: ClassGroup, part: str, person_ids: Collection[int], *, actor: Person | None) -> None:
    """Say which students of a class belong to a part of it; nobody: the whole class.

    :raises BadInputs: the part has no name, or somebody is not a student of the class.
    """
    students = set(
        db.session.scalars(
            sa.select(Enrolment.person_id).where(
                Enrolment.class_id == group.id,
                Enrolment.role == EnrolmentRole.STUDENT,
                sa.or_(Enrolment.valid_to.is_(None), Enrolment.valid_to > today()),
            )
        )
    )
    problems: list[BridgeError] = []
    if not part.strip():
        problems.append(InputError(N_("The group has no name."), remedy=N_("Name it, for instance “A”.")))
    if not set(person_ids) <= students:
        problems.append(
            InputError(
                N_("Somebody is not a student of class %(group)s."),
                remedy=N_("Choose from the students of the class; load the page again if somebody has left."),
                group=group.title,
            )
        )
    if problems:
        raise BadInputs(problems)
    db.session.execute(
        sa.delete(ClassPartMember).where(ClassPartMember.class_id == group.id, ClassPartMember.part == part)
    )
    db.session.add_all(ClassPartMember(class_id=group.id, part=part, person_id=i) for i in sorted(set(person_ids)))
    db.session.flush()
    audit.record(
        "timetable.group_members",
        "class_group",
        group.uid,
        actor_uid=actor.uid if actor else None,
        organisation_id=group.campus_id,
        students=len(set(person_ids)),
    )


def _problems(campus: Organisation, wanted: WantedArrangement) -> list[BridgeError]:
    groups = {
        g.id: g
        for g in db.session.scalars(sa.select(ClassGroup).where(ClassGroup.id.in_([i for i, _ in wanted.classes])))
    }
    found: list[BridgeError] = []
    if not wanted.classes:
        found.append(InputError(N_("No class was chosen."), remedy=N_("Choose the classes that are taught.")))
    for class_id, part in wanted.classes:
        group = groups.get(class_id)
        if group is None or group.campus_id != campus.id or group.term_id != wanted.term.id:
            found.append(
                InputError(N_("A class is not one of the campus in this term."), remedy=N_("Choose from the list."))
            )
        elif len(part.strip()) > PART_LENGTH:
            found.append(
                InputError(N_("The name of the group is too long."), remedy=N_("Use a short name such as “A”."))
            )
    if len({class_id for class_id, _ in wanted.classes}) < len(wanted.classes):
        found.append(
            InputError(
                N_("A class is named twice."),
                remedy=N_("Name each class once; each group of a class has an arrangement of its own."),
            )
        )
    found += _teacher_problems(wanted)
    if len(wanted.classes) == 1 and not wanted.classes[0][1].strip() and not wanted.assistants:
        found.append(
            InputError(
                N_("One class with one teacher is an ordinary lesson."),
                remedy=N_("Add a second class, a group or a second teacher; who teaches a class is in the roster."),
            )
        )
    return found or _against_others(campus, wanted, groups)


def _teacher_problems(wanted: WantedArrangement) -> list[BridgeError]:
    if wanted.lead is None:
        return [InputError(N_("No teacher was chosen."), remedy=N_("Choose who leads the lessons."))]
    people = [wanted.lead, *wanted.assistants]
    found: list[BridgeError] = [
        InputError(
            N_("%(person)s is not a teacher."),
            remedy=N_("Choose a teacher, or enter the role in the roster first."),
            person=person.display_name,
        )
        for person in people
        if not is_teacher(person, max(today(), wanted.term.starts_on))
    ]
    if len({person.id for person in people}) < len(people):
        found.append(
            InputError(N_("The same teacher is named twice."), remedy=N_("Choose somebody else as the second teacher."))
        )
    return found


def _against_others(
    campus: Organisation, wanted: WantedArrangement, groups: dict[int, ClassGroup]
) -> list[BridgeError]:
    """What other arrangements of the same classes and subject, or of the same band, say otherwise."""
    found: list[BridgeError] = []
    teachers = {p.id: p for p in (wanted.lead, *wanted.assistants) if p is not None}
    subject = SubjectName.of(wanted.subject)
    for other in arrangements_of(campus.id, wanted.term.id):
        theirs = {row.class_id: row.part for row in other.classes}
        if other.subject_id == wanted.subject.id:
            found += [
                InputError(
                    N_("%(course)s is arranged otherwise already."),
                    remedy=N_("Remove that arrangement first, or give each group of the class a name of its own."),
                    course=Course(groups[class_id].title, subject),
                )
                for class_id, part in wanted.classes
                if class_id in theirs and _overlap(theirs[class_id], part.strip())
            ]
        if wanted.band.strip() and other.band == wanted.band.strip():
            found += [
                InputError(
                    N_("%(person)s would teach two groups at once (band “%(band)s”)."),
                    remedy=N_("Choose another teacher or another band."),
                    person=teachers[row.person_id].display_name,
                    band=other.band,
                )
                for row in other.teachers
                if row.person_id in teachers
            ]
            found += [
                InputError(
                    N_("Class %(group)s would be taught twice at once (band “%(band)s”)."),
                    remedy=N_("Give both groups a name, or choose another band."),
                    group=groups[class_id].title,
                    band=other.band,
                )
                for class_id, part in wanted.classes
                if class_id in theirs and _overlap(theirs[class_id], part.strip())
            ]
    return found


def _overlap(part: str, other: str) -> bool:
    """Whether two parts of a class ("" is the whole class) have students in common."""
    return "" in (part, other) or part == other


def titles(classes: Sequence[ArrangementClass]) -> str:
    """The classes as people say them: "5-1 A, 5-2"."""
    return ", ".join(f"{row.class_group.title} {row.part}".strip() for row in classes)


def _record(action: str, campus: Organisation, row: Arrangement, actor: Person | None) -> None:
    audit.record(
        action,
        "teaching_arrangement",
        row.uid,
        actor_uid=actor.uid if actor else None,
        organisation_id=campus.id,
        subject_id=row.subject_id,
        classes=len(row.classes),
        teachers=len(row.teachers),
    )
