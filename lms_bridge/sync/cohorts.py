"""Cohorts as an alternative source of classes: a class that has no course in the LMS takes its students from the cohort
that carries its key. A cohort says nothing of teachers."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import sqlalchemy as sa

from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.core.plugins import CohortRecord, CourseMember, CourseRecord, LmsConnector
from lms_bridge.sync.courses import CourseOfClass
from lms_bridge.sync.models import LmsAccount, MappedKind, MappingState, SyncMapping

PREFIX = "cohort:"


def sources(
    account: LmsAccount, lms: LmsConnector, keys: dict[str, int], with_course: Collection[int]
) -> list[tuple[CourseRecord, CourseOfClass]]:
    """The cohorts that stand for a class, in the form of a course of it; ``with_course`` are the classes that have a
    course there. Flushes what is known of every cohort.

    :raises PluginError: the cohorts cannot be read.
    """
    if not account.reads_cohorts:
        _keep(account, [], {})
        return []
    found = list(lms.cohorts())
    classes = {
        cohort.remote_id: keys[cohort.key]
        for cohort in found
        if cohort.key and cohort.key in keys and keys[cohort.key] not in with_course
    }
    _keep(account, found, classes)
    return [
        (
            CourseRecord(PREFIX + cohort.remote_id, cohort.key, cohort.name),
            CourseOfClass(PREFIX + cohort.remote_id, classes[cohort.remote_id], None),
        )
        for cohort in found
        if cohort.remote_id in classes
    ]


def members(lms: LmsConnector, place: str) -> Iterator[CourseMember]:
    """Who is in a course, or (``place`` is one of ours) as students in a cohort."""
    if place.startswith(PREFIX):
        return (CourseMember(person, "student") for person in lms.cohort_members(place.removeprefix(PREFIX)))
    return iter(lms.members(place))


def _keep(account: LmsAccount, found: Collection[CohortRecord], classes: dict[str, int]) -> None:
    known = {
        row.remote_id: row
        for row in db.session.scalars(sa.select(SyncMapping).filter_by(account_id=account.id, kind=MappedKind.COHORT))
    }
    for cohort in found:
        row = known.pop(cohort.remote_id, None)
        if row is None:
            if cohort.remote_id not in classes:
                continue  # the cohorts of a site have many purposes: those of no class are not worth a line
            row = SyncMapping(account_id=account.id, kind=MappedKind.COHORT, remote_id=cohort.remote_id)
            db.session.add(row)
        row.place, row.entity_id = PREFIX + cohort.remote_id, classes.get(cohort.remote_id)
        row.sent = {"title": cohort.name, "key": cohort.key}
        row.state = MappingState.DONE if cohort.remote_id in classes else MappingState.GONE
        row.seen_at = now()
    for row in known.values():
        row.state = MappingState.GONE
    db.session.flush()
