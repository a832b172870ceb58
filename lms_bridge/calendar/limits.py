"""How much online teaching a grade may have: the rule of the nearest organisation that made one, else a default.

The defaults are the times of China's National Health Commission for online learning (儿童青少年新冠肺炎疫情期间近视
预防指引（更新版）, April 2020, part 1.1): primary pupils at most 2.5 hours a day and 20 minutes at a time, secondary
students at most 4 hours a day and 30 minutes at a time. The periods per day are what these two figures allow
(150 / 20 and 240 / 30); that division is this project's, not the commission's. Homework is that of the Ministry of
Education's notice of April 2021 on homework in compulsory education (教基厅函〔2021〕13号, point 3): no written
homework in grades 1 and 2, at most 60 minutes a day in grades 3 to 6 and 90 in grades 7 to 9, all subjects together.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import sqlalchemy as sa

from lms_bridge.calendar.models import OnlineLimit
from lms_bridge.core import audit
from lms_bridge.core.database import db
from lms_bridge.core.errors import BadInputs, BridgeError, InputError
from lms_bridge.core.i18n import N_
from lms_bridge.roster.models import Organisation, Person

LAST_LOWER_PRIMARY_GRADE = 2
LAST_PRIMARY_GRADE = 6
LAST_LOWER_SECONDARY_GRADE = 9
GUIDANCE = "国家卫生健康委《儿童青少年新冠肺炎疫情期间近视预防指引（更新版）》（2020年4月）"


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of online teaching for one grade. Minutes are minutes of the clock; None: no limit is set.

    ``source`` says who made the rule; ``is_default`` is true where no organisation made one. ``periods_in_a_row`` is
    how many online periods may follow each other without a break.
    """

    periods_per_day: int
    minutes_per_lesson: int
    screen_minutes_per_day: int | None
    homework_minutes_per_day: int | None
    source: str
    is_default: bool = False
    periods_in_a_row: int | None = None

    def periods_for(self, minutes: int) -> int:
        """How many online periods of so many minutes a class may have in a day.

        The minutes of screen time of a default are advice (a period is not all screen); those that an organisation
        set itself bind.
        """
        if self.is_default or self.screen_minutes_per_day is None or minutes <= 0:
            return self.periods_per_day
        return min(self.periods_per_day, self.screen_minutes_per_day // minutes)


HOMEWORK = "教育部办公厅《关于加强义务教育学校作业管理的通知》（教基厅函〔2021〕13号）"

LOWER_PRIMARY = Limits(7, 20, 150, 0, f"{GUIDANCE}；{HOMEWORK}", is_default=True)
PRIMARY = Limits(7, 20, 150, 60, f"{GUIDANCE}；{HOMEWORK}", is_default=True)
LOWER_SECONDARY = Limits(8, 30, 240, 90, f"{GUIDANCE}；{HOMEWORK}", is_default=True)
UPPER_SECONDARY = Limits(8, 30, 240, None, GUIDANCE, is_default=True)


def default_limits(grade: str) -> Limits:
    """The default for a grade ("3", "03", "Grade 3"; OneRoster and CEDS count school years 1 to 12).

    A grade without a number is taken for a primary grade: the stricter of the two stages, on purpose.
    """
    found = re.search(r"\d+", grade)
    number = int(found[0]) if found else LAST_PRIMARY_GRADE
    if number <= LAST_LOWER_PRIMARY_GRADE:
        return LOWER_PRIMARY
    if number <= LAST_PRIMARY_GRADE:
        return PRIMARY
    return LOWER_SECONDARY if number <= LAST_LOWER_SECONDARY_GRADE else UPPER_SECONDARY


def ancestor_ids(organisation: Organisation) -> list[int]:
    """The ids of an organisation and of all above it, nearest first."""
    return [int(part) for part in reversed(organisation.path.strip("/").split("/")) if part]


def limits_by_grade(campus: Organisation, grades: set[str]) -> dict[str, Limits]:
    """The limits of each of these grades at a campus, from the nearest organisation that has a row for the grade."""
    chain = ancestor_ids(campus)
    rows = db.session.scalars(
        sa.select(OnlineLimit).where(OnlineLimit.organisation_id.in_(chain), OnlineLimit.grade.in_(grades))
    )
    nearest: dict[str, OnlineLimit] = {}
    for row in rows:
        known = nearest.get(row.grade)
        if known is None or chain.index(row.organisation_id) < chain.index(known.organisation_id):
            nearest[row.grade] = row
    return {grade: _limits(nearest[grade]) if grade in nearest else default_limits(grade) for grade in grades}


def limits_for(campus: Organisation, grade: str) -> Limits:
    """The limits of one grade at a campus."""
    return limits_by_grade(campus, {grade})[grade]


def set_limits(
    organisation: Organisation,
    grade: str,
    *,
    periods_per_day: int,
    minutes_per_lesson: int,
    screen_minutes_per_day: int | None = None,
    homework_minutes_per_day: int | None = None,
    periods_in_a_row: int | None = None,
    source: str = "",
    actor: Person | None = None,
) -> OnlineLimit:
    """Set the limits of a grade for an organisation and all below it that have no rule of their own.

    :raises BadInputs: every figure that cannot be right.
    """
    problems = _problems(grade, periods_per_day, minutes_per_lesson, screen_minutes_per_day, homework_minutes_per_day)
    if periods_in_a_row is not None and not 1 <= periods_in_a_row <= 20:
        problems.append(
            InputError(
                N_("%(count)s periods in a row cannot be right."),
                remedy=N_("Give 1 to 20 periods, or none for no such rule."),
                count=periods_in_a_row,
            )
        )
    if problems:
        raise BadInputs(problems)
    row = db.session.scalar(sa.select(OnlineLimit).filter_by(organisation_id=organisation.id, grade=grade))
    if row is None:
        row = OnlineLimit(organisation_id=organisation.id, grade=grade)
        db.session.add(row)
    row.periods_per_day = periods_per_day
    row.minutes_per_lesson = minutes_per_lesson
    row.screen_minutes_per_day = screen_minutes_per_day
    row.homework_minutes_per_day = homework_minutes_per_day
    row.periods_in_a_row = periods_in_a_row
    row.source = source
    db.session.flush()
    audit.record(
        "calendar.limits_set",
        "organisation",
        organisation.uid,
        actor_uid=actor.uid if actor else None,
        organisation_id=organisation.id,
        grade=grade,
        periods_per_day=periods_per_day,
        minutes_per_lesson=minutes_per_lesson,
    )
    return row


def _limits(row: OnlineLimit) -> Limits:
    return Limits(
        row.periods_per_day,
        row.minutes_per_lesson,
        row.screen_minutes_per_day,
        row.homework_minutes_per_day,
        row.source,
        periods_in_a_row=row.periods_in_a_row,
    )


def _problems(grade: str, periods: int, minutes: int, screen: int | None, homework: int | None) -> list[BridgeError]:
    found: list[BridgeError] = []
    if not grade.strip():
        found.append(InputError(N_("No grade is named."), remedy=N_("Name the grade that the limits are for.")))
    if not 0 <= periods <= 20:
        found.append(
            InputError(
                N_("%(count)s online periods a day cannot be right."), remedy=N_("Give 0 to 20 periods."), count=periods
            )
        )
    for value, least in ((minutes, 1), (screen, 1), (homework, 0)):
        if value is not None and not least <= value <= 24 * 60:
            found.append(
                InputError(
                    N_("%(minutes)s minutes cannot be right."), remedy=N_("Give 1 to 1440 minutes."), minutes=value
                )
            )
    return found
