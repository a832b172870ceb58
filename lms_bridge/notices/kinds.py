"""The kinds of messages: each feature registers who hears of a fact, and what to say at the moment of sending.

A kind has the name of its outbox fact (``timetable.changed``). Its template is ``templates/mail/<template>.txt``
(blocks ``subject`` and ``text``) and ``<template>.html`` (block ``content``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lms_bridge.notices.ical import CalendarEntry
from lms_bridge.notices.models import Priority
from lms_bridge.roster.models import Person


@dataclass(frozen=True)
class MessageContext:
    """What a message is made from, read at the moment of sending.

    ``data`` are the template's variables (moments stay aware datetimes, see the filters of ``notices.rendering``).
    ``entries`` become an attached calendar, named ``calendar_name``. ``reply_to`` and ``unsubscribe_url`` are set
    where there is one.
    """

    data: Mapping[str, Any] = field(default_factory=dict)
    entries: Sequence[CalendarEntry] = ()
    calendar_name: str = ""
    reply_to: str | None = None
    unsubscribe_url: str | None = None


Audience = Callable[[str, int, int], list[int]]
"""``audience(cause, after_person_id, limit)``: at most ``limit`` person ids above ``after_person_id``, ascending and
without repeats; fewer than ``limit`` only at the end."""

Gather = Callable[[Person, str], MessageContext | None]
"""``gather(person, cause)``: what is true now, in the language in force (``i18n.get_locale()`` is the reader's); None
when there is nothing left to tell this person, and then nothing is sent."""


@dataclass(frozen=True)
class Kind:
    """One kind of message. ``title`` names it for administrators (a message id marked with ``N_``);
    ``acknowledge`` asks the reader to confirm."""

    name: str
    priority: Priority
    template: str
    audience: Audience
    gather: Gather
    title: str = ""
    acknowledge: bool = False


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Make ``kind`` known; registering it again (the same functions) changes nothing.

    :raises ValueError: another kind has this name.
    """
    known = _kinds.get(kind.name)
    if known is not None and known != kind:
        raise ValueError(f"two message kinds are called {kind.name!r}")
    _kinds[kind.name] = kind


def get(name: str) -> Kind:
    """The kind called ``name``.

    :raises LookupError: no feature registered it.
    """
    if name not in _kinds:
        raise LookupError(f"no message kind is called {name!r}")
    return _kinds[name]


def names() -> list[str]:
    """The names of all kinds, sorted."""
    return sorted(_kinds)
