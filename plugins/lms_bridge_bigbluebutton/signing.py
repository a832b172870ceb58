"""BigBlueButton's checksums: of calls, of the addresses by which people enter, and of webhooks."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import urlencode

from lms_bridge.core.plugins import WebhookRefused

BY_LENGTH = {40: "sha1", 64: "sha256", 96: "sha384", 128: "sha512"}
"""The hash that a checksum in hexadecimal is of, by its length."""


def checksum(algorithm: str, *parts: str | bytes) -> str:
    """The hash of ``parts``, one after the other, in hexadecimal."""
    joined = b"".join(part.encode() if isinstance(part, str) else part for part in parts)
    return hashlib.new(algorithm, joined, usedforsecurity=True).hexdigest()


def signed(base: str, call: str, parameters: Mapping[str, str], secret: str, algorithm: str) -> str:
    """The address of a call. The checksum is over the query as it is sent, already encoded."""
    query = urlencode(parameters)
    proof = checksum(algorithm, call, query, secret)
    return f"{base}/api/{call}?{query}{'&' if query else ''}checksum={proof}"


def proves(proof: str, secret: str, *parts: str | bytes) -> bool:
    """Whether ``proof`` is the checksum of ``parts`` and ``secret``, by the hash that its length tells."""
    algorithm = BY_LENGTH.get(len(proof))
    if algorithm is None or not secret:
        return False
    return hmac.compare_digest(checksum(algorithm, *parts, secret).encode(), proof.lower().encode("utf-8", "replace"))


def bearer(headers: Mapping[str, str]) -> str:
    """The token of an ``Authorization: Bearer`` header; "" where there is none."""
    kind, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def refused(text: str, status: int) -> WebhookRefused:
    """A refusal that is answered with ``status``."""
    refusal = WebhookRefused(text)
    refusal.answer_status = status
    return refusal
