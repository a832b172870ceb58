"""The file of a form or of a multipart request, for as long as it is read."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import request

from lms_bridge.core.errors import InputError
from lms_bridge.core.i18n import N_


@contextmanager
def uploaded() -> Iterator[tuple[Path, str]]:
    """The uploaded file (field ``file``) as a path that lasts for the block, and its name.

    :raises InputError: none was chosen.
    """
    upload = request.files.get("file")
    if upload is None or not upload.filename:
        raise InputError(N_("No file was chosen."), remedy=N_("Choose the document and press the button again."))
    name = Path(upload.filename.replace("\\", "/")).name
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "upload"
        upload.save(path)
        yield path, name
