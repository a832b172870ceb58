"""The names of a plan's parts above its tables: half terms, terms, semesters, quarters."""

from __future__ import annotations

import re

from lms_bridge.plans.reading.numerals import CHINESE, normalise

_PART = re.compile(
    rf"第\s*[{CHINESE}\d]\s*(?:学期|学段|学季|阶段)|[上下]\s*(?:半?学期|半期|学年|册)|期中(?:考试)?[前后]|[前后]半(?:学期|期)"
    r"|(?:autumn|spring|summer|winter|fall)(?: term| semester)?(?: \d)?"
    r"|(?:semester|term|quarter|trimester|block|half|half[- ]?term|part|cycle)\s*(?:\d|i{1,3}|iv|one|two|three|four)\b"
    r"|(?:first|second|third|fourth|1st|2nd|3rd|4th) (?:half|semester|term|quarter|half[- ]?term)",
    re.IGNORECASE,
)


def part_named(caption: str) -> str | None:
    """The part of the year that a caption names, in a form to compare it with another; None where it names none."""
    found = _PART.search(normalise(caption))
    return re.sub(r"\s+", "", found[0]).casefold() if found else None


def different_parts(first: str, second: str) -> bool:
    """Whether two captions name two different parts of one year."""
    one, other = part_named(first), part_named(second)
    return one is not None and other is not None and one != other
