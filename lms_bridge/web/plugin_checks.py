"""Plugins looked at by their own ``check()``, all at once and for a limited time: no page waits for a dead server."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace

import sqlalchemy as sa

from lms_bridge.core.database import db
from lms_bridge.core.errors import BridgeError
from lms_bridge.core.i18n import N_, gettext
from lms_bridge.core.plugins import Check, CheckState, LmsConnector, Plugin
from lms_bridge.lessons.models import ProviderAccount
from lms_bridge.lessons.providers import provider_for
from lms_bridge.notices.channels import installation_channels, make_channel
from lms_bridge.sync import accounts as lms_accounts
from lms_bridge.sync.models import LmsAccount

SECONDS = 5.0
"""So long the page waits for all of them together."""

_WORDS = {
    CheckState.OK: ("good", N_("all right")),
    CheckState.UNTRIED: ("info", N_("not tried")),
    CheckState.WARNING: ("warn", N_("limited")),
    CheckState.FAILED: ("bad", N_("not possible yet")),
}
_WORST_FIRST = (CheckState.FAILED, CheckState.WARNING, CheckState.UNTRIED, CheckState.OK)

LONG_SECONDS = 20.0
"""So long a page waits that is about nothing else."""


def in_words(found: Iterable[Check]) -> tuple[list[dict[str, str]], str]:
    """The points of a check as its page shows them, what is missing first (title, detail, remedy where something is to
    be done, kind and words of the badge), and the worst state of all."""
    ordered = sorted(found, key=lambda one: _WORST_FIRST.index(one.state))
    rows = [
        {"title": one.title, "detail": one.detail, "remedy": one.remedy if one.state is not CheckState.OK else "",
         "kind": _WORDS[one.state][0], "state": gettext(_WORDS[one.state][1])}
        for one in ordered
    ]  # fmt: skip
    return rows, (ordered[0].state if ordered else CheckState.OK).value


def check_plugins_in_use(seconds: float = SECONDS) -> list[Check]:
    """What the installation's message channels and every enabled account of a meeting provider or LMS say about
    themselves."""
    checks: list[Check] = []
    running: list[_Running] = []
    for channel in installation_channels():
        try:
            running.append(_Running(channel, make_channel(channel)))
        except BridgeError as error:
            checks.append(Check(channel, CheckState.FAILED, error.text(), error.remedy_text()))
    accounts = db.session.scalars(
        sa.select(ProviderAccount).where(ProviderAccount.enabled.is_(True)).order_by(ProviderAccount.id)
    )
    for account in accounts:
        name = gettext(account.name)  # the built-in classroom's is ours, and has a translation
        try:
            running.append(_Running(name, provider_for(account), of_account=name))
        except BridgeError as error:
            checks.append(Check(name, CheckState.FAILED, error.text(), error.remedy_text()))
    for lms in lms_accounts.enabled_accounts():
        try:
            running.append(_Running(lms.name, lms_accounts.connector_for(lms), of_account=lms.name))
        except BridgeError as error:
            checks.append(Check(lms.name, CheckState.FAILED, error.text(), error.remedy_text()))
    end = time.monotonic() + seconds
    for one in running:
        checks += one.outcome(end - time.monotonic())
    return checks


def check_account(account: LmsAccount | ProviderAccount, seconds: float = LONG_SECONDS) -> list[Check]:
    """What one account says about itself, switched on or not."""
    try:
        plugin = (
            lms_accounts.connector_for(account) if isinstance(account, LmsAccount) else provider_for(account)
        )  # fmt: skip
    except BridgeError as error:
        return [Check(account.name, CheckState.FAILED, error.text(), error.remedy_text())]
    return _Running(account.name, plugin).outcome(seconds)


class _Running:
    """One plugin's check in a thread of its own, in the language in force; a connector is closed afterwards."""

    def __init__(self, name: str, plugin: Plugin, *, of_account: str = "") -> None:
        self._name, self._plugin, self._account = name, plugin, of_account
        self._found: Sequence[Check] | None = None
        context = contextvars.copy_context()
        self._thread = threading.Thread(target=lambda: context.run(self._look), name="plugin-check", daemon=True)
        self._thread.start()

    def _look(self) -> None:
        try:
            self._found = list(self._plugin.check())
        except Exception as error:  # a third party's plugin broke its promise not to raise
            self._found = [Check(self._plugin.verbose_name, CheckState.FAILED, type(error).__name__)]
        if isinstance(self._plugin, LmsConnector):
            self._plugin.close()

    def outcome(self, seconds: float) -> list[Check]:
        """What it said; a failed point if it does not answer within ``seconds``."""
        self._thread.join(max(0.0, seconds))
        if self._found is None:
            remedy = gettext("See whether the server it speaks to is running and can be reached from here.")
            return [Check(self._name, CheckState.FAILED, gettext("no answer for some seconds"), remedy)]
        if not self._account:
            return list(self._found)
        return [
            replace(check, title=gettext("%(account)s: %(point)s", account=self._account, point=check.title))
            for check in self._found
        ]
