"""Builds the solver's problem for a campus and week from what was read of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from lms_bridge.calendar.limits import Limits, limits_by_grade
from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.core.errors import BadInputs, BridgeError, InputError
from lms_bridge.core.i18n import N_
from lms_bridge.roster.models import Person, Subject
from lms_bridge.timetable.inputs.models import RuleType
from lms_bridge.timetable.inputs.stated_rules import Stated, WeekRules
from lms_bridge.timetable.inputs.subject_rules import rules_of
from lms_bridge.timetable.inputs.teacher_limits import limits_of
from lms_bridge.timetable.making import families
from lms_bridge.timetable.making.held_lessons import HeldLessons
from lms_bridge.timetable.making.taken_lessons import counted_lessons
from lms_bridge.timetable.models import Lesson
from lms_bridge.timetable.solving.matching import split_by_mode
from lms_bridge.timetable.solving.problem import Apart, Course, Problem, Slot
from lms_bridge.timetable.weeks import availability, capacity
from lms_bridge.timetable.weeks.class_keys import ClassKeys, class_key, students_by_class, teacher_key
from lms_bridge.timetable.weeks.course_rules import Note, Week, bands, most_a_day, pairs, shaped
from lms_bridge.timetable.weeks.demand import Demand
from lms_bridge.timetable.weeks.reading import SETTLED, WeekContext
from lms_bridge.timetable.weeks.slots import SlotTime, exact_slot, slots_during
from lms_bridge.timetable.wording import Listed, SubjectName


@dataclass
class Beside:
    """What a campus's problem must know of the others that are solved together with it: the lessons (ids) that are
    ``moving``, and those (teacher, start, end) that are ``counted`` in the day of a teacher already."""

    moving: frozenset[int] = frozenset()
    counted: set[tuple[int, datetime, datetime]] = field(default_factory=set)


def campus_problem(context: WeekContext, beside: Beside) -> Problem:
    """The problem of one campus, apart from its rooms (:func:`lms_bridge.timetable.weeks.capacity.pools`).

    :raises BadInputs: classes are taught together that have no period in common.
    """
    return _Builder(context, beside).problem()


class _Builder:
    """Turns what was read into the solver's terms."""

    def __init__(self, context: WeekContext, beside: Beside) -> None:
        self.context, self.beside = context, beside
        self.settled = now() + SETTLED
        grades = {class_id: group.grade for class_id, group in context.classes.items()}
        self.limits = limits_by_grade(context.campus, set(grades.values()))
        self.rules = WeekRules(map(Stated.of, rules_of(context.campus.id)), context.week.number, grades)
        self.all_times = context.times
        self.open = {
            class_id: {slot: time for slot, time in times.items() if time.starts_at >= self.settled}
            for class_id, times in context.slots.items()
        }
        self.days = (context.week.days[0].day, context.week.days[-1].day)
        self.subjects = {s.id: SubjectName.of(s) for s in db.session.scalars(sa.select(Subject))}
        self.students = students_by_class(_used(context), *self.days)
        self.keys = ClassKeys(context.classes, _parts(context), self.students)
        self.held = HeldLessons(context.kept, context.slots)
        self.size: Counter[int] = Counter(class_id for own in self.students.values() for class_id in own)
        self.by_class: defaultdict[int, list[Demand]] = defaultdict(list)
        for demand in sorted(context.demands.values(), key=lambda d: d.course):
            self.by_class[demand.course.class_id].append(demand)
        self.band_periods: dict[str, int] = {}
        self.band_shares: dict[str, tuple[int, int]] = {}
        self.notes: dict[str, Note] = {}
        self.class_busy: defaultdict[str, set[Slot]] = defaultdict(set)
        self.teacher_busy: defaultdict[str, set[Slot]] = defaultdict(set)
        self.problems: list[BridgeError] = []

    def problem(self) -> Problem:
        """The whole problem.

        :raises BadInputs: classes are taught together that have no period in common.
        """
        held = self._held_courses()
        teachers = {person_id for d in self.context.demands.values() for person_id in d.teacher_ids}
        unavailable = availability.closed_slots(teachers, self.context.week.days, self.all_times)
        max_per_day = limits_of(teachers)
        held += self._counted_lessons(teachers, unavailable, max_per_day)
        for demand in self.context.demands.values():
            if demand.band:
                periods = self.held.left(demand)
                self.band_periods[demand.band] = max(self.band_periods.get(demand.band, 0), periods)
        courses = [course for class_id in self.context.classes for course in self._courses(class_id, unavailable)]
        if self.problems:
            raise BadInputs(self.problems)
        self._warn_of_long_lessons()
        all_courses = (*courses, *held)
        return Problem(
            slots=tuple(sorted({slot for course in all_courses for slot in (course.slots or ())})),
            courses=all_courses,
            unavailable={teacher_key(key): slots for key, slots in unavailable.items()},
            max_online_per_day=self.keys.limits({class_id: self._per_day(class_id) for class_id in self.open}),
            class_busy={key: frozenset(slots) for key, slots in self.class_busy.items()},
            teacher_busy={key: frozenset(slots) for key, slots in self.teacher_busy.items()},
            hint=self._hint(courses),
            names=self.keys.names | self._teacher_names(teachers),
            max_online_run=self.keys.limits(self._runs()),
            max_per_day={teacher_key(person_id): most for person_id, most in max_per_day.items()},
            not_same_day=pairs(self.notes, self.rules, RuleType.NOT_SAME_DAY),
            in_order=pairs(self.notes, self.rules, RuleType.BEFORE),
            parallel=bands(
                (self.context.demands[self.context.courses[c.key]].band, c.online, c.key)
                for c in courses
                if self.context.demands[self.context.courses[c.key]].band
            ),
            apart=self._apart(teachers),
        )

    def _teacher_names(self, teachers: Iterable[int]) -> dict[str, str]:
        people = db.session.scalars(sa.select(Person).where(Person.id.in_(teachers)))
        return {teacher_key(p.id): p.display_name for p in people}

    def _held_courses(self) -> list[Course]:
        """Each lesson that stays as a course of its own in its slot, so that the day's limit counts it; teachers are
        only busy in it, since what they cannot do any more does not undo it."""
        held: list[Course] = []
        for lesson in self.context.kept:
            for part in lesson.teachers:
                key = teacher_key(part.person_id)
                self.teacher_busy[key] |= slots_during(self.all_times, lesson.starts_at, lesson.ends_at)
            for class_id, part_name in _classes_of(lesson, self.context):
                times = self.context.slots[class_id]
                keys = self.keys.of(class_id, part_name)
                slot = exact_slot(times, lesson.starts_at, lesson.ends_at)
                if slot is None or any(slot in (h.slots or ()) for h in held if set(keys) & set(h.classes)):
                    busy = slots_during(times.values(), lesson.starts_at, lesson.ends_at)
                    for own in keys:
                        self.class_busy[own] |= busy
                    continue
                course = Course(
                    key=f"kept{lesson.id}:{class_id}",
                    classes=keys,
                    teachers=(),
                    subject=lesson.subject.code,
                    periods=1,
                    label=f"{self.context.classes[class_id].title} {SubjectName.of(lesson.subject)}",
                    fixed=(slot,),
                    online=times[slot].online,
                    slots=frozenset((slot,)),
                )
                self.notes[course.key] = Note({class_id: part_name}, lesson.subject_id, course.online, held=True)
                held.append(course)
        return self._within_limits(held)

    def _within_limits(self, held: list[Course]) -> list[Course]:
        """A day that has as many online lessons as allowed (or more, under an older rule) takes no more."""
        for class_id in self.context.classes:
            for key in self.keys.own(class_id):
                for day in {slot.day for slot in self.context.slots[class_id]}:
                    today = [c for c in held if key in c.classes and c.online and c.fixed[0].day == day]
                    if len(today) > self._per_day(class_id):
                        held = [c for c in held if c not in today]
                        for course in today:
                            del self.notes[course.key]
                        self.class_busy[key] |= {c.fixed[0] for c in today}
                        self.open[class_id] = {s: t for s, t in self.open[class_id].items() if s.day != day}
        return held

    def _counted_lessons(
        self, teachers: set[int], unavailable: Mapping[int, frozenset[Slot]], limited: Mapping[int, int]
    ) -> list[Course]:
        """Lessons at other campuses make teachers busy; they and those of this campus that stay count in the day of a
        teacher whose periods are limited."""
        taken: list[tuple[int, datetime, datetime]] = [
            (part.person_id, lesson.starts_at, lesson.ends_at)
            for lesson in self.context.kept
            for part in lesson.teachers
            if part.person_id in teachers
        ]
        taken += availability.elsewhere(teachers, self.context.campus.id, *self._span(), self.beside.moving)
        return counted_lessons(taken, self.all_times, unavailable, limited, self.teacher_busy, self.beside.counted)

    def _span(self) -> tuple[datetime, datetime]:
        start = min((time.starts_at for time in self.all_times), default=now())
        return start, max((time.ends_at for time in self.all_times), default=start)

    def _courses(self, class_id: int, unavailable: Mapping[int, frozenset[Slot]]) -> Iterable[Course]:
        """The courses of which this is the first class."""
        demands = self.by_class[class_id]
        firsts = {d.band: d for d in reversed(demands) if d.band and d.band not in self.band_shares}
        counted = [d for d in demands if not d.band or firsts.get(d.band) is d]
        shares = dict(zip((d.course for d in counted), self._shares(class_id, counted), strict=True))
        for demand in counted:
            if demand.band:
                self.band_shares[demand.band] = shares[demand.course]
        for demand in demands:
            share = self.band_shares[demand.band] if demand.band else shares[demand.course]
            for online, periods in zip((True, False), share, strict=True):
                if periods:
                    yield self._course(demand, online, periods, unavailable)

    def _shares(self, class_id: int, demands: list[Demand]) -> list[tuple[int, int]]:
        """How many periods of each demand are online and how many at school."""
        counts = [self.band_periods[d.band] if d.band else self.held.left(d) for d in demands]
        times = self.open[class_id].values()
        online = [time.slot for time in times if time.online]
        at_school = len(times) - len(online)
        if not online or not at_school:
            return [(0, count) if at_school else (count, 0) for count in counts]
        per_day: defaultdict[int, int] = defaultdict(int)
        for slot in online:
            per_day[slot.day] += 1
        room = sum(min(self._per_day(class_id), count) for count in per_day.values())
        return split_by_mode(counts, room, at_school)

    def _common_times(self, demand: Demand, online: bool) -> dict[Slot, SlotTime]:
        """The open slots that all classes of a demand have at the same time."""
        first, *others = (self.open[class_id] for class_id in demand.class_ids)
        common = {
            slot: time
            for slot, time in first.items()
            if time.online is online and all(o.get(slot) == time for o in others)
        }
        if first and others and not common:
            titles = [self.context.classes[class_id].title for class_id in demand.class_ids]
            self.problems.append(
                InputError(
                    N_("The classes %(classes)s, taught together in %(subject)s, have no period at the same time."),
                    remedy=N_("Give their grades a common period grid, or teach them apart."),
                    classes=Listed(titles),
                    subject=self.subjects[demand.course.subject_id],
                )
            )
        return common

    def _course(self, demand: Demand, online: bool, periods: int, unavailable: Mapping[int, frozenset[Slot]]) -> Course:
        course_id = demand.course
        name = f"arranged{course_id.arrangement_id}" if course_id.arrangement_id else f"{course_id.class_id}:"
        name += f":{course_id.subject_id}" if course_id.arrangement_id else str(course_id.subject_id)
        key = f"{name}:{'online' if online else 'school'}"
        self.context.courses[key] = course_id
        times = self._common_times(demand, online)
        slots = frozenset(times)
        busy = {slot for i in demand.teacher_ids for slot in unavailable.get(i, frozenset())}
        busy |= {slot for i in demand.teacher_ids for slot in self.teacher_busy[teacher_key(i)]}
        days = len({slot.day for slot in slots - busy})
        titles = [f"{self.context.classes[part.class_id].title} {part.part}".strip() for part in demand.audience]
        note = self.notes[key] = Note(dict(demand.classes), course_id.subject_id, online)
        course = Course(
            key=key,
            classes=tuple(dict.fromkeys(k for c, part in demand.classes for k in self.keys.of(c, part))),
            teachers=tuple(teacher_key(person_id) for person_id in demand.teacher_ids),
            subject=str(course_id.subject_id),
            periods=periods,
            label=f"{', '.join(titles)} {self.subjects[course_id.subject_id]}",
            max_per_day=most_a_day(periods, days),
            online=online,
            slots=slots,
            pool=capacity.POOL if online else "",
            people=max(1, sum(self.size[class_id] for class_id in demand.class_ids)),
        )
        return shaped(course, note, self.rules, times, self.held.slots(demand), self._week())

    def _week(self) -> Week:
        return Week(self.context.week.days, self.context.campus.zone)

    def _limit(self, class_id: int) -> Limits:
        return self.limits[self.context.classes[class_id].grade]

    def _per_day(self, class_id: int) -> int:
        """How many online periods a class may have in a day, by their number and by the minutes of its grid."""
        times = self.context.slots[class_id].values()
        return self._limit(class_id).periods_for(max((t.minutes for t in times if t.online), default=0))

    def _runs(self) -> dict[int, int]:
        runs = {class_id: self._limit(class_id).periods_in_a_row for class_id in self.context.classes}
        return {class_id: most for class_id, most in runs.items() if most is not None}

    def _apart(self, teachers: set[int]) -> tuple[Apart, ...]:
        """Siblings who share a device, and teachers with young children of their own; only where lessons are online."""
        online = {class_id for class_id, times in self.open.items() if any(t.online for t in times.values())}
        grades = {class_id: self.context.classes[class_id].grade for class_id in online}
        first = self.days[0]
        siblings = families.shared_devices(self.students, first)
        found = [
            Apart(class_key(one), class_key(other), families.FAMILY * count)
            for (one, other), count in siblings.items()
            if one in online and other in online
        ]
        found += [
            Apart(teacher_key(person_id), class_key(class_id), families.YOUNG_CHILD)
            for person_id, class_id in families.young_children(teachers, grades, first)
        ]
        return tuple(found)

    def _hint(self, courses: Iterable[Course]) -> dict[str, tuple[Slot, ...]]:
        hint = {}
        for course in courses:
            course_id = self.context.courses[course.key]
            times = self.open[course_id.class_id]
            slots = [exact_slot(times, x.starts_at, x.ends_at) for x in self.context.movable.get(course_id, ())]
            hint[course.key] = tuple(slot for slot in slots if slot is not None and slot in (course.slots or ()))
        return {key: slots for key, slots in hint.items() if slots}

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


def _classes_of(lesson: Lesson, context: WeekContext) -> list[tuple[int, str]]:
    """The classes of the campus's week in a lesson, with their named parts."""
    return sorted((a.class_id, a.part) for a in lesson.audience if a.class_id in context.classes)


def _parts(context: WeekContext) -> dict[int, set[str]]:
    """The named parts of the classes: those that are arranged, and those of lessons that stay."""
    found: defaultdict[int, set[str]] = defaultdict(set)
    for demand in context.demands.values():
        for class_id, part in demand.classes:
            found[class_id] |= {part} - {""}
    for lesson in context.kept:
        for class_id, part in _classes_of(lesson, context):
            found[class_id] |= {part} - {""}
    return {class_id: parts for class_id, parts in found.items() if parts}


def _used(context: WeekContext) -> set[int]:
    """The classes that have lessons in the week."""
    used = {class_id for demand in context.demands.values() for class_id in demand.class_ids}
    return used | {class_id for lesson in context.kept for class_id, _ in _classes_of(lesson, context)}
