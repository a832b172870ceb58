"""How many online rooms a campus has left while a provider is lost or licences are reduced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from lms_bridge.core.database import db
from lms_bridge.timetable.case_models import CaseState, ChangeCase
from lms_bridge.timetable.models import ChangeCause


@dataclass(frozen=True)
class RoomsLeft:
    """Spans of days (both ends included) on which at most so many online lessons may run at once."""

    spans: Sequence[tuple[date, date, int]] = ()

    def on(self, day: date) -> int | None:
        """The number of rooms on a day; None: as many as are needed."""
        return min((rooms for first, last, rooms in self.spans if first <= day <= last), default=None)


def rooms_left(campus_id: int) -> RoomsLeft:
    """What the cases of the campus say that still hold, decided or not."""
    rows = db.session.scalars(
        sa.select(ChangeCase).where(
            ChangeCase.campus_id == campus_id,
            ChangeCase.cause == ChangeCause.PROVIDER_FAILURE,
            ChangeCase.state.in_((CaseState.OPEN, CaseState.DECIDED)),
        )
    )
    return RoomsLeft(tuple((row.first_day, row.last_day, int(row.details["rooms"])) for row in rows))
