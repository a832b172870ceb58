"""Lessons that stay where they are while a week is solved: what of a demand they fulfil already."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime

from lms_bridge.timetable.models import Lesson
from lms_bridge.timetable.solving.problem import Slot
from lms_bridge.timetable.weeks.demand import Demand
from lms_bridge.timetable.weeks.slots import ClassSlots


class HeldLessons:
    """The lessons that stay, by class and subject."""

    def __init__(self, lessons: Iterable[Lesson], slots: ClassSlots) -> None:
        self._at: defaultdict[tuple[int, int], list[tuple[str, datetime]]] = defaultdict(list)
        self._slots: Mapping[int, Mapping[datetime, Slot]] = {
            class_id: {time.starts_at: slot for slot, time in times.items()} for class_id, times in slots.items()
        }
        for lesson in lessons:
            for part in lesson.audience:
                self._at[part.class_id, lesson.subject_id].append((part.part, lesson.starts_at))

    def moments(self, class_id: int, subject_id: int, part: str) -> set[datetime]:
        """When they are for a class: for a named part those of the part and of the whole class, else all. Groups that
        are taught at once count once."""
        return {
            starts_at
            for of_part, starts_at in self._at.get((class_id, subject_id), ())
            if not part or of_part in ("", part)
        }

    def left(self, demand: Demand) -> int:
        """How many periods of a demand are still to be placed."""
        subject_id = demand.course.subject_id
        left = [len(p.steps) - len(self.moments(p.class_id, subject_id, p.part)) for p in demand.audience]
        return max(0, *left)

    def slots(self, demand: Demand) -> list[Slot]:
        """The slots that they take of a demand's classes in its subject, in order."""
        found = {
            self._slots[part.class_id].get(moment)
            for part in demand.audience
            for moment in self.moments(part.class_id, demand.course.subject_id, part.part)
        }
        return sorted(slot for slot in found if slot is not None)
