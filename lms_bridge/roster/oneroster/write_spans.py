"""Writing roles and enrolments: spans of days that keep their history.

A row that says something else than before (another class, another role) ends the old span and begins a new one, so
that what was true last month stays true of last month. Only dates and ``is_primary`` are changed in place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from lms_bridge.core.database import Base
from lms_bridge.roster.models import ClassGroup, ClassType, Enrolment, EnrolmentRole, RoleAssignment
from lms_bridge.roster.oneroster.bulk import Inserter, reserve_ids
from lms_bridge.roster.oneroster.plan import in_chunks
from lms_bridge.roster.oneroster.writing import Writer


@dataclass(slots=True)
class Span:
    """One role or enrolment as the file has it; ``what`` says of whom and what, in the order of the columns."""

    number: int
    key: str
    row_hash: int
    what: tuple[Any, ...]
    primary: bool
    begin: str
    end: str
    default_begin: str


@dataclass(frozen=True)
class Kind:
    """The table, its entity in ``external_id``, and the columns that say of whom and what a span is."""

    table: type[Base]
    entity: str
    what: tuple[str, ...]


ROLE = Kind(RoleAssignment, "role_assignment", ("person_id", "organisation_id", "role"))
ENROLMENT = Kind(Enrolment, "enrolment", ("class_id", "person_id", "role", "subject_id"))


def write_roles(writer: Writer) -> None:
    """Write new and changed roles. Those of a new person hold from the first day of the term."""
    person, org = writer.real("person"), writer.real("organisation")
    since, today = writer.plan.since.isoformat(), writer.plan.day.isoformat()

    def spans() -> Iterator[list[Span]]:
        for chunk in writer.plan.spools["role_assignment"].chunks():
            yield [
                Span(
                    number, key, row_hash, (person(who), org(where), role), primary, begin, end,
                    since if who < 0 else today,
                )
                for number, key, row_hash, who, where, role, primary, begin, end in chunk
            ]  # fmt: skip

    _write(writer, ROLE, spans())


def write_enrolments(writer: Writer, subject_ids: dict[str, int]) -> None:
    """Write new and changed enrolments. In a new class they hold from the first day of its term."""
    person, class_of = writer.real("person"), writer.real("class_group")
    starts = {number: day.isoformat() for number, day in writer.plan.class_starts.items()}
    today = writer.plan.day.isoformat()
    homerooms = set(
        writer.connection.scalars(sa.select(ClassGroup.id).where(ClassGroup.class_type == ClassType.HOMEROOM))
    )
    student = EnrolmentRole.STUDENT.value

    def spans() -> Iterator[list[Span]]:
        for chunk in writer.plan.spools["enrolment"].chunks():
            found = []
            for number, key, row_hash, group, who, role, subject, primary, begin, end in chunk:
                class_id = class_of(group)
                # In a homeroom only the class teacher is primary: the row that names no subject.
                primary = primary and role != student and not (subject and class_id in homerooms)
                subject_id = subject_ids[subject] if subject and role != student else None
                what = (class_id, person(who), role, subject_id)
                found.append(Span(number, key, row_hash, what, primary, begin, end, starts.get(group, today)))
            yield found

    _write(writer, ENROLMENT, spans())


def _write(writer: Writer, kind: Kind, chunks: Iterator[list[Span]]) -> None:
    inserter = Inserter(writer.connection, kind.table, f"id {' '.join(kind.what)} is_primary valid_from valid_to")
    real = writer.real(kind.entity)
    for chunk in chunks:
        new = [span for span in chunk if span.number < 0]
        inserter.insert((real(s.number), *s.what, s.primary, s.begin or s.default_begin, s.end or None) for s in new)
        writer.name_new(kind.entity, [(real(s.number), s.key, s.row_hash) for s in new])
        _change(writer, kind, inserter, [span for span in chunk if span.number > 0])
        writer.told(len(chunk))


def _change(writer: Writer, kind: Kind, inserter: Inserter, spans: list[Span]) -> None:
    if not spans:
        return
    table: Any = kind.table.__table__
    day = writer.plan.day
    columns = [table.c[name] for name in (*kind.what, "valid_from", "valid_to")]
    query = sa.select(table.c.id, *columns)
    before = {row[0]: row for row in in_chunks(writer.connection, query, table.c.id, [s.number for s in spans])}
    moved = [s for s in spans if not _same(before[s.number], s, day)]
    for span in spans:
        row = before[span.number]
        if _same(row, span, day):
            values: dict[str, Any] = {
                "is_primary": span.primary,
                "valid_to": date.fromisoformat(span.end) if span.end else None,
            }
            if span.begin:
                values["valid_from"] = date.fromisoformat(span.begin)
            writer.connection.execute(sa.update(table).where(table.c.id == span.number).values(values))
        elif row.valid_to is None or row.valid_to > day:
            last = min(day, date.fromisoformat(span.begin)) if span.begin else day
            writer.connection.execute(
                sa.update(table).where(table.c.id == span.number).values(valid_to=max(last, row.valid_from))
            )
    ids = dict(zip((s.key for s in moved), reserve_ids(writer.connection, kind.table, len(moved)), strict=True))
    today = day.isoformat()
    inserter.insert((ids[s.key], *s.what, s.primary, s.begin or today, s.end or None) for s in moved)
    writer.name_again(kind.entity, [(ids.get(s.key, s.number), s.key, s.row_hash) for s in spans])


def _same(row: Any, span: Span, day: date) -> bool:
    """Whether ``span`` only changes dates or ``is_primary`` of ``row``, which has not ended."""
    return tuple(row[1:-2]) == span.what and (row.valid_to is None or row.valid_to > day)
