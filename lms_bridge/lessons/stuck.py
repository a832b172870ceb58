"""Lessons that have nowhere to go: no video system is left that stands and has a room free. Those who may set up the
video systems of their campuses are told, urgently and once for each lesson and outage.

A lesson is marked in the transaction of the move that was in vain; shortly after, one job makes one message of all that
were marked meanwhile. An outage that begins soon after the last was told is the same one: a system that comes and goes
does not write every few minutes.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload

from lms_bridge.core import audit, jobs
from lms_bridge.core.access import Permission, Scope, Target
from lms_bridge.core.application import current_settings
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.i18n import N_, get_locale, gettext
from lms_bridge.core.ids import new_uid
from lms_bridge.core.outbox import publish
from lms_bridge.lessons.breaker import CALM
from lms_bridge.lessons.door_times import needs_room
from lms_bridge.lessons.meetings import in_force
from lms_bridge.lessons.models import Meeting, MeetingState
from lms_bridge.notices.kinds import Kind, MessageContext
from lms_bridge.notices.models import Priority
from lms_bridge.roster.models import Organisation, Person
from lms_bridge.roster.scope import holders, scope_for
from lms_bridge.timetable.models import Lesson
from lms_bridge.timetable.queries import WITH_PARTS

log = logging.getLogger(__name__)

STUCK = "lessons.stuck"
"""The fact, and the kind of message, that lessons have nowhere to go; its cause is ``stuck:<batch>``."""
TELL = "lessons.tell_stuck"
"""Job kind; its subject is the id of the organisation at the root of the lessons' tree."""
GATHERED = timedelta(seconds=10)
"""So long lessons are gathered for one message: an outage leaves all those of an hour with nowhere to go at once."""
LISTED = 20


def note(meeting: Meeting) -> None:
    """The lesson of this room, which is in force and whose lesson is locked, cannot leave it. Flushes."""
    lesson = meeting.lesson
    if meeting.stuck_at is None or _another_outage(meeting):
        log.warning("lesson %s cannot leave a provider that is down: no other one is free", lesson.uid)
        meeting.stuck_at, meeting.stuck_batch = now(), None
        db.session.flush()
        audit.record(
            "meeting.stuck",
            "lesson",
            lesson.uid,
            actor_uid=None,
            organisation_id=lesson.campus_id,
            attempt=meeting.attempt,
            at=meeting.account.uid,
        )
    if meeting.stuck_batch is None:
        jobs.enqueue(TELL, lesson.campus.path.strip("/").split("/")[0], not_before=now() + GATHERED)


def _another_outage(meeting: Meeting) -> bool:
    """Whether what is wrong now began after the lesson was marked."""
    began = meeting.made_at if meeting.account.healthy else meeting.account.state_at
    return began is not None and meeting.stuck_at is not None and began > meeting.stuck_at + CALM


def tell(root_id: int) -> None:
    """One message of all lessons below an organisation that were marked and of which nobody was told yet; not of those
    that have a room again."""
    with transaction():
        campus = aliased(Organisation)
        rooms = db.session.scalars(
            in_force()
            .join(campus, campus.id == Lesson.campus_id)
            .where(Meeting.stuck_at.is_not(None), Meeting.stuck_batch.is_(None), campus.path.startswith(f"/{root_id}/"))
            .options(joinedload(Meeting.lesson).joinedload(Lesson.campus), joinedload(Meeting.account))
            .order_by(Meeting.id)
            .with_for_update(of=Meeting, key_share=True)
            .execution_options(populate_existing=True)
        ).all()
        rooms = [room for room in rooms if _is_stuck(room)]
        if not rooms:
            return
        batch = new_uid()
        for room in rooms:
            room.stuck_batch = batch
        levels = zip(*(room.lesson.campus.path.strip("/").split("/") for room in rooms), strict=False)
        shared = [level[0] for level in levels if len(set(level)) == 1]
        publish(STUCK, f"stuck:{batch}", organisation_id=int(shared[-1]))


def _is_stuck(meeting: Meeting) -> bool:
    """Whether it still is the one that its lesson cannot have."""
    refused = meeting.state is MeetingState.FAILED or meeting.failures > 0
    return needs_room(meeting.lesson) and (refused or not meeting.account.healthy)


def administrators(cause: str, after_person_id: int, limit: int) -> list[int]:
    """The audience: those who may set up video systems for one of the campuses; pages as
    :data:`lms_bridge.notices.kinds.Audience` says."""
    people = holders(Permission.SYSTEM, {room.lesson.campus.path for room in _rooms(cause)})
    return sorted(one for one in people if one > after_person_id)[:limit]


def gather_stuck(person: Person, cause: str) -> MessageContext | None:
    """The lessons of ``person``'s campuses that still have nowhere to go; None when all of them have a room again."""
    scope = scope_for(person)
    rooms = [room for room in _rooms(cause) if scope.allows(Permission.SYSTEM, Target(room.lesson.campus.path))]
    if not rooms:
        return None
    base = current_settings().base_url.rstrip("/")
    return MessageContext(
        data={
            "rooms": [_row(room) for room in rooms[:LISTED]],
            "count": len(rooms),
            "systems": _systems(rooms, scope, base),
            "now_url": f"{base}/system/video/now",
            "systems_url": f"{base}/system/video/",
        }
    )


def _row(room: Meeting) -> dict[str, object]:
    lesson, locale = room.lesson, get_locale()
    classes = ", ".join(sorted(a.class_group.title for a in lesson.audience))
    return {
        "lesson": f"{lesson.subject.label(locale)} {classes}".strip(),
        "teachers": ", ".join(t.person.display_name for t in lesson.teachers),
        "campus": lesson.campus.label(locale),
        "starts_at": lesson.starts_at,
        "ends_at": lesson.ends_at,
        "zone": lesson.zone,
        "system": gettext(room.account.name),
        "down": not room.account.healthy,
    }


def _systems(rooms: Sequence[Meeting], scope: Scope, base: str) -> list[dict[str, str]]:
    """The accounts that failed the reader's lessons and are theirs to mend, once each."""
    accounts = {room.account_id: room.account for room in rooms}
    places = {
        row.id: row.path
        for row in db.session.scalars(
            sa.select(Organisation).where(Organisation.id.in_([one.organisation_id for one in accounts.values()]))
        )
    }
    return [
        {"name": gettext(one.name), "url": f"{base}/system/video/{one.uid}"}
        for one in accounts.values()
        if scope.allows(Permission.SYSTEM, Target(places[one.organisation_id]))
    ]


def _rooms(cause: str) -> list[Meeting]:
    """The rooms that the cause names, in the order of their lessons, as far as these still cannot have them."""
    table, _, batch = cause.partition(":")
    if table != "stuck" or not batch:
        raise ValueError(f"no lessons that have nowhere to go: {cause!r}")
    rooms = db.session.scalars(
        in_force()
        .where(Meeting.stuck_batch == batch)
        .options(joinedload(Meeting.lesson).options(*WITH_PARTS), joinedload(Meeting.account))
        .order_by(Lesson.starts_at, Lesson.id)
        .execution_options(populate_existing=True)
    )
    return [room for room in rooms if _is_stuck(room)]


KIND = Kind(
    name=STUCK,
    priority=Priority.URGENT,
    template="lessons_stuck",
    audience=administrators,
    gather=gather_stuck,
    title=N_("Lessons have nowhere to go"),
)
