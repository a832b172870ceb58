"""Broken copies of plan documents: bits flipped, torn off, parts of the container exchanged, texts blown up."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from random import Random

from tests.plans.making import CHINESE, ENGLISH, excel, lines, word

KINDS = ("bits", "torn", "doubled", "zeroed", "parts", "foreign", "xml", "text")


def sources(folder: Path) -> list[tuple[str, bytes]]:
    """Honest documents of every kind, as (name, content)."""
    made = [
        word(folder / "a.docx", CHINESE, ENGLISH[:2], title="七年级数学教学计划"),
        word(folder / "b.docx", ENGLISH, merges=[((1, 0), (2, 0)), ((1, 1), (1, 2))]),
        excel(folder / "a.xlsx", CHINESE, title="教学计划", merges=["A3:A4"]),
        excel(folder / "b.xlsx", ENGLISH),
    ]
    text = folder / "a.csv"
    text.write_bytes(lines(CHINESE).encode("gb18030"))
    return [(path.name, path.read_bytes()) for path in (*made, text)]


def mutated(rng: Random, documents: list[tuple[str, bytes]]) -> tuple[str, bytes]:
    """One broken document: what was done to which, and its content."""
    name, data = rng.choice(documents)
    kind = rng.choice(KINDS)
    if kind in ("parts", "foreign", "xml", "text") and not zipfile.is_zipfile(io.BytesIO(data)):
        kind = "bits"
    if kind == "bits":
        data = _bits(rng, data)
    elif kind == "torn":
        data = data[: rng.randrange(len(data))]
    elif kind == "doubled":
        at = rng.randrange(len(data))
        data = data[:at] + data[at // 2 : at] + data[at:]
    elif kind == "zeroed":
        at, length = rng.randrange(len(data)), rng.randrange(1, 2_000)
        data = data[:at] + b"\0" * length + data[at + length :]
    else:
        data = _repacked(rng, kind, data, documents)
    return f"{name}, {kind}", data


def _bits(rng: Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.randrange(1, 40)):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _repacked(rng: Random, kind: str, data: bytes, documents: list[tuple[str, bytes]]) -> bytes:
    """The container with two parts exchanged, one taken from another document, or one XML part broken."""
    parts = _parts(data)
    names = [name for name in parts if name != "[Content_Types].xml"]
    if kind == "parts":
        one, other = rng.sample(names, 2)
        parts[one], parts[other] = parts[other], parts[one]
    elif kind == "foreign":
        foreign = _parts(rng.choice([d for _, d in documents if zipfile.is_zipfile(io.BytesIO(d))]))
        parts[rng.choice(names)] = rng.choice(list(foreign.values()))
    else:
        name = max(names, key=lambda name: ("document" in name or "sheet1" in name, rng.random()))
        parts[name] = _bits(rng, parts[name]) if kind == "xml" else _words(rng, parts[name])
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return made.getvalue()


def _parts(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _words(rng: Random, xml: bytes) -> bytes:
    """Well-formed still, but some piece of the text or of an attribute says something else."""
    pieces = xml.split(b'"' if rng.random() < 0.5 else b">")
    if len(pieces) < 3:
        return xml
    joint = xml[len(pieces[0]) : len(pieces[0]) + 1]
    strange = rng.choice([b"-1", b"99999999999", "（".encode() * 500, b"A" * 5_000, b"9.9.9", "第周".encode(), b"&#0;"])
    at = rng.randrange(1, len(pieces) - 1)
    pieces[at] = strange + pieces[at][pieces[at].find(b"<") :] if joint == b">" and b"<" in pieces[at] else strange
    return joint.join(pieces)
