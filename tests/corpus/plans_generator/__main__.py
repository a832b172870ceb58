"""Writes documents of the corpus, each with its expectation beside it.

    python -m tests.corpus.plans_generator tests/corpus/plans              # the kept ones, again
    python -m tests.corpus.plans_generator tests/corpus/plans --group blind  # only those of the blind layouts
    python -m tests.corpus.plans_generator FOLDER --seed 7 --count 500     # fresh ones

The kept ones are the same at every run, but for those that LibreOffice saves again (``--resave``, which needs
``soffice``).
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.corpus.plans_generator.collection import BLIND, KNOWING, fresh
from tests.corpus.plans_generator.made import Made

KEPT_SEED = 2026
GROUPS = {"knowing": (KNOWING, 3), "blind": (BLIND, 2)}
"""The kept documents: two groups of layouts, and how many documents of each layout; each group is numbered anew, so
that layouts added to one do not change the other's documents."""

RESAVED = {".docx": ("docx", "odt", "docx"), ".xlsx": ("xlsx", "ods", "xlsx", "xls")}
"""What LibreOffice saves documents of each kind as."""
RESAVED_EACH = 6
"""About how many; every so many documents, so that different layouts are met."""


def write(folder: Path, name: str, made: Made) -> Path:
    """The document and its expectation; the document's path."""
    path = folder / f"{name}{made.suffix}"
    path.write_bytes(made.data)
    text = json.dumps(made.expected, ensure_ascii=False, indent=1, sort_keys=True)
    (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    return path


def resave(source: Path, ending: str, folder: Path) -> None:
    """Let LibreOffice open a document and save it in a form; the expectation stays what it was."""
    soffice = shutil.which("soffice")
    if soffice is None:
        raise SystemExit("soffice is not installed: the documents that LibreOffice saves again were not made.")
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run(
            [soffice, "--headless", f"-env:UserInstallation=file://{scratch}/profile", "--convert-to", ending,
             "--outdir", f"{scratch}/out", str(source)],
            check=True, capture_output=True, timeout=120,
        )  # fmt: skip
        (made,) = Path(scratch, "out").iterdir()
        name = f"{source.stem}-libreoffice-{ending}"
        shutil.copyfile(made, folder / f"{name}.{ending}")
    shutil.copyfile(source.with_suffix(".json"), folder / f"{name}.json")


def keep(folder: Path, *, again: bool, groups: Sequence[str] = tuple(GROUPS)) -> int:
    """The kept corpus, or only some of its groups; how many documents were made."""
    count = 0
    for group in groups:
        layouts, each = GROUPS[group]
        paths = [write(folder, name, made) for name, made in fresh(len(layouts) * each, KEPT_SEED, layouts)]
        count += len(paths)
        if not again:
            continue
        for suffix, endings in RESAVED.items():
            sources = [path for path in paths if path.suffix == suffix]
            for index, source in enumerate(sources[:: len(sources) // RESAVED_EACH + 1]):
                resave(source, endings[index % len(endings)], folder)
    return count


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="plans_generator", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--resave", action="store_true", help="also save some again with LibreOffice")
    parser.add_argument("--group", choices=list(GROUPS), help="only the kept documents of this group")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    if options.seed is None:
        groups = (options.group,) if options.group else tuple(GROUPS)
        count = keep(options.folder, again=options.resave, groups=groups)
    else:
        count = sum(1 for name, made in fresh(options.count, options.seed) if write(options.folder, name, made))
    sys.stdout.write(f"{count} documents in {options.folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
