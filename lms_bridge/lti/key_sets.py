"""The platforms' public keys: kept in the database, fetched again when a launch names one that is not known.

Only one process fetches at a time, and not more often than every :data:`PAUSE`, so that tokens with invented key ids
cannot make us knock at a platform. Whoever comes meanwhile waits a moment for the one that fetches.
"""

from __future__ import annotations

import functools
import json
import logging
import time
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import RSAAlgorithm

from lms_bridge.core.clock import now
from lms_bridge.core.database import after_commit, db, transaction
from lms_bridge.core.errors import BridgeError
from lms_bridge.core.i18n import N_
from lms_bridge.lti.errors import ASK, LtiRefused
from lms_bridge.lti.known import Known, forget
from lms_bridge.lti.models import LtiPlatform
from lms_bridge.lti.requests_out import IN_A_PAGE_SECONDS, READ_SECONDS, ask

log = logging.getLogger(__name__)

PAUSE = timedelta(seconds=30)
MOST_KEYS = 20
LEAST_BITS = 2048
WAITS = 20
WAIT_SECONDS = 0.25


def key_for(platform: Known, kid: str) -> RSAPublicKey:
    """The platform's key ``kid``, looked up in what is kept, else fetched. Call it outside of a transaction.

    :raises LtiRefused: the platform does not publish that key, or cannot be asked now.
    """
    found = _find(platform.key_set, kid)
    if found is None:
        found = _looked_for(platform.id, kid)
    if found is None:
        raise LtiRefused(
            "unknown_kid",
            N_("%(platform)s signed this with a key that it does not publish."),
            remedy=N_("Wait half a minute, then open the activity again; if it stays, compare the key set address."),
            platform=platform.name,
        )
    return _parsed(json.dumps(found, sort_keys=True))


def _looked_for(platform_id: int, kid: str) -> dict[str, str] | None:
    """The key as the database has it by now, else as the platform itself says."""
    row = db.session.get(LtiPlatform, platform_id, populate_existing=True)
    found = _find(row.key_set, kid) if row is not None else None
    if row is None or found is not None:
        return found
    if _may_fetch(platform_id):
        _fetch(row, IN_A_PAGE_SECONDS)
    else:
        _wait_for_another(row, kid)
    return _find(row.key_set, kid)


def refresh(platform: LtiPlatform) -> bool:
    """Fetch the keys now (a job, or after a registration); whether it worked. What is kept stays if it did not."""
    return _fetch(platform, READ_SECONDS)


def _may_fetch(platform_id: int) -> bool:
    """Whether this process is the one that fetches now; decided in the database, for all processes alike."""
    moment = now()
    with transaction() as session:
        won = session.scalar(
            sa.update(LtiPlatform)
            .where(
                LtiPlatform.id == platform_id,
                sa.or_(LtiPlatform.key_set_tried_at.is_(None), LtiPlatform.key_set_tried_at < moment - PAUSE),
            )
            .values(key_set_tried_at=moment)
            .returning(LtiPlatform.id)
            .execution_options(synchronize_session=False)
        )
    return won is not None


def _fetch(platform: LtiPlatform, seconds: float) -> bool:
    usable = _published(platform, seconds)
    if usable or platform.key_set is None:
        # No keys are kept, too, if there were none: whoever waits for this fetch sees that it is over.
        with transaction():
            platform.key_set = {"keys": usable}
            after_commit(forget)
    return bool(usable)


def _published(platform: LtiPlatform, seconds: float) -> list[dict[str, Any]]:
    try:
        body = ask("GET", platform.key_set_url, seconds=seconds).body
    except BridgeError as error:
        log.warning("lti: keys of platform %s not fetched: %s", platform.uid, error.code)
        return []
    keys = body.get("keys") if isinstance(body, dict) else None
    usable = [key for key in keys if _usable(key)][:MOST_KEYS] if isinstance(keys, list) else []
    if not usable:
        log.warning("lti: platform %s publishes no usable keys", platform.uid)
    return usable


def _wait_for_another(platform: LtiPlatform, kid: str) -> None:
    """While another process fetches (it began a few seconds ago at most), look whether it is done."""
    for _ in range(WAITS):
        db.session.refresh(platform, ["key_set", "key_set_tried_at"])
        begun = platform.key_set_tried_at
        if _find(platform.key_set, kid) is not None or begun is None:
            return
        if now() - begun > timedelta(seconds=IN_A_PAGE_SECONDS + 1):
            return
        if platform.key_set is not None:
            return  # It is known by now that the platform's set lacks this key.
        db.session.rollback()
        time.sleep(WAIT_SECONDS)


def _usable(key: Any) -> bool:
    """A public RSA key for signatures: nothing else is ever tried (https://www.rfc-editor.org/rfc/rfc8725, 3.1)."""
    return (
        isinstance(key, dict)
        and key.get("kty") == "RSA"
        and key.get("use", "sig") == "sig"
        and key.get("alg", "RS256") == "RS256"
        and all(isinstance(key.get(name), str) for name in ("kid", "n", "e"))
    )


def _find(key_set: dict[str, Any] | None, kid: str) -> dict[str, str] | None:
    for key in (key_set or {}).get("keys", []):
        if key["kid"] == kid:
            return {"kty": "RSA", "n": key["n"], "e": key["e"]}
    return None


@functools.lru_cache(maxsize=256)
def _parsed(jwk: str) -> RSAPublicKey:
    try:
        key = RSAAlgorithm.from_jwk(jwk)
        good = isinstance(key, RSAPublicKey) and key.key_size >= LEAST_BITS
    except (ValueError, TypeError, KeyError):
        good = False
    if not good:
        raise LtiRefused("weak_key", N_("The LMS signed this with a key that is too short or broken."), remedy=ASK)
    assert isinstance(key, RSAPublicKey)
    return key
