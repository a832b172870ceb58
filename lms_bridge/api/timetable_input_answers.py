"""What the routes of a campus's rules and inputs answer, as the OpenAPI document shows it."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Integer, List, Nested, String

from lms_bridge.api.plan_answers import Problem


class InputCheck(Schema):
    """Everything that stands in the way of a week, and what is worth knowing besides."""

    campus = String(metadata={"description": "Code of the campus."})
    week = String(metadata={"description": "ISO week, as in 2026-W48."})
    problems = List(Nested(Problem))
    warnings = List(Nested(Problem))


class Rule(Schema):
    """A subject rule with its sentence in the caller's language; subjects and class by their codes."""

    uid = String()
    text = String()
    kind = String()
    subject = String()
    other = String(allow_none=True)
    weeks = String()
    grade = String(allow_none=True)
    class_ = String(data_key="class", attribute="class", allow_none=True)
    number = Integer(allow_none=True)
    day_part = String(allow_none=True)
    weekday = Integer(allow_none=True, metadata={"description": "0 is Monday."})
    first_period = Integer(allow_none=True)
    last_period = Integer(allow_none=True)


class AddedRule(Rule):
    """The rule that was added (a schema of its own: one that stands in a list cannot be named a second time)."""


class Rules(Schema):
    """The subject rules of a campus."""

    rules = List(Nested(Rule))


class Time(Schema):
    """When a teacher (by uid) cannot teach: every week on a weekday, or on days; ``period`` null: the whole day."""

    number = Integer()
    teacher = String()
    weekday = Integer(allow_none=True)
    period = Integer(allow_none=True)
    first_day = String(allow_none=True)
    last_day = String(allow_none=True)
    reason = String()


class Times(Schema):
    """When teachers of a campus cannot teach."""

    absences = List(Nested(Time))


class Removed(Schema):
    """Nothing is left to be said."""
