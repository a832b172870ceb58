"""The files of a folder or zip of plans, with what of them is refused or passed over before any is read."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from lms_bridge.core.errors import InputError, Place
from lms_bridge.core.i18n import N_
from lms_bridge.plans.reading.package import DAMAGE

ENTRIES = 1_000
UNPACKED_BYTES = 150 * 1024 * 1024
PACKING_RATIO, PACKING_FLOOR = 200, 10 * 1024 * 1024
LIST = "plans.csv"
_UTF8, _ENCRYPTED = 0x800, 0x1
_ARCHIVES = (".zip", ".rar", ".7z", ".gz", ".tar")
_HEADS = {"file": "file", "文件": "file", "class": "class", "班级": "class", "subject": "subject", "学科": "subject"}


@dataclass
class Entry:
    """A file: its path as people know it, its bytes, or why it is refused unread."""

    path: str
    data: bytes = b""
    refusal: InputError | None = None


@dataclass
class Listed:
    """A row of ``plans.csv``: which class and subject it says a file is for."""

    row: int
    group: str
    subject: str


@dataclass
class Contents:
    """The files in the order of their paths, and what ``plans.csv`` says of them by path."""

    entries: list[Entry] = field(default_factory=list)
    listed: dict[str, Listed] = field(default_factory=dict)


def contents(source: Path, name: str, *, file_bytes: int) -> Contents:
    """What is in the folder or zip at ``source``.

    :raises InputError: it is no zip, damaged, or unpacks to more than the limits.
    """
    found = Contents()
    entries = _folder(source, file_bytes) if source.is_dir() else _zip(source, name, file_bytes)
    for entry in sorted(entries, key=lambda e: e.path):
        if entry.path.rpartition("/")[2].lower() == LIST and entry.refusal is None:
            found.listed |= _list(entry)
        else:
            found.entries.append(entry)
    if not found.entries:
        raise InputError(
            N_("There is no file in it."), place=Place(file=name), remedy=N_("Put the plans into it and try again.")
        )
    return found


def _passed_over(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return not parts or "__MACOSX" in parts or parts[-1].startswith(("~$", ".")) or parts[-1] == "Thumbs.db"


def _folder(folder: Path, file_bytes: int) -> Iterator[Entry]:
    paths = [p for p in sorted(folder.rglob("*")) if p.is_file() and not p.is_symlink()]
    if len(paths) > ENTRIES:
        raise _too_many(folder.name)
    for path in paths:
        relative = path.relative_to(folder).as_posix()
        if not _passed_over(relative):
            with path.open("rb") as stream:
                yield _entry(relative, stream, file_bytes)


def _zip(source: Path, name: str, file_bytes: int) -> Iterator[Entry]:
    try:
        with zipfile.ZipFile(source) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
            _check(infos, name)
            for info in infos:
                path = _name(info)
                if not _passed_over(path):
                    yield _member(archive, info, path, file_bytes)
    except DAMAGE as error:
        raise InputError(
            N_("This is not a zip file, or it is damaged."), place=Place(file=name), remedy=N_("Pack the folder anew.")
        ) from error


def _check(infos: list[zipfile.ZipInfo], name: str) -> None:
    if len(infos) > ENTRIES:
        raise _too_many(name)
    unpacked, packed = sum(i.file_size for i in infos), sum(i.compress_size for i in infos)
    if unpacked > UNPACKED_BYTES or (unpacked > PACKING_FLOOR and unpacked > packed * PACKING_RATIO):
        raise InputError(
            N_("The zip file unpacks to far too much."), place=Place(file=name), remedy=N_("Pack only the plans.")
        )


def _too_many(name: str) -> InputError:
    return InputError(
        N_("There are more than %(limit)s files in it."), place=Place(file=name), limit=ENTRIES,
        remedy=N_("Divide it into several."),
    )  # fmt: skip


def _name(info: zipfile.ZipInfo) -> str:
    """The name of an entry. Without the mark for UTF-8 it is in the packer's own code: GB18030 in China, though
    macOS writes UTF-8 and leaves the mark out (PKWARE APPNOTE, appendix D)."""
    if info.flag_bits & _UTF8:
        return info.filename.replace("\\", "/")
    raw = info.orig_filename.encode("cp437", "replace")
    for code in ("utf-8", "gb18030"):
        try:
            return raw.decode(code).replace("\\", "/")
        except UnicodeDecodeError:
            continue
    return info.filename.replace("\\", "/")


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: str, file_bytes: int) -> Entry:
    if path.startswith("/") or ".." in PurePosixPath(path).parts or ":" in path:
        return _refused(path, N_("The file's path leads out of the zip file."), N_("Pack the folder anew."))
    if info.flag_bits & _ENCRYPTED:
        return _refused(path, N_("The file is protected by a password."), N_("Pack it without a password."))
    try:
        with archive.open(info) as stream:
            return _entry(path, stream, file_bytes)  # type: ignore[arg-type]
    except (*DAMAGE, NotImplementedError):
        return _refused(path, N_("The file is damaged."), N_("Pack the folder anew."))


def _entry(path: str, stream: BinaryIO, file_bytes: int) -> Entry:
    if path.lower().endswith(_ARCHIVES):
        return _refused(path, N_("This is an archive within the archive."), N_("Unpack it and pack its files."))
    data = stream.read(file_bytes + 1)
    if len(data) > file_bytes:
        return _refused(path, N_("The file is too large."), N_("Make it smaller or split it."))
    if not data:
        return _refused(path, N_("The file is empty."), N_("Choose the right file and try again."))
    return Entry(path, data)


def _refused(path: str, message: str, remedy: str) -> Entry:
    return Entry(path, refusal=InputError(message, place=Place(file=path), remedy=remedy))


def _list(entry: Entry) -> dict[str, Listed]:
    rows = _rows(entry)
    heads = [_HEADS.get(cell.strip().lower(), "") for cell in next(rows, [])]
    if not {"file", "class", "subject"} <= set(heads):
        raise InputError(
            N_("plans.csv needs the columns file, class and subject."), place=Place(file=entry.path, row=1),
            remedy=N_("Write them into its first row."),
        )  # fmt: skip
    folder = entry.path.rpartition("/")[0]
    found = {}
    for number, row in enumerate(rows, start=2):
        cells = dict(zip(heads, (cell.strip() for cell in row), strict=False))
        if cells.get("file"):
            path = cells["file"].replace("\\", "/")
            listed = Listed(number, cells.get("class", ""), cells.get("subject", ""))
            found[f"{folder}/{path}" if folder else path] = listed
    return found


def _rows(entry: Entry) -> Iterator[list[str]]:
    """The rows of a list.

    :raises InputError: one of them cannot be read; names it.
    """
    try:
        text = entry.data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = entry.data.decode("gb18030", "replace")
    rows = csv.reader(io.StringIO(text))
    number = 0
    while True:
        number += 1
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:  # a field that is longer than any file name, mostly from a quotation mark left open
            raise InputError(
                N_("This row of the list cannot be read: a field in it is far too long."),
                place=Place(file=entry.path, row=number),
                remedy=N_("Look for a quotation mark that is not closed, and write file, class and subject again."),
            ) from error
        yield row
