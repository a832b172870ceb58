"""The database keeps what it was told: durable and strict on SQLite, one transaction for one operation on both."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa
from flask import Flask

from lms_bridge.core import audit
from lms_bridge.core.database import after_commit, db, insert_into, transaction
from lms_bridge.core.models import AuditEntry, ExternalId
from lms_bridge.roster.models import RoleAssignment


def entries() -> int:
    """How many audit entries are stored."""
    count = db.session.scalar(sa.select(sa.func.count()).select_from(AuditEntry))
    db.session.rollback()
    return count or 0


@pytest.mark.parametrize(
    ("pragma", "value"), [("journal_mode", "wal"), ("foreign_keys", 1), ("synchronous", 2), ("busy_timeout", 15_000)]
)
def test_sqlite_is_durable_and_strict(
    durable: None, app: Flask, on_postgresql: bool, pragma: str, value: object
) -> None:
    if on_postgresql:
        pytest.skip("about SQLite")
    assert db.session.scalar(sa.text(f"PRAGMA {pragma}")) == value


def test_a_row_that_is_there_already_is_left_or_changed_as_its_insert_says(app: Flask) -> None:
    row = {"entity": "person", "system": "s", "key": "k"}
    made = insert_into(ExternalId).values(**row, entity_id=1)
    with transaction() as session:
        for statement in (
            made,
            made.on_conflict_do_nothing(index_elements=["entity", "system", "key"]),
            made.on_conflict_do_update(index_elements=["entity", "system", "key"], set_={"entity_id": 2}),
        ):
            session.execute(statement)
    assert db.session.scalars(sa.select(ExternalId.entity_id).filter_by(**row)).all() == [2]


def test_a_row_that_points_nowhere_is_refused(app: Flask) -> None:
    with pytest.raises(sa.exc.IntegrityError), transaction() as session:
        session.execute(
            sa.insert(RoleAssignment).values(
                person_id=1, organisation_id=1, role="teacher", is_primary=True, valid_from=sa.func.current_date()
            )
        )


def test_an_error_undoes_the_whole_operation_and_what_was_to_follow_it(app: Flask) -> None:
    told: list[str] = []
    with pytest.raises(RuntimeError), transaction():
        audit.record("first", "thing", "1", actor_uid=None)
        after_commit(lambda: told.append("told"))
        with transaction():
            audit.record("second", "thing", "1", actor_uid=None)
        raise RuntimeError("the operation fails")
    assert (entries(), told) == (0, [])


def test_what_follows_an_operation_happens_once_and_after_it_is_stored(app: Flask) -> None:
    seen: list[int] = []
    with transaction():
        audit.record("only", "thing", "1", actor_uid=None)
        after_commit(lambda: seen.append(entries()))
        assert seen == []
    with transaction():
        pass
    assert seen == [1]


def test_writers_that_read_first_wait_for_each_other_and_lose_nothing(app: Flask) -> None:
    errors: list[BaseException] = []

    def write_twenty(system: str) -> None:
        try:
            with app.app_context():
                for number in range(20):
                    with transaction() as session:
                        session.execute(sa.select(sa.func.count()).select_from(ExternalId)).scalar_one()
                        session.add(ExternalId(entity="person", entity_id=1, system=system, key=str(number)))
                db.session.remove()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=write_twenty, args=(f"system-{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert db.session.scalar(sa.select(sa.func.count()).select_from(ExternalId)) == 80
