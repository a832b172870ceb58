"""A campus's week as a ``.fet`` file with every lesson locked at its time, to be looked at or worked on in FET."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from lms_bridge.core.clock import local
from lms_bridge.core.i18n import gettext
from lms_bridge.roster.models import Person
from lms_bridge.timetable.exchange.writing import held
from lms_bridge.timetable.fet.export import PlainActivity, PlainSchool, write_school
from lms_bridge.timetable.models import Lesson
from lms_bridge.timetable.solving.problem import WEEKDAYS


def as_fet(lessons: Sequence[Lesson], title: str) -> bytes:
    """The ``.fet`` file of these lessons; those outside the period grid have no hour in FET and are left out.

    Classes go by their codes, people by their names (with a number where two have the same). A part of a class is a
    set of students of its own, since two parts may have lessons at once.
    """
    own = [lesson for lesson in held(lessons) if lesson.period_number is not None]
    days = sorted({local(lesson.starts_at, lesson.zone).weekday() for lesson in own} | set(range(5)))
    hours = list(range(1, 1 + max((lesson.period_number or 0 for lesson in own), default=1)))
    people = _people(own)
    activities = [_activity(number, lesson, days, people) for number, lesson in enumerate(own, start=1)]
    return write_school(
        PlainSchool(
            name=title,
            days=[gettext(WEEKDAYS[day]) for day in days],
            hours=[str(hour) for hour in hours],
            teachers=sorted(people.values()),
            subjects=sorted({activity.subject for activity in activities}),
            classes={name: 0 for activity in activities for name in activity.classes},
            activities=activities,
        )
    )


def _activity(number: int, lesson: Lesson, days: Sequence[int], people: Mapping[int, str]) -> PlainActivity:
    classes = sorted(f"{a.class_group.code} {a.part}".strip() for a in lesson.audience)
    return PlainActivity(
        id=number,
        subject=lesson.subject.code,
        teachers=tuple(people[t.person_id] for t in sorted(lesson.teachers, key=lambda t: t.id)),
        classes=tuple(classes),
        start=(days.index(local(lesson.starts_at, lesson.zone).weekday()), (lesson.period_number or 1) - 1),
    )


def _people(lessons: Sequence[Lesson]) -> dict[int, str]:
    persons: dict[int, Person] = {t.person_id: t.person for lesson in lessons for t in lesson.teachers}
    same = Counter(person.display_name for person in persons.values())
    found: dict[int, str] = {}
    numbers: defaultdict[str, int] = defaultdict(int)
    for key, person in sorted(persons.items()):
        name = person.display_name
        numbers[name] += 1
        # The number that people know the person by comes in again; where there is none, one is counted.
        found[key] = name if same[name] == 1 else f"{name} {person.number or numbers[name]}"
    return found
