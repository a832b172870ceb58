"""Builds the solver's problem for a campus and week from the database, with all that is needed to read its answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import combinations

import sqlalchemy as sa

from lms_bridge.calendar.days import (
    TeachingWeek,
    days_of_week,
    monday_of,
    online_days,
    teaching_weeks,
    term_of_week,
)
from lms_bridge.calendar.grids import grids_of
from lms_bridge.calendar.limits import Limits, limits_by_grade
from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.core.errors import BadInputs, BridgeError, InputError
from lms_bridge.core.i18n import N_, gettext
from lms_bridge.roster.models import ClassGroup, Enrolment, EnrolmentRole, Organisation, Person, Subject, Term
from lms_bridge.timetable import availability
from lms_bridge.timetable.demand import Demand, WeekDemand, classes_of_term, plans_at_all, week_demand
from lms_bridge.timetable.matching import split_by_mode
from lms_bridge.timetable.models import Lesson, LessonStatus, TeacherPart, TimetableWeek
from lms_bridge.timetable.plan_lines import Pair
from lms_bridge.timetable.problem import Course, Problem, Slot
from lms_bridge.timetable.queries import WITH_PARTS
from lms_bridge.timetable.week_slots import ClassSlots, class_slots, exact_slot, slots_during
from lms_bridge.timetable.wording import Listed, SubjectName

SETTLED = timedelta(minutes=30)
"""Lessons that begin sooner than this stay where they are, and none is added: people are on their way to them."""


@dataclass
class WeekContext:
    """What the answer to a week's problem is read with. ``version`` is that of the week's timetable when it was
    read; ``movable`` are lessons in force by class and subject, in order of time; ``kept`` those that stay."""

    campus: Organisation
    term: Term
    week: TeachingWeek
    row: TimetableWeek | None
    version: int
    classes: Mapping[int, ClassGroup]
    slots: ClassSlots
    demands: Mapping[Pair, Demand]
    movable: Mapping[Pair, list[Lesson]]
    kept: Sequence[Lesson]
    courses: dict[str, Pair] = field(default_factory=dict)
    warnings: list[BridgeError] = field(default_factory=list)


def build_problem(campus: Organisation, week: str) -> tuple[Problem, WeekContext]:
    """The problem of a campus's week (``2026-W48``).

    :raises InputError: the week is no week, lies outside every term or has no school days, or no plan is approved.
    :raises BadInputs: classes without a period grid, subjects without a teacher; all are listed.
    """
    context = _read(campus, week)
    builder = _Builder(context)
    return builder.problem(), context


def _read(campus: Organisation, week: str) -> WeekContext:
    monday = monday_of(week)
    term = term_of_week(campus, week)
    weeks = teaching_weeks(campus, term)
    chosen = next(w for w in weeks if monday_of(w.iso) == monday)
    if not chosen.days:
        raise _no_school(campus, chosen)
    classes = {group.id: group for group in classes_of_term(campus.id, term, chosen.days[0].day)}
    if not classes:
        raise InputError(
            N_("Campus %(campus)s has no classes in %(term)s."),
            remedy=N_("Import the roster of this term first."),
            campus=campus.code,
            term=term.title,
        )
    spans = online_days(campus, chosen.days[0].day, chosen.days[-1].day)
    slots = class_slots(classes.values(), chosen.days, grids_of(campus.id), spans, campus.zone)
    row = db.session.scalar(
        sa.select(TimetableWeek)
        .filter_by(campus_id=campus.id, week=chosen.iso)
        .execution_options(populate_existing=True)
    )
    demand = week_demand(campus.id, term, weeks, chosen, list(classes.values()), _shares(slots, row))
    _refuse(campus, chosen, classes, slots, demand, plans_at_all(classes, term.id))
    movable, kept = _lessons(row, demand)
    context = WeekContext(
        campus=campus,
        term=term,
        week=chosen,
        row=row,
        version=row.version if row is not None else 0,
        classes=classes,
        slots=slots,
        demands={(d.class_id, d.subject_id): d for d in demand.demands},
        movable=movable,
        kept=kept,
    )
    if demand.lacking:
        context.warnings.append(
            InputError(
                N_("No lessons were planned where no teaching plan is approved: %(courses)s."),
                remedy=N_("Let the researchers approve these plans, then solve the week again."),
                courses=Listed(demand.lacking),
            )
        )
    return context


def _shares(slots: ClassSlots, row: TimetableWeek | None) -> dict[int, tuple[int, int]]:
    """The part of the week that lies after its first publication (now, if it has none)."""
    since = row.published_at if row is not None and row.published_at is not None else now() + SETTLED
    return {
        class_id: (sum(time.starts_at >= since for time in times.values()), len(times))
        for class_id, times in slots.items()
    }


def _no_school(campus: Organisation, week: TeachingWeek) -> InputError:
    _, off = days_of_week(campus, week.iso)
    return InputError(
        N_("No school is held at campus %(campus)s in week %(week)s (%(days)s)."),
        remedy=N_("Choose another week, or correct the school calendar."),
        campus=campus.code,
        week=week.iso,
        days="; ".join(f"{d.day} {d.name_en or d.name}".strip() for d in off) or "-",
    )


def _refuse(
    campus: Organisation,
    week: TeachingWeek,
    classes: Mapping[int, ClassGroup],
    slots: ClassSlots,
    demand: WeekDemand,
    plans: int,
) -> None:
    if not demand.planned:
        raise InputError(
            N_("No teaching plan of campus %(campus)s is approved for week %(week)s. Plans are lacking for: %(courses)s."),
            remedy=N_("Import plans, let the researchers approve them (%(plans)s wait), then solve the week again."),
            campus=campus.code,
            week=week.iso,
            courses=Listed(demand.lacking or tuple(group.title for group in classes.values())),
            plans=plans,
        )
    wanted = {d.class_id for d in demand.demands if d.steps}
    problems: list[BridgeError] = [
        InputError(
            N_("Class %(group)s (grade %(grade)s) has no period grid for this week."),
            remedy=N_("Set up the period grid of this grade at campus %(campus)s."),
            group=classes[class_id].title,
            grade=classes[class_id].grade,
            campus=campus.code,
        )
        for class_id in sorted(wanted)
        if not slots[class_id]
    ]
    problems += demand.problems
    if problems:
        raise BadInputs(problems)


def _lessons(row: TimetableWeek | None, demand: WeekDemand) -> tuple[dict[Pair, list[Lesson]], list[Lesson]]:
    """Lessons in force: those that a new solution may move, and those that stay: begun or about to, given to a
    substitute, of several classes, or of a subject whose plan is not approved any more."""
    movable: defaultdict[Pair, list[Lesson]] = defaultdict(list)
    kept: list[Lesson] = []
    if row is None:
        return movable, kept
    settled = now() + SETTLED
    rows = db.session.scalars(
        sa.select(Lesson)
        .where(Lesson.week_id == row.id, Lesson.status == LessonStatus.SCHEDULED)
        .options(*WITH_PARTS)
        .order_by(Lesson.starts_at, Lesson.id)
        .execution_options(populate_existing=True)
    )
    for lesson in rows:
        pair = (lesson.audience[0].class_id, lesson.subject_id) if len(lesson.audience) == 1 else None
        substituted = any(t.part is TeacherPart.SUBSTITUTE for t in lesson.teachers)
        if pair in demand.planned and lesson.starts_at >= settled and not substituted:
            movable[pair].append(lesson)
        else:
            kept.append(lesson)
    return movable, kept


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

