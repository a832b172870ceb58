"""Subject rules as plain values, and which of them contradict each other: pure, no database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from lms_bridge.core.i18n import N_
from lms_bridge.timetable.inputs.models import DayPart, RuleType, SubjectRule, WeekParity

_CLOSEST = (RuleType.DOUBLES, RuleType.SPREAD, RuleType.PREFERRED, RuleType.WEEKS)
"""Of rules of these kinds the one made most closely for a class counts, so that a class may differ from its grade."""


@dataclass(frozen=True, slots=True)
class Stated:
    """A subject rule (:class:`SubjectRule` says what each part means)."""

    subject_id: int
    kind: RuleType
    weeks: WeekParity = WeekParity.EVERY
    grade: str = ""
    class_id: int | None = None
    other_id: int | None = None
    number: int | None = None
    day_part: DayPart | None = None
    weekday: int | None = None
    first_period: int | None = None
    last_period: int | None = None

    @classmethod
    def of(cls, row: SubjectRule) -> Stated:
        """The rule that a row states."""
        return cls(
            row.subject_id,
            row.kind,
            row.weeks,
            row.grade,
            row.class_id,
            row.other_id,
            row.number,
            row.day_part,
            row.weekday,
            row.first_period,
            row.last_period,
        )

    def holds_for(self, class_id: int, grade: str) -> bool:
        """Whether it is made for a class of this grade."""
        return self.class_id == class_id if self.class_id is not None else self.grade in ("", grade)

    @property
    def closeness(self) -> int:
        """2: made for one class; 1: for a grade; 0: for all. Of two numbers for one class the closer rule's counts."""
        return 2 if self.class_id is not None else 1 if self.grade else 0


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Rules that cannot hold together, and why (a message id)."""

    rules: tuple[Stated, ...]
    why: str


def contradictions(rules: Sequence[Stated], grade_of: Mapping[int, str]) -> list[Contradiction]:
    """Everything in these rules that cannot hold together; ``grade_of`` gives the grade of each class named."""
    found: list[Contradiction] = []
    for one, other in combinations(rules, 2):
        if not _meet(one, other, grade_of):
            continue
        why = _why(one, other) or _why(other, one)
        if why is not None:
            found.append(Contradiction((one, other), why))
    for apart in (rule for rule in rules if rule.kind is RuleType.NOT_SAME_DAY):
        found += _fixed_on_one_day(apart, rules, grade_of)
    for spread in (rule for rule in rules if rule.kind is RuleType.SPREAD):
        found += _too_many_fixed(spread, rules, grade_of)
    return found


def _meet(one: Stated, other: Stated, grade_of: Mapping[int, str]) -> bool:
    """Whether there may be a class and a week that both hold for."""
    never_one_week = WeekParity.EVERY not in (one.weeks, other.weeks) and one.weeks is not other.weeks
    # "Only in odd weeks" and a rule for even weeks never meet in a week, and that is what is wrong with them.
    about_weeks = RuleType.WEEKS in (one.kind, other.kind) and one.subject_id == other.subject_id
    if never_one_week and not about_weeks:
        return False
    if one.class_id is not None and other.class_id is not None:
        return one.class_id == other.class_id
    grades = [grade_of.get(r.class_id, r.grade) if r.class_id is not None else r.grade for r in (one, other)]
    return "" in grades or grades[0] == grades[1]


def _why(one: Stated, other: Stated) -> str | None:
    if one == other:
        return N_("it is stated twice")
    if one.subject_id == other.subject_id:
        return _same_subject(one, other)
    if one.kind is RuleType.FIXED and other.kind is RuleType.FIXED and _slot(one) == _slot(other):
        return N_("a class would have two subjects at once")
    turned = (one.subject_id, one.other_id) == (other.other_id, other.subject_id)
    if turned and one.kind is RuleType.BEFORE and other.kind is RuleType.BEFORE:
        return N_("each would have to come before the other")
    if turned and {one.kind, other.kind} == {RuleType.BEFORE, RuleType.NOT_SAME_DAY}:
        return N_("subjects that are never taught on one day have no order on a day")
    return None


def _same_subject(one: Stated, other: Stated) -> str | None:
    if one.kind is other.kind and one.kind in _CLOSEST:
        return N_("they ask for different things for the same classes") if one.closeness == other.closeness else None
    if one.kind is RuleType.WEEKS and other.weeks not in (WeekParity.EVERY, one.weeks):
        return N_("the subject is not taught in those weeks")
    if one.kind is RuleType.DOUBLES and other.kind is RuleType.SPREAD and (other.number or 1) < 2:
        return N_("a double period is two periods on one day")
    if one.kind is RuleType.NOT_SAME_DAY and other.kind is RuleType.BEFORE and one.other_id == other.other_id:
        return N_("subjects that are never taught on one day have no order on a day")
    return None


def _fixed_on_one_day(apart: Stated, rules: Iterable[Stated], grade_of: Mapping[int, str]) -> Iterable[Contradiction]:
    fixed = [rule for rule in rules if rule.kind is RuleType.FIXED and _meet(apart, rule, grade_of)]
    for one, other in combinations(fixed, 2):
        if (
            {one.subject_id, other.subject_id} == {apart.subject_id, apart.other_id}
            and one.weekday == other.weekday
            and _meet(one, other, grade_of)
        ):
            yield Contradiction((apart, one, other), N_("both are fixed on the same day"))


def _too_many_fixed(spread: Stated, rules: Iterable[Stated], grade_of: Mapping[int, str]) -> Iterable[Contradiction]:
    same = [
        rule
        for rule in rules
        if rule.kind is RuleType.FIXED and rule.subject_id == spread.subject_id and _meet(spread, rule, grade_of)
    ]
    for weekday in sorted({rule.weekday or 0 for rule in same}):
        today = [rule for rule in same if rule.weekday == weekday]
        together = [rule for rule in today if all(_meet(rule, other, grade_of) for other in today)]
        if len(together) > (spread.number or 1):
            yield Contradiction((spread, *together), N_("more periods are fixed on one day than are allowed"))


def _slot(rule: Stated) -> tuple[int | None, int | None]:
    return rule.weekday, rule.first_period


class WeekRules:
    """The rules of a campus as they hold in one teaching week, asked for by class and subject."""

    def __init__(self, rules: Iterable[Stated], week_number: int, grade_of: Mapping[int, str]) -> None:
        self._rules = [rule for rule in rules if rule.weeks.holds_in(week_number)]
        self._grade_of = grade_of

    def _of(self, class_id: int, subject_id: int, kind: RuleType) -> list[Stated]:
        grade = self._grade_of[class_id]
        return [
            rule
            for rule in self._rules
            if rule.kind is kind and rule.subject_id == subject_id and rule.holds_for(class_id, grade)
        ]

    def _closest(self, class_ids: Iterable[int], subject_id: int, kind: RuleType) -> list[Stated]:
        found = []
        for class_id in class_ids:
            rules = self._of(class_id, subject_id, kind)
            if rules:
                found.append(max(rules, key=lambda rule: rule.closeness))
        return found

    def doubles(self, class_ids: Sequence[int], subject_id: int) -> int:
        """How many double periods a week these classes shall have together in a subject."""
        return max((r.number or 1 for r in self._closest(class_ids, subject_id, RuleType.DOUBLES)), default=0)

    def most_per_day(self, class_ids: Sequence[int], subject_id: int) -> int | None:
        """How many periods of a subject they may have in a day; None: no rule."""
        return min((r.number or 1 for r in self._closest(class_ids, subject_id, RuleType.SPREAD)), default=None)

    def preferred(self, class_ids: Sequence[int], subject_id: int) -> Stated | None:
        """The rule that says at which part of the day a subject is wished for."""
        return next(iter(self._closest(class_ids, subject_id, RuleType.PREFERRED)), None)

    def fixed(self, class_ids: Sequence[int], subject_id: int) -> list[tuple[int, int]]:
        """The weekdays (0 is Monday) and periods at which a subject is fixed."""
        rules = [rule for class_id in class_ids for rule in self._of(class_id, subject_id, RuleType.FIXED)]
        return sorted({(rule.weekday or 0, rule.first_period or 1) for rule in rules})

    def pairs(self, class_id: int, kind: RuleType) -> list[tuple[int, int]]:
        """The pairs of subjects of a class that a rule of two subjects names."""
        grade = self._grade_of[class_id]
        return [
            (rule.subject_id, rule.other_id)
            for rule in self._rules
            if rule.kind is kind and rule.other_id is not None and rule.holds_for(class_id, grade)
        ]


def taught_in(rules: Iterable[Stated], class_id: int, grade: str, subject_id: int) -> Callable[[int], bool]:
    """Whether a class is taught a subject in teaching week n, by the rules for odd and even weeks."""
    own = [
        rule
        for rule in rules
        if rule.kind is RuleType.WEEKS and rule.subject_id == subject_id and rule.holds_for(class_id, grade)
    ]
    closest = max(own, key=lambda rule: rule.closeness, default=None)
    return closest.weeks.holds_in if closest is not None else lambda number: True
