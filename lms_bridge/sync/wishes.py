"""What the calendars of the LMSs should show of our lessons: one mapping for each lesson and course, which waits until
a job has carried it out. Written in the transaction in which lessons change."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple, cast

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from lms_bridge.core import jobs
from lms_bridge.core.bulk import Inserter, stored_moment
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, insert_into
from lms_bridge.core.i18n import gettext, use_locale
from lms_bridge.core.plugins import CalendarEvent
from lms_bridge.notices.dates import say_period
from lms_bridge.sync import accounts, groups, naming
from lms_bridge.sync.courses import PlacesOfClasses, known_courses
from lms_bridge.sync.facts import LessonFacts, facts_of
from lms_bridge.sync.models import LmsAccount, MappedKind, MappingState, SyncMapping
from lms_bridge.timetable.addresses import url_of
from lms_bridge.timetable.models import LessonStatus

PUSH = "sync.push"
WISH = "sync.wish"
CHUNK = 500
COLUMNS = "account_id kind place entity_id state sent attempts next_try changed_at"
_as_json = json.JSONEncoder(ensure_ascii=False).encode


class _Words(NamedTuple):
    """What is written around the facts of a lesson, in one language."""

    comma: str
    cancelled: str
    teacher: str
    class_: str
    link: str


@cache
def _words(locale: str) -> _Words:
    with use_locale(locale):
        return _Words(
            gettext(", "),
            gettext("Cancelled: %(what)s"),
            gettext("Teacher: %(names)s"),
            gettext("Class: %(names)s"),
            gettext("Enter the lesson"),
        )


def event_of(lesson: LessonFacts, course: str, group: str | None = None) -> CalendarEvent:
    """The lesson as an event of the course, or of one group there, in the campus's language."""
    words = _words(lesson.locale)
    cancelled = lesson.status is LessonStatus.CANCELLED
    title = lesson.subject_en if lesson.locale == "en" else lesson.subject
    teachers, classes = words.comma.join(lesson.teachers), words.comma.join(lesson.classes)
    lines = [
        words.teacher % {"names": teachers} if teachers else "",
        words.class_ % {"names": classes} if classes else "",
        say_period(lesson.period, lesson.locale),
    ]
    return CalendarEvent(
        key=lesson.uid,
        course_remote_id=course,
        title=words.cancelled % {"what": title} if cancelled else title,
        description="\n".join(line for line in lines if line),
        url=url_of(lesson.uid),
        starts_at=lesson.starts_at,
        ends_at=lesson.ends_at,
        sequence=lesson.sequence,
        link_text=words.link,
        group_remote_id=group,
        cancelled=cancelled,
    )


def content_of(event: CalendarEvent) -> dict[str, Any]:
    """What of an event can be compared with what the LMS holds, as plain JSON."""
    return {
        "title": event.title,
        "starts_at": event.starts_at.isoformat(),
        "ends_at": event.ends_at.isoformat(),
        "cancelled": event.cancelled,
    } | ({"group": event.group_remote_id} if event.group_remote_id else {})


def digest_of(event: CalendarEvent, content: Mapping[str, Any] | None = None) -> str:
    """A fingerprint of all that the LMS shows of an event (``content``: what :func:`content_of` gave for it)."""
    shown = content_of(event) if content is None else content
    parts = [*shown.values(), event.description, event.url, event.course_remote_id]
    return hashlib.sha256(_as_json(parts).encode()).hexdigest()


def follow(lesson_ids: Iterable[int]) -> int:
    """After lessons changed: what is no longer as it was sent waits for the job that sends it. Flushes; the number of
    mappings that wait."""
    present = accounts.enabled_accounts()
    return sum(_follow(present, chunk) for chunk in _chunks(list(lesson_ids))) if present else 0


def _chunks(ids: list[int]) -> Iterable[list[int]]:
    return (ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK))


class _Known(NamedTuple):
    """How the event of a lesson in one course stands."""

    id: int
    place: str
    state: MappingState
    digest: str | None
    there: bool
    untouched: bool
    """It waits, and no call for it can be on its way."""


def _follow(present: Sequence[LmsAccount], lesson_ids: list[int]) -> int:
    lessons = facts_of(lesson_ids)
    class_ids = {class_id for lesson in lessons for class_id in lesson.class_ids}
    courses = known_courses([account.id for account in present], class_ids)
    of_parts = groups.usable([account.id for account in present])
    mappings = _mappings([account.id for account in present], lesson_ids)
    waiting = 0
    for account in present:
        places = PlacesOfClasses(courses.get(account.id, ()), of_parts.get(account.id, {}))
        new, again, zone = list[tuple[int, str]](), list[_Known](), account.organisation.zone
        for lesson in lessons:
            for figure in _wish(lesson, places, mappings[account.id, lesson.id], new, again):
                naming.note_lessons(figure, [lesson], zone)
        if new:
            _store(account, new)
        _wait([row.id for row in again if not row.untouched])
        if new or again:
            jobs.enqueue(PUSH, str(account.id))
        waiting += len(new) + len(again)
    return waiting


def _store(account: LmsAccount, new: Iterable[tuple[int, str]]) -> None:
    """Store mappings that wait, by lesson and place. Another transaction may have stored the same meanwhile; then that
    waits again for what is true now."""
    db.session.flush()
    connection = db.session.connection()
    kind, state, moment = MappedKind.EVENT.value, MappingState.WAITING.value, stored_moment(connection, now())
    Inserter(connection, SyncMapping, COLUMNS, _storing(connection.dialect)).insert(
        (account.id, kind, place, lesson_id, state, "{}", 0, moment, moment) for lesson_id, place in new
    )


@cache
def _storing(dialect: Dialect) -> sa.Insert:
    insert = insert_into(SyncMapping.__table__, dialect)  # type: ignore[arg-type]
    return cast(
        sa.Insert,
        insert.on_conflict_do_update(
            index_elements=["account_id", "kind", "place", "entity_id"],
            set_={
                "state": _waiting_unless_sent(),
                "attempts": 0,
                "next_try": insert.excluded.next_try,
                "changed_at": insert.excluded.changed_at,
                "last_error": sa.null(),
            },
        ),
    )


def _waiting_unless_sent() -> sa.Case[str]:
    return sa.case(
        (SyncMapping.__table__.c.state == MappingState.SENDING, MappingState.SENDING.value),
        else_=MappingState.WAITING.value,
    )


def _mappings(
    account_ids: Collection[int], lesson_ids: Collection[int]
) -> defaultdict[tuple[int, int], dict[str, _Known]]:
    found: defaultdict[tuple[int, int], dict[str, _Known]] = defaultdict(dict)
    rows = db.session.execute(
        sa.select(
            SyncMapping.account_id,
            SyncMapping.entity_id,
            SyncMapping.id,
            SyncMapping.place,
            SyncMapping.state,
            SyncMapping.digest,
            SyncMapping.remote_id.is_not(None),
            # A new event is SENDING while it is asked for; one that is there stays WAITING while it is changed.
            sa.and_(
                SyncMapping.state == MappingState.WAITING,
                SyncMapping.attempts == 0,
                SyncMapping.remote_id.is_(None),
            ),
        ).where(
            SyncMapping.account_id.in_(account_ids),
            SyncMapping.kind == MappedKind.EVENT,
            SyncMapping.entity_id.in_(lesson_ids),
        )
    )
    for account_id, lesson_id, number, place, state, digest, there, untouched in rows:
        assert lesson_id is not None
        found[account_id, lesson_id][place] = _Known(number, place, state, digest, there, untouched)
    return found


def _wish(
    lesson: LessonFacts,
    courses: PlacesOfClasses,
    known: dict[str, _Known],
    new: list[tuple[int, str]],
    again: list[_Known],
) -> Iterator[str]:
    """Put the mappings whose event is not as it should be into ``again``, and those that are missing into ``new``; for
    each what is to be done there (``created``, ``updated``, ``deleted``)."""
    places = courses.of_lesson(lesson.class_ids, lesson.subject_id) if lesson.shown else []
    for place in places:
        row = known.get(place)
        if row is None:
            if lesson.status is not LessonStatus.CANCELLED:  # else nobody there ever heard of it
                new.append((lesson.id, place))
                yield "created"
        elif row.state is not MappingState.DONE or row.digest != digest_of(
            event_of(lesson, place, courses.group_of(lesson.audience, place))
        ):
            again.append(row)
            yield "updated" if row.there else "created"
    for place, row in known.items():
        # SENDING: whether it is there is found out by the job before it is taken away.
        if place not in places and row.state is not MappingState.GONE:
            again.append(row)
            if row.there:
                yield "deleted"


def _wait(ids: Sequence[int]) -> None:
    if not ids:
        return
    moment = now()
    db.session.execute(
        sa.update(SyncMapping)
        .where(SyncMapping.id.in_(ids))
        .values(
            state=_waiting_unless_sent(),
            attempts=0,
            next_try=moment,
            changed_at=moment,
            last_error=None,
        )
        .execution_options(synchronize_session=False)
    )
