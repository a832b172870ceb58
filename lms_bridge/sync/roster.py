"""People and enrolments in from an LMS, and, where that is wished, courses and enrolments out.

Nothing is deleted: an enrolment that came from the LMS and is no longer there gets its end, and none that came from
elsewhere is touched. Too many endings in one run wait for a person's word, since a list cut short looks just the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import sqlalchemy as sa

from lms_bridge.core.application import current_settings
from lms_bridge.core.bulk import Inserter, reserve_ids
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BridgeError
from lms_bridge.core.plugins import (
    AccessRefused,
    CourseMember,
    CourseRecord,
    EnrolmentRecord,
    LmsConnector,
    TemporaryFailure,
)
from lms_bridge.roster.models import ClassGroup, Enrolment, EnrolmentRole, Organisation, Term
from lms_bridge.roster.scope import today, valid
from lms_bridge.sync import cohorts, groups, naming
from lms_bridge.sync import courses as course_matching
from lms_bridge.sync.courses import CourseOfClass
from lms_bridge.sync.models import LmsAccount, MappedKind, MappingState, SyncMapping
from lms_bridge.sync.people import People
from lms_bridge.sync.storing import Agreed, store_agreed
from lms_bridge.sync.trials import trial
from lms_bridge.sync.workers import each, in_groups

FEW = 5
"""So many endings are never too many."""

LISTED = 50

AT_ONCE = 20
"""So many courses are written down in one transaction."""

KEYS_AT_ONCE = 50

WantedBy = dict[tuple[int, int, EnrolmentRole], str]
"""The last course read that lists a person: by class, person and role."""


Watch = Callable[[int, int | None], None]


@dataclass
class RosterChanges:
    """What a run found and did (or, as a dry run, would do)."""

    courses: int = 0
    cohorts: int = 0
    unmatched_courses: list[str] = field(default_factory=list)
    people_made: int = 0
    people_matched: int = 0
    people_changed: int = 0
    people_unmatched: int = 0
    enrolments_new: int = 0
    enrolments_ended: int = 0
    enrolments_kept_back: int = 0
    """Endings that wait for a person's word."""
    courses_made: int = 0
    enrolments_sent: int = 0
    problems: list[BridgeError] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The counts as plain JSON."""
        return {
            name: value[:LISTED] if isinstance(value, list) else value
            for name, value in vars(self).items()
            if name != "problems"
        }


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
        matched += _make_courses(account, connector, matched, changes)
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

    count, wanted_by = 0, WantedBy()
    for answers in in_groups(each(account, connector, of_class + of_cohort, fetch), AT_ONCE):
        changes.problems += [answer for _, answer in answers if isinstance(answer, BridgeError)]
        brought = [(item[1], answer) for item, answer in answers if not isinstance(answer, BridgeError)]
        missing += _bring_in(account, people, brought, wanted_by, changes, dry_run=dry_run)
        count += len(answers)
        watch(count, len(of_class) + len(of_cohort))
    missing += _of_courses(account, gone | {course.place for course in _gone_courses(account)})
    missing = _wanted_nowhere(missing, wanted_by, dry_run=dry_run)
    _end(account, missing, changes, dry_run=dry_run, confirmed=confirmed)
    changes.people_made, changes.people_matched = people.made, people.matched
    changes.people_changed, changes.people_unmatched = people.changed, len(people.unmatched)
    if account.makes_courses and not dry_run:
        courses = [course for _, course in of_class]
        _send_enrolments(account, connector, people, courses, changes, watch)
    changes.problems += groups.bring(account, connector, people.ids, of_class, dry_run=dry_run)
    return changes


def _keep_courses(
    account: LmsAccount, matched: Sequence[tuple[CourseRecord, CourseOfClass | None]], *, dry_run: bool
) -> set[str | None]:
    """Store which course is which class; the places that are none any more."""
    with trial(dry_run):
        course_matching.keep(account, matched)
        gone: set[str | None] = {course.place for course in _gone_courses(account)}
    return gone


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
    changes: RosterChanges,
    *,
    dry_run: bool,
) -> list[int]:
    """Match the members of some courses and begin the enrolments that are missing, in one transaction; the mappings of
    enrolments that the courses have no longer."""
    with trial(dry_run):
        campuses = _campuses([course.class_id for course, _ in brought])
        people.take([(campuses[course.class_id], members) for course, members in brought])
        return _enrol(account, people, brought, campuses, wanted_by, changes)


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
            present = there[course.class_id, person_id, role]
            # Without a subject of the course, a teacher of the class in whatever subject is there already.
            if not present or (subject is not None and subject not in present):
                new.append((course, person_id, role, subject))
                there[course.class_id, person_id, role].add(subject)
        changes.enrolments_new += sum(m.person.remote_id in people.imagined for m in members if m.role)
    _begin(account, new, wanted, campuses)
    people.give_roles([(person_id, campuses[course.class_id], role) for course, person_id, role, _ in new])
    changes.enrolments_new += len(new)
    return _not_wanted(account, wanted)


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


def _not_wanted(account: LmsAccount, wanted: Mapping[str, Mapping[tuple[int, EnrolmentRole], str]]) -> list[int]:
    rows = db.session.execute(
        sa.select(SyncMapping.id, SyncMapping.place, Enrolment.person_id, Enrolment.role)
        .join(Enrolment, Enrolment.id == SyncMapping.entity_id)
        .where(
            SyncMapping.account_id == account.id,
            SyncMapping.kind == MappedKind.ENROLMENT,
            SyncMapping.place.in_(list(wanted)),
            SyncMapping.state == MappingState.DONE,
        )
    )
    return [number for number, place, person_id, role in rows if (person_id, role) not in wanted[place]]


def _gone_courses(account: LmsAccount) -> Iterable[SyncMapping]:
    return db.session.scalars(
        sa.select(SyncMapping).where(
            SyncMapping.account_id == account.id,
            SyncMapping.kind.in_([MappedKind.COURSE, MappedKind.COHORT]),
            SyncMapping.state.in_([MappingState.GONE, MappingState.UNMATCHED]),
        )
    ).all()


def _of_courses(account: LmsAccount, places: set[str | None]) -> list[int]:
    if not places:
        return []
    return list(
        db.session.scalars(
            sa.select(SyncMapping.id).where(
                SyncMapping.account_id == account.id,
                SyncMapping.kind == MappedKind.ENROLMENT,
                SyncMapping.place.in_(places),
                SyncMapping.state == MappingState.DONE,
            )
        )
    )


def _wanted_nowhere(missing: Sequence[int], wanted_by: WantedBy, *, dry_run: bool) -> list[int]:
    """Those of the mappings whose enrolment no other course of the class wants; one that another course still wants
    goes over to that course."""
    left, over = list[int](), list[dict[str, Any]]()
    for start in range(0, len(missing), 500):
        rows = db.session.execute(
            sa.select(SyncMapping.id, Enrolment.class_id, Enrolment.person_id, Enrolment.role)
            .join(Enrolment, Enrolment.id == SyncMapping.entity_id)
            .where(SyncMapping.id.in_(missing[start : start + 500]))
        )
        for number, class_id, person_id, role in rows:
            place = wanted_by.get((class_id, person_id, role))
            if place is None:
                left.append(number)
            else:
                over.append({"id": number, "place": place})
    if over and not dry_run:
        with transaction():
            db.session.execute(sa.update(SyncMapping), over)
    return left


def _end(account: LmsAccount, missing: list[int], changes: RosterChanges, *, dry_run: bool, confirmed: bool) -> None:
    """End the enrolments behind these mappings, unless they are suspiciously many."""
    standing = db.session.scalar(
        sa.select(sa.func.count()).where(
            SyncMapping.account_id == account.id,
            SyncMapping.kind == MappedKind.ENROLMENT,
            SyncMapping.state == MappingState.DONE,
        )
    )
    limit = max(FEW, int((standing or 0) * current_settings().roster_removal_limit))
    if len(missing) > limit and not confirmed:
        changes.enrolments_kept_back = len(missing)
        naming.note_mapped_enrolments("enrolments_kept_back", missing)
        return
    changes.enrolments_ended = len(missing)
    naming.note_mapped_enrolments("enrolments_ended", missing)
    if dry_run or not missing:
        return
    with transaction():
        day = today(account.organisation.zone)
        for start in range(0, len(missing), 500):
            rows = db.session.scalars(sa.select(SyncMapping).where(SyncMapping.id.in_(missing[start : start + 500])))
            for row in rows:
                enrolment = db.session.get(Enrolment, row.entity_id)
                if enrolment is not None and (enrolment.valid_to is None or enrolment.valid_to > day):
                    enrolment.valid_to = max(day, enrolment.valid_from)
                row.state, row.changed_at = MappingState.GONE, now()


def _make_courses(
    account: LmsAccount,
    connector: LmsConnector,
    matched: Sequence[tuple[CourseRecord, CourseOfClass | None]],
    changes: RosterChanges,
) -> list[tuple[CourseRecord, CourseOfClass | None]]:
    """Courses for our classes of the present terms that have none there."""
    have = {course.class_id for _, course in matched if course is not None}
    day = today(account.organisation.zone)
    rows = db.session.execute(
        sa.select(ClassGroup, Organisation)
        .join(Organisation, Organisation.id == ClassGroup.campus_id)
        .join(Term, Term.id == ClassGroup.term_id)
        .where(
            ClassGroup.valid_to.is_(None),
            Term.ends_on >= day,
            Organisation.path.startswith(account.organisation.path, autoescape=True),
        )
        .order_by(ClassGroup.id)
    ).all()
    wanted = {
        f"{campus.code}/{group.code}": (group, CourseRecord("", f"{campus.code}/{group.code}", group.title, group.code))
        for group, campus in rows
        if group.id not in have
    }
    if not wanted:
        return []
    made = connector.ensure_courses([record for _, record in wanted.values()])
    changes.courses_made = len(made)
    return [
        (CourseRecord(made[key], key, record.title, record.short_title), CourseOfClass(made[key], group.id, None))
        for key, (group, record) in wanted.items()
        if key in made
    ]


def _send_enrolments(
    account: LmsAccount,
    connector: LmsConnector,
    people: People,
    courses: Sequence[CourseOfClass],
    changes: RosterChanges,
    watch: Watch,
) -> None:
    """Enrol there who is in our class and in no such course there; ends nothing. A course that refuses is named."""
    remote = {person_id: remote_id for remote_id, person_id in people.ids.items()}
    day = today(account.organisation.zone)
    for course in courses:
        if course.subject_id is not None:
            continue
        rows = db.session.execute(
            sa.select(Enrolment.person_id, Enrolment.role).where(
                Enrolment.class_id == course.class_id, valid(Enrolment, day)
            )
        ).all()
        try:
            there = {m.person.remote_id for m in connector.members(course.remote_id)}
            wanted = [
                EnrolmentRecord(course.remote_id, remote[person_id], role.value)
                for person_id, role in rows
                if person_id in remote and remote[person_id] not in there
            ]
            if wanted:
                connector.ensure_enrolments(wanted)
                changes.enrolments_sent += len(wanted)
        except (TemporaryFailure, AccessRefused):
            raise
        except BridgeError as refusal:
            changes.problems.append(refusal)
        watch(len(courses), len(courses))
