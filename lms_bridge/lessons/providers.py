"""Provider accounts: which serve a campus, and the plugin behind one. Their health: see ``breaker``."""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import sqlalchemy as sa

from lms_bridge.core import audit, partners, registry
from lms_bridge.core.application import current_settings, plugin_context
from lms_bridge.core.database import db
from lms_bridge.core.errors import BridgeError, ConfigurationError
from lms_bridge.core.i18n import N_
from lms_bridge.core.plugins import MeetingProvider, PluginContext, PluginError, ProviderCapabilities
from lms_bridge.lessons.models import ProviderAccount
from lms_bridge.roster.models import Organisation, OrganisationKind

log = logging.getLogger(__name__)

SOURCE = "provider:"
"""What the names of sources begin with, before the uid of their account."""

GONE = ProviderCapabilities(local_join_url=False)
"""Of a plugin that was there and is not any more. Pages go on; the jobs that call it fail, which is counted and said,
and the lessons move."""


@functools.cache
def _class(identifier: str) -> type[MeetingProvider]:
    # Entry points are looked up in the file system; the door cannot afford that for every click.
    return registry.plugin_class(MeetingProvider, identifier)


def capabilities_of(account: ProviderAccount) -> ProviderCapabilities:
    """What the account's provider can do; :data:`GONE` where its plugin is not installed."""
    return capabilities_named(account.plugin)


def capabilities_named(plugin: str) -> ProviderCapabilities:
    """What the provider of this identifier can do; :data:`GONE` where its plugin is not installed."""
    try:
        return _class(plugin).capabilities
    except ConfigurationError:
        return GONE


def provider_for(account: ProviderAccount) -> MeetingProvider:
    """The plugin with the account's settings, made anew.

    :raises ConfigurationError: the plugin is not installed, or its settings do not fit.
    :raises PluginError: the plugin failed.
    """
    cls = _class(account.plugin)
    context = context_for(account.plugin, account)
    try:
        settings = cls.Settings(**account.settings)
    except ValueError:
        # Told in full, with the name of the setting, by the slow way.
        return registry.make(MeetingProvider, account.plugin, account.settings, context)
    with calling(account.plugin):
        return cls(settings, context)


@contextmanager
def calling(plugin: str) -> Iterator[None]:
    """In here jobs call the plugin of this identifier. A third party's may break its promise: whatever it raises comes
    out as a :class:`BridgeError`, so that it is counted and said like any other failure."""
    try:
        yield
    except BridgeError:
        raise
    except Exception as error:
        log.exception("the plugin %s failed", plugin)
        raise PluginError(N_("The plugin failed: %(problem)s"), problem=type(error).__name__) from error


def context_for(plugin: str, account: ProviderAccount | None = None) -> PluginContext:
    """What the plugin is told of this installation, and of the account's own address where there is one already."""
    context = plugin_context(plugin)
    return replace(context, webhook_url=webhook_url(account)) if account is not None else context


def webhook_url(account: ProviderAccount) -> str:
    """The address at which the account's webhooks arrive."""
    return f"{current_settings().base_url.rstrip('/')}/hooks/providers/{account.hook_token}"


def source_of(account: ProviderAccount) -> str:
    """The name under which the account's identifiers, presence evidence and gaps are kept."""
    return SOURCE + account.uid


def speaks_for(hears: ProviderAccount, owns: ProviderAccount) -> bool:
    """Whether what the first account is told of a room of the second is as good as if that one was told: it is itself,
    or they are two accounts at one server, by the same secrets."""
    if hears.id == owns.id:
        return True
    if hears.plugin != owns.plugin:
        return False
    try:
        model = _class(owns.plugin).Settings
    except ConfigurationError:
        return False
    return partners.speaks_for(model, hears.settings, owns.settings)


def accounts_for(campus: Organisation) -> list[ProviderAccount]:
    """Enabled accounts that serve ``campus``, the first choice first: those of the nearest organisation up the tree,
    in their order, then those of the next one."""
    return orders_of([campus])[campus.id]


def orders_of(campuses: Sequence[Organisation]) -> dict[int, list[ProviderAccount]]:
    """By id of the organisation what :func:`accounts_for` says of each."""
    trees = {one.id: [int(part) for part in one.path.strip("/").split("/")] for one in campuses}
    rows = db.session.scalars(
        sa.select(ProviderAccount).where(
            ProviderAccount.organisation_id.in_({number for ids in trees.values() for number in ids}),
            ProviderAccount.enabled.is_(True),
        )
    ).all()
    return {
        campus_id: sorted(
            (row for row in rows if row.organisation_id in ids),
            key=lambda a, ids=ids: (-ids.index(a.organisation_id), a.position, a.id),  # type: ignore[misc]
        )
        for campus_id, ids in trees.items()
    }


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
