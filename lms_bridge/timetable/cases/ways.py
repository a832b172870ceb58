"""The ways in which a case can be settled, by its cause: lists of steps of :mod:`lms_bridge.timetable.cases.repair`."""

from __future__ import annotations

from collections.abc import Sequence

from lms_bridge.core.i18n import N_
from lms_bridge.timetable.cases import repair
from lms_bridge.timetable.cases.desk import Desk
from lms_bridge.timetable.cases.models import ChangeCase
from lms_bridge.timetable.cases.repair import Step
from lms_bridge.timetable.models import ChangeCause
from lms_bridge.timetable.weeks.slots import SlotTime

SOLVER = "solver"
"""The way that the solver finds over the whole week."""

WAY_NAMES = {
    "wish": N_("As asked for"),
    "substitute": N_("Substitutes, the load shared fairly"),
    "one_substitute": N_("As few substitutes as possible"),
    "move": N_("Move within the week"),
    "swap": N_("Swap with another lesson of the class"),
    "make_up": N_("Make up in a later free period"),
    "cancel": N_("Cancel without replacement"),
    "keep_times": N_("Same times, only the place changes"),
    "in_place": N_("Same periods, the rest moves in the week"),
    "in_place_later": N_("Same periods, the rest is made up later"),
    "units": N_("Lessons stay, units follow the new plan"),
    "fill": N_("Add or drop lessons of this course only"),
    SOLVER: N_("Smallest change of the whole week"),
}

_SUBSTITUTE: tuple[str, Step] = ("substitute", repair.substitute)
_ONE: tuple[str, Step] = ("substitute", repair.one_substitute)
_MOVE: tuple[str, Step] = ("move", repair.move)
_SWAP: tuple[str, Step] = ("swap", repair.swap)
_MAKE_UP: tuple[str, Step] = ("make_up", repair.make_up)
_CANCEL: tuple[str, Step] = ("cancel", repair.cancel)
_IN_PLACE: tuple[str, Step] = ("in_place", repair.in_place)
_KEEP: tuple[str, Step] = ("in_place", repair.keep_times)

_MOVING: dict[str, Sequence[tuple[str, Step]]] = {
    "move": (_MOVE, _MAKE_UP, _CANCEL),
    "make_up": (_MAKE_UP, _CANCEL),
    "cancel": (_CANCEL,),
}
_LEAST: dict[str, Sequence[tuple[str, Step]]] = {
    "substitute": (_SUBSTITUTE, _MOVE, _MAKE_UP, _CANCEL),
    "one_substitute": (_ONE, _MOVE, _MAKE_UP, _CANCEL),
    "move": (_MOVE, _SUBSTITUTE, _MAKE_UP, _CANCEL),
    "swap": (_SWAP, _MOVE, _SUBSTITUTE, _MAKE_UP, _CANCEL),
    "make_up": (_MAKE_UP, _CANCEL),
    "cancel": (_CANCEL,),
}
_CLOSURE: dict[str, Sequence[tuple[str, Step]]] = {
    "keep_times": (_KEEP, _IN_PLACE, _MOVE, _MAKE_UP, _CANCEL),
    "in_place": (_IN_PLACE, _MOVE, _MAKE_UP, _CANCEL),
    "in_place_later": (_IN_PLACE, _MAKE_UP, _CANCEL),
    "cancel": (_CANCEL,),
}


def ways_of(case: ChangeCase, desk: Desk) -> dict[str, Sequence[tuple[str, Step]]]:
    """The ways to try for a case, by name."""
    if case.cause is ChangeCause.TEACHER_ABSENCE:
        return dict(_LEAST)
    if case.cause is ChangeCause.CLOSURE:
        return dict(_CLOSURE)
    if case.cause is ChangeCause.REQUEST:
        wish = _wish(case, desk)
        asked: dict[str, Sequence[tuple[str, Step]]] = (
            {"wish": (("wish", repair.to(wish)), _CANCEL)} if wish is not None else {}
        )
        return asked | _LEAST
    return dict(_MOVING)


def _wish(case: ChangeCase, desk: Desk) -> SlotTime | None:
    """The period that the case asks for, if it is still to come."""
    state = desk.lessons.get(case.lesson_id or 0)
    day, period = case.details.get("day"), case.details.get("period")
    if state is None or day is None:
        return None
    return next((t for t in desk.open_for(state) if t.day.isoformat() == day and t.slot.period == period), None)
