"""Broken documents end in a refusal or in a plan, never in anything else; two thousand: benchmarks/mutated_plans.py."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

from lms_bridge.core.errors import BridgeError
from lms_bridge.plans.reading import ReadLimits, read_plan
from tests.plans.mutating import mutated, sources

SEED = 20261124
LIMITS = ReadLimits(cpu_seconds=5, wall_seconds=8.0)


def outcome(number: int, what: str, path: Path) -> str:
    """What reading the broken file led to; anything but a plan or a refusal fails the test."""
    try:
        plan = read_plan(path, name=what, limits=LIMITS)
    except BridgeError as refusal:
        return "refused" if str(refusal) else "refused without a word"
    except Exception as error:
        raise AssertionError(f"mutation {number} ({what}) broke the reader: {error!r}") from error
    assert plan.units
    return "read"


def test_sixty_broken_documents_are_read_or_refused(tmp_path: Path) -> None:
    documents, rng = sources(tmp_path), Random(SEED)
    cases = []
    for number in range(60):
        what, data = mutated(rng, documents)
        path = tmp_path / f"{number}.bin"
        path.write_bytes(data)
        cases.append((number, what, path))
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(lambda case: outcome(*case), cases))
    assert set(outcomes) == {"refused", "read"}
