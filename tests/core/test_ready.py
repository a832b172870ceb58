"""Statements that are compiled once say the same as those that SQLAlchemy prepares anew."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from flask import Flask

from lms_bridge.core.database import db, one_statement
from lms_bridge.core.models import Job, JobState
from lms_bridge.core.ready import Ready

WHEN = datetime(2026, 3, 1, 7, 30, 15, 250, tzinfo=UTC)


def test_values_and_columns_are_those_of_their_types(app: Flask) -> None:
    names = ("kind", "subject", "state", "not_before", "attempts", "created_at")
    table = Job.__table__
    dialect = db.engine.dialect
    values = {name: sa.bindparam(name) for name in names}
    store = Ready(sa.insert(table).values(values).returning(table.c.state), dialect)  # type: ignore[arg-type]
    question = (
        sa.select(Job.kind, Job.state, Job.not_before.label("due"), (Job.attempts > 0).label("tried"))
        .where(
            Job.kind == sa.bindparam("which.kind"), Job.state == JobState.QUEUED, Job.not_before <= sa.bindparam("now")
        )
        .order_by(Job.id)
    )
    ready = Ready(question, dialect)
    with one_statement() as connection:
        for number, state in enumerate((JobState.QUEUED, JobState.DONE, JobState.QUEUED)):
            about = {"kind": "a.b", "subject": f"{number} %s ? :x", "state": state, "attempts": number}
            assert store.rows(connection, about | {"not_before": WHEN, "created_at": WHEN}) == [(state,)]
        asked = {"which.kind": "a.b", "now": WHEN}
        rows = ready.rows(connection, asked)
        assert [(row.kind, row.state, row.due, bool(row.tried)) for row in rows] == [
            ("a.b", JobState.QUEUED, WHEN, False), ("a.b", JobState.QUEUED, WHEN, True),
        ]  # fmt: skip
        assert ready.rows(connection, asked | {"which.kind": "other"}) == []
        assert [tuple(row) for row in connection.execute(question, asked)] == [tuple(row) for row in rows]
    assert db.session.scalar(sa.select(Job.subject).where(Job.attempts == 1)) == "1 %s ? :x"


def test_a_default_that_would_be_left_out_is_refused(app: Flask) -> None:
    with pytest.raises(AssertionError, match="created_at"):
        Ready(sa.insert(Job.__table__).values(kind="a", subject="b"), db.engine.dialect)  # type: ignore[arg-type]
