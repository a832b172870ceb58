"""Refusals for programs: ``application/problem+json`` (RFC 9457), one shape for all of ``/api``."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify
from werkzeug.http import HTTP_STATUS_CODES

from lms_bridge.core.errors import BadInputs, BridgeError

MEDIA_TYPE = "application/problem+json"


def refusal(error: BridgeError) -> Response:
    """A refusal with its place and remedy; where there are several problems, each is in ``errors``."""
    problems = error.problems if isinstance(error, BadInputs) else [error]
    return problem(error.status, error.text(), code=error.code, errors=[said(one) for one in problems])


def said(error: BridgeError) -> dict[str, Any]:
    """One problem: code, message, remedy, and file, table, row, column as far as they are known."""
    whole = error.as_dict()
    place = whole.pop("place") or {}
    return {**whole, **place}


def problem(status: int, detail: str, **more: Any) -> Response:
    """A problem document; ``more`` are its extension members."""
    answer = jsonify(
        type="about:blank", title=HTTP_STATUS_CODES.get(status, "Error"), status=status, detail=detail, **more
    )
    answer.status_code = status
    answer.content_type = MEDIA_TYPE
    return answer
