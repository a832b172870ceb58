"""One clock for the whole system, in UTC, that tests can set."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from zoneinfo import ZoneInfo


def _system() -> datetime:
    return datetime.now(UTC)


_source: Callable[[], datetime] = _system


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return _source()


def local(moment: datetime, zone: str) -> datetime:
    """``moment`` on the wall clock of the IANA zone ``zone``."""
    return moment.astimezone(ZoneInfo(zone))


def is_set() -> bool:
    """Whether the clock is set inside a block of :func:`at`."""
    return _source is not _system


@contextmanager
def at(moment: datetime | Callable[[], datetime]) -> Iterator[None]:
    """Set the clock to ``moment`` (aware; or to what is asked for anew each time) inside the block, for all threads."""
    global _source
    before = _source
    if callable(moment):
        _source = moment
    elif moment.tzinfo is None:
        raise ValueError("the clock needs an aware datetime")
    else:
        fixed = moment.astimezone(UTC)
        _source = lambda: fixed  # noqa: E731 - a named function would only repeat the variable
    try:
        yield
    finally:
        _source = before
