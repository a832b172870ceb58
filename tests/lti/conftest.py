"""An LMS that is registered for campus A, and the way through login and launch as a browser goes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from lms_bridge.core.database import transaction
from lms_bridge.core.models import ExternalId
from lms_bridge.lti import known, platforms
from lms_bridge.lti.models import LtiPlatform
from lms_bridge.roster.models import Person
from tests.builders import SchoolSystem, added, small_system
from tests.lti.lms import DEPLOYMENT, TOOL, Lms, running

WINDOW = {"Sec-Fetch-Dest": "document", "Accept-Language": "en"}
FRAME = {"Sec-Fetch-Dest": "iframe", "Accept-Language": "en"}
OURS = FRAME | {"Origin": TOOL}


@pytest.fixture
def lms() -> Iterator[Lms]:
    """The LMS on loopback."""
    with running() as found:
        yield found


@dataclass
class World:
    """Campus A, its LMS, and one browser."""

    system: SchoolSystem
    lms: Lms
    platform: LtiPlatform
    client: FlaskClient
    asked: dict[str, str] = field(default_factory=dict)

    def login(
        self, *, headers: dict[str, str] = WINDOW, client: FlaskClient | None = None, **more: str
    ) -> TestResponse:
        """The LMS opens our login; what we ask the LMS then is kept in ``asked``."""
        client = client or self.client
        known.forget()  # as if the moment had passed in which a change is not yet seen
        answer = client.post("/lti/login", data=self.lms.announcement(**more), headers=headers)
        if answer.status_code == 302:
            self.asked = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))
        return answer

    def launch(
        self, token: str | None = None, *, state: str | None = None, headers: dict[str, str] = WINDOW,
        client: FlaskClient | None = None, more: dict[str, str] | None = None, **claims: Any,
    ) -> TestResponse:  # fmt: skip
        """The browser comes back with ``token``, by default a genuine one with ``claims``."""
        token = token if token is not None else self.lms.signed(self.lms.claims(self.asked["nonce"], **claims))
        sent = {"state": state if state is not None else self.asked["state"], "id_token": token} | (more or {})
        return (client or self.client).post("/lti/launch", data=sent, headers=headers)


def known_as(person: Person, sourcedid: str) -> None:
    """The roster calls a person so."""
    added(ExternalId(entity="person", entity_id=person.id, system="oneroster:sis", key=sourcedid))


def lis(sourcedid: str, course: str = "") -> dict[str, Any]:
    """The claim in which an LMS repeats the roster's identifiers."""
    from lms_bridge.lti.claims import CLAIM

    return {f"{CLAIM}lis": {"person_sourcedid": sourcedid, "course_section_sourcedid": course}}


@pytest.fixture
def world(app: Flask, client: FlaskClient, lms: Lms) -> World:
    """The school, with its teacher and first student known by the roster's identifiers."""
    system = small_system()
    with transaction():
        found = platforms.Registered(**lms.registration, deployments=(DEPLOYMENT,))
        platform = platforms.add(found, system.a.campus.id, actor_uid=None)
        known_as(system.a.teacher, "T1")
        known_as(system.a.students[0], "S1")
    return World(system, lms, platform, client)
