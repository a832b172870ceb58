"""The calls by which the calendar of an LMS is written: many new events in one, a changed or removed one by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from lms_bridge.core.errors import BridgeError
from lms_bridge.core.plugins import AccessRefused, CalendarEvent, LmsConnector, TemporaryFailure
from lms_bridge.sync.looking import events_of

DAY = timedelta(days=1)


class Wish(NamedTuple):
    """What is to be done for one mapping. ``event`` is None where the event has to go; ``content`` is what can be
    compared of it, as :func:`content_of` gives it."""

    mapping_id: int
    remote_id: str | None
    event: CalendarEvent | None
    changed_at: datetime
    content: dict[str, Any]
    digest: str | None


@dataclass
class Piece:
    """What one call does: many new events, or one that is changed or removed."""

    wishes: list[Wish]
    made: dict[str, str] = field(default_factory=dict)
    refused: dict[str, BridgeError] = field(default_factory=dict)
    unsure: dict[str, BridgeError] = field(default_factory=dict)
    """Of which it cannot be found out whether they were made, and why."""


def pieces(wishes: Sequence[Wish], batch: int) -> Iterator[Piece]:
    """The calls that carry out ``wishes``; at most ``batch`` new events in one."""
    new = [wish for wish in wishes if wish.remote_id is None]
    for start in range(0, len(new), batch):
        yield Piece(new[start : start + batch])
    for wish in wishes:
        if wish.remote_id is not None:
            yield Piece([wish])


def carry_out(lms: LmsConnector, piece: Piece) -> Piece:
    """Make the call, and say in the piece what became of its new events. For any thread.

    :raises TemporaryFailure, AccessRefused: the LMS does not answer.
    :raises PluginError: it refuses this one.
    """
    first = piece.wishes[0]
    if first.remote_id is None:
        _create(lms, piece, [wish.event for wish in piece.wishes if wish.event is not None])
    elif first.event is None:
        lms.delete_event(first.remote_id)
    else:
        lms.update_event(first.remote_id, first.event)
    return piece


def _create(lms: LmsConnector, piece: Piece, events: Sequence[CalendarEvent]) -> None:
    try:
        made = zip(events, lms.create_events(events), strict=True)
        piece.made |= {name_of(event): remote_id for event, remote_id in made if remote_id is not None}
    except (TemporaryFailure, AccessRefused):
        raise
    except BridgeError as refusal:
        if len(events) == 1:
            piece.refused[name_of(events[0])] = refusal
            return
        # One bad event spoils a batch. What was made in spite of that is found first; then one after the other.
        present, unseen = _find(lms, events)
        for event in events:
            there = present.get((event.course_remote_id, event.key))
            if there is not None:
                piece.made[name_of(event)] = there
            elif event.course_remote_id in unseen:
                piece.unsure[name_of(event)] = unseen[event.course_remote_id]
            else:
                _create(lms, piece, [event])


def name_of(event: CalendarEvent) -> str:
    """What an event is called in a piece: a lesson has one event in each course."""
    return f"{event.course_remote_id}/{event.key}"


def _find(
    lms: LmsConnector, events: Sequence[CalendarEvent]
) -> tuple[dict[tuple[str, str], str], dict[str, BridgeError]]:
    """Which of the events are there (by course and key), and which courses cannot be looked into."""
    present: dict[tuple[str, str], str] = {}
    unseen: dict[str, BridgeError] = {}
    if not lms.capabilities.finds_events_by_marker:
        return present, unseen
    courses = sorted({event.course_remote_id for event in events})
    since, until = min(e.starts_at for e in events) - DAY, max(e.ends_at for e in events) + DAY
    of_groups = {course: {e.group_remote_id for e in events if e.group_remote_id} for course in courses}
    for some, answer in events_of(lms, courses, since, until, of_groups):
        if isinstance(answer, BridgeError):
            unseen |= dict.fromkeys(some, answer)
        else:
            present |= {(one.course_remote_id, one.key): one.remote_id for one in answer}
    return present, unseen
