"""Real workers to be killed: reads lines from its input and forks one worker process for each, printing its pid.

The modules are imported once, so that a killed worker is followed by the next within milliseconds.
"""

from __future__ import annotations

import os
import signal
import sys

from lms_bridge.core.clock import now
from lms_bridge.core.queue import run_worker
from lms_bridge.core.settings import load
from lms_bridge.notices import kinds
from lms_bridge.notices.models import Priority
from lms_bridge.roster.models import Person
from lms_bridge.web.app import create_app, load_features

KIND = "test.note"


def audience(cause: str, after_person_id: int, limit: int) -> list[int]:
    """The one person whom the cause (``person:17``) names."""
    person_id = int(cause.partition(":")[2])
    return [person_id] if person_id > after_person_id else []


def gather(person: Person, cause: str) -> kinds.MessageContext:
    """A message without lessons."""
    data = {"sections": [], "reason": cause, "only": None, "all_added": True, "count": 0, "first": now().date()}
    return kinds.MessageContext(data=data)


def register() -> None:
    """Make the kind known."""
    kinds.register(kinds.Kind(KIND, Priority.NORMAL, "timetable_undone", audience, gather))


def work() -> None:
    """Be a worker until killed."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    settings = load()
    run_worker(create_app(settings), settings)


def main() -> None:
    """One worker for each line of input."""
    load_features()
    register()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            work()
            os._exit(0)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
