"""The times of a school day as people type them: one period a line, ``08:00-08:40``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import time

from lms_bridge.calendar.grids import MAX_PERIODS_PER_DAY, PeriodTime, every_weekday
from lms_bridge.core.errors import BridgeError, InputError, Place
from lms_bridge.core.i18n import N_

_LINE = re.compile(r"(\d{1,2})[:：.](\d{2})\s*[-–—~～至到]+\s*(\d{1,2})[:：.](\d{2})")


def parse_times(text: str) -> tuple[list[tuple[time, time]], list[BridgeError]]:
    """The periods of a day in order, and every line that cannot be read; empty lines count for nothing."""
    times: list[tuple[time, time]] = []
    problems: list[BridgeError] = []
    for row, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        found = _LINE.fullmatch(line.strip())
        try:
            if found is None:
                raise ValueError(line)
            hours = [int(part) for part in found.groups()]
            times.append((time(hours[0], hours[1]), time(hours[2], hours[3])))
        except ValueError:
            problems.append(
                InputError(
                    N_("This line is not the time of a period."),
                    place=Place(row=row, value=line.strip()[:40]),
                    remedy=N_("Write one period a line, as in 08:00-08:40."),
                )
            )
    if len(times) > MAX_PERIODS_PER_DAY:
        problems.append(
            InputError(
                N_("A day has at most %(most)s periods."), remedy=N_("Leave some out."), most=MAX_PERIODS_PER_DAY
            )
        )
    return times, problems


def with_weekdays(
    known: Iterable[PeriodTime], times: list[tuple[time, time]], weekdays: Iterable[int]
) -> list[PeriodTime]:
    """A grid in which these weekdays have these times, numbered from 1, and the others what they had."""
    wanted = set(weekdays)
    return [period for period in known if period.weekday not in wanted] + every_weekday(times, sorted(wanted))
