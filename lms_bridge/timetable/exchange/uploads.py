"""Files with timetables that were handed over: kept for a day, looked at, then published."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO

import sqlalchemy as sa

from lms_bridge.core import files
from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.core.errors import NotFound
from lms_bridge.core.i18n import N_
from lms_bridge.core.models import StoredFile
from lms_bridge.roster.models import Organisation, Person
from lms_bridge.timetable.exchange.fet_inputs import Taken
from lms_bridge.timetable.exchange.importer import TimetableImport, import_timetable
from lms_bridge.timetable.exchange.sources import read_timetable

PURPOSE = "timetable_upload"
KEPT = timedelta(days=1)


def keep(stream: BinaryIO, name: str, campus: Organisation, person: Person, *, max_bytes: int) -> StoredFile:
    """Keep a file that somebody hands over for a campus.

    :raises InputError: it is empty or larger than ``max_bytes``.
    """
    return files.store(
        stream,
        name=Path(name.replace("\\", "/")).name,
        media_type="application/octet-stream",
        purpose=PURPOSE,
        max_bytes=max_bytes,
        owner_id=person.id,
        organisation_id=campus.id,
        delete_after=now() + KEPT,
    )


def kept(uid: str, person: Person) -> StoredFile:
    """A file that ``person`` handed over.

    :raises NotFound: there is none, or it is not kept any more.
    """
    row = db.session.scalar(sa.select(StoredFile).filter_by(uid=uid, purpose=PURPOSE, owner_id=person.id))
    if row is None or row.delete_after is None or row.delete_after < now():
        raise NotFound(
            N_("This document is no longer kept here."), remedy=N_("Upload it again; it is kept for one day.")
        )
    return row


@dataclass(frozen=True, slots=True)
class Handed:
    """A kept file for the weeks of a campus; ``solution`` is FET's file of activities."""

    file: StoredFile
    campus: Organisation
    first: str
    last: str | None = None
    solution: StoredFile | None = None

    def look(self, person: Person, *, take: Collection[Taken] = tuple(Taken)) -> TimetableImport:
        """What it would change; nothing is stored. Errors are those of :func:`import_timetable`."""
        return self._imported(person, None, take, dry_run=True)

    def publish(self, person: Person, seen: Mapping[str, int] | None, take: Collection[Taken]) -> TimetableImport:
        """Publish it, and keep the file no longer. ``seen``: the versions of the weeks that were looked at."""
        result = self._imported(person, seen, take, dry_run=False)
        for row in (self.file, self.solution):
            if row is not None:
                db.session.delete(row)
        return result

    def _imported(
        self, person: Person, seen: Mapping[str, int] | None, take: Collection[Taken], *, dry_run: bool
    ) -> TimetableImport:
        more: dict[str, Any] = {}
        if self.solution is not None:
            more = {"solution": files.path_of(self.solution), "solution_name": self.solution.name}
        given = read_timetable(files.path_of(self.file), self.file.name, **more)
        return import_timetable(
            self.campus, given, first_week=self.first, last_week=self.last or None, name=self.file.name, actor=person,
            dry_run=dry_run, seen=seen, take=take,
        )  # fmt: skip
