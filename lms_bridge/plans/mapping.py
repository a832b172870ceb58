"""What the columns of a school's own form hold, as its teachers said: remembered for the campus by the headings."""

from __future__ import annotations

from collections.abc import Mapping as Words
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from lms_bridge.core import audit
from lms_bridge.core.access import Permission, Scope
from lms_bridge.core.clock import local, now
from lms_bridge.core.database import db
from lms_bridge.core.errors import BadInputs, BridgeError, InputError, NotFound
from lms_bridge.core.i18n import N_, gettext
from lms_bridge.plans.models import ColumnMapping
from lms_bridge.plans.reading import Remembered, heading_hash
from lms_bridge.plans.reading.headings import NAME_FIELDS, Field
from lms_bridge.plans.reading.mapped import CHOICES
from lms_bridge.plans.reading.previews import PreviewTable
from lms_bridge.roster.models import ClassGroup, Organisation, Person

FOLLOWED = N_("The columns were read as they were explained on %(day)s.")
"""What the reader notes where it followed something remembered."""


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


def remember_table(
    keeper: Organisation, table: PreviewTable, fields: Words[int, Field], *, person: Person | None
) -> ColumnMapping:
    """Keep what the columns of ``table`` hold, by their positions in it. Does not commit."""
    positions = [column.index for column in table.columns if column.heading]
    return remember(
        keeper, table.headings, {positions.index(i): field for i, field in fields.items() if i in positions},
        bare={i: field for i, field in fields.items() if i not in positions}, turned=table.turned, person=person,
    )  # fmt: skip


def lookup(campus: Organisation, headings: Sequence[str]) -> ColumnMapping | None:
    """What somebody of ``campus`` said about columns with these headings; None: nothing yet."""
    return db.session.scalar(
        sa.select(ColumnMapping).filter_by(campus_id=campus.id, heading_hash=heading_hash(headings))
    )


def remembered_at(campus: Organisation) -> dict[str, Remembered]:
    """All that is remembered for ``campus``, by the hash of the headings, as the reader takes it."""
    rows = db.session.scalars(sa.select(ColumnMapping).filter_by(campus_id=campus.id))
    return {row.heading_hash: _remembered(row, campus) for row in rows}


@dataclass(frozen=True)
class Form:
    """A remembered form: the organisation it is remembered for, its headings, and who said last what they hold."""

    row: ColumnMapping
    owner: Organisation
    person: Person | None

    @property
    def day(self) -> date:
        """When it was said, on the owner's calendar."""
        return local(self.row.created_at, self.owner.zone).date()

    @property
    def headings(self) -> list[str]:
        """The headings in their order."""
        return list(self.row.mapping["headings"])

    @property
    def fields(self) -> dict[int, Field]:
        """What the columns hold, by the position of their heading (from 0)."""
        return _fields(self.row.mapping["fields"])

    @property
    def bare(self) -> dict[int, Field]:
        """What columns without a heading hold, by their position in the table (from 0)."""
        return _fields(self.row.mapping.get("bare", {}))


def forms(scope: Scope) -> list[Form]:
    """The remembered forms that a person may change: of the campuses where they teach or bring plans, and of the
    organisations whose benchmarks they write."""
    rows = db.session.execute(_within(scope).order_by(Organisation.path, ColumnMapping.created_at.desc()))
    return [Form(row, owner, person) for row, owner, person in rows]


def form_of(scope: Scope, number: int) -> Form:
    """One of :func:`forms`.

    :raises NotFound: there is none with this number, or it is somebody else's.
    """
    found = db.session.execute(_within(scope).where(ColumnMapping.id == number)).one_or_none()
    if found is None:
        raise NotFound()
    return Form(*found)


def _within(scope: Scope) -> Any:
    paths = {path for what in (Permission.PLAN_WRITE, Permission.BENCHMARK_WRITE) for path in scope.paths(what)}
    taught = sa.select(ClassGroup.campus_id).where(ClassGroup.id.in_(scope.taught_class_ids))
    return (
        sa.select(ColumnMapping, Organisation, Person)
        .join(Organisation, Organisation.id == ColumnMapping.campus_id)
        .outerjoin(Person, Person.id == ColumnMapping.created_by_id)
        .where(
            sa.or_(
                Organisation.id.in_(taught),
                *(Organisation.path.startswith(path, autoescape=True) for path in sorted(paths)),
            )
        )
    )


def change(form: Form, fields: Words[int, Field], bare: Words[int, Field], *, person: Person | None) -> None:
    """Say anew what the columns of a remembered form hold; plans that were read already stay as they are.

    :raises BadInputs: no units could be made of such columns.
    """
    names = dict(enumerate(form.headings))
    columns = [(names.get(position, ""), field) for position, field in fields.items()]
    columns += [(gettext("column %(column)s", column=position + 1), field) for position, field in bare.items()]
    problems: list[BridgeError] = []
    if not any(field in NAME_FIELDS for _, field in columns):
        problems.append(
            InputError(
                N_("No column was chosen for the title or content of the units."), remedy=N_("Choose at least one.")
            )
        )
    for field in (*NAME_FIELDS, "week", "dates", "when", "periods"):
        same = [name for name, held in columns if held == field]
        if len(same) > 1:
            problems.append(
                InputError(
                    N_("%(count)s columns hold the same: %(columns)s."), remedy=N_("Choose one of them."),
                    count=len(same), columns=", ".join(same),
                )
            )  # fmt: skip
    if problems:
        raise BadInputs(problems)
    said = form.row.mapping
    remember(form.owner, said["headings"], fields, bare=bare, turned=bool(said.get("turned")), person=person)


def forget(form: Form, *, person: Person | None) -> None:
    """Remember a form no longer: the next document with its headings is read like any other."""
    audit.record(
        "plan.mapping.forgotten", "column_mapping", str(form.row.id), organisation_id=form.owner.id,
        actor_uid=person.uid if person is not None else None,
    )  # fmt: skip
    db.session.delete(form.row)
    db.session.flush()


def _remembered(row: ColumnMapping, campus: Organisation) -> Remembered:
    said = row.mapping
    day = local(row.created_at, campus.zone).date()
    return Remembered(_fields(said["fields"]), day, bool(said.get("turned")), _fields(said.get("bare", {})))


def _fields(stored: Words[str, str]) -> dict[int, Field]:
    """The columns as they were stored, without fields that are no longer known."""
    known: dict[str, Field] = {field: field for field in CHOICES}
    return {int(position): known[field] for position, field in stored.items() if field in known}
