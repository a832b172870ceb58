"""What can be wrong with one cell of a plan, and with its headings; the place is added where it is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lms_bridge.core.errors import BadInputs, BridgeError, InputError


class CellProblem(Exception):
    """A value that cannot be read with certainty: message and remedy as message ids, ``params`` for both."""

    def __init__(self, message: str, remedy: str, **params: Any) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.params = params


class ColumnsUnclear(InputError):
    """The document has a table, but which column holds what is not clear: a person can say it by hand."""

    code = "columns_unclear"


class ColumnsContradict(BadInputs):
    """Several columns hold the same: here too a person can say which one counts."""

    code = "columns_unclear"

    def __init__(self, problems: Sequence[BridgeError], *, file: str) -> None:
        super().__init__(problems, file=file)
