"""Tencent Meeting's signatures: of our requests, and of its events. Pure.

https://cloud.tencent.com/document/product/1095/42413 (requests), .../51612 (events), .../54658 (encryption of events)
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK = 16


def request_signature(
    method: str, secret_id: str, secret_key: str, nonce: str, stamp: str, target: str, body: bytes
) -> str:
    """The value of ``X-TC-Signature``: Base64 of the hexadecimal *text* of the digest, not of its bytes. ``target`` is
    path and query as they are sent, ``body`` the very bytes."""
    head = f"{method}\nX-TC-Key={secret_id}&X-TC-Nonce={nonce}&X-TC-Timestamp={stamp}\n{target}\n"
    digest = hmac.new(secret_key.encode(), head.encode() + body, hashlib.sha256).hexdigest()
    return base64.b64encode(digest.encode()).decode()


def event_signature(token: str, stamp: str, nonce: str, data: str) -> str:
    """What the header ``signature`` of an event must be: SHA-1 of the four values in alphabetical order."""
    return hashlib.sha1("".join(sorted((token, stamp, nonce, data))).encode(), usedforsecurity=False).hexdigest()


def plain_text(data: str, key: str) -> bytes:
    """What was meant by ``data``: Base64, and with a ``key`` AES-256 (CBC, its first 16 bytes as the vector, PKCS#7).

    :raises ValueError: it is none, or was made with another key.
    """
    try:
        content = base64.b64decode(data, validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None
    if not key:
        return content
    if not content or len(content) % BLOCK:
        raise ValueError("not whole blocks")
    secret = base64.b64decode(key + "=")
    decryptor = Cipher(algorithms.AES(secret), modes.CBC(secret[:BLOCK])).decryptor()
    padded = decryptor.update(content) + decryptor.finalize()
    length = padded[-1]
    # Tencent's other services pad to 32 bytes.
    if not 1 <= length <= 2 * BLOCK or padded[-length:] != bytes([length]) * length:
        raise ValueError("not padded, so it was made with another key")
    return padded[:-length]


def customer_data(uid: str) -> str:
    """What a personal address carries and events bring back (https://cloud.tencent.com/document/product/1095/64850)."""
    return base64.b64encode(json.dumps({"ver": "1.0", "userData": uid}).encode()).decode()


def uid_in(found: Any) -> str | None:
    """The attendee whose address it was; None: none of ours. Events bring it back with and without the wrapping."""
    if not isinstance(found, str) or not found:
        return None
    try:
        inner = json.loads(base64.b64decode(found, validate=True))
        uid = inner["userData"] if isinstance(inner, dict) else None
    except (ValueError, KeyError):
        return None
    return uid if isinstance(uid, str) and uid.isascii() and 0 < len(uid) <= 64 else None


def decoded_name(found: str) -> str:
    """A name that came in Base64; as it is if it did not."""
    try:
        return base64.b64decode(found, validate=True).decode()
    except (ValueError, UnicodeDecodeError):
        return found
