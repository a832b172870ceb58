"""Period grids are checked whole before they are stored, and the right one is chosen for a grade and day."""

from __future__ import annotations

from datetime import date, time

import pytest
import sqlalchemy as sa
from flask import Flask

from lms_bridge.calendar.grids import Grid, PeriodTime, choose_grid, every_weekday, grids_of, period_problems, set_grid
from lms_bridge.calendar.models import Period
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BadInputs
from lms_bridge.core.models import AuditEntry
from lms_bridge.roster.models import Organisation, OrganisationKind
from tests.builders import organisation, person

MORNING = [(time(8), time(8, 40)), (time(8, 50), time(9, 30)), (time(9, 50), time(10, 30))]
DAY = date(2026, 11, 23)


@pytest.fixture
def campus(app: Flask) -> Organisation:
    """A campus without any grid."""
    with transaction():
        return organisation(OrganisationKind.CAMPUS, code="east")


def refused(campus: Organisation, name: str, periods: list[PeriodTime], **more: object) -> list[str]:
    """The problems for which a grid is refused."""
    with pytest.raises(BadInputs) as refusal, transaction():
        set_grid(campus, name, periods, **more)  # type: ignore[arg-type]
    return [str(problem) for problem in refusal.value.problems]


def test_a_grid_is_stored_as_it_was_given(campus: Organisation) -> None:
    with transaction():
        actor = person()
        set_grid(campus, " Online ", every_weekday(MORNING), grades=["3", "4"], actor=actor)
    (grid,) = grids_of(campus.id)
    assert (grid.name, grid.grades, grid.online) == ("Online", frozenset({"3", "4"}), True)
    assert [period.hours() for period in grid.on(2)] == ["08:00-08:40", "08:50-09:30", "09:50-10:30"]
    assert grid.on(5) == ()
    assert db.session.scalar(sa.select(AuditEntry.actor_uid).filter_by(action="calendar.grid_set")) == actor.uid


def test_a_grid_of_the_same_name_is_replaced(campus: Organisation) -> None:
    with transaction():
        set_grid(campus, "Online", every_weekday(MORNING))
    with transaction():
        set_grid(campus, "Online", every_weekday(MORNING[:2], range(6)))
    (grid,) = grids_of(campus.id)
    assert len(grid.on(5)) == 2
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Period)) == 12


def test_overlapping_periods_are_refused_with_their_times_and_row(campus: Organisation) -> None:
    periods = [PeriodTime(0, 1, time(8), time(8, 45)), PeriodTime(0, 2, time(8, 40), time(9, 20))]
    assert refused(campus, "Online", periods) == [
        "row 2: Period 2 (08:40-09:20) overlaps period 1 (08:00-08:45). Let one of them begin when the other has ended."
    ]
    assert grids_of(campus.id) == []


def test_periods_that_touch_or_lie_on_different_days_do_not_overlap() -> None:
    touching = [PeriodTime(0, 1, time(8), time(8, 40)), PeriodTime(0, 2, time(8, 40), time(9, 20))]
    assert period_problems(touching) == []
    assert period_problems([PeriodTime(day, 1, time(8), time(8, 40)) for day in range(7)]) == []


def test_all_problems_of_a_grid_are_listed_at_once(campus: Organisation) -> None:
    periods = [
        PeriodTime(7, 1, time(8), time(8, 40)),
        PeriodTime(0, 0, time(9), time(9, 40)),
        PeriodTime(1, 2, time(10), time(9)),
        PeriodTime(2, 1, time(10), time(10, 40)),
        PeriodTime(2, 1, time(11), time(11, 40)),
        PeriodTime(3, 1, time(10), time(10, 40)),
        PeriodTime(3, 2, time(8), time(8, 40)),
    ]
    texts = refused(campus, " ", periods, valid_from=DAY, valid_to=DAY)
    assert [text.split(". ")[0].split(": ")[-1] for text in texts] == [
        "7 is not a weekday",
        "0 is not the number of a period",
        "Period 2 ends (09:00) before it starts (10:00)",
        "Rows 4 and 5 are both period 1 of the same day",
        "Period 2 (08:00-08:40) lies before period 1 (10:00-10:40)",
        "The grid has no name",
        "The grid ends before it begins",
    ]


def test_an_empty_grid_and_one_of_a_group_are_refused(campus: Organisation) -> None:
    with transaction():
        group = organisation(OrganisationKind.GROUP, code="group")
    texts = refused(group, "Online" * 20, [])
    assert any(text.startswith("The period grid is empty.") for text in texts)
    assert any(text.startswith("group is not a campus.") for text in texts)
    assert any(text.startswith("The name of the grid is too long.") for text in texts)


def test_two_grids_for_the_same_grades_at_the_same_time_are_refused(campus: Organisation) -> None:
    with transaction():
        set_grid(campus, "Primary", every_weekday(MORNING), grades=["1", "2"])
    texts = refused(campus, "Small ones", every_weekday(MORNING), grades=["2", "3"])
    assert texts[0].startswith("The grid “Primary” is already for these grades at the same time.")
    with transaction():
        set_grid(campus, "At school", every_weekday(MORNING), grades=["2", "3"], online=False)
        set_grid(campus, "Primary", every_weekday(MORNING), grades=["1", "2"], valid_to=DAY)
        set_grid(campus, "Small ones", every_weekday(MORNING), grades=["2", "3"], valid_from=DAY)
    assert len(grids_of(campus.id)) == 3


def test_grids_whose_overlapping_periods_have_other_numbers_are_refused(campus: Organisation) -> None:
    with transaction():
        set_grid(campus, "Primary", every_weekday(MORNING), grades=["1"])
    shifted = every_weekday([(time(7), time(7, 40)), *MORNING])
    texts = refused(campus, "Middle", shifted, grades=["7"])
    assert texts[0].startswith("Period 2 overlaps period 1 of the grid “Primary”, which has another number.")


def test_a_grid_for_the_grade_and_kind_of_day_goes_before_one_for_all() -> None:
    def grid(number: int, *, online: bool, grades: str = "", **more: date) -> Grid:
        return Grid(number, str(number), frozenset(grades), online, (), **more)

    everybody, school, third = grid(1, online=True), grid(2, online=False), grid(3, online=True, grades="3")
    grids = [everybody, school, third]
    assert choose_grid(grids, "3", online=True, day=DAY) == third
    assert choose_grid(grids, "4", online=True, day=DAY) == everybody
    assert choose_grid(grids, "3", online=False, day=DAY) == school
    assert choose_grid([school], "3", online=True, day=DAY) == school
    assert choose_grid([third], "4", online=True, day=DAY) is None
    ended = grid(4, online=True, valid_to=DAY)
    assert choose_grid([ended], "4", online=True, day=DAY) is None
    assert choose_grid([ended], "4", online=True, day=date(2026, 11, 22)) == ended
