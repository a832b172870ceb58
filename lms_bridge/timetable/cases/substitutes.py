"""Who could take a lesson for its teacher."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from lms_bridge.calendar.days import TeachingDay, days_of_week, iso_week
from lms_bridge.core.access import Role
from lms_bridge.core.database import db
from lms_bridge.roster.models import Enrolment, EnrolmentRole, Organisation, Person, RoleAssignment
from lms_bridge.roster.scope import valid
from lms_bridge.timetable.cases.loads import lessons_on
from lms_bridge.timetable.inputs.teacher_limits import limits_of
from lms_bridge.timetable.models import Lesson, LessonStatus, LessonTeacher
from lms_bridge.timetable.snapshots import state_of
from lms_bridge.timetable.weeks.availability import applies, unavailabilities


@dataclass(frozen=True)
class Candidate:
    """A teacher of the campus who is free at the time of the lesson, and may have one more that day."""

    person: Person
    teaches_subject: bool
    teaches_class: bool


def candidates(lesson: Lesson) -> list[Candidate]:
    """The campus's teachers who are free: those who teach the subject first, then those who know the class."""
    state = state_of(lesson)
    day = state.starts_local.date()
    people = {
        person.id: person
        for person in db.session.scalars(
            sa.select(Person)
            .join(RoleAssignment, RoleAssignment.person_id == Person.id)
            .where(
                RoleAssignment.organisation_id == lesson.campus_id,
                RoleAssignment.role == Role.TEACHER,
                valid(RoleAssignment, day),
                Person.id.not_in(state.teacher_ids),
            )
        )
    }
    busy = set(
        db.session.scalars(
            sa.select(LessonTeacher.person_id)
            .join(Lesson, Lesson.id == LessonTeacher.lesson_id)
            .where(
                LessonTeacher.person_id.in_(people),
                Lesson.status == LessonStatus.SCHEDULED,
                Lesson.starts_at < lesson.ends_at,
                Lesson.ends_at > lesson.starts_at,
            )
        )
    )
    campus = db.session.get_one(Organisation, lesson.campus_id)
    days, _ = days_of_week(campus, iso_week(day))
    teaching = next((d for d in days if d.day == day), TeachingDay(day, day.weekday()))
    busy |= {
        row.person_id for row in unavailabilities(people, day, day) if applies(row, teaching, lesson.period_number)
    }
    most = limits_of(people)
    counts = lessons_on(campus, list(most), day)
    busy |= {person_id for person_id, limit in most.items() if counts.get(person_id, 0) >= limit}
    subject, group = _enrolled(set(people), lesson)
    found = [
        Candidate(person, person.id in subject, person.id in group)
        for person in people.values()
        if person.id not in busy
    ]
    return sorted(found, key=lambda c: (not c.teaches_subject, not c.teaches_class, c.person.display_name, c.person.id))


def _enrolled(person_ids: set[int], lesson: Lesson) -> tuple[set[int], set[int]]:
    """Of these people, who teaches the lesson's subject somewhere, and who teaches one of its classes."""
    rows = db.session.execute(
        sa.select(Enrolment.person_id, Enrolment.subject_id, Enrolment.class_id).where(
            Enrolment.person_id.in_(person_ids), Enrolment.role == EnrolmentRole.TEACHER
        )
    ).all()
    classes = {part.class_id for part in lesson.audience}
    return (
        {person for person, subject, _ in rows if subject == lesson.subject_id},
        {person for person, _, group in rows if group in classes},
    )
