"""Everything in a campus's inputs that stands in the way of a week's timetable, listed at once, with remedies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from lms_bridge.calendar.days import days_of_week, iso_week, monday_of
from lms_bridge.calendar.grids import grids_of, period_problems
from lms_bridge.core.clock import local, now
from lms_bridge.core.database import db
from lms_bridge.core.errors import BadInputs, BridgeError, InputError, Place
from lms_bridge.core.i18n import N_
from lms_bridge.roster.models import Organisation, Person
from lms_bridge.roster.scope import today
from lms_bridge.timetable.inputs.subject_rules import contradicting, rules_of, text_of
from lms_bridge.timetable.making.impossible import InConflict
from lms_bridge.timetable.making.together import build_problem
from lms_bridge.timetable.models import Lesson, LessonStatus, LessonTeacher
from lms_bridge.timetable.solving.conflicts import counted
from lms_bridge.timetable.wording import DaysOff, When


@dataclass(frozen=True)
class Checked:
    """What a check found: ``problems`` must be mended before the week can be solved (or are wrong anyway),
    ``warnings`` need not."""

    campus_code: str
    week: str
    problems: tuple[BridgeError, ...]
    warnings: tuple[BridgeError, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """As plain JSON, in the language in force."""
        return {
            "campus": self.campus_code,
            "week": self.week,
            "problems": [problem.as_dict() for problem in self.problems],
            "warnings": [warning.as_dict() for warning in self.warnings],
        }


def check_week(campus: Organisation, week: str) -> Checked:
    """Look at all that the timetable of a week (``2026-W48``) is made from. Nothing is solved or stored.

    :raises InputError: it is no week.
    """
    week = iso_week(monday_of(week))
    problems: list[BridgeError] = [*_grids(campus), *_ended_classes(campus)]
    warnings: list[BridgeError] = []
    try:
        problem, context = build_problem(campus, week)
    except BadInputs as refusal:
        problems += refusal.problems
    except InputError as refusal:
        problems += [*contradicting(campus.id), refusal]
    else:
        problems += [InConflict(conflict) for conflict in counted(problem)]
        warnings += context.warnings
    problems += [*_on_days_off(campus, week), *_teachers_who_left(campus)]
    return Checked(campus.code, week, tuple(problems), tuple(warnings))


def _grids(campus: Organisation) -> Iterable[BridgeError]:
    """Grids are checked when they are set; rows that came another way are checked here."""
    for grid in grids_of(campus.id):
        for problem in period_problems(grid.periods):
            row = problem.place.row if problem.place is not None else None
            problem.place = Place(table=grid.name, row=row)
            yield problem


def _ended_classes(campus: Organisation) -> Iterable[BridgeError]:
    day = today(campus.zone)
    for row in rules_of(campus.id):
        group = row.class_group
        if group is not None and group.valid_to is not None and group.valid_to <= day:
            yield InputError(
                N_("The rule “%(rule)s” is for a class that does not exist any more."),
                remedy=N_("Remove the rule, or state it for another class."),
                rule=text_of(row),
            )


def _on_days_off(campus: Organisation, week: str) -> Iterable[BridgeError]:
    """Lessons still to come on days of the week on which no school is held."""
    days, off = days_of_week(campus, week)
    held = {day.day for day in days}
    by_day: Counter[date] = Counter()
    first: dict[date, Lesson] = {}
    for lesson in _to_come(campus):
        day = local(lesson.starts_at, campus.zone).date()
        if iso_week(day) == week and day not in held:
            by_day[day] += 1
            first.setdefault(day, lesson)
    for day, count in sorted(by_day.items()):
        yield InputError(
            N_("%(count)s lessons are on a day without school, the first on %(when)s (%(days)s)."),
            remedy=N_("Solve the week again, move or cancel them, or make the day a school day."),
            count=count,
            when=When(first[day].starts_at, campus.zone),
            days=DaysOff([d for d in off if d.day == day]),
        )


def _teachers_who_left(campus: Organisation) -> Iterable[BridgeError]:
    """Lessons still to come whose teachers are not in the roster any more."""
    day = today(campus.zone)
    left: Counter[int] = Counter()
    people: dict[int, Person] = {}
    for lesson in _to_come(campus):
        for part in lesson.teachers:
            if part.person.valid_to is not None and part.person.valid_to <= day:
                left[part.person_id] += 1
                people[part.person_id] = part.person
    for person_id, count in sorted(left.items()):
        yield InputError(
            N_("%(person)s has left, but %(count)s lessons to come are still theirs."),
            remedy=N_("Enrol another teacher in these classes and solve their weeks again."),
            person=people[person_id].display_name,
            count=count,
        )


def _to_come(campus: Organisation) -> Iterable[Lesson]:
    return db.session.scalars(
        sa.select(Lesson)
        .where(Lesson.campus_id == campus.id, Lesson.status == LessonStatus.SCHEDULED, Lesson.starts_at > now())
        .options(selectinload(Lesson.teachers).selectinload(LessonTeacher.person))
        .order_by(Lesson.starts_at, Lesson.id)
    )
