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
from lms_bridge.lessons import breaker, capacity, providers
from lms_bridge.lessons.meetings import WATCH, make_anew
from lms_bridge.lessons.models import ProviderAccount
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
) -> ProviderAccount:
    """A new account of the organisation, last in its order. Flushes.

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
    )
    db.session.add(account)
    db.session.flush()
    _record("provider.added", account, actor, plugin=plugin)
    capacity.set_rooms(account, _rooms(account, rooms), actor=actor)
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
    db.session.flush()
    _record("provider.changed", account, actor)
    capacity.set_rooms(account, _rooms(account, rooms), actor=actor)
    breaker.ask_again(account)
    fields = type(provider.settings).model_fields.items()
    moved = any(
        names_partner(field) and before.get(name, _plain(field.get_default())) != after[name] for name, field in fields
    )
    make_anew(account, failed_only=not moved)


def switch(account: ProviderAccount, *, on: bool, actor: Person | None) -> None:
    """Use the account for new rooms, or no longer. Rooms that it has stay as they are. Flushes."""
    account.enabled = on
    db.session.flush()
    _record("provider.on" if on else "provider.off", account, actor)
    if on:
        breaker.ask_again(account)
        jobs.enqueue(WATCH, str(account.id), not_before=now())


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
