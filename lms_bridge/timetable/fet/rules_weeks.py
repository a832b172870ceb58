"""Rules about the week of a teacher or students set: gaps, hours a day, days, early beginnings."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from lms_bridge.timetable.engine.problem import Limits
from lms_bridge.timetable.fet.draft import Draft, chance
from lms_bridge.timetable.fet.model import Constraint, Element

Rule = Callable[[Draft, Constraint], None]
Reading = Callable[[Draft, Element, int], Limits]


def _owners(draft: Draft, constraint: Constraint) -> Iterable[tuple[str, str]]:
    """The teachers or smallest students sets that a constraint is about, by the beginning of its kind."""
    fields = constraint.fields
    if constraint.kind.startswith("Teachers"):
        return [("teacher", name) for name in draft.school.teachers]
    if constraint.kind.startswith("Teacher"):
        return [("teacher", fields.text("Teacher_Name") or fields.text("Teacher"))]
    if constraint.kind.startswith("StudentsSet"):
        return [("students", leaf) for leaf in draft.school.students[fields.text("Students")].leaves]
    return [("students", leaf) for leaf in draft.school.leaves]


def _limit(reading: Reading) -> Rule:
    def rule(draft: Draft, constraint: Constraint) -> None:
        limits = reading(draft, constraint.fields, chance(constraint))
        only = None
        tag = constraint.fields.text("Activity_Tag") or constraint.fields.text("Activity_Tag_Name")
        if tag:
            only = frozenset(n for n, activity in enumerate(draft.activities) if tag in activity.tags)
        for owner in _owners(draft, constraint):
            draft.limit(owner, limits, only)

    return rule


def _min_hours(_: Draft, fields: Element, check: int) -> Limits:
    return Limits(min_day=fields.whole("Minimum_Hours_Daily"), empty_ok=fields.flag("Allow_Empty_Days"), check=check)


def _interval(draft: Draft, fields: Element, check: int) -> Limits:
    start = draft.school.hour_index[fields.text("Interval_Start_Hour")]
    end = draft.school.hour_index.get(fields.text("Interval_End_Hour"), len(draft.school.hours))
    return Limits(
        interval=((1 << end) - 1) & ~((1 << start) - 1), interval_days=fields.whole("Max_Days_Per_Week"), check=check
    )


READINGS: dict[str, Reading] = {
    "MaxGapsPerWeek": lambda _, fields, check: Limits(gaps_week=fields.whole("Max_Gaps"), check=check),
    "MaxGapsPerDay": lambda _, fields, check: Limits(gaps_day=fields.whole("Max_Gaps"), check=check),
    "MinHoursDaily": _min_hours,
    "MaxHoursDaily": lambda _, fields, check: Limits(max_day=fields.whole("Maximum_Hours_Daily"), check=check),
    "MaxHoursContinuously": lambda _, fields, check: Limits(
        run=fields.whole("Maximum_Hours_Continuously"), check=check
    ),
    "MaxDaysPerWeek": lambda _, fields, check: Limits(max_days=fields.whole("Max_Days_Per_Week"), check=check),
    "MinDaysPerWeek": lambda _, fields, check: Limits(min_days=fields.whole("Minimum_Days_Per_Week"), check=check),
    "MaxSpanPerDay": lambda _, fields, check: Limits(span=fields.whole("Max_Span"), check=check),
    "EarlyMaxBeginningsAtSecondHour": lambda _, fields, check: Limits(
        late=fields.whole("Max_Beginnings_At_Second_Hour"), check=check
    ),
    "IntervalMaxDaysPerWeek": _interval,
    "ActivityTagMaxHoursDaily": lambda _, fields, check: Limits(
        max_day=fields.whole("Maximum_Hours_Daily"), check=check
    ),
    "ActivityTagMaxHoursContinuously": lambda _, fields, check: Limits(
        run=fields.whole("Maximum_Hours_Continuously"), check=check
    ),
}

WEEKS: dict[str, Rule] = {
    who + what: _limit(reading)
    for what, reading in READINGS.items()
    for who in (
        ("Students", "StudentsSet")
        if what == "EarlyMaxBeginningsAtSecondHour"
        else ("Students", "StudentsSet", "Teachers", "Teacher")
    )
}
