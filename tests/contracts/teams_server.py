"""A loopback server that answers as Microsoft Graph's documentation says: tokens for an application, online meetings
of a user for whom an access policy was granted, attendance reports by session.

https://learn.microsoft.com/en-us/graph/api/onlinemeeting-createorget, .../onlinemeeting-update,
.../meetingattendancereport-list, .../attendancerecord-list, https://learn.microsoft.com/en-us/graph/errors
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, unquote

from lms_bridge.core.clock import now
from tests.contracts.json_api import Answer, Asked, JsonApi

TENANT = "11111111-2222-3333-4444-555555555555"
CLIENT = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
ORGANISER = "99999999-8888-7777-6666-555555555555"
SECRET = "teams~client-secret"


def error(status: int, code: str, message: str) -> Answer:
    """Graph's way of refusing."""
    inner = {"date": "2026-12-01T00:00:00", "request-id": "r", "client-request-id": "r"}
    return Answer(status, {"error": {"code": code, "message": message, "innerError": inner}})


class Teams(JsonApi):
    """What the server holds, and what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens: set[str] = set()
        self.permissions = {"OnlineMeetings.ReadWrite.All", "OnlineMeetingArtifact.Read.All"}
        self.policy = True
        """Whether the tenant's administrator lets the app act for the organiser."""
        self.meetings: dict[str, dict[str, Any]] = {}
        self.sessions: dict[str, list[dict[str, Any]]] = {}
        self.page = 100
        self.next_host = ""

    def answer(self, asked: Asked) -> Answer:
        if asked.path == f"/{TENANT}/oauth2/v2.0/token":
            return self._token(asked)
        if asked.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return error(401, "InvalidAuthenticationToken", "Access token has expired or is not yet valid.")
        path = asked.path.removeprefix("/v1.0/")
        match = re.fullmatch(r"users/([^/]+)/onlineMeetings(?:/(.+))?", path)
        if match is None:
            return error(404, "ResourceNotFound", "Resource not found for the segment.")
        needed = "OnlineMeetingArtifact.Read.All" if "attendance" in path else "OnlineMeetings.ReadWrite.All"
        if needed not in self.permissions:
            return error(403, "Forbidden", "Insufficient privileges to complete the operation.")
        if not self.policy or match[1] != ORGANISER:
            return error(
                403, "Forbidden", f"No application access policy found for this app: {CLIENT} on the user: {match[1]}."
            )
        return self._meetings(asked, (match[2] or "").split("/"))

    def _token(self, asked: Asked) -> Answer:
        form = {k: v[0] for k, v in parse_qs(asked.body.decode()).items()}
        if form.get("grant_type") != "client_credentials" or form.get("scope") != f"{self.url}/.default":
            return Answer(400, {"error": "invalid_request", "error_description": "AADSTS900144: The body is wrong."})
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT, SECRET):
            said = "AADSTS7000215: Invalid client secret provided.\r\nTrace ID: x"
            return Answer(401, {"error": "invalid_client", "error_description": said})
        value = f"token{len(self.asked)}"
        self.tokens.add(value)
        return Answer(200, {"token_type": "Bearer", "expires_in": 3599, "access_token": value})

    def _meetings(self, asked: Asked, parts: list[str]) -> Answer:
        if parts == [""] and asked.method == "GET":
            return error(404, "NotFound", "The meeting does not exist.")
        if parts == ["createOrGet"] and asked.method == "POST":
            return self._create_or_get(asked.json)
        key = unquote(parts[0])
        meeting = self.meetings.get(key)
        if meeting is None:
            return error(404, "NotFound", "3004: Meeting does not exist.")
        match asked.method, parts[1:]:
            case "GET", []:
                return Answer(200, meeting)
            case "PATCH", []:
                meeting.update(asked.json)
                return Answer(200, meeting)
            case "DELETE", []:
                del self.meetings[key]
                return Answer(204)
            case "GET", ["attendanceReports"]:
                rows = [self._report(one) for one in reversed(self.sessions[key]) if one["ended"]]
                return self._page(asked, rows[:50])
            case "GET", ["attendanceReports", report, "attendanceRecords"]:
                found = next((one for one in self.sessions[key] if one["id"] == report and one["ended"]), None)
                if found is None:
                    return error(404, "NotFound", "No such report.")
                return self._page(asked, [self._record(one) for one in found["people"].values()])
        return error(400, "BadRequest", "Not understood.")

    def _create_or_get(self, wish: dict[str, Any]) -> Answer:
        known = next((m for m in self.meetings.values() if m["externalId"] == wish["externalId"]), None)
        if known is not None:
            return Answer(200, known)
        if set(wish) - {"externalId", "subject", "startDateTime", "endDateTime", "participants"}:
            return error(400, "BadRequest", "Unknown parameter.")
        number = len(self.meetings) + 1
        key = f"MSo1N2Y5ZGFjYy03MWJm+{number}/x=="
        self.meetings[key] = wish | {
            "id": key,
            "joinWebUrl": f"{self.url}/l/meetup-join/{number}",
            "allowedPresenters": "everyone",
            "participants": {"attendees": []},
        }
        self.sessions[key] = []
        return Answer(201, self.meetings[key])

    def _page(self, asked: Asked, rows: list[dict[str, Any]]) -> Answer:
        start = int(asked.query.get("$skiptoken", "0"))
        answer: dict[str, Any] = {"@odata.context": "x", "value": rows[start : start + self.page]}
        if len(rows) > start + self.page:
            host = self.next_host or self.url
            answer["@odata.nextLink"] = f"{host}{asked.path}?$skiptoken={start + self.page}"
        return Answer(200, answer)

    def _report(self, session: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": session["id"],
            "totalParticipantCount": len(session["people"]),
            "meetingStartDateTime": stamp(session["started"]),
            "meetingEndDateTime": stamp(session["ended"]),
            "attendanceRecords": [],
        }

    def _record(self, person: dict[str, Any]) -> dict[str, Any]:
        intervals = [
            {
                "joinDateTime": stamp(joined) if joined else None,
                "leaveDateTime": stamp(left) if left else None,
                "durationInSeconds": int((left - joined).total_seconds()) if joined and left else 0,
            }
            for joined, left in person["stays"]
        ]
        return {
            "id": person["id"],
            "emailAddress": person["mail"],
            "role": "Attendee",
            "totalAttendanceInSeconds": sum(one["durationInSeconds"] for one in intervals),
            "identity": {"id": person["id"], "displayName": person["name"], "tenantId": TENANT},
            "attendanceIntervals": intervals,
        }

    # --- people ------------------------------------------------------------------------------------------------------

    def enter(self, url: str, mail: str = "") -> tuple[str, str]:
        """The role of whoever enters by an address with the Microsoft account ``mail``, and the meeting's id.

        :raises PermissionError: the address lets nobody in.
        """
        for key, meeting in self.meetings.items():
            if meeting["joinWebUrl"] == url:
                people = meeting["participants"]["attendees"]
                named = {one["upn"] for one in people if one.get("role") == "presenter"}
                allowed = meeting["allowedPresenters"]
                presents = allowed == "everyone" or (allowed == "roleIsPresenter" and mail in named)
                return ("presenter" if presents else "attendee"), key
        raise PermissionError("no such meeting")

    def stay(
        self, key: str, name: str, joined: datetime | None, left: datetime | None, mail: str | None = None
    ) -> None:
        """Somebody was in the session that goes on (or a new one)."""
        sessions = self.sessions[key]
        if not sessions or sessions[-1]["ended"]:
            started = joined or now()
            sessions.append({"id": f"report{len(sessions)}", "started": started, "ended": None, "people": {}})
        person = {"id": f"id-{name}", "name": name, "mail": mail, "stays": []}
        sessions[-1]["people"].setdefault(name, person)["stays"].append((joined, left))

    def everybody_left(self, key: str, at: datetime | None = None) -> None:
        """The session is over; its report is there."""
        self.sessions[key][-1]["ended"] = at or now()


def stamp(at: datetime) -> str:
    """Graph's way of writing a time: seven digits behind the point."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "7Z"
