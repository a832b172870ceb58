"""Background work of LTI: the platforms' keys are fetched each night, so that what they withdrew is not trusted on."""

from __future__ import annotations

import sqlalchemy as sa

from lms_bridge.core.database import db
from lms_bridge.core.jobs import job
from lms_bridge.lti import key_sets
from lms_bridge.lti.models import LtiPlatform


@job("lti.key_sets", daily_at=3)
def refresh_key_sets(day: str) -> None:
    """Fetch the keys of every platform that is switched on; one that does not answer keeps what it had."""
    for platform in db.session.scalars(sa.select(LtiPlatform).where(LtiPlatform.disabled_at.is_(None))).all():
        key_sets.refresh(platform)
