"""What the routes of batches, columns, deadlines and people answer, as the OpenAPI document shows it."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Boolean, Integer, List, Nested, Raw, String


class BatchInList(Schema):
    """A batch without its files."""

    batch = String()
    name = String()
    state = String()
    dry_run = Boolean()
    created_at = String()
    finished_at = String(allow_none=True)


class Batches(Schema):
    """One's batches, the newest first."""

    batches = List(Nested(BatchInList))


class PreviewColumn(Schema):
    """A column and what it is taken for."""

    index = Integer(metadata={"description": "Position from 0."})
    heading = String()
    field = String(allow_none=True, metadata={"description": "null: not understood."})


class PreviewRow(Schema):
    """A row of the document's own table."""

    number = Integer()
    cells = List(String())


class PreviewTable(Schema):
    """A table with its first rows."""

    table = Raw(
        allow_none=True, metadata={"description": "Number of the table or name of the sheet; null in a text table."}
    )
    header_row = Integer()
    turned = Boolean()
    columns = List(Nested(PreviewColumn))
    rows = List(Nested(PreviewRow))
    count = Integer(metadata={"description": "How many rows it has in all."})


class Preview(Schema):
    """The tables of a document, the one most like a plan first."""

    source = String()
    tables = List(Nested(PreviewTable))


class SetDeadline(Schema):
    """A deadline of an organisation, on its clock."""

    organisation = String()
    term = String()
    due_at = String()


class Reader(Schema):
    """Somebody who may read the plan, and be mentioned."""

    uid = String()
    name = String()


class Readers(Schema):
    """Who may be mentioned in comments on a plan."""

    people = List(Nested(Reader))
