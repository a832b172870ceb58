"""What plans register with the packages below them: their kind of message."""

from __future__ import annotations

from lms_bridge.core.i18n import N_
from lms_bridge.notices import kinds
from lms_bridge.notices.models import Priority
from lms_bridge.plans.messages import gather_reviewed, people_concerned

kinds.register(
    kinds.Kind(
        name="plan.reviewed",
        priority=Priority.NORMAL,
        template="plan_reviewed",
        audience=people_concerned,
        gather=gather_reviewed,
        title=N_("Decision on a teaching plan"),
    )
)
