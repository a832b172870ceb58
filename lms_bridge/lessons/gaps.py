"""Times in which a source of presence could see nothing. They are unknown, never absence.

Our own pages (sources ``door``, ``classroom``, ``page``) see nothing while no web server runs. Each web process says
every few seconds that it lives by moving the beginning of one open row ahead (:func:`sign_of_life`); when the row was
silent for too long, the silence becomes a gap and a new row begins. So a crash needs no clean ending to be known.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import Flask

from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.lessons.models import SourceGap
from lms_bridge.lessons.presence import OWN_SOURCES

log = logging.getLogger(__name__)

OURS = "own-pages"
"""The source name of gaps that hold for all of our own pages."""
WATCH = "no sign of life"
"""Reason of the row that is moved ahead, and of the gaps that it becomes."""
TICK = timedelta(seconds=20)
SILENCE = timedelta(seconds=60)


@dataclass(frozen=True)
class Gap:
    """A time in which ``source`` saw nothing, cut to the window that was asked for."""

    source: str
    starts_at: datetime
    ends_at: datetime
    reason: str


def open_gap(source: str, reason: str, *, starts_at: datetime | None = None, lesson_id: int | None = None) -> SourceGap:
    """``source`` sees nothing from ``starts_at`` (default now) on; a gap that is open already goes on.

    Without a ``lesson_id`` it holds for every lesson of the source. Flushes only.
    """
    known = db.session.scalar(sa.select(SourceGap).filter_by(source=source, lesson_id=lesson_id, ends_at=None))
    if known is not None:
        return known
    row = SourceGap(source=source, lesson_id=lesson_id, starts_at=starts_at or now(), reason=reason)
    db.session.add(row)
    db.session.flush()
    return row


def close_gap(source: str, *, ends_at: datetime | None = None, lesson_id: int | None = None) -> None:
    """``source`` sees again from ``ends_at`` (default now) on; no error if no gap was open. Flushes only."""
    db.session.execute(
        sa.update(SourceGap)
        .where(SourceGap.source == source, SourceGap.lesson_id.is_not_distinct_from(lesson_id))
        .where(SourceGap.ends_at.is_(None))
        .values(ends_at=ends_at or now())
    )


def gaps_between(
    start: datetime, end: datetime, *, sources: Iterable[str] | None = None, lesson_id: int | None = None
) -> list[Gap]:
    """Gaps that touch ``[start, end]``, cut to it, in order: those of the lesson (if named) and those of all lessons.

    ``sources`` are evidence sources (default: all known); a gap of our own pages stands for each of them.
    """
    moment = now()
    query = sa.select(SourceGap).where(
        SourceGap.starts_at < end,
        sa.or_(SourceGap.ends_at.is_(None), SourceGap.ends_at > start),
        sa.or_(SourceGap.lesson_id.is_(None), SourceGap.lesson_id == lesson_id),
    )
    if sources is not None:
        wanted = set(sources)
        query = query.where(SourceGap.source.in_(wanted | ({OURS} if wanted & OWN_SOURCES else set())))
    found = []
    for row in db.session.scalars(query.order_by(SourceGap.starts_at, SourceGap.id)):
        living = row.source == OURS and row.ends_at is None and moment - row.starts_at <= SILENCE
        begins, ends = max(row.starts_at, start), min(row.ends_at or moment, end)
        if not living and begins < ends:
            found.append(Gap(row.source, begins, ends, row.reason))
    return found


def sign_of_life() -> bool:
    """Say that a web server lives; True if there was a silence before, which is now a gap.

    Opens its own transaction. Any number of processes may say it at once.
    """
    moment = now()
    with transaction() as session:
        mine = sa.and_(SourceGap.source == OURS, SourceGap.ends_at.is_(None))
        fresh = session.execute(
            sa.update(SourceGap).where(mine, SourceGap.starts_at >= moment - SILENCE).values(starts_at=moment)
        )
        if fresh.rowcount:  # type: ignore[attr-defined]
            return False
        silent = session.execute(sa.update(SourceGap).where(mine).values(ends_at=moment))
        session.add(SourceGap(source=OURS, starts_at=moment, reason=WATCH))
        return bool(silent.rowcount)  # type: ignore[attr-defined]


def keep_watch(app: Flask) -> threading.Thread:
    """Say :func:`sign_of_life` for as long as this process lives, from a thread that ends with it."""

    def watch() -> None:
        pause = threading.Event()
        while True:
            try:
                with app.app_context():
                    sign_of_life()
            except Exception:
                log.warning("the sign of life could not be stored; it is tried again", exc_info=True)
            pause.wait(TICK.total_seconds())

    thread = threading.Thread(target=watch, name="sign-of-life", daemon=True)
    thread.start()
    return thread
