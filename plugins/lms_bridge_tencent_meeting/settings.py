"""What the Tencent Meeting plugin must be told (settings of a provider account)."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, field_validator

from lms_bridge.core.plugins import N_

Address = Annotated[str, StringConstraints(pattern=r"^https?://[^\s?#/]+/?$", strip_whitespace=True)]
Name = Annotated[str, StringConstraints(pattern=r"^[^\s/?#%]+$", strip_whitespace=True, max_length=128)]
Digits = Annotated[str, StringConstraints(pattern=r"^\d*$", strip_whitespace=True)]


class TencentMeetingSettings(BaseModel):
    """Settings of one enterprise application."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    app_id: Digits = Field(min_length=4)
    """AppId of the enterprise."""

    sdk_id: Digits = ""
    """SdkId of the application, if it was given one."""

    secret_id: Name
    """SecretId of the application."""

    secret_key: SecretStr = Field(min_length=8)
    """SecretKey of the application."""

    event_token: SecretStr = SecretStr("")
    """Token of the event subscription. Empty: events are refused, and who is there is only asked for."""

    event_key: SecretStr = SecretStr("")
    """EncodingAESKey of the event subscription (43 characters), if its events are encrypted, as they should be."""

    hosts: list[Name] = Field(min_length=1)
    """``userid`` of the enterprise's users in whose name lessons are held. Each holds one lesson at a time, so this is
    how many lessons go on at once."""

    teachers_by_mail: bool = False
    """The ``userid`` of teachers in Tencent Meeting is their e-mail address here. Then a teacher becomes host of the
    lesson when they enter, signed in to Tencent Meeting; otherwise only whoever is signed in as the host account is."""

    address: Address = "https://api.meeting.qq.com"
    """Where Tencent Meeting's API is."""

    @field_validator("event_key")
    @classmethod
    def _whole(cls, value: SecretStr) -> SecretStr:
        """:raises ValueError: the key is not 43 characters long."""
        if len(value.get_secret_value()) not in (0, 43):
            raise ValueError(N_("An EncodingAESKey has 43 characters."))
        return value
