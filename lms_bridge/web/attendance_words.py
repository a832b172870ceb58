"""How pages name and mark a verdict."""

from __future__ import annotations

from lms_bridge.attendance.models import Verdict
from lms_bridge.core.i18n import N_

WORDS = {
    Verdict.PRESENT: N_("present"),
    Verdict.LATE: N_("late"),
    Verdict.LEFT_EARLY: N_("left early"),
    Verdict.ABSENT: N_("absent"),
    Verdict.EXCUSED: N_("excused"),
    Verdict.UNVERIFIED: N_("not certain"),
    None: N_("not here yet"),
}
BADGES = {
    Verdict.PRESENT: ("good", "full"),
    Verdict.LATE: ("warn", "half"),
    Verdict.LEFT_EARLY: ("warn", "half"),
    Verdict.ABSENT: ("bad", "cross"),
    Verdict.EXCUSED: ("info", "info"),
    Verdict.UNVERIFIED: ("plain", "ring"),
    None: ("plain", "ring"),
}
"""The kind and the shape of the badge."""
