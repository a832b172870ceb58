"""How long a change can be undone: on the day on which it was applied, by the campus's clock."""

from __future__ import annotations

from lms_bridge.core.clock import local, now
from lms_bridge.core.database import db
from lms_bridge.core.errors import BridgeError, InputError
from lms_bridge.core.i18n import N_
from lms_bridge.roster.models import Organisation
from lms_bridge.timetable.models import ChangeSet
from lms_bridge.timetable.wording import Day


def too_late(change_set: ChangeSet) -> list[BridgeError]:
    """Why an applied change set cannot be undone any more; nothing on the day on which it was applied."""
    if change_set.applied_at is None:
        return []
    zone = db.session.get_one(Organisation, change_set.campus_id).zone
    day = local(change_set.applied_at, zone).date()
    if local(now(), zone).date() == day:
        return []
    return [
        InputError(
            N_("This change was put in force on %(day)s and can be undone on that day only."),
            remedy=N_("People have planned by it since. Change the lessons that are still to come."),
            day=Day(day),
        )
    ]
