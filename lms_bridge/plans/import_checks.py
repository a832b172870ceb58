"""For which classes, or which grade, a document may be brought in."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from lms_bridge.core.access import Permission, Scope, Target
from lms_bridge.core.database import db
from lms_bridge.core.errors import BadInputs, BridgeError, Forbidden, Place
from lms_bridge.core.i18n import N_
from lms_bridge.plans.errors import PlanExists
from lms_bridge.plans.lookup import class_by_code, subject_teachers
from lms_bridge.plans.models import PlanClass, TeachingPlan
from lms_bridge.roster.models import ClassGroup, Organisation, Subject


def classes_for_plan(codes: Sequence[str], subject: Subject, scope: Scope | None, name: str) -> list[ClassGroup]:
    """The classes that one new plan in ``subject`` is for, each once; ``name`` is the document's.

    :raises UnknownCode: there is no such class. :raises PlanExists: they cannot share a plan, or one has a plan.
    :raises Forbidden: the person does not teach the subject there.
    """
    classes = list({group.id: group for group in map(class_by_code, codes)}.values())
    campus = db.session.get_one(Organisation, classes[0].campus_id)
    for group in classes:
        _may_write(group, subject, campus, scope, name)
    problems: list[BridgeError] = []
    if len({group.term_id for group in classes}) > 1:
        problems.append(
            PlanExists(
                N_("The classes belong to several terms."), place=Place(file=name), remedy=N_("Make one plan for each.")
            )
        )
    if len(grades := sorted({group.grade for group in classes})) > 1:
        problems.append(
            PlanExists(
                N_("The classes are of several grades: %(grades)s."),
                place=Place(file=name),
                remedy=N_("Make one plan for each."),
                grades=", ".join(grades),
            )
        )
    if problems:
        raise problems[0] if len(problems) == 1 else BadInputs(problems, file=name)
    for group in classes:
        _no_second_plan(group, subject, name)
    return classes


def _may_write(group: ClassGroup, subject: Subject, campus: Organisation, scope: Scope | None, name: str) -> None:
    if group.campus_id != campus.id:
        raise PlanExists(
            N_("The classes belong to several campuses."), place=Place(file=name), remedy=N_("Make one plan for each.")
        )
    if scope is None:
        return
    target = Target(campus.path, frozenset(), subject_teachers(group.id, subject.id))
    if not scope.allows(Permission.PLAN_WRITE, target):
        scope.require(Permission.PLAN_READ, Target(campus.path, frozenset({group.id})))
        raise Forbidden(
            N_("You do not teach %(subject)s in class %(code)s."),
            place=Place(file=name),
            remedy=N_("Choose one of your classes, or ask the administrator to correct the roster."),
            subject=subject.label(campus.locale),
            code=group.code,
        )


def _no_second_plan(group: ClassGroup, subject: Subject, name: str) -> None:
    existing = db.session.scalar(
        sa.select(TeachingPlan)
        .join(PlanClass)
        .where(PlanClass.class_id == group.id, PlanClass.subject_id == subject.id, PlanClass.term_id == group.term_id)
    )
    if existing is not None:
        raise PlanExists(
            N_("Class %(code)s has a plan for %(subject)s this term already (%(plan)s)."),
            place=Place(file=name),
            remedy=N_("Upload the file as a new version of that plan instead."),
            code=group.code,
            subject=subject.code,
            plan=existing.uid,
        )
