"""The SMTP channel against a real mail server: what each of its answers means for a message."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from lms_bridge_smtp import SmtpChannel
from lms_bridge_smtp.settings import SmtpSettings

from lms_bridge.core.i18n import use_locale
from lms_bridge.core.plugins import (
    Attachment,
    CheckState,
    OutgoingMessage,
    PluginContext,
    SendResult,
    SendState,
    TemporaryFailure,
)
from tests.notices.smtp_server import DROP, Server, smtp_server
from tests.servers import free_port

ACCEPTED = "250 2.0.0 OK queued as 4F1A2B3C"


@pytest.fixture
def server() -> Iterator[Server]:
    """A mail server that takes everything."""
    with smtp_server() as running:
        yield running


def channel(port: int, **more: object) -> SmtpChannel:
    """The channel to a server on loopback."""
    values: dict[str, object] = {"host": "127.0.0.1", "port": port, "security": "none", "timeout": 5.0} | more
    return SmtpChannel(SmtpSettings(**values), PluginContext("https://bridge.test", Path("unused")))


def message(number: int = 1, *, address: str = "parent@example.org", text: str = "您好") -> OutgoingMessage:
    """A message with everything that a message can have."""
    return OutgoingMessage(
        message_id=f"{number}@bridge.test",
        address=address,
        recipient_name="陈静",
        locale="zh-CN",
        subject="课表有变动：数学",
        text=text,
        html=f"<p>{text}</p>",
        attachments=[Attachment("calendar.ics", "text/calendar", b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "PUBLISH")],
    )


def sent(port: int, *messages: OutgoingMessage) -> list[SendResult]:
    """The results of messages sent over one session."""
    with channel(port).open() as session:
        return [session.send(one) for one in messages]


def test_an_accepted_message_arrives_whole(server: Server) -> None:
    (result,) = sent(server.port, message())
    assert result == SendResult(SendState.SENT, ACCEPTED, provider_id="4F1A2B3C")
    (received,) = server.received
    assert received.recipient == "parent@example.org"
    assert received.message_id == "1@bridge.test"
    mail = received.mail
    assert mail["Subject"] == "课表有变动：数学"
    assert mail["From"].addresses[0].addr_spec == "noreply@bridge.test"
    assert mail["To"].addresses[0].display_name == "陈静"
    assert mail["Content-Language"] == "zh-CN"
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert plain.get_content().strip() == "您好"
    assert html.get_content().strip() == "<p>您好</p>"
    (part,) = mail.iter_attachments()
    assert part["Content-Type"].params["method"] == "PUBLISH"
    assert part.get_content().splitlines() == ["BEGIN:VCALENDAR", "END:VCALENDAR"]


def test_lines_that_begin_with_a_dot_arrive_as_they_were_written(server: Server) -> None:
    text = ".\n..two\n.end"
    sent(server.port, message(text=text))
    body = server.received[0].mail.get_body(("plain",))
    assert body is not None
    assert body.get_content().splitlines() == text.splitlines()


def test_many_messages_go_over_one_connection_up_to_its_share(server: Server) -> None:
    with channel(server.port, messages_per_connection=2).open() as session:
        results = [session.send(message(number)) for number in range(5)]
    assert {result.state for result in results} == {SendState.SENT}
    assert [received.message_id for received in server.received] == [f"{n}@bridge.test" for n in range(5)]
    assert server.connections == 3


@pytest.mark.parametrize("answer", ["451 4.7.1 Greylisted, come back later", "450 4.2.0 Mailbox busy"])
def test_not_now_for_one_recipient_means_try_again_and_holds_nobody_else_up(server: Server, answer: str) -> None:
    server.faults.rcpt = [answer]
    first, second = sent(server.port, message(1), message(2))
    assert first == SendResult(SendState.RETRY, answer)
    assert second.state is SendState.SENT


def test_not_now_for_the_content_means_try_again(server: Server) -> None:
    server.faults.data = ["452 4.3.1 Out of space"]
    first, second = sent(server.port, message(1), message(2))
    assert (first.state, first.service_down) == (SendState.RETRY, False)
    assert second.state is SendState.SENT


def test_a_full_mailbox_is_tried_again_and_its_address_stays_good(server: Server) -> None:
    server.faults.rcpt = ["552 5.2.2 Mailbox full"]
    (result,) = sent(server.port, message())
    assert (result.state, result.address_bad) == (SendState.RETRY, False)


@pytest.mark.parametrize(
    ("answer", "bad"),
    [
        ("550 5.1.1 No such user", True),
        ("550 No such user here", True),
        ("553 5.1.3 Bad address", True),
        ("550 5.7.1 Refused by policy", False),
        ("554 5.7.1 Blocked", False),
    ],
)
def test_never_for_a_recipient_says_whether_the_address_is_at_fault(server: Server, answer: str, bad: bool) -> None:
    server.faults.rcpt = [answer]
    first, second = sent(server.port, message(1), message(2))
    assert first == SendResult(SendState.REJECTED, answer, address_bad=bad)
    assert second.state is SendState.SENT


def test_never_for_the_content_does_not_blame_the_address(server: Server) -> None:
    server.faults.data = ["554 5.6.0 Looks like spam"]
    (result,) = sent(server.port, message())
    assert (result.state, result.address_bad) == (SendState.REJECTED, False)


def test_a_malformed_address_is_refused_without_asking_the_server(server: Server) -> None:
    first, second = sent(server.port, message(1, address="nobody"), message(2))
    assert (first.state, first.address_bad) == (SendState.REJECTED, True)
    assert second.state is SendState.SENT
    assert len(server.received) == 1


def test_a_sender_that_the_server_refuses_is_no_fault_of_any_message(server: Server) -> None:
    server.faults.mail = ["550 5.7.1 Not your domain"]
    (result,) = sent(server.port, message())
    assert (result.state, result.service_down) == (SendState.RETRY, True)


def test_a_kept_connection_that_the_server_closed_is_opened_again_for_the_same_message(server: Server) -> None:
    with channel(server.port).open() as session:
        first = session.send(message(1))
        server.faults.mail = [DROP]
        second = session.send(message(2))
    assert (first.state, second.state) == (SendState.SENT, SendState.SENT)
    assert [received.message_id for received in server.received] == ["1@bridge.test", "2@bridge.test"]


def test_an_answer_lost_after_the_message_leaves_it_uncertain(server: Server) -> None:
    server.faults.drop_after_data = 1
    first, second = sent(server.port, message(1), message(2))
    assert first.state is SendState.UNKNOWN
    assert second.state is SendState.SENT
    assert len(server.received) == 2


def test_a_server_that_answers_too_slowly_leaves_it_uncertain(server: Server) -> None:
    server.faults.slow = 1.0
    with channel(server.port, timeout=0.3).open() as session:
        assert session.send(message()).state is SendState.UNKNOWN


def test_a_server_that_is_down_is_said_at_once_and_later_while_sending() -> None:
    with pytest.raises(TemporaryFailure, match="nothing listens at this address"):
        channel(free_port()).open()
    with smtp_server() as server:
        session = channel(server.port, messages_per_connection=1).open()
        assert session.send(message(1)).state is SendState.SENT
    with session:
        result = session.send(message(2))
    assert (result.state, result.service_down) == (SendState.RETRY, True)


def test_it_refuses_to_send_unprotected_where_protection_is_wanted(server: Server) -> None:
    with pytest.raises(TemporaryFailure):
        channel(server.port, security="starttls").open()
    assert server.received == []


def test_its_check_says_in_words_whether_the_server_can_be_used(server: Server) -> None:
    (check,) = channel(server.port).check()
    assert (check.state, check.detail) == (CheckState.OK, f"127.0.0.1:{server.port}")
    port = free_port()
    (check,) = channel(port).check()
    assert check.state is CheckState.FAILED
    assert f"127.0.0.1:{port}" in check.detail
    assert "LMS_BRIDGE_SMTP_HOST" in check.remedy
    assert server.received == []


@pytest.mark.parametrize(
    ("port", "more", "words"),
    [
        (0, {}, "这个地址上没有服务"),
        (None, {"security": "starttls"}, "不提供加密连接"),
        (None, {"user": "bridge", "password": "x"}, "不支持登录"),
        (None, {"ca_file": "/nowhere.pem"}, "无法读取"),
    ],
    ids=["down", "no TLS", "no sign-in", "no CA file"],
)
def test_why_it_cannot_be_used_is_said_in_the_reader_s_language(
    server: Server, port: int | None, more: dict[str, object], words: str
) -> None:
    with pytest.raises(TemporaryFailure) as failed:
        channel(free_port() if port == 0 else server.port, **more).open()
    with use_locale("zh-CN"):
        assert words in failed.value.text()
    with use_locale("en"):
        assert failed.value.text().isascii()


def test_its_own_words_of_a_message_are_told_in_the_reader_s_language(server: Server) -> None:
    server.faults.drop_after_data = 1
    lost, malformed = sent(server.port, message(1), message(2, address="nobody"))
    with use_locale("zh-CN"):
        assert str(lost.answer) == "邮件服务器收到消息后没有应答：消息可能已经送达。"
        assert str(malformed.answer) == "地址格式不正确。"
