"""The connector: what LMS Bridge needs of Canvas, behind the interface of an LMS."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from pydantic import BaseModel

from lms_bridge.core.plugins import (
    CalendarEvent,
    Check,
    ConnectorCapabilities,
    CourseMember,
    CourseRecord,
    EnrolmentRecord,
    LmsConnector,
    PersonRecord,
    PluginContext,
    RemoteEvent,
)
from lms_bridge_canvas.calendar import Calendar
from lms_bridge_canvas.client import CanvasClient
from lms_bridge_canvas.probe import probe
from lms_bridge_canvas.roster import Roster
from lms_bridge_canvas.settings import CanvasSettings


class CanvasConnector(LmsConnector):
    """Canvas by its REST API: courses, enrolments and calendar events."""

    identifier = "canvas"
    verbose_name = "Canvas"
    Settings: ClassVar[type[BaseModel]] = CanvasSettings
    capabilities = ConnectorCapabilities(
        reads_people=True,
        writes_courses=True,
        writes_enrolments=True,
        events=True,
        finds_events_by_marker=True,
        max_batch=1,
    )

    def __init__(self, settings: BaseModel, context: PluginContext) -> None:
        super().__init__(settings, context)
        assert isinstance(settings, CanvasSettings)
        self._settings = settings
        self.connections = settings.connections
        self.client = CanvasClient(settings)
        self._roster = Roster(self.client, settings)
        self._calendar = Calendar(self.client)

    def close(self) -> None:
        self.client.close()

    def check(self) -> Sequence[Check]:
        return probe(self.client, self._roster, self._settings)

    def courses(self) -> Iterable[CourseRecord]:
        return self._roster.courses()

    def find_courses(self, keys: Sequence[str]) -> Mapping[str, CourseRecord]:
        return self._roster.find(keys)

    def members(self, course_remote_id: str) -> Iterable[CourseMember]:
        return self._roster.members(course_remote_id)

    def find_people(self, numbers: Sequence[str]) -> Mapping[str, PersonRecord]:
        return self._roster.find_people(numbers)

    def ensure_courses(self, courses: Sequence[CourseRecord]) -> Mapping[str, str]:
        return self._roster.ensure_courses(courses)

    def ensure_enrolments(self, enrolments: Sequence[EnrolmentRecord]) -> None:
        self._roster.ensure_enrolments(enrolments)

    def create_events(self, events: Sequence[CalendarEvent]) -> Sequence[str | None]:
        (event,) = events  # max_batch: a second could not be undone if the answer to it were lost
        return [self._calendar.create(event)]

    def update_event(self, remote_id: str, event: CalendarEvent) -> None:
        self._calendar.update(remote_id, event)

    def delete_event(self, remote_id: str) -> None:
        self._calendar.delete(remote_id)

    def find_events(
        self, course_remote_ids: Sequence[str], since: datetime, until: datetime, group_remote_ids: Sequence[str] = ()
    ) -> Iterable[RemoteEvent]:
        return self._calendar.find(course_remote_ids, since, until)
