"""Timetables of real schools, beside FET on the same machine in one run.

    python benchmarks/timetable.py            # all files, three seeds, 120 seconds each: takes hours
    python benchmarks/timetable.py --every 3  # each third file and those that are named below, in about two hours
    python benchmarks/timetable.py --quick    # those that FET solves in a second or two
    python benchmarks/timetable.py --files Hopwood --seeds 1 --seconds 30

Needs Debian's packages ``fet`` and ``fet-data``; the files are read from where they are installed. Chosen are the
files of schools in FET's folders ``FET-*-official`` (one folder a country) whose hard constraints are all supported and
that have 80 to 1,200 activities. Left out, and listed, are those made to try something (``test``, ``locked``, ``exam``
or ``100_and_0`` in their names), older copies (``old``) and, of files with the same activities, all but the first.

Each file is solved by ``fet-cl`` and by LMS Bridge in turn, never both at once, with the same limit and as many seeds;
medians are compared, and a file counts as solved when most of its runs ended. When most of the runs have failed, the
others are not begun: they cannot change the median. "Soft" is the median of broken wishes.
Every answer of ours is checked by the independent checker, and the first of each file is locked into the file and given
to ``fet-cl``, which must keep all of its times and rooms. The locked copy has no constraints below 100 percent: they
are wishes, no promises, and FET refuses a locked time that breaks one of some kinds. Ends with 0 when all targets are
met.
"""

from __future__ import annotations

import argparse
import math
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from lms_bridge.core.errors import BridgeError
from lms_bridge.timetable.fet.checking import check_timetable
from lms_bridge.timetable.fet.model import School
from lms_bridge.timetable.fet.reading import read_fet
from lms_bridge.timetable.fet.rules import not_honoured
from lms_bridge.timetable.fet.solutions import read_solution
from lms_bridge.timetable.fet.solving import solve_fet
from lms_bridge.timetable.fet.timetable import Timetable
from lms_bridge.timetable.fet.writing import write_locked

LEAST, MOST = 80, 1200
SHIFT = 5.0
QUICK_SECONDS = 2.0
"""A file is among the quick ones when FET solves it with the first seed in this time."""
ALWAYS = re.compile("Rehoboth|vmg-2018|VietNamHungYen")
"""Known to be asked for: compared whichever files ``--every`` takes."""
TARGETS = {"files": 24, "solved_share": 0.75, "time_ratio": 2.0}

_OFFICIAL = re.compile(r"/FET-\d+-official/")
_NOT_A_SCHOOL = re.compile(r"/older/|/old|-old\b|[/_-]test|locked|exam|100_and_0", re.IGNORECASE)
_OFF = ("statistics", "dayshorizontal", "daysvertical", "timehorizontal", "timevertical", "groups", "years",
        "teachersfreeperiods", "rooms", "subjects")  # fmt: skip
"""What FET need not write. Without ``activitytags`` it would not write the solved timetable either."""


@dataclass
class Run:
    """One attempt: whether it ended with a complete timetable, how long it took, its broken wishes."""

    solved: bool
    seconds: float
    wishes: int | None = None
    timetable: Timetable | None = None
    reason: str = ""


@dataclass
class Case:
    """One file with the attempts of both."""

    path: Path
    school: School
    activities: int
    fet: list[Run] = field(default_factory=list)
    ours: list[Run] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    accepted: str = "-"

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self.path.stem


# --- the files


def installed() -> list[Path]:
    """The samples of FET's documentation, from where the package was installed."""
    listed = subprocess.run(["dpkg", "-L", "fet-data"], capture_output=True, text=True, check=False).stdout
    return sorted(Path(line) for line in listed.splitlines() if line.endswith(".fet"))


def choose(pattern: str, every: int = 1) -> tuple[list[Case], list[tuple[str, str]]]:
    """The files that are compared, smallest first, and those left out with the reason.

    Of the files that could be compared, each ``every``-th by size is, from the first one on: no look at what is in it.
    """
    cases: list[Case] = []
    left: list[tuple[str, str]] = []
    seen: set[object] = set()
    for path in installed():
        if not _OFFICIAL.search(str(path)) or not re.search(pattern, str(path), re.IGNORECASE):
            continue
        if _NOT_A_SCHOOL.search(str(path).split("-official", 1)[1]):
            left.append((path.stem, "a test or an old copy, by its name"))
            continue
        try:
            school = read_fet(path)
        except BridgeError as error:
            left.append((path.stem, f"not read: {error}"))
            continue
        activities = sum(1 for _ in school.active_activities())
        same = (school.days, school.hours, school.activities)
        hard = [f"{kind.kind} x {kind.hard}" for kind in not_honoured(school) if kind.hard]
        if not LEAST <= activities <= MOST:
            left.append((path.stem, f"{activities} activities"))
        elif hard:
            left.append((path.stem, "not supported: " + ", ".join(hard)))
        elif same in seen:
            left.append((path.stem, "the same activities as another file"))
        else:
            seen.add(same)
            cases.append(Case(path, school, activities))
    cases.sort(key=lambda case: case.activities)
    return [case for n, case in enumerate(cases) if n % every == 0 or ALWAYS.search(case.name)], left


# --- FET


def run_fet(path: Path, seconds: int, seed: int) -> Run:
    """One run of ``fet-cl``. It ends with code 0 whatever happened, and its own time limit is not reliable."""
    with tempfile.TemporaryDirectory(prefix="fet-") as folder:
        command = ["timeout", "--kill-after=2", str(seconds + 5), "fet-cl", f"--inputfile={path}",
                   f"--outputdir={folder}", f"--timelimitseconds={seconds}", "--htmllevel=0",
                   *(f"--writetimetables{kind}=false" for kind in _OFF),
                   *(f"--randomseeds{part}={1000 * seed + part}" for part in (10, 11, 12, 20, 21, 22))]  # fmt: skip
        begun = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        took = time.perf_counter() - begun
        if "Simulation successful" not in done.stdout or took > seconds + 1:
            told = [line for line in done.stdout.splitlines() if line.startswith("Message: ")]
            refused = "Time exceeded" not in done.stdout and took < seconds
            return Run(False, float(seconds), reason=(told[-1][9:120] if told and refused else "time"))
        solved = next(Path(folder).rglob("*_activities.xml"))
        conflicts = next(Path(folder).rglob("*_soft_conflicts.txt")).read_text(encoding="utf-8-sig")
        found = re.search(r"broken soft constraints: (\d+)", conflicts)
        timetable = read_solution(solved, read_fet(path))
        return Run(True, took, int(found[1]) if found else None, timetable)


def acceptance(case: Case, timetable: Timetable) -> str:
    """What FET says to our times and rooms: "yes", or what is wrong."""
    with tempfile.TemporaryDirectory(prefix="locked-") as folder:
        path = Path(folder) / "locked.fet"
        path.write_bytes(write_locked(case.path, timetable, wishes=False))
        run = run_fet(path, 30, 1)
    if run.timetable is None:
        return f"refused: {run.reason}"
    moved = sum(run.timetable.starts.get(key) != start for key, start in timetable.starts.items())
    rooms = sum(run.timetable.rooms.get(key) != room for key, room in timetable.rooms.items())
    return f"{moved} times and {rooms} rooms changed" if moved or rooms else "yes"


# --- ours


def warm_up() -> None:
    """Let numba compile before anything is timed (it keeps the result for the next start), and say what it cost."""
    smallest = min(installed(), key=lambda path: path.stat().st_size if _OFFICIAL.search(str(path)) else 10**9)
    begun = time.perf_counter()
    solve_fet(read_fet(smallest), seed=1, seconds=10)
    print(f"warm-up: {time.perf_counter() - begun:.1f} s for loading and compiling the engine (not in the times below)")


def run_ours(case: Case, seconds: int, seed: int) -> Run:
    """One run of LMS Bridge with reading the file, as FET's is with reading and writing; what it broke is noted."""
    begun = time.perf_counter()
    school = read_fet(case.path)
    found = solve_fet(school, seed=seed, seconds=float(seconds))
    took = time.perf_counter() - begun
    if found.unplaced:
        return Run(False, float(seconds), reason=f"{len(found.unplaced)} of {case.activities} not placed")
    timetable = Timetable(found.starts, found.rooms)
    verdict = check_timetable(school, timetable)
    case.broken += [violation.text() for violation in verdict.hard]
    case.broken += [f"not checked: {kind}" for kind in verdict.unsupported_hard]
    return Run(True, took, len(verdict.soft), timetable)


# --- the comparison


def compare(case: Case, seeds: int, seconds: int) -> None:
    """Run both on one file, in turn, and show FET our first answer."""
    for seed in range(1, seeds + 1):
        if len(case.fet) < seed and not lost(case.fet, seeds):
            case.fet.append(run_fet(case.path, seconds, seed))
        if not lost(case.ours, seeds):
            case.ours.append(run_ours(case, seconds, seed))
    answer = next((run.timetable for run in case.ours if run.timetable is not None), None)
    if answer is not None:
        case.accepted = acceptance(case, answer)


def lost(runs: list[Run], seeds: int) -> bool:
    """Whether so many runs failed that no more than half of all ``seeds`` can still end."""
    return 2 * sum(not run.solved for run in runs) >= seeds and seeds > 1


def solved(runs: list[Run]) -> bool:
    """Whether most of the runs ended with a timetable."""
    return 2 * sum(run.solved for run in runs) > len(runs)


def middle(runs: list[Run]) -> float:
    """The median time; a run that did not end counts as the limit."""
    return median(run.seconds for run in runs)


def wishes(runs: list[Run]) -> str:
    """The median of broken wishes of the runs that ended."""
    known = [run.wishes for run in runs if run.wishes is not None]
    return f"{median(known):.0f}" if known else "-"


def row(case: Case) -> str:
    """One line of the table."""
    times = [f"{middle(runs):.1f}" if solved(runs) else "none" for runs in (case.fet, case.ours)]
    verdict = "-" if not any(run.solved for run in case.ours) else f"{len(case.broken)} broken" if case.broken else "ok"
    return (f"{case.name[:34]:34} {case.activities:10} {times[0]:>8} {times[1]:>8} {wishes(case.fet):>8} "
            f"{wishes(case.ours):>8}  {verdict:10} {case.accepted}")  # fmt: skip


def unsolved(cases: list[Case]) -> Iterator[str]:
    """The files that we did not solve, with the reason and what FET did."""
    for case in cases:
        if not solved(case.ours):
            reasons = "; ".join(sorted({run.reason for run in case.ours if run.reason}))
            fet = f"{middle(case.fet):.1f} s" if solved(case.fet) else f"not solved either ({case.fet[0].reason})"
            yield f"not solved: {case.name}, {case.activities} activities: {reasons}; FET: {fet}"


def result(name: str, value: float, target: float, *, least: bool) -> bool:
    """Print one result line; whether the target was met."""
    good = value >= target if least else value <= target
    shown = f"{value:.0f}" if value == int(value) and name in ("files", "checked", "accepted") else f"{value:.2f}"
    print(f"result: timetable_fet_{name} {shown} (target {'>=' if least else '<='} {target:g}) "
          f"{'ok' if good else 'short'}")  # fmt: skip
    return good


def time_ratio(cases: list[Case]) -> float:
    """The shifted geometric mean of our time over FET's."""
    logs = [math.log((middle(case.ours) + SHIFT) / (middle(case.fet) + SHIFT)) for case in cases]
    return math.exp(sum(logs) / len(logs)) if logs else math.inf


def judge(cases: list[Case]) -> bool:
    """Print the result lines; whether all targets were met."""
    by_fet = [case for case in cases if solved(case.fet)]
    both = [case for case in by_fet if solved(case.ours)]
    answered = [case for case in cases if any(run.solved for run in case.ours)]
    share = len(both) / len(by_fet) if by_fet else 0.0
    print(f"FET solved {len(by_fet)} of {len(cases)}, we {len(both)} of these and "
          f"{sum(solved(case.ours) for case in cases if not solved(case.fet))} that FET did not; time ratio over all "
          f"that FET solved, ours not solved counted as the limit: {time_ratio(by_fet):.2f}")  # fmt: skip
    fine = [
        result("files", len(cases), TARGETS["files"], least=True),
        result("solved_share", share, TARGETS["solved_share"], least=True),
        result("time_ratio", time_ratio(both), TARGETS["time_ratio"], least=False),
        result("checked", sum(not case.broken for case in answered), len(answered), least=True),
        result("accepted", sum(case.accepted == "yes" for case in answered), len(answered), least=True),
    ]
    return all(fine)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--files", default="", metavar="PATTERN", help="only files whose path fits (regular expression)"
    )
    parser.add_argument("--every", type=int, default=1, metavar="K", help="only each K-th file by size, and the named")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=120, help="limit of each run")
    parser.add_argument("--quick", action="store_true", help=f"only what FET solves in {QUICK_SECONDS:g} s")
    options = parser.parse_args()
    if shutil.which("fet-cl") is None or not installed():
        print("fet-cl or its samples are not installed: apt install fet fet-data", file=sys.stderr)
        return 2
    cases, left = choose(options.files, options.every)
    for name, reason in left:
        print(f"left out: {name}: {reason}")
    warm_up()
    print(f"{'file':34} {'activities':>10} {'fet-cl s':>8} {'ours s':>8} {'FET soft':>8} {'our soft':>8}  "
          f"{'checker':10} accepted by FET")  # fmt: skip
    compared = []
    for case in cases:
        if options.quick:
            case.fet.append(run_fet(case.path, int(QUICK_SECONDS), 1))
            if not case.fet[0].solved:
                continue
        compare(case, options.seeds, options.seconds)
        compared.append(case)
        print(row(case), flush=True)
    for line in unsolved(compared):
        print(line)
    fine = judge(compared)
    # Weeks of an education group (benchmarks/timetable_group.py) are measured here, after the FET files.
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
