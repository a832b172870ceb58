"""When plans are due: a deadline of an organisation for a term, which holds below it unless one there has its own.

A plan is handed in from the first time that any version of it was submitted; a plan that was returned is therefore
not missing. A plan is late when it was handed in after the deadline, or is missing once that has passed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from lms_bridge.core import audit
from lms_bridge.core.access import Permission, Scope, Target
from lms_bridge.core.clock import local, now
from lms_bridge.core.database import db
from lms_bridge.core.errors import Forbidden, InputError
from lms_bridge.core.i18n import N_
from lms_bridge.plans import reminders
from lms_bridge.plans.models import (
    PlanClass,
    PlanDeadline,
    PlanKind,
    PlanVersion,
    ReviewStep,
    TeachingPlan,
    VersionState,
)
from lms_bridge.roster.models import ClassGroup, Enrolment, EnrolmentRole, Organisation, Person, Subject, Term
from lms_bridge.roster.scope import today, valid

SETTERS = (Permission.PLAN_REVIEW, Permission.CALENDAR_WRITE)
"""Either of these, for the organisation, is needed to set a deadline: researchers and administrators."""
BATCH = 10_000
"""So many plans are asked for in one statement; databases take no more than some ten thousand values."""


def may_set(organisation: Organisation, scope: Scope) -> bool:
    """Whether somebody may set the organisation's deadlines."""
    return any(scope.allows(permission, Target(organisation.path)) for permission in SETTERS)


def set_deadline(
    organisation: Organisation, term: Term, due: datetime, *, scope: Scope | None, person: Person | None
) -> PlanDeadline:
    """Plans of ``term`` are due at ``due``, a naive time on the wall clock of ``organisation``; replaces an earlier
    deadline. Teachers whose plan is missing are reminded three days and one day before, and when it has passed.

    :raises InputError: the time has passed, or the term is another organisation's. :raises Forbidden: not theirs.
    """
    _allowed(organisation, scope)
    moment = due.replace(tzinfo=ZoneInfo(organisation.zone))
    if moment <= now():
        raise InputError(
            N_("The deadline would have passed already."), remedy=N_("Choose a day and time that are still to come.")
        )
    if not organisation.path.startswith(db.session.get_one(Organisation, term.organisation_id).path):
        raise InputError(
            N_("%(term)s is no term of %(organisation)s."),
            remedy=N_("Choose a term of this organisation or of one above it."),
            term=term.title,
            organisation=organisation.name,
        )
    row = db.session.scalar(sa.select(PlanDeadline).filter_by(organisation_id=organisation.id, term_id=term.id))
    if row is None:
        row = PlanDeadline(organisation_id=organisation.id, term_id=term.id)
        db.session.add(row)
    row.due_at, row.set_at = moment.astimezone(ZoneInfo("UTC")), now()
    row.set_by_id = person.id if person is not None else None
    db.session.flush()
    _record("plan.deadline", row, organisation, person)
    reminders.arrange(row, organisation.zone)
    return row


def remove_deadline(row: PlanDeadline, *, scope: Scope | None, person: Person | None) -> None:
    """Plans are no longer due; reminders that were not sent are not sent any more.

    :raises Forbidden: it is not theirs to remove.
    """
    organisation = db.session.get_one(Organisation, row.organisation_id)
    _allowed(organisation, scope)
    _record("plan.deadline.removed", row, organisation, person)
    db.session.delete(row)
    db.session.flush()


def _allowed(organisation: Organisation, scope: Scope | None) -> None:
    if scope is None or may_set(organisation, scope):
        return
    scope.require(Permission.PLAN_READ, Target(organisation.path))
    raise Forbidden(N_("You cannot set the deadline of %(organisation)s."), organisation=organisation.name)


def _record(action: str, row: PlanDeadline, organisation: Organisation, person: Person | None) -> None:
    audit.record(
        action, "organisation", organisation.uid, actor_uid=person.uid if person is not None else None,
        organisation_id=organisation.id, term=row.term_id, due_at=row.due_at.isoformat(),
    )  # fmt: skip


def holding(campuses: Iterable[Organisation]) -> dict[tuple[int, int], PlanDeadline]:
    """The deadline that holds for each campus and term, by their ids: the campus's own, else the nearest above."""
    campuses = list(campuses)
    above = {campus.id: [int(part) for part in campus.path.strip("/").split("/")] for campus in campuses}
    rows = db.session.scalars(
        sa.select(PlanDeadline).where(PlanDeadline.organisation_id.in_({i for ids in above.values() for i in ids}))
    ).all()
    found: dict[tuple[int, int], PlanDeadline] = {}
    for campus_id, ids in above.items():
        for row in sorted(
            (row for row in rows if row.organisation_id in ids), key=lambda r: ids.index(r.organisation_id)
        ):
            found[campus_id, row.term_id] = row
    return found


@dataclass(frozen=True)
class Due:
    """One plan that is due: of a class in a subject. ``plan_id`` is None where nothing was uploaded yet;
    ``handed_in_at`` None until it was submitted for the first time."""

    campus_id: int
    class_id: int
    class_title: str
    subject: Subject
    teacher_ids: frozenset[int]
    deadline: PlanDeadline
    plan_id: int | None
    handed_in_at: datetime | None

    @property
    def missing(self) -> bool:
        """Whether it was never submitted."""
        return self.handed_in_at is None

    @property
    def late(self) -> bool:
        """Whether it was handed in late, or is missing though its time has passed."""
        return (self.handed_in_at or now()) > self.deadline.due_at


def due_plans(campuses: Collection[Organisation], *, teacher_id: int | None = None) -> list[Due]:
    """The plans that are due at these campuses by a deadline, by class and subject; with ``teacher_id`` only those
    of that teacher. Of terms that are over nothing is due any more."""
    deadlines = holding(campuses)
    day = today()
    term_ids = {term_id for _, term_id in deadlines}
    terms = {
        term.id: term for term in db.session.scalars(sa.select(Term).where(Term.id.in_(term_ids), Term.ends_on >= day))
    }
    found: list[Due] = []
    for term in terms.values():
        held = {campus_id: row for (campus_id, term_id), row in deadlines.items() if term_id == term.id}
        found += _due_in(term, held, teacher_id)
    return found


def _due_in(term: Term, held: Mapping[int, PlanDeadline], teacher_id: int | None) -> list[Due]:
    subject_id = sa.func.coalesce(Enrolment.subject_id, ClassGroup.subject_id)
    # Plans are often due before the term begins, when enrolments of the term do not hold yet.
    day = max(today(), term.starts_on)
    query = (
        sa.select(ClassGroup.campus_id, ClassGroup.id, ClassGroup.title, subject_id, Enrolment.person_id)
        .join(Enrolment, Enrolment.class_id == ClassGroup.id)
        .where(
            ClassGroup.term_id == term.id,
            ClassGroup.campus_id.in_(held),
            ClassGroup.valid_to.is_(None),
            Enrolment.role == EnrolmentRole.TEACHER,
            subject_id.is_not(None),
            valid(Enrolment, day),
        )
        .order_by(ClassGroup.campus_id, ClassGroup.code, subject_id)
    )
    if teacher_id is not None:
        query = query.where(Enrolment.person_id == teacher_id)
    pairs: dict[tuple[int, int], tuple[int, str]] = {}
    teachers: defaultdict[tuple[int, int], set[int]] = defaultdict(set)
    for campus_id, class_id, title, subject, person_id in db.session.execute(query):
        pairs[class_id, subject] = (campus_id, title)
        teachers[class_id, subject].add(person_id)
    plans = _plans_of(term.id, held)
    handed_in = handed_in_at(set(plans.values()))
    subjects = {s.id: s for s in db.session.scalars(sa.select(Subject).where(Subject.id.in_({s for _, s in pairs})))}
    return [
        Due(
            campus_id, class_id, title, subjects[subject], frozenset(teachers[class_id, subject]), held[campus_id],
            plan_id := plans.get((class_id, subject)), handed_in.get(plan_id or 0),
        )
        for (class_id, subject), (campus_id, title) in pairs.items()
    ]  # fmt: skip


def _plans_of(term_id: int, campus_ids: Collection[int]) -> dict[tuple[int, int], int]:
    rows = db.session.execute(
        sa.select(PlanClass.class_id, PlanClass.subject_id, PlanClass.plan_id)
        .join(TeachingPlan, TeachingPlan.id == PlanClass.plan_id)
        .where(
            PlanClass.term_id == term_id,
            TeachingPlan.organisation_id.in_(campus_ids),
            TeachingPlan.withdrawn_at.is_(None),
        )
    )
    return {(class_id, subject_id): plan_id for class_id, subject_id, plan_id in rows}


def handed_in_at(plan_ids: Collection[int]) -> dict[int, datetime]:
    """When each plan was submitted for the first time; those that never were are left out."""
    found: dict[int, datetime] = {}
    wanted = sorted(plan_ids)
    for start in range(0, len(wanted), BATCH):
        found |= _handed_in(wanted[start : start + BATCH])
    return found


def _handed_in(plan_ids: Collection[int]) -> dict[int, datetime]:
    rows = db.session.execute(
        sa.select(PlanVersion.plan_id, sa.func.min(ReviewStep.at))
        .join(ReviewStep, ReviewStep.version_id == PlanVersion.id)
        .where(PlanVersion.plan_id.in_(plan_ids), ReviewStep.state == VersionState.SUBMITTED)
        .group_by(PlanVersion.plan_id)
    )
    found = dict(rows.all())
    without_steps = db.session.execute(
        sa.select(PlanVersion.plan_id, sa.func.min(PlanVersion.state_at))
        .where(
            PlanVersion.plan_id.in_(set(plan_ids) - set(found)),
            PlanVersion.state.in_((VersionState.SUBMITTED, VersionState.APPROVED)),
        )
        .group_by(PlanVersion.plan_id)
    )
    return found | dict(without_steps.all())


@dataclass(frozen=True)
class Standing:
    """How the plans of one campus (or, for a teacher, their own) stand before one deadline."""

    campus: Organisation
    term: Term
    deadline: PlanDeadline
    plans: tuple[Due, ...]

    @property
    def missing(self) -> tuple[Due, ...]:
        """Those that nobody has submitted yet."""
        return tuple(plan for plan in self.plans if plan.missing)

    @property
    def late(self) -> tuple[Due, ...]:
        """Those that came late."""
        return tuple(plan for plan in self.plans if plan.late and not plan.missing)

    @property
    def passed(self) -> bool:
        """Whether the deadline is over."""
        return self.deadline.due_at < now()

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON for the command line and REST; the time on the clock of the campus."""
        return {
            "campus": self.campus.code,
            "term": self.term.code,
            "due_at": local(self.deadline.due_at, self.campus.zone).isoformat(timespec="minutes"),
            "plans": len(self.plans),
            "missing": [{"class": due.class_title, "subject": due.subject.code} for due in self.missing],
            "late": [{"class": due.class_title, "subject": due.subject.code} for due in self.late],
        }


def standings(scope: Scope) -> list[Standing]:
    """How plans stand before their deadlines: at the campuses that a person oversees, else the person's own as a
    teacher; what is due first stands first."""
    paths = scope.paths(Permission.PLAN_READ)
    query = sa.select(Organisation).where(Organisation.valid_to.is_(None))
    if paths:
        reach = sa.or_(*(Organisation.path.startswith(path, autoescape=True) for path in paths))
        found = due_plans(db.session.scalars(query.where(reach)).all())
    else:
        campus_ids = sa.select(ClassGroup.campus_id).where(ClassGroup.id.in_(scope.taught_class_ids))
        campuses = db.session.scalars(query.where(Organisation.id.in_(campus_ids))).all()
        found = due_plans(campuses, teacher_id=scope.person_id)
    return _standings(found)


def standings_below(organisation: Organisation) -> list[Standing]:
    """How plans stand before their deadlines at an organisation's campuses; what is due first stands first."""
    reach = Organisation.path.startswith(organisation.path, autoescape=True)
    query = sa.select(Organisation).where(Organisation.valid_to.is_(None), reach)
    return _standings(due_plans(db.session.scalars(query).all()))


def _standings(found: Iterable[Due]) -> list[Standing]:
    groups: defaultdict[tuple[int, int], list[Due]] = defaultdict(list)
    deadlines: dict[tuple[int, int], PlanDeadline] = {}
    for due in found:
        groups[due.campus_id, due.deadline.term_id].append(due)
        deadlines[due.campus_id, due.deadline.term_id] = due.deadline
    rows = [
        Standing(
            db.session.get_one(Organisation, campus_id), db.session.get_one(Term, term_id),
            deadlines[campus_id, term_id], tuple(plans),
        )
        for (campus_id, term_id), plans in groups.items()
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (row.deadline.due_at, row.campus.path))


def late_plans(plan_ids: Collection[int]) -> frozenset[int]:
    """Which of these plans were handed in after their deadline, or were not though it has passed."""
    rows = db.session.execute(
        sa.select(TeachingPlan.id, TeachingPlan.term_id, Organisation)
        .join(Organisation, Organisation.id == TeachingPlan.organisation_id)
        .where(TeachingPlan.id.in_(plan_ids), TeachingPlan.kind == PlanKind.TEACHING)
    ).all()
    deadlines = holding({campus.id: campus for _, _, campus in rows}.values())
    handed_in = handed_in_at([plan_id for plan_id, _, _ in rows]) if deadlines else {}
    return frozenset(
        plan_id
        for plan_id, term_id, campus in rows
        if (row := deadlines.get((campus.id, term_id))) is not None and handed_in.get(plan_id, now()) > row.due_at
    )
