"""The small rules behind proposals: who is one family, and how many rooms are left."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from lms_bridge.timetable.telling.people import families_of
from lms_bridge.timetable.weeks.capacity import Rooms, RoomsLeft

DAY = date(2026, 11, 23)
EIGHT = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
LESSON = timedelta(minutes=40)


@pytest.mark.parametrize(
    ("guardians", "families"),
    [
        ({1: [10], 2: [20]}, {1: 1, 2: 2}),
        ({1: [10, 11], 2: [11], 3: [30]}, {1: 1, 2: 1, 3: 3}),
        # Half-siblings: 1 and 2 share one guardian, 2 and 3 another.
        ({1: [10], 2: [10, 20], 3: [20]}, {1: 1, 2: 1, 3: 1}),
        ({3: [20], 1: [10], 2: [10, 20]}, {1: 1, 2: 1, 3: 1}),
        ({}, {}),
    ],
)
def test_students_who_share_a_guardian_are_one_family(
    guardians: dict[int, list[int]], families: dict[int, int]
) -> None:
    assert families_of(guardians) == families


def test_the_fewest_rooms_count() -> None:
    taken = ((EIGHT, EIGHT + LESSON), (EIGHT + timedelta(minutes=20), EIGHT + LESSON))
    left = RoomsLeft(((DAY, DAY, 4), (DAY, DAY + timedelta(days=1), 9)), Rooms(5, taken))
    assert left.at(DAY, EIGHT, EIGHT + LESSON) == 3
    assert left.at(DAY, EIGHT + LESSON, EIGHT + 2 * LESSON) == 4
    next_day = timedelta(days=1)
    assert left.at(DAY + next_day, EIGHT + next_day, EIGHT + next_day + LESSON) == 5
    assert RoomsLeft().at(DAY, EIGHT, EIGHT + LESSON) is None
