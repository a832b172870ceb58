"""Threads of comments as a page shows them, and the comments that concern a person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from lms_bridge.core.access import Permission, Scope
from lms_bridge.core.database import db
from lms_bridge.plans import mentions
from lms_bridge.plans.lookup import plan_access
from lms_bridge.plans.models import PlanComment, PlanMention, PlanUnit, PlanVersion, TeachingPlan
from lms_bridge.roster.models import Organisation, Person

LISTED = 100


@dataclass(frozen=True)
class Comment:
    """One comment. ``pieces`` is its text, cut where somebody is mentioned; ``told`` names those who are mentioned
    without standing in the text."""

    id: int
    author: str
    at: datetime
    pieces: tuple[tuple[str, bool], ...]
    told: tuple[str, ...]
    version: int


@dataclass(frozen=True)
class Thread:
    """A first comment and the answers. ``unit_key`` None: about the whole plan. ``place`` is the unit's place in the
    version that is looked at, None where it is no longer in it; ``unit`` its title there, else the one it had."""

    id: int
    unit_key: str | None
    unit: str
    place: int | None
    comments: tuple[Comment, ...]
    resolved_at: datetime | None
    resolved_by: str

    @property
    def open(self) -> bool:
        """Whether it is not settled yet."""
        return self.resolved_at is None


@dataclass(frozen=True)
class Discussion:
    """The threads of a plan as seen from one version: about the whole first, then in the order of the units, then
    those about units that are gone; open ones before settled ones within each."""

    threads: tuple[Thread, ...]

    @property
    def open(self) -> int:
        """How many are not settled."""
        return sum(thread.open for thread in self.threads)

    def open_at(self, unit_key: str) -> int:
        """How many about one unit are not settled."""
        return sum(thread.open for thread in self.threads if thread.unit_key == unit_key)


def discussion(plan: TeachingPlan, version: PlanVersion) -> Discussion:
    """What was said about ``plan`` up to ``version``, which is the one that is looked at."""
    numbers = {v.id: v.number for v in plan.versions if v.number <= version.number}
    rows = db.session.scalars(
        sa.select(PlanComment).where(PlanComment.version_id.in_([v.id for v in plan.versions])).order_by(PlanComment.id)
    ).all()
    begun = [row for row in rows if row.thread_id is None and row.version_id in numbers]
    said = _comments(rows, {v.id: v.number for v in plan.versions})
    answers: defaultdict[int, list[PlanComment]] = defaultdict(list)
    for row in rows:
        if row.thread_id is not None:
            answers[row.thread_id].append(row)
    places = {unit.key: (place, unit.title) for place, unit in enumerate(version.units, start=1)}
    names = _names({row.resolved_by_id for row in begun if row.resolved_by_id is not None})
    former = _former_titles([row for row in begun if row.unit_key is not None and row.unit_key not in places])
    threads = [
        Thread(
            id=row.id,
            unit_key=row.unit_key,
            unit=places[row.unit_key][1] if row.unit_key in places else former.get(row.id, ""),
            place=places[row.unit_key][0] if row.unit_key in places else None,
            comments=tuple(said[r.id] for r in (row, *answers[row.id])),
            resolved_at=row.resolved_at,
            resolved_by=names.get(row.resolved_by_id or 0, ""),
        )
        for row in begun
    ]
    return Discussion(
        tuple(sorted(threads, key=lambda t: (t.unit_key is not None, t.place or 10**9, not t.open, t.id)))
    )


def _comments(rows: Sequence[PlanComment], numbers: Mapping[int, int]) -> dict[int, Comment]:
    meant: defaultdict[int, set[int]] = defaultdict(set)
    for comment_id, person_id in db.session.execute(
        sa.select(PlanMention.comment_id, PlanMention.person_id).where(
            PlanMention.comment_id.in_([row.id for row in rows])
        )
    ):
        meant[comment_id].add(person_id)
    names = _names({row.author_id for row in rows} | {who for people in meant.values() for who in people})
    return {row.id: _comment(row, {who: names[who] for who in meant[row.id]}, names, numbers) for row in rows}


def _comment(
    row: PlanComment, meant: Mapping[int, str], names: Mapping[int, str], numbers: Mapping[int, int]
) -> Comment:
    cut = mentions.pieces(row.text, meant)
    written = {run[1:].casefold() for run, marked in cut if marked}
    return Comment(
        id=row.id,
        author=names[row.author_id],
        at=row.at,
        pieces=tuple(cut),
        told=tuple(sorted(name for name in meant.values() if name and name.casefold() not in written)),
        version=numbers[row.version_id],
    )


def _names(ids: Collection[int]) -> dict[int, str]:
    """Names by id; those of erased people are empty."""
    people = db.session.scalars(sa.select(Person).where(Person.id.in_(ids)))
    return {person.id: person.display_name if person.erased_at is None else "" for person in people}


def _former_titles(begun: Sequence[PlanComment]) -> dict[int, str]:
    """What the unit was called in the version at which each thread was begun."""
    rows = db.session.execute(
        sa.select(PlanComment.id, PlanUnit.title)
        .join(PlanUnit, sa.and_(PlanUnit.version_id == PlanComment.version_id, PlanUnit.key == PlanComment.unit_key))
        .where(PlanComment.id.in_([row.id for row in begun]))
    )
    return dict(rows.all())


@dataclass(frozen=True)
class Concern:
    """A thread that concerns a person: they wrote in it or are mentioned; with the last comment of others."""

    plan: TeachingPlan
    thread_id: int
    open: bool
    mentioned: bool
    author: str
    at: datetime
    zone: str
    text: str


def concerns(scope: Scope, *, limit: int = LISTED) -> list[Concern]:
    """The threads in which the person of ``scope`` is mentioned or wrote, of plans that they may still read: open
    ones first, the latest comment first."""
    first = sa.func.coalesce(PlanComment.thread_id, PlanComment.id)
    mentioned_in = set(
        db.session.scalars(
            sa.select(first)
            .join(PlanMention, PlanMention.comment_id == PlanComment.id)
            .where(PlanMention.person_id == scope.person_id)
        )
    )
    wrote_in = set(db.session.scalars(sa.select(first).where(PlanComment.author_id == scope.person_id)))
    last = (
        sa.select(first.label("thread"), sa.func.max(PlanComment.id).label("last"))
        .where(first.in_(mentioned_in | wrote_in))
        .group_by(first)
        .subquery()
    )
    root = aliased(PlanComment)
    rows = db.session.execute(
        sa.select(root, PlanComment, TeachingPlan, Person, Organisation.zone)
        .join(last, last.c.thread == root.id)
        .join(PlanComment, PlanComment.id == last.c.last)
        .join(PlanVersion, PlanVersion.id == root.version_id)
        .join(TeachingPlan, TeachingPlan.id == PlanVersion.plan_id)
        .join(Person, Person.id == PlanComment.author_id)
        .join(Organisation, Organisation.id == TeachingPlan.organisation_id)
        .where(TeachingPlan.withdrawn_at.is_(None))
        .order_by(root.resolved_at.is_not(None), PlanComment.id.desc())
        .limit(limit)
    ).all()
    readable = {plan.id: scope.allows(Permission.PLAN_READ, plan_access(plan).read) for _, _, plan, _, _ in rows}
    return [
        Concern(
            plan=plan,
            thread_id=begun.id,
            open=begun.resolved_at is None,
            mentioned=begun.id in mentioned_in,
            author=author.display_name if author.erased_at is None else "",
            at=comment.at,
            zone=zone,
            text=comment.text,
        )
        for begun, comment, plan, author, zone in rows
        if readable[plan.id]
    ]
