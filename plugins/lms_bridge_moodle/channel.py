"""Moodle's own messages as a way to reach people: at the account that they have there."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import ClassVar

from pydantic import BaseModel

from lms_bridge.core.plugins import (
    AccessRefused,
    ChannelCapabilities,
    ChannelSession,
    Check,
    CheckState,
    MessageChannel,
    OutgoingMessage,
    PluginContext,
    PluginError,
    SendResult,
    SendState,
    TemporaryFailure,
    gettext,
)
from lms_bridge_moodle.client import MoodleClient, NoAnswer
from lms_bridge_moodle.coursework import send_message
from lms_bridge_moodle.settings import MoodleSettings

SEND = "core_message_send_instant_messages"


class MoodleSession(ChannelSession):
    """Sends one message after another as the service user."""

    def __init__(self, client: MoodleClient) -> None:
        self._client = client

    def send(self, message: OutgoingMessage) -> SendResult:
        try:
            number = send_message(self._client, message.address, f"{message.subject}\n\n{message.text}")
        except NoAnswer as error:
            # Moodle has no name for a message by which it could be looked for.
            return SendResult(SendState.UNKNOWN, error)
        except (TemporaryFailure, AccessRefused) as error:
            pause = error.retry_after if isinstance(error, TemporaryFailure) else None
            return SendResult(SendState.RETRY, error, retry_after=pause, service_down=True)
        except PluginError as refusal:
            return SendResult(SendState.REJECTED, refusal)
        return SendResult(SendState.SENT, provider_id=number)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()


class MoodleChannel(MessageChannel):
    """Messages within Moodle, and by what Moodle passes them on with: its app, mail."""

    identifier = "moodle"
    verbose_name = "Moodle"
    Settings: ClassVar[type[BaseModel]] = MoodleSettings
    capabilities = ChannelCapabilities(address_kind="account", repeat_costs=True)

    def __init__(self, settings: BaseModel, context: PluginContext) -> None:
        super().__init__(settings, context)
        assert isinstance(settings, MoodleSettings)
        self._moodle = settings

    def open(self) -> MoodleSession:
        client = MoodleClient(self._moodle)
        try:
            client.read("core_webservice_get_site_info")  # a Moodle that is down is no attempt of any message
        except AccessRefused as error:
            client.close()
            raise TemporaryFailure(error.message, remedy=error.remedy, **error.params) from None
        except PluginError:
            client.close()
            raise
        return MoodleSession(client)

    def accepts(self, address: str) -> bool:
        return address.isascii() and address.isdigit()

    def check(self) -> Sequence[Check]:
        """The token may send messages."""
        title = gettext("Messages")
        client = MoodleClient(self._moodle)
        try:
            site = client.read("core_webservice_get_site_info")
            known = {str(row["name"]) for row in site.get("functions") or ()}
        except (PluginError, KeyError, TypeError, AttributeError) as error:
            return [Check(title, CheckState.FAILED, str(error))]
        finally:
            client.close()
        if SEND in known:
            return [Check(title, CheckState.OK, gettext("the service holds the functions"))]
        detail = gettext("the token may not call %(list)s", list=SEND)
        remedy = gettext(
            "Add these functions to the external service in Moodle, and allow the role of the service user: %(list)s",
            list="moodle/site:sendmessage, moodle/site:messageanyuser",
        )
        return [Check(title, CheckState.FAILED, detail, remedy)]
