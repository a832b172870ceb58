"""Cohorts of a Moodle as the source of a class that has no course there."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from lms_bridge.core.database import db, transaction
from lms_bridge.core.kept_problems import said
from lms_bridge.roster.models import ClassGroup, Enrolment, Person
from lms_bridge.sync import parts
from lms_bridge.sync.models import MappingState, RunKind
from tests.contracts.moodle_server import Fault, member, sample
from tests.sync.conftest import World


@pytest.fixture
def yearbook(world: World) -> World:
    """Class 5-1 of campus B has no course but a cohort with two people in it, whom Moodle makes people here."""
    code = world.system.b.campus.code
    world.moodle.cohorts = [
        {"id": 7, "name": "Class 5-1", "idnumber": f"{code}/5-1"},
        {"id": 8, "name": "All teachers", "idnumber": ""},
        {"id": 9, "name": "Has a course", "idnumber": f"{world.system.a.campus.code}/5-1"},
    ]
    world.moodle.people = [*world.moodle.members[2], *world.moodle.members[3], member(70), member(71)]
    world.moodle.cohort_members = {7: [70, 71], 8: [70], 9: [71]}
    with transaction():
        world.account.makes_people = True
        parts.choose(world.account, {"reads_cohorts": True}, actor_uid=None)
    return world


def of_class(group: ClassGroup) -> list[str | None]:
    """The numbers of those who are in a class by now and came from Moodle."""
    query = (
        sa.select(Person.number)
        .join(Enrolment, Enrolment.person_id == Person.id)
        .where(Enrolment.class_id == group.id, Enrolment.valid_to.is_(None), Person.number.like("S7%"))
    )
    return sorted(db.session.scalars(query), key=str)


def test_a_class_without_a_course_takes_its_students_from_its_cohort(yearbook: World) -> None:
    dry = yearbook.run(RunKind.ROSTER, dry_run=True).result
    assert (dry["cohorts"], dry["people_made"]) == (1, 2)
    assert yearbook.mappings("cohort") == []
    run = yearbook.run(RunKind.ROSTER)
    assert (run.problems, run.result["cohorts"], run.result["enrolments_new"]) == ([], 1, 2)
    assert of_class(yearbook.system.b.classes[0]) == ["S70", "S71"]
    assert of_class(yearbook.system.a.classes[0]) == []  # it has a course: its cohort is not asked
    again = yearbook.run(RunKind.ROSTER).result
    assert (again["enrolments_new"], again["enrolments_ended"]) == (0, 0)
    yearbook.moodle.cohort_members[7] = [70]
    assert yearbook.run(RunKind.ROSTER).result["enrolments_ended"] == 1
    assert of_class(yearbook.system.b.classes[0]) == ["S70"]


def test_a_cohort_that_is_gone_or_no_longer_wanted_ends_what_came_from_it(yearbook: World) -> None:
    yearbook.run(RunKind.ROSTER)
    with transaction():
        parts.choose(yearbook.account, {"reads_cohorts": False}, actor_uid=None)
    assert yearbook.run(RunKind.ROSTER).result["enrolments_ended"] == 2
    assert len(yearbook.mappings("cohort", MappingState.GONE)) == 1


def test_a_course_takes_the_place_of_a_cohort_and_back_and_nobody_is_put_out_meanwhile(yearbook: World) -> None:
    yearbook.run(RunKind.ROSTER)
    course = {"id": 5, "shortname": "b", "fullname": "B", "idnumber": f"{yearbook.system.b.campus.code}/5-1"}
    yearbook.moodle.courses.append(course)
    yearbook.moodle.members[5] = [member(70), member(71)]
    for _ in range(2):
        result = yearbook.run(RunKind.ROSTER).result
        assert (result["cohorts"], result["enrolments_ended"], result["enrolments_new"]) == (0, 0, 0)
    yearbook.moodle.courses.remove(course)
    result = yearbook.run(RunKind.ROSTER).result
    assert (result["cohorts"], result["enrolments_ended"]) == (1, 0)
    yearbook.moodle.cohort_members[7] = [71]
    assert yearbook.run(RunKind.ROSTER).result["enrolments_ended"] == 1
    assert of_class(yearbook.system.b.classes[0]) == ["S71"]


def test_cohorts_that_may_not_be_read_end_nothing_and_are_named(yearbook: World) -> None:
    yearbook.run(RunKind.ROSTER)
    yearbook.moodle.faults["core_cohort_get_cohorts"] = [Fault.saying(sample("err_no_capability"))]
    run = yearbook.run(RunKind.ROSTER)
    assert "core_cohort_get_cohorts" in said(run.problems[0])
    assert run.result["enrolments_ended"] == 0
    assert of_class(yearbook.system.b.classes[0]) == ["S70", "S71"]
