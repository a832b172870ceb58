"""Column types: moments in UTC, encrypted JSON, and the mapping of Python types to both databases."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from lms_bridge.core import crypto

USUAL = len("2026-11-28 07:30:00.000000")
"""Characters of a moment as SQLAlchemy stores it in SQLite; other tools write others."""


class UTCDateTime(TypeDecorator[datetime]):
    """An aware datetime, kept in UTC; naive values are refused, because they are the bug of tomorrow.

    SQLite forgets the zone (it stores text), so it is put back when read: by a reader of its own, which needs an eighth
    of the time, because hardly a page is made without some hundred moments.
    """

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None] | None:
        return _from_text if dialect.name == "sqlite" else super().result_processor(dialect, coltype)


def _from_text(stored: str | None) -> datetime | None:
    if stored is None:
        return None
    if len(stored) == USUAL:
        return datetime.fromisoformat(stored + "+00:00")
    moment = datetime.fromisoformat(stored)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


class EncryptedJSON(TypeDecorator[dict[str, Any]]):
    """A JSON object encrypted at rest with the installation's keys (:mod:`lms_bridge.core.crypto`)."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: dict[str, Any] | None, dialect: Dialect) -> str | None:
        return None if value is None else crypto.encrypt(json.dumps(value, ensure_ascii=False))

    def process_result_value(self, value: str | None, dialect: Dialect) -> dict[str, Any] | None:
        if value is None:
            return None
        decoded = json.loads(crypto.decrypt(value))
        assert isinstance(decoded, dict)
        return decoded


class KeptProblem(TypeDecorator[dict[str, Any]]):
    """A problem in no language (:mod:`lms_bridge.core.kept_problems`), as JSON in a text column: equal problems are
    equal texts on both databases."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: dict[str, Any] | None, dialect: Dialect) -> str | None:
        return None if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)

    def process_result_value(self, value: str | None, dialect: Dialect) -> dict[str, Any] | None:
        if value is None:
            return None
        decoded = json.loads(value)
        assert isinstance(decoded, dict)
        return decoded


# SQLite gives rowids only to a column typed exactly INTEGER.
BIG_INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
