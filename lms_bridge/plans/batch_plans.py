"""For which plan a file of a batch is: two different files for one plan are a question for a person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import sqlalchemy as sa

from lms_bridge.core.database import db
from lms_bridge.core.errors import InputError, Place
from lms_bridge.core.i18n import N_
from lms_bridge.core.kept_problems import kept
from lms_bridge.core.models import StoredFile
from lms_bridge.plans.models import BatchFileState, PlanBatchFile, PlanClass, TeachingPlan
from lms_bridge.plans.units import Warning_
from lms_bridge.roster.models import ClassGroup

_BROUGHT = (BatchFileState.READ, BatchFileState.FLAGGED)


def plan_of(row: PlanBatchFile) -> TeachingPlan | None:
    """The plan that the file's class has in its subject."""
    group = db.session.get_one(ClassGroup, row.class_id)
    return db.session.scalar(
        sa.select(TeachingPlan)
        .join(PlanClass)
        .where(
            PlanClass.class_id == row.class_id,
            PlanClass.subject_id == row.subject_id,
            PlanClass.term_id == group.term_id,
            TeachingPlan.withdrawn_at.is_(None),
        )
    )


def refuse_rivals(rows: Sequence[PlanBatchFile]) -> None:
    """Refuse those of the waiting ``rows`` (stored ones of one batch) that are for one plan and are not the same file:
    which of them counts is not told by their names."""
    rivals: defaultdict[tuple[int, ...], list[PlanBatchFile]] = defaultdict(list)
    plans: dict[int, TeachingPlan] = {}
    for row in rows:
        if row.state is not BatchFileState.WAITING:
            continue
        plan = plan_of(row)
        if plan is not None:
            plans[plan.id] = plan
        rivals[(plan.id,) if plan is not None else (row.class_id or 0, row.subject_id or 0)].append(row)
    for key, group in rivals.items():
        hashes = {db.session.get_one(StoredFile, row.file_id).sha256 for row in group}
        if len(hashes) > 1:
            plan = plans.get(key[0]) if len(key) == 1 else None
            for row in group:
                others = [other.path for other in group if other is not row]
                row.state, row.problems = BatchFileState.REFUSED, [kept(_rival(row, others, plan))]


def require_no_rival(row: PlanBatchFile, plan: TeachingPlan) -> None:
    """Pass silently unless another file of the batch has become a version of ``plan`` meanwhile.

    :raises InputError: one has.
    """
    other = db.session.scalar(
        sa.select(PlanBatchFile.path).where(
            PlanBatchFile.batch_id == row.batch_id,
            PlanBatchFile.id != row.id,
            PlanBatchFile.plan_id == plan.id,
            PlanBatchFile.state.in_(_BROUGHT),
        )
    )
    if other is not None:
        raise _rival(row, [other], plan)


def _rival(row: PlanBatchFile, others: Sequence[str], plan: TeachingPlan | None) -> InputError:
    classes = _classes(plan) if plan is not None else []
    message = N_("Another file of this batch is for the same plan: %(others)s.")
    if len(classes) > 1:
        message = N_(
            "Another file of this batch is for the same plan, which serves the classes %(classes)s: %(others)s."
        )
    return InputError(
        message, place=Place(file=row.path), others=", ".join(others), classes=", ".join(classes),
        remedy=N_("Hand over only the one that counts."),
    )  # fmt: skip


def note_of_other_classes(row: PlanBatchFile, plan: TeachingPlan) -> Warning_ | None:
    """What to know where the version that the file became also counts for other classes than the one it names."""
    own = db.session.get_one(ClassGroup, row.class_id).code
    others = [code for code in _classes(plan) if code != own]
    if not others:
        return None
    message = N_("The plan also serves the classes %(classes)s: the file is now their plan as well.")
    return Warning_(message, Place(file=row.path.rpartition("/")[2]), {"classes": ", ".join(others)})


def _classes(plan: TeachingPlan) -> list[str]:
    return sorted(link.class_group.code for link in plan.classes)
