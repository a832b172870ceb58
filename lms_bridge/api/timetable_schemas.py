"""What the timetable routes take and answer, as the OpenAPI document shows it. Moments are UTC (ISO 8601), dates and
times of day the campus's wall clock, weeks ISO 8601 (``2026-W48``)."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from lms_bridge.calendar.days import check_day

Week = Annotated[str, Field(pattern=r"^\d{4}-W\d{2}$", examples=["2026-W48"])]
Version = Annotated[int, Field(ge=0, description="The week's version that you looked at; 409 if it has moved on.")]
Reason = Annotated[str, Field(max_length=500, description="For those who are told.")]


class Input(BaseModel):
    """What a program sends; a name that is not known is refused."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    @model_validator(mode="after")
    def _days_of_a_calendar(self) -> Self:
        for given in self.__dict__.values():
            for value in given if isinstance(given, list) else [given]:
                if isinstance(value, date):
                    check_day(value)
        return self


class Paging(Input):
    """Which page of a list."""

    page: int = Field(1, ge=1)
    per_page: int = Field(50, ge=1, le=200)


class Page(BaseModel):
    """Where a page stands in its list."""

    page: int
    pages: int
    total: int


class WeeksQuery(Paging):
    """The weeks of which campus (its code)."""

    campus: str


class WeekOut(BaseModel):
    """The timetable of a campus for a week; ``version`` grows with every change."""

    week: str
    campus: str
    version: int
    published_at: datetime | None
    lessons: int


class WeekPage(Page):
    """Weeks, the latest first."""

    items: list[WeekOut]


class LessonsQuery(Paging):
    """Whose lessons in which week: of a class (its code, where needed ``CAMPUS/CODE``), a teacher (uid of the person)
    or a campus (code)."""

    week: Week
    class_: str | None = Field(None, alias="class")
    teacher: str | None = None
    campus: str | None = None
    cancelled: bool = Field(True, description="Whether cancelled lessons are in the list.")


class ClassOut(BaseModel):
    """A class (or a part of one) of a lesson."""

    code: str
    title: str
    part: str


class TeacherOut(BaseModel):
    """A teacher of a lesson."""

    uid: str
    name: str
    part: str


class LessonOut(BaseModel):
    """A lesson; ``link`` never changes, ``version`` is that of its week."""

    uid: str
    campus: str
    week: str
    version: int
    subject: str
    subject_name: str
    starts_at: datetime
    ends_at: datetime
    zone: str
    date: date
    period: int | None
    mode: str
    status: str
    sequence: int
    classes: list[ClassOut]
    teachers: list[TeacherOut]
    unit: str | None
    link: str


class LessonPage(Page):
    """Lessons in order of time."""

    items: list[LessonOut]


class Problem(BaseModel):
    """One thing that speaks against a step, and what helps."""

    code: str
    message: str
    remedy: str


class SlotsQuery(Input):
    """Which week; without it the lesson's own."""

    week: Week | None = None


class SlotOut(BaseModel):
    """What one slot says to a lesson: it is ``here``, the slot is ``free``, it could ``swap`` places with the lesson
    ``swap_with``, or it would ``clash``. ``hints`` are wishes that it would not meet there."""

    date: date
    period: int
    starts_at: datetime
    ends_at: datetime
    verdict: Literal["here", "free", "swap", "clash"]
    swap_with: str | None
    problems: list[Problem]
    hints: list[Problem] = Field(default_factory=list)


class SlotsOut(BaseModel):
    """Every slot of a week for a lesson."""

    lesson: str
    week: str
    version: int
    slots: list[SlotOut]


class Place(Input):
    """Where a lesson shall be: a day, and a period of its class's grid or a time outside it."""

    date: date
    period: int | None = Field(None, ge=1)
    start: time | None = None


class StepIn(Input):
    """The version of the lesson's week that was looked at, and why it is changed."""

    version: Version
    reason: Reason = ""


class MoveIn(StepIn, Place):
    """Where a lesson shall be."""


class SwapIn(StepIn):
    """The lesson (uid) that another shall change places with."""

    lesson: str


class CancelIn(StepIn):
    """Why it is cancelled."""


class SubstituteIn(StepIn):
    """The person (uid) who takes the lesson."""

    teacher: str


class LessonStateOut(BaseModel):
    """A lesson before or after a change."""

    starts_at: datetime
    ends_at: datetime
    date: date
    period: int | None
    mode: str
    status: str
    teachers: list[str]


class ChangeOut(BaseModel):
    """What happens to one lesson; ``before`` is null for a new one."""

    lesson: str | None
    kind: str
    before: LessonStateOut | None
    after: LessonStateOut | None


class TouchedOut(BaseModel):
    """How many people a change touches."""

    students: int
    guardians: int
    teachers: int
    classes: int


class CheckOut(BaseModel):
    """Whether a lesson fits somewhere; if so, what would change and how many would be told."""

    fits: bool
    version: int
    problems: list[Problem]
    changes: list[ChangeOut]
    touched: TouchedOut | None


class ChangeSetsQuery(Paging):
    """Change sets of which campus (code; without it all within reach), in which state."""

    campus: str | None = None
    state: Literal["proposed", "applied", "undone", "discarded"] | None = None


class ChangeSetLine(BaseModel):
    """A change set as a list shows it; ``lessons`` counts those of which people hear."""

    uid: str
    campus: str
    cause: str
    reason: str
    state: str
    author: str | None
    created_at: datetime
    applied_at: datetime | None
    undone_at: datetime | None
    lessons: int


class JointOut(BaseModel):
    """A change set that goes together with another one."""

    uid: str
    campus: str


class ChangeSetOut(ChangeSetLine):
    """A change set with its lessons; ``stale`` says that a week it was made from was changed since. ``joint`` are the
    change sets of other campuses that are put in force, given up and undone together with it."""

    stale: bool
    joint: list[JointOut]
    touched: TouchedOut
    changes: list[ChangeOut]


class ChangeSetPage(Page):
    """Change sets, the newest first."""

    items: list[ChangeSetLine]


class SolveIn(Input):
    """Which week to solve, and for whom: for one ``campus``, for ``campuses`` together, or for all campuses of a
    ``group`` (codes; exactly one of the three). ``together``: also for the campuses within reach that share teachers or
    online rooms with them in that week. The answer is one proposed change set for each campus."""

    campus: str | None = None
    campuses: list[str] = Field(default_factory=list, max_length=200)
    group: str | None = None
    together: bool = False
    week: Week


class RunsQuery(Paging):
    """Solve runs of which campus (code)."""

    campus: str


class RunCampusOut(BaseModel):
    """What comes of a run at one campus; no change set: nothing changes there, or there is no timetable (yet)."""

    campus: str
    change_set: str | None
    counts: dict[str, int]


class RunOut(BaseModel):
    """A week being solved: how it stands, what came of it. ``costs`` is what each wish costs, ``problems`` why there is
    no timetable or what to note. ``campuses`` are those solved together, each with its proposal; ``campus`` and
    ``change_set`` are those of the first, ``counts`` the sums of all."""

    uid: str
    campus: str
    campuses: list[RunCampusOut]
    week: str
    state: str
    created_at: datetime
    finished_at: datetime | None
    progress: dict[str, Any]
    cancel_asked: bool
    change_set: str | None
    counts: dict[str, int]
    costs: dict[str, int]
    message: str | None
    problems: list[dict[str, Any]]


class RunPage(Page):
    """Solve runs, the newest first."""

    items: list[RunOut]


class TermQuery(Input):
    """Which campus and term (codes); without a term the running one."""

    campus: str
    term: str | None = None


class DayOffOut(BaseModel):
    """A day without school."""

    day: date
    name: str
    name_en: str


class TermWeekOut(BaseModel):
    """One week of a term; periods behind and ahead are null in a week without a timetable."""

    number: int
    week: str
    days: int
    days_off: list[DayOffOut]
    online_days: int
    published: bool
    lessons: int
    online: int
    cancelled: int
    substituted: int
    periods_behind: int | None
    periods_ahead: int | None


class TermOut(BaseModel):
    """A term."""

    code: str
    title: str
    starts_on: date
    ends_on: date


class LoadOut(BaseModel):
    """What one teacher has in the term."""

    teacher: str
    name: str
    lessons: int
    online: int
    for_others: int
    average_per_week: float
    fullest_week: int


class TermOverviewOut(BaseModel):
    """A term of a campus at a glance."""

    campus: str
    term: TermOut
    weeks: list[TermWeekOut]
    teachers: list[LoadOut]
