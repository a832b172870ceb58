"""The kind of plugin that connects a learning management system: people in, events and marks out.

A connector is used in background jobs only. Its calls are told apart by what the caller can do about a failure:
:class:`TemporaryFailure` (come back later; what was asked for may have been done all the same), :class:`AccessRefused`
(the whole account stands still until an administrator acts), :class:`NotThere` (make it anew), and any other
:class:`PluginError` (this one thing is refused for good; the others go on).

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
    """Courses and their members can be read."""
    cohorts: bool = False
    writes_courses: bool = False
    writes_enrolments: bool = False
    events: bool = False
    finds_events_by_marker: bool = False
    groups: bool = False
    """Events can be for one group of a course, and groups can be read and made."""
    activities: bool = False
    messages: bool = False
    assignments: bool = False
    attendance: bool = False
    launches_name_users: bool = False
    """Its people carry here the same ids as in its LTI launches (``sub``)."""
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
class CohortRecord:
    """A set of people outside of courses, such as a year or an administrative class."""

    remote_id: str
    key: str | None
    name: str


@dataclass(frozen=True)
class CourseMember:
    """A person in a course as the LMS has it; ``role`` is ``student``, ``teacher``, or "" for any other."""

    person: PersonRecord
    role: str
    group_remote_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class EnrolmentRecord:
    """A person to be enrolled in a course; ``role`` is ``student`` or ``teacher``."""

    course_remote_id: str
    person_remote_id: str
    role: str


@dataclass(frozen=True)
class CalendarEvent:
    """One lesson as an entry of the LMS calendar. ``key`` is the lesson's uid; ``url`` is our link, which never
    changes, and ``link_text`` what stands on it, in the campus's language; times are aware UTC."""

    key: str
    course_remote_id: str
    title: str
    description: str
    url: str
    starts_at: datetime
    ends_at: datetime
    sequence: int
    link_text: str = "Enter the lesson"
    group_remote_id: str | None = None
    """Only this group of the course sees it; none: the whole course."""
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
    group_remote_id: str | None = None
    url: str = ""
    """The link that the event carries, as far as it was found: another address means another installation's event."""


@dataclass(frozen=True)
class Assignment:
    """Homework set in the LMS."""

    remote_id: str
    course_remote_id: str
    title: str
    due_at: datetime | None
    opens_at: datetime | None = None
    changed_at: datetime | None = None
    url: str = ""
    """Where students do it."""


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
    """A session of the LMS's own attendance register for one lesson; ``link_text`` stands on the link to the lesson, in
    the campus's language."""

    key: str
    course_remote_id: str
    title: str
    starts_at: datetime
    ends_at: datetime
    remote_id: str | None = None
    link_text: str = "Enter the lesson"


@dataclass(frozen=True)
class AttendanceMark:
    """A mark: ``verdict`` is one of ``present``, ``late``, ``left_early``, ``absent``, ``excused``."""

    person_remote_id: str
    verdict: str
    remark: str = ""


class LmsConnector(Plugin):
    """Connects one LMS. Used in jobs only; calls raise what the module's docstring says."""

    capabilities: ClassVar[ConnectorCapabilities]

    connections: int = 1
    """So many connectors of one account may work at the same time, each in a thread of its own."""

    def close(self) -> None:
        """Give connections back; called when the job is done with the connector."""

    @abstractmethod
    def courses(self) -> Iterable[CourseRecord]:
        """All courses that the account may see. ``key`` is None where the account may not see it: then only
        :meth:`find_courses` tells."""

    def find_courses(self, keys: Sequence[str]) -> Mapping[str, CourseRecord]:
        """Courses by our mark on them; keys that are unknown there are left out."""
        return {}

    def members(self, course_remote_id: str) -> Iterable[CourseMember]:
        """Who is in one course, in bounded memory, page by page.

        :raises PluginError: the list cannot be had whole; an empty list is never a refusal.
        """
        return ()

    def groups(self, course_remote_id: str) -> Iterable[GroupRecord]:
        """Groups of one course (``groups``)."""
        return ()

    def ensure_groups(self, course_remote_id: str, keys: Sequence[str]) -> Mapping[str, str]:
        """Make the groups of a course that no group with their key exists for; ``{key: remote_id}`` of all."""
        return {}

    def ensure_group_members(self, group_remote_id: str, person_remote_ids: Sequence[str]) -> None:
        """Put people of the course into one of its groups; who is in it stays so. Takes nobody out."""

    def cohorts(self) -> Iterable[CohortRecord]:
        """All cohorts (``cohorts``)."""
        return ()

    def cohort_members(self, cohort_remote_id: str) -> Iterable[PersonRecord]:
        """Who is in one cohort."""
        return ()

    def find_people(self, numbers: Sequence[str]) -> Mapping[str, PersonRecord]:
        """People by the school's number; numbers that are unknown or not unique there are left out."""
        return {}

    def ensure_courses(self, courses: Sequence[CourseRecord]) -> Mapping[str, str]:
        """Make those that are missing (by key); ``{key: remote_id}`` of all."""
        return {}

    def ensure_enrolments(self, enrolments: Sequence[EnrolmentRecord]) -> None:
        """Enrol who is missing. Never ends an enrolment that is not ours."""

    def create_events(self, events: Sequence[CalendarEvent]) -> Sequence[str | None]:
        """Make events (at most ``max_batch``); their remote ids in the order of ``events``, None for one that was not
        made. One lesson may be among them for several courses, so the key alone tells them not apart."""
        return [None] * len(events)

    def update_event(self, remote_id: str, event: CalendarEvent) -> None:
        """Change one event in place; a cancelled one is hidden or renamed, not deleted.

        :raises NotThere: somebody deleted it.
        """

    def delete_event(self, remote_id: str) -> None:
        """Remove an event of ours; one that is gone already is no error."""

    def find_events(
        self, course_remote_ids: Sequence[str], since: datetime, until: datetime, group_remote_ids: Sequence[str] = ()
    ) -> Iterable[RemoteEvent]:
        """Events of these courses, and of these groups in them, that carry our marker, hidden ones too; for answers
        that were lost and for reconciliation."""
        return ()

    def ensure_activity(self, course_remote_id: str, remote_id: str | None = None) -> str:
        """Put our "Online lessons" activity into the course unless it is there (``remote_id``: as which it was known,
        whatever it is called now); its remote id."""
        raise NotImplementedError  # abstract where `activities` is set

    def remove_activity(self, course_remote_id: str, remote_id: str) -> None:
        """Take our activity out of the course; one that is gone already is no error."""
        raise NotImplementedError  # abstract where `activities` is set

    def send_message(self, person_remote_id: str, text: str) -> str:
        """Send a message within the LMS; the id of it."""
        raise NotImplementedError  # abstract where `messages` is set

    def assignments(self, course_remote_ids: Sequence[str]) -> Iterable[Assignment]:
        """Homework of these courses."""
        return ()

    def submissions(
        self, assignment_remote_ids: Sequence[str], changed_since: datetime | None = None
    ) -> Iterable[Submission]:
        """What was handed in; with ``changed_since`` at least what changed since then."""
        return ()

    def ensure_attendance_session(self, session: AttendanceSession) -> AttendanceSession:
        """Make the session in the LMS's register unless it is there; it comes back with ``remote_id``."""
        raise NotImplementedError  # abstract where `attendance` is set

    def write_marks(self, session: AttendanceSession, marks: Sequence[AttendanceMark]) -> Sequence[str]:
        """Write marks; the remote ids of people whose mark was refused, with the rest written."""
        raise NotImplementedError  # abstract where `attendance` is set
