"""What the columns of a school's own form hold, as its teachers said: remembered for the campus by the headings."""

from __future__ import annotations

from collections.abc import Mapping as Words
from collections.abc import Sequence

import sqlalchemy as sa

from lms_bridge.core import audit
from lms_bridge.core.clock import local, now
from lms_bridge.core.database import db
from lms_bridge.plans.models import ColumnMapping
from lms_bridge.plans.reading import Remembered, heading_hash
from lms_bridge.plans.reading.headings import Field
from lms_bridge.plans.reading.mapped import CHOICES
from lms_bridge.roster.models import Organisation, Person


def remember(
    campus: Organisation,
    headings: Sequence[str],
    fields: Words[int, Field],
    *,
    bare: Words[int, Field] | None = None,
    turned: bool = False,
    person: Person | None,
) -> ColumnMapping:
    """Keep what the columns under ``headings`` hold for all teachers of ``campus``; a later word replaces an earlier.

    ``fields`` go by the position among the headings (from 0); a heading that is not named is left out. ``bare``
    are columns without a heading, by their position in the table. ``turned``: the headings stand in the table's
    first column. Does not commit.
    """
    row = lookup(campus, headings)
    if row is None:
        row = ColumnMapping(campus_id=campus.id, heading_hash=heading_hash(headings))
        db.session.add(row)
    row.mapping = {
        "headings": list(headings),
        "fields": {str(position): field for position, field in sorted(fields.items())},
        "bare": {str(position): field for position, field in sorted((bare or {}).items())},
        "turned": turned,
    }
    row.created_by_id = person.id if person is not None else None
    row.created_at = now()
    db.session.flush()
    audit.record(
        "plan.mapping", "column_mapping", str(row.id), actor_uid=person.uid if person is not None else None,
        organisation_id=campus.id, columns=len(fields),
    )  # fmt: skip
    return row


def lookup(campus: Organisation, headings: Sequence[str]) -> ColumnMapping | None:
    """What somebody of ``campus`` said about columns with these headings; None: nothing yet."""
    return db.session.scalar(
        sa.select(ColumnMapping).filter_by(campus_id=campus.id, heading_hash=heading_hash(headings))
    )


def remembered_at(campus: Organisation) -> dict[str, Remembered]:
    """All that is remembered for ``campus``, by the hash of the headings, as the reader takes it."""
    rows = db.session.scalars(sa.select(ColumnMapping).filter_by(campus_id=campus.id))
    return {row.heading_hash: _remembered(row, campus) for row in rows}


def _remembered(row: ColumnMapping, campus: Organisation) -> Remembered:
    said = row.mapping
    day = local(row.created_at, campus.zone).date()
    return Remembered(_fields(said["fields"]), day, bool(said.get("turned")), _fields(said.get("bare", {})))


def _fields(stored: Words[str, str]) -> dict[int, Field]:
    """The columns as they were stored, without fields that are no longer known."""
    known: dict[str, Field] = {field: field for field in CHOICES}
    return {int(position): known[field] for position, field in stored.items() if field in known}
