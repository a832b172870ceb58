"""Transactions that are only tried: what a dry run would change is found out, and none of it is kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lms_bridge.core.database import db, transaction


class _OnlyTried(Exception):
    """Ends a transaction of which nothing is to be kept."""


@contextmanager
def trial(dry_run: bool) -> Iterator[None]:
    """A transaction; with ``dry_run`` everything in it is taken back at its end."""
    try:
        with transaction():
            yield
            if dry_run:
                raise _OnlyTried
    except _OnlyTried:
        db.session.expire_all()
