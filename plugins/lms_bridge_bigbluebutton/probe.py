"""What is wrong with a server's set-up, in words."""

from __future__ import annotations

from collections.abc import Iterator

from lms_bridge.core.plugins import AccessRefused, Check, CheckState, PluginContext, PluginError, gettext
from lms_bridge_bigbluebutton.client import Client
from lms_bridge_bigbluebutton.settings import Algorithm, BigBlueButtonSettings


def probe(client: Client, settings: BigBlueButtonSettings, context: PluginContext) -> Iterator[Check]:
    """Look at one server. Makes no change there."""
    title = client.server.url
    try:
        rooms = client.meetings()
    except AccessRefused as refusal:
        yield _signature(client, settings, refusal)
        return
    except PluginError as error:
        yield Check(title, CheckState.FAILED, error.text(), error.remedy_text())
        return
    detail = gettext("answers; %(rooms)s rooms with %(people)s people now", rooms=len(rooms),
                     people=sum(room.count for room in rooms))  # fmt: skip
    yield Check(title, CheckState.OK, f"{_version(client)} {detail}".strip())
    if not title.startswith("https://"):
        yield Check(
            gettext("Encryption"),
            CheckState.WARNING,
            gettext("%(address)s is not encrypted.", address=title),
            gettext("Browsers give a page without https:// neither camera nor microphone."),
        )
    yield _webhooks(client, context)


def _version(client: Client) -> str:
    try:
        return client.version()
    except PluginError:
        return ""


def _signature(client: Client, settings: BigBlueButtonSettings, refusal: AccessRefused) -> Check:
    """Which of the two is wrong: with the right secret, one of the other algorithms is taken."""
    for other in Algorithm:
        if other is settings.algorithm:
            continue
        try:
            client.call("getMeetings", algorithm=other.value)
        except AccessRefused:
            continue
        except PluginError as error:
            return Check(client.server.url, CheckState.FAILED, error.text(), error.remedy_text())
        return Check(
            client.server.url,
            CheckState.FAILED,
            gettext(
                "Signature refused: the secret is right, but the server does not take %(algorithm)s.",
                algorithm=settings.algorithm.value,
            ),
            gettext("Choose %(algorithm)s as the hash of the checksum.", algorithm=other.value),
        )
    return Check(
        client.server.url,
        CheckState.FAILED,
        gettext("Signature refused: the secret is wrong (the server takes it with none of the algorithms)."),
        gettext('Enter the secret that "bbb-conf --secret" shows on the server.'),
    )


def _webhooks(client: Client, context: PluginContext) -> Check:
    title = gettext("Webhooks")
    polls = gettext("Who comes and goes is known all the same, to ten seconds, by asking.")
    try:
        client.call("hooks/list")
    except AccessRefused:
        detail = gettext("bbb-webhooks refuses the signature, though the server itself takes it.")
        remedy = gettext("Give it the same secret and algorithms as the server has.")
        return Check(title, CheckState.WARNING, detail, f"{polls} {remedy}")
    except PluginError:
        detail = gettext("bbb-webhooks does not answer on this server.")
        remedy = gettext("Install the package bbb-webhooks to know it to the second.")
        return Check(title, CheckState.WARNING, detail, f"{polls} {remedy}")
    if not context.webhook_url.startswith("https://"):
        return Check(
            title,
            CheckState.WARNING,
            gettext("Webhooks come to an address that is not encrypted."),
            gettext("Set LMS_BRIDGE_BASE_URL to an address that begins with https://."),
        )
    return Check(
        title,
        CheckState.UNTRIED,
        gettext("bbb-webhooks is there; it sends to %(address)s once a lesson runs.", address=context.base_url),
    )
