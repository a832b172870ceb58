"""Refusals of the plans feature that others tell apart."""

from lms_bridge.core.errors import Conflict, InputError


class UnknownCode(InputError):
    """A class, subject, grade or campus code that is not in the roster."""

    code = "unknown_code"


class PlanExists(Conflict):
    """There is a plan for this class, subject and term already."""

    code = "plan_exists"


class WrongState(Conflict):
    """The plan's version is not in a state in which this can be done."""

    code = "wrong_state"
