"""Whose word of an account's matters is believed: who speaks with the same one, and knows its secrets."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field, SecretStr, StringConstraints

from lms_bridge.core.partners import speaks_for


class Server(BaseModel):
    """Settings of a system with further servers, and with a token that is not needed."""

    url: Annotated[str, StringConstraints(pattern=r"^https?://.+$")]
    secret: SecretStr
    more_urls: list[Annotated[str, StringConstraints(pattern=r"^https?://.+$")]] = []
    token: SecretStr | None = None
    more: list[SecretStr] = []
    title: str = Field("", max_length=20)


class Anybody(BaseModel):
    """Settings that do not say with whom."""

    secret: SecretStr


OWN = {"url": "https://a.example", "secret": "s1", "more_urls": ["https://b.example/"], "token": None, "more": []}


@pytest.mark.parametrize(
    ("hears", "owns", "believed"),
    [
        ({}, {}, True),
        ({"url": "https://a.example/", "more_urls": ["https://b.example"], "title": "other"}, {}, True),
        ({"token": "t1"}, {}, True),
        ({}, {"token": "t1"}, False),
        ({"token": "t2"}, {"token": "t1"}, False),
        ({"more": ["m2"]}, {"more": ["m1"]}, False),
        ({"secret": "s2"}, {}, False),
        ({"secret": ""}, {"secret": ""}, False),
        ({"url": "https://c.example"}, {}, False),
        ({"more_urls": []}, {}, False),
    ],
)
def test_who_speaks_with_the_same_server_by_its_secrets_is_believed(
    hears: dict[str, Any], owns: dict[str, Any], believed: bool
) -> None:
    assert speaks_for(Server, OWN | hears, OWN | owns) is believed


def test_where_no_setting_says_with_whom_nobody_is_believed() -> None:
    assert not speaks_for(Anybody, {"secret": "s1"}, {"secret": "s1"})
