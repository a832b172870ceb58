"""Roster files handed over on the page: checked in the background, shown, and imported once somebody confirms.

A file is never imported unseen: the check is a dry run of the import, and the import counts anew. Both are jobs, so
that a large file needs no open page, and a kill at any line leaves either all of it or nothing.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO

import sqlalchemy as sa

from lms_bridge.core import files, jobs
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BadInputs, BridgeError, Conflict, InputError, Place
from lms_bridge.core.i18n import N_
from lms_bridge.core.models import StoredFile
from lms_bridge.roster.models import RosterUpload, UploadState
from lms_bridge.roster.oneroster.importer import RosterResult, import_roster

CHECK = "roster.upload.check"
IMPORT = "roster.upload.import"

FILE_KEPT = timedelta(days=2)
ROW_KEPT = timedelta(days=30)


def start(stream: BinaryIO, *, name: str, max_bytes: int, actor_uid: str, actor_id: int) -> RosterUpload:
    """Keep the OneRoster zip ``stream``, which people know as ``name``, and ask for it to be checked.

    :raises InputError: it is empty or longer than ``max_bytes``.
    """
    file = files.store(
        stream,
        name=name,
        media_type="application/zip",
        purpose="roster",
        max_bytes=max_bytes,
        owner_id=actor_id,
        delete_after=now() + FILE_KEPT,
    )
    upload = RosterUpload(file_id=file.id, file_name=file.name, size=file.size, actor_uid=actor_uid)
    db.session.add(upload)
    db.session.flush()
    jobs.enqueue(CHECK, str(upload.id))
    return upload


def confirm(upload: RosterUpload, *, confirm_removals: bool, actor_uid: str) -> None:
    """Ask for a checked file to be imported. Confirming twice is the same as once.

    :raises InputError: it would end much of what is there, and ``confirm_removals`` is not set.
    :raises Conflict: it has not been checked, or was refused.
    """
    db.session.refresh(upload, with_for_update={"key_share": True})
    if upload.state in (UploadState.IMPORTING, UploadState.DONE):
        return
    if upload.state is not UploadState.CHECKED:
        raise Conflict(
            N_("This file cannot be imported as it is."),
            remedy=N_("Look at what the check found, then upload it anew."),
        )
    if (upload.result or {}).get("removals") and not confirm_removals:
        raise InputError(
            N_("The removals were not confirmed."),
            remedy=N_("Tick that all of it has really ended, or upload a complete file."),
        )
    upload.state, upload.confirm_removals, upload.changed_at = UploadState.IMPORTING, confirm_removals, now()
    upload.actor_uid = actor_uid
    jobs.enqueue(IMPORT, str(upload.id))


def check(upload_id: int) -> None:
    """Dry-run one upload and note what it would do, or everything that is wrong with it."""
    upload = db.session.get(RosterUpload, upload_id)
    if upload is None or upload.state is not UploadState.CHECKING:
        return
    try:
        # No writing transaction: reading a large file must not keep everybody else from writing.
        result = import_roster(
            _path(upload), name=upload.file_name, actor_uid=upload.actor_uid, dry_run=True
        )  # fmt: skip
    except BridgeError as refusal:
        db.session.rollback()
        _refuse(upload_id, UploadState.CHECKING, refusal)
        return
    db.session.rollback()
    with transaction():
        upload = _held(upload_id)
        if upload.state is UploadState.CHECKING:
            upload.state, upload.result, upload.changed_at = UploadState.CHECKED, _plain(result), now()


def carry_out(upload_id: int) -> None:
    """Import one confirmed upload: all or nothing, and once, however often it is asked for."""
    try:
        with transaction():
            upload = _held(upload_id)
            if upload.state is not UploadState.IMPORTING:
                return
            result = import_roster(
                _path(upload),
                name=upload.file_name,
                actor_uid=upload.actor_uid,
                confirm_removals=upload.confirm_removals,
            )
            upload = _held(upload_id)
            upload.state, upload.result, upload.changed_at = UploadState.DONE, _plain(result), now()
    except BridgeError as refusal:
        _refuse(upload_id, UploadState.IMPORTING, refusal)


def forget_old() -> None:
    """Delete what was noted about uploads that nobody has touched for :data:`ROW_KEPT`; imports stay on record."""
    with transaction() as session:
        session.execute(sa.delete(RosterUpload).where(RosterUpload.changed_at < now() - ROW_KEPT))


def problems_of(upload: RosterUpload) -> list[BridgeError]:
    """What was wrong with a refused upload; each speaks the language in force when it is asked."""
    return [
        InputError(p["message"], place=Place(**p["place"]), remedy=p["remedy"], **p["params"]) for p in upload.problems
    ]


def _held(upload_id: int) -> RosterUpload:
    return db.session.get_one(RosterUpload, upload_id, populate_existing=True, with_for_update=True)


def _path(upload: RosterUpload) -> Path:
    file = db.session.get(StoredFile, upload.file_id) if upload.file_id is not None else None
    if file is None:
        raise InputError(
            N_("The file is no longer kept."), place=Place(file=upload.file_name), remedy=N_("Upload it again.")
        )
    return files.path_of(file)


def _refuse(upload_id: int, state: UploadState, refusal: BridgeError) -> None:
    with transaction():
        upload = _held(upload_id)
        if upload.state is not state:
            return
        found = refusal.problems if isinstance(refusal, BadInputs) else [refusal]
        upload.problems = [_kept(problem) for problem in found]
        upload.state, upload.changed_at = UploadState.REFUSED, now()


def _kept(problem: BridgeError) -> dict[str, Any]:
    params = {key: value if isinstance(value, int | float) else str(value) for key, value in problem.params.items()}
    place = problem.as_dict()["place"] or {}
    return {"message": problem.message, "remedy": problem.remedy, "place": place, "params": params}


def _plain(result: RosterResult) -> dict[str, Any]:
    return {
        "version": result.version,
        "changes": result.changes,
        "tables": {name: counts.as_dict() for name, counts in result.counts.items()},
        "notes": [
            [message, {key: str(value) for key, value in params.items()}] for message, params in result.notes
        ],
        "removals": [removal.as_dict() for removal in result.removals],
    }  # fmt: skip
