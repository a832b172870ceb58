"""The verdict on one student, minute by minute: what the school's rules say of what was seen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lms_bridge.attendance.models import Verdict
from lms_bridge.attendance.verdicts import Judged, Policy, judge
from lms_bridge.lessons.intervals import Interval

START = datetime(2026, 11, 25, 2, 10, tzinfo=UTC)
END = START + timedelta(minutes=40)
RULES = Policy()
"""Late after 5 minutes, left early before the last 10, absent below 30 percent."""

Span = tuple[float, float]


def at(minutes: float) -> datetime:
    """So many minutes after the start."""
    return START + timedelta(minutes=minutes)


def judged(*stays: Span, after: float = 60, blind: tuple[Span, ...] = ()) -> Judged:
    """The verdict ``after`` so many minutes on stays given in minutes."""
    seen = [Interval(at(first), at(last)) for first, last in stays]
    return judge(seen, START, END, RULES, now=at(after), gaps=[(at(first), at(last)) for first, last in blind])


@pytest.mark.parametrize(
    ("stays", "verdict"),
    [
        ([(0, 40)], Verdict.PRESENT),
        ([(-8, 55)], Verdict.PRESENT),
        ([(5, 40)], Verdict.PRESENT),
        ([(5.02, 40)], Verdict.LATE),
        ([(0, 30)], Verdict.PRESENT),
        ([(0, 29.98)], Verdict.LEFT_EARLY),
        ([(0, 12)], Verdict.LEFT_EARLY),
        ([(0, 11)], Verdict.ABSENT),
        ([], Verdict.ABSENT),
        ([(-10, -2)], Verdict.ABSENT),
        ([(41, 50)], Verdict.ABSENT),
        ([(0, 10), (25, 40)], Verdict.PRESENT),
    ],
)
def test_after_the_lesson(stays: list[Span], verdict: Verdict) -> None:
    assert judged(*stays).verdict is verdict


def test_while_the_lesson_runs_nobody_is_absent() -> None:
    assert judged(after=20).verdict is None


def test_who_comes_late_is_late_at_once() -> None:
    assert judged((8, 9), after=9).verdict is Verdict.LATE


def test_a_short_silence_is_no_departure() -> None:
    assert judged((0, 10), after=11).verdict is Verdict.PRESENT
    assert judged((0, 10), after=12).verdict is Verdict.LEFT_EARLY


def test_minutes_count_only_within_the_lesson_and_never_twice() -> None:
    assert judged((-8, 10), (20, 55)).minutes == 30


@pytest.mark.parametrize(
    ("stays", "blind"), [([], (0, 40)), ([(20, 40)], (0, 20)), ([(0, 20)], (20, 40)), ([(0, 5)], (5, 40))]
)
def test_where_nothing_could_be_seen_nothing_is_held_against_a_student(stays: list[Span], blind: Span) -> None:
    assert judged(*stays, blind=(blind,)).verdict is Verdict.UNVERIFIED


def test_a_gap_elsewhere_excuses_nothing() -> None:
    assert judged((20, 40), blind=((30, 35),)).verdict is Verdict.LATE
    assert judged((0, 20), blind=((2, 4),)).verdict is Verdict.LEFT_EARLY


def test_the_figures_behind_a_verdict_are_kept() -> None:
    found = judged((8, 32))
    assert (found.first_seen, found.last_seen, found.minutes) == (at(8), at(32), 24)
    assert found.reason == {"share": 60, "late": 8, "left": 8, "blind": 0}
