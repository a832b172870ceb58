"""Sends broken plan documents through the reader and measures what they can do to the service.

    python benchmarks/mutated_plans.py [--files 2000] [--seed 1] [--parallel 2]

Bits are flipped, files torn off, parts of the container exchanged or taken from other documents, texts blown up. Each
file is read as an upload is: in a child process of its own. Targets: nothing but a plan or a refusal, no file takes
10 seconds, and this process (which stands for the web server) does not grow. Exit code 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import gc
import sys
import tempfile
import time
import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

SLOWEST_TARGET = 10.0
GROWTH_TARGET_MB = 16
# The first files load modules and fill caches; growth counts from here.
WARM_UP = 200


@dataclass(frozen=True)
class Outcome:
    """What one file led to, and how long it took in seconds."""

    what: str
    kind: str
    seconds: float
    crash: str = ""


def read_one(what: str, path: Path) -> Outcome:
    """Read one broken file as an upload."""
    from lms_bridge.core.errors import BridgeError
    from lms_bridge.plans.reading import read_plan

    begun = time.perf_counter()
    try:
        read_plan(path, name=what)
        kind, crash = "read", ""
    except BridgeError:
        kind, crash = "refused", ""
    except Exception:
        kind, crash = "crashed", traceback.format_exc(limit=-3)
    return Outcome(what, kind, time.perf_counter() - begun, crash)


def resident_mb() -> float:
    """Memory of this process that is in use now, as the kernel counts it."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1024 / 1024


def run(files: int, seed: int, parallel: int) -> bool:
    """Read ``files`` broken documents and print the measurements; whether all targets were met."""
    from tests.plans.mutating import mutated, sources

    rng = Random(seed)
    outcomes: list[Outcome] = []
    base = 0.0
    with tempfile.TemporaryDirectory(prefix="mutated-") as name, ThreadPoolExecutor(parallel) as pool:
        folder = Path(name)
        documents = sources(folder)
        for start in range(0, files, WARM_UP):
            batch = []
            for number in range(start, min(start + WARM_UP, files)):
                what, data = mutated(rng, documents)
                path = folder / f"{number}.bin"
                path.write_bytes(data)
                batch.append((what, path))
            outcomes += pool.map(lambda case: read_one(*case), batch)
            for _, path in batch:
                path.unlink()
            base = base or resident_mb()
            print(f"{len(outcomes)} files, {resident_mb():.0f} MB", file=sys.stderr, flush=True)
    return _report(outcomes, resident_mb() - base)


def _report(outcomes: list[Outcome], growth: float) -> bool:
    counts = Counter(outcome.kind for outcome in outcomes)
    slowest = max(outcomes, key=lambda outcome: outcome.seconds)
    for outcome in outcomes:
        if outcome.crash:
            print(f"{outcome.what}:\n{outcome.crash}")
    print(f"files: {len(outcomes)}, read {counts['read']}, refused {counts['refused']}, crashed {counts['crashed']}")
    print(f"slowest: {slowest.what}, {slowest.seconds:.2f} s")
    whole, quick, small = counts["crashed"] == 0, slowest.seconds < SLOWEST_TARGET, growth <= GROWTH_TARGET_MB
    print(f"result: mutated_plans_crashes {counts['crashed']} (target 0) {'ok' if whole else 'short'}")
    print(
        f"result: mutated_plans_slowest_s {slowest.seconds:.2f} (target < {SLOWEST_TARGET:.0f}) "
        f"{'ok' if quick else 'short'}"
    )
    print(f"result: mutated_plans_growth_mb {growth:.1f} (target <= {GROWTH_TARGET_MB}) {'ok' if small else 'short'}")
    return whole and quick and small


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--files", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--parallel", type=int, default=2)
    options = parser.parse_args()
    return 0 if run(options.files, options.seed, options.parallel) else 1


if __name__ == "__main__":
    sys.exit(main())
