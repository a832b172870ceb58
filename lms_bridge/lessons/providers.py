"""Provider accounts: which serve a campus, the plugin behind one, and what is known of its health."""

from __future__ import annotations

import functools
import logging

import sqlalchemy as sa

from lms_bridge.core import audit, registry
from lms_bridge.core.application import plugin_context
from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.core.errors import ConfigurationError
from lms_bridge.core.i18n import N_
from lms_bridge.core.plugins import MeetingProvider, ProviderCapabilities
from lms_bridge.lessons.models import ProviderAccount
from lms_bridge.roster.models import Organisation, OrganisationKind

log = logging.getLogger(__name__)

FAILURES_UNTIL_DOWN = 3
"""After so many failed calls in a row an account counts as down (one success makes it healthy again)."""


@functools.cache
def _class(identifier: str) -> type[MeetingProvider]:
    # Entry points are looked up in the file system; the door cannot afford that for every click.
    return registry.plugin_class(MeetingProvider, identifier)


def capabilities_of(account: ProviderAccount) -> ProviderCapabilities:
    """What the account's provider can do.

    :raises ConfigurationError: its plugin is not installed.
    """
    return _class(account.plugin).capabilities


def provider_for(account: ProviderAccount) -> MeetingProvider:
    """The plugin with the account's settings, made anew.

    :raises ConfigurationError: the plugin is not installed, or its settings do not fit.
    """
    cls = _class(account.plugin)
    try:
        settings = cls.Settings(**account.settings)
    except ValueError:
        # Told in full, with the name of the setting, by the slow way.
        return registry.make(MeetingProvider, account.plugin, account.settings, plugin_context(account.plugin))
    return cls(settings, plugin_context(account.plugin))


def accounts_for(campus: Organisation) -> list[ProviderAccount]:
    """Enabled accounts that serve ``campus``, the first choice first: those of the nearest organisation up the tree,
    in their order, then those of the next one."""
    ids = [int(part) for part in campus.path.strip("/").split("/")]
    depth = {organisation_id: number for number, organisation_id in enumerate(ids)}
    rows = db.session.scalars(
        sa.select(ProviderAccount).where(ProviderAccount.organisation_id.in_(ids), ProviderAccount.enabled.is_(True))
    )
    return sorted(rows, key=lambda a: (-depth[a.organisation_id], a.position, a.id))


def account_for(campus: Organisation) -> ProviderAccount:
    """The first account of ``campus``; where there is none, the bureau gets the built-in classroom. Flushes.

    :raises ConfigurationError: no provider is installed that needs no set-up.
    """
    accounts = accounts_for(campus)
    return accounts[0] if accounts else ensure_default_account(_bureau_of(campus))


def ensure_default_account(bureau: Organisation) -> ProviderAccount:
    """The bureau's account of the provider that needs no set-up: a room served by us. Made when missing, enabled
    again when it was switched off and nothing else is there. Flushes.

    :raises ConfigurationError: no such provider is installed.
    """
    identifier = _built_in()
    # Two transactions may come here at once; the one that waits finds the other's row.
    db.session.execute(sa.select(Organisation.id).where(Organisation.id == bureau.id).with_for_update(key_share=True))
    account = db.session.scalar(
        sa.select(ProviderAccount)
        .filter_by(organisation_id=bureau.id, plugin=identifier)
        .order_by(ProviderAccount.id)
        .limit(1)
    )
    if account is None:
        account = ProviderAccount(
            organisation_id=bureau.id,
            plugin=identifier,
            name=_class(identifier).verbose_name,
            position=100,
            settings={},
        )
        db.session.add(account)
    elif account.enabled:
        return account
    account.enabled = True
    db.session.flush()
    audit.record(
        "provider.default",
        "provider_account",
        account.uid,
        actor_uid=None,
        organisation_id=bureau.id,
        plugin=identifier,
    )
    return account


def _built_in() -> str:
    """The identifier of the installed provider whose room is our own page and whose settings all have defaults."""
    for found in registry.find():
        if found.cls is None or not issubclass(found.cls, MeetingProvider):
            continue
        if found.cls.capabilities.embeddable and not any(
            field.is_required() for field in found.cls.Settings.model_fields.values()
        ):
            return found.identifier
    raise ConfigurationError(
        N_("No way to hold online lessons is set up, and the built-in classroom is not installed."),
        remedy=N_('Install LMS Bridge anew, or set up a video-conferencing system; see "lms-bridge plugins".'),
    )


def _bureau_of(campus: Organisation) -> Organisation:
    root = db.session.get(Organisation, int(campus.path.strip("/").split("/")[0]))
    assert root is not None
    assert root.kind is OrganisationKind.BUREAU or root.parent_id is None
    return root


def succeeded(account_id: int) -> None:
    """A call to the account's provider went well. Flushes."""
    db.session.execute(
        sa.update(ProviderAccount)
        .where(
            ProviderAccount.id == account_id,
            sa.or_(
                ProviderAccount.failures > 0, ProviderAccount.healthy.is_(False), ProviderAccount.state_at.is_(None)
            ),
        )
        .values(failures=0, healthy=True, state_at=now(), last_error=None)
    )


def failed(account_id: int, reason: str) -> None:
    """A call to the account's provider failed; ``reason`` in words, for the administrator. Flushes."""
    db.session.execute(
        sa.update(ProviderAccount)
        .where(ProviderAccount.id == account_id)
        .values(
            failures=ProviderAccount.failures + 1,
            healthy=sa.and_(ProviderAccount.healthy, ProviderAccount.failures + 1 < FAILURES_UNTIL_DOWN),
            state_at=now(),
            last_error=reason[:2000],
        )
    )
