"""Compares what the calendars of an LMS hold with what they should hold, and has the difference mended by rule.

==============  ====================================================================================================
missing         made anew (an event that was only moved far away is moved back instead)
changed         by hand: written again as it should be
duplicate       the younger one is removed
orphan          with our address and no lesson of ours: removed; with another address it is another installation's and
                only reported
==============  ====================================================================================================
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from lms_bridge.core import jobs
from lms_bridge.core.application import current_settings
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BridgeError
from lms_bridge.core.plugins import AccessRefused, LmsConnector, RemoteEvent, TemporaryFailure
from lms_bridge.sync import groups
from lms_bridge.sync.courses import known_courses
from lms_bridge.sync.looking import events_of
from lms_bridge.sync.models import LmsAccount, MappedKind, MappingState, SyncMapping
from lms_bridge.sync.trials import trial
from lms_bridge.sync.wishes import CHUNK, PUSH, follow
from lms_bridge.sync.workers import each
from lms_bridge.timetable.models import Lesson, LessonAudience, LessonMode

PAST, AHEAD = timedelta(days=1), timedelta(days=180)
MINUTE = timedelta(minutes=1)
"""An LMS may know no shorter time."""

COURSES_AT_ONCE = 10
LISTED = 50


@dataclass
class Differences:
    """What was found; each list names lessons or events."""

    checked: int = 0
    missing: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    duplicate: list[str] = field(default_factory=list)
    orphan: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    problems: list[BridgeError] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The counts, and the first names of each list, as plain JSON."""
        lists = {name: value for name, value in vars(self).items() if isinstance(value, list) and name != "problems"}
        counts: dict[str, Any] = {name: len(value) for name, value in lists.items()}
        return {"checked": self.checked} | counts | {"names": {name: value[:LISTED] for name, value in lists.items()}}


def reconcile(
    account: LmsAccount, lms: LmsConnector, *, dry_run: bool = False, watch: Callable[[int, int | None], None]
) -> Differences:
    """Compare every course's calendar. What is to be mended is asked for of the job that sends events; doubles and
    orphans are removed here.

    :raises TemporaryFailure, AccessRefused: the LMS does not answer.
    """
    found = Differences()
    since, until = now() - PAST, now() + AHEAD
    courses = sorted({course.remote_id for course in known_courses([account.id]).get(account.id, [])})
    lots = [courses[start : start + COURSES_AT_ONCE] for start in range(0, len(courses), COURSES_AT_ONCE)]

    of_courses = groups.seen(account)

    def look(connector: LmsConnector, some: list[str]) -> list[tuple[Sequence[str], list[RemoteEvent] | BridgeError]]:
        return list(events_of(connector, some, since, until, of_courses))

    for number, (_, answers) in enumerate(each(account, lms, lots, look), start=1):
        for some, answer in answers if isinstance(answers, list) else [((), answers)]:
            if isinstance(answer, BridgeError):
                found.problems.append(answer)
                continue
            for remote_id in _compare(account, some, answer, since, until, found, dry_run=dry_run):
                _delete(lms, remote_id, found)
        watch(min(number * COURSES_AT_ONCE, len(courses)), len(courses))
    if not dry_run:
        wish_all(account)
        with transaction():
            jobs.enqueue(PUSH, str(account.id))
    return found


def _delete(lms: LmsConnector, remote_id: str, found: Differences) -> None:
    """One event that the LMS does not let go of is named; the comparison goes on."""
    try:
        lms.delete_event(remote_id)
    except (TemporaryFailure, AccessRefused):
        raise
    except BridgeError as refusal:
        found.problems.append(refusal)


def wish_all(account: LmsAccount, *, dry_run: bool = False) -> int:
    """Look at every lesson to come that the account serves; how many events wait to be sent."""
    return sum(wishing(account, dry_run=dry_run))


def wishing(account: LmsAccount, *, dry_run: bool = False) -> Iterator[int]:
    """As :func:`wish_all`, some hundred lessons at each step, each in a transaction; how many of their events wait."""
    class_ids = {course.class_id for course in known_courses([account.id]).get(account.id, [])}
    of_classes = sa.select(LessonAudience.lesson_id).where(LessonAudience.class_id.in_(class_ids))
    ids = db.session.scalars(
        sa.select(Lesson.id)
        .where(Lesson.ends_at > now() - PAST, Lesson.mode == LessonMode.ONLINE, Lesson.id.in_(of_classes))
        .order_by(Lesson.starts_at, Lesson.id)
    ).all()
    for start in range(0, len(ids), CHUNK):  # a page that changes a lesson meanwhile waits only for one of them
        with trial(dry_run):
            waiting = follow(ids[start : start + CHUNK])
        yield waiting


def _compare(
    account: LmsAccount,
    courses: Sequence[str],
    events: Sequence[RemoteEvent],
    since: datetime,
    until: datetime,
    found: Differences,
    *,
    dry_run: bool,
) -> list[str]:
    """Note the differences of some courses; the remote ids of what has to go."""
    there: defaultdict[tuple[str, str], list[RemoteEvent]] = defaultdict(list)
    for event in sorted(events, key=lambda e: (len(e.remote_id), e.remote_id)):
        there[event.course_remote_id, event.key].append(event)
        found.checked += 1
    remove: list[str] = []
    with transaction():
        ours = _mappings(account, courses)
        for (place, key), doubles in there.items():
            row = ours.get((place, key))
            remove += _extra(row, doubles, found)
        for (place, key), row in ours.items():
            if row.state is MappingState.DONE and row.remote_id is not None:
                _check(row, there.get((place, key), ()), since, until, found)
        if dry_run:
            db.session.rollback()
    return [] if dry_run else remove


def _mappings(account: LmsAccount, courses: Sequence[str]) -> dict[tuple[str, str], SyncMapping]:
    rows = db.session.execute(
        sa.select(SyncMapping, Lesson.uid)
        .join(Lesson, Lesson.id == SyncMapping.entity_id)
        .where(
            SyncMapping.account_id == account.id,
            SyncMapping.kind == MappedKind.EVENT,
            SyncMapping.place.in_(courses),
        )
        .execution_options(populate_existing=True)
    )
    return {(row.place, uid): row for row, uid in rows}


def _extra(row: SyncMapping | None, doubles: Sequence[RemoteEvent], found: Differences) -> Iterator[str]:
    """What of the events of one lesson in one course is too much."""
    if row is None or row.state is MappingState.GONE:
        for event in doubles:
            if event.url.startswith(current_settings().base_url.rstrip("/") + "/"):
                found.orphan.append(event.title)
                yield event.remote_id
            else:
                found.foreign.append(event.title)
        return
    kept = next((event for event in doubles if event.remote_id == row.remote_id), doubles[0])
    for event in doubles:
        if event is not kept and row.remote_id is not None:
            found.duplicate.append(event.title)
            yield event.remote_id


def _check(
    row: SyncMapping, events: Sequence[RemoteEvent], since: datetime, until: datetime, found: Differences
) -> None:
    starts_at, ends_at = (datetime.fromisoformat(row.sent[name]) for name in ("starts_at", "ends_at"))
    kept = next((event for event in events if event.remote_id == row.remote_id), None)
    title = str(row.sent.get("title"))
    if kept is None:
        if since < ends_at and starts_at < until:
            found.missing.append(title)
            _again(row)
    elif (
        kept.title != title
        or abs(kept.starts_at - starts_at) >= MINUTE
        or abs(kept.ends_at - ends_at) >= MINUTE
        or kept.group_remote_id != row.sent.get("group")
        or (not kept.visible and not row.sent.get("cancelled"))
    ):
        found.changed.append(title)
        _again(row)


def _again(row: SyncMapping) -> None:
    row.state, row.attempts, row.next_try, row.changed_at = MappingState.WAITING, 0, now(), now()
