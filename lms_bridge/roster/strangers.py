"""Users of an LMS or an identity provider whom nobody knows: the administrator's list of unmatched people."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from lms_bridge.core import audit
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, insert_into
from lms_bridge.core.errors import NotFound
from lms_bridge.roster.lms_identity import AnotherPerson, Said, Source, keep_user
from lms_bridge.roster.models import Person, Stranger


def note_stranger(source: Source, said: Said, *, came: bool = True, **more: str) -> bool:
    """Put somebody whom nobody knows on the administrator's list, once; whether they are new there. ``more`` is said of
    them there, too. Who was only read in a class list (not ``came``) has tried nothing, and keeps their place."""
    about = {
        "name": said.name, "email": said.email, "sourcedid": said.person_sourcedid or said.number,
        "course": said.context_title, "teacher": said.says_teacher,
    } | more  # fmt: skip
    latest: dict[str, Any] = {"about": about, "sent_by": source.name, "organisation_id": source.organisation_id}
    moment = now()
    again = {"tries": Stranger.tries + 1, "last_at": moment} if came else {}
    # With one statement: whoever has not been let in tries again in a second window.
    first_at = db.session.scalar(
        insert_into(Stranger)
        .values(
            system=source.system, subject=said.subject, tries=int(came), first_at=moment, last_at=moment, **latest
        )
        .on_conflict_do_update(index_elements=["system", "subject"], set_=latest | again)
        .returning(Stranger.first_at)
    )  # fmt: skip
    return bool(first_at == moment)


def note_another(error: AnotherPerson, *, came: bool = True) -> None:
    """Put a user who came back as another person on the administrator's list, with the person as whom they are known.
    In a transaction of the caller's."""
    source = error.source
    if not note_stranger(source, error.said, came=came, known_as=error.bound.display_name) and not came:
        return  # read every night: the audit log has it already
    audit.record(
        "remote_user.another_person", "person", error.bound.uid, actor_uid=None,
        organisation_id=source.organisation_id, system=source.system, named=error.named.uid,
    )  # fmt: skip


def strangers_of(organisation_ids: Collection[int], *, not_ours: bool = False, most: int = 500) -> list[Stranger]:
    """Who was sent to these organisations and waits to be bound, the latest first; or those of whom an administrator
    said that they are nobody of ours."""
    return list(
        db.session.scalars(
            sa.select(Stranger)
            .where(Stranger.organisation_id.in_(organisation_ids), _set_aside(not_ours))
            .order_by(Stranger.last_at.desc())
            .limit(most)
        )
    )


def count_strangers(organisation_ids: Collection[int], *, not_ours: bool = False) -> int:
    """How many :func:`strangers_of` there are."""
    query = sa.select(sa.func.count(Stranger.id))
    return db.session.scalar(query.where(Stranger.organisation_id.in_(organisation_ids), _set_aside(not_ours))) or 0


def nobodies(source: Source, subjects: Collection[str]) -> set[str]:
    """Those of the source's users of whom an administrator said that they are nobody of ours."""
    return set(
        db.session.scalars(
            sa.select(Stranger.subject).where(
                Stranger.system == source.system, Stranger.subject.in_(subjects), Stranger.not_ours_at.is_not(None)
            )
        )
    )


def forget_strangers(source: Source, subjects: Collection[str]) -> None:
    """Take users of the source off the administrator's list: the source says by now who they are."""
    db.session.execute(
        sa.delete(Stranger)
        .where(Stranger.system == source.system, Stranger.subject.in_(subjects))
        .execution_options(synchronize_session=False)
    )


def _set_aside(not_ours: bool) -> sa.ColumnElement[bool]:
    return Stranger.not_ours_at.is_not(None) if not_ours else Stranger.not_ours_at.is_(None)


def bind(stranger: Stranger, person: Person, *, actor_uid: str) -> None:
    """Say which person of the roster a stranger is (one that :func:`person_within` gave); it holds from now on."""
    keep_user(stranger.system, stranger.subject, person)
    audit.record(
        "remote_user.bound", "person", person.uid, actor_uid=actor_uid, organisation_id=stranger.organisation_id,
        system=stranger.system,
    )  # fmt: skip


def set_aside(stranger: Stranger, *, not_ours: bool, actor_uid: str) -> None:
    """Say that a stranger is nobody of ours, or put them back on the list. They are let in neither way."""
    stranger.not_ours_at = now() if not_ours else None
    audit.record(
        "remote_user.not_ours" if not_ours else "remote_user.put_back", "stranger", stranger.uid, actor_uid=actor_uid,
        organisation_id=stranger.organisation_id, system=stranger.system,
    )  # fmt: skip


def stranger_named(uid: str) -> Stranger:
    """The stranger with this public id.

    :raises NotFound: there is none (any more).
    """
    row = db.session.scalar(sa.select(Stranger).filter_by(uid=uid))
    if row is None:
        raise NotFound()
    return row
