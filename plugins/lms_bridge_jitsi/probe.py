"""What a Jitsi deployment still lacks, in words, and what to do about it."""

from __future__ import annotations

import secrets
from datetime import timedelta

from lms_bridge.core.plugins import (
    N_,
    Attendee,
    Check,
    CheckState,
    PluginContext,
    PluginError,
    RoomRole,
    gettext,
    now,
)
from lms_bridge_jitsi import tokens
from lms_bridge_jitsi.door import Door
from lms_bridge_jitsi.settings import JitsiSettings

NOBODY = Attendee("lms-bridge-check", "LMS Bridge", RoomRole.PARTICIPANT, "en")

REASONS = (
    ("signature", N_("Signature refused: wrong secret or wrong algorithm.")),
    ("incorrect alg", N_("Signature refused: wrong algorithm (signature_algorithm in Prosody's configuration).")),
    ("RS family", N_("Signature refused: this Prosody takes only RS256.")),
    ("'kid'", N_("Prosody wants to know the name of the key.")),
    ("public key", N_("Prosody does not find the public key at its asap_key_server.")),
    ("iss", N_("Name of the application refused (app_id in Prosody's configuration).")),
    ("aud", N_("Audience refused (asap_accepted_audiences in Prosody's configuration).")),
    ("by exp", N_("Token refused as expired: the clock of Jitsi or of LMS Bridge is wrong.")),
)
"""Parts of Prosody's reasons, and what they mean."""


def probe(settings: JitsiSettings, door: Door, context: PluginContext) -> list[Check]:
    """Look at the address, at what Prosody says to a good token and to none, and name what cannot be seen from here."""
    checks = [_address(settings)]
    title = gettext("Jitsi lets people in with a token")
    room = f"lms-bridge-check-{secrets.token_hex(8)}"
    token = tokens.sign(settings, room, tokens.person(NOBODY), now() + timedelta(minutes=5))
    try:
        refused = door.knock(room, token)
        without = door.knock(room, None)
    except PluginError as error:
        return [*checks, Check(title, CheckState.FAILED, error.text(), error.remedy_text())]
    if refused is None:
        checks.append(Check(title, CheckState.OK, gettext("Prosody took a token of LMS Bridge.")))
    else:
        checks.append(Check(title, CheckState.FAILED, _words(refused), _remedy(settings)))
    title = gettext("Jitsi lets nobody in without a token")
    if without is None:
        checks.append(
            Check(
                title,
                CheckState.FAILED,
                gettext("Whoever knows the address of a room comes in, under any name."),
                gettext('Set authentication = "token" in Prosody, and no allow_empty_token (docs/providers/jitsi.md).'),
            )
        )
    else:
        checks.append(Check(title, CheckState.OK))
    return [*checks, *_public_key(settings), _moderators(), _events(settings, context)]


def _address(settings: JitsiSettings) -> Check:
    title = gettext("Address of Jitsi Meet")
    if settings.url.startswith("https://"):
        return Check(title, CheckState.OK, settings.url)
    return Check(
        title,
        CheckState.WARNING,
        gettext("%(address)s is not encrypted; browsers give no camera or microphone to it.", address=settings.url),
        gettext("Give Jitsi a certificate, and write an address that begins with https://."),
    )


def _words(reason: str) -> str:
    for part, meaning in REASONS:
        if part in reason:
            return f"{gettext(meaning)} ({reason})"
    return reason


def _remedy(settings: JitsiSettings) -> str:
    if settings.algorithm.shared:
        return gettext("Compare the settings with app_id and app_secret in Prosody's configuration.")
    return gettext(
        "Put the public key where asap_key_server points to, as %(file)s.", file=tokens.key_file(settings.key_id)
    )


def _public_key(settings: JitsiSettings) -> list[Check]:
    if settings.algorithm.shared:
        return []
    return [Check(gettext("File of the public key"), CheckState.OK, tokens.key_file(settings.key_id))]


def _moderators() -> Check:
    return Check(
        gettext("Only teachers are moderators"),
        CheckState.UNTRIED,
        gettext("This cannot be seen from here: without token_affiliation every bearer of a token is a moderator."),
        gettext(
            'Add "token_affiliation" to the modules of the conference component, set enable-auto-owner to false in '
            "Jicofo (docs/providers/jitsi.md), and try it once as a student."
        ),
    )


def _events(settings: JitsiSettings, context: PluginContext) -> Check:
    title = gettext("Who is in a room")
    if settings.events_token is None:
        return Check(
            title,
            CheckState.WARNING,
            gettext("LMS Bridge does not see who is in a room; only who went through its door."),
            gettext("Set up event_sync in Prosody (docs/providers/jitsi.md), and enter its token here."),
        )
    return Check(
        title,
        CheckState.UNTRIED,
        gettext("Seen at the first lesson, if event_sync in Prosody sends to LMS Bridge."),
        gettext('In Prosody: api_prefix = "%(address)s"', address=context.webhook_url)
        if context.webhook_url
        else gettext("Save these settings; then its api_prefix is shown here."),
    )
