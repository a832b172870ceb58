"""Which units would have to leave if a unit were placed in a slot."""

from __future__ import annotations

from lms_bridge.timetable.engine.compiled import inner

from lms_bridge.timetable.engine.arrays import (  # isort: skip
    ADJACENT_ON_SAME_DAY, AFTER, AFTER_IF_SAME_DAY, AMOUNT, BEFORE, BEFORE_IF_SAME_DAY, BLOCK_OF_THREE, BUSY, CHECK,
    CHOICES, DAYS, DURATION, ENDING, ENDS, FOLLOWED_BY, FOLLOWS, FREE, HOLDS, HOURS, KIND, LIMITED, MARK,
    MAX_DAYS_APART, MIN_DAYS_APART, MIN_GAP, NEEDS, NEED_HOURS, NONE, NO_OVERLAP, OPEN, OTHER, OTHER_HOURS, OWN_HOURS,
    PAIRS, RESOURCE, ROOM, ROOM_AVOID, SAME_DAY, SAME_HOUR, SAME_START, STAMP, START, SURE, TRIAL, UNIT_GROUPS,
    WEIGHT, WISHES, Board, Ints, State,
)  # fmt: skip
from lms_bridge.timetable.engine.limits import excess
from lms_bridge.timetable.engine.moves import draw
from lms_bridge.timetable.engine.slotgroups import groups

MANY = 1 << 30


@inner
def add(state: State, unit: int, leaving: Ints, number: int, most: int) -> int:
    """Note that a unit must leave; the new number, or -1 if it must not or there are too many."""
    if state.units[unit, BUSY] or number >= most:
        return -1
    state.units[unit, MARK] = state.counters[STAMP]
    leaving[number] = unit
    return number + 1


@inner
def is_applied(state: State, chance: int) -> bool:
    """Whether a rule of this probability is checked this time."""
    return chance >= SURE or (state.counters[WISHES] != 0 and draw(state, SURE) < chance)


@inner
def holders(board: Board, state: State, unit: int, slot: int, leaving: Ints, number: int, most: int) -> int:
    """Those that hold a resource which the unit needs, and those that break the rule who ends a day."""
    stamp = state.counters[STAMP]
    day_start = slot - slot % board.hours
    for i in range(board.units[unit, HOLDS], board.units[unit + 1, HOLDS]):
        resource = board.holds[i, RESOURCE]
        end = slot + board.holds[i, HOURS]
        for place in range(slot, end):
            other = state.at[resource, place]
            if other >= 0 and state.units[other, MARK] != stamp:
                number = add(state, other, leaving, number, most)
                if number < 0:
                    return -1
        if not board.limits[resource, ENDING]:
            continue
        for place in range(day_start, day_start + board.hours):
            other = state.at[resource, place]
            if other < 0 or state.units[other, MARK] == stamp or slot <= place < end:
                continue
            clash = bool(board.holds[i, ENDS]) if place >= end else ends(board, other, resource)
            if clash:
                number = add(state, other, leaving, number, most)
                if number < 0:
                    return -1
    return number


@inner
def ends(board: Board, unit: int, resource: int) -> bool:
    """Whether a resource's day must end with this unit."""
    for i in range(board.units[unit, HOLDS], board.units[unit + 1, HOLDS]):
        if board.holds[i, RESOURCE] == resource:
            return bool(board.holds[i, ENDS])
    return False


@inner
def empty_between(board: Board, day: int, hour: int, later: int) -> int:
    """The hours between the end of one activity and the start of a later one that are no pauses."""
    count = 0
    for h in range(hour, later):
        if not (board.pauses[day] >> h) & 1:
            count += 1
    return count


@inner
def clashes(board: Board, pair: Ints, slot: int, other_slot: int) -> bool:
    """Whether a unit in one slot and the other of the pair in its slot break the pair's rule."""
    kind, amount, own, others = pair[KIND], pair[AMOUNT], pair[OWN_HOURS], pair[OTHER_HOURS]
    day, hour = slot // board.hours, slot % board.hours
    other_day, other_hour = other_slot // board.hours, other_slot % board.hours
    between = other_hour - hour - own if other_hour >= hour else hour - other_hour - others
    if kind == MIN_DAYS_APART:
        return abs(day - other_day) < amount
    if kind == SAME_START:
        return slot != other_slot
    if kind == SAME_DAY:
        return day != other_day
    if kind == SAME_HOUR:
        return hour != other_hour
    if kind == MIN_GAP:
        return day == other_day and between < amount
    if kind == MAX_DAYS_APART:
        return abs(day - other_day) > amount
    if kind == BEFORE:
        return slot + own > other_slot
    if kind == AFTER:
        return other_slot + others > slot
    if kind == BEFORE_IF_SAME_DAY:
        return day == other_day and slot + own > other_slot
    if kind == AFTER_IF_SAME_DAY:
        return day == other_day and other_slot + others > slot
    if kind == NO_OVERLAP:
        return day == other_day and between < 0
    if kind == ADJACENT_ON_SAME_DAY:
        return day == other_day and between != 0
    # What is left wants both together on one day, one right after the other.
    if day != other_day or between < 0:
        return True
    if kind == FOLLOWED_BY and other_hour < hour:
        return True
    if kind == FOLLOWS and hour < other_hour:
        return True
    early, late = (hour + own, other_hour) if other_hour >= hour else (other_hour + others, hour)
    gap = empty_between(board, day, early, late)
    return gap != 0 and not (kind == BLOCK_OF_THREE and gap == amount)


@inner
def partners(board: Board, state: State, unit: int, slot: int, leaving: Ints, number: int, most: int) -> int:
    """Those whose place breaks a rule about them and this unit."""
    stamp = state.counters[STAMP]
    for i in range(board.units[unit, PAIRS], board.units[unit + 1, PAIRS]):
        pair = board.pairs[i]
        other = pair[OTHER]
        other_slot = state.units[other, START]
        if other_slot == FREE or state.units[other, MARK] == stamp:
            continue
        if clashes(board, pair, slot, other_slot) and is_applied(state, pair[WEIGHT]):
            number = add(state, other, leaving, number, most)
            if number < 0:
                return -1
    return number


@inner
def room_cost(board: Board, state: State, room: int, slot: int, hours: int) -> int:
    """How many more units would have to leave this room; -1 if it cannot be had."""
    stamp = state.counters[STAMP]
    day, hour = slot // board.hours, slot % board.hours
    wanted = ((1 << hours) - 1) << hour
    if board.open[room, day, OPEN] & wanted != wanted:
        return -1
    cost = 0
    last = FREE
    for place in range(slot, slot + hours):
        other = state.at[room, place]
        if other >= 0 and other != last and state.units[other, MARK] != stamp:
            if state.units[other, BUSY]:
                return -1
            cost += 1
            last = other
    return cost


@inner
def rooms(board: Board, state: State, unit: int, slot: int, leaving: Ints, number: int, most: int, picks: Ints) -> int:
    """Choose the room with the fewest units that must leave for each need of a unit; they are added."""
    stamp = state.counters[STAMP]
    first = board.units[unit, NEEDS]
    for n in range(first, board.units[unit + 1, NEEDS]):
        best, best_cost, ties = FREE, MANY, 0
        for c in range(board.needs[n, CHOICES], board.needs[n + 1, CHOICES]):
            room = board.choices[c, ROOM]
            taken = False
            for earlier in range(n - first):
                taken |= picks[earlier] == room
            if taken or (board.choices[c, ROOM_AVOID] > 0 and is_applied(state, board.choices[c, ROOM_AVOID])):
                continue
            cost = room_cost(board, state, room, slot, board.needs[n, NEED_HOURS])
            if cost < 0 or cost > best_cost:
                continue
            ties = 1 if cost < best_cost else ties + 1
            if ties == 1 or draw(state, ties) == 0:
                best, best_cost = room, cost
        none = board.needs[n, NONE]
        if (best == FREE or best_cost > 0) and none < SURE and not is_applied(state, none):
            best, best_cost = FREE, 0
        elif best == FREE:
            return -1
        picks[n - first] = best
        if best_cost > 0:
            for place in range(slot, slot + board.needs[n, NEED_HOURS]):
                other = state.at[best, place]
                if other >= 0 and state.units[other, MARK] != stamp:
                    number = add(state, other, leaving, number, most)
                    if number < 0:
                        return -1
    return number


@inner
def without(board: Board, state: State, resource: int, unit: int, days: Ints) -> None:
    """Clear the hours that a placed unit holds of a resource from a copy of the resource's week."""
    slot = state.units[unit, START]
    day, hour = slot // board.hours, slot % board.hours
    for k in range(board.units[unit, DURATION]):
        if state.at[resource, slot + k] == unit:
            days[day] &= ~(1 << (hour + k))


@inner
def over_limit(board: Board, state: State, unit: int, slot: int, leaving: Ints, number: int, most: int) -> int:
    """Those that must leave so that the limits of the unit's resources are kept."""
    day, hour = slot // board.hours, slot % board.hours
    for i in range(board.units[unit, HOLDS], board.units[unit + 1, HOLDS]):
        resource = board.holds[i, RESOURCE]
        check = board.limits[resource, CHECK]
        if not board.limits[resource, LIMITED] or not is_applied(state, check):
            continue
        if check < SURE and breaks_alone(board, state, resource, slot, i):
            continue
        week = state.scratch[DAYS]
        placed = state.week[resource, board.days] + 1
        for d in range(board.days):
            week[d] = state.week[resource, d]
        for q in range(number):
            other = leaving[q]
            if state.at[resource, state.units[other, START]] == other:
                without(board, state, resource, other, week)
                placed -= 1
        week[day] |= ((1 << board.holds[i, HOURS]) - 1) << hour
        bad = excess(board, resource, week, placed)
        while bad > 0:
            other = worst(board, state, resource, day, placed)
            if other == FREE:
                return -1
            number = add(state, other, leaving, number, most)
            if number < 0:
                return -1
            without(board, state, resource, other, week)
            placed -= 1
            bad = excess(board, resource, week, placed)
    return number


@inner
def breaks_alone(board: Board, state: State, resource: int, slot: int, hold: int) -> bool:
    """Whether a unit breaks a limit although nobody else holds the resource: then no wish can be fulfilled."""
    trial = state.scratch[TRIAL]
    trial[: board.days] = 0
    trial[slot // board.hours] = ((1 << board.holds[hold, HOURS]) - 1) << (slot % board.hours)
    return excess(board, resource, trial, 1) > 0


@inner
def worst(board: Board, state: State, resource: int, day: int, placed: int) -> int:
    """The unit whose leaving helps a resource's limits most: the ends of all days and all of this day are tried."""
    stamp = state.counters[STAMP]
    best, best_bad, ties = FREE, MANY, 0
    for d in range(board.days):
        if state.week[resource, d] == 0:
            continue
        start = d * board.hours
        first = last = FREE
        for place in range(start, start + board.hours):
            other = state.at[resource, place]
            if other >= 0 and state.units[other, MARK] != stamp and not state.units[other, BUSY]:
                last = other
                if first == FREE:
                    first = other
        previous = FREE
        for place in range(start, start + board.hours):
            other = state.at[resource, place]
            if other < 0 or other == previous or state.units[other, MARK] == stamp or state.units[other, BUSY]:
                continue
            previous = other
            if d != day and other not in (first, last):
                continue
            for k in range(board.days):
                state.scratch[TRIAL, k] = state.scratch[DAYS, k]
            without(board, state, resource, other, state.scratch[TRIAL])
            left = excess(board, resource, state.scratch[TRIAL], placed - 1)
            if left > best_bad:
                continue
            ties = 1 if left < best_bad else ties + 1
            if ties == 1 or draw(state, ties) == 0:
                best, best_bad = other, left
    return best


@inner
def evaluate(board: Board, state: State, unit: int, slot: int, leaving: Ints, picks: Ints, most: int) -> int:
    """How many units must leave for this placement; -1 if it cannot be had. Fills ``leaving`` and ``picks``."""
    state.counters[STAMP] += 1
    number = holders(board, state, unit, slot, leaving, 0, most)
    if number >= 0 and board.units[unit + 1, PAIRS] > board.units[unit, PAIRS]:
        number = partners(board, state, unit, slot, leaving, number, most)
    if number >= 0 and board.units[unit + 1, UNIT_GROUPS] > board.units[unit, UNIT_GROUPS]:
        number = groups(board, state, unit, slot, leaving, number, most)
    if number >= 0 and board.units[unit + 1, NEEDS] > board.units[unit, NEEDS]:
        number = rooms(board, state, unit, slot, leaving, number, most, picks)
    if number >= 0:
        number = over_limit(board, state, unit, slot, leaving, number, most)
    return number
