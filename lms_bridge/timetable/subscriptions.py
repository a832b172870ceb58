"""What the timetable registers with the packages below it: its kinds of messages, and where plans find lessons; and
the facts that it listens to."""

from __future__ import annotations

from lms_bridge.core.events import subscribe
from lms_bridge.core.i18n import N_
from lms_bridge.notices import kinds
from lms_bridge.notices.models import Priority
from lms_bridge.plans import affected
from lms_bridge.plans.events import PlanReviewed
from lms_bridge.timetable.cases import cases, plan_changes
from lms_bridge.timetable.changing.changes import CHANGED, UNDONE
from lms_bridge.timetable.events import LessonsChanged
from lms_bridge.timetable.inputs import models as input_models  # noqa: F401  (its tables must be known)
from lms_bridge.timetable.telling.audience import people_touched
from lms_bridge.timetable.telling.messages import gather_changed, gather_undone, told_before
from lms_bridge.timetable.units.unit_lessons import lessons_of_units

kinds.register(
    kinds.Kind(
        name=CHANGED,
        priority=Priority.NORMAL,
        template="timetable_changed",
        audience=people_touched,
        gather=gather_changed,
        title=N_("Timetable change"),
        acknowledge=True,
    )
)
kinds.register(
    kinds.Kind(
        name=UNDONE,
        priority=Priority.NORMAL,
        template="timetable_undone",
        audience=told_before,
        gather=gather_undone,
        title=N_("Timetable change taken back"),
        acknowledge=True,
    )
)
affected.register(lessons_of_units)


@subscribe(LessonsChanged)
def lessons_changed(fact: LessonsChanged) -> None:
    """A case is decided when one of its proposals comes into force, and open again when that is undone."""
    cases.follow_applied(fact.change_set_id)


@subscribe(PlanReviewed)
def plan_reviewed(fact: PlanReviewed) -> None:
    """An approved plan may teach other units than the lessons that are timetabled already."""
    if fact.approved:
        plan_changes.follow_approval(fact.plan_id)
