"""Structured logs without personal data: event names, opaque ids and numbers, never names, addresses or tokens.

Fields whose names look like secrets or personal data are masked even when somebody logs them by mistake.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

SENSITIVE = re.compile(r"(pass(word)?|secret|token|cookie|authori[sz]ation|e-?mail|phone|name|address)$", re.IGNORECASE)
ALLOWED = frozenset({"logger_name"})
TOKEN_IN_PATH = re.compile(r"/(j|c|sign-in/link|hooks/providers|hooks/meetings)/[^/\s?]+")


def mask(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask sensitive fields, and the tokens of personal addresses wherever they stand in a text."""
    for key, value in event.items():
        if SENSITIVE.search(key) and key not in ALLOWED:
            event[key] = "********"
        elif isinstance(value, str):
            event[key] = TOKEN_IN_PATH.sub(r"/\1/********", value)
    return event


def mask_traceback(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask the tokens in what an exception says, which is put in words only after :func:`mask`."""
    if isinstance(event.get("exception"), str):
        event["exception"] = TOKEN_IN_PATH.sub(r"/\1/********", event["exception"])
    return event


def configure(level: str, *, json: bool) -> None:
    """Send all logs to standard error, as text for people or one JSON object a line."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.PositionalArgumentsFormatter(),
        mask,
    ]
    # Tracebacks without the values of local variables, which may be a secret or somebody's name.
    renderers: list[Any] = [
        structlog.processors.format_exc_info,
        mask_traceback,
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if json
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        ),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("huey", "huey.consumer", "alembic.runtime.migration"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))
