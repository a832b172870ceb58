"""Forms with days and periods: reading them, and putting what is wrong beside its field."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from flask import request

from lms_bridge.calendar.days import written_day
from lms_bridge.calendar.grids import grids_of
from lms_bridge.core.errors import BadInputs, BridgeError
from lms_bridge.core.i18n import N_
from lms_bridge.roster.models import Organisation
from lms_bridge.timetable.changing.lesson_changes import LessonProblem

MOST_PERIODS = 12
"""What a form offers where no period grid is known."""


def periods_of(campuses: Iterable[Organisation]) -> list[tuple[int, str]]:
    """The numbers of the periods that the grids of these campuses have, for a form."""
    numbers = {period.number for campus in campuses for grid in grids_of(campus.id) for period in grid.periods}
    return [(number, str(number)) for number in sorted(numbers) or range(1, MOST_PERIODS + 1)]


def typed_day(field: str) -> date:
    """The day in a field of the form.

    :raises BadInputs: none, or something that is no day.
    """
    try:
        return written_day(request.form.get(field, ""))
    except ValueError:
        raise BadInputs([LessonProblem(N_("No day was chosen."), field=field, remedy=N_("Choose a day."))]) from None


def typed_days() -> tuple[date, date]:
    """The fields ``first`` and ``last``; an empty last day is the first."""
    first = typed_day("first")
    return first, typed_day("last") if request.form.get("last") else first


def errors_by_field(problems: Iterable[BridgeError]) -> dict[str, list[str]]:
    """What is wrong, with its remedy, by the field that it is about; "" for what is about none."""
    errors: dict[str, list[str]] = {}
    for problem in problems:
        field = problem.field if isinstance(problem, LessonProblem) else ""
        errors.setdefault(field, []).append(f"{problem.text()} {problem.remedy_text()}".strip())
    return errors
