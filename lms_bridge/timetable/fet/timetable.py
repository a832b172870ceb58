"""A complete timetable of a FET school, whoever made it: us, FET, or a person who locked times in the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Slot = tuple[int, int]
"""(day, hour), both from 0 in the order of the file."""


@dataclass(frozen=True, slots=True)
class Timetable:
    """When and where the activities meet, by activity id.

    ``starts`` holds the first hour of each placed activity. ``rooms`` holds the names of rooms; an activity that needs
    none is not in it. ``real_rooms`` holds, for an activity in a virtual room, the real rooms that it takes.
    """

    starts: Mapping[int, Slot]
    rooms: Mapping[int, str] = field(default_factory=dict)
    real_rooms: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
