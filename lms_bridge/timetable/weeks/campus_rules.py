"""Reads what a campus states (:class:`lms_bridge.timetable.weeks.kept_rules.CampusRules`) for a desk."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from lms_bridge.calendar.days import TeachingDay, monday_of, teaching_weeks, terms_of
from lms_bridge.calendar.limits import Limits
from lms_bridge.roster.models import ClassGroup, Organisation
from lms_bridge.timetable.inputs.arrangements import arrangements_of
from lms_bridge.timetable.inputs.stated_rules import Stated
from lms_bridge.timetable.inputs.subject_rules import rules_of
from lms_bridge.timetable.inputs.teacher_limits import limits_of
from lms_bridge.timetable.models import TimetableWeek
from lms_bridge.timetable.weeks.kept_rules import CampusRules


def read_rules(
    campus: Organisation,
    weeks: Sequence[TimetableWeek],
    classes: Mapping[int, ClassGroup],
    days: Iterable[TeachingDay],
    limits: Mapping[str, Limits],
    teachers: Collection[int],
    away: Sequence[tuple[int, datetime, datetime]],
) -> CampusRules:
    """The rules for these classes and teachers in these weeks; ``limits`` are the online limits by grade."""
    terms = {term.id: term for term in terms_of(campus)}
    wanted = {week.term_id for week in weeks}
    numbers = {
        (term_id, week.iso): week.number
        for term_id, term in terms.items()
        if term_id in wanted
        for week in teaching_weeks(campus, term)
    }
    school = list(days)
    runs = {class_id: limits[group.grade].periods_in_a_row for class_id, group in classes.items()}
    return CampusRules(
        zone=campus.zone,
        rules=tuple(Stated.of(row) for row in rules_of(campus.id)),
        classes=classes,
        grades={class_id: group.grade for class_id, group in classes.items()},
        numbers={w.id: numbers[w.term_id, w.week] for w in weeks if (w.term_id, w.week) in numbers},
        days={week.id: [day for day in school if 0 <= (day.day - monday_of(week.week)).days < 7] for week in weeks},
        runs={class_id: most for class_id, most in runs.items() if most is not None},
        per_day=limits_of(teachers),
        bands={
            (tuple(sorted((part.class_id, part.part) for part in row.classes)), row.subject_id): row.band
            for term_id in sorted(wanted)
            for row in arrangements_of(campus.id, term_id)
            if row.band
        },
        away=away,
    )
