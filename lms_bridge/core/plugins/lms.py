"""The kind of plugin that connects a learning management system: people in, events and marks out.

Everything has a ``key`` of ours that the LMS keeps (idnumber, SIS id, a marker in a text), so that a lost answer can
be found again instead of being repeated. Methods that a connector cannot offer are not called: its flags say so.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from lms_bridge.core.plugins.base import Plugin

Progress = Callable[[int, int | None], None]


@dataclass(frozen=True)
class ConnectorCapabilities:
    """What a connector can do; code asks these flags, never the connector's name."""

    reads_people: bool = False
    reads_changes: bool = False
    """People and enrolments can be asked for by time of change."""
    writes_courses: bool = False
    writes_enrolments: bool = False
    events: bool = False
    event_update_in_place: bool = False
    finds_events_by_marker: bool = False
    activities: bool = False
    messages: bool = False
    assignments: bool = False
    attendance: bool = False
    max_batch: int = 50


@dataclass(frozen=True)
class PersonRecord:
    """A person as the LMS knows them. ``number`` is the school's own number of the person, where it is kept."""

    remote_id: str
    number: str | None
    username: str | None
    family_name: str
    given_name: str
    email: str | None
    locale: str | None = None
    suspended: bool = False


@dataclass(frozen=True)
class CourseRecord:
    """A course of the LMS; ``key`` is our mark on it (idnumber, SIS id), if it has one."""

    remote_id: str
    key: str | None
    title: str
    short_title: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    visible: bool = True


@dataclass(frozen=True)
class GroupRecord:
    """A group within a course."""

    remote_id: str
    course_remote_id: str
    key: str | None
    name: str


@dataclass(frozen=True)
class EnrolmentRecord:
    """A person in a course; ``role`` is ``student`` or ``teacher``."""

    course_remote_id: str
    person_remote_id: str
    role: str
    group_remote_ids: tuple[str, ...] = ()
    active: bool = True


@dataclass(frozen=True)
class CalendarEvent:
    """One lesson as an entry of the LMS calendar. ``key`` is the lesson's uid; ``url`` is our link, which never
    changes; times are aware UTC."""

    key: str
    course_remote_id: str
    title: str
    description: str
    url: str
    starts_at: datetime
    ends_at: datetime
    sequence: int
    group_remote_id: str | None = None
    cancelled: bool = False


@dataclass(frozen=True)
class RemoteEvent:
    """An event found in the LMS that carries our marker."""

    remote_id: str
    key: str
    course_remote_id: str
    title: str
    starts_at: datetime
    ends_at: datetime
    visible: bool


@dataclass(frozen=True)
class Assignment:
    """Homework set in the LMS."""

    remote_id: str
    course_remote_id: str
    title: str
    due_at: datetime | None
    opens_at: datetime | None = None
    changed_at: datetime | None = None


@dataclass(frozen=True)
class Submission:
    """One person's answer to an assignment; ``state`` is ``new``, ``draft``, ``submitted``, ``returned``."""

    assignment_remote_id: str
    person_remote_id: str
    state: str
    at: datetime | None
    grade: float | None = None


@dataclass(frozen=True)
class AttendanceSession:
    """A session of the LMS's own attendance register for one lesson."""

    key: str
    course_remote_id: str
    title: str
    starts_at: datetime
    ends_at: datetime
    remote_id: str | None = None
    group_remote_id: str | None = None


@dataclass(frozen=True)
class AttendanceMark:
    """A mark: ``verdict`` is one of ``present``, ``late``, ``left_early``, ``absent``, ``excused``."""

    person_remote_id: str
    verdict: str
    remark: str = ""


class LmsConnector(Plugin):
    """Connects one LMS. Used in jobs only; calls raise :class:`TemporaryFailure` or :class:`PluginError`."""

    capabilities: ClassVar[ConnectorCapabilities]

    @abstractmethod
    def courses(self) -> Iterable[CourseRecord]:
        """All courses that the account may see, one page at a time."""

    def people(self, changed_since: datetime | None = None) -> Iterable[PersonRecord]:
        """People, all or those changed since (``reads_changes``), in bounded memory."""
        return ()

    def groups(self, course_remote_id: str) -> Iterable[GroupRecord]:
        """Groups of one course."""
        return ()

    def enrolments(self, course_remote_id: str) -> Iterable[EnrolmentRecord]:
        """Who is in one course."""
        return ()

    def find_people(self, numbers: Sequence[str]) -> Mapping[str, PersonRecord]:
        """People by the school's number; numbers that are unknown or not unique there are left out."""
        return {}

    def ensure_courses(self, courses: Sequence[CourseRecord]) -> Mapping[str, str]:
        """Make those that are missing (by key); ``{key: remote_id}`` of all."""
        return {}

    def ensure_enrolments(self, enrolments: Sequence[EnrolmentRecord]) -> None:
        """Enrol who is missing. Never ends an enrolment that is not ours."""

    def create_events(self, events: Sequence[CalendarEvent]) -> Mapping[str, str]:
        """Make events (at most ``max_batch``); ``{key: remote_id}`` of those that were made, which may be fewer."""
        return {}

    def update_event(self, remote_id: str, event: CalendarEvent) -> None:
        """Change one event in place; a cancelled one is hidden or renamed, not deleted."""

    def delete_event(self, remote_id: str) -> None:
        """Remove an event of ours; one that is gone already is no error."""

    def find_events(self, course_remote_id: str, since: datetime, until: datetime) -> Iterable[RemoteEvent]:
        """Events that carry our marker, for answers that were lost and for reconciliation."""
        return ()

    def ensure_activity(self, course_remote_id: str) -> str:
        """Put our "Online lessons" activity into the course unless it is there; its remote id."""
        raise NotImplementedError  # abstract where `activities` is set

    def send_message(self, person_remote_id: str, text: str) -> str:
        """Send a message within the LMS; the id of it."""
        raise NotImplementedError  # abstract where `messages` is set

    def assignments(self, course_remote_ids: Sequence[str]) -> Iterable[Assignment]:
        """Homework of these courses."""
        return ()

    def submissions(self, assignment_remote_ids: Sequence[str]) -> Iterable[Submission]:
        """What was handed in."""
        return ()

    def ensure_attendance_session(self, session: AttendanceSession) -> AttendanceSession:
        """Make the session in the LMS's register unless it is there; it comes back with ``remote_id``."""
        raise NotImplementedError  # abstract where `attendance` is set

    def write_marks(self, session: AttendanceSession, marks: Sequence[AttendanceMark]) -> Sequence[str]:
        """Write marks; the remote ids of people whose mark was refused, with the rest written."""
        raise NotImplementedError  # abstract where `attendance` is set
