"""Settings of the built-in classroom (of an account, or ``LMS_BRIDGE_CLASSROOM_*``)."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class ClassroomSettings(BaseModel):
    """All have defaults: the classroom works without any set-up."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    max_people: int = Field(2000, ge=1)
    """How many people this installation's web servers carry in classrooms at the same time; shown as the provider's
    capacity. Nobody is turned away."""
