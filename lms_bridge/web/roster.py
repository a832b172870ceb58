"""The roster: who is where, and importing a OneRoster file that was looked through first."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from apiflask import APIBlueprint
from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lms_bridge.core.access import Permission, Scope, Target
from lms_bridge.core.application import current_settings
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BridgeError, InputError, NotFound
from lms_bridge.core.i18n import N_, gettext
from lms_bridge.roster import uploads
from lms_bridge.roster.models import (
    ClassGroup,
    Enrolment,
    EnrolmentRole,
    Guardianship,
    Organisation,
    OrganisationKind,
    Person,
    RosterImport,
    RosterUpload,
    UploadState,
)
from lms_bridge.roster.oneroster.importer import TITLES
from lms_bridge.roster.oneroster.removals import Removal
from lms_bridge.web.campuses import campuses_within
from lms_bridge.web.session import current_person, current_scope, require, signed_in_required

blueprint = APIBlueprint("roster", __name__, url_prefix="/roster", enable_openapi=False)


@dataclass(frozen=True)
class CampusRow:
    """One campus with how many it has of each."""

    campus: Organisation
    classes: int
    students: int
    guardians: int
    teachers: int


def _may_import(scope: Scope) -> bool:
    """A roster file speaks of the whole system, so only those who administer all of it may import one."""
    bureau = db.session.scalar(sa.select(Organisation).where(Organisation.kind == OrganisationKind.BUREAU).limit(1))
    return bureau is not None and scope.allows(Permission.ROSTER_WRITE, Target(bureau.path))


def _require_import() -> None:
    if not _may_import(current_scope()):
        raise NotFound()


@blueprint.get("/")
@signed_in_required
def overview() -> str:
    """The campuses in figures, and for those who may, the file to import."""
    return _overview(require(Permission.ROSTER_WRITE))


def _overview(scope: Scope, error: BridgeError | None = None) -> str:
    may_import = _may_import(scope)
    imports = db.session.execute(
        sa.select(RosterImport, Person)
        .outerjoin(Person, Person.uid == RosterImport.actor_uid)
        .order_by(RosterImport.id.desc())
        .limit(10)
    )
    return render_template(
        "roster/overview.html",
        rows=_campus_rows(scope),
        may_import=may_import,
        error=error,
        imports=[(row, person, _changes(row)) for row, person in imports] if may_import else [],
        open_uploads=_open_uploads() if may_import else [],
        zone=current_person_zone(),
        max_bytes=current_settings().max_upload_bytes,
        states=UploadState,
    )


def current_person_zone() -> str:
    """The time zone in which times of the whole system are told: the bureau's."""
    zone = db.session.scalar(sa.select(Organisation.zone).where(Organisation.kind == OrganisationKind.BUREAU).limit(1))
    assert zone is not None
    return zone


@blueprint.post("/uploads")
@signed_in_required
def upload() -> Response | tuple[str, int]:
    """Keep the file and have it looked through; its page shows how that goes."""
    _require_import()
    file = request.files.get("file")
    try:
        if file is None or not file.filename:
            raise InputError(N_("No file was chosen."), remedy=N_("Choose the document and press the button again."))
        with transaction():
            row = uploads.start(
                file.stream,  # type: ignore[arg-type]
                name=Path(file.filename.replace("\\", "/")).name,
                max_bytes=current_settings().max_upload_bytes,
                actor_uid=current_person().uid,
                actor_id=current_person().id,
            )
    except BridgeError as error:
        return _overview(current_scope(), error), error.status
    return redirect(url_for(".show", uid=row.uid))


@blueprint.get("/uploads/<uid>")
@signed_in_required
def show(uid: str) -> str:
    """What the check found, what an import would do, or what it did; it refreshes itself while work goes on."""
    return _page(_find(uid))


def _page(row: RosterUpload, error: BridgeError | None = None) -> str:
    result = row.result or {}
    tables = [{"name": gettext(TITLES[name])} | counts for name, counts in result.get("tables", {}).items()]
    return render_template(
        "roster/upload.html",
        upload=row,
        states=UploadState,
        working=row.state in (UploadState.CHECKING, UploadState.IMPORTING),
        tables=[table for table in tables if table["new"] or table["changed"] or table["removed"]],
        untouched=[table for table in tables if not (table["new"] or table["changed"] or table["removed"])],
        changes=result.get("changes", 0),
        version=result.get("version", ""),
        notes=[gettext(message, **params) for message, params in result.get("notes", [])],
        removals=[Removal(**removal).text() for removal in result.get("removals", [])],
        problems=uploads.problems_of(row),
        error=error,
    )


@blueprint.post("/uploads/<uid>/import")
@signed_in_required
def confirm(uid: str) -> Response | tuple[str, int]:
    """Import what was checked."""
    row = _find(uid)
    try:
        with transaction():
            uploads.confirm(
                row, confirm_removals=bool(request.form.get("confirm_removals")), actor_uid=current_person().uid
            )
    except BridgeError as error:
        return _page(_find(uid), error), error.status
    return redirect(url_for(".show", uid=uid))


@blueprint.post("/uploads/<uid>/discard")
@signed_in_required
def discard(uid: str) -> Response:
    """Forget a file that was not imported."""
    with transaction():
        row = _find(uid)
        db.session.refresh(row, with_for_update=True)
        if row.state in (UploadState.CHECKING, UploadState.CHECKED, UploadState.REFUSED):
            db.session.delete(row)
            flash(gettext("The file was put aside. Nothing was stored."), "good")
    return redirect(url_for(".overview"))


def _find(uid: str) -> RosterUpload:
    _require_import()
    row = db.session.scalar(sa.select(RosterUpload).where(RosterUpload.uid == uid))
    if row is None:
        raise NotFound()
    return row


def _open_uploads() -> list[RosterUpload]:
    return list(
        db.session.scalars(
            sa.select(RosterUpload)
            .where(RosterUpload.state != UploadState.DONE)
            .order_by(RosterUpload.id.desc())
            .limit(5)
        )
    )


def _changes(row: RosterImport) -> dict[str, int]:
    return {kind: sum(counts.get(kind, 0) for counts in row.counts.values()) for kind in ("new", "changed", "removed")}


def _campus_rows(scope: Scope) -> list[CampusRow]:
    campuses = campuses_within(scope, Permission.ROSTER_WRITE)
    ids = [campus.id for campus in campuses]
    in_force = sa.and_(
        ClassGroup.campus_id.in_(ids), ClassGroup.valid_to.is_(None), Enrolment.valid_to.is_(None)
    )  # fmt: skip

    def counted(statement: sa.Select[int, int]) -> dict[int, int]:
        return dict(iter(db.session.execute(statement.group_by(ClassGroup.campus_id))))

    def members(role: EnrolmentRole) -> dict[int, int]:
        return counted(
            sa.select(ClassGroup.campus_id, sa.func.count(Enrolment.person_id.distinct()))
            .join(Enrolment, Enrolment.class_id == ClassGroup.id)
            .where(in_force, Enrolment.role == role)
        )

    classes = counted(
        sa.select(ClassGroup.campus_id, sa.func.count(ClassGroup.id)).where(
            ClassGroup.campus_id.in_(ids), ClassGroup.valid_to.is_(None)
        )
    )
    guardians = counted(
        sa.select(ClassGroup.campus_id, sa.func.count(Guardianship.guardian_id.distinct()))
        .join(Enrolment, Enrolment.class_id == ClassGroup.id)
        .join(Guardianship, Guardianship.student_id == Enrolment.person_id)
        .where(in_force, Enrolment.role == EnrolmentRole.STUDENT, Guardianship.valid_to.is_(None))
    )
    students, teachers = members(EnrolmentRole.STUDENT), members(EnrolmentRole.TEACHER)
    return [
        CampusRow(c, classes.get(c.id, 0), students.get(c.id, 0), guardians.get(c.id, 0), teachers.get(c.id, 0))
        for c in campuses
    ]
