"""Subject rules that contradict each other are named, in words, and nothing is stored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import sqlalchemy as sa
from flask import Flask

from lms_bridge.core import clock
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BadInputs
from lms_bridge.core.i18n import use_locale
from lms_bridge.core.models import AuditEntry
from lms_bridge.timetable.inputs.models import DayPart, RuleType, SubjectRule, WeekParity
from lms_bridge.timetable.inputs.stated_rules import Stated, WeekRules, contradictions, taught_in
from lms_bridge.timetable.inputs.subject_rules import add_rule, contradicting, remove_rule, rules_of
from tests.builders import SchoolSystem, subject
from tests.timetable.school import FRIDAY, school_with_plans

MATHS, PHYSICS = 1, 2
CLASS_5, CLASS_6 = 51, 61
GRADES = {CLASS_5: "5", CLASS_6: "6"}

doubles = Stated(MATHS, RuleType.DOUBLES, number=1)
single = Stated(MATHS, RuleType.SPREAD, number=1)
apart = Stated(MATHS, RuleType.NOT_SAME_DAY, other_id=PHYSICS)
before = Stated(MATHS, RuleType.BEFORE, other_id=PHYSICS)
after = Stated(PHYSICS, RuleType.BEFORE, other_id=MATHS)
morning = Stated(MATHS, RuleType.PREFERRED, day_part=DayPart.MORNING)
afternoon = Stated(MATHS, RuleType.PREFERRED, day_part=DayPart.AFTERNOON)
odd = Stated(MATHS, RuleType.WEEKS, weeks=WeekParity.ODD)
monday_1 = Stated(MATHS, RuleType.FIXED, weekday=0, first_period=1)
monday_2 = Stated(MATHS, RuleType.FIXED, weekday=0, first_period=2)
physics_monday_1 = Stated(PHYSICS, RuleType.FIXED, weekday=0, first_period=1)
physics_monday_3 = Stated(PHYSICS, RuleType.FIXED, weekday=0, first_period=3)


@pytest.mark.parametrize(
    ("rules", "why"),
    [
        ((doubles, single), "a double period is two periods on one day"),
        ((doubles, replace(doubles, number=2)), "they ask for different things for the same classes"),
        ((morning, afternoon), "they ask for different things for the same classes"),
        ((apart, before), "subjects that are never taught on one day have no order on a day"),
        ((apart, after), "subjects that are never taught on one day have no order on a day"),
        ((before, after), "each would have to come before the other"),
        ((monday_1, physics_monday_1), "a class would have two subjects at once"),
        ((apart, monday_1, physics_monday_3), "both are fixed on the same day"),
        ((single, monday_1, monday_2), "more periods are fixed on one day than are allowed"),
        ((odd, replace(doubles, weeks=WeekParity.EVEN)), "the subject is not taught in those weeks"),
        ((odd, replace(odd, weeks=WeekParity.EVEN)), "they ask for different things for the same classes"),
        ((before, before), "it is stated twice"),
    ],
)
def test_rules_that_cannot_hold_together_are_found(rules: tuple[Stated, ...], why: str) -> None:
    found = contradictions(rules, GRADES)
    assert why in [contradiction.why for contradiction in found]
    assert all(contradictions([rule], GRADES) == [] for rule in rules)


@pytest.mark.parametrize(
    "rules",
    [
        (replace(monday_1, grade="5"), replace(physics_monday_1, grade="6")),
        (replace(monday_1, weeks=WeekParity.ODD), replace(physics_monday_1, weeks=WeekParity.EVEN)),
        (replace(monday_1, class_id=CLASS_5), replace(physics_monday_1, class_id=CLASS_6)),
        (replace(monday_1, class_id=CLASS_5), replace(physics_monday_1, grade="6")),
        (doubles, replace(doubles, number=2, grade="5")),
        (single, replace(odd, grade="5"), replace(odd, class_id=CLASS_5, weeks=WeekParity.EVEN)),
        (before, monday_1, physics_monday_3),
    ],
)
def test_rules_that_never_meet_do_not_contradict(rules: tuple[Stated, ...]) -> None:
    assert contradictions(rules, GRADES) == []


def test_the_rule_made_most_closely_for_a_class_counts() -> None:
    rules = [doubles, replace(doubles, number=2, grade="5"), replace(doubles, number=3, class_id=CLASS_5)]
    assert WeekRules(rules, 1, GRADES).doubles([CLASS_5], MATHS) == 3
    assert WeekRules(rules[:2], 1, GRADES).doubles([CLASS_5], MATHS) == 2
    assert WeekRules(rules, 1, GRADES).doubles([CLASS_6], MATHS) == 1
    assert WeekRules(rules, 1, GRADES).doubles([CLASS_6], PHYSICS) == 0


def test_a_rule_for_odd_weeks_holds_in_odd_weeks_alone() -> None:
    rules = [replace(monday_1, weeks=WeekParity.ODD)]
    assert WeekRules(rules, 13, GRADES).fixed([CLASS_5], MATHS) == [(0, 1)]
    assert WeekRules(rules, 14, GRADES).fixed([CLASS_5], MATHS) == []
    taught = taught_in([odd], CLASS_5, "5", MATHS)
    assert [taught(n) for n in (1, 2, 3)] == [True, False, True]


@pytest.fixture
def school(app: Flask) -> Iterator[SchoolSystem]:
    """A school with a grid of six periods, Monday to Friday."""
    with clock.at(FRIDAY):
        yield school_with_plans()


def stored() -> int:
    """How many rules there are."""
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count()).select_from(SubjectRule)) or 0


def test_a_contradicting_rule_is_refused_with_both_rules_in_words(school: SchoolSystem) -> None:
    chinese = subject("chinese").id
    with transaction():
        add_rule(school.a.campus, replace(doubles, subject_id=chinese, grade="5"), actor=school.a.administrator)
    with pytest.raises(BadInputs) as refusal, transaction():
        add_rule(school.a.campus, replace(single, subject_id=chinese), actor=school.a.administrator)
    (problem,) = refusal.value.problems
    assert "Chinese: one double period a week (grade 5)" in problem.text()
    assert "Chinese: at most 1 periods on one day (all classes)" in problem.text()
    with use_locale("zh-CN"):
        assert "语文" in problem.text()
        assert "连堂" in problem.text()
    assert stored() == 1
    assert contradicting(school.a.campus.id) == []


def test_everything_wrong_with_a_rule_is_listed_at_once(school: SchoolSystem) -> None:
    wrong = Stated(0, RuleType.NOT_SAME_DAY, class_id=school.b.classes[0].id)
    with pytest.raises(BadInputs) as refusal, transaction():
        add_rule(school.a.campus, wrong, actor=school.a.administrator)
    assert [problem.text() for problem in refusal.value.problems] == [
        "No subject was chosen.",
        "This class is not one of the campus.",
        "The second subject is missing.",
    ]
    assert all(problem.remedy_text() for problem in refusal.value.problems)
    assert stored() == 0


def test_a_fixed_time_outside_the_grid_is_refused(school: SchoolSystem) -> None:
    saturday = replace(monday_1, subject_id=school.subject.id, weekday=5)
    with pytest.raises(BadInputs) as refusal, transaction():
        add_rule(school.a.campus, saturday, actor=school.a.administrator)
    assert refusal.value.problems[0].text() == "No period grid of the campus has period 1 on Saturday."


def test_rules_are_added_and_removed_with_an_audit_entry(school: SchoolSystem) -> None:
    with transaction():
        row = add_rule(school.a.campus, replace(morning, subject_id=school.subject.id), actor=school.a.administrator)
        uid = row.uid
    with transaction():
        remove_rule(rules_of(school.a.campus.id)[0], actor=school.a.administrator)
    assert stored() == 0
    entries = db.session.scalars(sa.select(AuditEntry).filter_by(entity_uid=uid).order_by(AuditEntry.id))
    assert [(e.action, e.actor_uid) for e in entries] == [
        ("timetable.rule_added", school.a.administrator.uid),
        ("timetable.rule_removed", school.a.administrator.uid),
    ]
