"""How an account of a video system stands, in words for administrators."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from lms_bridge.core import registry
from lms_bridge.core.clock import now
from lms_bridge.core.errors import ConfigurationError
from lms_bridge.core.i18n import N_, get_locale, gettext, ngettext
from lms_bridge.core.plugins import MeetingProvider
from lms_bridge.lessons.models import CircuitState, ProviderAccount
from lms_bridge.notices.dates import say_date

CLOCK_SAID = timedelta(days=1)
"""So long after it was noticed last a wrong clock is spoken of."""
AHEAD = N_("Its clock was %(n)s minutes ahead of ours at %(when)s. Set it right; what it told counts as it arrived.")
BEHIND = N_("Its clock was %(n)s minutes behind ours at %(when)s. Set it right; what it told counts as it arrived.")


@dataclass(frozen=True)
class Stand:
    """``kind`` is that of a badge; ``words`` stand in it, ``detail`` beside it."""

    kind: str
    words: str
    detail: str = ""


def stand_of(account: ProviderAccount, zone: str) -> Stand:
    """How the account stands now; times on the wall clock of ``zone``."""
    if not account.enabled:
        if account.check_failed:
            return Stand("bad", gettext("switched off"), _check_failed(account, zone))
        return Stand("plain", gettext("switched off"))
    match account.circuit(now()):
        case CircuitState.OPEN if account.retry_at is not None:
            again = say_date(account.retry_at, zone, get_locale(), with_time=True)
            return Stand("bad", gettext("does not answer"), gettext("It is asked again at %(when)s.", when=again))
        case CircuitState.OPEN | CircuitState.HALF_OPEN:
            return Stand("bad", gettext("does not answer"), gettext("It is being asked again."))
    if account.failures:
        count = account.failures
        words = ngettext("%(count)s call failed just now.", "%(count)s calls in a row failed.", count, count=count)
        return Stand("warn", gettext("unsteady"), words)
    if account.check_failed and (account.state_at is None or account.state_at < (account.checked_at or now())):
        words = gettext("not used yet") if account.state_at is None else gettext("answers")
        return Stand("warn", words, _check_failed(account, zone))
    if webhooks_refused(account):
        return Stand("warn", gettext("answers"), gettext("Its messages to us are refused: is the secret the same?"))
    if (off := clock_off(account)) is not None and account.clock_off_at is not None:
        seen = say_date(account.clock_off_at, zone, get_locale(), with_time=True)
        return Stand("warn", gettext("wrong clock"), gettext(AHEAD if off > 0 else BEHIND, n=abs(off), when=seen))
    if account.state_at is None:
        return Stand("info", gettext("not used yet"))
    return Stand("good", gettext("answers"))


def _check_failed(account: ProviderAccount, zone: str) -> str:
    when = account.checked_at or now()
    return gettext("The check failed at %(when)s.", when=say_date(when, zone, get_locale(), with_time=True))


def webhooks_refused(account: ProviderAccount) -> bool:
    """Whether the last message that came to the account's webhook address was not genuine."""
    refused, genuine = account.hook_refused_at, account.hook_at
    return refused is not None and (genuine is None or genuine < refused)


def clock_off(account: ProviderAccount) -> int | None:
    """By how many minutes the clock of its system is ahead (less than 0: behind), if that was noticed of late."""
    seen = account.clock_off_at
    return account.clock_off if seen is not None and now() - seen < CLOCK_SAID else None


def plugin_of(account: ProviderAccount) -> type[MeetingProvider] | None:
    """The class of its plugin; None where that is no longer installed."""
    try:
        return registry.plugin_class(MeetingProvider, account.plugin)
    except ConfigurationError:
        return None


def sends_messages(account: ProviderAccount) -> bool:
    """Whether its video system tells us by webhook what happens."""
    cls = plugin_of(account)
    return cls is not None and cls.parse_webhook is not MeetingProvider.parse_webhook


def name_of(account: ProviderAccount) -> str:
    """What people call it; the built-in classroom's name is ours, and has a translation."""
    return gettext(account.name)


NOT_INSTALLED = N_("Its plugin is not installed any more.")
