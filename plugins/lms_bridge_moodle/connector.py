"""The connector: each part of Moodle that LMS Bridge speaks to, behind the interface of an LMS."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from pydantic import BaseModel

from lms_bridge.core.plugins import (
    Assignment,
    AttendanceMark,
    AttendanceSession,
    CalendarEvent,
    Check,
    CohortRecord,
    ConnectorCapabilities,
    CourseMember,
    CourseRecord,
    EnrolmentRecord,
    GroupRecord,
    LmsConnector,
    PersonRecord,
    PluginContext,
    RemoteEvent,
    Submission,
)
from lms_bridge_moodle import coursework
from lms_bridge_moodle.activities import Activities
from lms_bridge_moodle.attendance import Attendance
from lms_bridge_moodle.calendar import MAX_BATCH, Calendar
from lms_bridge_moodle.client import MoodleClient
from lms_bridge_moodle.probe import probe
from lms_bridge_moodle.roster import Roster
from lms_bridge_moodle.setting_labels import CHOICES, LABELS
from lms_bridge_moodle.settings import MoodleSettings


class MoodleConnector(LmsConnector):
    """Moodle by its web services."""

    identifier = "moodle"
    verbose_name = "Moodle"
    Settings: ClassVar[type[BaseModel]] = MoodleSettings
    setting_labels = LABELS
    setting_choices = CHOICES
    capabilities = ConnectorCapabilities(
        reads_people=True,
        cohorts=True,
        writes_courses=True,
        writes_enrolments=True,
        events=True,
        finds_events_by_marker=True,
        groups=True,
        activities=True,
        messages=True,
        assignments=True,
        attendance=True,
        launches_name_users=True,
        max_batch=MAX_BATCH,
    )

    def __init__(self, settings: BaseModel, context: PluginContext) -> None:
        super().__init__(settings, context)
        assert isinstance(settings, MoodleSettings)
        self.connections = settings.connections
        self.client = MoodleClient(settings)
        self._url = settings.url.rstrip("/")
        self._roster = Roster(self.client, settings)
        self._calendar = Calendar(self.client, settings)
        self._activities = Activities(self.client, settings)
        self._attendance = Attendance(self.client, settings, context.base_url)

    def close(self) -> None:
        self.client.close()

    def check(self) -> Sequence[Check]:
        return probe(self.client, self._roster, self._calendar, self._activities)

    def courses(self) -> Iterable[CourseRecord]:
        return self._roster.courses()

    def find_courses(self, keys: Sequence[str]) -> Mapping[str, CourseRecord]:
        return self._roster.find(keys)

    def members(self, course_remote_id: str) -> Iterable[CourseMember]:
        return self._roster.members(course_remote_id)

    def groups(self, course_remote_id: str) -> Iterable[GroupRecord]:
        return self._roster.groups(course_remote_id)

    def ensure_groups(self, course_remote_id: str, keys: Sequence[str]) -> Mapping[str, str]:
        return self._roster.ensure_groups(course_remote_id, keys)

    def ensure_group_members(self, group_remote_id: str, person_remote_ids: Sequence[str]) -> None:
        self._roster.ensure_group_members(group_remote_id, person_remote_ids)

    def cohorts(self) -> Iterable[CohortRecord]:
        return self._roster.cohorts()

    def cohort_members(self, cohort_remote_id: str) -> Iterable[PersonRecord]:
        return self._roster.cohort_members(cohort_remote_id)

    def find_people(self, numbers: Sequence[str]) -> Mapping[str, PersonRecord]:
        return self._roster.find_people(numbers)

    def ensure_courses(self, courses: Sequence[CourseRecord]) -> Mapping[str, str]:
        return self._roster.ensure_courses(courses)

    def ensure_enrolments(self, enrolments: Sequence[EnrolmentRecord]) -> None:
        self._roster.ensure_enrolments(enrolments)

    def create_events(self, events: Sequence[CalendarEvent]) -> Sequence[str | None]:
        return self._calendar.create(events)

    def update_event(self, remote_id: str, event: CalendarEvent) -> None:
        self._calendar.update(remote_id, event)

    def delete_event(self, remote_id: str) -> None:
        self._calendar.delete(remote_id)

    def find_events(
        self, course_remote_ids: Sequence[str], since: datetime, until: datetime, group_remote_ids: Sequence[str] = ()
    ) -> Iterable[RemoteEvent]:
        return self._calendar.find(course_remote_ids, since, until, group_remote_ids)

    def ensure_activity(self, course_remote_id: str, remote_id: str | None = None) -> str:
        return self._activities.ensure(course_remote_id, remote_id)

    def remove_activity(self, course_remote_id: str, remote_id: str) -> None:
        self._activities.remove(course_remote_id, remote_id)

    def send_message(self, person_remote_id: str, text: str) -> str:
        return coursework.send_message(self.client, person_remote_id, text)

    def assignments(self, course_remote_ids: Sequence[str]) -> Iterable[Assignment]:
        return coursework.assignments(self.client, course_remote_ids, self._url)

    def submissions(
        self, assignment_remote_ids: Sequence[str], changed_since: datetime | None = None
    ) -> Iterable[Submission]:
        return coursework.submissions(self.client, assignment_remote_ids, changed_since)

    def ensure_attendance_session(self, session: AttendanceSession) -> AttendanceSession:
        return self._attendance.ensure(session)

    def write_marks(self, session: AttendanceSession, marks: Sequence[AttendanceMark]) -> Sequence[str]:
        return self._attendance.write(session, marks)
