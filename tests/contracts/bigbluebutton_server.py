"""A loopback server that answers as BigBlueButton does: rooms, the people inside, bbb-webhooks and recordings.

https://docs.bigbluebutton.org/development/api/ and /webhooks/; bbb-webhooks as its code does it (src/out/webhooks).
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape
from itertools import count
from urllib.parse import urlencode

from tests.contracts.json_api import Answer, Asked, JsonApi

SECRET = "639259d4-9dd8-4b25-bf01-95f9567eaf4b"
BY_LENGTH = {40: "sha1", 64: "sha256", 96: "sha384", 128: "sha512"}


@dataclass
class Inside:
    """A person in a room, by one window."""

    internal_id: str
    user_id: str
    name: str
    role: str
    hidden: bool


@dataclass
class Meeting:
    """A room."""

    wanted: dict[str, str]
    created: int
    forcibly_ended: bool = False
    inside: dict[str, Inside] = field(default_factory=dict)

    @property
    def meeting_id(self) -> str:
        return self.wanted["meetingID"]

    @property
    def internal_id(self) -> str:
        return f"{hashlib.sha1(self.meeting_id.encode()).hexdigest()}-{self.created}"


class BigBlueButton(JsonApi):
    """One server and what it holds."""

    def __init__(self, secret: str = SECRET) -> None:
        super().__init__()
        self.secret = secret
        self.algorithms = {"sha1", "sha256", "sha384", "sha512"}
        self.meetings: dict[str, Meeting] = {}
        self.has_webhooks = True
        self.hooks: dict[str, dict[str, str]] = {}
        self.hook_algorithm = "sha1"
        self.hook_bearer = False
        self.recordings: list[dict[str, str]] = []
        self._numbers = count(1)

    # --- the API -----------------------------------------------------------------------------------------------------

    def answer(self, asked: Asked) -> Answer:
        call = asked.path.removeprefix("/bigbluebutton/api").strip("/")
        if not asked.path.startswith("/bigbluebutton/api"):
            return Answer(404, "<html>nothing here</html>")
        if not call:
            return ok("<version>2.0</version><apiVersion>2.0</apiVersion><bbbVersion>3.0.19</bbbVersion>")
        if call.startswith("hooks/") and not self.has_webhooks:
            return Answer(404, "<html>nothing here</html>")
        if not self._signed(call, asked):
            return failed("checksumError", "You did not pass the checksum security check")
        ways = {
            "create": self._create, "join": self._join, "end": self._end, "getMeetings": self._get_meetings,
            "getMeetingInfo": self._get_meeting_info, "hooks/create": self._hook_create,
            "hooks/list": self._hook_list, "getRecordings": self._get_recordings,
        }  # fmt: skip
        way = ways.get(call)
        return way(asked.query) if way is not None else failed("unsupportedRequest", "This request is not supported.")

    def _signed(self, call: str, asked: Asked) -> bool:
        proof = asked.query.get("checksum", "")
        algorithm = BY_LENGTH.get(len(proof))
        if algorithm not in self.algorithms:
            return False
        query = asked.target.partition("?")[2].replace(f"&checksum={proof}", "").replace(f"checksum={proof}", "")
        return hashlib.new(algorithm, (call + query + self.secret).encode()).hexdigest() == proof

    def _create(self, query: dict[str, str]) -> Answer:
        wanted = {name: value for name, value in query.items() if name != "checksum"}
        if not 2 <= len(wanted.get("name", "")) <= 64 or not 2 <= len(wanted.get("meetingID", "")) <= 256:
            return failed("validationError", "name or meetingID is missing, too short or too long")
        for name in ("record", "muteOnStart", "meetingKeepEvents"):
            if wanted.get(name, "true") not in ("true", "false"):
                return failed("validationError", f"{name} must be a boolean")
        known = self.meetings.get(wanted["meetingID"])
        if known is None:
            meeting = Meeting(wanted, int(time.time() * 1000) + next(self._numbers))
            self.meetings[meeting.meeting_id] = meeting
            return ok(self._description(meeting))
        if known.wanted != wanted:
            return failed("idNotUnique", "A meeting already exists with that meeting ID.")
        return ok(self._description(known) + "<messageKey>duplicateWarning</messageKey>")

    def _join(self, query: dict[str, str]) -> Answer:
        meeting = self.meetings.get(query.get("meetingID", ""))
        if meeting is None:
            return failed("invalidMeetingIdentifier", "The meeting ID that you supplied did not match any.")
        if "createTime" in query and query["createTime"] != str(meeting.created):
            return failed("mismatchCreateTimeParam", "The createTime parameter mismatches with the current meeting.")
        if meeting.forcibly_ended:
            return failed("meetingForciblyEnded", "You can not re-join a meeting that has already been ended.")
        if not query.get("fullName", "").strip() or query.get("role") not in ("MODERATOR", "VIEWER"):
            return failed("missingParamFullName", "You must specify a name and a role.")
        internal = f"w_{next(self._numbers):012}"
        meeting.inside[internal] = Inside(
            internal, query.get("userID", internal), query["fullName"], query["role"],
            query.get("excludeFromDashboard") == "true",
        )  # fmt: skip
        return Answer(302, "", {"Location": f"/html5client/?sessionToken={internal}"})

    def _end(self, query: dict[str, str]) -> Answer:
        if self.meetings.pop(query.get("meetingID", ""), None) is None:
            return failed("notFound", "We could not find a meeting with that meeting ID.")
        return ok("<messageKey>sentEndMeetingRequest</messageKey>")

    def _get_meetings(self, query: dict[str, str]) -> Answer:
        if not self.meetings:
            return ok("<meetings/><messageKey>noMeetings</messageKey><message>no meetings were found</message>")
        rooms = "".join(f"<meeting>{self._description(one)}</meeting>" for one in self.meetings.values())
        return ok(f"<meetings>{rooms}</meetings>")

    def _get_meeting_info(self, query: dict[str, str]) -> Answer:
        meeting = self.meetings.get(query.get("meetingID", ""))
        if meeting is None:
            return failed("notFound", "We could not find a meeting with that meeting ID.")
        return ok(self._description(meeting))

    def _description(self, meeting: Meeting) -> str:
        people = "".join(
            f"<attendee><userID>{escape(one.user_id)}</userID><fullName>{escape(one.name)}</fullName>"
            f"<role>{one.role}</role><isPresenter>false</isPresenter></attendee>"
            for one in meeting.inside.values()
        )
        # Names of metadata come back in lower case.
        meta = "".join(
            f"<{name[5:].lower()}>{escape(value)}</{name[5:].lower()}>"
            for name, value in meeting.wanted.items() if name.startswith("meta_")
        )  # fmt: skip
        return (
            f"<meetingName>{escape(meeting.wanted['name'])}</meetingName><meetingID>{meeting.meeting_id}</meetingID>"
            f"<internalMeetingID>{meeting.internal_id}</internalMeetingID><createTime>{meeting.created}</createTime>"
            f"<running>{str(bool(meeting.inside)).lower()}</running><startTime>{meeting.created}</startTime>"
            f"<endTime>0</endTime><participantCount>{len(meeting.inside)}</participantCount>"
            f"<hasBeenForciblyEnded>{str(meeting.forcibly_ended).lower()}</hasBeenForciblyEnded>"
            f"<attendees>{people}</attendees><metadata>{meta}</metadata>"
        )

    def _get_recordings(self, query: dict[str, str]) -> Answer:
        wanted = query["meetingID"].split(",")
        rows = "".join(
            f"<recording><recordID>{one['recordID']}</recordID><meetingID>{one['meetingID']}</meetingID>"
            f"<name>{one['name']}</name><published>{one['published']}</published>"
            f"<startTime>{one.get('start', '1700000000000')}</startTime>"
            f"<endTime>{one.get('end', '1700002400000')}</endTime>"
            f"<playback><format><type>presentation</type><url>{one['url']}</url></format></playback></recording>"
            for one in self.recordings if one["meetingID"] in wanted
        )  # fmt: skip
        return ok(f"<recordings>{rows}</recordings>")

    # --- bbb-webhooks ------------------------------------------------------------------------------------------------

    def _hook_create(self, query: dict[str, str]) -> Answer:
        url = query.get("callbackURL")
        if url is None:
            return failed("missingParamCallbackURL", "You must specify a callbackURL in the parameters.")
        if url in self.hooks:
            return ok("<hookID>1</hookID><messageKey>duplicateWarning</messageKey>")
        self.hooks[url] = query
        return ok("<hookID>1</hookID><permanentHook>false</permanentHook><rawData>false</rawData>")

    def _hook_list(self, query: dict[str, str]) -> Answer:
        return ok("<hooks/>")

    def event(
        self, kind: str, meeting: Meeting, person: Inside | None = None, at: float | None = None
    ) -> dict[str, object]:
        """An event as bbb-webhooks maps it."""
        attributes: dict[str, object] = {
            "meeting": {"internal-meeting-id": meeting.internal_id, "external-meeting-id": meeting.meeting_id}
        }
        if person is not None:
            attributes["user"] = {
                "internal-user-id": person.internal_id, "external-user-id": person.user_id, "name": person.name,
                "role": person.role, "presenter": False, "userdata": {}, "guest": False,
            }  # fmt: skip
        moment = int((at if at is not None else time.time()) * 1000)
        return {"data": {"type": "event", "id": kind, "attributes": attributes, "event": {"ts": moment}}}

    def form(self, events: Iterable[object]) -> bytes:
        """The body of a webhook: three fields in the order of their names, ``event`` a list."""
        content = "[" + ",".join(json.dumps(one, ensure_ascii=False, separators=(",", ":")) for one in events) + "]"
        fields = {"domain": "bbb.school.example", "event": content, "timestamp": str(int(time.time() * 1000))}
        return urlencode(fields).encode()

    def proof(self, url: str, body: bytes) -> str:
        """The checksum that bbb-webhooks adds to the address that it was given."""
        return hashlib.new(self.hook_algorithm, url.encode() + body + self.secret.encode()).hexdigest()

    # --- what people and time do -------------------------------------------------------------------------------------

    def expire(self) -> None:
        """Five minutes pass in which nobody came."""
        self.meetings = {name: one for name, one in self.meetings.items() if one.inside}


def ok(content: str) -> Answer:
    """An answer with success."""
    return Answer(200, f"<response><returncode>SUCCESS</returncode>{content}</response>", {"Content-Type": "text/xml"})


def failed(key: str, message: str) -> Answer:
    """A refusal, which has the status of a success."""
    content = f"<returncode>FAILED</returncode><messageKey>{key}</messageKey><message>{message}</message>"
    return Answer(200, f"<response>{content}</response>", {"Content-Type": "text/xml"})
