"""The subject rules of a campus: listed, added and removed, checked whole before anything is stored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from lms_bridge.calendar.grids import MAX_PERIODS_PER_DAY, grids_of
from lms_bridge.core import audit
from lms_bridge.core.database import db
from lms_bridge.core.errors import BadInputs, BridgeError, InputError
from lms_bridge.core.i18n import N_
from lms_bridge.roster.models import ClassGroup, Organisation, Person, Subject
from lms_bridge.timetable.inputs.models import DayPart, RuleType, SubjectRule, WeekParity
from lms_bridge.timetable.inputs.rule_texts import RuleText, Said
from lms_bridge.timetable.inputs.stated_rules import Contradiction, Stated, contradictions
from lms_bridge.timetable.solving.problem import WEEKDAYS
from lms_bridge.timetable.wording import Listed, SubjectName

MOST_DOUBLES = 10


def rules_of(campus_id: int) -> list[SubjectRule]:
    """The rules of a campus, oldest first."""
    return list(
        db.session.scalars(
            sa.select(SubjectRule)
            .where(SubjectRule.campus_id == campus_id)
            .options(
                joinedload(SubjectRule.subject), joinedload(SubjectRule.other), joinedload(SubjectRule.class_group)
            )
            .order_by(SubjectRule.id)
        )
    )


def text_of(row: SubjectRule) -> RuleText:
    """A stored rule in words."""
    return RuleText(
        Stated.of(row),
        SubjectName.of(row.subject),
        SubjectName.of(row.other) if row.other is not None else None,
        row.class_group.title if row.class_group is not None else "",
    )


def add_rule(campus: Organisation, rule: Stated, *, actor: Person | None) -> SubjectRule:
    """State a rule for a campus. Weeks that are published keep their lessons until they are solved again.

    :raises BadInputs: everything that is missing or wrong, and every rule that it contradicts.
    """
    return add_rules(campus, [rule], actor=actor)[0]


def add_rules(campus: Organisation, rules: Sequence[Stated], *, actor: Person | None) -> list[SubjectRule]:
    """State several rules for a campus: all or none.

    :raises BadInputs: everything that is missing or wrong in them, and every contradiction that they bring about.
    """
    problems = [problem for rule in rules for problem in _own_problems(campus, rule)]
    if rules and not problems:
        problems = contradicting(campus.id, rules, _Texts(rules))
    if problems:
        raise BadInputs(problems)
    rows = [
        SubjectRule(
            campus_id=campus.id,
            subject_id=rule.subject_id,
            kind=rule.kind,
            weeks=rule.weeks,
            grade="" if rule.class_id is not None else rule.grade,
            class_id=rule.class_id,
            other_id=rule.other_id,
            number=rule.number,
            day_part=rule.day_part,
            weekday=rule.weekday,
            first_period=rule.first_period,
            last_period=rule.last_period,
        )
        for rule in rules
    ]
    db.session.add_all(rows)
    db.session.flush()
    for row in rows:
        _record("timetable.rule_added", campus, row, actor)
    return rows


def unfit(campus: Organisation, rules: Sequence[Stated]) -> set[Stated]:
    """Those of these rules that cannot be stated: something in them is wrong, or they contradict a rule of the campus
    or each other."""
    found = {rule for rule in rules if _own_problems(campus, rule)}
    texts = _Texts(rules)
    stored = [Stated.of(row) for row in rules_of(campus.id)]
    texts.add(stored)
    fit = [rule for rule in rules if rule not in found]
    for contradiction in contradictions([*stored, *fit], texts.grades):
        found |= {rule for rule in contradiction.rules if rule in rules}
    return found


def words_of(rules: Sequence[Stated]) -> dict[Stated, str]:
    """Rules that may not be stored, in words, in the language in force."""
    texts = _Texts(rules)
    return {rule: str(texts.of(rule)) for rule in rules}


def remove_rule(row: SubjectRule, *, actor: Person | None) -> None:
    """Take a rule back."""
    _record("timetable.rule_removed", row.campus, row, actor)
    db.session.delete(row)
    db.session.flush()


def contradicting(campus_id: int, new: Sequence[Stated] = (), texts: _Texts | None = None) -> list[BridgeError]:
    """The contradictions among the campus's rules; with ``new`` ones, those that they bring about."""
    rows = rules_of(campus_id)
    stored = [Stated.of(row) for row in rows]
    texts = texts or _Texts([])
    texts.add(stored)
    found = contradictions([*stored, *new], texts.grades)
    return [_named(c, texts) for c in found if not new or any(rule is n for n in new for rule in c.rules)]


def _named(found: Contradiction, texts: _Texts) -> BridgeError:
    return InputError(
        N_("These rules cannot hold together (%(why)s): %(rules)s."),
        remedy=N_("Change or remove one of these rules."),
        rules=Listed([texts.of(rule) for rule in found.rules]),
        why=Said(found.why),
    )


class _Texts:
    """The words of rules that may not be stored."""

    def __init__(self, rules: Iterable[Stated]) -> None:
        self.subjects = {s.id: SubjectName.of(s) for s in db.session.scalars(sa.select(Subject))}
        self.titles: dict[int, str] = {}
        self.grades: dict[int, str] = {}
        self.add(rules)

    def add(self, rules: Iterable[Stated]) -> None:
        wanted = {rule.class_id for rule in rules if rule.class_id is not None}
        for group in db.session.scalars(sa.select(ClassGroup).where(ClassGroup.id.in_(wanted))):
            self.titles[group.id], self.grades[group.id] = group.title, group.grade

    def of(self, rule: Stated) -> RuleText:
        return RuleText(
            rule,
            self.subjects[rule.subject_id],
            self.subjects[rule.other_id] if rule.other_id is not None else None,
            self.titles.get(rule.class_id or 0, ""),
        )


def _own_problems(campus: Organisation, rule: Stated) -> list[BridgeError]:
    found: list[BridgeError] = []
    if db.session.get(Subject, rule.subject_id) is None:
        found.append(InputError(N_("No subject was chosen."), remedy=N_("Choose the subject that the rule is for.")))
    if rule.class_id is not None:
        group = db.session.get(ClassGroup, rule.class_id)
        if group is None or group.campus_id != campus.id:
            found.append(InputError(N_("This class is not one of the campus."), remedy=N_("Choose one from the list.")))
    if rule.kind in (RuleType.NOT_SAME_DAY, RuleType.BEFORE):
        if rule.other_id is None or db.session.get(Subject, rule.other_id) is None:
            found.append(InputError(N_("The second subject is missing."), remedy=N_("Choose it from the list.")))
        elif rule.other_id == rule.subject_id:
            found.append(InputError(N_("Both subjects are the same."), remedy=N_("Choose two different subjects.")))
    if rule.kind is RuleType.WEEKS and rule.weeks is WeekParity.EVERY:
        found.append(
            InputError(
                N_("It is not said in which weeks the subject is taught."), remedy=N_("Choose odd or even weeks.")
            )
        )
    most = MOST_DOUBLES if rule.kind is RuleType.DOUBLES else MAX_PERIODS_PER_DAY
    if rule.kind in (RuleType.DOUBLES, RuleType.SPREAD) and not 1 <= (rule.number or 0) <= most:
        found.append(
            InputError(N_("The number is missing or cannot be right."), remedy=N_("Give 1 to %(most)s."), most=most)
        )
    return found + _time_problems(campus, rule)


def _time_problems(campus: Organisation, rule: Stated) -> list[BridgeError]:
    if rule.kind is RuleType.FIXED:
        if rule.weekday is None or not 0 <= rule.weekday <= 6 or rule.first_period is None:
            return [InputError(N_("Weekday or period is missing."), remedy=N_("Choose both."))]
        slots = {(p.weekday, p.number) for grid in grids_of(campus.id) for p in grid.periods}
        if slots and (rule.weekday, rule.first_period) not in slots:
            return [
                InputError(
                    N_("No period grid of the campus has period %(period)s on %(day)s."),
                    remedy=N_("Choose a period of the grid, or set up the grid first."),
                    period=rule.first_period,
                    day=Said(WEEKDAYS[rule.weekday]),
                )
            ]
    if rule.kind is RuleType.PREFERRED:
        if rule.day_part is None:
            return [InputError(N_("The part of the day is missing."), remedy=N_("Choose when the subject is best."))]
        first, last = rule.first_period or 0, rule.last_period or 0
        if rule.day_part is DayPart.PERIODS and not 1 <= first <= last <= MAX_PERIODS_PER_DAY:
            return [
                InputError(
                    N_("The periods cannot be right."), remedy=N_("Give the first and the last, for instance 1 and 3.")
                )
            ]
    return []


def _record(action: str, campus: Organisation, row: SubjectRule, actor: Person | None) -> None:
    audit.record(
        action,
        "subject_rule",
        row.uid,
        actor_uid=actor.uid if actor else None,
        organisation_id=campus.id,
        kind=row.kind.value,
        subject_id=row.subject_id,
    )
