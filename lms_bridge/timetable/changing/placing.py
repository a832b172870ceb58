"""Whether lessons fit where somebody wants them: all that decides it for a span of days is read once, and can then be
asked for any number of slots without the database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from lms_bridge.calendar.days import TeachingDay, days_of_week, iso_week, online_days, term_of_week
from lms_bridge.calendar.grids import grids_of
from lms_bridge.calendar.limits import limits_by_grade
from lms_bridge.core.clock import local, now
from lms_bridge.core.database import db
from lms_bridge.core.errors import BridgeError, InputError
from lms_bridge.core.i18n import N_
from lms_bridge.roster.models import ClassGroup, Organisation
from lms_bridge.timetable.changing.clashes import (
    Occupied,
    campus_codes,
    clash_errors,
    double_bookings,
    held,
    names_of,
    occupied_by,
)
from lms_bridge.timetable.changing.full_days import full_days
from lms_bridge.timetable.changing.rule_checks import RuleChecks
from lms_bridge.timetable.inputs.teacher_limits import limits_of
from lms_bridge.timetable.models import Lesson, LessonAudience, LessonMode, LessonStatus
from lms_bridge.timetable.snapshots import LessonState
from lms_bridge.timetable.weeks.availability import applies, unavailabilities
from lms_bridge.timetable.weeks.capacity import RoomsLeft, rooms_left
from lms_bridge.timetable.weeks.slots import SlotTime, class_slots, wall_clock
from lms_bridge.timetable.wording import Day, DayOffName, When


class LessonProblem(InputError):
    """Why a lesson cannot be changed so; ``field`` names what to correct: date, period, teacher, or "" for all."""

    def __init__(self, message: str, *, field: str = "", **params: Any) -> None:
        super().__init__(message, **params)
        self.field = field


@dataclass(frozen=True, slots=True)
class Found:
    """A lesson at its wanted time, or (``state`` None) why there is no such time; ``problems`` may speak against a
    time that exists, too."""

    state: LessonState | None
    problems: tuple[BridgeError, ...] = ()


class Placing:
    """What decides whether lessons of these classes and people fit into the days from ``first`` to ``last``."""

    def __init__(
        self, campus: Organisation, first: date, last: date, *, class_ids: Collection[int], person_ids: Collection[int]
    ) -> None:
        self.campus = campus
        self.zone = campus.zone
        self._read_days(first, last)
        self.groups = {
            group.id: group
            for group in db.session.scalars(sa.select(ClassGroup).where(ClassGroup.id.in_(set(class_ids))))
        }
        self.online = online_days(campus, first, last)
        self.slots = class_slots(
            self.groups.values(), list(self.teaching.values()), grids_of(campus.id), self.online, campus.zone
        )
        self.limits = limits_by_grade(campus, {group.grade for group in self.groups.values()})
        self.start, self.end = (
            wall_clock(first, time(0), self.zone),
            wall_clock(last + timedelta(days=1), time(0), self.zone),
        )
        self.unavailable = unavailabilities(list(person_ids), first, last)
        self.periods_per_day = limits_of(person_ids)
        keys = {f"class:{key}" for key in self.groups} | {f"teacher:{key}" for key in person_ids}
        self.occupied: defaultdict[str, list[Occupied]] = defaultdict(list)
        for entry in held(keys, self.start, self.end):
            self.occupied[entry.who].append(entry)
        self.names = names_of(keys)
        self.codes = campus_codes({entry.campus_id for row in self.occupied.values() for entry in row} | {campus.id})
        self.online_lessons = self._online_lessons()
        self.days = (first, last)

    @cached_property
    def rules(self) -> RuleChecks:
        """What is stated for these classes; read when the first lesson is to be moved."""
        return RuleChecks(self.campus, *self.days, self.groups)

    @cached_property
    def rooms(self) -> RoomsLeft:
        """The online rooms of the campus; read when the first lesson is to be moved."""
        return rooms_left(self.campus, self.start, self.end)

    def periods(self, class_id: int | None, day: date) -> list[SlotTime]:
        """The periods that a class has on a day, in order; none without school or grid."""
        own = self.slots.get(class_id or 0, {})
        return sorted((at for at in own.values() if at.day == day), key=lambda at: at.slot)

    def at_period(self, before: LessonState, day: date, period: int | None) -> Found:
        """The lesson in a period of its (first) class's grid, in the mode of that day."""
        refused = self.closed(day)
        if refused is not None:
            return Found(None, (refused,))
        first = before.classes[0][0] if before.classes else None
        slot = next((at for at in self.periods(first, day) if at.slot.period == period), None)
        problems = self.outside_term.get(iso_week(day), ())
        if slot is None:
            missing = LessonProblem(
                N_("There is no period %(period)s on %(day)s."),
                field="period",
                remedy=N_("Choose one of the periods of that day's grid."),
                period=period if period is not None else "-",
                day=Day(day),
            )
            return Found(None, (*problems, missing))
        after = replace(before, starts_at=slot.starts_at, ends_at=slot.ends_at, period_number=slot.slot.period)
        return Found(replace(after, mode=self._mode(before, day)), problems)

    def at_time(self, before: LessonState, day: date, start: time) -> Found:
        """The lesson at a time of the campus's wall clock, as long as it is, outside the period grid."""
        refused = self.closed(day)
        if refused is not None:
            return Found(None, (refused,))
        starts_at = wall_clock(day, start, self.zone)
        after = replace(
            before,
            starts_at=starts_at,
            ends_at=starts_at + (before.ends_at - before.starts_at),
            period_number=None,
            mode=self._mode(before, day),
        )
        return Found(after, self.outside_term.get(iso_week(day), ()))

    def problems(self, wanted: Mapping[int, LessonState], *, field: str = "period") -> list[BridgeError]:
        """What speaks against lessons (by id) being in these states all together; nothing: they fit."""
        found: list[BridgeError] = [
            LessonProblem(
                N_("%(when)s is in the past."),
                field="date",
                remedy=N_("Choose a time that is still to come."),
                when=When(after.starts_at, self.zone),
            )
            for after in wanted.values()
            if after.starts_at <= now()
        ]
        found += self.clashes(wanted, field)
        found += self.too_full(wanted, field=field)
        for after in wanted.values():
            found += self.absences(after, after.teacher_ids, field)
            found += self._too_many_online(after, wanted)
        found += self._without_room(wanted, field)
        found += self._broken_rules(wanted, field)
        return found

    def hints(self, wanted: Mapping[int, LessonState]) -> list[BridgeError]:
        """What somebody should know before lessons (by id) get these states, though it does not speak against it."""
        return list(self.rules.hints(wanted))

    def clashes(self, wanted: Mapping[int, LessonState], field: str = "period") -> list[BridgeError]:
        """Who would be in two lessons at once."""
        new = [entry for lesson, state in wanted.items() for entry in occupied_by(lesson, state, new=True)]
        others = [entry for who in {e.who for e in new} for entry in self.occupied[who] if entry.lesson not in wanted]
        pairs = double_bookings([*new, *others])
        return [
            LessonProblem(p.message, field=field, remedy=p.remedy, **p.params)
            for p in clash_errors(pairs, self.names, self.codes)
        ]

    def too_full(
        self, wanted: Mapping[int, LessonState], person_ids: Collection[int] | None = None, *, field: str = "period"
    ) -> list[BridgeError]:
        """Which teachers (of these; None: all) would have more periods on a day than they may, and more than now."""
        return [
            LessonProblem(
                N_("%(person)s would have %(count)s periods on %(day)s; %(limit)s a day are allowed."),
                field=field,
                remedy=N_("Choose another day or another teacher."),
                person=self.names.get(f"teacher:{full.person_id}", "?"),
                count=full.count,
                day=Day(full.day),
                limit=full.limit,
            )
            for full in full_days(wanted, self.occupied, self.periods_per_day, self.zone, person_ids)
        ]

    def absences(self, state: LessonState, person_ids: Iterable[int], field: str = "period") -> list[BridgeError]:
        """Which of these people cannot teach when the lesson is held."""
        day = state.starts_local.date()
        teaching = self.teaching.get(day) or TeachingDay(day, day.weekday())
        wanted = set(person_ids)
        away = {
            row.person_id
            for row in self.unavailable
            if row.person_id in wanted and applies(row, teaching, state.period_number)
        }
        return [
            LessonProblem(
                N_("%(person)s cannot teach on %(when)s."),
                field=field,
                remedy=N_("Choose another time or another teacher."),
                person=self.names.get(f"teacher:{person_id}", "?"),
                when=When(state.starts_at, self.zone),
            )
            for person_id in sorted(away)
        ]

    def _read_days(self, first: date, last: date) -> None:
        self.teaching: dict[date, TeachingDay] = {}
        self.off: dict[date, DayOffName] = {}
        self.outside_term: dict[str, tuple[BridgeError, ...]] = {}
        for week in dict.fromkeys(iso_week(first + timedelta(days=n)) for n in range((last - first).days + 1)):
            days, off = days_of_week(self.campus, week)
            self.teaching |= {day.day: day for day in days}
            self.off |= {day.day: DayOffName.of(day) for day in off if day.name or day.name_en}
            try:
                term_of_week(self.campus, week)
            except InputError as error:
                problem = LessonProblem(error.message, field="date", remedy=error.remedy, **error.params)
                self.outside_term[week] = (problem,)

    def closed(self, day: date) -> BridgeError | None:
        """Why nothing can be held on a day; None: school is held."""
        if day in self.teaching:
            return None
        name = self.off.get(day)
        return LessonProblem(
            N_("No school is held on %(day)s (%(name)s).") if name else N_("No school is held on %(day)s."),
            field="date",
            remedy=N_("Choose a school day."),
            day=Day(day),
            **({"name": name} if name else {}),
        )

    def _mode(self, state: LessonState, day: date) -> LessonMode:
        online = any(self.online.is_online(class_id, day) for class_id in state.class_ids)
        return LessonMode.ONLINE if online else LessonMode.IN_PERSON

    def _online_lessons(self) -> defaultdict[tuple[int, date], dict[int, datetime]]:
        """By class and day, the online lessons that take place, with their beginnings."""
        found: defaultdict[tuple[int, date], dict[int, datetime]] = defaultdict(dict)
        rows = db.session.execute(
            sa.select(LessonAudience.class_id, Lesson.id, Lesson.starts_at)
            .join(Lesson, Lesson.id == LessonAudience.lesson_id)
            .where(
                LessonAudience.class_id.in_(self.groups),
                Lesson.status == LessonStatus.SCHEDULED,
                Lesson.mode == LessonMode.ONLINE,
                Lesson.starts_at >= self.start,
                Lesson.starts_at < self.end,
            )
        )
        for class_id, lesson, starts_at in rows:
            found[class_id, local(starts_at, self.zone).date()][lesson] = starts_at
        return found

    def _too_many_online(self, after: LessonState, wanted: Mapping[int, LessonState]) -> Iterable[BridgeError]:
        """Whether the day of one wanted lesson has room for it beside those that do not move and those that come."""
        if after.mode is not LessonMode.ONLINE:
            return
        day = after.starts_local.date()
        for class_id in sorted(after.class_ids):
            coming = [
                lesson
                for lesson, state in wanted.items()
                if class_id in state.class_ids and state.mode is LessonMode.ONLINE and state.starts_local.date() == day
            ]
            gone = wanted.keys() - set(coming)
            problem = self._beside(class_id, day, coming, gone)
            if problem is not None:
                yield problem

    def _broken_rules(self, wanted: Mapping[int, LessonState], field: str) -> Iterable[BridgeError]:
        remedy = N_("Choose another time, or change the rule first.")
        for message, params in self.rules.problems(wanted):
            yield LessonProblem(message, field=field, remedy=remedy, **params)

    @cached_property
    def in_rooms(self) -> dict[int, tuple[datetime, datetime]]:
        """The times of the campus's online lessons that take place, by id; none where rooms are not counted."""
        if not self.rooms.limited:
            return {}
        rows = db.session.execute(
            sa.select(Lesson.id, Lesson.starts_at, Lesson.ends_at).where(
                Lesson.campus_id == self.campus.id,
                Lesson.status == LessonStatus.SCHEDULED,
                Lesson.mode == LessonMode.ONLINE,
                Lesson.starts_at < self.end,
                Lesson.ends_at > self.start,
            )
        )
        return {lesson: (starts_at, ends_at) for lesson, starts_at, ends_at in rows}

    def _without_room(self, wanted: Mapping[int, LessonState], field: str) -> Iterable[BridgeError]:
        """Which lessons would need an online room at a time at which all are taken. One that keeps its time keeps its
        room."""
        held = {lesson: span for lesson, span in self.in_rooms.items() if lesson not in wanted}
        online = {n: (s.starts_at, s.ends_at) for n, s in wanted.items() if s.mode is LessonMode.ONLINE}
        for lesson, (starts_at, ends_at) in online.items():
            rooms = self.rooms.at(local(starts_at, self.zone).date(), starts_at, ends_at)
            if rooms is None or self.in_rooms.get(lesson) == (starts_at, ends_at):
                continue
            others = [span for n, span in (held | online).items() if n != lesson]
            beside = sum(start < ends_at and starts_at < end for start, end in others)
            if beside >= rooms:
                yield LessonProblem(
                    N_("No online room is free on %(when)s: there are %(rooms)s, and %(count)s lessons need one then."),
                    field=field,
                    remedy=N_("Choose another time."),
                    when=When(starts_at, self.zone),
                    rooms=rooms,
                    count=beside,
                )

    def online_limit(self, class_id: int) -> int:
        """How many online lessons a class may have in a day, by their number and by the minutes of its grid."""
        times = self.slots.get(class_id, {}).values()
        minutes = max((time.minutes for time in times if time.online), default=0)
        return self.limits[self.groups[class_id].grade].periods_for(minutes)

    def _beside(self, class_id: int, day: date, coming: list[int], gone: Collection[int]) -> BridgeError | None:
        group = self.groups[class_id]
        limit = self.online_limit(class_id)
        others = self.online_lessons[class_id, day].keys() - set(coming) - set(gone)
        if len(others) + len(coming) <= limit:
            return None
        return LessonProblem(
            N_("%(group)s has %(count)s online lessons on %(day)s already; %(limit)s are allowed."),
            field="date",
            remedy=N_("Choose another day."),
            group=group.title,
            count=len(others),
            day=Day(day),
            limit=limit,
        )


def placing_of(campus: Organisation, first: date, last: date, states: Iterable[LessonState]) -> Placing:
    """What decides about lessons in (or like) these states, in a span of days."""
    states = list(states)
    return Placing(
        campus,
        first,
        last,
        class_ids={class_id for state in states for class_id in state.class_ids},
        person_ids={person_id for state in states for person_id in state.teacher_ids},
    )
