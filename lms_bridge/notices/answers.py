"""What a channel said of a message, kept in no language: our own words are told in each reader's, those of the service
stay as they came."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lms_bridge.core.errors import BridgeError
from lms_bridge.core.kept_problems import LONGEST, kept


def kept_answer(answer: BridgeError | str) -> dict[str, Any] | None:
    """The answer as its column has it; none for nothing said."""
    if isinstance(answer, BridgeError):
        return kept(answer)
    return {"message": answer[:LONGEST]} if answer else None


def answer_of(row: Mapping[str, Any]) -> BridgeError | str:
    """The answer that was kept so."""
    if "params" not in row:
        return str(row["message"])
    return BridgeError(row["message"], remedy=row.get("remedy"), **row["params"])
