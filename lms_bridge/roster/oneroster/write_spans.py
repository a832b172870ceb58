"""Writing roles and enrolments: spans of days that keep their history.

A row that says something else than before (another class, another role) ends the old span and begins a new one, so
that what was true last month stays true of last month. Only dates and ``is_primary`` are changed in place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from lms_bridge.core.bulk import Inserter, reserve_ids
from lms_bridge.core.database import Base
from lms_bridge.roster.models import ClassGroup, ClassType, Enrolment, EnrolmentRole, RoleAssignment
from lms_bridge.roster.oneroster.plan import in_chunks
from lms_bridge.roster.oneroster.spool import Record
from lms_bridge.roster.oneroster.writing import Writer


@dataclass(frozen=True)
class Kind:
    """The table, its entity in ``external_id``, and the columns that say of whom and what a span is."""

    table: type[Base]
    entity: str
    what: tuple[str, ...]


ROLE = Kind(RoleAssignment, "role_assignment", ("person_id", "organisation_id", "role"))
ENROLMENT = Kind(Enrolment, "enrolment", ("class_id", "person_id", "role", "subject_id"))

Span = tuple[int, str, int, tuple[Any, ...], bool, str, str, str]
"""One role or enrolment as the file has it: number, key, hash, of whom and what (in the order of the kind's columns),
whether it is primary, first day and end as the file says them, and the first day where it says none."""


def write_roles(writer: Writer) -> None:
    """Write new and changed roles. Those of a new person hold from the first day of the term."""
    person, org = writer.real("person"), writer.real("organisation")
    since, today = writer.plan.since.isoformat(), writer.plan.day.isoformat()

    def span(record: Record) -> Span:
        number, key, row_hash, who, where, role, primary, begin, end = record
        first = since if who < 0 else today
        return number, key, row_hash, (person(who), org(where), role), primary, begin, end, first

    _write(writer, ROLE, span)


def write_enrolments(writer: Writer, subject_ids: dict[str, int]) -> None:
    """Write new and changed enrolments. In a new class they hold from the first day of its term."""
    person, class_of = writer.real("person"), writer.real("class_group")
    starts = {number: day.isoformat() for number, day in writer.plan.class_starts.items()}
    today = writer.plan.day.isoformat()
    homerooms = set(
        writer.connection.scalars(sa.select(ClassGroup.id).where(ClassGroup.class_type == ClassType.HOMEROOM))
    )
    student = EnrolmentRole.STUDENT.value

    def span(record: Record) -> Span:
        number, key, row_hash, group, who, role, subject, primary, begin, end = record
        class_id = class_of(group)
        # In a homeroom only the class teacher is primary: the row that names no subject.
        primary = primary and role != student and not (subject and class_id in homerooms)
        subject_id = subject_ids[subject] if subject and role != student else None
        what = (class_id, person(who), role, subject_id)
        return number, key, row_hash, what, primary, begin, end, starts.get(group, today)

    _write(writer, ENROLMENT, span)


def _write(writer: Writer, kind: Kind, span_of: Callable[[Record], Span]) -> None:
    inserter = Inserter(writer.connection, kind.table, f"id {' '.join(kind.what)} is_primary valid_from valid_to")
    fresh = writer.ids[kind.entity]
    for chunk in writer.plan.spools[kind.entity].chunks():
        spans = [span_of(record) for record in chunk]
        new = [span for span in spans if span[0] < 0]
        inserter.insert(
            (fresh[-number - 1], *what, primary, begin or first, end or None)
            for number, _, _, what, primary, begin, end, first in new
        )
        writer.name_new(kind.entity, [(fresh[-span[0] - 1], span[1], span[2]) for span in new])
        if len(new) < len(spans):
            _change(writer, kind, inserter, [span for span in spans if span[0] > 0])
        writer.told(len(chunk))


def _change(writer: Writer, kind: Kind, inserter: Inserter, spans: list[Span]) -> None:
    """Write what was there before: change dates in place, or end the old span and begin a new one."""
    table: Any = kind.table.__table__
    day = writer.plan.day
    query = sa.select(table.c.id, *(table.c[name] for name in (*kind.what, "valid_from", "valid_to")))
    before = {row[0]: row for row in in_chunks(writer.connection, query, table.c.id, [span[0] for span in spans])}
    moved = []
    for span in spans:
        number, _, _, _, primary, begin, end, _ = span
        row = before[number]
        values: dict[str, Any]
        if _same(row, span, day):
            values = {"is_primary": primary, "valid_to": date.fromisoformat(end) if end else None}
            if begin:
                values["valid_from"] = date.fromisoformat(begin)
            writer.connection.execute(sa.update(table).where(table.c.id == number).values(values))
            continue
        moved.append(span)
        if row.valid_to is None or row.valid_to > day:
            last = min(day, date.fromisoformat(begin)) if begin else day
            values = {"valid_to": max(last, row.valid_from)}
            writer.connection.execute(sa.update(table).where(table.c.id == number).values(values))
    ids = dict(zip((span[1] for span in moved), reserve_ids(writer.connection, kind.table, len(moved)), strict=True))
    today = day.isoformat()
    inserter.insert(
        (ids[key], *what, primary, begin or today, end or None) for _, key, _, what, primary, begin, end, _ in moved
    )
    writer.name_again(kind.entity, [(ids.get(span[1], span[0]), span[1], span[2]) for span in spans])


def _same(row: Any, span: Span, day: date) -> bool:
    """Whether ``span`` only changes dates or ``is_primary`` of ``row``, which has not ended."""
    return tuple(row[1:-2]) == span[3] and (row.valid_to is None or row.valid_to > day)
