"""Measures the import of a generated OneRoster zip against reading the same zip with the csv module alone.

    python benchmarks/roster_import.py [--users 100000] [--database-url URL] [--runs 3]

Reading and importing run in child processes of their own, which report their processor time (so that other work on
the machine does not decide the ratio), wall-clock time, and peak memory as the operating system counted it
(``getrusage``). The database is a fresh SQLite file unless an address is given. Exit code 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from datetime import date
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

RATIO_TARGET = 25.0
PEAK_TARGET_MB = 400
READS = 3
UNITS = ("cpu_seconds", "wall_seconds")


def read_alone(path: Path) -> dict[str, float]:
    """Read every row of every file of the zip with ``csv.reader``, and nothing else."""
    begun, rows = _clock(), 0
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            with archive.open(name) as raw, io.TextIOWrapper(raw, encoding="utf-8-sig", newline="") as text:
                for _ in csv.reader(text):
                    rows += 1
    return _measured(begun) | {"rows": rows}


def import_it(path: Path, folder: Path, database_url: str) -> dict[str, float]:
    """Import the zip into an empty database; the clock runs from the open file to the commit."""
    from lms_bridge.core.database import Base, db, transaction
    from lms_bridge.core.settings import Environment, load
    from lms_bridge.roster.oneroster import import_roster
    from lms_bridge.web.app import create_app

    app = create_app(
        load(environment=Environment.TEST, data_dir=folder, database_url=database_url, log_level="WARNING")
    )
    with app.app_context():
        if database_url:
            Base.metadata.drop_all(db.engine)
        Base.metadata.create_all(db.engine)
        begun = _clock()
        with transaction():
            result = import_roster(path, name=path.name, actor_uid=None)
        return _measured(begun) | {"users": result.counts["users"].new}


def _clock() -> tuple[float, float]:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime, time.perf_counter()


def _measured(begun: tuple[float, float]) -> dict[str, float]:
    cpu, wall = _clock()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"cpu_seconds": cpu - begun[0], "wall_seconds": wall - begun[1], "peak_mb": peak}


def _child(*arguments: str) -> dict[str, float]:
    command = [sys.executable, str(Path(__file__).resolve()), *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    answer: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return answer


def measure(users: int, database_url: str, runs: int) -> bool:
    """Print the measurements; whether both targets were met."""
    from lms_bridge.roster.generate import city_shape, term_of, write_roster

    with tempfile.TemporaryDirectory(prefix="roster-benchmark-") as name:
        folder = Path(name)
        path = folder / "roster.zip"
        shape = city_shape(users)
        write_roster(path, shape, seed=1, term=term_of(date(2026, 11, 23)))
        print(f"roster: {shape.users()} users, {len(shape.campuses)} campuses, {path.stat().st_size / 1e6:.1f} MB zip")
        alone, imports = [], []
        for n in range(runs):
            # In turn, so that a machine whose speed changes is as quick for the one as for the other.
            alone += [_child("--read", str(path)) for _ in range(READS)]
            target = str(folder / f"run-{n}")
            imports.append(_child("--import", str(path), "--folder", target, "--database-url", database_url))
            alone += [_child("--read", str(path)) for _ in range(READS)]
    read, done = ({unit: median(m[unit] for m in runs) for unit in UNITS} for runs in (alone, imports))
    print(
        f"csv alone: {read['cpu_seconds']:.2f} s processor, {read['wall_seconds']:.2f} s, {alone[0]['rows']:.0f} rows"
    )
    print(
        f"import: {done['cpu_seconds']:.2f} s processor, {done['wall_seconds']:.2f} s, {imports[0]['users']:.0f} users"
    )
    # What a person waits for counts: the greater of the two ratios.
    ratio = max(done[unit] / read[unit] for unit in UNITS)
    peak = max(m["peak_mb"] for m in imports)
    fast, small = ratio <= RATIO_TARGET, peak <= PEAK_TARGET_MB
    print(f"result: roster_import_time_ratio {ratio:.1f} (target <= {RATIO_TARGET}) {'ok' if fast else 'short'}")
    print(f"result: roster_import_peak_mb {peak:.0f} (target <= {PEAK_TARGET_MB}) {'ok' if small else 'short'}")
    return fast and small


def main() -> int:
    """The command; the options ``--read`` and ``--import`` are for its own child processes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--database-url", default="")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--read", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--import", type=Path, dest="path", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read:
        print(json.dumps(read_alone(options.read)))
        return 0
    if options.path:
        options.folder.mkdir()
        print(json.dumps(import_it(options.path, options.folder, options.database_url)))
        return 0
    return 0 if measure(options.users, options.database_url, options.runs) else 1


if __name__ == "__main__":
    sys.exit(main())
