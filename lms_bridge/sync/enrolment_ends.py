"""Enrolments that came from an LMS and are not there any more: they end, unless another course of the class still has
them, or they are suspiciously many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from lms_bridge.core.application import current_settings
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.roster.models import Enrolment, EnrolmentRole
from lms_bridge.roster.scope import today
from lms_bridge.sync import naming
from lms_bridge.sync.models import LmsAccount, MappedKind, MappingState, SyncMapping
from lms_bridge.sync.roster_changes import RosterChanges

FEW = 5
"""So many endings are never too many."""

WantedBy = dict[tuple[int, int, EnrolmentRole], str]
"""The last course read that lists a person: by class, person and role."""


def not_wanted(account: LmsAccount, wanted: Mapping[str, Mapping[tuple[int, EnrolmentRole], str]]) -> list[int]:
    """The mappings of enrolments that came from these courses and are ``wanted`` by them no longer (by course: person
    and role)."""
    rows = db.session.execute(
        sa.select(SyncMapping.id, SyncMapping.place, Enrolment.person_id, Enrolment.role)
        .join(Enrolment, Enrolment.id == SyncMapping.entity_id)
        .where(
            SyncMapping.account_id == account.id,
            SyncMapping.kind == MappedKind.ENROLMENT,
            SyncMapping.place.in_(list(wanted)),
            SyncMapping.state == MappingState.DONE,
        )
    )
    return [number for number, place, person_id, role in rows if (person_id, role) not in wanted[place]]


def gone_places(account: LmsAccount) -> set[str | None]:
    """The courses and cohorts there, by remote id, that are no class of ours any more."""
    return set(
        db.session.scalars(
            sa.select(SyncMapping.place).where(
                SyncMapping.account_id == account.id,
                SyncMapping.kind.in_([MappedKind.COURSE, MappedKind.COHORT]),
                SyncMapping.state.in_([MappingState.GONE, MappingState.UNMATCHED]),
            )
        )
    )


def of_courses(account: LmsAccount, places: set[str | None]) -> list[int]:
    """The mappings of all enrolments that came from these courses."""
    if not places:
        return []
    return list(
        db.session.scalars(
            sa.select(SyncMapping.id).where(
                SyncMapping.account_id == account.id,
                SyncMapping.kind == MappedKind.ENROLMENT,
                SyncMapping.place.in_(places),
                SyncMapping.state == MappingState.DONE,
            )
        )
    )


def wanted_nowhere(missing: Sequence[int], wanted_by: WantedBy, *, dry_run: bool) -> list[int]:
    """Those of the mappings whose enrolment no other course of the class wants; one that another course still wants
    goes over to that course."""
    left, over = list[int](), list[dict[str, Any]]()
    for start in range(0, len(missing), 500):
        rows = db.session.execute(
            sa.select(SyncMapping.id, Enrolment.class_id, Enrolment.person_id, Enrolment.role)
            .join(Enrolment, Enrolment.id == SyncMapping.entity_id)
            .where(SyncMapping.id.in_(missing[start : start + 500]))
        )
        for number, class_id, person_id, role in rows:
            place = wanted_by.get((class_id, person_id, role))
            if place is None:
                left.append(number)
            else:
                over.append({"id": number, "place": place})
    if over and not dry_run:
        with transaction():
            db.session.execute(sa.update(SyncMapping), over)
    return left


def end(account: LmsAccount, missing: list[int], changes: RosterChanges, *, dry_run: bool, confirmed: bool) -> None:
    """End the enrolments behind these mappings, unless they are suspiciously many."""
    standing = db.session.scalar(
        sa.select(sa.func.count()).where(
            SyncMapping.account_id == account.id,
            SyncMapping.kind == MappedKind.ENROLMENT,
            SyncMapping.state == MappingState.DONE,
        )
    )
    limit = max(FEW, int((standing or 0) * current_settings().roster_removal_limit))
    if len(missing) > limit and not confirmed:
        changes.enrolments_kept_back = len(missing)
        naming.note_mapped_enrolments("enrolments_kept_back", missing)
        return
    changes.enrolments_ended = len(missing)
    naming.note_mapped_enrolments("enrolments_ended", missing)
    if dry_run or not missing:
        return
    with transaction():
        day = today(account.organisation.zone)
        for start in range(0, len(missing), 500):
            rows = db.session.scalars(sa.select(SyncMapping).where(SyncMapping.id.in_(missing[start : start + 500])))
            for row in rows:
                enrolment = db.session.get(Enrolment, row.entity_id)
                if enrolment is not None and (enrolment.valid_to is None or enrolment.valid_to > day):
                    enrolment.valid_to = max(day, enrolment.valid_from)
                row.state, row.changed_at = MappingState.GONE, now()
