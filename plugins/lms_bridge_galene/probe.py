"""What a Galene server still lacks, in words, and what to do about it."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from lms_bridge.core.plugins import Check, CheckState, PluginError, gettext
from lms_bridge_galene.api import GaleneApi
from lms_bridge_galene.settings import GaleneSettings


def probe(settings: GaleneSettings, api: GaleneApi, try_group: Callable[[str], None]) -> list[Check]:
    """Look at the address, the administrator's rights, and a group that is made, entered and taken away."""
    checks = [_address(settings)]
    title = gettext("Administrator of Galene")
    try:
        api.people()
        api.groups()
    except PluginError as error:
        return [*checks, Check(title, CheckState.FAILED, error.text(), error.remedy_text())]
    checks.append(Check(title, CheckState.OK, settings.username or gettext("Let in by a token.")))
    title = gettext("A group can be made and entered")
    try:
        try_group(f"{settings.folder}/check-{secrets.token_hex(8)}")
    except PluginError as error:
        checks.append(Check(title, CheckState.FAILED, error.text(), error.remedy_text()))
    else:
        checks.append(
            Check(title, CheckState.OK, gettext("A group was made, entered by the observer, and taken away again."))
        )
    return checks


def _address(settings: GaleneSettings) -> Check:
    title = gettext("Address of Galene")
    if settings.url.startswith("https://"):
        return Check(title, CheckState.OK, settings.url)
    return Check(
        title,
        CheckState.WARNING,
        gettext("%(address)s is not encrypted; browsers give no camera or microphone to it.", address=settings.url),
        gettext("Give Galene a certificate, and write an address that begins with https://."),
    )
