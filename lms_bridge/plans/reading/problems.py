"""What can be wrong with one cell of a plan; the place is added where the row and the column are known."""

from __future__ import annotations

from typing import Any


class CellProblem(Exception):
    """A value that cannot be read with certainty: message and remedy as message ids, ``params`` for both."""

    def __init__(self, message: str, remedy: str, **params: Any) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.params = params
