"""Finds classes, subjects, terms, plans and their access targets by what people type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from lms_bridge.core.access import Target
from lms_bridge.core.database import db
from lms_bridge.core.errors import NotFound
from lms_bridge.core.i18n import N_
from lms_bridge.plans.errors import UnknownCode
from lms_bridge.plans.models import PlanClass, PlanKind, PlanVersion, TeachingPlan, VersionState
from lms_bridge.roster.models import ClassGroup, Enrolment, EnrolmentRole, Organisation, OrganisationKind, Subject, Term
from lms_bridge.roster.scope import today, valid

LISTED = 12


def subject_by_code(code: str) -> Subject:
    """The subject with this code.

    :raises UnknownCode: lists those there are.
    """
    subject = db.session.scalar(sa.select(Subject).where(sa.func.lower(Subject.code) == code.strip().lower()))
    if subject is None:
        known = db.session.scalars(sa.select(Subject.code).order_by(Subject.code).limit(LISTED)).all()
        raise UnknownCode(
            N_('There is no subject with the code "%(code)s".'),
            remedy=N_("Known are: %(known)s."),
            code=code,
            known=", ".join(known) or "-",
        )
    return subject


def organisation_by_code(code: str | None) -> Organisation:
    """The organisation with this code; without a code the bureau.

    :raises UnknownCode: none.
    """
    query = sa.select(Organisation)
    query = query.filter_by(code=code.strip()) if code else query.filter_by(kind=OrganisationKind.BUREAU)
    found = db.session.scalar(query)
    if found is None:
        known = db.session.scalars(sa.select(Organisation.code).order_by(Organisation.path).limit(LISTED)).all()
        raise UnknownCode(
            N_('There is no organisation with the code "%(code)s".'),
            remedy=N_("Known are: %(known)s. Codes come from the roster."),
            code=code or "-",
            known=", ".join(known) or "-",
        )
    return found


def known_grade(organisation: Organisation, grade: str) -> str:
    """The grade as classes of the organisation, or below it, write it.

    :raises UnknownCode: none of them is of this grade; lists the grades there are.
    """
    rows = db.session.scalars(
        sa.select(ClassGroup.grade)
        .join(Organisation, Organisation.id == ClassGroup.campus_id)
        .where(Organisation.path.startswith(organisation.path, autoescape=True), ClassGroup.valid_to.is_(None))
        .distinct()
    )
    known = sorted(rows, key=lambda one: (len(one), one))
    wanted = _plain_grade(grade)
    found = next((one for one in known if _plain_grade(one) == wanted), None)
    if found is None:
        raise UnknownCode(
            N_('There are no classes of grade "%(grade)s".'),
            remedy=N_("Known are: %(known)s. Grades come from the roster."),
            grade=grade.strip()[:40] or "-",
            known=", ".join(known) or "-",
        )
    return found


def _plain_grade(grade: str) -> str:
    """OneRoster writes grade 7 as 07."""
    return grade.strip().casefold().lstrip("0")


def class_by_code(code: str) -> ClassGroup:
    """The class with this code in the running (else the next, else the last) term; ``CAMPUS/CODE`` where several
    campuses have the code.

    :raises UnknownCode: none, or several.
    """
    campus_code, _, bare = code.strip().rpartition("/")
    query = (
        sa.select(ClassGroup)
        .join(Organisation, Organisation.id == ClassGroup.campus_id)
        .where(ClassGroup.code == bare, ClassGroup.valid_to.is_(None))
        .options(joinedload(ClassGroup.campus))
    )
    if campus_code:
        query = query.where(Organisation.code == campus_code)
    found = list(db.session.scalars(query))
    campuses = sorted({c.campus.code for c in found})
    if len(campuses) > 1:
        raise UnknownCode(
            N_('Several campuses have a class "%(code)s": %(campuses)s.'),
            remedy=N_('Write the campus before it, as in "%(example)s".'),
            code=code,
            campuses=", ".join(campuses),
            example=f"{campuses[0]}/{bare}",
        )
    if not found:
        near = db.session.scalars(
            sa.select(ClassGroup.code).where(ClassGroup.valid_to.is_(None)).order_by(ClassGroup.code).limit(LISTED)
        ).all()
        raise UnknownCode(
            N_('There is no class with the code "%(code)s".'),
            remedy=N_("Known are: %(known)s. Codes come from the roster."),
            code=code,
            known=", ".join(sorted(set(near))) or "-",
        )
    return min(found, key=lambda c: _distance(db.session.get_one(Term, c.term_id)))


def _distance(term: Term) -> tuple[int, int]:
    day = today()
    if term.starts_on <= day <= term.ends_on:
        return (0, 0)
    if day < term.starts_on:
        return (1, (term.starts_on - day).days)
    return (2, (day - term.ends_on).days)


def current_term(organisation: Organisation) -> Term:
    """The term of the organisation (or the nearest above it) that runs today, else the next, else the last.

    :raises UnknownCode: no term at all.
    """
    ids = [int(part) for part in organisation.path.strip("/").split("/")]
    terms = db.session.scalars(sa.select(Term).where(Term.organisation_id.in_(ids), Term.valid_to.is_(None))).all()
    if not terms:
        raise UnknownCode(
            N_("%(organisation)s has no term."),
            remedy=N_("Import a roster with its terms."),
            organisation=organisation.name,
        )
    return min(terms, key=_distance)


def subject_teachers(class_id: int, subject_id: int) -> frozenset[int]:
    """Person ids of those who teach the subject in the class today."""
    return frozenset(
        db.session.scalars(
            sa.select(Enrolment.person_id)
            .join(ClassGroup, ClassGroup.id == Enrolment.class_id)
            .where(
                Enrolment.class_id == class_id,
                Enrolment.role == EnrolmentRole.TEACHER,
                valid(Enrolment, today()),
                sa.or_(
                    Enrolment.subject_id == subject_id,
                    sa.and_(Enrolment.subject_id.is_(None), ClassGroup.subject_id == subject_id),
                ),
            )
        )
    )


@dataclass(frozen=True)
class PlanAccess:
    """The targets of a plan: reading concerns its classes, writing the teachers of its subject there."""

    read: Target
    write: Target


def plan_access(plan: TeachingPlan) -> PlanAccess:
    """Where the plan belongs and whom it concerns."""
    path = db.session.get_one(Organisation, plan.organisation_id).path
    writers = {plan.author_id} if plan.author_id is not None else set()
    class_ids = frozenset(link.class_id for link in plan.classes)
    for class_id in class_ids:
        writers |= subject_teachers(class_id, plan.subject_id)
    people = frozenset(writers)
    return PlanAccess(Target(path, class_ids, people), Target(path, frozenset(), people))


def plan_by_uid(uid: str) -> TeachingPlan:
    """The plan with this uid, whole.

    :raises NotFound: none.
    """
    plan = db.session.scalar(
        sa.select(TeachingPlan)
        .where(TeachingPlan.uid == uid.strip(), TeachingPlan.withdrawn_at.is_(None))
        .options(
            joinedload(TeachingPlan.subject),
            joinedload(TeachingPlan.term),
            joinedload(TeachingPlan.author),
            selectinload(TeachingPlan.classes).joinedload(PlanClass.class_group),
            selectinload(TeachingPlan.versions).selectinload(PlanVersion.units),
        )
    )
    if plan is None:
        raise NotFound(N_('There is no plan "%(uid)s".'), uid=uid, remedy=N_("Its name is shown when it is imported."))
    return plan


def approved_version(plan: TeachingPlan) -> PlanVersion | None:
    """The version in force, if one was approved."""
    return next((v for v in reversed(plan.versions) if v.state is VersionState.APPROVED), None)


def benchmark_for(plan: TeachingPlan) -> PlanVersion | None:
    """The benchmark version that a plan is compared with: same subject, term and grade, held by the plan's own
    organisation or the nearest above it, in the plan's language where there is one."""
    path = db.session.get_one(Organisation, plan.organisation_id).path
    order = [int(part) for part in path.strip("/").split("/")]
    rows = db.session.scalars(
        sa.select(PlanVersion)
        .join(TeachingPlan, TeachingPlan.id == PlanVersion.plan_id)
        .where(
            TeachingPlan.kind == PlanKind.BENCHMARK,
            TeachingPlan.withdrawn_at.is_(None),
            TeachingPlan.subject_id == plan.subject_id,
            TeachingPlan.term_id == plan.term_id,
            TeachingPlan.grade == plan.grade,
            TeachingPlan.organisation_id.in_(order),
            PlanVersion.state == VersionState.APPROVED,
        )
        .options(joinedload(PlanVersion.plan), selectinload(PlanVersion.units))
    ).all()
    return nearest_benchmark(rows, path, plan.language)


def nearest_benchmark(benchmarks: Sequence[PlanVersion], path: str, language: str) -> PlanVersion | None:
    """Of ``benchmarks`` in force (with their plans) the one for a plan in ``language`` of the organisation at ``path``:
    in its language where there is one, then the nearest above it; None: all belong to other organisations."""
    order = [int(part) for part in path.strip("/").split("/")]
    return max(
        (v for v in benchmarks if v.plan.organisation_id in order),
        key=lambda v: (v.plan.language == language, order.index(v.plan.organisation_id), v.number),
        default=None,
    )
