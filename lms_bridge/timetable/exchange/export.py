"""A week of a campus, a class or a teacher in the form that another program reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import time, timedelta

from lms_bridge.calendar.days import iso_week, monday_of
from lms_bridge.core.errors import InputError
from lms_bridge.core.i18n import N_, get_locale
from lms_bridge.roster.models import ClassGroup, Organisation, Person
from lms_bridge.timetable.exchange.to_fet import as_fet
from lms_bridge.timetable.exchange.writing import as_csv, as_ics, as_xlsx
from lms_bridge.timetable.models import Lesson
from lms_bridge.timetable.queries import lessons_between
from lms_bridge.timetable.weeks.slots import wall_clock

WRITERS: dict[str, Callable[[Sequence[Lesson], str], bytes]] = {
    "csv": lambda lessons, title: as_csv(lessons),
    "xlsx": as_xlsx,
    "ics": as_ics,
    "fet": as_fet,
}
MEDIA_TYPES = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ics": "text/calendar",
    "fet": "application/xml",
}
_MIDNIGHT = time(0, 0)


def written_week(
    campus: Organisation, week: str, form: str, *, group: ClassGroup | None = None, teacher: Person | None = None
) -> bytes:
    """The lessons that take place in an ISO week (``2026-W48``), of one class or teacher or the whole campus, as
    ``csv``, ``xlsx``, ``ics`` or ``fet``, in the language in force.

    :raises InputError: no such week or form, or there are no lessons in it.
    """
    write = WRITERS.get(form.lower())
    if write is None:
        raise InputError(
            N_("“%(form)s” is no form in which a timetable is written."),
            remedy=N_("Choose one of: %(forms)s."),
            form=form,
            forms=", ".join(WRITERS),
        )
    monday = monday_of(week)
    start, end = (wall_clock(day, _MIDNIGHT, campus.zone) for day in (monday, monday + timedelta(days=7)))
    lessons = lessons_between(
        start, end, class_ids=[group.id] if group is not None else None,
        teacher_id=teacher.id if teacher is not None else None,
        campus_ids=None if teacher is not None else [campus.id],
    )  # fmt: skip
    if not lessons:
        raise InputError(
            N_("There are no lessons in week %(week)s."),
            remedy=N_("Choose a week that has a timetable."),
            week=iso_week(monday),
        )
    name = group.title if group is not None else teacher.display_name if teacher is not None else None
    return write(lessons, " · ".join(part for part in (name or campus.label(get_locale()), iso_week(monday)) if part))
