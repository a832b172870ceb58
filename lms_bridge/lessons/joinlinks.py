"""Personal addresses of lessons: an opaque stored token per person and lesson, revocable, of no use to anybody else.

Teachers get none: what they may do in a lesson asks for a sign-in, so that a forwarded calendar gives nothing away.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from lms_bridge.core import audit
from lms_bridge.core.application import current_settings
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, insert_into, transaction
from lms_bridge.core.ids import new_token
from lms_bridge.lessons.models import JoinLink
from lms_bridge.roster.models import Person
from lms_bridge.timetable.models import Lesson, LessonTeacher


def address_of(link: JoinLink) -> str:
    """The whole address of a link."""
    return f"{current_settings().base_url.rstrip('/')}/j/{link.token}"


def personal_urls(lesson_ids: Iterable[int], person_id: int) -> dict[int, str]:
    """The person's own addresses by lesson id, made where missing; lessons that they teach, and revoked links, are
    left out (``/l/`` serves those). Commits by itself where no transaction is in force, so that no address is given
    out that is not stored."""
    wanted = set(lesson_ids)
    if not wanted:
        return {}
    wanted -= set(
        db.session.scalars(
            sa.select(LessonTeacher.lesson_id).where(
                LessonTeacher.person_id == person_id, LessonTeacher.lesson_id.in_(wanted)
            )
        )
    )
    known = _links(wanted, person_id)
    missing = sorted(wanted - known.keys())
    if missing:
        with transaction() as session:
            for start in range(0, len(missing), 200):
                session.execute(
                    insert_into(JoinLink)
                    .values(
                        [
                            {"token": new_token(), "lesson_id": one, "person_id": person_id, "created_at": now()}
                            for one in missing[start : start + 200]
                        ]
                    )
                    .on_conflict_do_nothing(index_elements=["lesson_id", "person_id"])
                )
            known = _links(wanted, person_id)
    return {lesson_id: address_of(link) for lesson_id, link in known.items() if link.revoked_at is None}


def _links(lesson_ids: set[int], person_id: int) -> dict[int, JoinLink]:
    rows = db.session.scalars(
        sa.select(JoinLink).where(JoinLink.person_id == person_id, JoinLink.lesson_id.in_(lesson_ids))
    )
    return {row.lesson_id: row for row in rows}


def find(token: str) -> tuple[JoinLink, Lesson, Person] | None:
    """What a token stands for; None for one that is unknown, revoked, or of a person who was erased."""
    row = db.session.execute(
        sa.select(JoinLink, Lesson, Person)
        .join(Lesson, Lesson.id == JoinLink.lesson_id)
        .join(Person, Person.id == JoinLink.person_id)
        .where(JoinLink.token == token, JoinLink.revoked_at.is_(None), Person.erased_at.is_(None))
    ).first()
    return None if row is None else (row[0], row[1], row[2])


def renew(lesson: Lesson, person: Person, *, actor_uid: str | None) -> JoinLink:
    """A new address for the person; the old one ends at once, everywhere. Flushes, with an audit entry."""
    link = db.session.scalar(sa.select(JoinLink).filter_by(lesson_id=lesson.id, person_id=person.id))
    if link is None:
        link = JoinLink(lesson_id=lesson.id, person_id=person.id)
        db.session.add(link)
    link.token, link.revoked_at, link.created_at = new_token(), None, now()
    db.session.flush()
    audit.record(
        "join_link.renewed", "lesson", lesson.uid,
        actor_uid=actor_uid, organisation_id=lesson.campus_id, person_uid=person.uid,
    )  # fmt: skip
    return link


def revoke(lesson: Lesson, person: Person, *, actor_uid: str | None) -> None:
    """End the person's address for good; they can still sign in. No error if there was none. Flushes, with audit."""
    link = db.session.scalar(sa.select(JoinLink).filter_by(lesson_id=lesson.id, person_id=person.id))
    if link is None or link.revoked_at is not None:
        return
    link.revoked_at = now()
    audit.record(
        "join_link.revoked", "lesson", lesson.uid,
        actor_uid=actor_uid, organisation_id=lesson.campus_id, person_uid=person.uid,
    )  # fmt: skip
