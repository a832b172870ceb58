"""Messages through the LMS: to the accounts of people who were recognised there, by the account that may."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask

from lms_bridge.core import jobs
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import Conflict
from lms_bridge.core.plugins import OutgoingMessage, SendState
from lms_bridge.notices.addressing import Route, routes
from lms_bridge.notices.channels import Channels, make_channel
from lms_bridge.notices.models import Delivery, DeliveryState
from lms_bridge.roster.models import ContactKind, ContactPoint
from lms_bridge.sync import accounts, parts
from lms_bridge.sync.models import RunKind
from tests.contracts.moodle_server import TOKEN, Fault, sample
from tests.sync.conftest import World

SEND = "core_message_send_instant_messages"
MESSAGE = OutgoingMessage("id@bridge.test", "11", "王小", "zh-CN", "课改到九点", "见 https://bridge.test/l/x。")


@pytest.fixture
def sender(app: Flask, world: World) -> World:
    """People are recognised, and the installation sends by Moodle first, else into the mailbox folder."""
    app.extensions["lms_bridge"] = app.extensions["lms_bridge"].model_copy(
        update={"message_channel": "moodle, mailbox"}
    )
    world.run(RunKind.ROSTER)
    with transaction():
        parts.choose(world.account, {"sends_messages": True}, actor_uid=None)
    return world


def numbers() -> list[str]:
    """The accounts there that messages may go to."""
    return sorted(
        db.session.scalars(
            sa.select(ContactPoint.address).where(
                ContactPoint.kind == ContactKind.ACCOUNT, ContactPoint.valid_to.is_(None)
            )
        )
    )


def test_a_moved_lesson_is_told_in_moodle_and_by_mail_to_those_who_are_not_there(sender: World) -> None:
    jobs.run_due()
    told = len(sender.moodle.calls(SEND))
    sender.change([sender.system.a.lesson], days=1)
    jobs.run_due()
    calls = sender.moodle.calls(SEND)[told:]
    people = [message["touserid"] for call in calls for message in call["messages"]]
    assert sorted(people) == ["11", "12", "14"]  # the students, and their teacher
    assert '<a href="http' in calls[0]["messages"][0]["text"]
    channels = db.session.scalars(sa.select(Delivery.channel).where(Delivery.state == DeliveryState.SENT)).all()
    assert {"moodle", "mailbox"} <= set(channels)


def test_addresses_follow_whom_moodle_knows_and_end_with_the_part(sender: World) -> None:
    assert numbers() == ["11", "12", "13", "14"]
    sender.run(RunKind.ROSTER)
    assert numbers() == ["11", "12", "13", "14"]
    student, guardian = sender.system.a.students[0].id, sender.system.a.guardians[0].id
    found = routes([student, guardian], Channels())
    assert isinstance(found[student], Route)
    assert isinstance(found[guardian], Route)
    assert (found[student].channel, found[guardian].channel) == ("moodle", "mailbox")
    with transaction():
        parts.choose(sender.account, {"sends_messages": False}, actor_uid=None)
    assert numbers() == []
    with transaction():
        parts.choose(sender.account, {"sends_messages": True}, actor_uid=None)
    assert numbers() == ["11", "12", "13", "14"]


def test_only_one_account_of_a_kind_sends(sender: World) -> None:
    with transaction():
        settings = {"url": "http://other-moodle.test", "token": TOKEN}
        other = accounts.connect(sender.system.a.campus, "moodle", name="Other", settings=settings, actor_uid=None)
    with transaction(), pytest.raises(Conflict, match="already"):
        parts.choose(other, {"sends_messages": True}, actor_uid=None)


@pytest.mark.parametrize(
    ("fault", "state", "down"),
    [
        (Fault("", 503), SendState.RETRY, True),
        (Fault(drop=True, after=True), SendState.UNKNOWN, False),
        (Fault.saying(sample("message_nocap")), SendState.REJECTED, False),
        (Fault.saying(sample("err_invalid_token")), SendState.RETRY, True),
    ],
    ids=["down", "lost answer", "not allowed", "revoked"],
)
def test_what_became_of_a_message_is_told_apart(sender: World, fault: Fault, state: SendState, down: bool) -> None:
    sender.moodle.faults[SEND] = [fault]
    with make_channel("moodle").open() as session:
        result = session.send(MESSAGE)
        assert (result.state, result.service_down) == (state, down)
        assert TOKEN not in str(result.answer)
        assert session.send(MESSAGE).state is SendState.SENT
