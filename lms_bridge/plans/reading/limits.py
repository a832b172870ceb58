"""How much of a file from outside is looked at, and what looking at it may cost."""

from __future__ import annotations

from dataclasses import dataclass

MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """Bounds for one document; what exceeds one of them is refused, never cut off.

    A term's plan of 120 units with all columns filled is about 100 KB as .docx and 1 MB unpacked, so the defaults
    leave room for pictures and long texts. ``packing_ratio`` counts once ``packing_floor`` bytes are exceeded:
    small parts of honest documents pack very well too. Memory, processor and wall-clock time are those of the child
    process that opens .docx and .xlsx files.
    """

    file_bytes: int = 20 * MEGABYTE
    entries: int = 2_000
    unpacked_bytes: int = 120 * MEGABYTE
    part_bytes: int = 20 * MEGABYTE
    packing_ratio: int = 200
    packing_floor: int = 10 * MEGABYTE
    tables: int = 200
    rows: int = 2_000
    paragraphs: int = 10_000
    units: int = 500
    columns: int = 64
    cell_characters: int = 20_000
    text_characters: int = 4_000_000
    memory_bytes: int = 768 * MEGABYTE
    cpu_seconds: int = 8
    wall_seconds: float = 15.0


class Refused(Exception):
    """The document cannot be read; ``code`` names an entry of ``refusals.REFUSALS``, ``params`` fill its texts."""

    def __init__(self, code: str, **params: str | int) -> None:
        super().__init__(code)
        self.code = code
        self.params = params
