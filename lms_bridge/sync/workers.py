"""Many calls to one LMS at once: as many threads as the connector allows connections, each with its own connector.

Threads only speak to the LMS. Rows are read and written by the caller's thread, while the others wait for answers.
"""

from __future__ import annotations

import contextvars
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import TypeVar

from lms_bridge.core.errors import BridgeError
from lms_bridge.core.plugins import AccessRefused, LmsConnector, TemporaryFailure
from lms_bridge.sync.accounts import connector_for
from lms_bridge.sync.models import LmsAccount

SLOW_SECONDS = 20.0

T = TypeVar("T")
R = TypeVar("R")

AHEAD = 5
"""So many calls for each connection are prepared before the first answer is used: enough for the connections to be busy
while the caller writes down what came, and bounded in memory."""


def each(
    account: LmsAccount,
    first: LmsConnector,
    items: Iterable[T],
    call: Callable[[LmsConnector, T], R],
    meanwhile: Callable[[], bool] | None = None,
) -> Iterator[tuple[T, R | BridgeError]]:
    """``call(connector, item)`` for every item, with its result or the refusal of this one, in the order of the items.
    ``meanwhile`` is called while an answer is waited for, until it says that it has nothing left to do.

    :raises TemporaryFailure, AccessRefused: the LMS does not answer; calls that had begun are waited for, and what
        they gave is handed out first. Later items are not begun.
    """
    connectors = [first, *(connector_for(account) for _ in range(max(1, first.connections) - 1))]
    free: SimpleQueue[LmsConnector] = SimpleQueue()
    for connector in connectors:
        free.put(connector)

    def work(item: T) -> R:
        connector = free.get()
        try:
            return call(connector, item)
        finally:
            free.put(connector)

    waiting: deque[tuple[T, Future[R]]] = deque()
    source = iter(items)
    down: BridgeError | None = None
    try:
        with ThreadPoolExecutor(len(connectors), thread_name_prefix="lms") as pool:
            while True:
                while down is None and len(waiting) < AHEAD * len(connectors):
                    item = next(source, None)
                    if item is None:
                        break
                    waiting.append((item, pool.submit(contextvars.copy_context().run, work, item)))
                if not waiting:
                    break
                item, future = waiting.popleft()
                while meanwhile is not None and not future.done():
                    if not meanwhile():
                        meanwhile = None
                try:
                    yield item, future.result()
                except (TemporaryFailure, AccessRefused) as error:
                    if down is None:
                        down = error
                        for _, later in waiting:
                            later.cancel()
                        waiting = deque((one, later) for one, later in waiting if not later.cancelled())
                except BridgeError as refusal:
                    yield item, refusal
    finally:
        for connector in connectors[1:]:
            connector.close()
    if down is not None:
        raise down


def in_groups(answers: Iterable[T], size: int, of: int = 0) -> Iterator[list[T]]:
    """The answers of :func:`each` in lists of ``size``, each to be written down in one transaction; fewer where they
    come slowly, so that a run says that it lives, and among the last of all (``of``), so that little is left to be
    written when the last has come. What came before the LMS fell silent is handed out before that.

    :raises TemporaryFailure, AccessRefused: as :func:`each`.
    """
    some, begun, rest = list[T](), time.monotonic(), of
    try:
        for answer in answers:
            some.append(answer)
            enough = min(size, max(size // 4, rest * 3 // 4)) if of else size
            if len(some) >= enough or time.monotonic() - begun > SLOW_SECONDS:
                yield some
                rest -= len(some)
                some, begun = [], time.monotonic()
    except (TemporaryFailure, AccessRefused):
        if some:
            yield some
        raise
    if some:
        yield some
