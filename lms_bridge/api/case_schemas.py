"""What the routes of absences, cases and the substitution board take and answer, as the OpenAPI document shows it.
Dates are the campus's, moments UTC."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from lms_bridge.api.timetable_schemas import ChangeSetOut, Input, LessonOut, Page, Paging, Reason

Day = date


class AbsenceIn(Input):
    """Who cannot teach when. Without ``teacher`` (the person's uid) it is the caller; without ``last_day`` one day;
    without ``periods`` whole days. ``reason`` is private and never shown again here."""

    teacher: str | None = None
    first_day: date
    last_day: date | None = None
    periods: list[Annotated[int, Field(ge=1)]] = Field(default_factory=list)
    reason: str = Field("", max_length=500)


class AbsenceOut(BaseModel):
    """A reported absence, and the cases (uids) that wait or were decided because of it."""

    uid: str
    teacher: str
    name: str
    first_day: date
    last_day: date
    periods: list[int]
    created_at: datetime
    withdrawn_at: datetime | None
    cases: list[str]


class MoveRequestIn(Input):
    """Which lesson (uid) shall move; ``date`` and ``period`` both, or neither where any other time will do."""

    lesson: str
    date: Day | None = None
    period: int | None = Field(None, ge=1)
    reason: Reason = ""


class MoveRequestOut(BaseModel):
    """A lesson asked to move, and how the request stands: ``open``, ``decided``, ``closed`` or ``withdrawn``."""

    uid: str
    lesson: str
    date: Day | None
    period: int | None
    reason: str
    created_at: datetime
    state: str


class MoveRequests(BaseModel):
    """What the caller asked for."""

    requests: list[MoveRequestOut]


class Happened(Input):
    """At which campus (code), and why; people read the reason."""

    campus: str
    reason: Reason = ""


class OnlineIn(Happened):
    """Which days are online; without ``last_day`` until further notice, without ``class`` (its code) the whole
    campus."""

    class_: str | None = Field(None, alias="class")
    first_day: date
    last_day: date | None = None


class BackIn(Happened):
    """From which day on lessons are at school; without ``class`` (its code) the whole campus."""

    class_: str | None = Field(None, alias="class")
    first_day: date


class RoomsLostIn(Happened):
    """How many online lessons can still run at once (0: none) on which days; without ``last_day`` one day."""

    rooms: int
    first_day: date
    last_day: date | None = None


class DayLostIn(Happened):
    """The day without school."""

    day: date


class CasesQuery(Paging):
    """The cases of which campus (code; without it all within reach), in which state."""

    campus: str | None = None
    state: Literal["open", "decided", "closed", "withdrawn"] | None = None


class CaseLine(BaseModel):
    """A case as a list shows it. ``computing`` says how far its proposals are: they are there once it is ``done``."""

    uid: str
    campus: str
    cause: str
    state: str
    first_day: date
    last_day: date
    reason: str
    created_at: datetime
    closed_at: datetime | None
    computing: str
    absence: str | None
    proposals: int


class CasePage(Page):
    """Cases, open ones first, then the newest."""

    items: list[CaseLine]


class ProposalOut(BaseModel):
    """One way to settle a case. ``figures`` are what it is ranked by: people disturbed, lessons lost and made up, units
    delayed. ``gap`` in them says by what share of what it moves it is at most larger than the smallest change (null:
    nothing is known), for the lessons of ``reach`` (``campus`` or ``classes``); ``proved`` is the same reach where it
    is proved the smallest, else empty."""

    uid: str
    position: int
    way: str
    name: str
    state: str
    figures: dict[str, Any]
    change_set: ChangeSetOut


class CaseOut(CaseLine):
    """A case with its proposals, best first. ``stale``: a week was changed since they were worked out; ``hit``: the
    lessons (uids) that cannot stay, of an open case; ``problems``: why there are no proposals."""

    stale: bool
    hit: list[str]
    problems: list[dict[str, Any]]
    options: list[ProposalOut]


class BoardQuery(Input):
    """Which campus (code) and day; without a day today."""

    campus: str
    day: date | None = None


class OfferOut(BaseModel):
    """Somebody who is free: ``fit`` 0 teaches the subject, 1 knows the class, 2 neither."""

    teacher: str
    name: str
    campus: str
    same_campus: bool
    fit: int
    stood_in: int
    week: int


class BoardRowOut(BaseModel):
    """A lesson without its teacher: who is free, the best first, or who stands in, and the change set by which that can
    be undone today."""

    lesson: LessonOut
    absent: list[str]
    stands_in: str
    open: bool
    offers: list[OfferOut]
    change_set: str | None


class BoardOut(BaseModel):
    """The substitution board of a day; ``missing`` counts lessons to come that nobody leads."""

    campus: str
    day: date
    missing: int
    rows: list[BoardRowOut]


class AssignIn(Input):
    """The person (uid) who takes the lesson, and the ``sequence`` of the lesson on the board that was looked at: who
    stood in then is replaced; 409 if the lesson was changed since."""

    teacher: str
    sequence: int
