"""What the plan routes take, as the OpenAPI document shows it."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Boolean, DateTime, Dict, File, Integer, List, Nested, Raw, String
from apiflask.validators import Length, OneOf, Range
from marshmallow import ValidationError

from lms_bridge.core.i18n import LOCALES
from lms_bridge.plans.bulk import Without
from lms_bridge.plans.models import PlanKind, VersionState
from lms_bridge.plans.reading.mapped import CHOICES

STATES = [state.value for state in VersionState]


def _number_or_name(value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | str | None):
        raise ValidationError("A number or a name.")


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


class Columns(Schema):
    """What the columns of one table hold; see `POST /plan-previews`."""

    table = Raw(
        load_default=None, allow_none=True, validate=_number_or_name,
        metadata={"description": "Number of the table or name of the sheet; null in a text table."},
    )  # fmt: skip
    header_row = Integer(required=True, validate=Range(min=1), metadata={"description": "Row with the headings."})
    turned = Boolean(load_default=False, metadata={"description": "The headings stand in the first column."})
    fields_ = Dict(
        keys=Integer(validate=Range(min=0, max=10_000)), values=String(validate=OneOf(list(CHOICES))), required=True,
        data_key="fields", attribute="fields",
        metadata={"description": "What a column holds, by its position from 0; one that is not named is left out."},
    )  # fmt: skip


COLUMNS = "What the columns hold, as JSON (see Columns), where the document itself does not make it clear."
REMEMBER = "Whether the columns are remembered for the next documents with the same headings."


class PreviewForm(Schema):
    """A document (multipart) whose tables are to be looked at; how the table lies, where that is not seen."""

    file = File(required=True)  # type: ignore[no-untyped-call]
    turned = Boolean()
    header_row = Integer(validate=Range(min=1))


class ImportForm(Schema):
    """A document (multipart) and what it is for."""

    file = File(required=True, metadata={"description": ".docx, .xlsx, .csv, .tsv, .txt"})  # type: ignore[no-untyped-call]
    classes = List(String(), required=True, data_key="class", validate=Length(min=1))
    subject = String(required=True)
    columns = String(load_default=None, metadata={"description": COLUMNS})
    remember = Boolean(load_default=True, metadata={"description": REMEMBER})
    dry_run = Boolean(load_default=False, metadata={"description": "Only say what would be read."})


class VersionForm(Schema):
    """A document (multipart) that becomes the plan's next version, after the one that was looked at."""

    file = File(required=True)  # type: ignore[no-untyped-call]
    version = Integer(required=True, validate=Range(min=1))
    columns = String(load_default=None, metadata={"description": COLUMNS})
    remember = Boolean(load_default=True, metadata={"description": REMEMBER})


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


MENTION = "Uids of people who are told of it besides those named with @ in the text; see GET /plans/{uid}/people."


class NewComment(Schema):
    """A comment on the plan, or on one of its units (its key)."""

    text = String(required=True, validate=Length(min=1, max=4000))
    unit = String(load_default=None, allow_none=True)
    version = Integer(load_default=None, allow_none=True, validate=Range(min=1))
    mention = List(String(), load_default=list, validate=Length(max=50), metadata={"description": MENTION})


class Reply(Schema):
    """An answer in a thread."""

    text = String(required=True, validate=Length(min=1, max=4000))
    mention = List(String(), load_default=list, validate=Length(max=50), metadata={"description": MENTION})


class NewDeadline(Schema):
    """When plans are due; a time without an offset is on the organisation's clock."""

    due_at = DateTime(required=True, metadata={"description": "ISO 8601, such as 2026-09-18T18:00."})
    term = String(load_default=None, allow_none=True, metadata={"description": "Code; without it the running term."})


class TermQuery(Schema):
    """Which term; without it the running one."""

    term = String(load_default=None)


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
    columns = String(load_default=None, metadata={"description": COLUMNS})
    remember = Boolean(load_default=True, metadata={"description": REMEMBER})
    dry_run = Boolean(load_default=False)
