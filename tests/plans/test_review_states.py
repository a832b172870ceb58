"""The states of the review: whatever people do in whatever order, no version comes into a state it may not have."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lms_bridge.core.access import Role
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BridgeError, Forbidden, NotFound
from lms_bridge.core.ids import new_uid
from lms_bridge.plans import importer, review
from lms_bridge.plans.errors import WrongState
from lms_bridge.plans.lookup import plan_by_uid
from lms_bridge.plans.models import PlanVersion, ReviewStep, TeachingPlan, VersionState
from lms_bridge.plans.review import TRANSITIONS
from lms_bridge.plans.units import PlanDocument, UnitDraft
from lms_bridge.roster.models import EnrolmentRole, Person
from lms_bridge.roster.scope import scope_for
from tests.builders import SchoolSystem, enrol, person_as, plan, role, small_system, subject

DRAFT, SUBMITTED, RETURNED, APPROVED, SUPERSEDED = VersionState
OPEN = {DRAFT, SUBMITTED, RETURNED}

STEPS = ("submit", "approve", "return", "bring")
PEOPLE = ("author", "colleague", "researcher", "teaching researcher", "administrator", "stranger")
WRITERS = {"author", "colleague", "teaching researcher", "administrator"}
REVIEWERS = {"researcher", "teaching researcher"}

Move = tuple[str, str, int]
MOVES = st.lists(
    st.tuples(
        # The steps of a review that goes on are more frequent than chance would have them.
        st.sampled_from([*STEPS, "submit", "approve", "return"]),
        st.sampled_from([*PEOPLE, "author", "researcher"]),
        st.sampled_from([0, 0, 0, 1]),
    ),
    min_size=4,
    max_size=14,
)

_numbers = itertools.count(1)


def test_the_table_says_the_way_of_a_version() -> None:
    assert set(TRANSITIONS) == set(VersionState)
    assert {state for state in VersionState if not TRANSITIONS[state]} == {SUPERSEDED}
    assert {state for state in VersionState if APPROVED in TRANSITIONS[state]} == {SUBMITTED}
    assert all(state not in following for state, following in TRANSITIONS.items())
    assert not any(DRAFT in following for following in TRANSITIONS.values())


@pytest.fixture
def school(app: Flask) -> SchoolSystem:
    """A school with a second researcher, who teaches too."""
    school = small_system()
    with transaction():
        school.people = {}
        teaching = person_as(Role.RESEARCHER, school.bureau)
        role(teaching, school.a.campus, Role.TEACHER)
        school.b.supervisor = teaching
    return school


def cast(school: SchoolSystem) -> tuple[TeachingPlan, dict[str, Person]]:
    """A new plan of the class, and who is who about it."""
    with transaction():
        what = subject(f"subject-{next(_numbers)}", "学科", "Subject")
        colleague, teaching = school.a.other_teacher, school.b.supervisor
        for person in (school.a.teacher, colleague, teaching):
            enrol(person, school.a.classes[0], EnrolmentRole.TEACHER, teaches=what)
        row = plan(school.a.classes[:1], what, school.a.teacher, state=DRAFT)
    return row, {
        "author": school.a.teacher,
        "colleague": colleague,
        "researcher": school.researcher,
        "teaching researcher": teaching,
        "administrator": school.a.administrator,
        "stranger": school.b.teacher,
    }


def do(row: TeachingPlan, step: str, person: Person, seen: int, path: Path) -> None:
    """One step by one person, who looked at the version before the newest by ``seen``."""
    with transaction():
        found = plan_by_uid(row.uid)
        number = found.versions[-1].number - seen
        scope = scope_for(person)
        if step == "submit":
            review.submit(found, scope=scope, person=person, seen=number)
        elif step == "approve":
            review.approve(found, scope=scope, person=person, seen=number)
        elif step == "return":
            review.return_plan(found, scope=scope, person=person, comment="理由", seen=number)
        else:
            # Another document each time: one that is there already would make no version.
            path.write_text(f"单元,{new_uid()}", encoding="utf-8")
            document = PlanDocument(None, (UnitDraft(1, "单元", 2),), (), "csv")
            importer.import_version(found, document, path, name="plan.csv", scope=scope, author=person)


def states(row: TeachingPlan) -> list[VersionState]:
    """The states of all versions as they are stored."""
    query = sa.select(PlanVersion.state).where(PlanVersion.plan_id == row.id).order_by(PlanVersion.number)
    return list(db.session.scalars(query))


def should_be(before: Sequence[VersionState], step: str, who: str, seen: int) -> list[VersionState] | type[BridgeError]:
    """The rule, said a second time: the states after a step, or how it is refused."""
    *earlier, newest = before
    if who not in (REVIEWERS if step in ("approve", "return") else WRITERS):
        return NotFound
    if step == "bring":
        kept = newest if newest is APPROVED else SUPERSEDED
        return WrongState if newest is SUBMITTED else [*earlier, kept, DRAFT]
    if seen:
        return WrongState
    if step == "submit":
        return [*earlier, SUBMITTED] if newest in (DRAFT, RETURNED) else WrongState
    if who == "teaching researcher":
        return Forbidden
    if newest is not SUBMITTED:
        return WrongState
    if step == "return":
        return [*earlier, RETURNED]
    return [*(SUPERSEDED if state is APPROVED else state for state in earlier), APPROVED]


def legal(before: Sequence[VersionState], after: Sequence[VersionState]) -> bool:
    """Whether each version stayed or went where the table lets it, and a new one began as a draft."""
    moved = zip(before, after, strict=False)
    return (
        all(old is new or new in TRANSITIONS[old] for old, new in moved)
        and all(new is DRAFT for new in after[len(before) :])
        and sum(state is APPROVED for state in after) <= 1
        and all(state not in OPEN for state in after[:-1])
    )


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(moves=MOVES)
def test_no_sequence_of_steps_ends_in_an_illegal_state_and_nobody_decides_on_their_own(
    school: SchoolSystem, tmp_path: Path, moves: list[Move]
) -> None:
    path = tmp_path / "plan.csv"
    path.write_text("单元,课时\n单元,2\n", encoding="utf-8")
    row, people = cast(school)
    for step, who, seen in moves:
        before = states(row)
        expected = should_be(before, step, who, seen)
        if isinstance(expected, list):
            do(row, step, people[who], seen, path)
            assert states(row) == expected
        else:
            with pytest.raises(expected):
                do(row, step, people[who], seen, path)
            assert states(row) == before, "what is refused changes nothing"
        assert legal(before, states(row))
    deciders = db.session.scalars(
        sa.select(ReviewStep.person_id)
        .join(PlanVersion, PlanVersion.id == ReviewStep.version_id)
        .where(PlanVersion.plan_id == row.id, ReviewStep.state.in_((APPROVED, RETURNED)))
    )
    assert set(deciders) <= {people["researcher"].id}


def test_what_another_did_after_the_plan_was_loaded_is_seen(app: Flask, school: SchoolSystem, tmp_path: Path) -> None:
    path = tmp_path / "plan.csv"
    path.write_text("单元,课时\n单元,2\n", encoding="utf-8")
    row, people = cast(school)
    uid, colleague = row.uid, people["colleague"].id

    def meanwhile() -> None:
        with app.app_context():
            someone = db.session.get_one(Person, colleague)
            do(plan_by_uid(uid), "submit", someone, 0, path)

    db.session.commit()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(meanwhile).result()
    assert row.versions[-1].state is DRAFT, "as it was loaded"
    with pytest.raises(WrongState), transaction():
        document = PlanDocument(None, (UnitDraft(1, "单元", 2),), (), "csv")
        importer.import_version(row, document, path, name="plan.csv", scope=None, author=people["author"])
    assert states(row) == [SUBMITTED]


def test_somebody_who_submitted_for_another_does_not_approve_it(school: SchoolSystem) -> None:
    row, people = cast(school)
    with transaction():
        role(people["administrator"], school.bureau, Role.RESEARCHER)
        review.submit(row, scope=scope_for(people["administrator"]), person=people["administrator"])
    with pytest.raises(Forbidden), transaction():
        review.approve(row, scope=scope_for(people["administrator"]), person=people["administrator"])
