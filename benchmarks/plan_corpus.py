"""Reads fresh documents of every layout of the corpus and counts the units that come out right, flagged or wrong.

    python benchmarks/plan_corpus.py [--count 500] [--seed 1]

Targets: at least 99 of 100 units right, the rest flagged, none silently wrong. Exit code 1 when one is missed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

RIGHT_TARGET = 0.99


def run(count: int, seed: int) -> bool:
    """Read the documents and print the figures; whether both targets were met."""
    from lms_bridge.core.i18n import use_locale
    from tests.corpus.judging import Verdict
    from tests.corpus.plans_generator.collection import fresh
    from tests.corpus.reading import verdict_on

    layouts: dict[str, Verdict] = defaultdict(Verdict)
    with tempfile.TemporaryDirectory(prefix="corpus-") as folder, use_locale("en"):
        for name, made in fresh(count, seed):
            path = Path(folder) / f"{name}{made.suffix}"
            path.write_bytes(made.data)
            verdict, refusal = verdict_on(path, made.expected)
            if refusal or verdict.wrong:
                print(f"{name}: {refusal or verdict.wrong[:3]}")
            total = layouts[made.expected["layout"]]
            total.right += verdict.right
            total.flagged += verdict.flagged
            total.wrong += verdict.wrong
            path.unlink()
    return _report(count, layouts)


def _report(count: int, layouts: dict[str, object]) -> bool:
    from tests.corpus.judging import Verdict

    totals = [verdict for verdict in layouts.values() if isinstance(verdict, Verdict)]
    for name, verdict in layouts.items():
        assert isinstance(verdict, Verdict)
        print(f"{name:32} right {verdict.right:5}  flagged {verdict.flagged:4}  wrong {len(verdict.wrong):4}")
    units = sum(verdict.units for verdict in totals)
    right, wrong = sum(verdict.right for verdict in totals) / units, sum(len(verdict.wrong) for verdict in totals)
    print(f"{count} documents, {len(layouts)} layouts, {units} units")
    good, none = right >= RIGHT_TARGET, wrong == 0
    print(f"result: plan_corpus_right {right:.4f} (target >= {RIGHT_TARGET}) {'ok' if good else 'short'}")
    print(f"result: plan_corpus_silently_wrong {wrong} (target 0) {'ok' if none else 'short'}")
    return good and none


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    return 0 if run(options.count, options.seed) else 1


if __name__ == "__main__":
    sys.exit(main())
