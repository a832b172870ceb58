"""What one import has read so far and will write: the state that reading hands to writing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from lms_bridge.core.i18n import N_
from lms_bridge.roster.models import OrganisationKind
from lms_bridge.roster.oneroster.archive import Archive, Note
from lms_bridge.roster.oneroster.known import Known
from lms_bridge.roster.oneroster.problems import Problems
from lms_bridge.roster.oneroster.rows import Tick
from lms_bridge.roster.oneroster.spool import Spool
from lms_bridge.roster.oneroster.tables import Table

Progress = Callable[[str, int, int], None]
"""Told what is being done (a file name, or "write"), how many rows are done, and of how many."""

ENTITIES = {
    "organisation": "orgs",
    "term": "academicSessions",
    "course": "courses",
    "class_group": "classes",
    "person": "users",
    "role_assignment": "roles",
    "enrolment": "enrollments",
}
"""Entities of ``external_id`` and the table of the roster that each comes from."""


@dataclass(frozen=True)
class Org:
    """An organisation in force after this import. ``number`` is its row id, or negative while it has none."""

    number: int
    kind: OrganisationKind
    locale: str


@dataclass(frozen=True)
class Session:
    """The term that an academic session stands for."""

    number: int
    starts_on: date
    ends_on: date


@dataclass(frozen=True)
class CourseRead:
    """What classes take from their course."""

    number: int
    subject: str
    grade: str


@dataclass
class Plan:
    """State of one import. ``day`` is the school system's date of today; ``since`` the first day of the term in force
    on it, from which what is named for the first time without dates holds."""

    connection: Connection
    archive: Archive
    problems: Problems
    system: str
    day: date
    default_locale: str
    progress: Progress | None
    since: date = field(init=False)
    known: dict[str, Known] = field(default_factory=dict)
    spools: dict[str, Spool] = field(default_factory=dict)
    gone: dict[str, set[str]] = field(default_factory=dict)
    notes: dict[str, Note] = field(default_factory=dict)
    orgs: dict[str, Org] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    courses: dict[str, CourseRead] = field(default_factory=dict)
    class_starts: dict[int, date] = field(default_factory=dict)
    """First day of the term of each class, by its number; new students without dates hold from it."""
    bits: dict[int, int] = field(default_factory=dict)
    """What each person is (``tables.STUDENT`` ...), by number."""

    def __post_init__(self) -> None:
        self.since = self.day
        for entity, table in ENTITIES.items():
            mode = self.archive.mode("users" if table == "roles" and self.archive.version == "1.1" else table)
            self.known[entity] = Known.load(self.connection, entity, self.system, mode)
            self.spools[entity] = Spool()
        self.spools["agents"] = Spool()
        self.spools["guardianship"] = Spool()

    def close(self) -> None:
        """Forget the temporary files."""
        for spool in self.spools.values():
            spool.close()

    def tick(self, table: Table) -> Tick | None:
        """What a reader of ``table`` tells its progress to."""
        if self.progress is None:
            return None
        told, total = self.progress, self.archive.line_counts.get(table.file, 0)
        return lambda done: told(table.file, done, total)

    def note(self, message: str, **params: str) -> None:
        """Note something once (for its message and parameters) that is no error."""
        self.notes.setdefault(message % params if params else message, (message, params))

    def is_active(self, known: Known, table: Table, line: int, key: str, status: str) -> bool:
        """Whether a row is to be kept; names repeated keys and unknown words, and remembers deletions."""
        if not known.first_time(key):
            self.problems.add(
                N_("This sourcedId stands in an earlier row, too."),
                file=table.file,
                row=line,
                column="sourcedId",
                value=key,
                remedy=N_("Each sourcedId may stand once in a file."),
            )
            return False
        if not status or status == "active":
            return True
        if status == "tobedeleted":
            known.delete(key)
        else:
            self.problems.add(
                N_("This is no status."),
                file=table.file,
                row=line,
                column="status",
                value=status,
                remedy=N_("active, tobedeleted or nothing would be right."),
            )
        return False

    def unknown(self, what: str, table: Table, line: int, column: str, value: str, remedy_table: str) -> None:
        """Name a reference to something that is not there, unless it is there and was named as wrong itself."""
        if self.problems.is_spoiled(f"{remedy_table}.csv", value):
            return
        self.problems.add(
            what,
            file=table.file,
            row=line,
            column=column,
            value=value,
            remedy=N_("Add it to %(other)s, or correct this cell."),
            other=f"{remedy_table}.csv",
        )

    def ids_of(self, entity: str, keys: set[str]) -> set[int]:
        """The row ids of ``keys``, as far as they have rows."""
        ids = self.known[entity].ids
        return {ids[key] for key in keys if ids.get(key, 0) > 0}


def chunked(values: list[int], size: int = 500) -> list[list[int]]:
    """``values`` in pieces that fit into one statement on every database."""
    return [values[start : start + size] for start in range(0, len(values), size)]


def in_chunks(
    connection: Connection, query: sa.Select[*tuple[Any, ...]], column: sa.ColumnElement[int] | Any, ids: Iterable[int]
) -> list[Any]:
    """All rows of ``query`` whose ``column`` is one of ``ids``."""
    return [row for piece in chunked(sorted(ids)) for row in connection.execute(query.where(column.in_(piece)))]
