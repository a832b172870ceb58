"""Calendars in RFC 5545 form: what is attached to messages and served as feeds.

``notices`` knows plain entries only; the packages that know lessons make them (``timetable.feed``).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import icalendar

from lms_bridge import __version__
from lms_bridge.core.clock import now

PRODUCT = f"-//LMS Bridge//LMS Bridge {__version__}//EN"


@dataclass(frozen=True)
class CalendarEntry:
    """One entry of a calendar, in the language of its reader.

    ``uid`` is the same for ever (:func:`entry_uid`); ``sequence`` grows with each change. Moments are aware;
    ``zone`` is the IANA zone in which the times are written. ``url`` is the link of the entry.
    """

    uid: str
    starts_at: datetime
    ends_at: datetime
    zone: str
    summary: str
    sequence: int = 0
    last_modified: datetime | None = None
    created: datetime | None = None
    description: str = ""
    location: str = ""
    url: str = ""
    cancelled: bool = False
    categories: tuple[str, ...] = ()


def entry_uid(uid: str, base_url: str) -> str:
    """The permanent, globally unique UID of one of our things: ``<uid>@<host of base_url>`` (RFC 5545, 3.8.4.7; the
    left part is random, so nothing is told about the thing)."""
    return f"{uid}@{urlsplit(base_url).hostname or 'lms-bridge.invalid'}"


def write_calendar(
    entries: Sequence[CalendarEntry],
    *,
    name: str,
    locale: str,
    method: str | None = None,
    refresh: timedelta = timedelta(hours=1),
) -> bytes:
    """The calendar as bytes (UTF-8, CRLF, folded at 75 octets), the same bytes for the same entries.

    With a ``method`` (RFC 5546: ``PUBLISH``, ``REQUEST``, ``CANCEL``) it is a message and every DTSTAMP is now; without
    one it is a feed, and DTSTAMP is the moment of the entry's last change (RFC 5545, 3.8.7.2). ``refresh`` tells
    subscribers how often to look.

    :raises ValueError: two entries have the same UID, or one ends before it starts.
    """
    if len({entry.uid for entry in entries}) != len(entries):
        raise ValueError("two calendar entries have the same UID")
    calendar = icalendar.Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    if method is not None:
        calendar.add("method", method)
    else:
        # RFC 7986 names for new clients, the X- ones for Outlook and Apple.
        calendar.add("name", name, parameters={"language": locale})
        calendar.add("x-wr-calname", name)
        calendar.add("refresh-interval", refresh, parameters={"value": "DURATION"})
        period = icalendar.vDuration(refresh).to_ical()  # type: ignore[no-untyped-call]
        calendar.add("x-published-ttl", period.decode("ascii"))
    zones = sorted({entry.zone for entry in entries})
    if entries:
        first, last = min(e.starts_at for e in entries).year, max(e.ends_at for e in entries).year
        for zone in zones:
            calendar.add_component(_timezone(zone, first, last))
    for entry in entries:
        calendar.add_component(_event(entry, locale, stamp=now() if method else None))
    return bytes(calendar.to_ical())


@functools.lru_cache(maxsize=64)
def _timezone(zone: str, first_year: int, last_year: int) -> icalendar.Timezone:
    """The zone's rules for whole years, so that a feed's text changes only with its entries. Never changed later."""
    first, last = date(first_year - 1, 1, 1), date(last_year + 2, 1, 1)
    return icalendar.Timezone.from_tzinfo(ZoneInfo(zone), zone, first_date=first, last_date=last)


def _event(entry: CalendarEntry, locale: str, stamp: datetime | None) -> icalendar.Event:
    if entry.ends_at <= entry.starts_at:
        raise ValueError("a calendar entry ends before it starts")
    zone = ZoneInfo(entry.zone)
    changed = entry.last_modified or entry.created or entry.starts_at
    event = icalendar.Event()
    event.add("uid", entry.uid)
    event.add("dtstamp", (stamp or changed).astimezone(UTC))
    event.add("dtstart", entry.starts_at.astimezone(zone))
    # Never DURATION: Moodle's import ignores it.
    event.add("dtend", entry.ends_at.astimezone(zone))
    event.add("summary", entry.summary, parameters={"language": locale})
    event.add("sequence", entry.sequence)
    event.add("last-modified", changed.astimezone(UTC))
    if entry.created is not None:
        event.add("created", entry.created.astimezone(UTC))
    event.add("status", "CANCELLED" if entry.cancelled else "CONFIRMED")
    event.add("transp", "TRANSPARENT" if entry.cancelled else "OPAQUE")
    if entry.description:
        event.add("description", entry.description, parameters={"language": locale})
    if entry.location:
        event.add("location", entry.location)
    if entry.url:
        event.add("url", entry.url)
    if entry.categories:
        event.add("categories", list(entry.categories))
    return event


__all__ = ["CalendarEntry", "entry_uid", "write_calendar"]
