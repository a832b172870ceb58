"""Which unit of one plan is which unit of another: one to one, in any order, best in all.

Pure and exact: the sum of likenesses is as large as it can be, found by the Hungarian method within each group of
units that could be exchanged for one another. Where several answers are equally good (three units called 复习), the
one that keeps the order is taken.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

Pair = tuple[int, int]

# What keeping the order is worth: it decides between equally good answers and hardly anything else.
_ORDER_BONUS = 0.001


def match(likeness: Sequence[Sequence[float]], threshold: float) -> list[Pair]:
    """The pairs (row, column) with the greatest total likeness; only pairs of at least ``threshold``.

    ``likeness[row][column]`` is between 0 and 1. The pairs are sorted by row.
    """
    in_order = set(keep_order(likeness, threshold))
    pairs: list[Pair] = []
    for rows, columns in _groups(likeness, threshold):
        weights = [
            [
                (likeness[row][column] + (_ORDER_BONUS if (row, column) in in_order else 0.0))
                if likeness[row][column] >= threshold
                else 0.0
                for column in columns
            ]
            for row in rows
        ]
        for i, j in _assign(weights):
            if weights[i][j] > 0:
                pairs.append((rows[i], columns[j]))
    return sorted(pairs)


def keep_order(likeness: Sequence[Sequence[float]], threshold: float) -> list[Pair]:
    """The pairs with the greatest total likeness among those in which no two cross (dynamic programming)."""
    height, width = len(likeness), len(likeness[0]) if likeness else 0
    best = [[0.0] * (width + 1) for _ in range(height + 1)]
    for i in range(height - 1, -1, -1):
        row, here, below = likeness[i], best[i], best[i + 1]
        for j in range(width - 1, -1, -1):
            value = max(below[j], here[j + 1])
            if row[j] >= threshold:
                value = max(value, row[j] + below[j + 1])
            here[j] = value
    pairs: list[Pair] = []
    i = j = 0
    while i < height and j < width:
        if likeness[i][j] >= threshold and best[i][j] == likeness[i][j] + best[i + 1][j + 1]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return pairs


def longest_increasing(values: Sequence[int]) -> set[int]:
    """The positions of a longest increasing subsequence of distinct ``values``."""
    ends: list[int] = []
    end_positions: list[int] = []
    before: list[int] = []
    for position, value in enumerate(values):
        place = bisect_left(ends, value)
        before.append(end_positions[place - 1] if place else -1)
        ends[place : place + 1] = [value]
        end_positions[place : place + 1] = [position]
    kept: set[int] = set()
    position = end_positions[-1] if end_positions else -1
    while position >= 0:
        kept.add(position)
        position = before[position]
    return kept


def _groups(likeness: Sequence[Sequence[float]], threshold: float) -> list[tuple[list[int], list[int]]]:
    """Rows and columns that hang together by possible pairs; groups do not influence each other."""
    height, width = len(likeness), len(likeness[0]) if likeness else 0
    rows_of: list[list[int]] = [[] for _ in range(width)]
    columns_of: list[list[int]] = [[] for _ in range(height)]
    for row in range(height):
        for column in range(width):
            if likeness[row][column] >= threshold:
                columns_of[row].append(column)
                rows_of[column].append(row)
    groups: list[tuple[list[int], list[int]]] = []
    seen: set[int] = set()
    for start in range(height):
        if start in seen or not columns_of[start]:
            continue
        rows, columns, waiting = {start}, set[int](), [start]
        while waiting:
            for column in columns_of[waiting.pop()]:
                if column not in columns:
                    columns.add(column)
                    fresh = [row for row in rows_of[column] if row not in rows]
                    rows.update(fresh)
                    waiting.extend(fresh)
        seen |= rows
        groups.append((sorted(rows), sorted(columns)))
    return groups


def _assign(weights: list[list[float]]) -> list[Pair]:
    """The assignment of greatest weight: the Hungarian method with potentials, in cubic time (Kuhn, Munkres)."""
    if len(weights) == 1:
        return [(0, max(range(len(weights[0])), key=weights[0].__getitem__))]
    turned = len(weights) > len(weights[0])
    cost = [[-value for value in row] for row in (zip(*weights, strict=True) if turned else weights)]
    pairs = _hungarian(cost)
    return [(j, i) for i, j in pairs] if turned else pairs


def _hungarian(cost: list[list[float]]) -> list[Pair]:
    """The cheapest assignment of every row to a column of its own; at most as many rows as columns."""
    height, width = len(cost), len(cost[0])
    row_price = [0.0] * (height + 1)
    column_price = [0.0] * (width + 1)
    owner = [0] * (width + 1)  # of each column, counted from 1; column 0 holds the row that looks for a place
    for row in range(1, height + 1):
        owner[0] = row
        way = [0] * (width + 1)
        slack = [float("inf")] * (width + 1)
        used = [False] * (width + 1)
        column = 0
        while owner[column]:
            used[column] = True
            current, step, following = owner[column], float("inf"), 0
            for j in range(1, width + 1):
                if used[j]:
                    continue
                reduced = cost[current - 1][j - 1] - row_price[current] - column_price[j]
                if reduced < slack[j]:
                    slack[j], way[j] = reduced, column
                if slack[j] < step:
                    step, following = slack[j], j
            for j in range(width + 1):
                if used[j]:
                    row_price[owner[j]] += step
                    column_price[j] -= step
                else:
                    slack[j] -= step
            column = following
        while column:
            owner[column] = owner[way[column]]
            column = way[column]
    return [(owner[j] - 1, j - 1) for j in range(1, width + 1) if owner[j]]
