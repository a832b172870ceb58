"""Cohorts as an alternative source of classes: a class that has no course in the LMS takes its students from the cohort
that carries its key. A cohort says nothing of teachers."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import sqlalchemy as sa

from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.core.plugins import CohortRecord, CourseMember, CourseRecord, LmsConnector
from lms_bridge.roster.models import Enrolment
from lms_bridge.sync.courses import CourseOfClass
from lms_bridge.sync.models import LmsAccount, MappedKind, MappingState, SyncMapping

PREFIX = "cohort:"


def sources(
    account: LmsAccount, lms: LmsConnector, keys: dict[str, int], courses: Sequence[CourseOfClass]
) -> list[tuple[CourseRecord, CourseOfClass]]:
    """The cohorts that stand for a class, in the form of a course of it; ``courses`` are those that belong to a class
    there. Flushes what is known of every cohort.

    :raises PluginError: the cohorts cannot be read.
    """
    with_course = {course.class_id: course for course in courses}
    if not account.reads_cohorts:
        for class_id in _keep(account, [], {}):
            if class_id in with_course:
                _hand_over(account, with_course[class_id], courses)
        return []
    found = list(lms.cohorts())
    classes = {
        cohort.remote_id: keys[cohort.key]
        for cohort in found
        if cohort.key and cohort.key in keys and keys[cohort.key] not in with_course
    }
    chosen = [
        (
            CourseRecord(PREFIX + cohort.remote_id, cohort.key, cohort.name),
            CourseOfClass(PREFIX + cohort.remote_id, classes[cohort.remote_id], None),
        )
        for cohort in found
        if cohort.remote_id in classes
    ]
    given_up = _keep(account, found, classes)
    live = [*courses, *(cohort for _, cohort in chosen)]
    for source in [cohort for _, cohort in chosen] + [with_course[one] for one in given_up if one in with_course]:
        _hand_over(account, source, live)
    return chosen


def members(lms: LmsConnector, place: str) -> Iterator[CourseMember]:
    """Who is in a course, or (``place`` is one of ours) as students in a cohort."""
    if place.startswith(PREFIX):
        return (CourseMember(person, "student") for person in lms.cohort_members(place.removeprefix(PREFIX)))
    return iter(lms.members(place))


def _hand_over(account: LmsAccount, to: CourseOfClass, live: Sequence[CourseOfClass]) -> None:
    """What came from a source of the class that is gone now belongs to ``to``: it is judged by whom that lists, and
    nobody's enrolment ends only because a course took the place of a cohort, or a cohort that of a course."""
    db.session.execute(
        sa.update(SyncMapping)
        .where(
            SyncMapping.account_id == account.id,
            SyncMapping.kind == MappedKind.ENROLMENT,
            SyncMapping.state == MappingState.DONE,
            SyncMapping.place.not_in([course.remote_id for course in live]),
            SyncMapping.entity_id.in_(sa.select(Enrolment.id).where(Enrolment.class_id == to.class_id)),
        )
        .values(place=to.remote_id)
        .execution_options(synchronize_session=False)
    )


def _keep(account: LmsAccount, found: Collection[CohortRecord], classes: dict[str, int]) -> set[int]:
    """Note how every cohort stands; the classes that had one until now."""
    known = {
        row.remote_id: row
        for row in db.session.scalars(sa.select(SyncMapping).filter_by(account_id=account.id, kind=MappedKind.COHORT))
    }
    had = {row.entity_id for row in known.values() if row.state is MappingState.DONE and row.entity_id is not None}
    for cohort in found:
        row = known.get(cohort.remote_id)
        if row is None:
            if cohort.remote_id not in classes:
                continue  # the cohorts of a site have many purposes: those of no class are not worth a line
            row = SyncMapping(account_id=account.id, kind=MappedKind.COHORT, remote_id=cohort.remote_id)
            db.session.add(row)
        row.place, row.entity_id = PREFIX + cohort.remote_id, classes.get(cohort.remote_id)
        row.sent = {"title": cohort.name, "key": cohort.key}
        row.state = MappingState.DONE if cohort.remote_id in classes else MappingState.GONE
        row.seen_at = now()
    there = {cohort.remote_id for cohort in found}
    for remote_id, row in known.items():
        if remote_id not in there:
            row.state = MappingState.GONE
    db.session.flush()
    return had - set(classes.values())
