"""The inner loop of :mod:`lms_bridge.timetable.solving.annealing`, compiled by numba once and then kept on disk.

Plain loops over arrays: what reads as clumsy Python here is what the compiler turns into a few machine instructions.
The arguments ``t`` and ``m`` are ``Tables`` and ``Moving`` of that module.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

LONGEST = 24
"""Lessons that one exchange may move; longer chains are given up."""


@njit(cache=True, nogil=True)
def _number(random: Any, below: int) -> int:
    """A random number from 0 to ``below`` - 1 (xorshift)."""
    x = random[0]
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    random[0] = x
    return int((x >> np.uint64(11)) % np.uint64(below))


@njit(cache=True, nogil=True)
def _add_to_rows(t: Any, m: Any, variable: int, delta: int) -> int:
    """Change a variable in its rows: by how much the rules are broken more."""
    broken = 0
    for position in range(t.row_start[variable], t.row_start[variable + 1]):
        row = t.rows[position]
        before = m.activity[row]
        after = before + delta * t.coefficients[position]
        broken += max(0, after - t.high[row]) - max(0, before - t.high[row])
        broken += max(0, t.low[row] - after) - max(0, t.low[row] - before)
        m.activity[row] = after
    return broken


@njit(cache=True, nogil=True)
def _flip(t: Any, m: Any, pair: int, delta: int) -> tuple[int, int]:
    """Choose a pair (1) or not any more (-1): how much the rules are broken more, and how much it costs more."""
    m.values[pair] += delta
    broken = _add_to_rows(t, m, pair, delta)
    cost = t.price[pair] * delta
    for position in range(t.helper_start[pair], t.helper_start[pair + 1]):
        helper = t.owners[position]
        before = 0 if m.against[helper] > 0 else min(t.most[helper], max(0, m.counted[helper] - t.spare[helper]))
        if t.signs[position] > 0:
            m.counted[helper] += delta
        else:
            m.against[helper] += delta
        after = 0 if m.against[helper] > 0 else min(t.most[helper], max(0, m.counted[helper] - t.spare[helper]))
        if after != before:
            variable = t.first + helper
            m.values[variable] = after
            cost += t.price[variable] * (after - before)
            broken += _add_to_rows(t, m, variable, after - before)
    return broken, cost


@njit(cache=True, nogil=True)
def _join(chain: Any, size: int, course: int, start: int, end: int) -> int:
    """Add a lesson to the chain unless it is in it: the new size, or -1 when the chain is too long."""
    for number in range(size):
        if chain[number, 0] == course and chain[number, 1] == start:
            return size
    if size >= LONGEST:
        return -1
    chain[size, 0], chain[size, 1], chain[size, 2] = course, start, end
    return size + 1


@njit(cache=True, nogil=True)
def _closed(t: Any, m: Any, chain: Any, done: int, size: int) -> int:
    """Add to the chain what is in the way of its lessons, and so on: its size, or -1 when it cannot be."""
    while done < size:
        course, start, end = chain[done, 0], chain[done, 1], chain[done, 2]
        pair = t.pair_of[course, end]
        if pair < 0 or m.values[pair] > 0:
            return -1
        for number in range(t.people.shape[1]):
            person = t.people[course, number]
            if person >= 0:
                other = m.at[person, end]
                if other >= 0:
                    size = _join(chain, size, other, end, start)
                    if size < 0:
                        return -1
        for number in range(t.mates.shape[1]):
            mate = t.mates[course, number]
            if mate >= 0:
                size = _join(chain, size, mate, start, end)
                if size < 0:
                    return -1
        done += 1
    return size


@njit(cache=True, nogil=True)
def _settle(t: Any, m: Any, chain: Any, size: int) -> None:
    """Note where the lessons of an exchange that was taken are now."""
    for number in range(size):
        course, start = chain[number, 0], chain[number, 1]
        for one in range(t.people.shape[1]):
            if t.people[course, one] >= 0:
                m.at[t.people[course, one], start] = -1
        lesson = m.lesson_of[t.pair_of[course, start]]
        chain[number, 3] = lesson
        last = m.listed[start, m.counts[start] - 1]
        m.listed[start, m.place[lesson]] = last
        m.place[last] = m.place[lesson]
        m.counts[start] -= 1
    for number in range(size):
        course, end, lesson = chain[number, 0], chain[number, 2], chain[number, 3]
        for one in range(t.people.shape[1]):
            if t.people[course, one] >= 0:
                m.at[t.people[course, one], end] = course
        m.lesson_of[t.pair_of[course, end]] = lesson
        m.slot[lesson] = end
        m.listed[end, m.counts[end]] = lesson
        m.place[lesson] = m.counts[end]
        m.counts[end] += 1


@njit(cache=True, nogil=True)
def _proposed(t: Any, m: Any, chain: Any) -> int:
    """A random exchange in ``chain``: the number of its lessons, or -1."""
    slots = t.pair_of.shape[1]
    lesson = _number(m.random, len(m.course))
    course, start = m.course[lesson], m.slot[lesson]
    end = _number(m.random, slots)
    if end == start:
        return -1
    size = _closed(t, m, chain, 0, _join(chain, 0, course, start, end))
    if size > 0 and t.pool[course] >= 0 and m.counts[end] > 0 and _number(m.random, 2) == 0:
        other = m.listed[end, _number(m.random, m.counts[end])]
        if t.pool[m.course[other]] == t.pool[course]:
            size = _closed(t, m, chain, size, _join(chain, size, m.course[other], end, start))
    return size


@njit(cache=True, nogil=True)
def exchanges(t: Any, m: Any, moves: int, warm: float, cold: float) -> int:
    """Try ``moves`` exchanges while the temperature falls from ``warm`` to ``cold``: what the timetable costs more."""
    chain = np.zeros((LONGEST, 4), dtype=np.int32)
    total = 0
    for move in range(moves):
        temperature = warm + (cold - warm) * move / moves
        size = _proposed(t, m, chain)
        if size <= 0:
            continue
        broken = cost = 0
        for number in range(size):
            one, more = _flip(t, m, t.pair_of[chain[number, 0], chain[number, 1]], -1)
            broken, cost = broken + one, cost + more
        for number in range(size):
            one, more = _flip(t, m, t.pair_of[chain[number, 0], chain[number, 2]], 1)
            broken, cost = broken + one, cost + more
        chance = _number(m.random, 1 << 30) / (1 << 30)
        if broken == 0 and (cost <= 0 or chance < math.exp(-cost / temperature)):
            _settle(t, m, chain, size)
            total += cost
        else:
            for number in range(size):
                _flip(t, m, t.pair_of[chain[number, 0], chain[number, 2]], -1)
            for number in range(size):
                _flip(t, m, t.pair_of[chain[number, 0], chain[number, 1]], 1)
    return total
