"""Reads a timetable out of any file that is understood: a workbook, a CSV file, or a solved FET timetable."""

from __future__ import annotations

from pathlib import Path

from lms_bridge.core.errors import InputError, Place
from lms_bridge.core.i18n import N_
from lms_bridge.timetable.exchange.from_fet import lessons_of
from lms_bridge.timetable.exchange.given import GivenTimetable
from lms_bridge.timetable.exchange.reading import read_tables
from lms_bridge.timetable.fet.reading import read_fet
from lms_bridge.timetable.fet.solutions import locked_timetable, read_solution


def read_timetable(
    path: Path, name: str, *, solution: Path | None = None, solution_name: str | None = None
) -> GivenTimetable:
    """What the file says that people call ``name``, with everything in it that cannot be read. For a ``.fet`` file
    ``solution`` is the ``*_activities.xml`` that FET wrote; without it the times locked in the file count.

    :raises InputError: it is no file that is understood.
    :raises BadInputs: it is no sound ``.fet`` file; everything that is wrong with it is listed.
    """
    if not name.lower().endswith(".fet"):
        if solution is not None:
            raise InputError(
                N_("A file of solved activities belongs to a .fet file."),
                place=Place(file=name),
                remedy=N_("Choose the .fet file as the timetable, or leave the second file out."),
            )
        return read_tables(path, name)
    school = read_fet(path, file=name)
    if solution is None:
        return lessons_of(school, locked_timetable(school).starts, name, times_locked=True)
    return lessons_of(school, read_solution(solution, school, file=solution_name).starts, name, times_locked=False)
