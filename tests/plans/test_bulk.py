"""Approving many plans at once: which are offered, and what becomes of each."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask import Flask

from lms_bridge.cli import plans as commands
from lms_bridge.core.access import Role
from lms_bridge.core.database import db, transaction
from lms_bridge.core.models import AuditEntry
from lms_bridge.plans import bulk, review
from lms_bridge.plans.bulk import Without
from lms_bridge.plans.lookup import plan_by_uid
from lms_bridge.plans.models import Finding, PlanVersion, TeachingPlan, VersionState
from lms_bridge.roster.models import EnrolmentRole
from lms_bridge.roster.scope import scope_for
from tests.builders import SchoolSystem, enrol, plan, role, small_system, subject


@pytest.fixture
def school(app: Flask) -> SchoolSystem:
    """A school with no plan waiting."""
    return small_system()


def submitted(school: SchoolSystem, code: str, *severities: str, compared: bool = True) -> TeachingPlan:
    """A submitted plan of campus A for a subject, with findings of these severities."""
    with transaction() as session:
        row = plan(school.a.classes[:1], subject(code, code, code), school.a.teacher, state=VersionState.SUBMITTED)
        version = row.versions[-1]
        version.coverage = 1.0 if compared else None
        session.add_all(
            Finding(
                version_id=version.id, benchmark_version_id=school.benchmark.versions[-1].id, position=n,
                kind="extra", severity=severity,
            )
            for n, severity in enumerate(severities, start=1)
        )  # fmt: skip
    return row


def approve(school: SchoolSystem, *plans: TeachingPlan, seen: int = 1, without: Without = Without.ANY) -> list[str]:
    """Approve as the researcher: of each plan ``approved`` or the reason."""
    researcher = school.researcher
    outcomes = bulk.approve_all(
        [(p.uid, seen) for p in plans], scope=scope_for(researcher), person=researcher, without=without
    )
    return ["approved" if outcome.approved else outcome.reason for outcome in outcomes]


def states(*plans: TeachingPlan) -> list[VersionState]:
    """The state of each plan's newest version, as stored."""
    db.session.expire_all()
    return [plan_by_uid(p.uid).versions[-1].state for p in plans]


def test_the_filter_lets_through_what_has_no_findings_above_a_severity(school: SchoolSystem) -> None:
    submitted(school, "clean")
    submitted(school, "hints", "info", "info")
    submitted(school, "small", "info", "minor")
    submitted(school, "grave", "minor", "major")
    submitted(school, "alone", compared=False)
    scope = scope_for(school.researcher)

    def offered(without: Without) -> list[str]:
        return [c.plan.subject.code for c in bulk.candidates(scope, without=without)]

    assert offered(Without.NONE) == ["clean"]
    assert offered(Without.INFO) == ["clean", "hints"]
    assert offered(Without.MINOR) == ["clean", "hints", "small"]
    assert offered(Without.ANY) == ["clean", "hints", "small", "grave", "alone"]
    for without in Without:
        every = bulk.candidates(scope)
        assert [c.plan.subject.code for c in every if c.passes(without)] == offered(without)


def test_only_those_who_review_a_campus_are_offered_its_plans(school: SchoolSystem) -> None:
    submitted(school, "clean")
    for person in (school.a.teacher, school.a.administrator, school.bureau_administrator, school.a.students[0]):
        assert bulk.candidates(scope_for(person)) == []
    with transaction():
        role(school.b.other_teacher, school.b.campus, Role.RESEARCHER)
    assert bulk.candidates(scope_for(school.b.other_teacher)) == []
    assert len(bulk.candidates(None)) == 1


def test_each_plan_is_approved_for_itself_and_a_refusal_does_not_stop_the_rest(school: SchoolSystem) -> None:
    first, newer, own, decided, last = (submitted(school, c) for c in ("one", "two", "three", "four", "five"))
    with transaction() as session:
        newer.versions[-1].state = VersionState.SUPERSEDED
        newer.versions.append(PlanVersion(number=2, state=VersionState.SUBMITTED))
        own.author_id = school.researcher.id
        session.flush()
        review.return_plan(decided, scope=None, person=None, comment="!")
    said = approve(school, first, newer, own, decided, last)
    assert [text == "approved" for text in said] == [True, False, False, False, True]
    assert "version 2 has come" in said[1]
    assert "own plan" in said[2]
    assert "returned" in said[3]
    assert states(first, newer, own, decided, last) == [
        VersionState.APPROVED, VersionState.SUBMITTED, VersionState.SUBMITTED, VersionState.RETURNED,
        VersionState.APPROVED,
    ]  # fmt: skip
    approved = db.session.scalars(sa.select(AuditEntry.entity_uid).where(AuditEntry.action == "plan.approved")).all()
    assert sorted(approved) == sorted([first.uid, last.uid])


def test_ones_own_plans_are_marked_in_the_list(school: SchoolSystem) -> None:
    taught, brought, handed_in, other = (submitted(school, c) for c in ("one", "two", "three", "four"))
    with transaction():
        role(school.researcher, school.a.campus, Role.TEACHER)
        enrol(school.researcher, school.a.classes[0], EnrolmentRole.TEACHER, teaches=taught.subject)
        brought.versions[-1].created_by_id = school.researcher.id
        handed_in.versions[-1].state = VersionState.DRAFT
        review.submit(handed_in, scope=None, person=school.researcher)
    own = {c.plan.subject.code: c.own for c in bulk.candidates(scope_for(school.researcher))}
    assert own == {"one": True, "two": True, "three": True, "four": False}
    assert [text == "approved" for text in approve(school, taught, brought, handed_in, other)] == [
        False, False, False, True,
    ]  # fmt: skip


def test_a_plan_that_got_worse_since_the_list_was_made_is_refused(school: SchoolSystem) -> None:
    row = submitted(school, "one", "info", "major")
    (said,) = approve(school, row, without=Without.MINOR)
    assert "Nothing above minor" in said
    assert states(row) == [VersionState.SUBMITTED]


def test_a_plan_out_of_reach_is_refused_without_its_title(school: SchoolSystem) -> None:
    row = submitted(school, "one")
    (outcome,) = bulk.approve_all(
        [(row.uid, 1)], scope=scope_for(school.b.administrator), person=school.b.administrator
    )
    assert not outcome.approved
    assert outcome.title == row.uid
    (unknown,) = bulk.approve_all([("nowhere", 1)], scope=None, person=None)
    assert not unknown.approved


def run(monkeypatch: pytest.MonkeyPatch, app: Flask, *words: str) -> tuple[int, str]:
    """The command in this process, on the application of the test."""
    from contextlib import nullcontext

    from lms_bridge.cli import plan_review

    monkeypatch.setattr(plan_review, "application", lambda: nullcontext(app))
    result = CliRunner().invoke(commands.plan_group, words)
    return result.exit_code, result.stdout


def test_the_command_lists_first_and_approves_then(
    school: SchoolSystem, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, grave = submitted(school, "good", "minor"), submitted(school, "grave", "major")
    words = ("approve-all", "--without-above", "minor", "--json")
    code, text = run(monkeypatch, app, *words, "--dry-run")
    assert (code, [row["plan"] for row in json.loads(text)["plans"]]) == (0, [good.uid])
    assert states(good) == [VersionState.SUBMITTED]
    code, text = run(monkeypatch, app, *words)
    assert (code, [row["approved"] for row in json.loads(text)["outcomes"]]) == (0, [True])
    assert states(good, grave) == [VersionState.APPROVED, VersionState.SUBMITTED]
    assert run(monkeypatch, app, "approve-all", "--without-above", "none") == (0, "0 plans were approved.\n")


def test_the_command_keeps_to_an_organisation(
    school: SchoolSystem, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    submitted(school, "good")
    words = ("approve-all", "--without-above", "none", "--dry-run", "--organisation")
    assert "1" not in run(monkeypatch, app, *words, school.b.campus.code)[1]
    assert "good" in run(monkeypatch, app, *words, school.a.campus.code)[1]
