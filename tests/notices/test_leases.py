"""A sender that is overtaken by another, because its lease ran out, leaves the rest of the messages to that one."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from lms_bridge.core import clock, jobs
from lms_bridge.core.application import current_settings
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.notices.models import Delivery, DeliveryState
from tests.notices.school import MONDAY, make_school, publish
from tests.notices.smtp_server import Received, smtp_server


class Overtaking(list[Received]):
    """What a mail server received; at the first message another sender takes all leases over, as if they had run out
    while this message was on its way."""

    def __init__(self, app: Flask) -> None:
        super().__init__()
        self._app = app

    def append(self, item: Received) -> None:
        """Keep it."""
        super().append(item)
        if len(self) == 1:
            with self._app.app_context(), transaction() as session:
                session.execute(
                    sa.update(Delivery)
                    .where(Delivery.lease_owner.is_not(None))
                    .values(lease_owner="another sender", lease_until=now() + timedelta(minutes=1))
                )


def test_only_the_message_in_flight_goes_out_twice_when_a_lease_is_lost(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with smtp_server() as server, clock.at(MONDAY):
        server.received = Overtaking(app)
        values: dict[str, Any] = {"HOST": "127.0.0.1", "PORT": server.port, "SECURITY": "none"}
        for name, value in values.items():
            monkeypatch.setenv(f"LMS_BRIDGE_SMTP_{name}", str(value))
        app.extensions["lms_bridge"] = current_settings().model_copy(update={"message_channel": "smtp"})
        publish(make_school())
        jobs.run_due()
        assert len(server.received) == 1
        with clock.at(MONDAY + timedelta(minutes=2)):
            jobs.run_due()
        copies = Counter(message.recipient for message in server.received)
        assert sorted(copies.values()) == [1, 1, 1, 2]
        assert len({message.message_id for message in server.received}) == len(copies)
    states = Counter(db.session.scalars(sa.select(Delivery.state)))
    assert states == {DeliveryState.SENT: 4, DeliveryState.NO_ADDRESS: 1}
