"""People at the door: reads who they are in a lesson, records their entry, and finds the address of their room."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from lms_bridge.core import jobs
from lms_bridge.core.access import Permission, Target
from lms_bridge.core.clock import local, now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BridgeError, Conflict, NotFound
from lms_bridge.core.i18n import N_
from lms_bridge.core.ids import new_token
from lms_bridge.core.plugins import Attendee, EvidenceKind, ProviderCapabilities, Room
from lms_bridge.lessons import breaker, gateway, meetings, providers
from lms_bridge.lessons.door_times import window_of
from lms_bridge.lessons.gateway import Decision, DoorState, Part, Visitor, Window
from lms_bridge.lessons.models import Meeting, MeetingState, PresenceEvidence, RoomAddress
from lms_bridge.lessons.presence import DOOR, record_evidence
from lms_bridge.roster.models import (
    ContactKind,
    ContactPoint,
    ContactState,
    Enrolment,
    EnrolmentRole,
    Guardianship,
    Person,
)
from lms_bridge.roster.scope import scope_for, valid
from lms_bridge.timetable.models import Lesson
from lms_bridge.timetable.queries import WITH_PARTS

ADDRESS = "lessons.address"


def lesson_of(uid: str) -> Lesson:
    """The lesson with this public id, with all its parts.

    :raises NotFound: there is none.
    """
    lesson = db.session.scalar(sa.select(Lesson).where(Lesson.uid == uid).options(*WITH_PARTS))
    if lesson is None:
        raise NotFound()
    return lesson


def visitor_of(lesson: Lesson, person: Person) -> Visitor:
    """What ``person`` is to ``lesson``, as of the lesson's date on its own wall clock."""
    if any(t.person_id == person.id for t in lesson.teachers):
        return Visitor(teaches=True)
    day = local(lesson.starts_at, lesson.zone).date()
    class_ids = [a.class_id for a in lesson.audience]
    enrolled = sa.and_(
        Enrolment.class_id.in_(class_ids), Enrolment.role == EnrolmentRole.STUDENT, valid(Enrolment, day)
    )
    if db.session.scalar(sa.select(Enrolment.id).where(enrolled, Enrolment.person_id == person.id).limit(1)):
        return Visitor(expected=True)
    children = db.session.scalars(
        sa.select(Guardianship.student_id)
        .join(Enrolment, Enrolment.person_id == Guardianship.student_id)
        .where(
            enrolled,
            Guardianship.guardian_id == person.id,
            Guardianship.restricted.is_(False),
            valid(Guardianship, day),
        )
        .order_by(Guardianship.student_id)
        .distinct()
    ).all()
    return Visitor(child_ids=tuple(children), may_observe=_may_observe(lesson, person))


def _may_observe(lesson: Lesson, person: Person) -> bool:
    """By permission. Being a student of the class today gives nothing: the lesson's own date decided that."""
    scope = dataclasses.replace(scope_for(person), enrolled_class_ids=frozenset())
    classes = frozenset(a.class_id for a in lesson.audience)
    return scope.allows(Permission.LESSON_ENTER, Target(path=lesson.campus.path, class_ids=classes))


@dataclass(frozen=True)
class Door:
    """All that a door page needs: the decision, the times, how the room stands, and whether the person has entered
    it before. ``entered_at`` is when they last entered the lesson, ``entered_attempt`` into which attempt's room;
    ``seconds`` is how long until the door opens, as the server counts."""

    lesson: Lesson
    person: Person
    decision: Decision
    visitor: Visitor
    window: Window
    meeting: Meeting | None
    capabilities: ProviderCapabilities | None
    entered_at: datetime | None
    entered_attempt: int
    seconds: int

    @property
    def room_ready(self) -> bool:
        """Whether the room can be entered this moment; a room that we serve ourselves always can."""
        if self.capabilities is not None and self.capabilities.embeddable:
            return True
        return self.meeting is not None and self.meeting.state is MeetingState.READY

    @property
    def room_failed(self) -> bool:
        """Whether the provider refused to make the room."""
        return not self.room_ready and self.meeting is not None and self.meeting.state is MeetingState.FAILED

    @property
    def system_silent(self) -> bool:
        """Whether the room is not there because its video system does not answer."""
        return not self.room_ready and self.meeting is not None and not self.meeting.account.healthy

    @property
    def new_tab(self) -> bool:
        """Whether the room opens beside our page, which stays open."""
        return self.capabilities is None or not self.capabilities.embeddable

    @property
    def attempt(self) -> int:
        """The attempt of the room in force."""
        return self.meeting.attempt if self.meeting is not None else 1

    @property
    def moved(self) -> bool:
        """Whether the person has entered a room that is no longer the lesson's."""
        return self.entered_at is not None and self.entered_attempt < self.attempt

    @property
    def beside(self) -> bool:
        """Whether our page stays open beside the room's tab: also to lead that tab to a room that we serve."""
        return self.new_tab or self.moved


def look(lesson: Lesson, person: Person) -> Door:
    """The door of ``lesson`` as ``person`` finds it now.

    :raises NotFound: the lesson is not theirs.
    """
    visitor, window, moment = visitor_of(lesson, person), window_of(lesson), now()
    decision = gateway.decide(visitor, window, moment)
    meeting = meetings.meeting_of(lesson.id)
    account = meeting.account if meeting else next(iter(providers.accounts_for(lesson.campus)), None)
    at, attempt = _last_entry(lesson.id, person.id)
    return Door(
        lesson=lesson,
        person=person,
        decision=decision,
        visitor=visitor,
        window=window,
        meeting=meeting,
        capabilities=providers.capabilities_of(account) if account is not None else None,
        entered_at=at,
        entered_attempt=attempt,
        seconds=max(0, int((window.opens_at - moment).total_seconds())),
    )


def _last_entry(lesson_id: int, person_id: int) -> tuple[datetime | None, int]:
    """When the person last came through the lesson's door, and to which attempt's room; (None, 0): not yet."""
    row = db.session.execute(
        sa.select(PresenceEvidence.at, PresenceEvidence.attempt)
        .where(
            PresenceEvidence.lesson_id == lesson_id,
            PresenceEvidence.person_id == person_id,
            PresenceEvidence.source == DOOR,
        )
        .order_by(PresenceEvidence.attempt.desc(), PresenceEvidence.at.desc())
        .limit(1)
    ).first()
    return (row[0], row[1]) if row is not None else (None, 0)


def record_entry(door: Door) -> Meeting:
    """Write that the person comes in now, and see to it that there is a room. Flushes: the caller commits, and only
    then lets the person in.

    :raises Conflict: the door is not open, or not for this person.
    """
    if not door.decision.may_enter:
        raise Conflict(
            N_("This lesson cannot be entered now."), remedy=N_("Load the page again to see how the lesson stands.")
        )
    lesson, person = door.lesson, door.person
    meeting = door.meeting
    if meeting is None or meeting.state is MeetingState.ENDED:
        meeting = meetings.wish(lesson)
    _prepare(meeting, person)
    record_evidence(lesson.id, person.id, EvidenceKind.JOINED, now(), DOOR, new_token(), attempt=meeting.attempt)
    return meeting


def follow_room(door: Door) -> None:
    """Somebody who came in before goes into the room in force, which may be another one, or is gone and must be made
    anew: write that once, and see to it that there is a room. Flushes."""
    meeting, person = door.meeting, door.person
    if meeting is None or door.entered_at is None or not door.decision.may_enter:
        return
    _prepare(meeting, person)
    if door.moved:
        key = f"{person.id}:{door.lesson.id}:{meeting.attempt}"
        record_evidence(door.lesson.id, person.id, EvidenceKind.JOINED, now(), DOOR, key, attempt=meeting.attempt)


def needs_preparing(door: Door) -> bool:
    """Whether :func:`follow_room` has something to write: many wait at once, and one job works for all of them."""
    meeting = door.meeting
    if meeting is None or door.moved:
        return door.moved
    if not door.room_ready:
        return not jobs.is_coming(meetings.PROVISION, str(meeting.id))
    return room_address(door) is None and not jobs.is_coming(ADDRESS, f"{meeting.id}:{door.person.id}")


@dataclass(frozen=True)
class Stand:
    """How the room of a lesson stands for somebody who came in: said often, so read with few queries. ``uneasy``:
    its provider does not answer as it should, so look again soon."""

    open: bool
    attempt: int
    ready: bool
    uneasy: bool


def stand_of(lesson: Lesson, person: Person) -> Stand:
    """The stand of the lesson's room for ``person``.

    :raises NotFound: they did not come through the door of this lesson.
    """
    if _last_entry(lesson.id, person.id)[0] is None:
        raise NotFound()
    meeting = meetings.meeting_of(lesson.id)
    is_open = gateway.state_at(window_of(lesson), now()) is DoorState.OPEN
    if meeting is None:
        return Stand(is_open, 1, ready=False, uneasy=False)
    embeddable = providers.capabilities_of(meeting.account).embeddable
    return Stand(
        is_open,
        meeting.attempt,
        ready=embeddable or meeting.state is MeetingState.READY,
        uneasy=meeting.account.failures > 0 or not meeting.account.healthy,
    )


def _prepare(meeting: Meeting, person: Person) -> None:
    """Ask for what the person needs to go in. Before anything is recorded of them: jobs that follow from that are
    locked last by everybody, or two who come at once would wait for each other."""
    meetings.want_now(meeting)
    if not providers.capabilities_of(meeting.account).local_join_url and stored_address(meeting, person) is None:
        jobs.enqueue(ADDRESS, f"{meeting.id}:{person.id}")


def room_address(door: Door) -> str | None:
    """Where the person's room is, from local data alone; None while it is still being made, or while its plugin cannot
    say, which counts as a failed call. Never logged or mailed."""
    meeting = door.meeting
    if meeting is None or not door.decision.may_enter or not door.room_ready:
        return None
    if not providers.capabilities_of(meeting.account).local_join_url:
        return stored_address(meeting, door.person)
    attendee = attendee_of(door.lesson, door.person)
    if attendee is None:
        return None
    spec = meetings.spec_of(meeting, door.lesson, count_people=False)
    room = meetings.room_of(meeting) or Room((spec.key,))
    account = meeting.account
    try:
        provider = providers.provider_for(account)
        with providers.calling(account.plugin):
            return provider.join_url(spec, room, attendee)
    except BridgeError as error:
        with transaction():
            breaker.failed(account.id, error, counts=not breaker.concerns_rooms_alone(error))
        return None


def stored_address(meeting: Meeting, person: Person) -> str | None:
    """The person's address in a room whose provider gave it; a leader's that must not be kept longer counts as none."""
    row = db.session.scalar(sa.select(RoomAddress).filter_by(meeting_id=meeting.id, person_id=person.id))
    if row is None:
        return None
    keep = _leader_keep(meeting, person)
    return None if keep is not None and row.created_at + keep < now() else str(row.address["url"])


def used_address(door: Door) -> None:
    """The person was told the address: a leader's, which opens a host's account, is forgotten. Flushes."""
    if door.meeting is not None and _leader_keep(door.meeting, door.person) is not None:
        forget_address(door.meeting.id, door.person.id)


def forget_address(meeting_id: int, person_id: int) -> None:
    """Delete what is stored of a person's address. Flushes."""
    db.session.execute(sa.delete(RoomAddress).filter_by(meeting_id=meeting_id, person_id=person_id))


def _leader_keep(meeting: Meeting, person: Person) -> timedelta | None:
    """How long the person's address may be kept; None: for as long as the room."""
    if not any(t.person_id == person.id for t in meeting.lesson.teachers):
        return None
    return providers.capabilities_of(meeting.account).leader_address_keep


def attendee_of(lesson: Lesson, person: Person) -> Attendee | None:
    """``person`` as the provider is told of them; None if they have no part inside the room."""
    part = gateway.part_of(visitor_of(lesson, person))
    if part not in gateway.ROLES:
        return None
    name, email = person.display_name, None
    if part is Part.STUDENT:
        name = _distinct_name(lesson, person)
    elif part is Part.LEADER:
        email = _address_of(person)
    return Attendee(uid=person.uid, display_name=name, role=gateway.ROLES[part], locale=person.language, email=email)


def _address_of(person: Person) -> str | None:
    """A teacher's e-mail address that is known to be theirs: some providers give a leader's rights to accounts only."""
    return db.session.scalar(
        sa.select(ContactPoint.address)
        .where(
            ContactPoint.person_id == person.id,
            ContactPoint.kind == ContactKind.EMAIL,
            ContactPoint.state == ContactState.GOOD,
        )
        .order_by(ContactPoint.id)
        .limit(1)
    )


def _distinct_name(lesson: Lesson, person: Person) -> str:
    """The name, numbered where two students of the lesson have the same one."""
    day = local(lesson.starts_at, lesson.zone).date()
    expected = sa.select(Enrolment.person_id).where(
        Enrolment.class_id.in_([a.class_id for a in lesson.audience]),
        Enrolment.role == EnrolmentRole.STUDENT,
        valid(Enrolment, day),
    )
    namesakes = db.session.scalars(
        sa.select(Person).where(
            Person.id.in_(expected),
            Person.family_name == person.family_name,
            Person.given_name == person.given_name,
        )
    ).all()
    return distinct_names(namesakes).get(person.id, person.display_name)


def distinct_names(students: Sequence[Person]) -> dict[int, str]:
    """The names under which the students of one lesson enter, by person id: numbered where two have the same."""
    alike: defaultdict[tuple[str, str], list[Person]] = defaultdict(list)
    for one in sorted(students, key=lambda p: p.id):
        alike[one.family_name, one.given_name].append(one)
    return {
        one.id: one.display_name if len(group) < 2 else f"{one.display_name} ({number})"
        for group in alike.values()
        for number, one in enumerate(group, start=1)
    }


__all__ = [
    "ADDRESS", "Door", "DoorState", "Part", "Stand", "attendee_of", "distinct_names", "follow_room", "forget_address",
    "lesson_of", "look", "needs_preparing", "record_entry", "room_address", "stand_of", "stored_address",
    "used_address", "visitor_of", "window_of",
]  # fmt: skip
