"""The page of a campus's subject rules."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import TypeVar

import sqlalchemy as sa
from flask import request
from werkzeug.wrappers import Response

from lms_bridge.core.database import db
from lms_bridge.core.errors import BridgeError, InputError, NotFound
from lms_bridge.core.i18n import N_, gettext
from lms_bridge.roster.classes import classes_of
from lms_bridge.roster.models import Organisation
from lms_bridge.timetable.inputs import subject_rules
from lms_bridge.timetable.inputs.models import DayPart, RuleType, SubjectRule, WeekParity
from lms_bridge.timetable.inputs.rule_texts import WEEK_WORDS
from lms_bridge.timetable.inputs.stated_rules import Stated
from lms_bridge.timetable.solving.problem import WEEKDAYS
from lms_bridge.web.session import current_person, signed_in_required
from lms_bridge.web.timetable_inputs import blueprint, campus_of, carried_out, key_of, number_of, page, subjects

KINDS = {
    RuleType.DOUBLES: (N_("Double periods"), N_("so many a week")),
    RuleType.SPREAD: (N_("Spread over the week"), N_("at most so many periods on one day")),
    RuleType.NOT_SAME_DAY: (N_("Not on the same day"), N_("as a second subject")),
    RuleType.BEFORE: (N_("Before another subject"), N_("on days that have both")),
    RuleType.PREFERRED: (N_("Best at a part of the day"), N_("a wish, kept where it is possible")),
    RuleType.FIXED: (N_("Fixed time"), N_("always at one weekday and period")),
    RuleType.WEEKS: (
        N_("Only in odd or even weeks"),
        N_("A/B weeks; the school calendar numbers the weeks of the term"),
    ),
}
PARTS = {
    DayPart.MORNING: N_("In the morning"),
    DayPart.AFTERNOON: N_("In the afternoon"),
    DayPart.PERIODS: N_("In these periods (from, to)"),
}

E = TypeVar("E", bound=enum.StrEnum)


@blueprint.get("/<code>/rules")
@signed_in_required
def rules(code: str) -> str:
    """The rules, and the form that adds one."""
    return _page(campus_of(code))


@blueprint.post("/<code>/rules")
@signed_in_required
def rules_add(code: str) -> Response | tuple[str, int]:
    """Add a rule."""
    campus = campus_of(code)
    return carried_out(
        lambda: subject_rules.add_rule(campus, _stated(), actor=current_person()),
        gettext("The rule holds from the next week that is solved."),
        "rules",
        campus,
        lambda problems: _page(campus, problems),
    )


@blueprint.post("/<code>/rules/<uid>/remove")
@signed_in_required
def rules_remove(code: str, uid: str) -> Response | tuple[str, int]:
    """Take a rule back."""
    campus = campus_of(code)
    row = db.session.scalar(sa.select(SubjectRule).filter_by(campus_id=campus.id, uid=uid))
    if row is None:
        raise NotFound(N_("This rule was removed already."))
    return carried_out(
        lambda: subject_rules.remove_rule(row, actor=current_person()),
        gettext("The rule is removed."),
        "rules",
        campus,
        lambda problems: _page(campus, problems),
    )


def _page(campus: Organisation, problems: Sequence[BridgeError] = ()) -> str:
    groups = classes_of(campus)
    grades = sorted({group.grade for group in groups}, key=lambda grade: (len(grade), grade))
    kind = _choice(RuleType, "kind")
    found = [(row, subject_rules.text_of(row)) for row in subject_rules.rules_of(campus.id)]
    return page(
        "rules",
        campus,
        problems,
        rules=sorted(found, key=lambda pair: (str(pair[1].subject), pair[0].id)),
        kind=kind.value if kind is not None else "",
        kind_label=gettext(KINDS[kind][0]) if kind is not None else "",
        kind_hint=gettext(KINDS[kind][1]) if kind is not None else "",
        kinds=[(kind.value, gettext(label), gettext(hint)) for kind, (label, hint) in KINDS.items()],
        subjects=subjects(),
        scopes=[
            ("", gettext("all classes")),
            (gettext("Grades"), [(f"grade:{grade}", gettext("grade %(grade)s", grade=grade)) for grade in grades]),
            (gettext("Classes"), [(f"class:{group.id}", group.title) for group in groups]),
        ],
        weeks=[(week.value, gettext(words)) for week, words in WEEK_WORDS.items()],
        parts=[(part.value, gettext(words)) for part, words in PARTS.items()],
        weekdays=[(str(n), gettext(name)) for n, name in enumerate(WEEKDAYS)],
    )


def _stated() -> Stated:
    """The rule of the form; parts that its kind has no use for are left out.

    :raises InputError: no kind was chosen, or a number cannot be read.
    """
    kind = _choice(RuleType, "kind")
    if kind is None:
        raise InputError(N_("No kind of rule was chosen."), remedy=N_("Choose what the rule asks for."))
    whom, _, which = request.form.get("scope", "").partition(":")
    two, timed = kind in (RuleType.NOT_SAME_DAY, RuleType.BEFORE), kind in (RuleType.FIXED, RuleType.PREFERRED)
    part = _choice(DayPart, "day_part") if kind is RuleType.PREFERRED else None
    periods = kind is RuleType.FIXED or part is DayPart.PERIODS
    return Stated(
        subject_id=number_of("subject") or 0,
        kind=kind,
        weeks=_choice(WeekParity, "weeks") or WeekParity.EVERY,
        grade=which if whom == "grade" else "",
        class_id=key_of(which) if whom == "class" else None,
        other_id=number_of("other") if two else None,
        number=number_of("number") if kind in (RuleType.DOUBLES, RuleType.SPREAD) else None,
        day_part=part,
        weekday=number_of("weekday") if kind is RuleType.FIXED else None,
        first_period=number_of("first_period") if timed and periods else None,
        last_period=number_of("last_period") if part is DayPart.PERIODS else None,
    )


def _choice(choices: type[E], name: str) -> E | None:
    typed = request.values.get(name, "")
    return next((choice for choice in choices if choice.value == typed), None)
