"""A campus's week as a ``.fet`` file with every lesson locked at its time, to be looked at or worked on in FET.

What FET has no place for stands in activity tags, so that the file comes in again as the same timetable.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from lms_bridge.core.clock import local
from lms_bridge.core.i18n import gettext
from lms_bridge.timetable.exchange.given import Original
from lms_bridge.timetable.exchange.naming import written_names
from lms_bridge.timetable.exchange.writing import held, originals_of, teachers_with_marks
from lms_bridge.timetable.fet.export import PlainActivity, PlainSchool, write_school
from lms_bridge.timetable.models import Lesson
from lms_bridge.timetable.solving.problem import WEEKDAYS

MAKES_UP = "makes up for: "
"""Begins the tag of a make-up lesson; the moment of the lesson follows that it stands for. A tag ``substitute: Li
Qiang`` says what a teacher does who does not simply lead or assist."""


def as_fet(lessons: Sequence[Lesson], title: str) -> bytes:
    """The ``.fet`` file of these lessons; those outside the period grid have no hour in FET and are left out.

    Classes go by their codes, people by their names (with a number where two have the same). A part of a class is a
    subgroup of it.
    """
    own = [lesson for lesson in held(lessons) if lesson.period_number is not None]
    days = sorted({local(lesson.starts_at, lesson.zone).weekday() for lesson in own} | set(range(5)))
    hours = list(range(1, 1 + max((lesson.period_number or 0 for lesson in own), default=1)))
    people, originals = written_names(own), originals_of(own)
    activities = [
        _activity(number, lesson, days, people, originals.get(lesson.id)) for number, lesson in enumerate(own, start=1)
    ]
    parts: defaultdict[str, set[str]] = defaultdict(set)
    for a in (a for lesson in own for a in lesson.audience if a.part):
        parts[a.class_group.code].add(set_name(a.class_group.code, a.part))
    return write_school(
        PlainSchool(
            name=title,
            days=[gettext(WEEKDAYS[day]) for day in days],
            hours=[str(hour) for hour in hours],
            teachers=sorted(set(people.values())),
            subjects=sorted({activity.subject for activity in activities}),
            classes=dict.fromkeys(sorted({a.class_group.code for lesson in own for a in lesson.audience}), 0),
            parts={code: sorted(sets) for code, sets in parts.items()},
            tags=sorted({tag for activity in activities for tag in activity.tags}),
            activities=activities,
        )
    )


def set_name(code: str, part: str) -> str:
    """What a part of a class is called in FET; all of the class for part ""."""
    return f"{code} {part}".strip()


def _activity(
    number: int, lesson: Lesson, days: Sequence[int], people: Mapping[int, str], original: Original | None
) -> PlainActivity:
    marks = teachers_with_marks(lesson)
    tags = [f"{part.value}: {people[key]}" for key, part in marks if part is not None]
    return PlainActivity(
        id=number,
        subject=lesson.subject.code,
        teachers=tuple(people[key] for key, _ in marks),
        classes=tuple(sorted(set_name(a.class_group.code, a.part) for a in lesson.audience)),
        tags=(*tags, *([f"{MAKES_UP}{original}"] if original is not None else [])),
        start=(days.index(local(lesson.starts_at, lesson.zone).weekday()), (lesson.period_number or 1) - 1),
    )
