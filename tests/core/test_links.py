"""Signed links prove what we wrote ourselves, for one purpose, for a while, and once where that is wanted."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from lms_bridge.core import links
from lms_bridge.core.database import transaction

HOUR = timedelta(hours=1)


def test_a_link_carries_what_was_written_into_it(app: Flask) -> None:
    assert links.verify("sign-in", links.sign("sign-in", {"p": "abc"}), max_age=HOUR)["p"] == "abc"


def test_a_forged_link_is_refused(app: Flask) -> None:
    token = links.sign("sign-in", {"p": "abc"})
    payload, rest = token.split(".", 1)
    forged = links.sign("sign-in", {"p": "xyz"}).split(".", 1)[0]
    for bad in ("", "nonsense", token[:-2], f"{forged}.{rest}", payload, token + "A"):
        with pytest.raises(links.LinkRefused, match="not genuine"):
            links.verify("sign-in", bad, max_age=HOUR)


def test_a_link_for_another_purpose_is_refused(app: Flask) -> None:
    with pytest.raises(links.LinkRefused, match="not genuine"):
        links.verify("sign-in", links.sign("download", {"p": "abc"}), max_age=HOUR)


def test_an_old_link_is_refused(app: Flask) -> None:
    token = links.sign("sign-in", {"p": "abc"})
    with pytest.raises(links.LinkRefused, match="too old"):
        links.verify("sign-in", token, max_age=timedelta(seconds=-1))


def test_a_link_signed_with_an_earlier_key_is_good_until_that_key_is_gone(app: Flask) -> None:
    links.configure(["earlier"])
    token = links.sign("sign-in", {"p": "abc"})
    links.configure(["earlier", "newer"])
    assert links.verify("sign-in", token, max_age=HOUR)["p"] == "abc"
    links.configure(["newer"])
    with pytest.raises(links.LinkRefused, match="not genuine"):
        links.verify("sign-in", token, max_age=HOUR)


def test_a_single_use_link_opens_once(app: Flask) -> None:
    token = links.sign("sign-in", {"p": "abc"})
    with transaction():
        links.verify("sign-in", token, max_age=HOUR, once=True)
    with pytest.raises(links.LinkRefused, match="used before"), transaction():
        links.verify("sign-in", token, max_age=HOUR, once=True)


def test_a_use_that_was_rolled_back_does_not_count(app: Flask) -> None:
    token = links.sign("sign-in", {"p": "abc"})
    with pytest.raises(RuntimeError), transaction():
        links.verify("sign-in", token, max_age=HOUR, once=True)
        raise RuntimeError("the sign-in failed for another reason")
    with transaction():
        assert links.verify("sign-in", token, max_age=HOUR, once=True)["p"] == "abc"
