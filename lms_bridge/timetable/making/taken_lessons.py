"""Lessons that stay where they are, where the periods of a teacher's day are limited: they count among them. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from lms_bridge.core.i18n import gettext
from lms_bridge.timetable.solving.problem import Course, Slot
from lms_bridge.timetable.weeks.class_keys import teacher_key
from lms_bridge.timetable.weeks.slots import SlotTime, slots_during


def counted_lessons(
    taken: Iterable[tuple[int, datetime, datetime]],
    times: Collection[SlotTime],
    unavailable: Mapping[int, frozenset[Slot]],
    limited: Mapping[int, int],
    busy: defaultdict[str, set[Slot]],
    known: set[tuple[int, datetime, datetime]] | None = None,
) -> list[Course]:
    """Lessons (teacher, start, end) that stay make their teachers ``busy``. Where the periods of a teacher's day are
    ``limited``, each is a course that counts among them instead, as far as there is room. Those ``known`` are counted
    at another campus of the same problem, and only make busy; those counted here are added to them."""
    found: list[Course] = []
    counted: defaultdict[str, set[Slot]] = defaultdict(set)
    for number, (person_id, starts_at, ends_at) in enumerate(taken):
        key = teacher_key(person_id)
        slots = slots_during(times, starts_at, ends_at)
        busy[key] |= slots
        free = sorted(slots - unavailable.get(person_id, frozenset()) - counted[key])
        day = [slot for slot in counted[key] if free and slot.day == free[0].day]
        if person_id not in limited or not free or len(day) >= limited[person_id]:
            continue
        if known is not None:
            if (person_id, starts_at, ends_at) in known:
                continue
            known.add((person_id, starts_at, ends_at))
        counted[key].add(free[0])
        found.append(
            Course(
                key=f"taken{number}:{person_id}",
                classes=(),
                teachers=(key,),
                subject="",
                periods=1,
                label=gettext("a lesson that stays"),
                fixed=(free[0],),
                online=False,
                slots=frozenset(free[:1]),
            )
        )
    for key, own in counted.items():
        busy[key] -= own
    return found
