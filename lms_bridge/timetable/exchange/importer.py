"""Makes the timetable of a file that of a campus, for the weeks that are asked for: one change set, all or nothing.

What stands in the file is the whole timetable of the classes that it names: lessons that are there already stay with
their links, others move, are added or cancelled. Lessons that have begun stay as they are. Units follow by themselves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa

from lms_bridge.calendar.days import (
    TeachingDay,
    TeachingWeek,
    days_of_week,
    iso_week,
    monday_of,
    online_days,
    shift_week,
    teaching_weeks,
    term_of_week,
)
from lms_bridge.calendar.grids import grids_of
from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.core.errors import BadInputs, BridgeError, InputError
from lms_bridge.core.i18n import N_
from lms_bridge.roster.models import ClassGroup, Organisation, Person, Term
from lms_bridge.timetable import changes
from lms_bridge.timetable.clashes import clashes_of
from lms_bridge.timetable.demand import classes_of_term
from lms_bridge.timetable.exchange.given import GivenLesson
from lms_bridge.timetable.exchange.naming import NamedLesson, Names, double_bookings, named_lessons
from lms_bridge.timetable.matching import match
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
from lms_bridge.timetable.problem import WEEKDAYS, Slot
from lms_bridge.timetable.queries import WITH_PARTS
from lms_bridge.timetable.snapshots import LessonState, difference, state_of
from lms_bridge.timetable.week_reading import SETTLED
from lms_bridge.timetable.week_slots import SlotTime, class_slots, exact_slot
from lms_bridge.timetable.wording import DaysOff, Word

MAX_WEEKS = 30
"""A term has about twenty."""

Course = tuple[tuple[tuple[int, str], ...], int]
"""Classes with their parts, and the subject."""


@dataclass
class TimetableImport:
    """What became (or, at a dry run, would become) of a file. ``counts`` are lessons by what happens to them."""

    lessons: int
    weeks: tuple[str, ...]
    counts: dict[str, int]
    dry_run: bool
    change_set: ChangeSet | None = None
    warnings: list[BridgeError] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON for the command line and REST."""
        return {
            "lessons_a_week": self.lessons,
            "weeks": list(self.weeks),
            "counts": self.counts,
            "dry_run": self.dry_run,
            "change_set": self.change_set.uid if self.change_set is not None else None,
            "warnings": [warning.as_dict() for warning in self.warnings],
        }


def import_timetable(
    campus: Organisation,
    given: Sequence[GivenLesson],
    *,
    first_week: str,
    last_week: str | None = None,
    name: str,
    actor: Person | None,
    dry_run: bool = False,
    apply: bool = True,
) -> TimetableImport:
    """Make ``given`` the timetable of its classes at ``campus`` in these ISO weeks (``2026-W48``, both included).

    ``name`` is that of the file. Days without school are left out and named. With ``apply`` False the change set is
    only proposed. Call it in a transaction.

    :raises InputError: the weeks are none, lie in different terms, or are too many.
    :raises BadInputs: unknown or doubtful names, periods that the grids do not have, people in two lessons at once;
        all are listed.
    :raises Conflict: somebody changed one of the weeks meanwhile.
    """
    term, weeks = _weeks(campus, first_week, last_week)
    day = weeks[0].days[0].day if weeks[0].days else monday_of(weeks[0].iso)
    names = Names(campus, classes_of_term(campus.id, term, day), day)
    lessons, problems = named_lessons(names, given)
    problems += double_bookings(names, lessons)
    if problems:
        raise BadInputs(problems, file=name)
    plan = _Plan(campus, term, lessons)
    for week in weeks:
        plan.add(week)
    if plan.problems:
        raise BadInputs(plan.problems.values(), file=name)
    problems = clashes_of({w.lesson.id if w.lesson is not None else -n: w.after for n, w in enumerate(plan.wanted, 1)})
    if problems:
        raise BadInputs(problems, file=name)
    result = TimetableImport(
        len(lessons), tuple(w.iso for w in weeks), plan.counts(), dry_run, warnings=list(plan.warnings())
    )
    if not dry_run and plan.wanted:
        result.change_set = plan.propose(name, actor)
        if apply:
            changes.apply(result.change_set, actor)
    return result


def _weeks(campus: Organisation, first: str, last: str | None) -> tuple[Term, list[TeachingWeek]]:
    """The term of the weeks, and the weeks."""
    start, end = iso_week(monday_of(first)), iso_week(monday_of(last or first))
    if monday_of(end) < monday_of(start):
        raise InputError(
            N_("The last week (%(last)s) lies before the first (%(first)s)."),
            remedy=N_("Exchange the two, or name only one week."),
            first=start,
            last=end,
        )
    term = term_of_week(campus, start)
    if term_of_week(campus, end).id != term.id:
        raise InputError(
            N_("Weeks %(first)s and %(last)s lie in different terms."),
            remedy=N_("Import the timetable of each term on its own."),
            first=start,
            last=end,
        )
    known = {week.iso: week for week in teaching_weeks(campus, term)}
    chosen: list[TeachingWeek] = []
    week = start
    while monday_of(week) <= monday_of(end):
        if week in known:
            chosen.append(known[week])
        week = shift_week(week, 1)
        if len(chosen) > MAX_WEEKS:
            raise InputError(
                N_("These are more than %(most)s weeks."), remedy=N_("Choose fewer weeks."), most=MAX_WEEKS
            )
    if not any(w.days for w in chosen):
        _, off = days_of_week(campus, start)
        raise InputError(
            N_("No school is held at campus %(campus)s in week %(week)s (%(days)s)."),
            remedy=N_("Choose another week, or correct the school calendar."),
            campus=campus.code,
            week=start,
            days=DaysOff(off),
        )
    return term, chosen


class _Plan:
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
        )


def classes_in(given: Iterable[GivenLesson]) -> Collection[str]:
    """The names of classes in a file, for a first look at it."""
    return sorted({name for lesson in given for name in lesson.classes})
