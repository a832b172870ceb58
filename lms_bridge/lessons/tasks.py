"""Background jobs of lessons: rooms are made, kept up and ended; addresses fetched. Thin: see ``provisioning``."""

from __future__ import annotations

from lms_bridge.core import jobs
from lms_bridge.lessons import provisioning
from lms_bridge.lessons.entering import ADDRESS
from lms_bridge.lessons.meetings import END, PROVISION


@jobs.job(PROVISION, max_attempts=20, backoff=2.0)
def provision(subject: str) -> None:
    """Make the room of the meeting with this id, or tell its provider of a change."""
    provisioning.provision(int(subject))


@jobs.job(END, max_attempts=12, backoff=30.0)
def end(subject: str) -> None:
    """End the room of the meeting with this id when its lesson is over or cancelled."""
    provisioning.end(int(subject))


@jobs.job(ADDRESS, max_attempts=20, backoff=2.0)
def fetch_address(subject: str) -> None:
    """Fetch one person's address in a room; the subject is ``meeting id:person id``."""
    meeting_id, _, person_id = subject.partition(":")
    provisioning.fetch_address(int(meeting_id), int(person_id))
