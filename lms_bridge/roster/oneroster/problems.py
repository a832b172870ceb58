"""What is wrong in a roster file, collected so that every bad row is named at once."""

from __future__ import annotations

from typing import Any

from lms_bridge.core.errors import BadInputs, BridgeError, InputError, Place
from lms_bridge.core.i18n import N_

SHOWN = 1000
VALUE_LENGTH = 80


class Problems:
    """Collects refusals; the first :data:`SHOWN` are kept whole, the others counted."""

    def __init__(self, archive_name: str) -> None:
        self.archive_name = archive_name
        self.listed: list[BridgeError] = []
        self.count = 0
        self._spoiled: dict[str, set[str]] = {}

    def spoil(self, file: str, key: str) -> None:
        """The row ``key`` of ``file`` is wrong and was named: references to it need no further word."""
        self._spoiled.setdefault(file, set()).add(key)

    def is_spoiled(self, file: str, key: str) -> bool:
        """Whether the row ``key`` of ``file`` was named as wrong."""
        return key in self._spoiled.get(file, ())

    def add(
        self,
        message: str,
        *,
        file: str,
        row: int | None = None,
        column: str | None = None,
        value: str | None = None,
        remedy: str | None = None,
        **params: Any,
    ) -> None:
        """Note one problem: what (a message id), where, what stood there, and what would be right."""
        self.count += 1
        if self.count > SHOWN:
            return
        if value is not None and len(value) > VALUE_LENGTH:
            value = value[: VALUE_LENGTH - 1] + "…"
        place = Place(file=file, row=row, column=column, value=value)
        self.listed.append(InputError(message, place=place, remedy=remedy, **params))

    def refuse_if_any(self) -> None:
        """Pass silently, or:

        :raises BadInputs: with every problem that was noted; its last entry says how many more there are.
        """
        if not self.count:
            return
        listed = list(self.listed)
        if self.count > SHOWN:
            listed.append(
                InputError(
                    N_("%(more)s more problems are not listed."),
                    remedy=N_("Mend those above and try again."),
                    more=self.count - SHOWN,
                )
            )
        refusal = BadInputs(listed, file=self.archive_name)
        refusal.params["count"] = self.count
        raise refusal
