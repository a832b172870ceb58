"""Provider accounts as administrators set them up: adding, changing, ordering, switching on and off.

Secrets are stored encrypted and never shown; whoever sees settings sees those that a form may show.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from pydantic import SecretStr

from lms_bridge.core import audit, jobs, registry
from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.core.errors import Conflict, InputError, NotFound
from lms_bridge.core.i18n import N_
from lms_bridge.core.partners import names_partner
from lms_bridge.core.plugins import MeetingProvider
from lms_bridge.lessons import breaker, capacity, leaving, providers
from lms_bridge.lessons.meetings import FREED, WATCH, make_anew
from lms_bridge.lessons.models import HeldEvent, Meeting, ProviderAccount, SourceGap
from lms_bridge.roster.models import Organisation, Person

NAME_LENGTH = 120


def listed(organisation: Organisation) -> list[ProviderAccount]:
    """The organisation's own accounts, switched on or not, in their order. (Those that serve a campus, from above as
    well: :func:`lms_bridge.lessons.providers.accounts_for`.)"""
    return list(
        db.session.scalars(
            sa.select(ProviderAccount)
            .filter_by(organisation_id=organisation.id)
            .order_by(ProviderAccount.position, ProviderAccount.id)
        )
    )


def organisations_with(ids: Collection[int]) -> set[int]:
    """Which of these organisations (by id) have accounts of their own."""
    query = sa.select(ProviderAccount.organisation_id).where(ProviderAccount.organisation_id.in_(ids))
    return set(db.session.scalars(query.distinct()))


def account_named(uid: str) -> ProviderAccount:
    """The account with this uid.

    :raises NotFound: there is none.
    """
    account = db.session.scalar(sa.select(ProviderAccount).filter_by(uid=uid))
    if account is None:
        raise NotFound()
    return account


def add(
    organisation: Organisation,
    plugin: str,
    *,
    name: str,
    settings: Mapping[str, Any],
    actor: Person | None,
    rooms: int | None = None,
    enabled: bool = True,
) -> ProviderAccount:
    """A new account of the organisation, last in its order; not ``enabled``, it is used as soon as a check says that it
    works (:func:`note_check`). Flushes.

    :raises ConfigurationError: there is no such plugin, or a setting is wrong.
    :raises Conflict: the organisation has an account of this name.
    """
    provider = _checked(plugin, settings)
    name = _free_name(organisation.id, name, None)
    last = db.session.scalar(
        sa.select(sa.func.max(ProviderAccount.position)).filter_by(organisation_id=organisation.id)
    )
    account = ProviderAccount(
        organisation_id=organisation.id,
        plugin=plugin,
        name=name,
        position=(last or 0) + 1,
        settings=_plain(provider.settings.model_dump()),
        hosts=list(provider.hosts()),
        host_realm=_realm(provider),
        enabled=enabled,
        untried=not enabled,
    )
    db.session.add(account)
    db.session.flush()
    _record("provider.added", account, actor, plugin=plugin)
    capacity.set_rooms(account, _rooms(account, rooms), actor=actor)
    leaving.let_go()
    jobs.enqueue(FREED, str(account.id))
    return account


def change(
    account: ProviderAccount, *, name: str, settings: Mapping[str, Any], actor: Person | None, rooms: int | None = None
) -> None:
    """Give an account another name, other settings, another number of rooms. What failed before counts no longer: its
    provider is asked at once, and rooms that it refused are tried again. Where it speaks with somebody else now, all
    its rooms of lessons to come are made there. Flushes.

    :raises ConfigurationError: a setting is wrong.
    :raises Conflict: the organisation has another account of this name.
    """
    provider = _checked(account.plugin, settings)
    account.name = _free_name(account.organisation_id, name, account.id)
    before, after = account.settings, _plain(provider.settings.model_dump())
    account.settings, account.hosts = after, list(provider.hosts())
    account.host_realm = _realm(provider)
    db.session.flush()
    _record("provider.changed", account, actor)
    capacity.set_rooms(account, _rooms(account, rooms), actor=actor)
    breaker.ask_again(account)
    leaving.let_go()
    fields = type(provider.settings).model_fields.items()
    moved = any(
        names_partner(field) and before.get(name, _plain(field.get_default())) != after[name] for name, field in fields
    )
    make_anew(account, failed_only=not moved)
    jobs.enqueue(FREED, str(account.id))


def switch(account: ProviderAccount, *, on: bool, actor: Person | None) -> None:
    """Use the account for rooms, or no longer: lessons to come leave it (:mod:`lms_bridge.lessons.leaving`), those that
    are open stay. Flushes."""
    account.enabled, account.untried = on, False
    db.session.flush()
    _record("provider.on" if on else "provider.off", account, actor)
    if on:
        breaker.ask_again(account)
        jobs.enqueue(WATCH, str(account.id), not_before=now())
        jobs.enqueue(FREED, str(account.id))
    leaving.let_go()


def note_check(account: ProviderAccount, *, failed: bool, actor: Person | None) -> None:
    """Somebody had it checked what the account may do: keep how that went. A new account is switched on by the first
    check that does not fail. Flushes."""
    account.checked_at, account.check_failed = now(), failed
    db.session.flush()
    if account.untried and not failed:
        switch(account, on=True, actor=actor)


def was_used(account: ProviderAccount) -> bool:
    """Whether any lesson has, or had, a room there."""
    return db.session.scalar(sa.select(Meeting.id).filter_by(account_id=account.id).limit(1)) is not None


def remove(account: ProviderAccount, *, actor: Person | None) -> None:
    """Remove an account that was added by mistake. Flushes.

    :raises Conflict: a lesson has, or had, a room there.
    """
    # Whoever wishes for a room there waits, or has committed: the row of its meeting refers to the account.
    db.session.execute(sa.select(ProviderAccount.id).where(ProviderAccount.id == account.id).with_for_update())
    if was_used(account):
        raise Conflict(
            N_("Lessons have rooms at this video system, or had: it cannot be removed."),
            remedy=N_("Switch it off instead."),
        )
    _record("provider.removed", account, actor, plugin=account.plugin, name=account.name)
    db.session.execute(sa.delete(HeldEvent).filter_by(account_id=account.id))
    db.session.execute(sa.delete(SourceGap).filter_by(source=providers.source_of(account)))
    db.session.delete(account)
    db.session.flush()


def ask_now(account: ProviderAccount, *, actor: Person | None) -> None:
    """A person wants an account whose circuit is open to be asked at once, not when its pause is over. Flushes."""
    _record("provider.asked", account, actor)
    breaker.ask_again(account)


def order(organisation: Organisation, uids: Sequence[str], *, actor: Person | None) -> None:
    """Put the organisation's accounts into this order: the first is taken first, the next when it fails. Flushes.

    :raises InputError: these are not exactly the organisation's accounts.
    """
    accounts = {account.uid: account for account in listed(organisation)}
    if sorted(accounts) != sorted(uids):
        raise InputError(
            N_("The list of video systems changed meanwhile."), remedy=N_("Load the page again, then order them.")
        )
    for position, uid in enumerate(uids, start=1):
        accounts[uid].position = position
    db.session.flush()
    audit.record(
        "provider.ordered",
        "organisation",
        str(organisation.id),
        actor_uid=actor.uid if actor else None,
        organisation_id=organisation.id,
        order=list(uids),
    )


def _checked(plugin: str, settings: Mapping[str, Any]) -> MeetingProvider:
    return registry.make(MeetingProvider, plugin, dict(settings), providers.context_for(plugin))


def _realm(provider: MeetingProvider) -> str:
    return f"{provider.identifier}:{provider.host_realm()}"[:255] if provider.hosts() else ""


def _free_name(organisation_id: int, name: str, own_id: int | None) -> str:
    name = name.strip()[:NAME_LENGTH]
    if not name:
        raise InputError(N_("The video system needs a name."))
    other = db.session.scalar(
        sa.select(ProviderAccount.id).filter_by(organisation_id=organisation_id, name=name).limit(1)
    )
    if other is not None and other != own_id:
        raise Conflict(N_("Your organisation has a video system named “%(name)s” already."), name=name)
    return name


def _rooms(account: ProviderAccount, rooms: int | None) -> int | None:
    """A pool of hosts is a limit as well."""
    if not account.hosts:
        return rooms
    return len(account.hosts) if rooms is None else min(rooms, len(account.hosts))


def _plain(value: Any) -> Any:
    """Settings as JSON, secrets in the open: the column encrypts them."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(one) for one in value]
    if isinstance(value, enum.Enum):
        return _plain(value.value)
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _record(what: str, account: ProviderAccount, actor: Person | None, **more: str) -> None:
    audit.record(
        what,
        "provider_account",
        account.uid,
        actor_uid=actor.uid if actor else None,
        organisation_id=account.organisation_id,
        **more,
    )
