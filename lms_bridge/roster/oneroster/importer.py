"""Importing a OneRoster zip: all or nothing, once or again, with a dry run.

The file is read once: every row is checked and compared (by hash) with what the same source said last time, and what
changes goes to a temporary file. Only when nothing is wrong is it written. A dry run stops before that, so that its
counts are those of the import.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from lms_bridge.core import audit
from lms_bridge.core.application import current_settings
from lms_bridge.core.bulk import no_search_for_cycles, room_for_pages
from lms_bridge.core.database import db
from lms_bridge.core.errors import Conflict, Place
from lms_bridge.core.i18n import N_, gettext
from lms_bridge.roster.models import Organisation, OrganisationKind, RosterImport
from lms_bridge.roster.oneroster.archive import Archive, Note
from lms_bridge.roster.oneroster.classes import read_classes, read_courses
from lms_bridge.roster.oneroster.enrolments import read_enrolments
from lms_bridge.roster.oneroster.guardians import GuardianChanges, read_guardians
from lms_bridge.roster.oneroster.known import Counts
from lms_bridge.roster.oneroster.organisations import read_organisations
from lms_bridge.roster.oneroster.people import read_roles, read_users
from lms_bridge.roster.oneroster.plan import ENTITIES, Plan, Progress
from lms_bridge.roster.oneroster.problems import Problems
from lms_bridge.roster.oneroster.removals import Removal, end_dependants, too_many
from lms_bridge.roster.oneroster.rows import check_headers
from lms_bridge.roster.oneroster.sessions import read_sessions
from lms_bridge.roster.oneroster.subjects import Subjects
from lms_bridge.roster.oneroster.write_people import write_guardians, write_people
from lms_bridge.roster.oneroster.write_spans import write_enrolments, write_roles
from lms_bridge.roster.oneroster.write_structure import (
    write_classes,
    write_courses,
    write_organisations,
    write_subjects,
    write_terms,
)
from lms_bridge.roster.oneroster.writing import Writer
from lms_bridge.roster.scope import today

LOCK = 0x4F4E_4552
"""Number of the advisory lock on PostgreSQL: one import at a time."""

TITLES = {
    "orgs": N_("Organisations"),
    "academicSessions": N_("Terms"),
    "subjects": N_("Subjects"),
    "courses": N_("Courses"),
    "classes": N_("Classes"),
    "users": N_("People"),
    "roles": N_("Roles"),
    "guardians": N_("Guardianships"),
    "enrollments": N_("Enrolments"),
}


class RemovalsRefused(Conflict):
    """A bulk file would end more of what is there than the limit allows, and nobody confirmed it."""

    code = "too_many_removals"


@dataclass
class RosterResult:
    """What an import did, or, after a dry run, would do."""

    file: str
    source: str
    version: str
    dry_run: bool
    counts: dict[str, Counts] = field(default_factory=dict)
    """New, changed, unchanged and removed by table: ``orgs``, ``users`` ... and ``subjects``, ``guardians``."""
    notes: list[Note] = field(default_factory=list)
    removals: list[Removal] = field(default_factory=list)
    """Tables of which more would end than the limit allows: the import must be confirmed."""

    @property
    def changes(self) -> int:
        """How many things are new, changed or removed."""
        return sum(c.new + c.changed + c.removed for c in self.counts.values())

    def as_dict(self) -> dict[str, Any]:
        """The result as plain JSON; ``notes`` in the language in force."""
        return {
            "file": self.file,
            "source": self.source,
            "version": self.version,
            "dry_run": self.dry_run,
            "tables": {name: counts.as_dict() for name, counts in self.counts.items()},
            "changes": self.changes,
            "notes": [gettext(message, **params) for message, params in self.notes],
            "needs_confirmation": bool(self.removals),
            "removals": [removal.as_dict() for removal in self.removals],
        }

    def lines(self) -> list[str]:
        """The result for people, one line each, in the language in force."""
        lines = [
            gettext(
                N_("%(table)s: %(new)s new, %(changed)s changed, %(unchanged)s unchanged, %(removed)s removed"),
                table=gettext(TITLES[name]),
                **counts.as_dict(),
            )
            for name, counts in self.counts.items()
        ]
        lines += [gettext(message, **params) for message, params in self.notes]
        lines += [removal.text() for removal in self.removals]
        if self.dry_run:
            lines.append(gettext(N_("Dry run: nothing was stored.")))
        elif not self.changes:
            lines.append(gettext(N_("Everything was known already; nothing changed.")))
        return lines


def import_roster(
    path: Path,
    *,
    name: str,
    source: str = "oneroster",
    actor_uid: str | None,
    dry_run: bool = False,
    confirm_removals: bool = False,
    progress: Progress | None = None,
) -> RosterResult:
    """Import the OneRoster 1.1 or 1.2 CSV zip at ``path``, which people know as ``name``.

    ``source`` tells several rosters apart: sourcedIds are unique within one. ``progress`` is told the file that is
    read (or "write"), the rows done, and of how many. Call it inside ``transaction()``; a dry run writes nothing.

    :raises InputError: the file is no such zip.
    :raises BadInputs: every problem that was found; nothing was stored.
    :raises RemovalsRefused: it would end more than ``settings.roster_removal_limit`` of what is there.
    """
    settings = current_settings()
    connection = db.session.connection()
    if connection.dialect.name == "postgresql" and not dry_run:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
    problems = Problems(name)
    with Archive(path, name, settings.roster_max_bytes) as archive:
        archive.check_text(problems)
        problems.refuse_if_any()
        check_headers(archive, problems)
        problems.refuse_if_any()
        plan = Plan(
            connection, archive, problems, f"oneroster:{source}", _today(connection), settings.default_locale, progress
        )
        try:
            with no_search_for_cycles():
                subjects, guardians = _read(plan)
            result = _result(plan, subjects, guardians, name, source, dry_run)
            result.removals = too_many(plan, guardians, settings.roster_removal_limit)
            if dry_run:
                return result
            if result.removals and not confirm_removals:
                raise _refusal(result, name)
            result.removals = []
            with room_for_pages(connection), no_search_for_cycles():
                _write(plan, subjects, guardians)
        finally:
            plan.close()
    _record(result, path, actor_uid)
    db.session.expire_all()
    return result


def _today(connection: Connection) -> Any:
    """The date at the bureau (before there is one: in China)."""
    zone = connection.scalar(sa.select(Organisation.zone).where(Organisation.kind == OrganisationKind.BUREAU).limit(1))
    return today(zone) if zone else today()


def _read(plan: Plan) -> tuple[Subjects, GuardianChanges]:
    """Read every table; what changes is in the plan's spools afterwards.

    :raises BadInputs: something is wrong.
    """
    subjects = Subjects(plan.connection)
    read_organisations(plan)
    read_sessions(plan)
    read_courses(plan, subjects)
    read_classes(plan, subjects)
    read_users(plan)
    read_roles(plan)
    guardians = read_guardians(plan)
    read_enrolments(plan, subjects)
    plan.problems.refuse_if_any()
    end_dependants(plan)
    return subjects, guardians


def _write(plan: Plan, subjects: Subjects, guardians: GuardianChanges) -> None:
    writer = Writer(plan)
    write_organisations(writer)
    write_terms(writer)
    subject_ids = write_subjects(writer, subjects.difference()[1], subjects.before)
    write_courses(writer, subject_ids)
    write_classes(writer, subject_ids)
    write_people(writer)
    write_roles(writer)
    write_guardians(writer, guardians)
    write_enrolments(writer, subject_ids)
    writer.end_all()


def _result(
    plan: Plan, subjects: Subjects, guardians: GuardianChanges, name: str, source: str, dry_run: bool
) -> RosterResult:  # fmt: skip
    result = RosterResult(name, source, plan.archive.version, dry_run)
    by_table = {table: plan.known[entity].counts for entity, table in ENTITIES.items()}
    by_table |= {"subjects": subjects.difference()[0], "guardians": guardians.counts}
    result.counts = {table: by_table[table] for table in TITLES}
    result.notes = [*plan.archive.notes, *plan.notes.values()]
    return result


def _refusal(result: RosterResult, name: str) -> RemovalsRefused:
    return RemovalsRefused(
        N_("The file would end too much of what is there: %(what)s."),
        place=Place(file=name),
        remedy=N_("Look whether the export is complete. If all of it has really ended, confirm the removals."),
        what="; ".join(removal.text() for removal in result.removals),
    )


def _record(result: RosterResult, path: Path, actor_uid: str | None) -> None:
    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    counts = {name: counts.as_dict() for name, counts in result.counts.items()}
    row = RosterImport(
        source=result.source, file_name=result.file[:255], sha256=sha256, actor_uid=actor_uid, counts=counts
    )
    db.session.add(row)
    db.session.flush()
    bureau = db.session.scalar(sa.select(Organisation.id).where(Organisation.kind == OrganisationKind.BUREAU).limit(1))
    audit.record(
        "roster.import",
        "roster_import",
        str(row.id),
        actor_uid=actor_uid,
        organisation_id=bureau,
        source=result.source,
        sha256=sha256,
        changes=result.changes,
    )
    db.session.flush()
