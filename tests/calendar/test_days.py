"""School days: holidays and make-up workdays, what a school decides itself, ISO weeks and the weeks of a term."""

from __future__ import annotations

from datetime import date, time, timedelta

import pytest
from flask import Flask

from lms_bridge.calendar.days import (
    country_days,
    days_of_week,
    iso_week,
    monday_of,
    online_days,
    school_days,
    shift_week,
    teaching_weeks,
    term_of_week,
)
from lms_bridge.calendar.grids import every_weekday, grids_of, set_grid
from lms_bridge.calendar.models import CalendarDay, DayKind
from lms_bridge.core.clock import local
from lms_bridge.core.database import transaction
from lms_bridge.core.errors import InputError
from lms_bridge.roster.models import Organisation, OrganisationKind, Term
from lms_bridge.timetable.weeks.slots import class_slots
from tests.builders import ZONE, added, class_group, online, organisation, term

OCTOBER = "2026-W41"
"""In China Monday 5 to Wednesday 7 October 2026 are off; Saturday 10 October is worked for Wednesday the 7th."""


@pytest.fixture
def campus(app: Flask) -> Organisation:
    """A campus in China, below a group."""
    with transaction():
        group = organisation(OrganisationKind.GROUP, code="group")
        return organisation(OrganisationKind.CAMPUS, group, code="east")


def decide(where: Organisation, day: date, kind: DayKind, **more: object) -> None:
    """An organisation's own word on a day."""
    with transaction():
        added(CalendarDay(organisation_id=where.id, day=day, kind=kind, **more))


def autumn(campus: Organisation, **more: object) -> Term:
    """The autumn term of 2026 of a campus."""
    with transaction():
        dates = {"starts_on": date(2026, 9, 1), "ends_on": date(2027, 1, 22)}
        return term(campus, **(dates | more))  # type: ignore[arg-type]


def test_a_make_up_workday_of_china_follows_the_weekday_that_it_stands_in_for(campus: Organisation) -> None:
    days, off = days_of_week(campus, OCTOBER)
    assert [(d.day.day, d.weekday) for d in days] == [(8, 3), (9, 4), (10, 2)]
    assert [d.day.day for d in off] == [5, 6, 7]
    assert off[0].name.startswith("国庆节")
    assert off[0].name_en.startswith("National Day")


def test_a_make_up_workday_in_december_for_a_day_in_january_is_known() -> None:
    _, workdays = country_days("CN", 2006)
    assert workdays[date(2006, 12, 30)] == date(2007, 1, 2).weekday()


def test_a_country_that_is_not_known_has_no_holidays() -> None:
    assert country_days("XX", 2026) == ({}, {})
    assert country_days(None, 2026) == ({}, {})
    days, off = school_days(date(2026, 10, 5), date(2026, 10, 11), {}, None)
    assert [d.weekday for d in days] == [0, 1, 2, 3, 4]
    assert off == []


def test_what_a_school_says_of_a_day_goes_before_the_country(campus: Organisation) -> None:
    decide(campus, date(2026, 10, 10), DayKind.HOLIDAY, name="校庆", name_en="Founders' day")
    decide(campus, date(2026, 10, 11), DayKind.MAKE_UP, as_weekday=2)
    days, off = days_of_week(campus, OCTOBER)
    assert [(d.day.day, d.weekday) for d in days] == [(8, 3), (9, 4), (11, 2)]
    assert (off[-1].day.day, off[-1].name) == (10, "校庆")


def test_the_campus_goes_before_the_group_above_it(campus: Organisation) -> None:
    day = date(2026, 11, 25)
    group = campus.parent_id
    with transaction():
        added(CalendarDay(organisation_id=group, day=day, kind=DayKind.HOLIDAY, name="运动会"))
    assert day not in {d.day for d in days_of_week(campus, "2026-W48")[0]}
    decide(campus, day, DayKind.MAKE_UP, as_weekday=0)
    assert (day, 0) in {(d.day, d.weekday) for d in days_of_week(campus, "2026-W48")[0]}


def test_iso_weeks_belong_to_the_year_of_their_thursday() -> None:
    assert iso_week(date(2026, 11, 29)) == "2026-W48"
    assert iso_week(date(2027, 1, 1)) == "2026-W53"
    assert iso_week(date(2024, 12, 30)) == "2025-W01"
    assert monday_of("2026-W53") == date(2026, 12, 28)
    assert monday_of(" 2025w01 ") == date(2024, 12, 30)
    assert shift_week("2026-W53", 1) == "2027-W01"
    assert shift_week("2027-W01", -1) == "2026-W53"


@pytest.mark.parametrize("text", ["2027-W53", "2026-W00", "2026-11-23", "W48", "", "二〇二六年"])
def test_what_is_no_week_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InputError) as refusal:
        monday_of(text)
    assert "2026-W48" in refusal.value.remedy_text()


def test_the_weeks_of_a_term_are_numbered_and_a_week_of_holidays_keeps_its_number(campus: Organisation) -> None:
    weeks = teaching_weeks(campus, autumn(campus))
    assert [(week.number, week.iso) for week in weeks[:2]] == [(1, "2026-W36"), (2, "2026-W37")]
    assert [d.day for d in weeks[0].days] == [date(2026, 9, n) for n in (1, 2, 3, 4)]
    for n in range(5):
        decide(campus, date(2026, 9, 14) + timedelta(days=n), DayKind.HOLIDAY, name="停课")
    weeks = teaching_weeks(campus, autumn(campus, code="other"))
    assert (weeks[2].number, weeks[2].iso) == (3, "2026-W38")
    # Sunday 20 September is worked for Tuesday 6 October.
    assert [(d.day.day, d.weekday) for d in weeks[2].days] == [(20, 1)]


def test_the_term_of_a_week_is_the_one_with_most_of_its_days(campus: Organisation) -> None:
    first = autumn(campus, ends_on=date(2026, 11, 24))
    second = autumn(campus, code="second", starts_on=date(2026, 11, 25))
    assert term_of_week(campus, "2026-W47").id == first.id
    assert term_of_week(campus, "2026-W48").id == second.id
    year = autumn(campus, code="year", starts_on=date(2026, 8, 1), ends_on=date(2027, 7, 31))
    assert term_of_week(campus, "2026-W47").id == first.id
    assert term_of_week(campus, "2027-W20").id == year.id


def test_a_week_outside_every_term_is_refused_and_the_terms_are_named(campus: Organisation) -> None:
    autumn(campus, title="秋季学期")
    with pytest.raises(InputError) as refusal:
        term_of_week(campus, "2027-W30")
    assert "(from 2027-07-26)" in refusal.value.text()
    assert "秋季学期 2026-09-01–2027-01-22" in refusal.value.remedy_text()


def test_a_class_can_be_online_while_its_campus_is_not(campus: Organisation) -> None:
    in_term = autumn(campus)
    with transaction():
        one, other = class_group(campus, in_term), class_group(campus, in_term)
        online(campus, date(2026, 11, 23), date(2026, 11, 24))
        online(campus, date(2026, 11, 25), None, class_id=one.id)
    days = online_days(campus, date(2026, 11, 23), date(2026, 11, 29))
    assert [days.is_online(one.id, date(2026, 11, n)) for n in (22, 23, 24, 25, 29)] == [False, True, True, True, True]
    assert [days.is_online(other.id, date(2026, 11, n)) for n in (23, 24, 25)] == [True, True, False]


def test_the_periods_of_a_make_up_day_are_those_of_the_weekday_that_it_stands_in_for(campus: Organisation) -> None:
    in_term = autumn(campus)
    wednesday = [(time(9), time(9, 40)), (time(10), time(10, 40))]
    with transaction():
        group = class_group(campus, in_term)
        periods = [*every_weekday([(time(8), time(8, 40))], (0, 1, 3, 4)), *every_weekday(wednesday, (2,))]
        set_grid(campus, "Online", periods)
    days, _ = days_of_week(campus, OCTOBER)
    spans = online_days(campus, days[0].day, days[-1].day)
    slots = class_slots([group], days, grids_of(campus.id), spans, campus.zone)[group.id]
    saturday = [local(at.starts_at, ZONE) for slot, at in sorted(slots.items()) if slot.day == 5]
    assert [(at.date(), at.time()) for at in saturday] == [
        (date(2026, 10, 10), time(9)),
        (date(2026, 10, 10), time(10)),
    ]
