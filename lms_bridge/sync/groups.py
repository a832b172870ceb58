"""Lessons for a part of a class are shown to that part alone: the group of the remote course that stands for the part.

A group stands for a part when it carries the part's name as its key or, without one, is called so, and when everybody
of the part who is in the course is in it; else the whole course sees the lesson, so that nobody misses one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import sqlalchemy as sa

from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.core.errors import BridgeError
from lms_bridge.core.i18n import N_
from lms_bridge.core.kept_problems import kept
from lms_bridge.core.plugins import AccessRefused, CourseRecord, LmsConnector, PluginError, TemporaryFailure
from lms_bridge.sync import retries
from lms_bridge.sync.courses import CourseOfClass
from lms_bridge.sync.models import LmsAccount, MappedKind, MappingState, SyncMapping
from lms_bridge.sync.trials import trial
from lms_bridge.timetable.inputs.models import ClassPartMember
from lms_bridge.timetable.models import Lesson, LessonAudience

PAST = timedelta(days=1)

Parts = dict[str, set[int]]
"""The people of each part of a class that has lessons of its own."""


@dataclass
class Found:
    """The groups of one course: ``groups`` are those that stand for a part, ``seen`` all that might have events of
    ours."""

    groups: dict[str, str] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    problems: list[BridgeError] = field(default_factory=list)


def usable(account_ids: Collection[int]) -> dict[int, dict[str, dict[str, str]]]:
    """By account and remote course: the group of each part of the course's class."""
    found: defaultdict[int, dict[str, dict[str, str]]] = defaultdict(dict)
    for account_id, place, sent in db.session.execute(
        sa.select(SyncMapping.account_id, SyncMapping.place, SyncMapping.sent).where(*_kept(account_ids))
    ):
        found[account_id][place] = sent.get("groups", {})
    return found


def seen(account: LmsAccount) -> dict[str, list[str]]:
    """By remote course: the groups that may have events of ours."""
    rows = db.session.execute(sa.select(SyncMapping.place, SyncMapping.sent).where(*_kept([account.id])))
    return {place: sent.get("seen", []) for place, sent in rows}


def warnings(account: LmsAccount) -> list[BridgeError]:
    """Why lessons for a part of a class are shown to a whole course."""
    return retries.standing(account, MappedKind.GROUP, (MappingState.UNMATCHED,))


def _kept(account_ids: Collection[int]) -> tuple[sa.ColumnElement[bool], ...]:
    return (SyncMapping.account_id.in_(account_ids), SyncMapping.kind == MappedKind.GROUP)


def bring(
    account: LmsAccount,
    lms: LmsConnector,
    people: Mapping[str, int],
    courses: Sequence[tuple[CourseRecord, CourseOfClass]],
    *,
    dry_run: bool,
) -> list[BridgeError]:
    """Find the groups of those courses whose class has lessons for a part of it; where the account makes courses, make
    those that are missing and put the part's students in. ``people`` are ours by remote id. What is in the way.

    :raises TemporaryFailure, AccessRefused: the LMS does not answer.
    """
    parts = _parts([course for _, course in courses])
    problems: list[BridgeError] = []
    _forget(account, parts, dry_run=dry_run)
    for record, course in courses:
        if course.remote_id not in parts:
            continue
        try:
            found = _of_course(account, lms, record, parts[course.remote_id], people, dry_run=dry_run)
        except (TemporaryFailure, AccessRefused):
            raise
        except BridgeError as refusal:
            problems.append(refusal)
            continue
        problems += found.problems
        with trial(dry_run):
            _keep(account, record, course, found)
    return problems


def _parts(courses: Sequence[CourseOfClass]) -> dict[str, Parts]:
    """By remote course the parts of its class that have lessons there; a part of nobody is taken for the class."""
    class_ids = {course.class_id for course in courses}
    taught: defaultdict[int, set[tuple[str, int]]] = defaultdict(set)
    for class_id, part, subject_id in db.session.execute(
        sa.select(LessonAudience.class_id, LessonAudience.part, Lesson.subject_id)
        .join(Lesson, Lesson.id == LessonAudience.lesson_id)
        .where(LessonAudience.part != "", LessonAudience.class_id.in_(class_ids), Lesson.ends_at > now() - PAST)
        .distinct()
    ):
        taught[class_id].add((part, subject_id))
    members: defaultdict[tuple[int, str], set[int]] = defaultdict(set)
    for row in db.session.scalars(sa.select(ClassPartMember).where(ClassPartMember.class_id.in_(list(taught)))):
        members[row.class_id, row.part].add(row.person_id)
    found: dict[str, Parts] = {}
    for course in courses:
        of_course = {
            part: members[course.class_id, part]
            for part, subject_id in taught.get(course.class_id, ())
            if course.subject_id in (None, subject_id) and members.get((course.class_id, part))
        }
        if of_course:
            found[course.remote_id] = of_course
    return found


def _of_course(
    account: LmsAccount,
    lms: LmsConnector,
    record: CourseRecord,
    parts: Parts,
    people: Mapping[str, int],
    *,
    dry_run: bool,
) -> Found:
    found, place = Found(), record.remote_id
    if not lms.capabilities.groups:
        found.problems.append(
            PluginError(
                N_("%(course)s: %(lms)s has no groups for us; lessons for %(parts)s are shown to the whole course."),
                course=record.title, lms=lms.verbose_name, parts=", ".join(sorted(parts)),
            )
        )  # fmt: skip
        return found
    makes, there = account.makes_courses and not dry_run, list(lms.groups(place))
    by_part = {group.name: group.remote_id for group in there if not group.key}
    by_part |= {group.key: group.remote_id for group in there if group.key}
    missing = sorted(parts.keys() - by_part.keys())
    if missing and makes:
        by_part |= lms.ensure_groups(place, missing)
    outside = _outside(lms, place, by_part, parts, people) if by_part.keys() & parts.keys() else {}
    for part in sorted(parts):
        group = by_part.get(part)
        if group is None and account.makes_courses:
            continue  # a dry run: it would be made
        if group is None:
            found.problems.append(
                PluginError(
                    N_("%(course)s: there is no group “%(part)s”; its lessons are shown to the whole course."),
                    remedy=N_("Make a group with this ID number in the course, or let courses be made from here."),
                    course=record.title, part=part,
                )
            )  # fmt: skip
            continue
        found.seen.append(group)
        if outside.get(part) and makes:
            lms.ensure_group_members(group, outside[part])
        elif outside.get(part):
            found.problems.append(
                PluginError(
                    N_(
                        "%(course)s: not everybody of “%(part)s” is in its group (%(count)s missing); its lessons are "
                        "shown to the whole course."
                    ),
                    remedy=N_("Put them into the group in the LMS, or let courses be made from here."),
                    course=record.title, part=part, count=len(outside[part]),
                )
            )  # fmt: skip
            continue
        found.groups[part] = group
    return found


def _outside(
    lms: LmsConnector, place: str, groups: Mapping[str, str], parts: Parts, people: Mapping[str, int]
) -> dict[str, list[str]]:
    """By part those of its people who are in the course and not in the part's group."""
    outside: defaultdict[str, list[str]] = defaultdict(list)
    for member in lms.members(place):
        person = people.get(member.person.remote_id)
        for part, of_part in parts.items():
            if person in of_part and part in groups and groups[part] not in member.group_remote_ids:
                outside[part].append(member.person.remote_id)
    return outside


def _keep(account: LmsAccount, record: CourseRecord, course: CourseOfClass, found: Found) -> None:
    row = db.session.scalar(
        sa.select(SyncMapping).filter_by(account_id=account.id, kind=MappedKind.GROUP, place=course.remote_id)
    )
    if row is None:
        row = SyncMapping(account_id=account.id, kind=MappedKind.GROUP, place=course.remote_id)
        db.session.add(row)
    row.entity_id, row.seen_at = course.class_id, now()
    row.sent = {"title": record.title, "groups": found.groups, "seen": found.seen}
    row.state = MappingState.UNMATCHED if found.problems else MappingState.DONE
    row.last_error = kept(*found.problems) if found.problems else None
    db.session.flush()


def _forget(account: LmsAccount, places: Collection[str], *, dry_run: bool) -> None:
    """Courses whose class has no lessons for a part of it any more need no groups of ours."""
    with trial(dry_run):
        db.session.execute(
            sa.delete(SyncMapping)
            .where(*_kept([account.id]), SyncMapping.place.not_in(list(places)))
            .execution_options(synchronize_session=False)
        )
