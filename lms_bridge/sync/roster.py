"""People and enrolments in from an LMS, and, where that is wished, courses and enrolments out.

Nothing is deleted: an enrolment that came from the LMS and is no longer there gets its end, and none that came from
elsewhere is touched. Too many endings in one run wait for a person's word, since a list cut short looks just the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date

import sqlalchemy as sa

from lms_bridge.core.bulk import Inserter, reserve_ids
from lms_bridge.core.database import db
from lms_bridge.core.errors import BridgeError
from lms_bridge.core.plugins import (
    AccessRefused,
    CourseMember,
    CourseRecord,
    LmsConnector,
    TemporaryFailure,
)
from lms_bridge.roster.models import ClassGroup, Enrolment, EnrolmentRole, Organisation
from lms_bridge.roster.scope import today, valid
from lms_bridge.sync import cohorts, enrolment_ends, groups, roster_out
from lms_bridge.sync import courses as course_matching
from lms_bridge.sync.courses import CourseOfClass
from lms_bridge.sync.enrolment_ends import WantedBy
from lms_bridge.sync.models import LmsAccount, MappedKind
from lms_bridge.sync.people import People
from lms_bridge.sync.roster_changes import RosterChanges, Watch
from lms_bridge.sync.storing import Agreed, store_agreed
from lms_bridge.sync.trials import trial
from lms_bridge.sync.workers import each, in_groups

AT_ONCE = 20
"""So many courses are written down in one transaction."""

KEYS_AT_ONCE = 50

Begun = defaultdict[tuple[int, int | str, EnrolmentRole], set[int | None]]
"""In which subjects a run begins enrolments, by class, person and role; whom a dry run would make has the id there."""


def take_in(
    account: LmsAccount, connector: LmsConnector, *, dry_run: bool = False, confirmed: bool = False, watch: Watch
) -> RosterChanges:
    """Read the account's courses and their members, and bring our enrolments up to date, course by course.

    :raises TemporaryFailure, AccessRefused: the LMS does not answer; what was done for the courses before stays.
    """
    changes = RosterChanges()
    keys = course_matching.classes_by_key(account)
    matched = course_matching.match(_courses(connector, keys, watch), keys)
    if account.makes_courses and not dry_run:
        matched += roster_out.make_courses(account, connector, matched, changes)
    of_class = [(record, course) for record, course in matched if course is not None]
    changes.courses = len(of_class)
    changes.unmatched_courses = [record.title for record, course in matched if course is None]
    gone = _keep_courses(account, matched, dry_run=dry_run)
    of_cohort = _cohorts(account, connector, keys, of_class, changes, dry_run=dry_run)
    people, missing = People.of(account, dry_run=dry_run), list[int]()

    def fetch(lms: LmsConnector, item: tuple[CourseRecord, CourseOfClass]) -> list[CourseMember]:
        members = list(cohorts.members(lms, item[0].remote_id))
        people.look_up(lms, members)
        return members

    sources = of_class + of_cohort
    count, wanted_by, begun = 0, WantedBy(), Begun(set)
    for answers in in_groups(each(account, connector, sources, fetch), AT_ONCE, len(sources)):
        changes.problems += [answer for _, answer in answers if isinstance(answer, BridgeError)]
        brought = [(item[1], answer) for item, answer in answers if not isinstance(answer, BridgeError)]
        missing += _bring_in(account, people, brought, wanted_by, begun, changes, dry_run=dry_run)
        count += len(answers)
        watch(count, len(sources))
    missing += enrolment_ends.of_courses(account, gone | enrolment_ends.gone_places(account))
    missing = enrolment_ends.wanted_nowhere(missing, wanted_by, dry_run=dry_run)
    enrolment_ends.end(account, missing, changes, dry_run=dry_run, confirmed=confirmed)
    changes.people_made, changes.people_matched = people.made, people.matched
    changes.people_changed, changes.people_unmatched = people.changed, len(people.unmatched)
    if account.makes_courses and not dry_run:
        courses = [course for _, course in of_class]
        roster_out.send_enrolments(account, connector, people, courses, changes, watch)
    changes.problems += groups.bring(account, connector, people.ids, of_class, dry_run=dry_run)
    return changes


def _keep_courses(
    account: LmsAccount, matched: Sequence[tuple[CourseRecord, CourseOfClass | None]], *, dry_run: bool
) -> set[str | None]:
    """Store which course is which class; the places that are none any more."""
    with trial(dry_run):
        course_matching.keep(account, matched)
        return enrolment_ends.gone_places(account)


def _cohorts(
    account: LmsAccount,
    connector: LmsConnector,
    keys: dict[str, int],
    of_class: Sequence[tuple[CourseRecord, CourseOfClass]],
    changes: RosterChanges,
    *,
    dry_run: bool,
) -> list[tuple[CourseRecord, CourseOfClass]]:
    """The cohorts that stand for a class without a course."""
    courses = [course for _, course in of_class]
    found: list[tuple[CourseRecord, CourseOfClass]] = []
    try:
        with trial(dry_run):
            found = cohorts.sources(account, connector, keys, courses)
    except (TemporaryFailure, AccessRefused):
        raise
    except BridgeError as refusal:
        changes.problems.append(refusal)
    changes.cohorts = len(found)
    return found


def _courses(connector: LmsConnector, keys: dict[str, int], watch: Watch) -> list[CourseRecord]:
    found = list(connector.courses())
    if found and keys and not any(course.key for course in found):
        # The account may not see our marks on courses; asked for one by one they are found all the same.
        by_id, names = dict[str, CourseRecord](), list(keys)
        for start in range(0, len(names), KEYS_AT_ONCE):
            some = connector.find_courses(names[start : start + KEYS_AT_ONCE])
            by_id |= {course.remote_id: course for course in some.values()}
            watch(0, None)
        found = [by_id.get(course.remote_id, course) for course in found]
    return found


def _bring_in(
    account: LmsAccount,
    people: People,
    brought: Sequence[tuple[CourseOfClass, list[CourseMember]]],
    wanted_by: WantedBy,
    begun: Begun,
    changes: RosterChanges,
    *,
    dry_run: bool,
) -> list[int]:
    """Match the members of some courses and begin the enrolments that are missing, in one transaction; the mappings of
    enrolments that the courses have no longer."""
    with trial(dry_run):
        campuses = _campuses([course.class_id for course, _ in brought])
        people.take([(campuses[course.class_id], members) for course, members in brought])
        return _enrol(account, people, brought, campuses, wanted_by, begun, changes)


def _campuses(class_ids: Sequence[int]) -> dict[int, Organisation]:
    rows = db.session.execute(
        sa.select(ClassGroup.id, Organisation)
        .join(Organisation, Organisation.id == ClassGroup.campus_id)
        .where(ClassGroup.id.in_(class_ids))
    )
    return dict(iter(rows))


def _enrol(
    account: LmsAccount,
    people: People,
    brought: Sequence[tuple[CourseOfClass, list[CourseMember]]],
    campuses: Mapping[int, Organisation],
    wanted_by: WantedBy,
    begun: Begun,
    changes: RosterChanges,
) -> list[int]:
    there = _standing(brought, campuses)
    new: list[tuple[CourseOfClass, int, EnrolmentRole, int | None]] = []
    wanted: dict[str, dict[tuple[int, EnrolmentRole], str]] = {}
    for course, members in brought:
        wanted[course.remote_id] = mine = {
            (people.ids[m.person.remote_id], EnrolmentRole(m.role)): m.person.remote_id
            for m in members
            if m.role and m.person.remote_id in people.ids and not m.person.suspended
        }
        for person_id, role in mine:
            wanted_by[course.class_id, person_id, role] = course.remote_id
            subject = course.subject_id if role is EnrolmentRole.TEACHER else None
            # A dry run has taken back what it began for the courses before.
            present = there[course.class_id, person_id, role] | begun.get((course.class_id, person_id, role), set())
            if _is_new(subject, present):
                new.append((course, person_id, role, subject))
                begun[course.class_id, person_id, role].add(subject)
        changes.enrolments_new += _imagined(people, course, members, begun)
    missing = enrolment_ends.not_wanted(account, wanted)
    _begin(account, new, wanted, campuses)
    people.give_roles([(person_id, campuses[course.class_id], role) for course, person_id, role, _ in new])
    changes.enrolments_new += len(new)
    return missing


def _imagined(people: People, course: CourseOfClass, members: Sequence[CourseMember], begun: Begun) -> int:
    """How many enrolments a dry run would begin for people who would be made."""
    count = 0
    for member in members:
        if member.role and member.person.remote_id in people.imagined and not member.person.suspended:
            role = EnrolmentRole(member.role)
            subject = course.subject_id if role is EnrolmentRole.TEACHER else None
            present = begun[course.class_id, member.person.remote_id, role]
            count += _is_new(subject, present)
            present.add(subject)
    return count


def _is_new(subject: int | None, present: Collection[int | None]) -> bool:
    """Whether somebody is not in the class yet. Without a subject of the course, a teacher of the class in whatever
    subject is there already."""
    return not present or (subject is not None and subject not in present)


def _standing(
    brought: Sequence[tuple[CourseOfClass, list[CourseMember]]], campuses: Mapping[int, Organisation]
) -> defaultdict[tuple[int, int, EnrolmentRole], set[int | None]]:
    """Who is in the classes today: by class, person and role the subjects."""
    found: defaultdict[tuple[int, int, EnrolmentRole], set[int | None]] = defaultdict(set)
    by_day: defaultdict[date, list[int]] = defaultdict(list)
    for course, _ in brought:
        by_day[today(campuses[course.class_id].zone)].append(course.class_id)
    for day, class_ids in by_day.items():
        rows = db.session.execute(
            sa.select(Enrolment.class_id, Enrolment.person_id, Enrolment.role, Enrolment.subject_id).where(
                Enrolment.class_id.in_(class_ids), valid(Enrolment, day)
            )
        )
        for class_id, person_id, role, subject_id in rows:
            found[class_id, person_id, role].add(subject_id)
    return found


def _begin(
    account: LmsAccount,
    new: Sequence[tuple[CourseOfClass, int, EnrolmentRole, int | None]],
    wanted: Mapping[str, Mapping[tuple[int, EnrolmentRole], str]],
    campuses: Mapping[int, Organisation],
) -> None:
    """Store new enrolments, many with one statement, each with its mapping."""
    if not new:
        return
    connection = db.session.connection()
    ids = reserve_ids(connection, Enrolment, len(new))
    days = {class_id: today(campus.zone).isoformat() for class_id, campus in campuses.items()}
    Inserter(connection, Enrolment, "id class_id person_id role subject_id is_primary valid_from").insert(
        (number, course.class_id, person_id, role.value, subject, False, days[course.class_id])
        for number, (course, person_id, role, subject) in zip(ids, new, strict=True)
    )
    store_agreed(
        account.id,
        MappedKind.ENROLMENT,
        (
            Agreed(course.remote_id, number, wanted[course.remote_id][person_id, role])
            for number, (course, person_id, role, _) in zip(ids, new, strict=True)
        ),
    )
