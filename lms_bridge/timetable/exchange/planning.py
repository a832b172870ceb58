"""Works out what the lessons of some weeks must become so that they are the timetable of a file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import sqlalchemy as sa

from lms_bridge.calendar.days import TeachingDay, TeachingWeek, online_days
from lms_bridge.calendar.grids import grids_of
from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.core.errors import BridgeError, InputError
from lms_bridge.core.i18n import N_
from lms_bridge.roster.models import ClassGroup, Organisation, Person, Term
from lms_bridge.timetable.changing import changes
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
from lms_bridge.timetable.weeks.slots import SlotTime, class_slots, exact_slot
from lms_bridge.timetable.wording import Word

Course = tuple[tuple[tuple[int, str], ...], int]
"""Classes with their parts, and the subject."""


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
        self.closed: set[int] = set()

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
        found: list[changes.Wanted] = []
        for course in sorted(placed.keys() | there.keys()):
            found += self._course(course, placed.get(course, {}), there.get(course, []), times)
        self.wanted += found
        self.weeks[week.iso] = found

    def _slots(
        self, lesson: NamedLesson, days: Iterable[TeachingDay], times: Mapping[int, Mapping[Slot, SlotTime]]
    ) -> Iterator[Slot]:
        """The slots of a week in which the lesson is held; a make-up day follows the weekday that it stands in for."""
        on = [day for day in days if day.weekday == lesson.weekday]
        if not on:
            self.closed.add(lesson.weekday)
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
    ) -> Iterator[changes.Wanted]:
        own = times[course[0][0][0]]
        lessons = {row.id: row for row in there}
        now_at = {key: exact_slot(own, row.starts_at, row.ends_at) for key, row in lessons.items()}
        found = match(now_at, tuple(placed))
        states = [(lessons[key], slot) for key, slot in (*found.kept, *found.moved)]
        for lesson, slot in (*states, *((None, slot) for slot in found.added)):
            wish = changes.Wanted(lesson, self._state(course, placed[slot], own[slot], lesson))
            if lesson is not None and difference(state_of(lesson), wish.after) is None:
                self.kept += 1
            else:
                yield wish
        for key in found.cancelled:
            yield changes.Wanted(lessons[key], replace(state_of(lessons[key]), status=LessonStatus.CANCELLED))

    def _state(self, course: Course, said: NamedLesson, time: SlotTime, lesson: Lesson | None) -> LessonState:
        first, *others = said.teacher_ids
        before = state_of(lesson) if lesson is not None else None
        teachers = [(first, TeacherPart.LEAD), *((key, TeacherPart.ASSISTANT) for key in others)]
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
            teachers=tuple(sorted(teachers)),
            classes=course[0],
            units=before.units if before is not None else (),
        )

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
            yield InputError(
                N_("%(n)s lessons begin before this import or within half an hour of it and were left as they are."),
                n=self.past,
            )
        for weekday in sorted(self.closed):
            yield InputError(
                N_("In some of these weeks no school is held on %(day)s; its lessons are left out there."),
                remedy=N_("Look at the school calendar if that is not meant."),
                day=Word(WEEKDAYS[weekday]),
            )

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
