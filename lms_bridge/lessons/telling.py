"""The message that a running lesson goes on in another room: to those who were in it and do not have its page open.

Whose page is open is led over by it. The link in the message is the one that they have: it never changes.
"""

from __future__ import annotations

import sqlalchemy as sa

from lms_bridge.core.database import db
from lms_bridge.core.i18n import N_, get_locale
from lms_bridge.lessons.classroom import present_now
from lms_bridge.lessons.door_times import needs_room
from lms_bridge.lessons.failover import MOVED
from lms_bridge.lessons.meetings import meeting_of
from lms_bridge.lessons.models import Meeting, MeetingCause, PresenceEvidence
from lms_bridge.lessons.presence import DOOR
from lms_bridge.notices.kinds import Kind, MessageContext
from lms_bridge.notices.models import Priority
from lms_bridge.roster.models import Person
from lms_bridge.timetable.addresses import personal_urls
from lms_bridge.timetable.models import Lesson
from lms_bridge.timetable.queries import guardians_of, students_of


def without_page(cause: str, after_person_id: int, limit: int) -> list[int]:
    """The audience: people of the lesson who had come in and of whom no page is heard now, and the guardians of the
    students among them; pages as :data:`lms_bridge.notices.kinds.Audience` says."""
    meeting = _moved(cause)
    if meeting is None:
        return []
    away = _away(meeting.lesson)
    students = away & set(students_of([meeting.lesson])[meeting.lesson_id])
    guardians = guardians_of(students, meeting.lesson.starts_at, meeting.lesson.zone)
    everybody = away.union(*guardians.values())
    return sorted(one for one in everybody if one > after_person_id)[:limit]


def gather_moved(person: Person, cause: str) -> MessageContext | None:
    """What ``person`` is told; None when the lesson moved again or is over, or their page (their child's) is open."""
    meeting = _moved(cause)
    if meeting is None:
        return None
    lesson, away = meeting.lesson, _away(meeting.lesson)
    students = away & set(students_of([lesson])[lesson.id])
    children = [
        child
        for child, guardians in guardians_of(students, lesson.starts_at, lesson.zone).items()
        if person.id in guardians and child != person.id
    ]
    if person.id not in away and not children:
        return None
    whose = person.id if person.id in away else children[0]
    classes = ", ".join(sorted(a.class_group.title for a in lesson.audience))
    return MessageContext(
        data={
            "lesson": f"{lesson.subject.label(get_locale())} {classes}".strip(),
            "failed": meeting.cause is MeetingCause.FAILOVER,
            "child": "" if whose == person.id else db.session.get_one(Person, whose).display_name,
            "url": personal_urls([lesson.id], whose)[lesson.id],
            "ends_at": lesson.ends_at,
            "zone": lesson.zone,
        }
    )


def _moved(cause: str) -> Meeting | None:
    """The meeting that the cause names, while it is the lesson's room and the lesson is not over."""
    table, _, number = cause.partition(":")
    if table != "meeting" or not number.isdigit():
        raise ValueError(f"not a meeting: {cause!r}")
    meeting = db.session.get(Meeting, int(number))
    if meeting is None or not needs_room(meeting.lesson):
        return None
    in_force = meeting_of(meeting.lesson_id)
    return meeting if in_force is not None and in_force.id == meeting.id else None


def _away(lesson: Lesson) -> set[int]:
    """Those who came through the door before and of whom none of our pages is open."""
    came = set(
        db.session.scalars(
            sa.select(PresenceEvidence.person_id)
            .where(
                PresenceEvidence.lesson_id == lesson.id,
                PresenceEvidence.source == DOOR,
                PresenceEvidence.person_id.is_not(None),
            )
            .distinct()
        )
    )
    return {one for one in came if one is not None} - present_now(lesson.id)


KIND = Kind(
    name=MOVED,
    priority=Priority.URGENT,
    template="room_moved",
    audience=without_page,
    gather=gather_moved,
    title=N_("A running lesson goes on in another room"),
)
