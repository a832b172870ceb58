"""What the Canvas connector must be told (``LMS_BRIDGE_CANVAS_*`` or the table ``[plugins.canvas]``)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

Address = Annotated[str, StringConstraints(pattern=r"^https?://[^\s?#]+$", strip_whitespace=True)]


class CanvasSettings(BaseModel):
    """Settings of one Canvas account."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    url: Address
    """Address of Canvas, without ``/api``: ``https://school.instructure.com``."""

    token: SecretStr = Field(min_length=8)
    """Access token of the service user; docs/canvas.md says how to make one and what its role must be allowed."""

    account_id: str = Field("self", pattern=r"^(self|\d+)$")
    """Number of the Canvas account or sub-account whose courses are read; ``self``: the root account."""

    timeout: float = Field(60.0, gt=0, le=300)
    """Seconds that Canvas has for one whole answer."""

    connections: int = Field(2, ge=1, le=8)
    """How many connections to Canvas work at the same time. Canvas counts what they cost together, by token."""

    ca_file: Path | None = None
    """File with the certificate authority of Canvas, if it is not a public one."""

    student_types: list[str] = ["StudentEnrollment"]
    """Types of Canvas enrolments that make somebody a student of a course."""

    teacher_types: list[str] = ["TeacherEnrollment", "TaEnrollment"]
    """Types of Canvas enrolments that make somebody a teacher of a course."""
