"""How many online rooms a campus has: those of its accounts, and fewer while a provider or licences are lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from lms_bridge.core.database import db
from lms_bridge.roster.models import Organisation
from lms_bridge.timetable.cases.models import CaseState, ChangeCase
from lms_bridge.timetable.models import ChangeCause
from lms_bridge.timetable.weeks.capacity import Rooms, rooms_of


@dataclass(frozen=True)
class RoomsLeft:
    """``spans``: days (both ends included) on which at most so many online lessons may run at once; ``rooms``: those
    of the campus's accounts, with what other campuses use of them."""

    spans: Sequence[tuple[date, date, int]] = ()
    rooms: Rooms | None = None

    def at(self, day: date, starts_at: datetime, ends_at: datetime) -> int | None:
        """How many online lessons of the campus may run at once between two moments of a day; None: any number."""
        found = [rooms for first, last, rooms in self.spans if first <= day <= last]
        if self.rooms is not None:
            taken = sum(start < ends_at and starts_at < end for start, end in self.rooms.taken)
            found.append(max(self.rooms.limit - taken, 0))
        return min(found, default=None)


def rooms_left(campus: Organisation, start: datetime, end: datetime) -> RoomsLeft:
    """The rooms of a campus between two moments: what its cases say that still hold, decided or not, and what its
    accounts can."""
    rows = db.session.scalars(
        sa.select(ChangeCase).where(
            ChangeCase.campus_id == campus.id,
            ChangeCase.cause == ChangeCause.PROVIDER_FAILURE,
            ChangeCase.state.in_((CaseState.OPEN, CaseState.DECIDED)),
        )
    )
    spans = tuple((row.first_day, row.last_day, int(row.details["rooms"])) for row in rows)
    return RoomsLeft(spans, rooms_of([campus], start, end))
