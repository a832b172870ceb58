"""The zip of a OneRoster export: opened within limits, its manifest read, its text checked to be UTF-8.

Files from outside are hostile: the number of members and the unpacked size are bounded by what the directory of the
zip declares before anything is unpacked, and :mod:`zipfile` never unpacks more of a member than was declared.
"""

from __future__ import annotations

import codecs
import csv
import io
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import IO

from lms_bridge.core.errors import InputError, Place
from lms_bridge.core.i18n import N_
from lms_bridge.roster.oneroster.problems import Problems
from lms_bridge.roster.oneroster.tables import IGNORED, TABLES, Table

MANIFEST = "manifest.csv"
MANIFEST_BYTES = 64 * 1024
MAX_MEMBERS = 200
CHUNK = 1024 * 1024
MODES = ("bulk", "delta", "absent")
MEGABYTE = 1024 * 1024
LONGEST_LINE = 100_000
MOST_LINES = 100
"""A row in quotes may run over so many lines."""

NOT_UTF_8 = N_("The file is not in UTF-8; it seems to be in %(encoding)s.")
SAVE_AS_UTF_8 = N_("Save it again as UTF-8 (in Excel and WPS: Save as, type “CSV UTF-8”) and zip it again.")


Note = tuple[str, dict[str, str]]
"""Something worth telling that is no error: a message id and its parameters."""


class Archive:
    """An open roster zip. ``version`` is "1.1" or "1.2"; ``modes`` says bulk, delta or absent for each table;
    ``line_counts`` how many lines each table's file has, once :meth:`check_text` was called."""

    def __init__(self, path: Path, name: str, max_bytes: int) -> None:
        """Open ``path``, which the person knows as ``name``.

        :raises InputError: no zip, broken, encrypted, too large or without a manifest.
        :raises BadInputs: the manifest is wrong.
        """
        self.name = name
        self.notes: list[Note] = []
        self.line_counts: dict[str, int] = {}
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError):
            raise _not_a_zip(path, name) from None
        try:
            self._members = self._find_members(max_bytes)
            self.version, self.modes = self._read_manifest()
        except BaseException:
            self._zip.close()
            raise

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._zip.close()

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables of this version, in the order in which they build upon one another."""
        return TABLES[self.version]

    def mode(self, table: str) -> str:
        """``bulk``, ``delta`` or ``absent``."""
        return self.modes.get(table, "absent")

    def present(self) -> list[Table]:
        """The tables that are to be read."""
        return [table for table in self.tables if self.mode(table.name) != "absent"]

    def size(self, table: Table) -> int:
        """The unpacked size of a table's file in bytes."""
        return self._members[table.file].file_size

    def open(self, file: str) -> IO[bytes]:
        """The unpacked bytes of ``file``, as a stream."""
        return self._zip.open(self._members[file])

    def check_text(self, problems: Problems) -> None:
        """Read every table once: whole, undamaged, UTF-8. Each file that is not is named."""
        for table in self.present():
            try:
                self._check_member(table.file, problems)
            except (zipfile.BadZipFile, zlib.error, EOFError, OSError):
                problems.add(
                    N_("The file is damaged inside the zip."),
                    file=table.file,
                    remedy=N_("Make the zip again and send the new one."),
                )

    def _check_member(self, file: str, problems: Problems) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")()
        lines = _LineCheck()
        with self.open(file) as stream:
            while chunk := stream.read(CHUNK):
                try:
                    decoder.decode(chunk)
                except UnicodeDecodeError as error:
                    problems.add(
                        NOT_UTF_8,
                        file=file,
                        row=lines.count + error.object.count(b"\n", 0, error.start),
                        remedy=SAVE_AS_UTF_8,
                        encoding=guess_encoding(error.object),
                    )
                    return
                if b"\0" in chunk:
                    problems.add(
                        N_("The file holds zero bytes; it is no CSV text."),
                        file=file,
                        row=lines.count + chunk.count(b"\n", 0, chunk.index(b"\0")),
                        remedy=N_("Export it again as CSV in UTF-8."),
                    )
                    return
                if not lines.feed(chunk):
                    break
        lines.name_broken(file, problems)
        self.line_counts[file] = lines.count - 1

    def _find_members(self, max_bytes: int) -> dict[str, zipfile.ZipInfo]:
        infos = [i for i in self._zip.infolist() if not i.is_dir() and not i.filename.startswith("__MACOSX/")]
        if len(infos) > MAX_MEMBERS:
            raise InputError(
                N_("The zip holds %(count)s files; a roster has at most %(limit)s."),
                place=Place(file=self.name),
                remedy=N_("Put only the CSV files of the roster into it."),
                count=len(infos),
                limit=MAX_MEMBERS,
            )
        size = sum(info.file_size for info in infos)
        if size > max_bytes:
            raise InputError(
                N_("Unpacked, the zip would be %(size)s MB; at most %(limit)s MB are allowed."),
                place=Place(file=self.name),
                remedy=N_("Split the roster, or ask the administrator to raise LMS_BRIDGE_ROSTER_MAX_BYTES."),
                size=size // MEGABYTE,
                limit=max_bytes // MEGABYTE,
            )
        if any(info.flag_bits & 1 for info in infos):
            raise InputError(
                N_("The zip is protected by a password."),
                place=Place(file=self.name),
                remedy=N_("Make it again without a password."),
            )
        return self._under_one_folder(infos)

    def _under_one_folder(self, infos: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
        """The files beside the manifest; a zip of a folder has them all one level down."""
        manifests = [i for i in infos if PurePosixPath(i.filename).name.lower() == MANIFEST]
        if len(manifests) != 1:
            raise self._no_one_manifest(infos, len(manifests))
        folder = PurePosixPath(manifests[0].filename).parent
        members: dict[str, zipfile.ZipInfo] = {}
        for info in infos:
            path = PurePosixPath(info.filename)
            if path.parent != folder:
                continue
            if path.name in members:
                raise InputError(
                    N_("The zip holds %(file)s twice."),
                    place=Place(file=self.name),
                    remedy=N_("Make the zip again with one of them."),
                    file=path.name,
                )
            members[path.name] = info
        members.setdefault(MANIFEST, manifests[0])
        return members

    def _no_one_manifest(self, infos: list[zipfile.ZipInfo], count: int) -> InputError:
        if count:
            return InputError(
                N_("The zip holds more than one manifest.csv."),
                place=Place(file=self.name),
                remedy=N_("Put one roster into one zip."),
            )
        if any(i.filename.lower().endswith((".zip", ".rar", ".7z")) for i in infos):
            remedy = N_("There is another archive inside: unpack it and send that one.")
        else:
            remedy = N_("Export the roster as OneRoster 1.1 or 1.2 CSV; manifest.csv says what the zip holds.")
        return InputError(N_("There is no manifest.csv in the zip."), place=Place(file=self.name), remedy=remedy)

    def _read_manifest(self) -> tuple[str, dict[str, str]]:
        problems = Problems(self.name)
        lines = self._manifest_lines()
        properties = {line[0].strip(): (n, line[1].strip()) for n, line in enumerate(lines, 1) if len(line) >= 2}
        row, text = properties.get("oneroster.version", (None, ""))
        version = text if text in TABLES else ""
        if not version:
            problems.add(
                N_("The version of OneRoster is missing or unknown."),
                file=MANIFEST,
                row=row,
                column="oneroster.version",
                value=text,
                remedy=N_("1.1 or 1.2 would be right."),
            )
            problems.refuse_if_any()
        modes: dict[str, str] = {}
        for name, (number, value) in properties.items():
            if name.startswith("file."):
                self._read_mode(name.removeprefix("file."), number, value.lower(), version, modes, problems)
        self._name_left_out(version, modes)
        problems.refuse_if_any()
        return version, modes

    def _read_mode(
        self, table: str, row: int, mode: str, version: str, modes: dict[str, str], problems: Problems
    ) -> None:
        if mode not in MODES:
            problems.add(
                N_("This is no way of processing."),
                file=MANIFEST,
                row=row,
                column=f"file.{table}",
                value=mode,
                remedy=N_("bulk, delta or absent would be right."),
            )
        elif mode == "absent":
            return
        elif table in {t.name for t in TABLES[version]}:
            modes[table] = mode
            if f"{table}.csv" not in self._members:
                problems.add(
                    N_("The manifest promises %(file_name)s, but the zip does not hold it."),
                    file=MANIFEST,
                    row=row,
                    column=f"file.{table}",
                    value=mode,
                    remedy=N_("Add the file, or write absent."),
                    file_name=f"{table}.csv",
                )

    def _name_left_out(self, version: str, modes: dict[str, str]) -> None:
        """Notes about files that are in the zip and not read."""
        known = {t.name for t in TABLES[version]}
        for file in sorted(self._members):
            table = file.removesuffix(".csv")
            if file == MANIFEST or table in modes:
                continue
            if table in known:
                self.notes.append((N_("%(file)s was not read: the manifest calls it absent."), {"file": file}))
            elif table in IGNORED:
                self.notes.append((N_("%(file)s was not read: it is not needed here."), {"file": file}))
            else:
                self.notes.append((N_("%(file)s was not read: OneRoster has no such file."), {"file": file}))

    def _manifest_lines(self) -> list[list[str]]:
        try:
            with self.open(MANIFEST) as stream:
                raw = stream.read(MANIFEST_BYTES)
            return list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))
        except UnicodeDecodeError as error:
            raise InputError(
                NOT_UTF_8,
                place=Place(file=MANIFEST),
                remedy=SAVE_AS_UTF_8,
                encoding=guess_encoding(error.object),
            ) from None
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, csv.Error, NotImplementedError):
            raise InputError(
                N_("The file is damaged inside the zip."),
                place=Place(file=MANIFEST),
                remedy=N_("Make the zip again and send the new one."),
            ) from None


class _LineCheck:
    """Watches a CSV file go by for lines and quoted texts so long that reading them would fill the memory."""

    def __init__(self) -> None:
        self.count = 1
        """The number of the line that the next byte belongs to."""
        self._length = 0
        self._opened: int | None = None
        self._too_long = False

    def feed(self, chunk: bytes) -> bool:
        """Look at the next bytes; False once something is wrong."""
        pieces = chunk.split(b"\n")
        self._too_long = self._length + len(pieces[0]) > LONGEST_LINE or max(map(len, pieces)) > LONGEST_LINE
        self._length = len(pieces[-1]) + (self._length if len(pieces) == 1 else 0)
        if self._too_long:
            return False
        if self._opened is None and b'"' not in chunk:
            self.count += len(pieces) - 1
            return True
        for piece in pieces:
            if piece.count(b'"') % 2:
                self._opened = self.count if self._opened is None else None
            if self._opened is not None and self.count - self._opened > MOST_LINES:
                return False
            self.count += 1
        self.count -= 1
        return True

    def name_broken(self, file: str, problems: Problems) -> None:
        """Name what was found, once all was fed."""
        if self._too_long:
            problems.add(
                N_("A line is longer than any row of a roster."),
                file=file,
                remedy=N_("Export the file again; every row is a line of its own."),
            )
        elif self._opened is not None:
            problems.add(
                N_("A quote is opened here and never closed."),
                file=file,
                row=self._opened,
                remedy=N_("Close it; a quote within a text is written twice, and the whole text stands in quotes."),
            )


def guess_encoding(raw: bytes) -> str:
    """The name of the encoding that ``raw`` is probably in, for a message to people."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")) or raw[:200].count(b"\0") > 20:
        return "UTF-16"
    decoder = codecs.getincrementaldecoder("gb18030")()
    try:
        text = decoder.decode(raw)
    except UnicodeDecodeError:
        return "Windows-1252"
    return "GBK" if any("\u4e00" <= c <= "\u9fff" for c in text) else "Windows-1252"


def _not_a_zip(path: Path, name: str) -> InputError:
    start = b""
    if path.is_file():
        with path.open("rb") as stream:
            start = stream.read(8)
    if start.startswith(b"PK"):
        remedy = N_("The upload or the export was cut off: make the zip again and send the new one.")
    elif start.startswith((b"Rar!", b"7z\xbc\xaf")):
        remedy = N_("It is another kind of archive: unpack it and make a zip of its files.")
    else:
        remedy = N_("Choose the zip that the school information system exported as OneRoster CSV.")
    return InputError(N_("This is no zip file that can be read."), place=Place(file=name), remedy=remedy)
