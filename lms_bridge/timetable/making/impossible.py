"""The refusal of a week that cannot be timetabled, with the rules in conflict in words."""

from __future__ import annotations

from collections.abc import Sequence

from lms_bridge.core.errors import BadInputs, BridgeError
from lms_bridge.core.i18n import N_, get_locale, gettext
from lms_bridge.roster.models import Organisation
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


class AtCampus(BridgeError):
    """What stands in the way at one of several campuses that are solved together."""

    def __init__(self, campus: Organisation, problem: BridgeError) -> None:
        super().__init__(N_("%(campus)s: %(problem)s"), place=problem.place)
        self.campus, self.problem = campus, problem
        self.code = problem.code  # type: ignore[misc]

    def text(self) -> str:
        return gettext(self.message, campus=self.campus.label(get_locale()), problem=self.problem.text())

    def remedy_text(self) -> str:
        return self.problem.remedy_text()


class TimetableImpossible(BadInputs):
    """There is no timetable for the week; the problems are the conflicts."""

    code = "timetable_impossible"

    def __init__(self, campuses: Sequence[Organisation], week: str, conflicts: Sequence[RuleConflict]) -> None:
        super().__init__([InConflict(conflict) for conflict in conflicts])
        self.message = (
            N_("There is no timetable for campus %(campus)s in week %(week)s: the rules contradict each other.")
            if len(campuses) == 1
            else N_(
                "There is no timetable for the campuses %(campus)s together in week %(week)s: "
                "the rules contradict each other."
            )
        )
        codes = ", ".join(campus.code for campus in campuses)
        self.params = {"campus": codes, "week": week, "count": len(conflicts)}
