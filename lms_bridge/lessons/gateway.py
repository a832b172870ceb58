"""The rule of the door: who a person is in a lesson, and whether they may enter at this moment. Pure."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime

from lms_bridge.core.errors import NotFound
from lms_bridge.core.plugins import RoomRole


class Part(enum.StrEnum):
    """What a person is in a lesson."""

    LEADER = "leader"
    STUDENT = "student"
    GUARDIAN = "guardian"
    """Answers for a student who is expected; sees how the lesson stands but does not enter, and is never present."""
    OBSERVER = "observer"
    """Enters by a permission (administrators, researchers, the class's other teachers) and watches."""


class DoorState(enum.StrEnum):
    """How the door of a lesson stands at a moment."""

    WAITING = "waiting"
    OPEN = "open"
    OVER = "over"
    CANCELLED = "cancelled"
    IN_PERSON = "in_person"


ROLES = {
    Part.LEADER: RoomRole.LEADER,
    Part.STUDENT: RoomRole.PARTICIPANT,
    Part.OBSERVER: RoomRole.OBSERVER,
}
"""What a person of each part may do inside the room; guardians have no role, since they do not enter."""


@dataclass(frozen=True)
class Window:
    """When and whether a lesson can be entered, in aware UTC."""

    opens_at: datetime
    closes_at: datetime
    online: bool = True
    cancelled: bool = False


@dataclass(frozen=True)
class Visitor:
    """What is known of a person at the door, as of the lesson's date: teaches it, is expected as a student, answers
    for expected students (``child_ids``), may watch by a permission."""

    teaches: bool = False
    expected: bool = False
    child_ids: tuple[int, ...] = ()
    may_observe: bool = False


@dataclass(frozen=True)
class Decision:
    """The part of a person in the lesson, how the door stands, and whether they may go in now."""

    part: Part
    state: DoorState

    @property
    def may_enter(self) -> bool:
        """Whether the person may go in now."""
        return self.state is DoorState.OPEN and self.part in ROLES


def part_of(visitor: Visitor) -> Part | None:
    """What the visitor is in the lesson; the part that does most wins. None: the lesson is not theirs."""
    if visitor.teaches:
        return Part.LEADER
    if visitor.expected:
        return Part.STUDENT
    if visitor.may_observe:
        return Part.OBSERVER
    return Part.GUARDIAN if visitor.child_ids else None


def state_at(window: Window, moment: datetime) -> DoorState:
    """How the door stands at ``moment``: open from ``opens_at`` on, until just before ``closes_at``."""
    if window.cancelled:
        return DoorState.CANCELLED
    if moment >= window.closes_at:
        return DoorState.OVER
    if not window.online:
        return DoorState.IN_PERSON
    return DoorState.OPEN if moment >= window.opens_at else DoorState.WAITING


def decide(visitor: Visitor, window: Window, moment: datetime) -> Decision:
    """The decision for one person at one moment.

    :raises NotFound: the lesson is not theirs; nothing is said of it.
    """
    part = part_of(visitor)
    if part is None:
        raise NotFound()
    return Decision(part, state_at(window, moment))
