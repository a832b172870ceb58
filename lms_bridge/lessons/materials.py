"""Materials of a lesson: videos, files, links and notes that the teacher puts into its classroom."""

from __future__ import annotations

import posixpath
from typing import BinaryIO
from urllib.parse import SplitResult, urlsplit

import sqlalchemy as sa

from lms_bridge.core import audit, files
from lms_bridge.core.application import current_settings
from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.core.errors import InputError, NotFound
from lms_bridge.core.i18n import N_
from lms_bridge.core.models import StoredFile
from lms_bridge.lessons import filetypes
from lms_bridge.lessons.models import LessonMaterial, MaterialKind
from lms_bridge.roster.models import Person
from lms_bridge.timetable.models import Lesson

PURPOSE = "lesson_material"
TITLE_LENGTH = 200
NOTE_LENGTH = 10_000
MOST = 50
"""So many materials may one lesson have."""

PLAYABLE = {".mp4": "video/mp4", ".m4v": "video/mp4", ".webm": "video/webm", ".m3u8": "application/vnd.apple.mpegurl"}
"""Endings of addresses that a browser's own player can try, with the media type."""


def materials_of(lesson_id: int) -> list[LessonMaterial]:
    """What is shown in the lesson, in order."""
    return list(
        db.session.scalars(
            sa.select(LessonMaterial)
            .where(LessonMaterial.lesson_id == lesson_id, LessonMaterial.removed_at.is_(None))
            .order_by(LessonMaterial.position, LessonMaterial.id)
        )
    )


def add_note(lesson: Lesson, author: Person, *, title: str, text: str) -> LessonMaterial:
    """A text for the class. Flushes, with an audit entry.

    :raises InputError: nothing was written, or too much.
    """
    text = text.replace("\r\n", "\n").strip()
    if not text:
        raise InputError(N_("The note is empty."), remedy=N_("Write the text, then press the button again."))
    if len(text) > NOTE_LENGTH:
        raise InputError(
            N_("The note has %(length)s characters; %(most)s are possible."),
            remedy=N_("Shorten it, or add it as a file."),
            length=len(text),
            most=NOTE_LENGTH,
        )
    return _add(lesson, author, MaterialKind.NOTE, title or text.splitlines()[0], text=text)


def add_address(lesson: Lesson, author: Person, kind: MaterialKind, *, title: str, url: str) -> LessonMaterial:
    """A video by its address, or a link. Flushes, with an audit entry.

    :raises InputError: not a whole https address.
    """
    url = url.strip()
    parts = _split(url)
    if parts is None:
        raise InputError(
            N_('"%(url)s" is not an address that can be opened safely.'),
            remedy=N_("Copy the whole address from the browser; it begins with https://."),
            url=url[:100],
        )
    name = posixpath.basename(parts.path) or parts.hostname or url
    return _add(lesson, author, kind, title or name, url=url)


def _split(url: str) -> SplitResult | None:
    if len(url) > 1000 or any(c.isspace() or ord(c) < 32 for c in url):
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    safe = parts.scheme.lower() == "https" and parts.hostname and "." in parts.hostname and not parts.username
    return parts if safe else None


def add_video(lesson: Lesson, author: Person, *, title: str, stream: BinaryIO, name: str) -> LessonMaterial:
    """A video file, up to ``max_video_bytes``. Flushes, with an audit entry.

    :raises InputError: not a playable video, empty, or too large.
    """
    kind = filetypes.video_type(stream, name)
    return _add_file(
        lesson, author, MaterialKind.VIDEO, title, stream, name, kind.media_type, current_settings().max_video_bytes
    )


def add_file(lesson: Lesson, author: Person, *, title: str, stream: BinaryIO, name: str) -> LessonMaterial:
    """A document, picture or sound, up to ``max_upload_bytes``. Flushes, with an audit entry.

    :raises InputError: a kind that is not accepted, empty, or too large.
    """
    kind = filetypes.document_type(stream, name)
    return _add_file(
        lesson, author, MaterialKind.FILE, title, stream, name, kind.media_type, current_settings().max_upload_bytes
    )


def _add_file(
    lesson: Lesson,
    author: Person,
    kind: MaterialKind,
    title: str,
    stream: BinaryIO,
    name: str,
    media_type: str,
    max_bytes: int,
) -> LessonMaterial:
    stored = files.store(
        stream,
        name=name,
        media_type=media_type,
        purpose=PURPOSE,
        max_bytes=max_bytes,
        owner_id=author.id,
        organisation_id=lesson.campus_id,
    )
    return _add(lesson, author, kind, title or stored.name, file_id=stored.id)


def _add(
    lesson: Lesson,
    author: Person,
    kind: MaterialKind,
    title: str,
    *,
    text: str = "",
    url: str | None = None,
    file_id: int | None = None,
) -> LessonMaterial:
    there = materials_of(lesson.id)
    if len(there) >= MOST:
        raise InputError(
            N_("This lesson has %(count)s materials already."), remedy=N_("Remove one first."), count=len(there)
        )
    material = LessonMaterial(
        lesson_id=lesson.id,
        kind=kind,
        title=" ".join(title.split())[:TITLE_LENGTH],
        url=url,
        file_id=file_id,
        text=text,
        position=there[-1].position + 1 if there else 1,
        added_by_id=author.id,
    )
    db.session.add(material)
    db.session.flush()
    _note("material.added", lesson, author, material)
    return material


def remove(lesson: Lesson, author: Person, uid: str) -> None:
    """Take a material out of the lesson; the bytes of a file are deleted with the next clean-up. Flushes, with audit.

    :raises NotFound: the lesson has no such material.
    """
    material = find(lesson, uid)
    material.removed_at = now()
    if material.file_id is not None:
        stored = db.session.get_one(StoredFile, material.file_id)
        stored.delete_after = now()
        material.file_id = None
    db.session.flush()
    _note("material.removed", lesson, author, material)


def find(lesson: Lesson, uid: str) -> LessonMaterial:
    """The material of this lesson with this public id.

    :raises NotFound: there is none, or it was removed.
    """
    material = db.session.scalar(
        sa.select(LessonMaterial).filter_by(lesson_id=lesson.id, uid=uid).where(LessonMaterial.removed_at.is_(None))
    )
    if material is None:
        raise NotFound()
    return material


def stored_file(material: LessonMaterial) -> StoredFile:
    """The file of a material.

    :raises NotFound: it is none that has a file.
    """
    stored = db.session.get(StoredFile, material.file_id) if material.file_id is not None else None
    if stored is None:
        raise NotFound()
    return stored


def player_type(material: LessonMaterial) -> str | None:
    """The media type with which the browser's player should try this video; None: it can only be opened as a link
    (a page of a video service, which our pages do not embed)."""
    if material.kind is not MaterialKind.VIDEO:
        return None
    if material.file_id is not None:
        return stored_file(material).media_type
    path = urlsplit(material.url or "").path.lower()
    return PLAYABLE.get(posixpath.splitext(path)[1])


def _note(action: str, lesson: Lesson, author: Person, material: LessonMaterial) -> None:
    audit.record(
        action,
        "lesson",
        lesson.uid,
        actor_uid=author.uid,
        organisation_id=lesson.campus_id,
        material=material.uid,
        kind=material.kind.value,
    )
