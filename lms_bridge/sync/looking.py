"""Looking into the calendars of several courses at once: a course that may not be seen does not hide the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from lms_bridge.core.errors import BridgeError
from lms_bridge.core.i18n import N_
from lms_bridge.core.plugins import AccessRefused, LmsConnector, PluginError, RemoteEvent, TemporaryFailure


def events_of(
    lms: LmsConnector, courses: Sequence[str], since: datetime, until: datetime
) -> Iterator[tuple[Sequence[str], list[RemoteEvent] | BridgeError]]:
    """Our events in these courses, in as few questions as possible: some courses with their events, or one course with
    the refusal, which names it.

    :raises TemporaryFailure, AccessRefused: the LMS does not answer.
    """
    try:
        yield courses, list(lms.find_events(courses, since, until))
    except (TemporaryFailure, AccessRefused):
        raise
    except BridgeError as refusal:
        if len(courses) == 1:
            named = PluginError(
                N_("Course %(course)s: %(text)s"), course=courses[0], text=refusal.text(), remedy="%(what)s",
                what=refusal.remedy_text(),
            )  # fmt: skip
            yield courses, named
            return
        for course in courses:
            yield from events_of(lms, [course], since, until)
