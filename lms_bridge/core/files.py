"""The private file store: bytes under ``data_dir/files`` by their hash, described by rows of ``stored_file``."""

from __future__ import annotations

import hashlib
import os
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import sqlalchemy as sa

from lms_bridge.core import jobs
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import InputError, NotFound, Place
from lms_bridge.core.i18n import N_
from lms_bridge.core.models import StoredFile

_root: Path | None = None

CHUNK = 1024 * 1024


def configure(root: Path) -> None:
    """Keep files under ``root``, which is made when needed and readable to this user alone."""
    global _root
    _root = root


def _place_of(sha256: str) -> Path:
    assert _root is not None, "files.configure() was not called"
    return _root / sha256[:2] / sha256


def store(
    stream: BinaryIO,
    *,
    name: str,
    media_type: str,
    purpose: str,
    max_bytes: int,
    owner_id: int | None = None,
    organisation_id: int | None = None,
    delete_after: datetime | None = None,
) -> StoredFile:
    """Copy ``stream`` into the store in bounded memory and add its row to the transaction in force.

    :raises InputError: longer than ``max_bytes``, or empty.
    """
    assert _root is not None, "files.configure() was not called"
    _root.mkdir(parents=True, exist_ok=True, mode=0o700)
    digest, size = hashlib.sha256(), 0
    with tempfile.NamedTemporaryFile(dir=_root, delete=False) as temporary:
        try:
            while chunk := stream.read(CHUNK):
                size += len(chunk)
                if size > max_bytes:
                    raise InputError(
                        N_("The file is larger than %(limit)s MB."),
                        place=Place(file=name),
                        remedy=N_("Make it smaller or split it."),
                        limit=max(1, max_bytes // CHUNK),
                    )
                digest.update(chunk)
                temporary.write(chunk)
            if size == 0:
                raise InputError(
                    N_("The file is empty."), place=Place(file=name), remedy=N_("Choose the right file and try again.")
                )
            temporary.flush()
            os.fsync(temporary.fileno())
            target = _place_of(digest.hexdigest())
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.replace(temporary.name, target)
        except BaseException:
            Path(temporary.name).unlink(missing_ok=True)
            raise
    row = StoredFile(
        sha256=digest.hexdigest(),
        size=size,
        media_type=media_type,
        name=Path(name.replace("\\", "/")).name[:255] or "file",
        purpose=purpose,
        owner_id=owner_id,
        organisation_id=organisation_id,
        delete_after=delete_after,
    )
    db.session.add(row)
    db.session.flush()
    return row


def path_of(file: StoredFile) -> Path:
    """Where the bytes of ``file`` lie.

    :raises NotFound: they are gone.
    """
    path = _place_of(file.sha256)
    if not path.exists():
        raise NotFound()
    return path


@jobs.job("core.files.expire", daily_at=3)
def delete_expired(day: str) -> None:
    """Delete rows past their retention, then bytes that no row names and that are older than a day."""
    with transaction() as session:
        session.execute(sa.delete(StoredFile).where(StoredFile.delete_after < now()))
    if _root is None or not _root.exists():
        return
    limit = (now() - timedelta(days=1)).timestamp()
    for path in _root.glob("*/*"):
        if path.stat().st_mtime < limit and not db.session.scalar(
            sa.select(StoredFile.id).where(StoredFile.sha256 == path.name).limit(1)
        ):
            path.unlink(missing_ok=True)
