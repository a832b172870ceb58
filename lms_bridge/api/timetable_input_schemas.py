"""What the routes of a campus's rules and inputs take, as the OpenAPI document shows it."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Date, Integer, List, String
from apiflask.validators import Length, OneOf, Range

from lms_bridge.timetable.inputs.models import DayPart, RuleType, WeekParity


class WeekQuery(Schema):
    """Which week."""

    week = String(required=True, metadata={"description": "ISO week, as in 2026-W48."})


class RuleForm(Schema):
    """A subject rule. Which of the further parts it needs depends on its kind."""

    kind = String(required=True, validate=OneOf([kind.value for kind in RuleType]))
    subject = String(required=True, metadata={"description": "Code of the subject."})
    other = String(metadata={"description": "Code of the second subject."})
    weeks = String(load_default=WeekParity.EVERY.value, validate=OneOf([weeks.value for weeks in WeekParity]))
    grade = String(load_default="", validate=Length(max=16))
    class_ = String(data_key="class", metadata={"description": "Code of one class, in place of a grade."})
    number = Integer(validate=Range(min=1))
    day_part = String(validate=OneOf([part.value for part in DayPart]))
    weekday = Integer(validate=Range(min=0, max=6), metadata={"description": "0 is Monday."})
    first_period = Integer(validate=Range(min=1))
    last_period = Integer(validate=Range(min=1))


class AbsenceForm(Schema):
    """When a teacher cannot teach: every week on weekdays, or from the first to the last day."""

    teacher = String(required=True, metadata={"description": "The person's uid."})
    weekdays = List(Integer(), load_default=list, metadata={"description": "0 is Monday; none: an absence by dates."})
    periods = List(Integer(), load_default=list, metadata={"description": "None: whole days."})
    first_day = Date(load_default=None, allow_none=True)
    last_day = Date(load_default=None, allow_none=True)
    reason = String(load_default="")
