"""``timetable fet-check`` and ``fet-solve``: reports on standard output, progress and refusals on standard error."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lms_bridge.cli import main
from lms_bridge.timetable.fet.reading import read_fet
from lms_bridge.timetable.fet.solutions import locked_timetable
from lms_bridge.timetable.fet.timetable import Timetable
from lms_bridge.timetable.fet.writing import write_locked
from tests.timetable.fet.small_fet import BASE, STARTS, constraint, small_fet
from tests.timetable.fet.test_solutions import solved

pytestmark = pytest.mark.timeout(900)
"""Where nothing is compiled yet, the first search compiles the engine, which a busy machine takes minutes for."""


def call(*arguments: str | Path) -> Result:
    """The command as typed in an English terminal."""
    return CliRunner().invoke(main, ["timetable", *map(str, arguments)], env={"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"})


def written(folder: Path, content: bytes, name: str = "school.fet") -> Path:
    """A file in the folder."""
    path = folder / name
    path.write_bytes(content)
    return path


def rules(*more: str) -> Iterable[str]:
    return [constraint("TeachersMaxGapsPerWeek", "Max_Gaps=1"), *more]


def test_a_locked_timetable_is_checked(tmp_path: Path) -> None:
    done = call("fet-check", written(tmp_path, write_locked(small_fet(rules()), BASE)))
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines() == [
        "Small school: 5 of 5 activities placed, 2 teachers, 3 days of 4 hours.",
        "Constraints of 100 percent: 0 times broken.",
        "Wishes: 0 times broken.",
    ]


def test_broken_constraints_are_written_out_and_end_with_1(tmp_path: Path) -> None:
    wish = constraint("TeacherMaxDaysPerWeek", "Teacher_Name=Wang; Max_Days_Per_Week=1", 90)
    path = written(tmp_path, small_fet([constraint("TeachersMaxGapsPerWeek", "Max_Gaps=0"), wish]))
    rows = [f"{i} {('Monday', 'Tuesday')[day]} {hour + 1} -" for i, (day, hour) in STARTS.items()]
    solution = written(tmp_path, solved(*rows), "school_activities.xml")
    done = call("fet-check", path, "--solution", solution)
    assert done.exit_code == 1
    assert "  TeachersMaxGapsPerWeek: Li has 1 gaps in the week; at most 0 are allowed." in done.stdout
    assert "    90 %  Wang has activities on 2 days; at most 1 are allowed." in done.stdout
    answer = json.loads(call("fet-check", path, "--solution", solution, "--json").stdout)
    assert (answer["valid"], answer["placed"], len(answer["hard"]), len(answer["soft"])) == (False, 5, 1, 1)


def test_a_file_without_times_is_told_from_one_that_is_fine(tmp_path: Path) -> None:
    done = call("fet-check", written(tmp_path, small_fet()))
    assert done.exit_code == 1
    assert "school.fet: The file fixes no times of activities." in done.stderr
    assert "--solution" in done.stderr


def test_every_problem_of_a_file_is_listed(tmp_path: Path) -> None:
    content = small_fet().replace(b"<Teacher>Li</Teacher>", b"<Teacher>Ghost</Teacher>")
    done = call("fet-check", written(tmp_path, content))
    assert (done.exit_code, done.stderr.count("Ghost")) == (1, 2)
    assert not done.stdout


def test_a_school_is_solved_and_written_with_its_times_locked(tmp_path: Path) -> None:
    path, output = written(tmp_path, small_fet(rules())), tmp_path / "solved.fet"
    done = call("fet-solve", path, "--seconds", "20", "--seed", "3", "--output", output)
    assert done.exit_code == 0, done.output
    assert "5 of 5 activities placed" in done.stdout
    assert f"Written to {output}." in done.stdout
    assert "placed after" in done.stderr
    found: Timetable = locked_timetable(read_fet(output))
    assert sorted(found.starts) == [1, 2, 3, 4, 5]
    assert call("fet-check", output).exit_code == 0


def test_a_must_that_is_not_supported_is_never_dropped_silently(tmp_path: Path) -> None:
    odd = constraint("TeacherMaxZeroGapsPerAfternoon", "Teacher_Name=Wang")
    path, output = written(tmp_path, small_fet(rules(odd, odd))), tmp_path / "solved.fet"
    done = call("fet-solve", path, "--output", output)
    assert done.exit_code == 1
    assert "2 constraints TeacherMaxZeroGapsPerAfternoon of 100 percent are not supported." in done.stderr
    assert not output.exists()
    done = call("fet-solve", path, "--output", output, "--leave-out", "--seconds", "20")
    assert done.exit_code == 0, done.output
    assert "Not checked: TeacherMaxZeroGapsPerAfternoon, 2 times." in done.stdout
    assert output.exists()


def test_activities_without_a_place_are_named(tmp_path: Path) -> None:
    at_once = [
        constraint("ActivityPreferredStartingTime", f"Activity_Id={i}; Preferred_Day=Monday; Preferred_Hour=1")
        for i in (1, 2)
    ]
    output = tmp_path / "most.fet"
    done = call("fet-solve", written(tmp_path, small_fet(at_once)), "--seconds", "1", "--output", output)
    assert done.exit_code == 1
    assert "Maths, Wang, 5-1) found no place in 1 s." in done.stderr
    assert not done.stdout
    assert "Permanently_Locked" in output.read_text(encoding="utf-8")


@pytest.mark.parametrize("command", ["fet-check", "fet-solve"])
def test_a_file_that_is_not_there_is_wrong_usage(command: str, tmp_path: Path) -> None:
    assert call(command, tmp_path / "missing.fet").exit_code == 2
