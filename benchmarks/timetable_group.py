"""Measures the timetable solver on a whole education group: the first timetable, a better one, and three changes.

    python benchmarks/timetable_group.py [--minutes 10] [--workers 2] [--seed 1]

400 classes with 30 periods a week on a grid of 5 x 9, 600 teachers (5 % at two campuses), 320 licences. Printed:
seconds to the first timetable that keeps every rule, what each wish costs after ``--minutes``, peak memory; then, from
that timetable in force, the smallest change after a teacher is lost for two days, a campus's licences are halved, and a
campus closes tomorrow, each with its proved bound; last whether the same seed and work limit give the same answer.
Every timetable goes through the independent checker. Exit code 1 when a target is missed.

Each part runs in a process of its own, so that its peak memory (``getrusage``) is its own.
"""

from __future__ import annotations

import argparse
import json
import pickle
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.school_group import (  # noqa: E402
    Placed,
    closing_tomorrow,
    education_group,
    in_person,
    licences_halved,
    teacher_away,
)
from lms_bridge.timetable.solving.checker import broken_rules  # noqa: E402
from lms_bridge.timetable.solving.difference import differences  # noqa: E402
from lms_bridge.timetable.solving.effort import Progress, Stage  # noqa: E402
from lms_bridge.timetable.solving.problem import Problem, Solution, SolverLimits, Weights  # noqa: E402
from lms_bridge.timetable.solving.solver import smallest_change, solve  # noqa: E402

GAP_TARGET = 0.05
SECONDS_TARGET = 60.0
CLOSING = 4
CHANGES = ("teacher", "licences", "closing")
CHANGE_WEIGHTS = Weights(moved=1)

Measured = dict[str, object]


class FirstSeen:
    """Notes when the first timetable that keeps every rule was there."""

    def __init__(self, show: bool) -> None:
        self.seconds: float | None = None
        self.show, self.shown = show, 0.0

    def __call__(self, progress: Progress) -> bool:
        if self.seconds is None and progress.stage is Stage.IMPROVING:
            self.seconds = progress.seconds
        if self.show and progress.seconds - self.shown >= 10:
            self.shown = progress.seconds
            print(f"  {progress.seconds:.0f} s {progress.stage} {sum(progress.costs.values())}", file=sys.stderr)
        return True


def whole_week(folder: Path, seed: int, minutes: float, workers: int) -> Measured:
    """The first timetable of the whole group, then a better one until the time is over; kept for the changes."""
    problem = education_group(seed)
    seen = FirstSeen(show=True)
    limits = SolverLimits(seconds=60 * minutes, deterministic_time=None, improve_time=None, seed=seed, workers=workers)
    solution = solve(problem, limits, seen)
    _keep(folder / "week", solution)
    return _measured(problem, solution) | {"first": seen.seconds, "costs": dict(solution.costs)}


def campus_in_person(folder: Path, seed: int, workers: int) -> Measured:
    """A timetable of the group with one campus at school, which is in force when that campus closes."""
    problem = in_person(education_group(seed), CLOSING)
    limits = SolverLimits(seconds=60, deterministic_time=None, improve_time=None, seed=seed, workers=workers)
    solution = solve(problem, limits)
    _keep(folder / "in person", solution)
    return _measured(problem, solution)


def change(folder: Path, seed: int, workers: int, kind: str) -> Measured:
    """One of the three changes."""
    group = education_group(seed)
    if kind == "closing":
        problem = closing_tomorrow(in_person(group, CLOSING), _kept(folder / "in person"), CLOSING)
    else:
        problem = {"teacher": teacher_away, "licences": licences_halved}[kind](group, _kept(folder / "week"))
    limits = SolverLimits(
        seconds=SECONDS_TARGET - 12, deterministic_time=None, improve_time=2.0, seed=seed, workers=workers,
        weights=CHANGE_WEIGHTS,
    )  # fmt: skip
    solution = smallest_change(problem, limits)
    moved = differences(problem, solution)
    return _measured(problem, solution) | {
        "moved": sum(len(one.left) for one in moved),
        "missing": sum(one.missing for one in moved),
        "people": sum(one.people for one in moved),
        "cost": sum(solution.costs.values()),
        "bound": solution.bound,
        "gap": solution.gap,
    }


def same_again(seed: int, folder: Path) -> Measured:
    """Whether the same seed and work limits give the same answer, for a week and for a change."""
    limits = SolverLimits(seconds=900, deterministic_time=20, improve_time=4, seed=seed, weights=Weights())
    group = education_group(seed)
    weeks = [solve(group, limits) for _ in range(2)]
    problem = teacher_away(group, weeks[0].slots_by_course())
    limits = replace(limits, weights=CHANGE_WEIGHTS)
    changes = [smallest_change(problem, limits) for _ in range(2)]
    same = weeks[0].placements == weeks[1].placements and changes[0].placements == changes[1].placements
    return {"same": same and bool(weeks[0].placements) and bool(changes[0].placements)}


def _measured(problem: Problem, solution: Solution) -> Measured:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "seconds": solution.seconds,
        "cpu": usage.ru_utime + usage.ru_stime,
        "status": solution.status.value,
        "valid": solution.found and broken_rules(problem, solution.placements) == [],
        "peak_mb": usage.ru_maxrss / 1024,
    }


def _keep(path: Path, solution: Solution) -> None:
    path.write_bytes(pickle.dumps(solution.slots_by_course()))


def _kept(path: Path) -> Placed:
    found: Placed = pickle.loads(path.read_bytes())
    return found


def _child(folder: Path, part: str, options: list[str]) -> dict[str, float]:
    command = [sys.executable, str(Path(__file__).resolve()), "--child", part, "--folder", str(folder), *options]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    answer: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return answer


def _result(name: str, value: float, target: float | None = None) -> bool:
    ok = target is None or value <= target
    note = "" if target is None else f" (target <= {target:g}) {'ok' if ok else 'short'}"
    print(f"result: timetable_group_{name} {value:.4g}{note}", flush=True)
    return ok


def run(minutes: float = 1.0, workers: int = 2, seed: int = 1, folder: Path | None = None) -> bool:
    """Print all measurements; whether every target was met. ``folder`` keeps the timetables (None: nowhere)."""
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="timetable-group-") as name:
            return run(minutes, workers, seed, Path(name))
    options = ["--minutes", str(minutes), "--workers", str(workers), "--seed", str(seed)]
    week = _child(folder, "week", options)
    print(f"whole week: costs {week['costs']}, {week['status']}, {week['cpu']:.0f} s processor in all")
    met = [bool(week["valid"])]
    _result("first_s", week["first"])
    _result("cost", sum(dict(week["costs"]).values()))  # type: ignore[call-overload]
    _result("peak_mb", week["peak_mb"])
    met.append(bool(_child(folder, "in person", options)["valid"]))
    for kind in CHANGES:
        found = _child(folder, kind, options)
        print(
            f"{kind}: {found['status']}, {found['moved']} lessons leave their slots, {found['missing']} find no "
            f"other, {found['people']} people disturbed, cost {found['cost']}, bound {found['bound']}, "
            f"{found['cpu']:.0f} s processor, peak {found['peak_mb']:.0f} MB"
        )
        met.append(bool(found["valid"]))
        _result(f"change_{kind}_moved", found["moved"])
        _result(f"change_{kind}_people", found["people"])
        gap = found["gap"] if found["gap"] is not None else 1.0
        met.append(_result(f"change_{kind}_gap", gap, GAP_TARGET))
        met.append(_result(f"change_{kind}_seconds", found["seconds"], SECONDS_TARGET))
    same = bool(_child(folder, "same", options)["same"])
    print(f"result: timetable_group_same_answer {int(same)} (target >= 1) {'ok' if same else 'short'}")
    if not met[0] or not all(met):
        print("not every timetable keeps all rules, or a target was missed")
    return same and all(met)


def main() -> int:
    """The command; ``--child`` is for its own processes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="keep the timetables here")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    folder, seed, workers = options.folder, options.seed, options.workers
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    if not options.child:
        return 0 if run(options.minutes, workers, seed, folder) else 1
    begun = time.monotonic()
    if options.child == "week":
        answer = whole_week(folder, seed, options.minutes, workers)
    elif options.child == "in person":
        answer = campus_in_person(folder, seed, workers)
    elif options.child == "same":
        answer = same_again(seed, folder)
    else:
        answer = change(folder, seed, workers, options.child)
    print(json.dumps(answer | {"took": time.monotonic() - begun}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
