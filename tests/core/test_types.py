"""Moments come back as they were stored, in UTC; secrets are unreadable in the database and survive a new key."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from flask import Flask

from lms_bridge.core import audit, crypto
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import ConfigurationError
from lms_bridge.core.models import AuditEntry
from lms_bridge.lessons.models import ProviderAccount
from lms_bridge.roster.models import OrganisationKind
from tests import builders


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=8)), timezone(timedelta(hours=-9, minutes=-30))])
def test_a_moment_is_read_back_in_utc_whatever_zone_it_was_written_in(app: Flask, zone: timezone) -> None:
    moment = datetime(2026, 11, 24, 7, 59, 59, 123456, tzinfo=zone)
    with transaction():
        audit.record("look", "thing", "1", actor_uid=None)
        db.session.flush()
        db.session.execute(sa.update(AuditEntry).values(at=moment))
    db.session.expire_all()
    stored = db.session.scalars(sa.select(AuditEntry.at)).one()
    assert stored == moment
    assert stored.tzinfo is UTC
    assert db.session.scalar(sa.select(sa.func.count()).where(AuditEntry.at <= moment)) == 1


@pytest.mark.parametrize(
    "text",
    ["2026-11-24 07:59:59", "2026-11-24 07:59:59.000000+00:00", "2026-11-24T15:59:59+08:00", "2026-11-24 07:59:59Z"],
)
def test_a_moment_that_another_tool_stored_is_read_in_utc(app: Flask, text: str) -> None:
    if db.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL stores moments, not texts")
    with transaction():
        audit.record("look", "thing", "1", actor_uid=None)
        db.session.flush()
        db.session.execute(sa.text("UPDATE audit_entry SET at = :text"), {"text": text})
    stored = db.session.scalars(sa.select(AuditEntry.at)).one()
    assert stored == datetime(2026, 11, 24, 7, 59, 59, tzinfo=UTC)
    assert stored.tzinfo is UTC


def test_a_moment_without_a_zone_is_refused(app: Flask) -> None:
    with pytest.raises(sa.exc.StatementError, match="naive"), transaction():
        db.session.execute(sa.update(AuditEntry).values(at=datetime(2026, 11, 24, 8, 0)))


def account() -> int:
    """A provider account with a secret, stored; its id."""
    with transaction():
        bureau = builders.organisation(OrganisationKind.BUREAU)
        return builders.provider_account(bureau, settings={"secret": "hunter2", "name": "会议室"}).id


def settings_of(account_id: int) -> dict[str, object]:
    """The account's settings, read afresh."""
    db.session.expire_all()
    return db.session.get_one(ProviderAccount, account_id).settings


def test_a_secret_is_unreadable_in_the_database_and_whole_when_read(app: Flask) -> None:
    number = account()
    raw = db.session.execute(sa.text("SELECT settings FROM provider_account")).scalar_one()
    assert "hunter2" not in raw
    assert "secret" not in raw
    assert settings_of(number) == {"secret": "hunter2", "name": "会议室"}


def test_a_new_key_writes_and_the_earlier_one_still_reads(app: Flask) -> None:
    earlier, newer = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    crypto.configure([earlier])
    number = account()
    crypto.configure([newer, earlier])
    assert settings_of(number)["secret"] == "hunter2"
    with transaction():
        db.session.get_one(ProviderAccount, number).settings = {"secret": "changed"}
    crypto.configure([newer])
    assert settings_of(number) == {"secret": "changed"}


def test_a_lost_key_is_said_in_words_with_the_remedy(app: Flask) -> None:
    number = account()
    crypto.configure([Fernet.generate_key().decode()])
    with pytest.raises(ConfigurationError, match="LMS_BRIDGE_ENCRYPTION_KEYS") as refusal:
        settings_of(number)
    assert "earlier key" in refusal.value.remedy_text()


def test_something_that_is_not_a_key_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="not a key"):
        crypto.configure(["hunter2"])
