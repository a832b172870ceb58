"""How the plans of many campuses stand: by campus, subject and grade; who has none; what departs most often.

A *pair* is a class and a subject that somebody teaches there today: each needs a plan. Figures are of the newest
version of each plan. The number of statements does not depend on how many plans there are.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from lms_bridge.core.access import Permission, Scope
from lms_bridge.core.database import db
from lms_bridge.plans.deadlines import due_plans
from lms_bridge.plans.findings import FindingKind as Kind
from lms_bridge.plans.findings import Severity
from lms_bridge.plans.models import (
    Finding,
    PlanClass,
    PlanUnit,
    PlanVersion,
    TeachingPlan,
    VersionState,
)
from lms_bridge.roster.models import ClassGroup, Enrolment, EnrolmentRole, Organisation, Person, Subject
from lms_bridge.roster.scope import today, valid

MOST = 12
"""So many departures and benchmark units are listed."""


@dataclass(frozen=True)
class Filter:
    """Which campus, subject (their codes) and grade; None: all."""

    campus: str | None = None
    subject: str | None = None
    grade: str | None = None


@dataclass(frozen=True)
class Pair:
    """A class and a subject; ``plan_uid`` and what follows are None where there is no plan yet."""

    campus: Organisation
    group: ClassGroup
    subject: Subject
    teachers: tuple[str, ...] = ()
    plan_id: int | None = None
    plan_uid: str | None = None
    version_id: int | None = None
    state: VersionState | None = None
    coverage: float | None = None
    language: str | None = None
    due_at: datetime | None = None
    late: bool = False


@dataclass
class Cell:
    """The pairs of one campus, subject and grade."""

    pairs: list[Pair] = field(default_factory=list)

    @property
    def coverage(self) -> float | None:
        """The mean coverage of the plans that were compared; None: none was."""
        known = [pair.coverage for pair in self.pairs if pair.coverage is not None]
        return sum(known) / len(known) if known else None

    @property
    def states(self) -> Counter[VersionState | None]:
        """How many pairs are in each state; None: no plan yet."""
        return Counter(pair.state for pair in self.pairs)

    @property
    def approved(self) -> int:
        """How many pairs have an approved plan."""
        return self.states[VersionState.APPROVED]

    @property
    def missing(self) -> int:
        """How many pairs have no plan."""
        return self.states[None]

    @property
    def late(self) -> int:
        """How many are late."""
        return sum(pair.late for pair in self.pairs)


@dataclass(frozen=True)
class Departure:
    """A kind of finding, and in how many plans of a subject and grade it was found."""

    kind: Kind
    severity: Severity
    subject: Subject
    grade: str
    plans: int


@dataclass(frozen=True)
class UnitDeparture:
    """A unit of a benchmark, and in how many plans it is missing or too short."""

    key: str
    title: str
    subject: Subject
    grade: str
    missing: int
    shorter: int


@dataclass(frozen=True)
class Overview:
    """Everything that one page shows. ``cells`` by (campus id, subject id, grade)."""

    campuses: tuple[Organisation, ...]
    subjects: tuple[Subject, ...]
    grades: tuple[str, ...]
    cells: dict[tuple[int, int, str], Cell]
    late: tuple[Pair, ...]
    departures: tuple[Departure, ...]
    units: tuple[UnitDeparture, ...]

    @property
    def whole(self) -> Cell:
        """All pairs together."""
        return Cell([pair for cell in self.cells.values() for pair in cell.pairs])

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON for the command line and REST; organisations, subjects and classes by their codes."""
        return {
            "cells": [
                {
                    "campus": cell.pairs[0].campus.code, "subject": cell.pairs[0].subject.code, "grade": grade,
                    "needed": len(cell.pairs), "approved": cell.approved, "missing": cell.missing,
                    "overdue": cell.late, "coverage": cell.coverage,
                }
                for (_, _, grade), cell in self.cells.items()
            ],
            "overdue": [
                {"campus": pair.campus.code, "class": pair.group.code, "subject": pair.subject.code,
                 "teachers": list(pair.teachers), "plan": pair.plan_uid}
                for pair in self.late
            ],
            "departures": [
                {"kind": row.kind.value, "severity": row.severity.value, "subject": row.subject.code,
                 "grade": row.grade, "plans": row.plans}
                for row in self.departures
            ],
            "units": [
                {"key": row.key, "title": row.title, "subject": row.subject.code, "grade": row.grade,
                 "missing": row.missing, "shorter": row.shorter}
                for row in self.units
            ],
        }  # fmt: skip


def overview(scope: Scope, wanted: Filter) -> Overview:
    """The plans of all campuses whose plans the person reviews (``Permission.PLAN_REVIEW``) or oversees."""
    pairs = _with_lateness(_pairs(scope, wanted))
    cells: defaultdict[tuple[int, int, str], Cell] = defaultdict(Cell)
    for pair in pairs:
        cells[pair.campus.id, pair.subject.id, pair.group.grade].pairs.append(pair)
    versions = {pair.version_id: pair for pair in pairs if pair.version_id is not None}
    return Overview(
        campuses=tuple({pair.campus.id: pair.campus for pair in pairs}.values()),
        subjects=tuple(sorted({pair.subject.id: pair.subject for pair in pairs}.values(), key=lambda s: s.code)),
        grades=tuple(sorted({pair.group.grade for pair in pairs}, key=lambda grade: (len(grade), grade))),
        cells=dict(cells),
        late=tuple(pair for pair in pairs if pair.late),
        departures=_departures(versions),
        units=_units(versions),
    )


def reach(scope: Scope) -> list[str]:
    """Paths of the organisations whose plans a person oversees: reviewers, and administrators who read all."""
    return sorted({*scope.paths(Permission.PLAN_REVIEW), *scope.paths(Permission.CALENDAR_WRITE)})


def _pairs(scope: Scope, wanted: Filter) -> list[Pair]:
    subject_id = sa.func.coalesce(Enrolment.subject_id, ClassGroup.subject_id)
    newest = (
        sa.select(PlanVersion.plan_id, sa.func.max(PlanVersion.number).label("number"))
        .group_by(PlanVersion.plan_id)
        .subquery()
    )
    query = (
        sa.select(Organisation, ClassGroup, Subject, Person, TeachingPlan, PlanVersion)
        .select_from(Enrolment)
        .join(ClassGroup, ClassGroup.id == Enrolment.class_id)
        .join(Subject, Subject.id == subject_id)
        .join(Organisation, Organisation.id == ClassGroup.campus_id)
        .join(Person, Person.id == Enrolment.person_id)
        .outerjoin(
            PlanClass,
            sa.and_(
                PlanClass.class_id == ClassGroup.id,
                PlanClass.subject_id == subject_id,
                PlanClass.term_id == ClassGroup.term_id,
            ),
        )
        .outerjoin(TeachingPlan, sa.and_(TeachingPlan.id == PlanClass.plan_id, TeachingPlan.withdrawn_at.is_(None)))
        .outerjoin(newest, newest.c.plan_id == TeachingPlan.id)
        .outerjoin(PlanVersion, sa.and_(PlanVersion.plan_id == newest.c.plan_id, PlanVersion.number == newest.c.number))
        .where(
            Enrolment.role == EnrolmentRole.TEACHER,
            valid(Enrolment, today()),
            ClassGroup.valid_to.is_(None),
            sa.or_(sa.false(), *(Organisation.path.startswith(path, autoescape=True) for path in reach(scope))),
            *_chosen(wanted),
        )
        .order_by(Organisation.path, Subject.code, ClassGroup.code, Person.id)
    )
    found: dict[tuple[int, int], list[Any]] = {}
    for row in db.session.execute(query):
        found.setdefault((row[1].id, row[2].id), []).append(row)
    return [_pair(rows) for rows in found.values()]


def _chosen(wanted: Filter) -> list[sa.ColumnElement[bool]]:
    chosen = []
    if wanted.campus:
        chosen.append(Organisation.code == wanted.campus)
    if wanted.subject:
        chosen.append(Subject.code == wanted.subject)
    if wanted.grade:
        chosen.append(ClassGroup.grade == wanted.grade)
    return chosen


def _pair(rows: Sequence[Any]) -> Pair:
    campus, group, subject, _, plan, version = rows[0]
    teachers = {person.id: person.display_name for _, _, _, person, _, _ in rows if person.erased_at is None}
    if plan is None or version is None:
        return Pair(campus, group, subject, tuple(teachers.values()))
    return Pair(
        campus, group, subject, tuple(teachers.values()), plan.id, plan.uid, version.id, version.state,
        version.coverage, plan.language,
    )  # fmt: skip


def _with_lateness(pairs: Sequence[Pair]) -> list[Pair]:
    campuses = {pair.campus.id: pair.campus for pair in pairs}
    due = {(one.class_id, one.subject.id): one for one in due_plans(campuses.values())}
    marked = []
    for pair in pairs:
        one = due.get((pair.group.id, pair.subject.id))
        marked.append(pair if one is None else replace(pair, due_at=one.deadline.due_at, late=one.late))
    return marked


def _departures(versions: dict[int, Pair]) -> tuple[Departure, ...]:
    """Kinds of findings by the number of plans that have one, for each subject and grade."""
    plans: defaultdict[tuple[str, int, str], set[int]] = defaultdict(set)
    worst: dict[tuple[str, int, str], str] = {}
    subjects = {pair.subject.id: pair.subject for pair in versions.values()}
    order = [severity.value for severity in Severity]
    for version_id, kind, severity in _found(versions, Finding.version_id, Finding.kind, Finding.severity):
        pair = versions[version_id]
        key = kind, pair.subject.id, pair.group.grade
        plans[key].add(version_id)
        worst[key] = max(worst.get(key, severity), severity, key=order.index)
    rows = [
        Departure(Kind(kind), Severity(worst[kind, subject, grade]), subjects[subject], grade, len(found))
        for (kind, subject, grade), found in plans.items()
    ]
    rows.sort(
        key=lambda row: (-row.plans, -order.index(row.severity.value), row.kind.value, row.subject.code, row.grade)
    )
    return tuple(rows[:MOST])


def _units(versions: dict[int, Pair]) -> tuple[UnitDeparture, ...]:
    """Units of benchmarks that are missing or too short most often."""
    counts: defaultdict[tuple[str, int, str], Counter[str]] = defaultdict(Counter)
    kinds = (Kind.MISSING.value, Kind.SHORTENED.value)
    rows = _found(versions, Finding.version_id, Finding.kind, Finding.benchmark_unit_key, Finding.benchmark_version_id)
    theirs: set[int] = set()
    for version_id, kind, key, benchmark_id in rows:
        if kind in kinds and key is not None and benchmark_id is not None:
            pair = versions[version_id]
            counts[key, pair.subject.id, pair.group.grade][kind] += 1
            theirs.add(benchmark_id)
    titles: dict[str, str] = {}
    for key, title in db.session.execute(
        sa.select(PlanUnit.key, PlanUnit.title).where(PlanUnit.version_id.in_(theirs)).order_by(PlanUnit.version_id)
    ):
        titles[key] = title
    subjects = {pair.subject.id: pair.subject for pair in versions.values()}
    found = [
        UnitDeparture(key, titles.get(key, ""), subjects[subject], grade, count[kinds[0]], count[kinds[1]])
        for (key, subject, grade), count in counts.items()
    ]
    found.sort(key=lambda row: (-(row.missing + row.shorter), -row.missing, row.title))
    return tuple(found[:MOST])


def _found(versions: dict[int, Pair], *columns: Any) -> Iterator[Any]:
    """These columns of the findings of the versions. A version that serves several classes counts once."""
    for start in range(0, len(versions), 10_000):
        ids = list(versions)[start : start + 10_000]
        yield from db.session.execute(sa.select(*columns).where(Finding.version_id.in_(ids)))
