"""Writing people, how they are reached, and who answers for whom."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from lms_bridge.core.bulk import Inserter, new_uids
from lms_bridge.core.clock import now
from lms_bridge.core.ids import new_uid
from lms_bridge.roster.models import Account, ContactKind, ContactPoint, ContactState, Guardianship, Person
from lms_bridge.roster.oneroster.guardians import GuardianChanges
from lms_bridge.roster.oneroster.plan import chunked, in_chunks
from lms_bridge.roster.oneroster.spool import Record
from lms_bridge.roster.oneroster.writing import Writer

# A record: 0 number, 1 key, 2 hash, 3 language or that of the organisation, 4 enabledUser, 5 given, 6 family and
# 7 middle name, 8 preferred given and 9 family name, 10 identifier, 11 e-mail, 12 phone, 13 sms, 14 language as it was
# said, 15 zone.
CONTACTS = ((11, ContactKind.EMAIL.value), (12, ContactKind.PHONE.value), (13, ContactKind.SMS.value))
"""Where the addresses stand in a person's record."""


def write_people(writer: Writer) -> None:
    """Write new and changed people with their addresses."""
    people = Inserter(writer.connection, Person, "id uid family_name given_name middle_name number language zone")
    contacts = _contact_inserter(writer)
    fresh, unverified, system = writer.ids["person"], ContactState.UNVERIFIED.value, writer.plan.system
    # Unguessable all the same when sorted; and written in the order of their index.
    uids = iter(sorted(new_uids(len(fresh))))
    for chunk in writer.plan.spools["person"].chunks():
        new = [record for record in chunk if record[0] < 0]
        changed = [record for record in chunk if record[0] > 0]
        ids = [fresh[-record[0] - 1] for record in new]
        people.insert(
            (row_id, uid, r[9] or r[6], r[8] or r[5], r[7] or None, r[10] or None, r[3], r[15] or None)
            for row_id, uid, r in zip(ids, uids, new, strict=False)
        )
        writer.name_new("person", [(row_id, r[1], r[2]) for row_id, r in zip(ids, new, strict=True)])
        contacts.insert(
            (row_id, kind, "", r[place], unverified, system)
            for row_id, r in zip(ids, new, strict=True)
            for place, kind in CONTACTS
            if r[place]
        )
        _update(writer, changed)
        _switch_off(writer, [fresh[-r[0] - 1] if r[0] < 0 else r[0] for r in chunk if r[4].lower() == "false"])
        writer.told(len(chunk))


def _contact_inserter(writer: Writer) -> Inserter:
    return Inserter(writer.connection, ContactPoint, "person_id kind service address state source")


def _update(writer: Writer, records: list[Record]) -> None:
    """Write changed people. A language that the file does not say stays as the person chose it."""
    if not records:
        return
    table: Any = Person.__table__
    columns: Any = table.c
    statement = (
        sa.update(table)
        .where(columns.id == sa.bindparam("b_id"))
        .values(
            family_name=sa.bindparam("b_family"), given_name=sa.bindparam("b_given"),
            middle_name=sa.bindparam("b_middle"), number=sa.bindparam("b_number"),
            language=sa.func.coalesce(sa.bindparam("b_language", type_=sa.String), columns.language),
            zone=sa.func.coalesce(sa.bindparam("b_zone", type_=sa.String), columns.zone), valid_to=None,
        )
    )  # fmt: skip
    values = [
        {
            "b_id": r[0], "b_family": r[9] or r[6], "b_given": r[8] or r[5], "b_middle": r[7] or None,
            "b_number": r[10] or None, "b_language": r[14] or None, "b_zone": r[15] or None,
        }
        for r in records
    ]  # fmt: skip
    writer.connection.execute(statement, values)
    writer.name_again("person", [(r[0], r[1], r[2]) for r in records])
    _update_contacts(writer, records)


def _update_contacts(writer: Writer, records: list[Record]) -> None:
    """Add what the file names, end what this roster named before and names no more; leave what was entered here."""
    wanted: dict[tuple[int, str, str], None] = {
        (r[0], kind, r[place]): None for r in records for place, kind in CONTACTS if r[place]
    }
    query = sa.select(
        ContactPoint.id, ContactPoint.person_id, ContactPoint.kind, ContactPoint.service, ContactPoint.address,
        ContactPoint.source, ContactPoint.valid_to,
    )  # fmt: skip
    back, gone = [], []
    for row in in_chunks(writer.connection, query, ContactPoint.person_id, [r[0] for r in records]):
        place = (row.person_id, row.kind.value, row.address)
        if row.service == "" and place in wanted:
            del wanted[place]
            if row.valid_to is not None:
                back.append(row.id)
        elif row.source == writer.plan.system and row.valid_to is None:
            gone.append(row.id)
    writer.end_rows(ContactPoint, gone, writer.plan.day)
    table: Any = ContactPoint.__table__
    for piece in chunked(back):
        writer.connection.execute(
            sa.update(table).where(table.c.id.in_(piece)).values(valid_to=None, source=writer.plan.system)
        )
    state, system = ContactState.UNVERIFIED.value, writer.plan.system
    _contact_inserter(writer).insert((person, kind, "", address, state, system) for person, kind, address in wanted)


def _switch_off(writer: Writer, people: list[int]) -> None:
    """``enabledUser`` false: no signing in. Switching on again is for a person to decide."""
    if not people:
        return
    table: Any = Account.__table__
    query = sa.select(Account.person_id)
    there = {row.person_id for row in in_chunks(writer.connection, query, Account.person_id, people)}
    for piece in chunked(sorted(there)):
        theirs = sa.and_(table.c.person_id.in_(piece), table.c.disabled_at.is_(None))
        writer.connection.execute(sa.update(table).where(theirs).values(disabled_at=now()))
    rows = [
        {"person_id": person, "login": f"person-{new_uid()}", "session_version": 1, "disabled_at": now()}
        for person in people
        if person not in there
    ]
    if rows:
        writer.connection.execute(sa.insert(table), rows)


def write_guardians(writer: Writer, changes: GuardianChanges) -> None:
    """Write new, changed and ended guardianships. Those of a new student hold from the first day of the term."""
    plan, real = writer.plan, writer.real("person")
    inserter = Inserter(
        writer.connection,
        Guardianship,
        "student_id guardian_id relation position may_receive may_confirm restricted source valid_from valid_to",
    )
    since, today = plan.since.isoformat(), plan.day.isoformat()
    for chunk in plan.spools["guardianship"].chunks():
        inserter.insert(
            (
                real(student), real(guardian), relation, position, True, True, restricted, plan.system,
                since if student < 0 else today, None,
            )
            for student, guardian, relation, position, restricted in chunk
        )  # fmt: skip
        writer.told(len(chunk))
    table: Any = Guardianship.__table__
    for row_id, relation, restricted in changes.changed:
        writer.connection.execute(
            sa.update(table).where(table.c.id == row_id).values(relation=relation, restricted=restricted)
        )
    writer.end_rows(Guardianship, changes.gone, plan.day)
