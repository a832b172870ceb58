"""Works out what the lessons of some weeks must become so that they are the timetable of a file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, time, timedelta

import sqlalchemy as sa

from lms_bridge.calendar.days import TeachingDay, TeachingWeek, online_days
from lms_bridge.calendar.grids import grids_of
from lms_bridge.core.clock import local, now
from lms_bridge.core.database import db
from lms_bridge.core.errors import BridgeError, CountedInput, InputError, Place
from lms_bridge.core.i18n import N_, NN_
from lms_bridge.roster.models import ClassGroup, Organisation, Person, Term
from lms_bridge.timetable.changing import changes
from lms_bridge.timetable.changing.clashes import bookings_of, clash_errors_of
from lms_bridge.timetable.exchange.given import Original
from lms_bridge.timetable.exchange.naming import NamedLesson
from lms_bridge.timetable.models import (
    ChangeCause,
    ChangeKind,
    ChangeSet,
    Lesson,
    LessonAudience,
    LessonMode,
    LessonStatus,
    TeacherPart,
    TimetableWeek,
)
from lms_bridge.timetable.queries import WITH_PARTS
from lms_bridge.timetable.snapshots import LessonState, difference, state_of
from lms_bridge.timetable.solving.matching import match
from lms_bridge.timetable.solving.problem import WEEKDAYS, Slot
from lms_bridge.timetable.weeks.reading import SETTLED
from lms_bridge.timetable.weeks.slots import SlotTime, class_slots, exact_slot, wall_clock
from lms_bridge.timetable.wording import Word

Course = tuple[tuple[tuple[int, str], ...], int]
"""Classes with their parts, and the subject."""


MIDNIGHT = time(0, 0)


class TermPlan:
    """What all lessons of the weeks must become."""

    def __init__(self, campus: Organisation, term: Term, lessons: Sequence[NamedLesson]) -> None:
        self.campus, self.term, self.lessons = campus, term, lessons
        self.class_ids = {key for lesson in lessons for key, _ in lesson.classes}
        rows = db.session.scalars(sa.select(ClassGroup).where(ClassGroup.id.in_(self.class_ids)))
        self.classes = {row.id: row for row in rows}
        self.grids = grids_of(campus.id)
        self.settled = now() + SETTLED
        self.wanted: list[changes.Wanted] = []
        self.weeks: dict[str, list[changes.Wanted]] = {}
        self.problems: dict[tuple[object, ...], BridgeError] = {}
        self.kept = self.past = 0
        self.places: dict[int, Place] = {}
        """Where the lesson of a wish (by its place in ``wanted``) stands in the file."""
        self.kept_places: dict[int, Place] = {}
        """Where a lesson that stays as it is (by its id) stands in the file."""
        self.weekdays = {lesson.weekday for lesson in lessons}
        self.closed: set[int] = set()
        self.open: set[int] = set()

    def add(self, week: TeachingWeek) -> None:
        """Work out one week."""
        if not week.days:
            return
        online = online_days(self.campus, week.days[0].day, week.days[-1].day)
        times = class_slots(self.classes.values(), week.days, self.grids, online, self.campus.zone)
        placed: defaultdict[Course, dict[Slot, NamedLesson]] = defaultdict(dict)
        for lesson in self.lessons:
            if lesson.parity.holds_in(week.number):
                for slot in self._slots(lesson, week.days, times):
                    placed[lesson.classes, lesson.subject_id][slot] = lesson
        there = self._there(week.iso)
        before = len(self.wanted)
        for course in sorted(placed.keys() | there.keys()):
            self._course(course, placed.get(course, {}), there.get(course, []), times)
        found = self.wanted[before:]
        self.weeks[week.iso] = found

    def _slots(
        self, lesson: NamedLesson, days: Iterable[TeachingDay], times: Mapping[int, Mapping[Slot, SlotTime]]
    ) -> Iterator[Slot]:
        """The slots of a week in which the lesson is held."""
        on = [day for day in days if self._follows(day) == lesson.weekday]
        (self.open if on else self.closed).add(lesson.weekday)
        for day in on:
            slot = Slot(day.day.weekday(), lesson.period)
            own = [times[key].get(slot) for key, _ in lesson.classes]
            if any(time is None for time in own):
                self._no_period(lesson)
            elif len({(t.starts_at, t.ends_at, t.online) for t in own if t is not None}) > 1:
                self._different_times(lesson)
            elif own[0] is not None and own[0].starts_at < self.settled:
                self.past += 1
            else:
                yield slot

    def _follows(self, day: TeachingDay) -> int:
        """The weekday whose lessons a day has: a make-up day those of the weekday that it stands in for, unless the
        file has lessons for the day itself, as a week does that was written from here."""
        return day.day.weekday() if day.day.weekday() in self.weekdays else day.weekday

    def _no_period(self, lesson: NamedLesson) -> None:
        groups = ", ".join(self.classes[key].title for key, _ in lesson.classes)
        self.problems.setdefault(
            ("period", lesson.classes, lesson.weekday, lesson.period),
            InputError(
                N_("%(group)s has no period %(period)s on %(day)s."),
                place=lesson.place,
                remedy=N_("Correct the period, or set up the period grid of this class for that day."),
                group=groups,
                period=lesson.period,
                day=Word(WEEKDAYS[lesson.weekday]),
            ),
        )

    def _different_times(self, lesson: NamedLesson) -> None:
        groups = ", ".join(self.classes[key].title for key, _ in lesson.classes)
        self.problems.setdefault(
            ("times", lesson.classes, lesson.weekday, lesson.period),
            InputError(
                N_("%(group)s have period %(period)s on %(day)s at different times or not all online."),
                place=lesson.place,
                remedy=N_("A joint lesson needs one time: give these classes the same grid, or separate lessons."),
                group=groups,
                period=lesson.period,
                day=Word(WEEKDAYS[lesson.weekday]),
            ),
        )

    def _there(self, week: str) -> dict[Course, list[Lesson]]:
        """The lessons in force of the classes in a week that may be changed."""
        rows = db.session.scalars(
            sa.select(Lesson)
            .join(TimetableWeek, TimetableWeek.id == Lesson.week_id)
            .where(
                TimetableWeek.campus_id == self.campus.id,
                TimetableWeek.week == week,
                Lesson.status == LessonStatus.SCHEDULED,
                Lesson.starts_at >= self.settled,
                Lesson.audience.any(LessonAudience.class_id.in_(self.class_ids)),
            )
            .options(*WITH_PARTS)
            .order_by(Lesson.starts_at, Lesson.id)
            .execution_options(populate_existing=True)
        )
        found: defaultdict[Course, list[Lesson]] = defaultdict(list)
        for row in rows:
            classes = tuple(sorted((part.class_id, part.part) for part in row.audience))
            if {key for key, _ in classes} <= self.class_ids:
                found[classes, row.subject_id].append(row)
        return found

    def _course(
        self,
        course: Course,
        placed: Mapping[Slot, NamedLesson],
        there: Sequence[Lesson],
        times: Mapping[int, Mapping[Slot, SlotTime]],
    ) -> None:
        own = times[course[0][0][0]]
        lessons = {row.id: row for row in there}
        now_at = {key: exact_slot(own, row.starts_at, row.ends_at) for key, row in lessons.items()}
        found = match(now_at, tuple(placed))
        states = [(lessons[key], slot) for key, slot in (*found.kept, *found.moved)]
        for lesson, slot in (*states, *((None, slot) for slot in found.added)):
            wish = changes.Wanted(lesson, self._state(course, placed[slot], own[slot], lesson))
            if lesson is not None and difference(state_of(lesson), wish.after) is None:
                self.kept += 1
                self.kept_places[lesson.id] = placed[slot].place
            else:
                self.places[len(self.wanted)] = placed[slot].place
                self.wanted.append(wish)
        for key in found.cancelled:
            self.wanted.append(
                changes.Wanted(lessons[key], replace(state_of(lessons[key]), status=LessonStatus.CANCELLED))
            )

    def _state(self, course: Course, said: NamedLesson, time: SlotTime, lesson: Lesson | None) -> LessonState:
        before = state_of(lesson) if lesson is not None else None
        return LessonState(
            campus_id=self.campus.id,
            week_id=before.week_id if before is not None else 0,
            subject_id=course[1],
            starts_at=time.starts_at,
            ends_at=time.ends_at,
            zone=self.campus.zone,
            period_number=time.slot.period,
            mode=LessonMode.ONLINE if time.online else LessonMode.IN_PERSON,
            status=LessonStatus.SCHEDULED,
            teachers=_teachers(said, before),
            classes=course[0],
            units=before.units if before is not None else (),
            replaces_id=self._replaced(course, said, before),
        )

    def _replaced(self, course: Course, said: NamedLesson, before: LessonState | None) -> int | None:
        """The lesson that a make-up lesson stands for. Where the file says nothing, that of the lesson as it is."""
        known = before.replaces_id if before is not None else None
        if said.makes_up is None:
            return known
        if known is not None and self._is(said.makes_up, db.session.get_one(Lesson, known)):
            return known
        found = [row for row in self._on(said.makes_up.day, course) if self._is(said.makes_up, row)]
        if not found:
            self.problems.setdefault(
                ("makes up", said.place),
                InputError(
                    N_("No lesson of this class and subject was to be held then (%(when)s)."),
                    place=said.place,
                    remedy=N_("Correct the day and period of the lesson that is made up for, or leave them empty."),
                    when=str(said.makes_up),
                ),
            )
            return None
        # Of several that were to be held then, one that was cancelled, and last.
        return max(found, key=lambda row: (row.status is LessonStatus.CANCELLED, row.id)).id

    def _on(self, day: date, course: Course) -> list[Lesson]:
        """The lessons of a course that were to be held on a day."""
        start, end = (wall_clock(d, MIDNIGHT, self.campus.zone) for d in (day, day + timedelta(days=1)))
        rows = db.session.scalars(
            sa.select(Lesson)
            .where(
                Lesson.campus_id == self.campus.id,
                Lesson.subject_id == course[1],
                Lesson.starts_at >= start,
                Lesson.starts_at < end,
                Lesson.audience.any(LessonAudience.class_id.in_({key for key, _ in course[0]})),
            )
            .order_by(Lesson.id)
        )
        return list(rows)

    def _is(self, said: Original, lesson: Lesson) -> bool:
        start = local(lesson.starts_at, lesson.zone)
        if start.date() != said.day:
            return False
        return start.time() == said.at if said.at is not None else lesson.period_number == said.period

    def closed_days(self) -> Iterator[BridgeError]:
        """Lessons on weekdays on which no school is held in any of the weeks."""
        for weekday in sorted(self.closed - self.open):
            own = [lesson for lesson in self.lessons if lesson.weekday == weekday]
            yield CountedInput(
                NN_(
                    "%(n)s lesson is on %(day)s, but no school is held on that day in these weeks.",
                    "%(n)s lessons are on %(day)s, but no school is held on that day in these weeks.",
                ),
                len(own),
                place=own[0].place,
                remedy=N_("Take these lessons out of the file, choose other weeks, or correct the school calendar."),
                day=Word(WEEKDAYS[weekday]),
            )

    def clashes(self, told: Collection[frozenset[Place | None]]) -> list[BridgeError]:
        """Who would be in two lessons at once, with the row; what happens in every week is told once.
        ``told``: pairs of rows that are known already."""
        states = {w.lesson.id if w.lesson is not None else -n: w.after for n, w in enumerate(self.wanted, 1)}
        rows = self.kept_places | {key: self.places[n] for n, key in enumerate(states) if n in self.places}
        found: dict[tuple[object, ...], BridgeError] = {}
        pairs = [pair for pair in bookings_of(states) if frozenset(rows.get(e.lesson) for e in pair) not in told]
        for pair, error in zip(pairs, clash_errors_of(pairs), strict=True):
            places = [rows[e.lesson] for e in sorted(pair, key=lambda e: e.new) if e.lesson in rows]
            error.place = replace(places[-1], value=None) if places else None
            found.setdefault((pair[0].who, frozenset(places)), error)
        return list(found.values())

    def counts(self) -> dict[str, int]:
        """Lessons by what happens to them."""
        kinds: dict[str, int] = {"kept": self.kept}
        for wish in self.wanted:
            kind = difference(state_of(wish.lesson) if wish.lesson is not None else None, wish.after)
            if kind is not None:
                kinds[kind.value] = kinds.get(kind.value, 0) + 1
        return kinds | {ChangeKind.ADDED.value: kinds.get(ChangeKind.ADDED.value, 0)}

    def warnings(self) -> Iterator[BridgeError]:
        """What is left out, and why."""
        if self.past:
            yield CountedInput(
                NN_(
                    "%(n)s lesson begins before this import or within half an hour of it and was left as it is.",
                    "%(n)s lessons begin before this import or within half an hour of it and were left as they are.",
                ),
                self.past,
            )
        for weekday in sorted(self.closed & self.open):
            yield InputError(
                N_("In some of these weeks no school is held on %(day)s; its lessons are left out there."),
                remedy=N_("Look at the school calendar if that is not meant."),
                day=Word(WEEKDAYS[weekday]),
            )

    def versions(self) -> dict[str, int]:
        """The version of the timetable of each week now; 0 where there is none."""
        rows = db.session.execute(
            sa.select(TimetableWeek.week, TimetableWeek.version).where(
                TimetableWeek.campus_id == self.campus.id, TimetableWeek.week.in_(self.weeks)
            )
        ).all()
        return dict.fromkeys(self.weeks, 0) | dict(rows)

    def propose(self, name: str, actor: Person | None) -> ChangeSet:
        """One change set for all weeks."""
        wanted: list[changes.Wanted] = []
        versions: dict[int, int] = {}
        first = True
        for iso, wishes in self.weeks.items():
            if not wishes:
                continue
            row = changes.open_week(self.campus, self.term, iso)
            versions[row.id] = row.version
            first = first and row.published_at is None
            wanted += [changes.Wanted(w.lesson, replace(w.after, week_id=row.id)) for w in wishes]
        return changes.propose(
            self.campus,
            ChangeCause.PUBLICATION if first else ChangeCause.PLAN_CHANGED,
            wanted,
            actor=actor,
            cause_ref=f"import:{name}"[:120],
            base_versions=versions,
            publishes=True,
        )


def _teachers(said: NamedLesson, before: LessonState | None) -> tuple[tuple[int, TeacherPart], ...]:
    """Who teaches, and as what. Where the file does not say, the first leads and others assist; who stands in for the
    leading teacher already still does."""
    stands_in = {key for key, part in before.teachers if part is TeacherPart.SUBSTITUTE} if before else set()
    found = []
    for number, (key, part) in enumerate(said.teachers):
        usual = TeacherPart.ASSISTANT if number else TeacherPart.LEAD
        if not number and key in stands_in:
            usual = TeacherPart.SUBSTITUTE
        found.append((key, part or usual))
    return tuple(sorted(found))
