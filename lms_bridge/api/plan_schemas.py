"""What the plan routes take, as the OpenAPI document shows it."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Boolean, File, Integer, List, Nested, String
from apiflask.validators import Length, OneOf, Range

from lms_bridge.core.i18n import LOCALES
from lms_bridge.plans.bulk import Without
from lms_bridge.plans.models import PlanKind, VersionState

STATES = [state.value for state in VersionState]


class ListQuery(Schema):
    """Which plans, and which page of them."""

    state = String(validate=OneOf(STATES), metadata={"description": "State of the newest version."})
    kind = String(validate=OneOf([kind.value for kind in PlanKind]), load_default=PlanKind.TEACHING.value)
    subject = String(metadata={"description": "Code of the subject."})
    grade = String()
    class_ = String(data_key="class", metadata={"description": "Code of a class."})
    page = Integer(load_default=1, validate=Range(min=1))
    per_page = Integer(load_default=50, validate=Range(min=1, max=200))


class VersionQuery(Schema):
    """Which version; without it the newest."""

    version = Integer(validate=Range(min=1))


class FormatQuery(Schema):
    """In which form a document is wanted."""

    format = String(load_default="docx", validate=OneOf(["docx", "xlsx", "review-sheet", "original"]))
    version = Integer(validate=Range(min=1))


class ImportForm(Schema):
    """A document (multipart) and what it is for."""

    file = File(required=True, metadata={"description": ".docx, .xlsx, .csv, .tsv, .txt"})  # type: ignore[no-untyped-call]
    classes = List(String(), required=True, data_key="class", validate=Length(min=1))
    subject = String(required=True)
    dry_run = Boolean(load_default=False, metadata={"description": "Only say what would be read."})


class VersionForm(Schema):
    """A document (multipart) that becomes the plan's next version."""

    file = File(required=True)  # type: ignore[no-untyped-call]


class Step(Schema):
    """A step of the review: the number of the version that was looked at, and words for the other side."""

    version = Integer(required=True, validate=Range(min=1))
    comment = String(load_default="", validate=Length(max=4000))


class Answer(Schema):
    """The answer to the proposal of a finding."""

    version = Integer(required=True, validate=Range(min=1))
    answer = String(required=True, validate=OneOf(["accept", "refuse", "open"]))
    words = String(load_default="", validate=Length(max=4000))


class Seen(Schema):
    """The number of the version that was looked at."""

    version = Integer(required=True, validate=Range(min=1))


class NewComment(Schema):
    """A comment on the plan, or on one of its units (its key)."""

    text = String(required=True, validate=Length(min=1, max=4000))
    unit = String(load_default=None, allow_none=True)
    version = Integer(load_default=None, allow_none=True, validate=Range(min=1))


class Reply(Schema):
    """An answer in a thread."""

    text = String(required=True, validate=Length(min=1, max=4000))


class DifferencesQuery(Schema):
    """Which two versions."""

    earlier = Integer(required=True, validate=Range(min=1))
    later = Integer(required=True, validate=Range(min=1))


class OverviewQuery(Schema):
    """Which campus, subject (their codes) and grade; without them all."""

    campus = String()
    subject = String()
    grade = String()


class Approval(Schema):
    """A plan, and the version that was looked at."""

    plan = String(required=True)
    version = Integer(required=True, validate=Range(min=1))


class Approvals(Schema):
    """Which plans; ``without`` refuses those with findings above it."""

    plans = List(Nested(Approval), required=True, validate=Length(min=1, max=200))
    without = String(load_default=Without.ANY.value, validate=OneOf([row.value for row in Without]))
    comment = String(load_default="", validate=Length(max=4000))


class BatchForm(Schema):
    """A zip of plans (multipart)."""

    file = File(required=True)  # type: ignore[no-untyped-call]
    dry_run = Boolean(load_default=False)


class BenchmarkForm(Schema):
    """A document (multipart) and whose benchmark it is."""

    file = File(required=True)  # type: ignore[no-untyped-call]
    organisation = String(load_default=None, metadata={"description": "Code of the owner; without it the bureau."})
    subject = String(required=True)
    grade = String(required=True)
    language = String(load_default="zh-CN", validate=OneOf(list(LOCALES)))
    dry_run = Boolean(load_default=False)
