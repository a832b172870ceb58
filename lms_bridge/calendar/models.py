"""Tables of the school calendar: period grids, days off, online days, online limits per grade."""

from __future__ import annotations

import enum
from datetime import date, datetime, time

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms_bridge.core.clock import now
from lms_bridge.core.database import Base, PrimaryKey, Uid
from lms_bridge.core.ids import new_uid


class PeriodGrid(Base):
    """A campus's list of numbered periods, for some grades (none named: all), for in-person or online days."""

    __tablename__ = "period_grid"
    __table_args__ = (sa.UniqueConstraint("campus_id", "name"),)

    id: Mapped[PrimaryKey]
    campus_id: Mapped[int] = mapped_column(sa.ForeignKey("organisation.id"))
    name: Mapped[str] = mapped_column(sa.String(80))
    grades: Mapped[list[str]] = mapped_column(default=list)
    online: Mapped[bool] = mapped_column(default=True)
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]

    periods: Mapped[list[Period]] = relationship(back_populates="grid", cascade="all, delete-orphan")


class Period(Base):
    """A slot of the school day on one weekday (0 is Monday), in the campus's wall-clock time."""

    __tablename__ = "period"
    __table_args__ = (sa.UniqueConstraint("grid_id", "weekday", "number"),)

    id: Mapped[PrimaryKey]
    grid_id: Mapped[int] = mapped_column(sa.ForeignKey("period_grid.id"))
    weekday: Mapped[int]
    number: Mapped[int]
    starts: Mapped[time]
    ends: Mapped[time]

    grid: Mapped[PeriodGrid] = relationship(back_populates="periods")


class DayKind(enum.StrEnum):
    """What an organisation's own calendar says of a day."""

    HOLIDAY = "holiday"
    MAKE_UP = "make_up"
    """A school day that stands in for another weekday (``as_weekday``)."""


class CalendarDay(Base):
    """A day on which an organisation (and those below it) departs from the country's calendar."""

    __tablename__ = "calendar_day"
    __table_args__ = (sa.UniqueConstraint("organisation_id", "day"),)

    id: Mapped[PrimaryKey]
    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisation.id"))
    day: Mapped[date]
    kind: Mapped[DayKind]
    as_weekday: Mapped[int | None]
    name: Mapped[str] = mapped_column(sa.String(120), default="")
    name_en: Mapped[str] = mapped_column(sa.String(120), default="")


class OnlineSpan(Base):
    """Days on which an organisation (or one class of it) is taught online, with the reason; ``last_day`` included."""

    __tablename__ = "online_span"

    id: Mapped[PrimaryKey]
    uid: Mapped[Uid] = mapped_column(default=new_uid)
    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisation.id"), index=True)
    class_id: Mapped[int | None] = mapped_column(sa.ForeignKey("class_group.id"))
    first_day: Mapped[date]
    last_day: Mapped[date | None]
    reason: Mapped[str] = mapped_column(sa.String(255), default="")
    cause: Mapped[str | None] = mapped_column(sa.String(120))
    created_at: Mapped[datetime] = mapped_column(default=now)


class OnlineLimit(Base):
    """The bureau's limits of online teaching for a grade, with where they come from."""

    __tablename__ = "online_limit"
    __table_args__ = (sa.UniqueConstraint("organisation_id", "grade"),)

    id: Mapped[PrimaryKey]
    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisation.id"))
    grade: Mapped[str] = mapped_column(sa.String(16))
    periods_per_day: Mapped[int]
    minutes_per_lesson: Mapped[int]
    screen_minutes_per_day: Mapped[int | None]
    homework_minutes_per_day: Mapped[int | None]
    periods_in_a_row: Mapped[int | None]
    """How many online periods may follow each other without a free one between them."""
    source: Mapped[str] = mapped_column(sa.String(255), default="")
