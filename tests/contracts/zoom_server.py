"""A loopback server that answers as Zoom's documentation says: tokens of a server-to-server app, meetings of hosts,
registrants, reports by session, and the webhooks that Zoom would send.

https://developers.zoom.us/docs/api/ (Meetings, Users, Reports), https://developers.zoom.us/docs/api/webhooks/
The wording of errors: https://github.com/harrisyang/api/blob/main/errors/MeetingAPIs.md
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from lms_bridge.core.clock import now
from tests.contracts.json_api import Answer, Asked, JsonApi

ACCOUNT, CLIENT, SECRET = "acc-0123456789", "client-abc", "zoom-client-secret"
WEBHOOK_SECRET = "zoom-webhook-secret"
SCOPES = (
    "meeting:write:meeting:admin meeting:update:meeting:admin meeting:read:meeting:admin "
    "meeting:read:list_meetings:admin meeting:update:status:admin meeting:delete:meeting:admin "
    "meeting:write:batch_registrants:admin meeting:read:list_registrants:admin user:read:user:admin "
    "report:read:list_meeting_participants:admin meeting:read:list_past_instances:admin"
)


def error(status: int, code: int, message: str) -> Answer:
    """Zoom's way of refusing."""
    return Answer(status, {"code": code, "message": message})


class Zoom(JsonApi):
    """What the server holds, and what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens: set[str] = set()
        self.scopes = SCOPES
        self.api_url: str | None = None
        self.users: dict[str, dict[str, Any]] = {}
        self.meetings: dict[str, dict[str, Any]] = {}
        self.registrants: dict[str, dict[str, dict[str, Any]]] = {}
        self.sessions: dict[str, list[dict[str, Any]]] = {}
        """By meeting: its sessions, each with the stays of people."""
        self.zaks: dict[str, tuple[str, datetime]] = {}
        self.page = 300
        self.registration = True
        """Whether the plan has registration."""
        self.hide_mails = True
        """Reports leave out the addresses of people outside of the account."""
        self._number = 93000000000

    def user(self, mail: str, **more: Any) -> None:
        """A licensed user."""
        self.users[mail] = {"id": f"id{len(self.users)}", "email": mail, "type": 2, "status": "active"} | more

    def revoke(self) -> None:
        """All tokens made so far are good no more."""
        self.tokens.clear()

    # --- what may be asked ---------------------------------------------------------------------------------------

    def answer(self, asked: Asked) -> Answer:
        if asked.path == "/oauth/token":
            return self._token(asked)
        if asked.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return error(401, 124, "Invalid access token.")
        for (method, pattern), found in ROUTES.items():
            match = re.fullmatch(pattern, asked.path.removeprefix("/v2/"))
            if match and method == asked.method:
                answer: Answer = found(self, asked, *match.groups())
                return answer
        return error(404, 404, "No handler for this address.")

    def _token(self, asked: Asked) -> Answer:
        form = {k: v[0] for k, v in parse_qs(asked.body.decode()).items()}
        expected = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if asked.headers.get("authorization") != expected:
            return Answer(401, {"reason": "Invalid client_id or client_secret", "error": "invalid_client"})
        if form.get("grant_type") != "account_credentials" or form.get("account_id") != ACCOUNT:
            return Answer(400, {"reason": "Bad Request", "error": "invalid_request"})
        value = f"token{len(self.asked)}"
        self.tokens.add(value)
        return Answer(
            200,
            {
                "access_token": value,
                "token_type": "bearer",
                "expires_in": 3599,
                "scope": self.scopes,
                "api_url": self.api_url or self.url,
            },
        )

    def get_user(self, asked: Asked, key: str) -> Answer:
        user = self.users.get(unquote(key))
        return Answer(200, user) if user else error(404, 1001, f"User does not exist: {unquote(key)}.")

    def create(self, asked: Asked, key: str) -> Answer:
        host = unquote(key)
        if host not in self.users:
            return error(404, 1001, f"User does not exist: {host}.")
        sent = asked.json
        self._number += 1
        number = str(self._number)
        settings = dict(sent["settings"])
        if not self.registration:
            settings["approval_type"] = 2  # without a word
        self.meetings[number] = sent | {
            "id": self._number,
            "host_email": host,
            "status": "waiting",
            "join_url": f"{self.url}/j/{number}?pwd=shared{number}",
            "settings": settings,
        }
        self.registrants[number], self.sessions[number] = {}, []
        return Answer(201, self._shown(number))

    def _shown(self, number: str) -> dict[str, Any]:
        zak = f"zak{number}-{len(self.zaks)}"
        self.zaks[zak] = number, now() + timedelta(hours=2)
        return self.meetings[number] | {"start_url": f"{self.url}/s/{number}?zak={zak}"}

    def list(self, asked: Asked, key: str) -> Answer:
        host = unquote(key)
        if host not in self.users:
            return error(404, 1001, f"User does not exist: {host}.")
        fields = ("id", "topic", "agenda", "start_time", "duration", "type", "join_url")
        rows = [
            {name: one[name] for name in fields} | {"agenda": one["agenda"][:250]}
            for one in self.meetings.values()
            if one["host_email"] == host
        ]
        return self._pages(asked, "meetings", rows)

    def get(self, asked: Asked, number: str) -> Answer:
        return Answer(200, self._shown(number)) if number in self.meetings else self._unknown(number)

    def change(self, asked: Asked, number: str) -> Answer:
        if number not in self.meetings:
            return self._unknown(number)
        self.meetings[number] |= asked.json
        return Answer(204)

    def delete(self, asked: Asked, number: str) -> Answer:
        if number not in self.meetings:
            return self._unknown(number)
        if self.meetings[number]["status"] == "started":
            return error(400, 3002, "Sorry, you cannot delete this meeting since it's in progress.")
        del self.meetings[number]
        return Answer(204)

    def set_status(self, asked: Asked, number: str) -> Answer:
        if number not in self.meetings:
            return self._unknown(number)
        if self.meetings[number]["status"] != "started":
            return error(400, 3001, "This meeting has not been started.")
        self.finish(number)
        return Answer(204)

    def register(self, asked: Asked, number: str) -> Answer:
        if number not in self.meetings:
            return self._unknown(number)
        approval = self.meetings[number]["settings"]["approval_type"]
        if approval == 2:
            return error(400, 300, f"This meeting has not registration required: {number}.")
        people = asked.json["registrants"]
        if len(people) > 30:
            return error(400, 300, "Only up to 30 registrants can be registered at a time.")
        made = []
        for person in people:
            mail = person["email"].lower()
            known = self.registrants[number]
            key = f"reg{len(known)}x{number}"
            row = known.setdefault(
                mail,
                {
                    "registrant_id": key,
                    "email": mail,
                    "join_url": f"{self.url}/w/{number}?tk={key}&pwd=x",
                    "first_name": person["first_name"],
                },
            )
            if approval == 0 or asked.json.get("auto_approve"):
                row["status"] = "approved"
            made.append({name: row[name] for name in ("registrant_id", "email", "join_url")})
        return Answer(201, {"registrants": made})

    def fill_in_form(self, number: str, mail: str) -> bool:
        """Somebody finds Zoom's own page of registration and registers; whether they are let in at once."""
        approved = self.meetings[number]["settings"]["approval_type"] == 0
        self.registrants[number].setdefault(
            mail,
            {
                "registrant_id": f"form{len(self.registrants[number])}",
                "email": mail,
                "join_url": f"{self.url}/w/{number}?tk=form&pwd=x",
                "first_name": mail,
                "status": "approved" if approved else "pending",
            },
        )
        return approved

    def list_registrants(self, asked: Asked, number: str) -> Answer:
        if number not in self.meetings:
            return self._unknown(number)
        rows = [
            {"id": r["registrant_id"], "email": r["email"], "join_url": r["join_url"], "status": "approved"}
            for r in self.registrants[number].values()
            if r.get("status") == "approved"
        ]
        return self._pages(asked, "registrants", rows)

    def instances(self, asked: Asked, number: str) -> Answer:
        over = [s for s in self.sessions.get(number, ()) if s["ended"]]
        if not over:
            return error(404, 3001, "Meeting ID is invalid or not end.")
        return Answer(200, {"meetings": [{"uuid": s["uuid"], "start_time": stamp(s["started"])} for s in over]})

    def report(self, asked: Asked, part: str) -> Answer:
        once = unquote(part)
        if "/" in once:
            return error(404, 3001, "Meeting does not exist.")  # no such address: it was not encoded often enough
        uuid = unquote(once)
        for number, sessions in self.sessions.items():
            for session in sessions:
                if session["uuid"] == uuid and session["ended"]:
                    rows = [self._row(number, stay, asked) for stay in session["stays"]]
                    return self._pages(asked, "participants", rows)
        return error(404, 3001, "Meeting does not exist.")

    def _row(self, number: str, stay: dict[str, Any], asked: Asked) -> dict[str, Any]:
        row = {
            "id": "",
            "user_id": stay["user_id"],
            "name": stay["name"],
            "user_email": "" if self.hide_mails else stay["mail"],
            "join_time": stamp(stay["joined"]),
            "leave_time": stamp(stay["left"] or now()),
            "duration": 60,
            "status": "in_meeting",
        }
        if asked.query.get("include_fields") == "registrant_id":
            row["registrant_id"] = stay["registrant_id"]
        return row

    def _pages(self, asked: Asked, name: str, rows: list[dict[str, Any]]) -> Answer:
        size = min(self.page, int(asked.query.get("page_size", "30")))
        start = int(asked.query.get("next_page_token") or 0)
        after = str(start + size) if len(rows) > start + size else ""
        return Answer(200, {"page_size": size, "next_page_token": after, name: rows[start : start + size]})

    def _unknown(self, number: str) -> Answer:
        return error(404, 3001, f"Meeting does not exist: {number}.")

    # --- people ----------------------------------------------------------------------------------------------------

    def enter(self, url: str) -> tuple[str, str]:
        """Who enters by an address (registrant's mail, ``host``, or ``guest``), and the meeting's number.

        :raises PermissionError: the address lets nobody in.
        """
        parts = urlsplit(url)
        query = {k: v[0] for k, v in parse_qs(parts.query).items()}
        match = re.fullmatch(r"/([jsw])/(\d+)", parts.path)
        if not url.startswith(self.url) or match is None or match[2] not in self.meetings:
            raise PermissionError("no such meeting")
        way, number = match.groups()
        if way == "s":
            meeting, until = self.zaks.get(query.get("zak", ""), ("", now()))
            if meeting != number or until <= now():
                raise PermissionError("the host's key is wrong or too old")
            return "host", number
        if way == "w":
            for mail, one in self.registrants[number].items():
                if one["registrant_id"] == query.get("tk"):
                    return mail, number
            raise PermissionError("not registered")
        wanted = self.meetings[number]["settings"]["approval_type"] == 0
        if wanted or query.get("pwd") != f"shared{number}":
            raise PermissionError("registration or passcode is missing")
        return "guest", number

    def join(self, url: str, name: str = "", at: datetime | None = None) -> dict[str, Any]:
        """Somebody is in; the webhook's body that Zoom sends of it."""
        who, number = self.enter(url)
        sessions = self.sessions[number]
        if not sessions or sessions[-1]["ended"]:
            # The first has slashes, as one in some hundred has.
            uuid = f"/{number}//aB==" if not sessions else f"u{len(sessions)}{number}=="
            sessions.append({"uuid": uuid, "started": at or now(), "ended": None, "stays": []})
        self.meetings[number]["status"] = "started"
        known = self.registrants[number].get(who, {})
        stay = {
            "user_id": str(16778240 + 1024 * len(sessions[-1]["stays"])),
            "name": name or known.get("first_name") or who,
            "mail": who if "@" in who else "",
            "registrant_id": known.get("registrant_id", ""),
            "joined": at or now(),
            "left": None,
            "url": url,
        }
        sessions[-1]["stays"].append(stay)
        return self._told("meeting.participant_joined", number, stay, "join_time", stay["joined"])

    def leave(self, url: str, at: datetime | None = None) -> dict[str, Any]:
        """They are out again; the webhook's body."""
        number = self.enter(url)[1]
        stay = next(s for s in reversed(self.sessions[number][-1]["stays"]) if s["url"] == url and not s["left"])
        stay["left"] = at or now()
        return self._told("meeting.participant_left", number, stay, "leave_time", stay["left"])

    def finish(self, number: str, at: datetime | None = None) -> dict[str, Any]:
        """The meeting's session is over for all."""
        session = self.sessions[number][-1]
        session["ended"] = at or now()
        for stay in session["stays"]:
            stay["left"] = stay["left"] or session["ended"]
        self.meetings[number]["status"] = "waiting"
        thing = {"id": number, "uuid": session["uuid"], "end_time": stamp(session["ended"])}
        return {"event": "meeting.ended", "event_ts": millis(now()), "payload": {"object": thing}}

    def _told(self, event: str, number: str, stay: dict[str, Any], key: str, at: datetime) -> dict[str, Any]:
        participant = {
            "user_id": stay["user_id"],
            "user_name": stay["name"],
            "email": stay["mail"],
            "registrant_id": stay["registrant_id"],
            "participant_uuid": f"p{stay['user_id']}",
            "id": "",
            key: stamp(at),
        }
        thing = {"id": number, "uuid": self.sessions[number][-1]["uuid"], "topic": "x", "participant": participant}
        return {"event": event, "event_ts": millis(at), "payload": {"account_id": ACCOUNT, "object": thing}}


ROUTES: dict[tuple[str, str], Any] = {
    ("GET", r"users/([^/]+)"): Zoom.get_user,
    ("GET", r"users/([^/]+)/meetings"): Zoom.list,
    ("POST", r"users/([^/]+)/meetings"): Zoom.create,
    ("GET", r"meetings/(\d+)"): Zoom.get,
    ("PATCH", r"meetings/(\d+)"): Zoom.change,
    ("DELETE", r"meetings/(\d+)"): Zoom.delete,
    ("PUT", r"meetings/(\d+)/status"): Zoom.set_status,
    ("GET", r"meetings/(\d+)/registrants"): Zoom.list_registrants,
    ("POST", r"meetings/(\d+)/batch_registrants"): Zoom.register,
    ("GET", r"past_meetings/(\d+)/instances"): Zoom.instances,
    ("GET", r"report/meetings/([^/]+)/participants"): Zoom.report,
}


def stamp(at: datetime) -> str:
    """Zoom's way of writing a time."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def millis(at: datetime) -> int:
    """Milliseconds since 1970."""
    return int(at.timestamp() * 1000)


def signed(body: dict[str, Any] | bytes, *, at: datetime | None = None, secret: str = WEBHOOK_SECRET) -> Any:
    """Headers and raw body of a webhook as Zoom sends it."""
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    seconds = str(int((at or now()).timestamp()))
    digest = hmac.new(secret.encode(), f"v0:{seconds}:".encode() + raw, hashlib.sha256).hexdigest()
    headers = {
        "content-type": "application/json; charset=utf-8",
        "x-zm-request-timestamp": seconds,
        "x-zm-signature": f"v0={digest}",
    }
    return headers, raw


def challenge(plain: str) -> dict[str, Any]:
    """The body by which Zoom sees whether the address is ours."""
    return {"event": "endpoint.url_validation", "event_ts": millis(now()), "payload": {"plainToken": plain}}


def proof(plain: str) -> str:
    """The right answer to it."""
    return hmac.new(WEBHOOK_SECRET.encode(), plain.encode(), hashlib.sha256).hexdigest()
