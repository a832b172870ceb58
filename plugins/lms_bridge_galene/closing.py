"""How a group is emptied before it is taken away."""

from __future__ import annotations

import time
from collections.abc import Callable

from lms_bridge.core.plugins import N_, TemporaryFailure, gettext
from lms_bridge_galene.connection import Connection

SECONDS = 10.0


def put_everybody_out(enter: Callable[[], Connection]) -> None:
    """Put out all who are in the group that ``enter`` opens as an operator, until nobody is left.

    :raises TemporaryFailure: somebody was still there after :data:`SECONDS`.
    """
    words = gettext("The lesson is over.")
    connection = enter()
    try:
        end = time.monotonic() + SECONDS
        for client in connection.inside.values():
            connection.put_out(client, words)
        while connection.inside:
            if time.monotonic() > end:
                raise TemporaryFailure(N_("Galene did not put everybody out of the group."))
            change = connection.next(seconds=1)
            if change is not None and change[1]:
                connection.put_out(change[0], words)
    finally:
        connection.close()
