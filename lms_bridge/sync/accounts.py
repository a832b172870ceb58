"""Accounts at LMSs: adding one, which serve a campus, the connector behind one, and what is known of its health."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from pydantic import SecretStr

from lms_bridge.core import audit, registry
from lms_bridge.core.application import plugin_context
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BridgeError, ConfigurationError, Conflict, NotFound
from lms_bridge.core.i18n import N_
from lms_bridge.core.kept_problems import kept
from lms_bridge.core.plugins import AccessRefused, ConnectorCapabilities, LmsConnector, TemporaryFailure
from lms_bridge.roster.models import Organisation
from lms_bridge.sync.models import LmsAccount

FIRST_PAUSE = timedelta(seconds=15)
LONGEST_PAUSE = timedelta(minutes=10)
"""An LMS that is down is asked again after pauses that double up to this."""

NAME_TAKEN = N_("Your organisation has an LMS account named “%(name)s” already.")

ACCESS_PAUSE = timedelta(hours=1)
"""So long after a refused token, in which only a person can help; "run now" asks at once."""


def connect(
    organisation: Organisation,
    plugin: str,
    *,
    name: str,
    settings: dict[str, Any],
    actor_uid: str | None,
    makes_people: bool = False,
    makes_courses: bool = False,
) -> LmsAccount:
    """The organisation's account ``name`` at an LMS, made or given other settings, and switched on. Flushes.

    :raises ConfigurationError: there is no such plugin, a setting is wrong, or it cannot make courses.
    :raises Conflict: another account exchanges the same lessons with this LMS, or this one is being removed.
    """
    stored = _checked(plugin, settings, makes_courses)
    account = named(organisation, plugin, name)
    if account is not None:
        check_stays(account)
    _check_alone(organisation, plugin, stored, account)
    if account is None:
        account = LmsAccount(organisation_id=organisation.id, plugin=plugin, name=name)
        db.session.add(account)
    account.settings = stored
    account.makes_people, account.makes_courses = makes_people, makes_courses
    account.enabled, account.failures, account.last_error = True, 0, None
    db.session.flush()
    _record("lms.connect", account, actor_uid, plugin=plugin)
    return account


def named(organisation: Organisation, plugin: str, name: str) -> LmsAccount | None:
    """The organisation's account of this name at an LMS of the plugin."""
    return db.session.scalar(sa.select(LmsAccount).filter_by(organisation_id=organisation.id, plugin=plugin, name=name))


def change(
    account: LmsAccount,
    *,
    name: str,
    settings: dict[str, Any],
    makes_people: bool,
    makes_courses: bool,
    actor_uid: str,
) -> None:
    """Give an account another name, other settings or other duties; whether it is switched on stays. What failed
    before counts no longer.

    :raises ConfigurationError: a setting is wrong, or the LMS's connector cannot make courses.
    :raises Conflict: another account of the organisation has the name, or this one is being removed.
    """
    check_stays(account)
    stored = _checked(account.plugin, settings, makes_courses)
    other = named(account.organisation, account.plugin, name)
    if other is not None and other.id != account.id:
        raise Conflict(NAME_TAKEN, name=name)
    _check_alone(account.organisation, account.plugin, stored, account)
    account.name, account.settings = name, stored
    account.makes_people, account.makes_courses = makes_people, makes_courses
    account.failures, account.last_error = 0, None
    _record("lms.changed", account, actor_uid)


def switch(account: LmsAccount, *, on: bool, actor_uid: str) -> None:
    """Exchange with the LMS again, or no longer; settings and mappings stay, and so does what is there. What changed
    meanwhile is caught up with by the next runs.

    :raises Conflict: it is being removed.
    """
    check_stays(account)
    account.enabled = on
    _record("lms.on" if on else "lms.off", account, actor_uid)


def check_stays(account: LmsAccount) -> None:
    """Pass silently unless the account is being removed.

    :raises Conflict: it is.
    """
    if account.removal is not None:
        raise Conflict(
            N_("The account “%(name)s” is being removed."), name=account.name,
            remedy=N_("Wait until it is gone, or say on its page that it is kept."),
        )  # fmt: skip


def _record(what: str, account: LmsAccount, actor_uid: str | None, **more: str) -> None:
    audit.record(what, "lms_account", account.uid, actor_uid=actor_uid, organisation_id=account.organisation_id, **more)


def _checked(plugin: str, settings: dict[str, Any], makes_courses: bool) -> dict[str, Any]:
    connector = registry.make(LmsConnector, plugin, settings, plugin_context(plugin))
    connector.close()
    if makes_courses and not (connector.capabilities.writes_courses and connector.capabilities.writes_enrolments):
        raise ConfigurationError(
            N_("The connector of %(lms)s cannot make courses and enrolments."), lms=connector.verbose_name,
            remedy=N_("Connect it without that; courses are then made in the LMS itself."),
        )  # fmt: skip
    return _plain(connector.settings.model_dump())


def _check_alone(organisation: Organisation, plugin: str, stored: dict[str, Any], account: LmsAccount | None) -> None:
    """Pass silently when no other account brings the same lessons into the same LMS: each would make its own events.

    :raises Conflict: one does.
    """
    address = str(stored.get("url", "")).rstrip("/").lower()
    for other in db.session.scalars(sa.select(LmsAccount).filter_by(plugin=plugin)):
        ours, theirs = organisation.path, other.organisation.path
        same = str(other.settings.get("url", "")).rstrip("/").lower() == address
        if same and address and (account is None or other.id != account.id) and (
            ours.startswith(theirs) or theirs.startswith(ours)
        ):  # fmt: skip
            raise Conflict(
                N_("The account “%(name)s” exchanges with this LMS already, for %(organisation)s."),
                name=other.name, organisation=other.organisation.name,
                remedy=N_("Use that account; two would bring every lesson in twice."),
            )  # fmt: skip


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {
        key: value.get_secret_value()
        if isinstance(value, SecretStr)
        else value
        if isinstance(value, str | int | float | bool | list | type(None))
        else str(value)
        for key, value in values.items()
    }


def enabled_accounts() -> list[LmsAccount]:
    """All accounts in use."""
    return list(db.session.scalars(sa.select(LmsAccount).where(LmsAccount.enabled.is_(True)).order_by(LmsAccount.id)))


def accounts_for(campus: Organisation) -> list[LmsAccount]:
    """The accounts in use that serve ``campus``."""
    above = {int(part) for part in campus.path.strip("/").split("/")}
    return [account for account in enabled_accounts() if account.organisation_id in above]


def account_named(uid: str) -> LmsAccount:
    """The account with this uid.

    :raises NotFound: there is none.
    """
    account = db.session.scalar(sa.select(LmsAccount).where(LmsAccount.uid == uid))
    if account is None:
        raise NotFound(N_("There is no such LMS account."), remedy=N_('"lms-bridge sync list" shows them.'))
    return account


def capabilities_of(account: LmsAccount) -> ConnectorCapabilities:
    """What the account's connector offers.

    :raises ConfigurationError: the plugin is not installed.
    """
    return registry.plugin_class(LmsConnector, account.plugin).capabilities


def connector_for(account: LmsAccount) -> LmsConnector:
    """The connector with the account's settings, made anew.

    :raises ConfigurationError: the plugin is not installed, or its settings do not fit.
    """
    return registry.make(LmsConnector, account.plugin, account.settings, plugin_context(account.plugin))


@contextmanager
def connected(account: LmsAccount) -> Iterator[LmsConnector]:
    """The account's connector, closed afterwards. How calls in the block end is noted with the account."""
    connector = connector_for(account)
    try:
        yield connector
    except (TemporaryFailure, AccessRefused) as error:
        note_failure(account.id, error)
        raise
    else:
        note_success(account.id)
    finally:
        connector.close()


def note_success(account_id: int) -> None:
    """The LMS answers."""
    with transaction() as session:
        session.execute(
            sa.update(LmsAccount)
            .where(LmsAccount.id == account_id)
            .values(failures=0, last_error=None, state_at=now())
            .execution_options(synchronize_session="fetch")
        )


def note_failure(account_id: int, error: BridgeError) -> None:
    """The LMS does not answer, or does not let us in. What the transaction in force wrote is not kept."""
    db.session.rollback()
    with transaction() as session:
        session.execute(
            sa.update(LmsAccount)
            .where(LmsAccount.id == account_id)
            .values(failures=LmsAccount.failures + 1, last_error=kept(error), state_at=now())
            .execution_options(synchronize_session="fetch")
        )


def next_try(failures: int, error: BridgeError) -> datetime:
    """When to speak to the LMS again after so many failures in a row."""
    if isinstance(error, AccessRefused):
        return now() + ACCESS_PAUSE
    pause: timedelta = min(FIRST_PAUSE * 2 ** min(failures, 10), LONGEST_PAUSE)
    if isinstance(error, TemporaryFailure) and error.retry_after is not None:
        pause = max(pause, error.retry_after)
    return now() + pause
