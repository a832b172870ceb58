"""The people of a lesson as registrants of its meeting: each gets an address of their own, which proves who came.

Registrants have e-mail addresses that nobody reads; what stands before the ``@`` is the attendee's opaque uid.
https://developers.zoom.us/docs/isv/workflows/join-meeting-reg/ (the address need not be a real one)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lms_bridge.core.plugins import N_, Attendee, PluginError
from lms_bridge_zoom.client import ZoomClient

BATCH = 30
"""The most people that Zoom registers in one call."""

NAME_LENGTH = 64
_UID = re.compile(r"[a-z0-9-]{4,64}")


@dataclass(frozen=True)
class Registrant:
    """A registered person: Zoom's id of the registration, and the personal address."""

    uid: str
    registrant_id: str
    join_url: str


class Registrants:
    """The registrants of meetings of one account, with addresses at ``domain``."""

    def __init__(self, client: ZoomClient, domain: str) -> None:
        self._client, self._domain = client, domain

    def known(self, meeting_id: str) -> dict[str, Registrant]:
        """Who is registered, by attendee's uid."""
        rows = self._client.rows(f"meetings/{meeting_id}/registrants", "registrants", {"status": "approved"})
        return {found.uid: found for found in map(self._registrant, rows) if found is not None}

    def register(self, meeting_id: str, attendees: Sequence[Attendee]) -> dict[str, Registrant]:
        """Register whoever is not registered yet; all of ``attendees`` by uid.

        Killed in between, or the answer lost: who was registered is found again next time.
        """
        known = self.known(meeting_id)
        missing = [attendee for attendee in attendees if attendee.uid not in known]
        for start in range(0, len(missing), BATCH):
            batch = missing[start : start + BATCH]
            answer = self._client.call(
                "POST",
                f"meetings/{meeting_id}/batch_registrants",
                json={
                    "auto_approve": True,
                    "registrants_confirmation_email": False,
                    "registrants": [
                        {"email": mail_of(a.uid, self._domain), "first_name": a.display_name[:NAME_LENGTH]}
                        for a in batch
                    ],
                },
            )
            rows = answer.get("registrants")
            for row in rows if isinstance(rows, list) else ():
                found = self._registrant(row)
                if found is not None:
                    known[found.uid] = found
            if any(attendee.uid not in known for attendee in batch):
                raise PluginError(N_("Zoom did not say where the people that it registered enter."))
        return {attendee.uid: known[attendee.uid] for attendee in attendees}

    def _registrant(self, row: Any) -> Registrant | None:
        if not isinstance(row, dict):
            return None
        uid, url = uid_of(row.get("email"), self._domain), row.get("join_url")
        if uid is None or not isinstance(url, str) or not url.startswith(("https://", "http://")):
            return None
        return Registrant(uid, str(row.get("registrant_id") or row.get("id") or ""), url)


def mail_of(uid: str, domain: str) -> str:
    """The address under which an attendee is registered."""
    return f"{uid}@{domain}"


def uid_of(mail: object, domain: str) -> str | None:
    """The attendee whose address it is; None: it is none of ours."""
    name, at, found = mail.strip().lower().partition("@") if isinstance(mail, str) else ("", "", "")
    return name if at and found == domain and _UID.fullmatch(name) else None
