"""Whether lessons that are moved by hand keep what the campus states: subjects not on the same day, their order on a
day, double periods, fixed times, odd and even weeks, groups at the same time, online periods in a row.

A rule that is broken already stands in nobody's way; one that a move would break does, as a proposal of a case would
never break it (:mod:`lms_bridge.timetable.weeks.kept_rules`). The preferred part of a day is a wish: it is only said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

import sqlalchemy as sa

from lms_bridge.calendar.days import TeachingDay, days_of_week, iso_week, monday_of, online_days, terms_of
from lms_bridge.calendar.grids import grids_of
from lms_bridge.calendar.limits import limits_by_grade
from lms_bridge.core.database import db
from lms_bridge.core.errors import InputError
from lms_bridge.core.i18n import N_
from lms_bridge.roster.models import ClassGroup, Organisation, Subject
from lms_bridge.timetable.inputs.rule_texts import RuleText
from lms_bridge.timetable.models import Lesson, LessonAudience, LessonStatus, TimetableWeek
from lms_bridge.timetable.queries import WITH_PARTS
from lms_bridge.timetable.snapshots import LessonState, state_of
from lms_bridge.timetable.solving.problem import RuleKind
from lms_bridge.timetable.weeks.campus_rules import read_rules
from lms_bridge.timetable.weeks.course_rules import preferred_slots
from lms_bridge.timetable.weeks.kept_rules import Broken, broken_anew, common_times, course_key, name_of, slot_of
from lms_bridge.timetable.weeks.slots import SlotTime, class_slots
from lms_bridge.timetable.wording import Day, Listed, SubjectName

WORDS = {
    RuleKind.MAX_PER_DAY: N_("%(group)s would have %(one)s more often on %(day)s than a rule allows."),
    RuleKind.NOT_SAME_DAY: N_("%(group)s would have %(one)s and %(other)s on %(day)s; a rule keeps them apart."),
    RuleKind.IN_ORDER: N_("%(group)s would have %(other)s before %(one)s on %(day)s; a rule asks for the other order."),
    RuleKind.ONLINE_RUN: N_("%(group)s would have more online periods without a break on %(day)s than are allowed."),
    RuleKind.BLOCKS: N_("%(group)s would lose a double period of %(one)s that a rule asks for."),
    RuleKind.FIXED: N_("%(group)s would have no %(one)s at the time that a rule fixes for it."),
    RuleKind.PARALLEL: N_("%(one)s of %(group)s would not be at the same time as the other groups."),
}
NOT_TAUGHT = N_("%(group)s is not taught %(one)s in this week, by a rule for odd and even weeks.")


class RuleChecks:
    """What a campus states for these classes in the weeks from ``first`` to ``last``, and the lessons that it is about,
    read once. Nothing more is read where nothing is stated."""

    def __init__(self, campus: Organisation, first: date, last: date, classes: Mapping[int, ClassGroup]) -> None:
        self.campus = campus
        self.classes = dict(classes)
        self.weeks = self._weeks(first, last)
        self.days = {iso: days_of_week(campus, iso)[0] for iso in self.weeks}
        self.lessons: dict[int, LessonState] = {}
        self.openings: dict[int, list[SlotTime]] = {}
        self.subjects: dict[int, SubjectName] = {}
        self._read_rules()
        self.concerned = bool(self.weeks)
        if self.concerned:
            self._read_lessons()

    def problems(self, wanted: Mapping[int, LessonState]) -> Iterable[tuple[str, Mapping[str, object]]]:
        """The rules that lessons (by id) in these states would break, as message ids and what they speak of; those that
        are broken already are not among them."""
        if not self.concerned:
            return
        after = {number: self._in_week(state) for number, state in wanted.items()}
        names = {name_of(course_key(state)): state for state in (*self.lessons.values(), *after.values())}
        for iso in sorted({iso_week(state.starts_local.date()) for state in after.values()} & self.weeks.keys()):
            for broken in sorted(broken_anew(self.stated, self.lessons, after, self.weeks[iso].id, self.openings)):
                yield self._words(broken, names, monday_of(iso))

    def hints(self, wanted: Mapping[int, LessonState]) -> list[InputError]:
        """The wishes for a part of the day that lessons (by id) in these states would not meet."""
        found: list[InputError] = []
        for state in map(self._in_week, wanted.values() if self.concerned else ()):
            rule = self.stated.of_week(state.week_id).preferred(sorted(state.class_ids), state.subject_id)
            week = self.stated.week(state.week_id)
            times = common_times(state.classes, week, self.openings)
            if rule is None or slot_of(state) not in times or slot_of(state) in preferred_slots(rule, times, week.zone):
                continue
            title = self.classes[rule.class_id].title if rule.class_id is not None else ""
            found.append(
                InputError(
                    N_("A wish is not met: %(rule)s."),
                    remedy=N_("It may be moved there all the same."),
                    rule=RuleText(rule, self._subject(state.subject_id), None, title),
                )
            )
        return found

    def _weeks(self, first: date, last: date) -> dict[str, TimetableWeek]:
        """The weeks by their names; a week that nobody opened yet is made up here and never stored."""
        isos = dict.fromkeys(iso_week(first + timedelta(days=n)) for n in range((last - first).days + 1))
        rows = db.session.scalars(
            sa.select(TimetableWeek).where(TimetableWeek.campus_id == self.campus.id, TimetableWeek.week.in_(isos))
        )
        known = {row.week: row for row in rows}
        terms = terms_of(self.campus)
        found: dict[str, TimetableWeek] = {}
        for number, iso in enumerate(isos, 1):
            monday = monday_of(iso)
            term = next((t for t in terms if t.starts_on <= monday + timedelta(days=6) and monday <= t.ends_on), None)
            if iso in known:
                found[iso] = known[iso]
            elif term is not None:
                found[iso] = TimetableWeek(id=-number, campus_id=self.campus.id, term_id=term.id, week=iso)
        return found

    def _read_rules(self) -> None:
        """Classes that are taught at the same time as these (in a band) belong to them."""
        for _ in range(2):
            limits = limits_by_grade(self.campus, {group.grade for group in self.classes.values()})
            days: Sequence[TeachingDay] = [day for own in self.days.values() for day in own]
            self.stated = read_rules(self.campus, list(self.weeks.values()), self.classes, days, limits, (), ())
            own = {
                name for (classes, _), name in self.stated.bands.items() if {c for c, _ in classes} & set(self.classes)
            }
            beside = {c for (classes, _), name in self.stated.bands.items() if name in own for c, _ in classes}
            if beside <= set(self.classes):
                return
            rows = db.session.scalars(sa.select(ClassGroup).where(ClassGroup.id.in_(beside - set(self.classes))))
            self.classes |= {row.id: row for row in rows}

    def _read_lessons(self) -> None:
        ids = [week.id for week in self.weeks.values() if week.id > 0]
        rows = db.session.scalars(
            sa.select(Lesson)
            .where(
                Lesson.week_id.in_(ids),
                Lesson.status == LessonStatus.SCHEDULED,
                Lesson.audience.any(LessonAudience.class_id.in_(self.classes)),
            )
            .options(*WITH_PARTS)
        )
        self.lessons = {row.id: state_of(row) for row in rows}
        others = {c for state in self.lessons.values() for c in state.class_ids} - set(self.classes)
        if others:
            # Classes that have lessons together with these.
            more = db.session.scalars(sa.select(ClassGroup).where(ClassGroup.id.in_(others)))
            self.classes |= {row.id: row for row in more}
            grades = {class_id: group.grade for class_id, group in self.classes.items()}
            self.stated = replace(self.stated, classes=self.classes, grades=grades)
        grids = grids_of(self.campus.id)
        self.openings = {class_id: [] for class_id in self.classes}
        for days in (own for own in self.days.values() if own):
            online = online_days(self.campus, days[0].day, days[-1].day)
            for class_id, slots in class_slots(self.classes.values(), days, grids, online, self.campus.zone).items():
                self.openings[class_id] += slots.values()

    def _in_week(self, state: LessonState) -> LessonState:
        """The state in the week of its day: a wish may still name the week that the lesson leaves."""
        week = self.weeks.get(iso_week(state.starts_local.date()))
        return replace(state, week_id=week.id) if week is not None else state

    def _subject(self, subject_id: int) -> SubjectName:
        if subject_id not in self.subjects:
            self.subjects[subject_id] = SubjectName.of(db.session.get_one(Subject, subject_id))
        return self.subjects[subject_id]

    def _words(
        self, broken: Broken, names: Mapping[str, LessonState], monday: date
    ) -> tuple[str, Mapping[str, object]]:
        kind = next((kind for kind in WORDS if kind.value == broken.kind), None)
        states = [names[key] for key in broken.key.partition("@")[0].split(" + ") if key in names]
        if kind is None:
            states = [s for s in names.values() if broken.key == f"{s.classes}:{s.subject_id}"][:1]
        classes = states[0].class_ids if states else {int(broken.key[1:].partition("/")[0])}
        common = classes.intersection(*(state.class_ids for state in states)) or classes
        params: dict[str, object] = {
            "group": Listed(sorted(self.classes[class_id].title for class_id in common)),
            "day": Day(monday + timedelta(days=max(broken.day, 0))),
        }
        params |= {name: self._subject(state.subject_id) for name, state in zip(("one", "other"), states, strict=False)}
        return WORDS[kind] if kind is not None else NOT_TAUGHT, params
