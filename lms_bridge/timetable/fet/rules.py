"""Which constraint types of FET are honoured, and the report of those that are not."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from lms_bridge.timetable.fet.draft import Draft
from lms_bridge.timetable.fet.model import Constraint, School
from lms_bridge.timetable.fet.rules_rooms import ROOMS, Rule
from lms_bridge.timetable.fet.rules_times import TIMES
from lms_bridge.timetable.fet.rules_together import TOGETHER
from lms_bridge.timetable.fet.rules_weeks import WEEKS

BASIC = ("BasicCompulsoryTime", "BasicCompulsorySpace")
"""Nobody and no room in two places at once: what the engine does anyway."""

RULES: dict[str, Rule] = {**TIMES, **TOGETHER, **WEEKS, **ROOMS}
"""What each honoured type means, by its name without the leading ``Constraint``."""

MODES = ("Official", "")


@dataclass(frozen=True, slots=True)
class NotHonoured:
    """A type of constraint that the engine does not know, how often it stands in the file, and how often as hard."""

    kind: str
    count: int
    hard: int


def is_honoured(constraint: Constraint, school: School) -> bool:
    """Whether the engine honours a constraint in all it says."""
    if constraint.kind in BASIC:
        return True
    if constraint.kind not in RULES or school.mode not in MODES:
        return False
    if constraint.fields.flag("Allow_One_Day_Exception_of_Plus_One"):
        return False
    rooms = constraint.fields.texts("Preferred_Room") + constraint.fields.texts("Room")
    return not any(school.rooms[room].virtual for room in rooms if room)


def not_honoured(school: School) -> tuple[NotHonoured, ...]:
    """The types in force in a file that are not honoured, most frequent first. A hard one is never dropped silently."""
    all_of: Counter[str] = Counter()
    hard: Counter[str] = Counter()
    for constraint in school.active_constraints():
        if constraint.weight > 0 and not is_honoured(constraint, school):
            all_of[constraint.kind] += 1
            hard[constraint.kind] += constraint.hard
    return tuple(NotHonoured(kind, count, hard[kind]) for kind, count in all_of.most_common())


def draft_of(school: School) -> Draft:
    """All honoured constraints of a file, applied to an empty draft."""
    draft = Draft.of(school)
    for constraint in school.active_constraints():
        if constraint.kind in RULES and constraint.weight > 0 and is_honoured(constraint, school):
            RULES[constraint.kind](draft, constraint)
    return draft
