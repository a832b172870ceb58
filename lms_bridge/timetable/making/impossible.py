"""The refusal of a week that cannot be timetabled, with the rules in conflict in words."""

from __future__ import annotations

from collections.abc import Sequence

from lms_bridge.core.errors import BadInputs, BridgeError
from lms_bridge.core.i18n import N_, gettext
from lms_bridge.timetable.solving.problem import Conflict as RuleConflict

WAYS = 4
"""How many ways out are named; the best come first."""


class InConflict(BridgeError):
    """One set of rules that cannot hold together."""

    code = "rules_in_conflict"

    def __init__(self, conflict: RuleConflict) -> None:
        super().__init__(
            conflict.message_id,
            remedy=N_("Relax one of these rules, or plan fewer periods for this week."),
        )
        self.conflict = conflict

    def text(self) -> str:
        return self.conflict.text()

    def remedy_text(self) -> str:
        ways = self.conflict.relax[:WAYS]
        if not ways:
            return super().remedy_text()
        texts = gettext("; ").join(way.text().rstrip(".。") for way in ways)
        if any(way.enough for way in ways):
            return gettext("One of these would do: %(ways)s.", ways=texts)
        return gettext("One of these would help: %(ways)s.", ways=texts)


class TimetableImpossible(BadInputs):
    """There is no timetable for the week; the problems are the conflicts."""

    code = "timetable_impossible"

    def __init__(self, campus_code: str, week: str, conflicts: Sequence[RuleConflict]) -> None:
        super().__init__([InConflict(conflict) for conflict in conflicts])
        self.message = N_(
            "There is no timetable for campus %(campus)s in week %(week)s: the rules contradict each other."
        )
        self.params = {"campus": campus_code, "week": week, "count": len(conflicts)}
