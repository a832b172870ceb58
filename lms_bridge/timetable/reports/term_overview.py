"""A term of a campus at a glance: what each week had of lessons, how far the plans are, and who teaches how much."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import sqlalchemy as sa

from lms_bridge.calendar.days import (
    DayOff,
    TeachingWeek,
    monday_of,
    online_days,
    own_days,
    school_days,
    teaching_weeks,
)
from lms_bridge.core.database import db
from lms_bridge.roster.models import Organisation, Person, Term
from lms_bridge.timetable.models import (
    Lesson,
    LessonMode,
    LessonStatus,
    LessonTeacher,
    TeacherPart,
    TimetableWeek,
)
from lms_bridge.timetable.units.pace import untaught
from lms_bridge.timetable.units.plan_lines import plan_lines, records
from lms_bridge.timetable.weeks.demand import classes_of_term


@dataclass(frozen=True, slots=True)
class Pace:
    """How far the plans of a campus are at the end of a week, in periods: those that should have been taught and were
    not, those taught before their time, and in how many courses (class and subject) something is behind."""

    behind: int = 0
    ahead: int = 0
    courses_behind: int = 0


@dataclass(frozen=True, slots=True)
class WeekRow:
    """One teaching week. ``lessons`` take place, ``online`` and ``substituted`` are some of them; ``online_days`` of
    its ``days`` the whole campus is taught online. ``pace`` is None in a week without a timetable."""

    number: int
    iso: str
    days: int
    off: tuple[DayOff, ...]
    online_days: int
    published: bool
    lessons: int = 0
    online: int = 0
    cancelled: int = 0
    substituted: int = 0
    pace: Pace | None = None

    @property
    def online_share(self) -> int | None:
        """Lessons online of a hundred; None without lessons."""
        return round(100 * self.online / self.lessons) if self.lessons else None

    def as_dict(self) -> dict[str, Any]:
        """The week as plain JSON."""
        return {
            "number": self.number,
            "week": self.iso,
            "days": self.days,
            "days_off": [{"day": row.day.isoformat(), "name": row.name, "name_en": row.name_en} for row in self.off],
            "online_days": self.online_days,
            "published": self.published,
            "lessons": self.lessons,
            "online": self.online,
            "cancelled": self.cancelled,
            "substituted": self.substituted,
            "periods_behind": self.pace.behind if self.pace is not None else None,
            "periods_ahead": self.pace.ahead if self.pace is not None else None,
        }


@dataclass(slots=True)
class Load:
    """What one teacher has at the campus in the term: lessons that take place, those online, those taken for others,
    and how many there are in each week."""

    person: Person
    lessons: int = 0
    online: int = 0
    for_others: int = 0
    by_week: dict[str, int] = field(default_factory=dict)

    @property
    def average(self) -> float:
        """Lessons in a week that has any."""
        return self.lessons / len(self.by_week) if self.by_week else 0.0

    @property
    def fullest(self) -> int:
        """Lessons in the fullest week."""
        return max(self.by_week.values(), default=0)

    def as_dict(self) -> dict[str, Any]:
        """The load as plain JSON."""
        return {
            "teacher": self.person.uid,
            "name": self.person.display_name,
            "lessons": self.lessons,
            "online": self.online,
            "for_others": self.for_others,
            "average_per_week": round(self.average, 1),
            "fullest_week": self.fullest,
        }


@dataclass(frozen=True, slots=True)
class TermOverview:
    """A term of a campus: its weeks in order, its teachers by load."""

    campus: Organisation
    term: Term
    weeks: tuple[WeekRow, ...]
    teachers: tuple[Load, ...]

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain JSON."""
        return {
            "campus": self.campus.code,
            "term": {
                "code": self.term.code,
                "title": self.term.title,
                "starts_on": self.term.starts_on.isoformat(),
                "ends_on": self.term.ends_on.isoformat(),
            },
            "weeks": [week.as_dict() for week in self.weeks],
            "teachers": [load.as_dict() for load in self.teachers],
        }


def term_overview(campus: Organisation, term: Term) -> TermOverview:
    """Read it in a handful of queries, whatever the number of weeks."""
    weeks = teaching_weeks(campus, term)
    _, off = school_days(term.starts_on, term.ends_on, own_days(campus, term.starts_on, term.ends_on), campus.country)
    online = online_days(campus, term.starts_on, term.ends_on)
    rows = {
        row.week: row
        for row in db.session.scalars(
            sa.select(TimetableWeek).where(
                TimetableWeek.campus_id == campus.id, TimetableWeek.week.in_([week.iso for week in weeks])
            )
        )
    }
    counts, pace = _counts(row.id for row in rows.values()), _pace(campus, term, weeks)
    found = []
    for week in weeks:
        row = rows.get(week.iso)
        found.append(
            WeekRow(
                number=week.number,
                iso=week.iso,
                days=len(week.days),
                off=tuple(day for day in off if _within(day.day, week)),
                online_days=sum(online.is_online(0, day.day) for day in week.days),
                published=row is not None and row.published_at is not None,
                pace=pace.get(week.number),
                **(counts.get(row.id, {}) if row is not None else {}),
            )
        )
    return TermOverview(campus, term, tuple(found), tuple(_loads({row.id: row.week for row in rows.values()})))


def _within(day: date, week: TeachingWeek) -> bool:
    return 0 <= (day - monday_of(week.iso)).days < 7


def _counts(week_ids: Any) -> dict[int, dict[str, int]]:
    """By week id the lessons that take place, are online, cancelled, and given to somebody else."""
    ids = list(week_ids)
    found: defaultdict[int, dict[str, int]] = defaultdict(
        lambda: {"lessons": 0, "online": 0, "cancelled": 0, "substituted": 0}
    )
    grouped = db.session.execute(
        sa.select(Lesson.week_id, Lesson.status, Lesson.mode, sa.func.count())
        .where(Lesson.week_id.in_(ids))
        .group_by(Lesson.week_id, Lesson.status, Lesson.mode)
    )
    for week_id, status, mode, count in grouped:
        if status is LessonStatus.CANCELLED:
            found[week_id]["cancelled"] += count
            continue
        found[week_id]["lessons"] += count
        found[week_id]["online"] += count if mode is LessonMode.ONLINE else 0
    substituted = db.session.execute(
        sa.select(Lesson.week_id, sa.func.count(sa.distinct(Lesson.id)))
        .join(LessonTeacher, LessonTeacher.lesson_id == Lesson.id)
        .where(
            Lesson.week_id.in_(ids),
            Lesson.status == LessonStatus.SCHEDULED,
            LessonTeacher.part == TeacherPart.SUBSTITUTE,
        )
        .group_by(Lesson.week_id)
    )
    for week_id, count in substituted:
        found[week_id]["substituted"] = count
    return found


def _pace(campus: Organisation, term: Term, weeks: Sequence[TeachingWeek]) -> dict[int, Pace]:
    """By number of the week (those with a timetable), how far the approved plans are at its end."""
    classes = {group.id for group in classes_of_term(campus.id, term, term.starts_on)}
    lines = plan_lines(classes, term, weeks)
    known = records(campus.id, classes, weeks)
    totals: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
    for (class_id, _), line in lines.items():
        recorded = known.of(class_id, line.plan_id)
        for number in recorded:
            missing = set(untaught(line.weeks, number + 1, recorded))
            due = {step for steps in line.weeks[:number] for step in steps}
            later = {step for steps in line.weeks[number:] for step in steps}
            behind = len(due & missing)
            total = totals[number]
            total[0] += behind
            total[1] += len(later - missing)
            total[2] += behind > 0
    return {number: Pace(*total) for number, total in totals.items()}


def _loads(weeks: Mapping[int, str]) -> Collection[Load]:
    """What each teacher has in these weeks (their names by id), the most lessons first."""
    rows = db.session.execute(
        sa.select(LessonTeacher.person_id, Lesson.week_id, Lesson.mode, LessonTeacher.part, sa.func.count())
        .join(Lesson, Lesson.id == LessonTeacher.lesson_id)
        .where(Lesson.week_id.in_(weeks), Lesson.status == LessonStatus.SCHEDULED)
        .group_by(LessonTeacher.person_id, Lesson.week_id, Lesson.mode, LessonTeacher.part)
    ).all()
    people = {
        person.id: person
        for person in db.session.scalars(sa.select(Person).where(Person.id.in_({row[0] for row in rows})))
    }
    loads = {key: Load(person) for key, person in people.items()}
    for person_id, week_id, mode, part, count in rows:
        load = loads[person_id]
        load.lessons += count
        load.online += count if mode is LessonMode.ONLINE else 0
        load.for_others += count if part is TeacherPart.SUBSTITUTE else 0
        load.by_week[weeks[week_id]] = load.by_week.get(weeks[week_id], 0) + count
    return sorted(loads.values(), key=lambda load: (-load.lessons, load.person.display_name, load.person.id))
