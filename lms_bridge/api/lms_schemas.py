"""What the routes of the exchange with LMSs take and answer, as the OpenAPI document shows it. Times are UTC."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from lms_bridge.api.timetable_schemas import Input

Kind = Literal["roster", "activities", "events", "reconcile", "marks", "homework"]


class LmsAccountOut(BaseModel):
    """An account at an LMS; never its address or token. ``mappings``: by kind of thing how many are in which state.
    ``parts``: what else is exchanged. ``removal``: it is being removed, and in the LMS things are left (`forget`) or
    taken away first (`clear`)."""

    uid: str
    name: str
    plugin: str
    organisation: str = Field(description="Code of the organisation that it serves, with all below it.")
    enabled: bool
    removal: Literal["forget", "clear"] | None
    failures: int = Field(description="Calls that failed in a row; 0: the LMS answers.")
    last_error: str | None
    parts: list[str]
    mappings: dict[str, dict[str, int]]


class LmsAccounts(BaseModel):
    """The accounts within the caller's reach."""

    accounts: list[LmsAccountOut]


class LmsRunIn(Input):
    """What is to be done. ``dry_run``: only say what would change. ``confirmed``: end as many enrolments as the LMS no
    longer lists, however many they are."""

    kind: Kind
    dry_run: bool = False
    confirmed: bool = False


class LmsRunOut(BaseModel):
    """A run. ``counts`` are there once it is ``done``; ``names`` are the first 50 behind a figure, kept until the next
    run of the kind. ``problems`` with ``waiting``: the LMS does not answer, and it is tried again by itself."""

    uid: str
    kind: Kind
    dry_run: bool
    confirmed: bool
    state: Literal["waiting", "running", "done", "refused"]
    done: int | None = Field(description="So much is through, while it is running.")
    of: int | None
    counts: dict[str, int]
    names: dict[str, list[str]]
    problems: list[str]
    created_at: datetime
    finished_at: datetime | None


class LmsRuns(BaseModel):
    """The last runs of an account, the newest first (at most 50)."""

    runs: list[LmsRunOut]


class TroubleOut(BaseModel):
    """Something that the LMS refused, or that could not be matched."""

    kind: str
    state: str
    name: str
    why: str
    attempts: int


class Troubles(BaseModel):
    """What is in the way of an account, the newest first (at most 100); people have a list of their own."""

    troubles: list[TroubleOut]


class UnmatchedQuery(Input):
    """``aside``: those of whom was said that they are nobody of ours."""

    aside: bool = False


class UnmatchedOut(BaseModel):
    """Somebody whom nobody recognises; ``source`` and ``key`` name them. They came by a ``launch`` (or a sign-in by an
    identity provider), or in a course that was read (``sync``)."""

    source: Literal["launch", "sync"]
    key: str
    name: str
    where: str = Field(description="The platform, provider or account that they came from.")
    organisation: str
    number: str
    email: str
    course: str
    why: str
    seen_at: datetime


class UnmatchedPeople(BaseModel):
    """Those who wait, the latest first (at most 200)."""

    people: list[UnmatchedOut]


class CandidatesQuery(Input):
    """Words of the name, or the beginning of the number."""

    q: str = Field(min_length=1, max_length=100)


class CandidateOut(BaseModel):
    """A person of the roster."""

    uid: str
    name: str
    number: str | None


class Candidates(BaseModel):
    """Whom the words may mean (at most 20), an exact number first."""

    people: list[CandidateOut]


class BindIn(Input):
    """Who it is."""

    person: str = Field(description="Uid of the person.")


class UnmatchedGone(BaseModel):
    """The list is shorter by one (or longer, where somebody was put back)."""

    source: Literal["launch", "sync"]
    key: str
    person: str | None = Field(None, description="Uid of the person whom they are known as from now on.")
