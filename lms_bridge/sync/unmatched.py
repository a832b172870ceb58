"""People of an LMS whom a run could not match: an administrator says once who each is, or that they are nobody of ours.

What is said is the mapping that the next run begins with, so nothing else needs to know of it.
"""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from lms_bridge.core import audit
from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.core.errors import ConfigurationError, Conflict, NotFound
from lms_bridge.core.i18n import N_
from lms_bridge.lti.models import LtiPlatform
from lms_bridge.roster import lms_identity, people_search, strangers
from lms_bridge.roster.models import Person, Stranger
from lms_bridge.sync.accounts import capabilities_of
from lms_bridge.sync.models import LmsAccount, MappedKind, MappingState, SyncMapping
from lms_bridge.sync.people import BY_HAND


def people(
    account_ids: Collection[int], organisation_ids: Collection[int], *, not_ours: bool = False, most: int = 500
) -> list[SyncMapping]:
    """Who waits for an administrator's word, the latest first; or those who are nobody of ours. Left out are those who
    stand in the list of these organisations' strangers: they came by a launch, or were read in a class list, too."""
    wanted = _wanted(account_ids, organisation_ids, not_ours)
    return list(db.session.scalars(sa.select(SyncMapping).where(*wanted).order_by(SyncMapping.id.desc()).limit(most)))


def count(account_ids: Collection[int], organisation_ids: Collection[int], *, not_ours: bool = False) -> int:
    """How many :func:`people` there are."""
    wanted = _wanted(account_ids, organisation_ids, not_ours)
    return db.session.scalar(sa.select(sa.func.count(SyncMapping.id)).where(*wanted)) or 0


def _wanted(
    account_ids: Collection[int], organisation_ids: Collection[int], not_ours: bool
) -> tuple[sa.ColumnElement[bool], ...]:
    same = [
        sa.and_(SyncMapping.account_id == account.id, Stranger.system == platform.system)
        for account, platform in _same_lms()
        if account.id in account_ids
    ]
    listed = sa.exists().where(
        Stranger.subject == SyncMapping.remote_id,
        Stranger.organisation_id.in_(organisation_ids),
        Stranger.not_ours_at.is_not(None) if not_ours else Stranger.not_ours_at.is_(None),
        sa.or_(sa.false(), *same),
    )
    return (
        SyncMapping.account_id.in_(account_ids),
        SyncMapping.kind == MappedKind.PERSON,
        SyncMapping.state == (MappingState.NOT_OURS if not_ours else MappingState.UNMATCHED),
        ~listed,
    )


def _same_lms() -> list[tuple[LmsAccount, LtiPlatform]]:
    """Accounts and LTI platforms that are one LMS, which names its people in both ways alike."""
    platforms = db.session.scalars(sa.select(LtiPlatform)).all()
    return [
        (account, platform)
        for account in (db.session.scalars(sa.select(LmsAccount)) if platforms else ())
        if _launches_name_users(account)
        for platform in platforms
        if platform.issuer.rstrip("/").lower() == str(account.settings.get("url", "")).rstrip("/").lower()
    ]


def _launches_name_users(account: LmsAccount) -> bool:
    try:
        return capabilities_of(account).launches_name_users
    except ConfigurationError:
        return False  # its plugin is not installed


def bind_stranger(stranger: Stranger, person: Person, *, actor_uid: str) -> None:
    """Say which person of the roster a stranger is (:func:`strangers.bind`); where their LMS is read, too, it is
    said of them there at once, unless the person is somebody else there. Flushes."""
    system, subject = stranger.system, stranger.subject
    strangers.bind(stranger, person, actor_uid=actor_uid)
    for account, platform in _same_lms():
        if platform.system != system or not _serves(account, person) or _taken(account.id, person) is not None:
            continue
        row = _of(account, subject)
        if row is None:
            row = SyncMapping(account_id=account.id, kind=MappedKind.PERSON, remote_id=subject)
            db.session.add(row)
        if row.state is not MappingState.DONE:
            _bind(row, person, actor_uid)


def set_stranger_aside(stranger: Stranger, *, not_ours: bool, actor_uid: str) -> None:
    """Say that a stranger is nobody of ours, or put them back on the list; where their LMS is read, too, it holds there
    as well."""
    strangers.set_aside(stranger, not_ours=not_ours, actor_uid=actor_uid)
    for account, platform in _same_lms():
        row = _of(account, stranger.subject) if platform.system == stranger.system else None
        if row is not None and row.state in (MappingState.UNMATCHED, MappingState.NOT_OURS):
            set_aside(row, not_ours=not_ours, actor_uid=actor_uid)


def _of(account: LmsAccount, remote_id: str) -> SyncMapping | None:
    return db.session.scalar(
        sa.select(SyncMapping).filter_by(account_id=account.id, kind=MappedKind.PERSON, remote_id=remote_id)
    )


def _serves(account: LmsAccount, person: Person) -> bool:
    try:
        people_search.person_within(account.organisation_id, person.uid)
    except NotFound:
        return False
    return True


def _taken(account_id: int, person: Person) -> int | None:
    return db.session.scalar(
        sa.select(SyncMapping.id).filter_by(
            account_id=account_id, kind=MappedKind.PERSON, entity_id=person.id, state=MappingState.DONE
        )
    )


def numbered(number: int) -> SyncMapping:
    """The unmatched person with this number, or one who is nobody of ours.

    :raises NotFound: there is none (any more).
    """
    row = db.session.get(SyncMapping, number, with_for_update=True)
    if (
        row is None
        or row.kind is not MappedKind.PERSON
        or row.state not in (MappingState.UNMATCHED, MappingState.NOT_OURS)
    ):
        raise NotFound()
    return row


def bind(row: SyncMapping, person: Person, *, actor_uid: str) -> None:
    """Say which person of the roster it is; runs know them from now on, whatever the numbers say, and so do launches
    from the same LMS. Flushes.

    :raises Conflict: the person is somebody else there already.
    """
    if _taken(row.account_id, person) is not None:
        raise Conflict(
            N_("%(name)s is known as somebody else in this LMS already."), name=person.display_name,
            remedy=N_("Two accounts of one person there: switch one of them off in the LMS."),
        )  # fmt: skip
    _bind(row, person, actor_uid)
    for account, platform in _same_lms():
        if account.id == row.account_id and row.remote_id:
            lms_identity.bind_user(platform, row.remote_id, person)


def _bind(row: SyncMapping, person: Person, actor_uid: str) -> None:
    row.entity_id, row.state, row.last_error, row.digest, row.changed_at = (
        person.id, MappingState.DONE, None, None, now(),
    )  # fmt: skip
    row.sent = (row.sent or {}) | {BY_HAND: True}
    db.session.flush()
    _record("lms_user.bound", row, "person", person.uid, actor_uid)


def set_aside(row: SyncMapping, *, not_ours: bool, actor_uid: str) -> None:
    """Say that it is nobody of ours: runs pass them over; or put them back on the list."""
    row.state, row.changed_at = MappingState.NOT_OURS if not_ours else MappingState.UNMATCHED, now()
    account = db.session.get_one(LmsAccount, row.account_id)
    _record("lms_user.not_ours" if not_ours else "lms_user.put_back", row, "lms_account", account.uid, actor_uid)


def _record(what: str, row: SyncMapping, entity: str, uid: str, actor_uid: str) -> None:
    account = db.session.get_one(LmsAccount, row.account_id)
    audit.record(
        what, entity, uid, actor_uid=actor_uid, organisation_id=account.organisation_id, account=account.uid,
        user=row.remote_id,
    )  # fmt: skip
