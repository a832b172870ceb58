"""The private file store: bounded, private, once for the same bytes, and emptied when the time is over."""

from __future__ import annotations

import os
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from lms_bridge.core import clock, files
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import InputError, NotFound
from lms_bridge.core.models import StoredFile
from lms_bridge.core.settings import Settings


def stored(content: bytes, *, name: str = "plan.docx", max_bytes: int = 1000, **more: object) -> StoredFile:
    """``content`` in the store."""
    with transaction():
        return files.store(
            BytesIO(content),
            name=name,
            media_type="text/plain",
            purpose="plan",
            max_bytes=max_bytes,
            **more,  # type: ignore[arg-type]
        )


def bytes_kept(settings: Settings) -> list[Path]:
    """Everything that lies in the store."""
    return [path for path in (settings.data_dir / "files").rglob("*") if path.is_file()]


def test_what_is_stored_is_what_comes_back(app: Flask) -> None:
    file = stored("教案".encode())
    assert files.path_of(file).read_bytes() == "教案".encode()
    assert (file.name, file.size) == ("plan.docx", 6)


def test_the_same_bytes_lie_there_once(app: Flask, settings: Settings) -> None:
    first, second = stored(b"same"), stored(b"same", name="copy.docx")
    assert first.uid != second.uid
    assert len(bytes_kept(settings)) == 1


@pytest.mark.parametrize("content", [b"", b"x" * 1001])
def test_an_empty_or_too_large_file_is_refused_and_leaves_nothing(
    app: Flask, settings: Settings, content: bytes
) -> None:
    with pytest.raises(InputError) as refusal:
        stored(content)
    assert str(refusal.value.place) == "plan.docx"
    assert refusal.value.remedy_text()
    assert bytes_kept(settings) == []
    assert db.session.scalar(sa.select(sa.func.count()).select_from(StoredFile)) == 0


@pytest.mark.parametrize("name", ["../../etc/passwd", "C:\\Users\\li\\plan.docx", "/plan.docx", "x" * 400])
def test_a_name_from_outside_never_becomes_a_path(app: Flask, settings: Settings, name: str) -> None:
    file = stored(b"content", name=name)
    assert "/" not in file.name
    assert "\\" not in file.name
    assert len(file.name) <= 255
    assert files.path_of(file).is_relative_to(settings.data_dir / "files")


def test_files_are_readable_to_this_user_alone(app: Flask, settings: Settings) -> None:
    file = stored(b"content")
    for path in (files.path_of(file), settings.data_dir / "files"):
        assert path.stat().st_mode & 0o077 == 0


def test_a_file_whose_time_is_over_goes_and_a_copy_with_more_time_keeps_the_bytes(app: Flask) -> None:
    brief = stored(b"same", delete_after=clock.now() + timedelta(days=1))
    lasting = stored(b"same", name="copy.docx")
    alone = stored(b"alone", delete_after=clock.now() + timedelta(days=1))
    gone, old = files.path_of(alone), (clock.now() - timedelta(days=2)).timestamp()
    for path in (gone, files.path_of(brief)):
        os.utime(path, (old, old))
    with clock.at(clock.now() + timedelta(days=3)):
        files.delete_expired("today")
    assert [row.uid for row in db.session.scalars(sa.select(StoredFile))] == [lasting.uid]
    assert files.path_of(lasting).read_bytes() == b"same"
    assert not gone.exists()


def test_bytes_that_are_gone_are_not_found(app: Flask) -> None:
    file = stored(b"content")
    files.path_of(file).unlink()
    with pytest.raises(NotFound):
        files.path_of(file)
