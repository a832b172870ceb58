"""Writes down how the calls ended by which the calendar of an LMS is written. A wish that changed while its call was on
the way waits again."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.core.errors import BridgeError
from lms_bridge.core.i18n import N_
from lms_bridge.core.kept_problems import kept
from lms_bridge.core.plugins import NotThere, PluginError
from lms_bridge.core.ready import Ready
from lms_bridge.sync import retries
from lms_bridge.sync.event_calls import Piece, Wish, name_of
from lms_bridge.sync.models import MappingState, SyncMapping

MAPPINGS: sa.Table = SyncMapping.__table__  # type: ignore[assignment]

NOT_MADE = PluginError(
    N_("The LMS did not make the event, and did not say why."),
    remedy=N_('"lms-bridge sync check" shows what the account may not do.'),
)


@dataclass
class Pushed:
    """What was done in the LMS."""

    created: int = 0
    updated: int = 0
    deleted: int = 0
    found_again: int = 0
    failed: int = 0

    def as_dict(self) -> dict[str, int]:
        """The counts as plain JSON."""
        return dict(vars(self))


def settle(answers: Sequence[tuple[Piece, Piece | BridgeError]], done: Pushed) -> None:
    """Write down how some calls ended, in the transaction in force."""
    made = _settle_made(answers, done)
    for piece, answer in answers:
        left = [wish for wish in piece.wishes if wish.mapping_id not in made]
        if left:
            _settle_others(left, answer, done)


def _settle_others(left: Sequence[Wish], answer: Piece | BridgeError, done: Pushed) -> None:
    rows = {
        row.id: row
        for row in db.session.scalars(
            sa.select(SyncMapping)
            .where(SyncMapping.id.in_([wish.mapping_id for wish in left]))
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    }
    for wish in left:
        row = rows[wish.mapping_id]
        if isinstance(answer, NotThere) and wish.event is not None:
            row.remote_id, row.state, row.digest = None, MappingState.WAITING, None
        elif isinstance(answer, BridgeError):
            _refused(row, wish, answer, done)
        elif wish.event is None:
            done.deleted += 1
            row.remote_id, row.digest, row.attempts, row.last_error = None, None, 0, None
            row.state = MappingState.GONE if row.changed_at == wish.changed_at else MappingState.WAITING
        elif wish.remote_id is None and name_of(wish.event) in answer.unsure:
            unsure(row, answer.unsure[name_of(wish.event)], done)
        elif wish.remote_id is None:
            _refused(row, wish, answer.refused.get(name_of(wish.event), NOT_MADE), done)
        else:
            done.updated += 1
            _agreed(row, wish, wish.remote_id)


@functools.cache
def _made(dialect: Dialect) -> Ready:
    """A new event was made; one that is wanted otherwise by now waits again."""
    as_wished = MAPPINGS.c.changed_at == sa.bindparam("wished")
    return Ready(
        sa.update(MAPPINGS)
        .where(MAPPINGS.c.id == sa.bindparam("number"))
        .values(
            remote_id=sa.bindparam("made"),
            attempts=0,
            last_error=sa.null(),
            seen_at=sa.bindparam("moment"),
            state=sa.case((as_wished, MappingState.DONE.value), else_=MappingState.WAITING.value),
        ),
        dialect,
    )


def _settle_made(answers: Sequence[tuple[Piece, Piece | BridgeError]], done: Pushed) -> set[int]:
    """Write down the new events that were made, all with one statement; the numbers of their mappings. What was sent
    stands in them already."""
    moment = now()
    rows = [
        {
            "number": wish.mapping_id,
            "made": answer.made[name_of(wish.event)],
            "moment": moment,
            "wished": wish.changed_at,
        }
        for piece, answer in answers
        if isinstance(answer, Piece)
        for wish in piece.wishes
        if wish.remote_id is None and wish.event is not None and name_of(wish.event) in answer.made
    ]
    connection = db.session.connection()
    _made(connection.dialect).run_many(connection, rows)
    done.created += len(rows)
    return {row["number"] for row in rows if isinstance(row["number"], int)}


def _agreed(row: SyncMapping, wish: Wish, remote_id: str) -> None:
    assert wish.event is not None
    row.remote_id, row.digest, row.sent = remote_id, wish.digest, wish.content
    row.attempts, row.last_error, row.seen_at = 0, None, now()
    row.state = MappingState.DONE if row.changed_at == wish.changed_at else MappingState.WAITING


def _refused(row: SyncMapping, wish: Wish, error: BridgeError, done: Pushed) -> None:
    done.failed += 1
    row.state, row.last_error = MappingState.FAILED, kept(error)
    row.attempts += 1
    if row.changed_at != wish.changed_at:
        row.state, row.attempts, row.next_try = MappingState.WAITING, 0, now()  # what is wanted now may be taken
    else:
        row.next_try = retries.later(row.attempts)


def unsure(row: SyncMapping, error: BridgeError, done: Pushed) -> None:
    """The event may be there or not, and the LMS lets nobody look: it is looked for again later, never simply made."""
    done.failed += 1
    row.attempts += 1
    row.last_error, row.next_try = kept(error), retries.later(row.attempts)
