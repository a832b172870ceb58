"""How far a resource's week is from what its limits allow.

The measure is a necessary condition for a partial timetable and exact for a complete one: the hours that the days
begun so far will need at least are compared with the hours that the resource has in the week. It never grows when a
unit is taken away, so the units that must leave can be found one after the other.
"""

from __future__ import annotations

from numba import njit

from lms_bridge.timetable.engine.arrays import (  # isort: skip
    EMPTY_OK, FIRST, GAPS_DAY, GAPS_WEEK, INTERVAL, INTERVAL_DAYS, LATE, MAX_DAY, MAX_DAYS, MIN_DAY, MIN_DAYS, OPEN,
    RUN, SECOND, SPAN, UNITS, UNLIMITED, WEEK, Board, Ints,
)  # fmt: skip


@njit(cache=True)
def bits_in(value: int) -> int:
    """How many bits are set in a number below 2**32."""
    value = value - ((value >> 1) & 0x55555555)
    value = (value & 0x33333333) + ((value >> 2) & 0x33333333)
    value = (value + (value >> 4)) & 0x0F0F0F0F
    return ((value * 0x01010101) & 0xFFFFFFFF) >> 24


@njit(cache=True)
def longest_run(value: int) -> int:
    """The length of the longest run of set bits."""
    length = 0
    while value:
        value &= value >> 1
        length += 1
    return length


@njit(cache=True)
def excess(board: Board, resource: int, days: Ints, placed: int) -> int:
    """By how much the week of a resource breaks its limits; 0 when it may still become right.

    ``days`` has the bits of the hours taken on each day, ``placed`` the number of the resource's units among them.
    """
    limits = board.limits[resource]
    least, gaps_week, gaps_day, late = limits[MIN_DAY], limits[GAPS_WEEK], limits[GAPS_DAY], limits[LATE]
    spans_count = gaps_week < UNLIMITED or gaps_day < UNLIMITED or late >= 0
    bad = used = need = spans = late_second = late_days = interval = 0
    for day in range(board.days):
        taken = days[day]
        if taken == 0:
            if limits[EMPTY_OK] == 0:
                need += least
                spans += least
            continue
        used += 1
        hours = bits_in(taken)
        if hours > limits[MAX_DAY]:
            bad += hours - limits[MAX_DAY]
        needed = max(hours, least)
        if spans_count or limits[SPAN] < UNLIMITED:
            low = bits_in((taken & -taken) - 1)
            high = low
            while taken >> high:
                high += 1
            if high - low > limits[SPAN]:
                bad += high - low - limits[SPAN]
            span = (1 << high) - 1
            if late >= 0:
                if not (taken >> board.open[resource, day, FIRST]) & 1:
                    late_days += 1
                    if (taken >> board.open[resource, day, SECOND]) & 1:
                        late_second += 1
                    else:
                        needed = max(hours + 1, least)
            else:
                span &= ~((1 << low) - 1)
            length = bits_in(board.open[resource, day, OPEN] & span)
            needed = max(needed, length - gaps_day - (1 if late > 0 else 0))
            if needed > limits[MAX_DAY] and hours <= limits[MAX_DAY]:
                bad += needed - limits[MAX_DAY]
            spans += max(length, least)
        need += needed
        if limits[RUN] < UNLIMITED:
            run = longest_run(taken)
            if run > limits[RUN]:
                bad += run - limits[RUN]
        if taken & limits[INTERVAL]:
            interval += 1
    if late >= 0:
        need += max(0, late_second - late)
    bad += max(0, need - limits[WEEK])
    if gaps_week < UNLIMITED:
        bad += max(0, spans - min(late_days, max(late, 0)) - limits[WEEK] - gaps_week)
    bad += max(0, used - limits[MAX_DAYS])
    bad += max(0, limits[MIN_DAYS] - used - (limits[UNITS] - placed))
    return bad + max(0, interval - limits[INTERVAL_DAYS])
