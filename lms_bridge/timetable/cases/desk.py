"""What a case is worked out from, read once: the lessons in force, the free periods of each class, and who can teach.

A desk holds the weeks that have a timetable, from the week of the case on. Later weeks have none yet: they are solved
with what was lost in mind.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import combinations

import sqlalchemy as sa

from lms_bridge.calendar.days import TeachingDay, iso_week, monday_of, online_days, own_days, school_days, terms_of
from lms_bridge.calendar.grids import grids_of
from lms_bridge.calendar.limits import limits_by_grade
from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.roster.models import ClassGroup, Enrolment, EnrolmentRole, Organisation
from lms_bridge.timetable.cases.colleagues import Colleague, colleagues
from lms_bridge.timetable.models import Lesson, LessonStatus, TimetableWeek, Unavailability
from lms_bridge.timetable.queries import WITH_PARTS
from lms_bridge.timetable.snapshots import LessonState, state_of
from lms_bridge.timetable.weeks.availability import applies, elsewhere, unavailabilities
from lms_bridge.timetable.weeks.campus_rules import read_rules
from lms_bridge.timetable.weeks.capacity import RoomsLeft, rooms_left
from lms_bridge.timetable.weeks.kept_rules import CampusRules
from lms_bridge.timetable.weeks.reading import SETTLED
from lms_bridge.timetable.weeks.slots import SlotTime, class_slots

WEEKS_AHEAD = 4
"""So many weeks after a case lessons are made up for, if they have a timetable already."""


@dataclass
class Desk:
    """The situation in which a case is decided; plain values, so that proposals are worked out without the database.

    ``lessons``: the states of lessons that take place, by id; ``rows`` the same as rows. ``openings``: by class the
    periods that are still to come, in order of time. ``weeks``: the id of the week of each school day; ``versions``
    are theirs. ``linked``: by class the classes that have students in common with it, itself included. ``limits``:
    online lessons a day by class. ``away``: lessons of teachers at other campuses. ``stated``: what the campus states.
    """

    campus: Organisation
    rows: Mapping[int, Lesson]
    lessons: Mapping[int, LessonState]
    classes: Mapping[int, ClassGroup]
    days: Mapping[date, TeachingDay]
    weeks: Mapping[date, int]
    versions: Mapping[int, int]
    openings: Mapping[int, Sequence[SlotTime]]
    linked: Mapping[int, frozenset[int]]
    limits: Mapping[int, int]
    colleagues: Mapping[int, Colleague]
    away: Sequence[tuple[int, datetime, datetime]]
    rooms: RoomsLeft
    settled: datetime
    closed: Mapping[int, Sequence[Unavailability]] = field(default_factory=dict)
    stated: CampusRules = field(default_factory=CampusRules)

    def is_closed(self, person_id: int, day: date, period: int | None) -> bool:
        """Whether a teacher cannot teach in a period of a day."""
        teaching = self.days.get(day) or TeachingDay(day, day.weekday())
        return any(applies(row, teaching, period) for row in self.closed.get(person_id, ()))

    def opening(self, class_id: int, day: date, period: int | None) -> SlotTime | None:
        """The period of a class on a day, if it has one that is still to come."""
        return next((t for t in self.openings.get(class_id, ()) if t.day == day and t.slot.period == period), None)

    def open_for(self, state: LessonState) -> list[SlotTime]:
        """The periods that all classes of a lesson have alike, still to come, in order of time."""
        first, *others = sorted(state.class_ids) or [0]
        own = list(self.openings.get(first, ()))
        for class_id in others:
            times = {(t.starts_at, t.ends_at) for t in self.openings.get(class_id, ())}
            own = [t for t in own if (t.starts_at, t.ends_at) in times]
        return own


def read_desk(campus: Organisation, first: date, last: date, *, ahead: int = WEEKS_AHEAD) -> Desk:
    """The desk for what happens at a campus from ``first`` to ``last`` (both included, campus dates), with ``ahead``
    more weeks to make lessons up in."""
    monday = monday_of(iso_week(first))
    until = last + timedelta(weeks=ahead)
    published = _weeks(campus, iso_week(monday), iso_week(until))
    mondays = [monday_of(week.week) for week in published]
    end = max(mondays, default=monday) + timedelta(days=6)
    rows = _lessons([week.id for week in published])
    lessons = {row.id: state_of(row) for row in rows}
    terms = terms_of(campus)
    days = {
        day.day: day
        for day in school_days(monday, end, own_days(campus, monday, end), campus.country)[0]
        if any(start <= day.day <= start + timedelta(days=6) for start in mondays)
        and any(term.starts_on <= day.day <= term.ends_on for term in terms)
    }
    classes = _classes(campus.id, {class_id for state in lessons.values() for class_id in state.class_ids})
    people = colleagues(campus, iso_week(first))
    teaching = {person_id for state in lessons.values() for person_id in state.teacher_ids} | set(people)
    span = (
        min((state.starts_at for state in lessons.values()), default=now()),
        max((state.ends_at for state in lessons.values()), default=now()) + timedelta(days=7),
    )
    closed: defaultdict[int, list[Unavailability]] = defaultdict(list)
    for row in unavailabilities(teaching, monday, end):
        closed[row.person_id].append(row)
    limits = limits_by_grade(campus, {group.grade for group in classes.values()})
    settled = now() + SETTLED
    away = elsewhere(teaching, campus.id, *span)
    return Desk(
        campus=campus,
        rows={row.id: row for row in rows},
        lessons=lessons,
        classes=classes,
        days=days,
        weeks={monday_of(week.week) + timedelta(days=n): week.id for week in published for n in range(7)},
        versions={week.id: week.version for week in published},
        openings=_openings(campus, classes.values(), days.values(), settled),
        linked=_linked(classes, monday, end),
        limits={key: limits[group.grade].periods_per_day for key, group in classes.items()},
        colleagues=people,
        away=away,
        rooms=rooms_left(campus, *span),
        settled=settled,
        closed=dict(closed),
        stated=read_rules(campus, published, classes, days.values(), limits, teaching, away),
    )


def _weeks(campus: Organisation, first: str, last: str) -> list[TimetableWeek]:
    """The weeks with a timetable; ISO weeks are in order as text."""
    return list(
        db.session.scalars(
            sa.select(TimetableWeek)
            .where(
                TimetableWeek.campus_id == campus.id,
                TimetableWeek.published_at.is_not(None),
                TimetableWeek.week >= first,
                TimetableWeek.week <= last,
            )
            .order_by(TimetableWeek.week)
            .execution_options(populate_existing=True)
        )
    )


def _lessons(week_ids: Collection[int]) -> list[Lesson]:
    return list(
        db.session.scalars(
            sa.select(Lesson)
            .where(Lesson.week_id.in_(week_ids), Lesson.status == LessonStatus.SCHEDULED)
            .options(*WITH_PARTS)
            .order_by(Lesson.starts_at, Lesson.id)
            .execution_options(populate_existing=True)
        )
    )


def _classes(campus_id: int, class_ids: Collection[int]) -> dict[int, ClassGroup]:
    rows = db.session.scalars(
        sa.select(ClassGroup).where(ClassGroup.campus_id == campus_id, ClassGroup.id.in_(class_ids))
    )
    return {row.id: row for row in rows}


def _openings(
    campus: Organisation, classes: Iterable[ClassGroup], days: Iterable[TeachingDay], settled: datetime
) -> dict[int, list[SlotTime]]:
    groups = list(classes)
    grids = grids_of(campus.id)
    by_week: defaultdict[str, list[TeachingDay]] = defaultdict(list)
    for day in days:
        by_week[iso_week(day.day)].append(day)
    found: dict[int, list[SlotTime]] = {group.id: [] for group in groups}
    for _, own in sorted(by_week.items()):
        spans = online_days(campus, own[0].day, own[-1].day)
        for class_id, slots in class_slots(groups, own, grids, spans, campus.zone).items():
            found[class_id] += [time for time in slots.values() if time.starts_at >= settled]
    return {class_id: sorted(times, key=lambda t: t.starts_at) for class_id, times in found.items()}


def _linked(classes: Mapping[int, ClassGroup], first: date, last: date) -> dict[int, frozenset[int]]:
    """Classes with students in common: a homeroom and the teaching groups that its students go to."""
    members: defaultdict[int, set[int]] = defaultdict(set)
    for person_id, class_id in db.session.execute(
        sa.select(Enrolment.person_id, Enrolment.class_id).where(
            Enrolment.class_id.in_(classes),
            Enrolment.role == EnrolmentRole.STUDENT,
            Enrolment.valid_from <= last,
            sa.or_(Enrolment.valid_to.is_(None), Enrolment.valid_to > first),
        )
    ):
        members[person_id].add(class_id)
    found: dict[int, set[int]] = {class_id: {class_id} for class_id in classes}
    for one, other in {pair for groups in members.values() for pair in combinations(sorted(groups), 2)}:
        found[one].add(other)
        found[other].add(one)
    return {class_id: frozenset(others) for class_id, others in found.items()}
