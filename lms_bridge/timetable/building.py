"""Builds the solver's problem for a campus and week, with all that is needed to read its answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import combinations

import sqlalchemy as sa

from lms_bridge.calendar.limits import Limits, limits_by_grade
from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.core.errors import InputError
from lms_bridge.core.i18n import N_, gettext
from lms_bridge.roster.models import Enrolment, EnrolmentRole, Organisation, Person, Subject
from lms_bridge.timetable import availability
from lms_bridge.timetable.demand import Demand
from lms_bridge.timetable.matching import split_by_mode
from lms_bridge.timetable.problem import Course, Problem, Slot
from lms_bridge.timetable.week_reading import SETTLED, WeekContext, read_week
from lms_bridge.timetable.week_slots import exact_slot, slots_during
from lms_bridge.timetable.wording import SubjectName


def build_problem(campus: Organisation, week: str) -> tuple[Problem, WeekContext]:
    """The problem of a campus's week (``2026-W48``), and what its answer is read with; refuses like
    :func:`lms_bridge.timetable.week_reading.read_week`."""
    context = read_week(campus, week)
    return _Builder(context).problem(), context


def teacher_key(person_id: int) -> str:
    """The solver's key of a teacher."""
    return f"t{person_id}"


def class_key(class_id: int) -> str:
    """The solver's key of a class."""
    return f"c{class_id}"


class _Builder:
    """Turns what was read into the solver's terms."""

    def __init__(self, context: WeekContext) -> None:
        self.context = context
        self.settled = now() + SETTLED
        self.limits = limits_by_grade(context.campus, {g.grade for g in context.classes.values()})
        self.all_times = [time for times in context.slots.values() for time in times.values()]
        self.open = {
            class_id: {slot: time for slot, time in times.items() if time.starts_at >= self.settled}
            for class_id, times in context.slots.items()
        }
        self.subjects = {s.id: SubjectName.of(s) for s in db.session.scalars(sa.select(Subject))}
        self.class_busy: defaultdict[str, set[Slot]] = defaultdict(set)
        self.teacher_busy: defaultdict[str, set[Slot]] = defaultdict(set)

    def problem(self) -> Problem:
        """The whole problem."""
        held = self._held_courses()
        teachers = {d.teacher_id for d in self.context.demands.values()}
        span = self._span()
        for person_id, starts_at, ends_at in availability.elsewhere(teachers, self.context.campus.id, *span):
            self.teacher_busy[teacher_key(person_id)] |= slots_during(self.all_times, starts_at, ends_at)
        unavailable = availability.closed_slots(teachers, self.context.week.days, self.all_times)
        courses = [course for class_id in self.context.classes for course in self._courses(class_id, unavailable)]
        shared = self._shared_students({key for course in [*courses, *held] for key in course.classes})
        names = {class_key(g.id): g.title for g in self.context.classes.values()}
        names |= {
            teacher_key(p.id): p.display_name
            for p in db.session.scalars(sa.select(Person).where(Person.id.in_(teachers)))
        }
        names |= {key: name for keys in shared.values() for key, name in keys.items()}
        self._warn_of_long_lessons()
        all_courses = tuple(_with_classes(course, shared) for course in [*courses, *held])
        return Problem(
            slots=tuple(sorted({slot for course in all_courses for slot in (course.slots or ())})),
            courses=all_courses,
            unavailable={teacher_key(key): slots for key, slots in unavailable.items()},
            max_online_per_day=self._online_limits(shared),
            class_busy={key: frozenset(slots) for key, slots in self.class_busy.items()},
            teacher_busy={key: frozenset(slots) for key, slots in self.teacher_busy.items()},
            hint=self._hint(courses),
            names=names,
        )

    def _span(self) -> tuple[datetime, datetime]:
        start = min((time.starts_at for time in self.all_times), default=now())
        return start, max((time.ends_at for time in self.all_times), default=start)

    def _held_courses(self) -> list[Course]:
        """Each lesson that stays as a course of its own in its slot, so that the day's limit counts it; teachers are
        only busy in it, since what they cannot do any more does not undo it."""
        held: list[Course] = []
        for lesson in self.context.kept:
            for part in lesson.teachers:
                key = teacher_key(part.person_id)
                self.teacher_busy[key] |= slots_during(self.all_times, lesson.starts_at, lesson.ends_at)
            for class_id in sorted({a.class_id for a in lesson.audience} & set(self.context.classes)):
                times = self.context.slots[class_id]
                slot = exact_slot(times, lesson.starts_at, lesson.ends_at)
                if slot is None or any(slot in (h.slots or ()) for h in held if class_key(class_id) in h.classes):
                    busy = slots_during(times.values(), lesson.starts_at, lesson.ends_at)
                    self.class_busy[class_key(class_id)] |= busy
                    continue
                held.append(
                    Course(
                        key=f"kept{lesson.id}:{class_id}",
                        classes=(class_key(class_id),),
                        teachers=(),
                        subject=lesson.subject.code,
                        periods=1,
                        label=f"{self.context.classes[class_id].title} {SubjectName.of(lesson.subject)}",
                        fixed=(slot,),
                        online=times[slot].online,
                        slots=frozenset((slot,)),
                    )
                )
        return self._within_limits(held)

    def _within_limits(self, held: list[Course]) -> list[Course]:
        """A day that has as many online lessons as allowed (or more, under an older rule) takes no more."""
        for class_id, group in self.context.classes.items():
            key = class_key(class_id)
            for day in {slot.day for slot in self.context.slots[class_id]}:
                today = [c for c in held if key in c.classes and c.online and c.fixed[0].day == day]
                if len(today) > self.limits[group.grade].periods_per_day:
                    held = [c for c in held if c not in today]
                    self.class_busy[key] |= {c.fixed[0] for c in today}
                    self.open[class_id] = {s: t for s, t in self.open[class_id].items() if s.day != day}
        return held

    def _courses(self, class_id: int, unavailable: Mapping[int, frozenset[Slot]]) -> Iterable[Course]:
        demands = [d for (c, _), d in sorted(self.context.demands.items()) if c == class_id]
        counts = [self._periods(demand) for demand in demands]
        times = self.open[class_id]
        by_mode = {
            mode: frozenset(slot for slot, time in times.items() if time.online is mode) for mode in (True, False)
        }
        room = sum(
            min(self._limit(class_id).periods_per_day, len([s for s in by_mode[True] if s.day == day]))
            for day in {s.day for s in by_mode[True]}
        )
        mixed = bool(by_mode[True]) and bool(by_mode[False])
        shares = split_by_mode(counts, room, len(by_mode[False])) if mixed else None
        for n, (demand, count) in enumerate(zip(demands, counts, strict=True)):
            parts = zip((True, False), shares[n], strict=True) if shares else [(not by_mode[False], count)]
            for mode, periods in parts:
                if periods:
                    yield self._course(demand, mode, periods, by_mode[mode], unavailable)

    def _periods(self, demand: Demand) -> int:
        """What is left to place of a demand: lessons that stay count already."""
        held = sum(
            lesson.subject_id == demand.subject_id and any(a.class_id == demand.class_id for a in lesson.audience)
            for lesson in self.context.kept
        )
        return max(len(demand.steps) - held, 0)

    def _course(
        self,
        demand: Demand,
        online: bool,
        periods: int,
        slots: frozenset[Slot],
        unavailable: Mapping[int, frozenset[Slot]],
    ) -> Course:
        key = f"{demand.class_id}:{demand.subject_id}:{'online' if online else 'school'}"
        self.context.courses[key] = (demand.class_id, demand.subject_id)
        busy = self.teacher_busy[teacher_key(demand.teacher_id)] | unavailable.get(demand.teacher_id, frozenset())
        days = len({slot.day for slot in slots - busy})
        return Course(
            key=key,
            classes=(class_key(demand.class_id),),
            teachers=(teacher_key(demand.teacher_id),),
            subject=str(demand.subject_id),
            periods=periods,
            label=f"{self.context.classes[demand.class_id].title} {self.subjects[demand.subject_id]}",
            # Two a day are allowed, though spreading is wished for; more only where the days do not suffice.
            max_per_day=max(2, -(-periods // days) if days else 2),
            online=online,
            slots=slots,
        )

    def _limit(self, class_id: int) -> Limits:
        return self.limits[self.context.classes[class_id].grade]

    def _online_limits(self, shared: Mapping[str, Mapping[str, str]]) -> dict[str, int]:
        limits = {class_key(class_id): self._limit(class_id).periods_per_day for class_id in self.context.classes}
        for key, together in shared.items():
            for name in together:
                limits[name] = min(limits.get(name, limits[key]), limits[key])
        return limits

    def _hint(self, courses: Iterable[Course]) -> dict[str, tuple[Slot, ...]]:
        hint = {}
        for course in courses:
            pair = self.context.courses[course.key]
            times = self.open[pair[0]]
            slots = [exact_slot(times, x.starts_at, x.ends_at) for x in self.context.movable.get(pair, ())]
            hint[course.key] = tuple(slot for slot in slots if slot is not None and slot in (course.slots or ()))
        return {key: slots for key, slots in hint.items() if slots}

    def _shared_students(self, keys: set[str]) -> dict[str, dict[str, str]]:
        """Classes with students in common (a homeroom and a teaching group) must not have lessons at once: each such
        pair becomes a class of its own for the solver, which all lessons of both belong to. By class key."""
        day = self.context.week.days[0].day
        members: defaultdict[int, set[int]] = defaultdict(set)
        for person_id, class_id in db.session.execute(
            sa.select(Enrolment.person_id, Enrolment.class_id).where(
                Enrolment.class_id.in_(self.context.classes),
                Enrolment.role == EnrolmentRole.STUDENT,
                Enrolment.valid_from <= self.context.week.days[-1].day,
                sa.or_(Enrolment.valid_to.is_(None), Enrolment.valid_to > day),
            )
        ):
            if class_key(class_id) in keys:
                members[person_id].add(class_id)
        pairs = {pair for classes in members.values() for pair in combinations(sorted(classes), 2)}
        shared: defaultdict[str, dict[str, str]] = defaultdict(dict)
        for one, two in sorted(pairs):
            name = gettext(
                "students of %(one)s and %(two)s",
                one=self.context.classes[one].title,
                two=self.context.classes[two].title,
            )
            for class_id in (one, two):
                shared[class_key(class_id)][f"both{one}:{two}"] = name
        return shared

    def _warn_of_long_lessons(self) -> None:
        for grade in sorted({group.grade for group in self.context.classes.values()}):
            limits = self.limits[grade]
            minutes = max(
                (
                    time.minutes
                    for class_id, times in self.open.items()
                    if self.context.classes[class_id].grade == grade
                    for time in times.values()
                    if time.online
                ),
                default=0,
            )
            if minutes > limits.minutes_per_lesson:
                self.context.warnings.append(
                    InputError(
                        N_(
                            "Online periods of grade %(grade)s last up to %(minutes)s minutes; "
                            "%(limit)s at a time are advised (%(source)s)."
                        ),
                        remedy=N_("Set up an online period grid with shorter periods, or plan breaks in the lesson."),
                        grade=grade,
                        minutes=minutes,
                        limit=limits.minutes_per_lesson,
                        source=limits.source or "-",
                    )
                )


def _with_classes(course: Course, shared: Mapping[str, Mapping[str, str]]) -> Course:
    more = [name for key in course.classes for name in shared.get(key, ())]
    return replace(course, classes=(*course.classes, *more)) if more else course
