"""What is exchanged with an account beyond people and calendars: each part is asked for by an administrator, because an
LMS must have it and allow it."""

from __future__ import annotations

from typing import Final

from lms_bridge.core import audit, registry
from lms_bridge.core.database import db
from lms_bridge.core.errors import Conflict
from lms_bridge.core.i18n import N_, gettext
from lms_bridge.core.plugins import LmsConnector
from lms_bridge.sync import addresses
from lms_bridge.sync.models import LmsAccount

PARTS: Final = {
    "writes_marks": N_("Attendance is written into its register"),
    "reads_homework": N_("Homework is read from it"),
    "reads_cohorts": N_("Classes without a course take their students from its cohorts"),
    "sends_messages": N_("Messages may be sent to people's accounts there"),
}
"""The columns of :class:`LmsAccount` that say what is wanted, with their names for people."""

_FLAGS: Final = {
    "writes_marks": "attendance",
    "reads_homework": "assignments",
    "reads_cohorts": "cohorts",
    "sends_messages": "messages",
}


def offered(account: LmsAccount) -> list[str]:
    """The parts that the account's connector can do, in their order.

    :raises ConfigurationError: the plugin is not installed.
    """
    can = registry.plugin_class(LmsConnector, account.plugin).capabilities
    return [part for part in PARTS if getattr(can, _FLAGS[part])]


def choose(account: LmsAccount, wanted: dict[str, bool], *, actor_uid: str | None) -> None:
    """Switch parts on and off; those that ``wanted`` does not name stay as they are. Flushes, with an audit entry.

    :raises Conflict: the connector cannot do one of them, or another account sends messages; nothing is changed.
    """
    can = offered(account)
    for part, on in wanted.items():
        if on and part not in can:
            raise Conflict(N_('"%(name)s" cannot do this: %(part)s.'), name=account.name, part=gettext(PARTS[part]))
    if wanted.get("sends_messages") and (other := addresses.other_sender(account)) is not None:
        raise Conflict(N_('Messages are sent through "%(name)s" already.'), name=other.name)
    changed = {part: on for part, on in wanted.items() if getattr(account, part) != on}
    if not changed:
        return
    for part, on in changed.items():
        setattr(account, part, on)
    if "sends_messages" in changed:
        addresses.follow(account)
    audit.record(
        "lms.parts",
        "lms_account",
        account.uid,
        actor_uid=actor_uid,
        organisation_id=account.organisation_id,
        **changed,
    )
    db.session.flush()


def require(account: LmsAccount, part: str) -> None:
    """Make sure that a part is switched on.

    :raises Conflict: it is not.
    """
    if not getattr(account, part):
        raise Conflict(
            N_('"%(part)s" is switched off for "%(name)s".'),
            remedy=N_('Switch it on on the account\'s page, or with "lms-bridge sync parts".'),
            part=gettext(PARTS[part]),
            name=account.name,
        )
