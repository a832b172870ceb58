"""How far a resource's week is from what its limits allow.

The measure is a necessary condition for a partial timetable and exact for a complete one: the hours that the days
begun so far will need at least are compared with the hours that the resource has in the week. It never grows when a
unit is taken away, so the units that must leave can be found one after the other.
"""

from __future__ import annotations

from lms_bridge.timetable.engine.compiled import inner

from lms_bridge.timetable.engine.arrays import (  # isort: skip
    EMPTY_OK, FIRST, GAPS_DAY, GAPS_WEEK, INTERVAL, INTERVAL_DAYS, LATE, MAX_DAY, MAX_DAYS, MIN_DAY, MIN_DAYS, OPEN,
    RUN, SECOND, SPAN, UNITS, UNLIMITED, WEEK, Board, Ints,
)  # fmt: skip


@inner
def bits_in(value: int) -> int:
    """How many bits are set in a number below 2**32."""
    value = value - ((value >> 1) & 0x55555555)
    value = (value & 0x33333333) + ((value >> 2) & 0x33333333)
    value = (value + (value >> 4)) & 0x0F0F0F0F
    return ((value * 0x01010101) & 0xFFFFFFFF) >> 24


@inner
def longest_run(value: int) -> int:
    """The length of the longest run of set bits."""
    length = 0
    while value:
        value &= value >> 1
        length += 1
    return length


@inner
def hours_needed(board: Board, resource: int, day: int, taken: int) -> tuple[int, int, int, int]:
    """What a day begun needs at least: hours, hours from its beginning to its end, late beginning, how much too long.

    The late beginning is 0 if the day begins with its first open hour, 1 if with the second, 2 if later still.
    """
    limits = board.limits[resource]
    hours = bits_in(taken)
    low = bits_in((taken & -taken) - 1)
    high = low
    while taken >> high:
        high += 1
    bad = max(0, high - low - limits[SPAN])
    span = (1 << high) - 1
    needed, begins = hours, 0
    late = limits[LATE]
    if late < 0:
        span &= ~((1 << low) - 1)
    elif not (taken >> board.open[resource, day, FIRST]) & 1:
        begins = 1
        if not (taken >> board.open[resource, day, SECOND]) & 1:
            begins = 2
            needed = hours + 1
    length = bits_in(board.open[resource, day, OPEN] & span)
    needed = max(needed, length - limits[GAPS_DAY] - (1 if late > 0 else 0))
    if needed > limits[MAX_DAY] and hours <= limits[MAX_DAY]:
        bad += needed - limits[MAX_DAY]
    return needed, length, begins, bad


@inner
def too_few_days(board: Board, resource: int, days: Ints, used: int) -> int:
    """The hours of a week that fit neither into the days begun nor into the further days that may be begun."""
    limits = board.limits[resource]
    room = best = 0
    for day in range(board.days):
        fits = min(limits[MAX_DAY], bits_in(board.open[resource, day, OPEN]))
        if days[day]:
            room += fits
        else:
            best = max(best, fits)
    return max(0, limits[WEEK] - room - max(0, limits[MAX_DAYS] - used) * best)


@inner
def excess(board: Board, resource: int, days: Ints, placed: int) -> int:
    """By how much the week of a resource breaks its limits; 0 when it may still become right.

    ``days`` has the bits of the hours taken on each day, ``placed`` the number of the resource's units among them.
    """
    limits = board.limits[resource]
    least, gaps_week, late = limits[MIN_DAY], limits[GAPS_WEEK], limits[LATE]
    spans_count = gaps_week < UNLIMITED or limits[GAPS_DAY] < UNLIMITED or limits[SPAN] < UNLIMITED or late >= 0
    bad = used = need = spans = late_second = late_days = interval = 0
    for day in range(board.days):
        taken = days[day]
        if taken == 0:
            if limits[EMPTY_OK] == 0:
                need += least
                spans += least
            continue
        used += 1
        needed = bits_in(taken)
        bad += max(0, needed - limits[MAX_DAY])
        if spans_count:
            needed, length, begins, more = hours_needed(board, resource, day, taken)
            bad += more
            spans += max(length, least)
            late_days += begins > 0
            late_second += begins == 1
        need += max(needed, least)
        if limits[RUN] < UNLIMITED:
            bad += max(0, longest_run(taken) - limits[RUN])
        interval += (taken & limits[INTERVAL]) != 0
    if late >= 0:
        need += max(0, late_second - late)
    bad += max(0, need - limits[WEEK])
    if gaps_week < UNLIMITED:
        bad += max(0, spans - min(late_days, max(late, 0)) - limits[WEEK] - gaps_week)
    if limits[MAX_DAYS] < board.days:
        bad += max(0, used - limits[MAX_DAYS]) + too_few_days(board, resource, days, used)
    bad += max(0, limits[MIN_DAYS] - used - (limits[UNITS] - placed))
    return bad + max(0, interval - limits[INTERVAL_DAYS])
