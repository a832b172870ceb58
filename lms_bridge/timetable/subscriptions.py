"""What the timetable registers with the packages below it: its kinds of messages, and where plans find lessons."""

from __future__ import annotations

from lms_bridge.core.i18n import N_
from lms_bridge.notices import kinds
from lms_bridge.notices.models import Priority
from lms_bridge.plans import affected
from lms_bridge.timetable import input_models  # noqa: F401  (its tables must be known)
from lms_bridge.timetable.audience import people_touched
from lms_bridge.timetable.changes import CHANGED, UNDONE
from lms_bridge.timetable.messages import gather_changed, gather_undone, told_before
from lms_bridge.timetable.unit_lessons import lessons_of_units

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
