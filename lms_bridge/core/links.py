"""Signed links: short-lived, single-purpose addresses that prove what we wrote into them ourselves.

Permanent links (join links, calendar feeds) are stored tokens instead, because a signing key may rotate.
"""

from __future__ import annotations

import functools
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer
from sqlalchemy.engine import Dialect

from lms_bridge.core import database
from lms_bridge.core.clock import now
from lms_bridge.core.database import insert_into
from lms_bridge.core.errors import BridgeError
from lms_bridge.core.i18n import N_
from lms_bridge.core.ids import new_uid
from lms_bridge.core.models import UsedNonce
from lms_bridge.core.ready import Ready

_keys: list[str] = []


class LinkRefused(BridgeError):
    """A signed link is forged, too old, made for another purpose, or was used before."""

    code = "link_refused"
    status = 403


@functools.cache
def _use(dialect: Dialect) -> Ready:
    table: sa.Table = UsedNonce.__table__  # type: ignore[assignment]
    values: dict[str, Any] = {column.name: sa.bindparam(column.name) for column in table.c}
    return Ready(insert_into(table, dialect).values(values).on_conflict_do_nothing().returning(table.c.nonce), dialect)


def configure(keys: list[str]) -> None:
    """Sign with the last of ``keys``; all of them verify."""
    _keys[:] = keys
    _serializer.cache_clear()


@functools.cache
def _serializer(purpose: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(_keys, salt=f"lms-bridge:{purpose}")


def sign(purpose: str, data: dict[str, Any]) -> str:
    """A token for ``data`` (plain JSON) that only :func:`verify` with the same purpose accepts."""
    return str(_serializer(purpose).dumps(data | {"n": new_uid()}))


def verify(purpose: str, token: str, *, max_age: timedelta, once: bool = False) -> dict[str, Any]:
    """The data of ``token``; with ``once`` it is consumed in the transaction in force.

    :raises LinkRefused: with the reason in words.
    """
    try:
        data: dict[str, Any] = _serializer(purpose).loads(token, max_age=int(max_age.total_seconds()))
    except SignatureExpired:
        raise LinkRefused(N_("This link is too old."), remedy=N_("Ask for a new one.")) from None
    except BadSignature:
        raise LinkRefused(N_("This link is not complete or not genuine."), remedy=N_("Ask for a new one.")) from None
    if once:
        consume(purpose, str(data.get("n", "")), max_age)
    return data


def consume(purpose: str, nonce: str, max_age: timedelta) -> None:
    """Mark a single-use value as used.

    :raises LinkRefused: it was used before.
    """
    connection = database.connection()
    used = {"purpose": purpose, "nonce": nonce, "expires_at": now() + max_age}
    if not _use(connection.dialect).rows(connection, used):
        raise LinkRefused(N_("This link was used before."), remedy=N_("Ask for a new one."))
