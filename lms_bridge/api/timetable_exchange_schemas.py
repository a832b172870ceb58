"""What the routes of timetables in and out take and answer, as the OpenAPI document shows it."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Boolean, Dict, File, Integer, List, Nested, String
from apiflask.validators import OneOf

from lms_bridge.api.plan_answers import Problem
from lms_bridge.timetable.exchange.export import MEDIA_TYPES
from lms_bridge.timetable.exchange.fet_inputs import Taken
from lms_bridge.timetable.exchange.taking import Fate

_WEEK = {"description": "ISO week, as in 2026-W48."}


class UploadForm(Schema):
    """A timetable (multipart) and for which weeks of which campus."""

    file = File(required=True, metadata={"description": ".xlsx, .csv or .fet"})  # type: ignore[no-untyped-call]
    solution = File(load_default=None, metadata={"description": "FET's file of activities."})  # type: ignore[no-untyped-call]
    campus = String(required=True, metadata={"description": "Code of the campus."})
    first = String(required=True, metadata=_WEEK)
    last = String(load_default=None, metadata={"description": "Last ISO week; without it only the first."})


class PublishForm(Schema):
    """What the report calls `publish`; leave out of `take` what the campus shall not take over."""

    campus = String(required=True)
    first = String(required=True, metadata=_WEEK)
    last = String(load_default=None, allow_none=True)
    solution = String(load_default=None, allow_none=True, metadata={"description": "Uid of the kept solution."})
    seen = Dict(
        keys=String(), values=Integer(), required=True,
        metadata={"description": "The version of each week that you looked at; 409 if one has moved on."},
    )  # fmt: skip
    take = List(String(validate=OneOf([kind.value for kind in Taken])), load_default=list)


class ReportQuery(Schema):
    """For which weeks of which campus."""

    campus = String(required=True)
    first = String(required=True, metadata=_WEEK)
    last = String(load_default=None)
    solution = String(load_default=None)


class DocumentQuery(Schema):
    """Whose week in which form: name exactly one of campus, class and teacher."""

    format = String(load_default="csv", validate=OneOf(list(MEDIA_TYPES)))
    campus = String(load_default=None, metadata={"description": "Code of the campus."})
    class_ = String(data_key="class", load_default=None, metadata={"description": "CAMPUS/CODE of the class."})
    teacher = String(load_default=None, metadata={"description": "The person's uid."})


class RulesTaken(Schema):
    """Rules of the file that one of the campus's inputs can take over, in words."""

    kind = String()
    texts = List(String())


class Constraints(Schema):
    """What becomes of the constraints of a FET file of one type."""

    kind = String(metadata={"description": "FET's name of the type."})
    fate = String(validate=OneOf([fate.value for fate in Fate]))
    hard = Integer()
    soft = Integer()


class Report(Schema):
    """What a file would change, or has changed. `counts` are lessons by what happens to them."""

    file = String(allow_none=True, metadata={"description": "Uid of the kept file; null once it is published."})
    dry_run = Boolean()
    lessons_a_week = Integer()
    weeks = List(String())
    counts = Dict(keys=String(), values=Integer())
    change_set = String(allow_none=True)
    seen = Dict(keys=String(), values=Integer())
    warnings = List(Nested(Problem))
    rules = List(Nested(RulesTaken))
    constraints = List(Nested(Constraints))
    publish = Dict(allow_none=True, metadata={"description": "What to send to …/publish."})


class LookedAt(Report):
    """The report of a kept file (a schema of its own, so that each answer has its name)."""


class Published(Report):
    """The report of what was published."""
