"""The menu: what the current person's roles have a use for. It decides what is shown, never what is served."""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app, request, url_for

from lms_bridge.core.access import Permission, Role, Scope
from lms_bridge.core.i18n import N_, gettext


@dataclass(frozen=True)
class Item:
    """One entry of the menu."""

    label: str
    url: str
    current: bool


@dataclass(frozen=True)
class _Entry:
    label: str
    endpoint: str
    permission: Permission | None = None
    roles: frozenset[Role] | None = None


ENTRIES = (
    _Entry(N_("Home"), "home.home"),
    _Entry(N_("Timetable"), "timetable.week", Permission.TIMETABLE_READ),
    _Entry(N_("Teaching plans"), "plans.overview", Permission.PLAN_READ),
    _Entry(N_("Roster"), "roster.overview", Permission.ROSTER_WRITE),
    _Entry(N_("Messages"), "messages.overview", roles=frozenset({Role.ADMINISTRATOR})),
    _Entry(N_("Inbox"), "inbox.inbox", roles=frozenset({Role.GUARDIAN, Role.STUDENT, Role.TEACHER})),
    _Entry(N_("System"), "operations.overview", Permission.SYSTEM),
)


def navigation(scope: Scope) -> list[Item]:
    """The entries that ``scope`` has a use for, the page in hand marked."""
    blueprint = (request.endpoint or "").split(".")[0]
    return [
        Item(gettext(entry.label), url_for(entry.endpoint), entry.endpoint.split(".")[0] == blueprint)
        for entry in ENTRIES
        if entry.endpoint in current_app.view_functions
        and (entry.permission is None or scope.may(entry.permission))
        and (entry.roles is None or scope.roles & entry.roles)
    ]
