"""What the Moodle connector must be told (``LMS_BRIDGE_MOODLE_*`` or the table ``[plugins.moodle]``)."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

Address = Annotated[str, StringConstraints(pattern=r"^https?://[^\s?#]+$", strip_whitespace=True)]


class CancelledEvents(StrEnum):
    """What becomes of the calendar event of a cancelled lesson."""

    RENAME = "rename"
    HIDE = "hide"


class MoodleSettings(BaseModel):
    """Settings of one Moodle site."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    url: Address
    """Address of the Moodle site, as its ``wwwroot`` says it: ``https://moodle.example.org``."""

    token: SecretStr = Field(min_length=8)
    """Token of the service user; docs/moodle.md says how to make one and what it must be allowed."""

    timeout: float = Field(60.0, gt=0, le=300)
    """Seconds that Moodle has for one whole answer."""

    connections: int = Field(4, ge=1, le=16)
    """How many connections to Moodle work at the same time."""

    ca_file: Path | None = None
    """File with the certificate authority of the Moodle site, if it is not a public one."""

    template_course: str = "lms-bridge-template"
    """Short name of the hidden course whose one activity is copied into each course ("Online lessons")."""

    student_roles: list[str] = ["student"]
    """Short names of the Moodle roles that make somebody a student of a course."""

    teacher_roles: list[str] = ["editingteacher", "teacher"]
    """Short names of the Moodle roles that make somebody a teacher of a course."""

    student_role_id: int = Field(5, ge=1)
    """Number of the role that students get when they are enrolled from here."""

    teacher_role_id: int = Field(3, ge=1)
    """Number of the role that teachers get when they are enrolled from here."""

    category_id: int = Field(1, ge=1)
    """Number of the category in which courses are made from here."""

    cancelled_events: CancelledEvents = CancelledEvents.RENAME
    """The event of a cancelled lesson stays with "Cancelled" in its name (``rename``), or is hidden (``hide``)."""

    attendance_name: str = "Online lessons"
    """Name of the attendance activity (mod_attendance) that marks are written to; made where it is missing."""

    present: str = "P"
    """Acronym of the attendance status for ``present``."""

    late: str = "L"
    """Acronym of the attendance status for ``late``."""

    left_early: str = "L"
    """Acronym of the attendance status for ``left_early``."""

    absent: str = "A"
    """Acronym of the attendance status for ``absent``."""

    excused: str = "E"
    """Acronym of the attendance status for ``excused``."""
