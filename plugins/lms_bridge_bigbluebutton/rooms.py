"""A room as BigBlueButton describes it in XML, and the names of our rooms."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.etree.ElementTree import Element

from lms_bridge.core.plugins import N_, PluginError

EXPECTED = "lms-bridge-expected"
"""Name of the metadata that says how many people are expected; a room that was just made counts with them."""

MARK_LENGTH = 10


@dataclass(frozen=True)
class FoundMeeting:
    """A room that exists at a server. ``people`` are the ids by which those inside were let in, each once."""

    meeting_id: str
    internal_id: str
    create_time: int
    over: bool
    people: frozenset[str]
    count: int
    expected: int
    """How many people it must be thought to hold: those inside, or those expected if they are more."""


def name_of(base_url: str, key: str) -> str:
    """The meeting id of the room ``key`` of the installation at ``base_url``. It carries a mark, by which our rooms
    are told from those of others on the same server."""
    mark = hashlib.sha256(f"{base_url}\n{key}".encode()).hexdigest()[:MARK_LENGTH]
    return f"{key}-{mark}"


def key_of(base_url: str, meeting_id: str) -> str | None:
    """The key of a room by its meeting id; None where it is not one of ours."""
    key = meeting_id.rpartition("-")[0]
    return key if key and name_of(base_url, key) == meeting_id else None


def found(element: Element) -> FoundMeeting:
    """The room that ``element`` describes (of create, getMeetingInfo or getMeetings).

    :raises PluginError: it has another form than the documentation says.
    """
    try:
        create_time = int(text(element, "createTime"))
    except ValueError:
        raise PluginError(N_("BigBlueButton's answer has another form than its documentation says.")) from None
    # One person is one element, not a list of one: each <attendee> is looked for by its name.
    attendees = element.findall("attendees/attendee")
    count = max(number(element, "participantCount"), len(attendees))
    return FoundMeeting(
        meeting_id=text(element, "meetingID"),
        internal_id=text(element, "internalMeetingID"),
        create_time=create_time,
        over=text(element, "hasBeenForciblyEnded").lower() == "true" or number(element, "endTime") > 0,
        people=frozenset(user for one in attendees if (user := text(one, "userID"))),
        count=count,
        expected=max(count, number(element, f"metadata/{EXPECTED}")),
    )


def all_found(root: Element) -> Iterator[FoundMeeting]:
    """The rooms of an answer to getMeetings."""
    for element in root.iterfind("meetings/meeting"):
        yield found(element)


def text(element: Element, path: str) -> str:
    """What stands at ``path``; "" where nothing does."""
    return (element.findtext(path) or "").strip()


def number(element: Element, path: str) -> int:
    """The number at ``path``; 0 where there is none."""
    said = text(element, path)
    return int(said) if said.isdecimal() else 0


def moment(milliseconds: int) -> datetime:
    """A time of BigBlueButton, in aware UTC.

    :raises ValueError: it is none of this age.
    """
    if not 0 < milliseconds < 10**14:
        raise ValueError(milliseconds)
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
