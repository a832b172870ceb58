"""FET itself as the judge, where it is installed: what it solves has no broken musts here, what it refuses has some."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from lms_bridge.timetable.fet.checking import check_timetable
from lms_bridge.timetable.fet.export import write_school
from lms_bridge.timetable.fet.reading import read_fet
from lms_bridge.timetable.fet.solutions import read_solution
from lms_bridge.timetable.fet.writing import write_locked
from tests.timetable.fet.small_fet import BASE, constraint, small_fet
from tests.timetable.fet.test_writing import SCHOOL

SAMPLES = Path("/usr/share/doc/fet-data/examples/FET-5-official")

pytestmark = pytest.mark.skipif(shutil.which("fet-cl") is None, reason="FET is not installed")


def solve(content: bytes, folder: Path, *, seconds: int = 20) -> tuple[bytes | None, str]:
    """FET's ``*_activities.xml`` (nothing where it found no timetable) and its report of broken wishes."""
    path = folder / "school.fet"
    path.write_bytes(content)
    seeds = [f"--randomseeds{part}={part}" for part in (10, 11, 12, 20, 21, 22)]
    command = ["timeout", str(seconds + 2), "fet-cl", f"--inputfile={path}", f"--outputdir={folder / 'out'}",
               f"--timelimitseconds={seconds}", "--htmllevel=0", *seeds]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if "Simulation successful" not in done.stdout:
        return None, ""
    results = folder / "out" / "timetables"
    return (
        next(results.rglob("*_activities.xml")).read_bytes(),
        next(results.rglob("*_soft_conflicts.txt")).read_text(encoding="utf-8-sig"),
    )


@pytest.mark.parametrize(
    "name", ["United-Kingdom/Hopwood/Hopwood", "Sudan/Khartoum-2010-02-13", "Denmark/small-school"]
)
def test_what_fet_solves_is_valid_and_its_broken_wishes_are_ours(name: str, tmp_path: Path) -> None:
    path = SAMPLES / f"{name}.fet"
    if not path.exists():
        pytest.skip("FET's samples are not installed")
    school = read_fet(path)
    solution, conflicts = solve(path.read_bytes(), tmp_path)
    assert solution is not None
    timetable = read_solution(solution, school)
    verdict = check_timetable(school, timetable)
    assert [violation.text() for violation in verdict.hard] == []
    count = re.search(r"broken soft constraints: (\d+)", conflicts)
    assert count is not None
    assert len(verdict.soft) == int(count[1])
    again, _ = solve(write_locked(path, timetable, wishes=False), tmp_path)
    assert again is not None
    assert read_solution(again, school) == timetable


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("TeachersMaxGapsPerWeek", "Max_Gaps=1"),
        ("TeachersMaxGapsPerWeek", "Max_Gaps=0"),
        ("TwoActivitiesConsecutive", "First_Activity_Id=2; Second_Activity_Id=5"),
        ("TwoActivitiesConsecutive", "First_Activity_Id=5; Second_Activity_Id=2"),
        ("StudentsEarlyMaxBeginningsAtSecondHour", "Max_Beginnings_At_Second_Hour=1"),
        ("StudentsEarlyMaxBeginningsAtSecondHour", "Max_Beginnings_At_Second_Hour=0"),
    ],
)
def test_fet_accepts_a_locked_timetable_just_when_the_checker_does(kind: str, fields: str, tmp_path: Path) -> None:
    content = small_fet([constraint(kind, fields)])
    accepted, _ = solve(write_locked(content, BASE), tmp_path, seconds=1)
    assert (accepted is not None) == check_timetable(read_fet(content), BASE).valid


def test_fet_opens_a_new_file_and_keeps_its_times(tmp_path: Path) -> None:
    content = write_school(SCHOOL)
    solution, _ = solve(content, tmp_path)
    assert solution is not None
    found = read_solution(solution, read_fet(content))
    assert (found.starts[1], found.starts[3], found.rooms) == ((0, 0), (1, 1), {3: "音乐室"})
