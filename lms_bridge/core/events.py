"""Facts announced by lower packages and heard by upper ones, within the same transaction.

A subscriber that fails fails the operation: what must happen together happens together, or not at all. What may
happen later belongs into a job.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar


@dataclass(frozen=True)
class Event:
    """Base of all announced facts; subclasses are frozen dataclasses that carry ids."""


E = TypeVar("E", bound=Event)

_subscribers: defaultdict[type[Event], list[Callable[[Any], None]]] = defaultdict(list)


def subscribe(kind: type[E]) -> Callable[[Callable[[E], None]], Callable[[E], None]]:
    """Call the decorated function for every announced ``kind``; a second subscription of it changes nothing."""

    def register(function: Callable[[E], None]) -> Callable[[E], None]:
        if function not in _subscribers[kind]:
            _subscribers[kind].append(function)
        return function

    return register


def announce(fact: Event) -> None:
    """Tell every subscriber of the fact's type, in the order of subscription."""
    for function in _subscribers[type(fact)]:
        function(fact)
