"""The days and hours of teachers and students: how many, from when to when, with which gaps.

One rule serves four constraints: of one teacher, of all teachers, of one students set, of all students.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lms_bridge.core.i18n import N_
from lms_bridge.timetable.fet.checker.violations import Broken
from lms_bridge.timetable.fet.checker.weeks import Placed, Week
from lms_bridge.timetable.fet.model import Constraint, Element

Rule = Callable[[Placed, Week, Element], Iterator[Broken]]


def weeks_meant(placed: Placed, constraint: Constraint) -> list[Week]:
    """The weeks that a constraint is about, read from the beginning of its name and from the names in it."""
    fields = constraint.fields
    if constraint.kind.startswith("Teachers"):
        return list(placed.teachers.values())
    if constraint.kind.startswith("Teacher"):
        return [placed.teachers[fields.text("Teacher_Name") or fields.text("Teacher")]]
    if constraint.kind.startswith("StudentsSet"):
        name = fields.text("Students") or fields.text("Students_Name")
        return [placed.leaves[leaf] for leaf in placed.school.students[name].leaves]
    return list(placed.leaves.values())


def for_each(rule: Rule) -> Callable[[Placed, Constraint], Iterator[Broken]]:
    """The rule of one week, for every week that the constraint is about."""

    def check(placed: Placed, constraint: Constraint) -> Iterator[Broken]:
        for week in weeks_meant(placed, constraint):
            yield from rule(placed, week, constraint.fields)

    return check


def _tag(fields: Element) -> str:
    return fields.text("Activity_Tag_Name") or fields.text("Activity_Tag")


def max_days(placed: Placed, week: Week, fields: Element) -> Iterator[Broken]:
    """At most so many days with activities."""
    found, limit = len(week.working_days()), fields.whole("Max_Days_Per_Week")
    if found > limit:
        yield (
            N_("%(who)s has activities on %(found)s days; at most %(limit)s are allowed."),
            {"who": week.name, "found": found, "limit": limit},
        )


def min_days(placed: Placed, week: Week, fields: Element) -> Iterator[Broken]:
    """At least so many days with activities."""
    found, limit = len(week.working_days()), fields.whole("Minimum_Days_Per_Week")
    if week.activities and found < limit:
        yield (
            N_("%(who)s has activities on %(found)s days; at least %(limit)s are asked for."),
            {"who": week.name, "found": found, "limit": limit},
        )


def max_gaps_week(placed: Placed, week: Week, fields: Element) -> Iterator[Broken]:
    """At most so many gaps in the week."""
    found, limit = sum(week.gaps(day) for day in week.working_days()), fields.whole("Max_Gaps")
    if found > limit:
        yield (
            N_("%(who)s has %(found)s gaps in the week; at most %(limit)s are allowed."),
            {"who": week.name, "found": found, "limit": limit},
        )


def max_gaps_day(placed: Placed, week: Week, fields: Element) -> Iterator[Broken]:
    """At most so many gaps on each day."""
    limit = fields.whole("Max_Gaps")
    for day in week.working_days():
        if week.gaps(day) > limit:
            yield (
                N_("%(who)s has %(found)s gaps on %(day)s; at most %(limit)s are allowed."),
                {"who": week.name, "day": placed.day(day), "found": week.gaps(day), "limit": limit},
            )


def max_hours(placed: Placed, week: Week, fields: Element) -> Iterator[Broken]:
    """At most so many hours on each day."""
    limit = fields.whole("Maximum_Hours_Daily")
    for day in week.working_days():
        if len(week.taken[day]) > limit:
            yield _too_many(placed, week, day, len(week.taken[day]), limit)


def _too_many(placed: Placed, week: Week, day: int, found: int, limit: int) -> Broken:
    return (
        N_("%(who)s has %(found)s hours on %(day)s; at most %(limit)s are allowed."),
        {"who": week.name, "day": placed.day(day), "found": found, "limit": limit},
    )


def min_hours(placed: Placed, week: Week, fields: Element) -> Iterator[Broken]:
    """At least so many hours on each day; a day without any is allowed where the constraint says so."""
    limit = fields.whole("Minimum_Hours_Daily")
    days = week.working_days() if fields.flag("Allow_Empty_Days", default=True) else range(len(week.taken))
    for day in days if week.activities else ():
        if len(week.taken[day]) < limit:
            yield (
                N_("%(who)s has %(found)s hours on %(day)s; at least %(limit)s are asked for."),
                {"who": week.name, "day": placed.day(day), "found": len(week.taken[day]), "limit": limit},
            )


def max_continuous(placed: Placed, week: Week, fields: Element) -> Iterator[Broken]:
    """At most so many hours in a row."""
    limit = fields.whole("Maximum_Hours_Continuously")
    for day in week.working_days():
        found = week.longest_run(day)
        if found > limit:
            yield (
                N_("%(who)s has %(found)s hours in a row on %(day)s; at most %(limit)s are allowed."),
                {"who": week.name, "day": placed.day(day), "found": found, "limit": limit},
            )


def max_tag_continuous(placed: Placed, week: Week, fields: Element) -> Iterator[Broken]:
    """At most so many hours of one tag in a row."""
    limit, tag = fields.whole("Maximum_Hours_Continuously"), _tag(fields)
    for day in week.working_days():
        found = week.longest_run(day, tag)
        if found > limit:
            yield (
                N_("%(who)s has %(found)s hours of %(tag)s in a row on %(day)s; at most %(limit)s are allowed."),
                {"who": week.name, "day": placed.day(day), "tag": tag, "found": found, "limit": limit},
            )


def max_tag_hours(placed: Placed, week: Week, fields: Element) -> Iterator[Broken]:
    """At most so many hours of one tag on each day."""
    limit, tag = fields.whole("Maximum_Hours_Daily"), _tag(fields)
    for day in week.working_days():
        found = sum(tag in activity.tags for activity in week.taken[day].values())
        if found > limit:
            yield (
                N_("%(who)s has %(found)s hours of %(tag)s on %(day)s; at most %(limit)s are allowed."),
                {"who": week.name, "day": placed.day(day), "tag": tag, "found": found, "limit": limit},
            )


def interval_max_days(placed: Placed, week: Week, fields: Element) -> Iterator[Broken]:
    """On at most so many days an activity lies in an interval of hours."""
    hours, limit = placed.school.hour_index, fields.whole("Max_Days_Per_Week")
    first, last = fields.text("Interval_Start_Hour"), fields.text("Interval_End_Hour")
    interval = range(hours[first], hours[last] if last else week.hours)
    found = sum(any(hour in interval for hour in taken) for taken in week.taken)
    if found > limit:
        yield (
            N_(
                "%(who)s has activities between %(first)s and %(last)s on %(found)s days; at most %(limit)s are "
                "allowed."
            ),
            {"who": week.name, "first": first, "last": last or "-", "found": found, "limit": limit},
        )


def early(placed: Placed, week: Week, fields: Element) -> Iterator[Broken]:
    """Each day begins in the first hour that is open, on so many days in the second."""
    limit, late = fields.whole("Max_Beginnings_At_Second_Hour"), 0
    for day in week.working_days():
        missed = sum((day, hour) not in week.closed for hour in range(min(week.taken[day])))
        late += missed == 1
        if missed > 1:
            yield (
                N_("%(who)s begins on %(when)s, with %(found)s free hours before."),
                {"who": week.name, "when": placed.when((day, min(week.taken[day]))), "found": missed},
            )
    if late > limit:
        yield (
            N_("%(who)s begins in the second hour on %(found)s days; at most %(limit)s are allowed."),
            {"who": week.name, "found": late, "limit": limit},
        )


def max_span(placed: Placed, week: Week, fields: Element) -> Iterator[Broken]:
    """From the first to the last activity of a day at most so many hours; one more on one day, if that is allowed."""
    limit = fields.whole("Max_Span")
    exceptions = 1 if fields.flag("Allow_One_Day_Exception_of_Plus_One") else 0
    for day in week.working_days():
        found = max(week.taken[day]) - min(week.taken[day]) + 1
        if found == limit + 1 and exceptions:
            exceptions -= 1
        elif found > limit:
            yield (
                N_("%(who)s is there for %(found)s hours on %(day)s; at most %(limit)s are allowed."),
                {"who": week.name, "day": placed.day(day), "found": found, "limit": limit},
            )


def min_resting(placed: Placed, week: Week, fields: Element) -> Iterator[Broken]:
    """So many hours of rest lie between the end of a day and the beginning of the next."""
    limit, count = fields.whole("Minimum_Resting_Hours"), len(week.taken)
    for day in range(count if fields.flag("Circular") else count - 1):
        evening, morning = week.taken[day], week.taken[(day + 1) % count]
        if evening and morning:
            found = week.hours - 1 - max(evening) + min(morning)
            if found < limit:
                yield (
                    N_("%(who)s rests for %(found)s hours after %(day)s; at least %(limit)s are asked for."),
                    {"who": week.name, "day": placed.day(day), "found": found, "limit": limit},
                )


def tag_gaps(placed: Placed, week: Week, fields: Element) -> Iterator[Broken]:
    """So many hours lie between an activity of one tag and a later one of another tag (or the same) on one day."""
    first = fields.text("First_Activity_Tag") or _tag(fields)
    second = fields.text("Second_Activity_Tag") or _tag(fields)
    least = fields.whole("MinGaps")
    for one in week.activities:
        for other in week.activities:
            (day, hour), (other_day, other_hour) = placed.start(one), placed.start(other)
            if day != other_day or other_hour <= hour or first not in one.tags or second not in other.tags:
                continue
            between = other_hour - hour - one.duration
            if between < least:
                yield (
                    N_(
                        "%(who)s has %(found)s hours between activities %(one)s and %(other)s on %(day)s; at least "
                        "%(limit)s are asked for."
                    ),
                    {
                        "who": week.name,
                        "found": max(between, 0),
                        "one": placed.what(one),
                        "other": placed.what(other),
                        "day": placed.day(day),
                        "limit": least,
                    },
                )
