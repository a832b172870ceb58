"""What the routes of a campus's calendar, arrangements, limits and pace take and answer, as the OpenAPI document shows
it. Dates and times of day are the campus's, weekdays count from 0 (Monday), people are named by uid, classes, subjects
and terms by code."""

from __future__ import annotations

from datetime import date, time
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from lms_bridge.api.timetable_schemas import Input

Weekday = Annotated[int, Field(ge=0, le=6)]
ClassCode = Annotated[str, Field(alias="class", description="Code of the class.")]


class Described(BaseModel):
    """An answer some of whose names are no names in Python."""

    model_config = ConfigDict(populate_by_name=True)


class PeriodIn(Input):
    """One period of a weekday."""

    weekday: Weekday
    number: int
    starts: time
    ends: time


class GridIn(Input):
    """A whole period grid; one of the same name is replaced. No grades: for all that have no grid of their own.
    ``online``: for online days, else for days at school. ``valid_to`` is the first day on which it holds no more."""

    name: str
    online: bool = True
    grades: list[str] = Field(default_factory=list)
    valid_from: date | None = None
    valid_to: date | None = None
    periods: list[PeriodIn]


class PeriodOut(BaseModel):
    """One period of a weekday; times as ``08:00``."""

    weekday: int
    number: int
    starts: str
    ends: str


class GridOut(BaseModel):
    """A period grid; ``number`` names it to be removed."""

    number: int
    name: str
    online: bool
    grades: list[str]
    valid_from: date | None
    valid_to: date | None
    periods: list[PeriodOut]


class Grids(BaseModel):
    """The period grids of a campus."""

    grids: list[GridOut]


class SchoolDaysIn(Input):
    """Days without school (``holiday``), or a day on which there is school (``make_up``), like on ``as_weekday``."""

    kind: Literal["holiday", "make_up"]
    first_day: date
    last_day: date | None = Field(None, description="Without it one day.")
    as_weekday: Weekday | None = None
    name: str = ""
    name_en: str = ""


class DepartureOut(BaseModel):
    """A day that is not as its weekday, and who set it. ``number``, by which it can be taken back, has a day that the
    campus set itself."""

    number: int | None
    day: date
    school: bool
    as_weekday: int | None
    name: str
    name_en: str
    set_by: Literal["country", "above", "campus"]


class TeachingWeekOut(BaseModel):
    """A teaching week of the term; odd and even weeks go by its number."""

    number: int
    week: str
    days: list[date]


class SchoolDays(BaseModel):
    """The term in hand with its weeks, and the days that depart from Monday to Friday; nothing without a term."""

    term: str | None
    weeks: list[TeachingWeekOut]
    days: list[DepartureOut]


class OnlineLimitIn(Input):
    """How much online teaching a grade may have; None: no such limit."""

    periods_per_day: int
    minutes_per_lesson: int
    screen_minutes_per_day: int | None = None
    homework_minutes_per_day: int | None = None
    periods_in_a_row: int | None = None
    source: str = Field("", max_length=255, description="Whose rule it is.")


class OnlineLimitOut(BaseModel):
    """The limits of a grade; ``is_default``: no organisation set any."""

    grade: str
    periods_per_day: int
    minutes_per_lesson: int
    screen_minutes_per_day: int | None
    homework_minutes_per_day: int | None
    periods_in_a_row: int | None
    source: str
    is_default: bool


class OnlineLimits(BaseModel):
    """The limits of the grades of a campus."""

    limits: list[OnlineLimitOut]


class RoomsIn(Input):
    """How many rooms an account holds at once; null: no limit is known."""

    rooms: int | None


class AccountOut(BaseModel):
    """An account of a video system that serves the campus, and the organisation (code) that it belongs to."""

    uid: str
    name: str
    organisation: str
    rooms: int | None


class Accounts(BaseModel):
    """The accounts, the first choice first, and how many online lessons they hold at once; null: no limit is known."""

    total: int | None
    accounts: list[AccountOut]


class PartIn(Input):
    """A class, or a named part of it."""

    class_: ClassCode
    part: str = ""


class ArrangementIn(Input):
    """What replaces the ordinary lessons of its classes in a subject, in the term in hand. Arrangements with the same
    ``band`` are taught at the same time."""

    subject: str
    classes: list[PartIn]
    lead: str
    assistants: list[str] = Field(default_factory=list)
    band: str = Field("", max_length=60)


class PartOut(Described):
    """A class of an arrangement, or a named part of it with its students; none: the whole class."""

    class_: ClassCode
    part: str
    students: list[str]


class ArrangementOut(BaseModel):
    """An arrangement."""

    uid: str
    subject: str
    classes: list[PartOut]
    lead: str | None
    assistants: list[str]
    band: str


class Arrangements(BaseModel):
    """The arrangements of the term in hand."""

    arrangements: list[ArrangementOut]


class MembersIn(Input):
    """The students of a part of a class; none: the whole class."""

    students: list[str]


class TeacherLimitIn(Input):
    """How many periods a day, at all campuses together; null: no limit."""

    periods_per_day: int | None


class TeacherLimitOut(BaseModel):
    """A teacher's limit."""

    teacher: str
    name: str
    periods_per_day: int | None


class TeacherLimits(BaseModel):
    """The teachers of a campus whose periods a day are limited."""

    limits: list[TeacherLimitOut]


class Nothing(BaseModel):
    """Nothing is left to be said."""


class PaceQuery(Input):
    """The classes of a campus; without it those that the caller teaches."""

    campus: str | None = None


class CoursePaceQuery(Input):
    """One class (its code, where needed ``CAMPUS/CODE``) in one subject."""

    class_: ClassCode
    subject: str


class ProgressOut(Described):
    """A class in a subject at the end of this week, in periods: ``planned`` by then, ``taught`` of ``total``;
    ``left_over``: the rest of the term has no room for them. ``unit`` comes next."""

    campus: str
    class_: ClassCode
    subject: str
    planned: int
    taught: int
    total: int
    behind: int
    left_over: int
    unit: str | None


class Pace(BaseModel):
    """How far lessons have come in the plans, those furthest behind first."""

    courses: list[ProgressOut]


class PaceWeekOut(BaseModel):
    """Periods up to the end of a week: planned, taught (null: no timetable yet), asked for by the benchmark, and taught
    in periods of the benchmark (null: there is none)."""

    number: int
    week: str
    planned: int
    taught: int | None
    benchmark: float | None
    like_benchmark: float | None


class CoursePace(ProgressOut):
    """One class in one subject, week by week."""

    weeks: list[PaceWeekOut]
