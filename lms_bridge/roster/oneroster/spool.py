"""What an import will write, kept in a temporary file between reading and writing, so that memory stays bounded."""

from __future__ import annotations

import marshal
import tempfile
from collections.abc import Iterator
from typing import Any

CHUNK_ROWS = 5_000
IN_MEMORY = 1024 * 1024
LENGTH_BYTES = 4

Record = tuple[Any, ...]


class Spool:
    """A list of tuples of plain values (numbers, texts, None) that may be longer than memory, read once in chunks."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - lives as long as the import
        self._chunk: list[Record] = []
        self.count = 0

    def add(self, record: Record) -> None:
        """Append one record."""
        self._chunk.append(record)
        self.count += 1
        if len(self._chunk) >= CHUNK_ROWS:
            self._write()

    def _write(self) -> None:
        # The file never leaves this process, so that marshal, the quickest of all, may read it back. Reading it from
        # bytes is ten times as quick as from a file.
        data = marshal.dumps(self._chunk)
        self._file.write(len(data).to_bytes(LENGTH_BYTES, "big"))
        self._file.write(data)
        self._chunk = []

    def chunks(self) -> Iterator[list[Record]]:
        """The records in order, at most :data:`CHUNK_ROWS` at a time."""
        if self._chunk:
            self._write()
        self._file.seek(0)
        while length := self._file.read(LENGTH_BYTES):
            data = self._file.read(int.from_bytes(length, "big"))
            yield marshal.loads(data)  # noqa: S302 - written by _write above

    def close(self) -> None:
        """Forget everything."""
        self._file.close()
