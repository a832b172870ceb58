"""Asking an LMS about several courses at once: a course that may not be seen does not hide the others."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from lms_bridge.core.errors import BridgeError
from lms_bridge.core.i18n import N_
from lms_bridge.core.plugins import AccessRefused, LmsConnector, PluginError, RemoteEvent, TemporaryFailure

C = TypeVar("C")
R = TypeVar("R")


def of_courses(ask: Callable[[Sequence[C]], R], courses: Sequence[C]) -> Iterator[tuple[Sequence[C], R | BridgeError]]:
    """``ask`` about the courses in as few questions as possible: some courses with the answer, or one course with the
    refusal.

    :raises TemporaryFailure, AccessRefused: the LMS does not answer.
    """
    try:
        yield courses, ask(courses)
    except (TemporaryFailure, AccessRefused):
        raise
    except BridgeError as refusal:
        if len(courses) == 1:
            yield courses, refusal
            return
        for course in courses:
            yield from of_courses(ask, [course])


def events_of(
    lms: LmsConnector, courses: Sequence[str], since: datetime, until: datetime, groups: Mapping[str, Collection[str]]
) -> Iterator[tuple[Sequence[str], list[RemoteEvent] | BridgeError]]:
    """Our events in these courses, and in those ``groups`` of them that may have any (by course); a refusal names its
    course.

    :raises TemporaryFailure, AccessRefused: the LMS does not answer.
    """

    def ask(asked: Sequence[str]) -> list[RemoteEvent]:
        return list(lms.find_events(asked, since, until, [one for course in asked for one in groups.get(course, ())]))

    for some, answer in of_courses(ask, courses):
        yield some, _naming(some[0], answer) if isinstance(answer, BridgeError) else answer


def _naming(course: str, refusal: BridgeError) -> PluginError:
    return PluginError(
        N_("Course %(course)s: %(text)s"), course=course, text=refusal.text(), remedy="%(what)s",
        what=refusal.remedy_text(),
    )  # fmt: skip
