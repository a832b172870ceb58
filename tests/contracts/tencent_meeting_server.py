"""A loopback server that answers as Tencent Meeting's documentation says: signed requests that cannot be repeated,
meetings of an enterprise's users, personal addresses, lists in two ways of paging, and the events it would send.

https://cloud.tencent.com/document/product/1095/42413 (signature), 42417 (create), 42421 (list), 57955 (dismiss),
64850 (personal addresses), 72810 (inside), 42701 (participants), 51608 and 54658 (events and their encryption)
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from datetime import datetime
from typing import Any
from urllib.parse import quote

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from lms_bridge.core.clock import now
from tests.contracts.json_api import Answer, Asked, JsonApi

APP, SDK, ID, KEY = "200000001", "12345678901", "AKIDtencent0123456789", "tencent-secret-key"
TOKEN = "abcdefghijklmnopqrstuvwxy"
AES = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
SKEW = 300


def error(status: int, number: int, message: str) -> Answer:
    """Tencent's way of refusing."""
    return Answer(status, {"error_info": {"error_code": number, "new_error_code": number, "message": message}})


class TencentMeeting(JsonApi):
    """What the server holds, and what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.users: set[str] = set()
        self.meetings: dict[str, dict[str, Any]] = {}
        self.addresses: dict[str, dict[str, str]] = {}
        """By meeting: personal address by its mark."""
        self.stays: dict[str, list[dict[str, Any]]] = {}
        self.most_addresses = 300
        self.marks_in_lists = True
        self.list_size = 20
        self._used: set[tuple[str, str]] = set()
        self._number = 7567173273889276131

    def answer(self, asked: Asked) -> Answer:
        refusal = self._unsigned(asked)
        if refusal is not None:
            return refusal
        for (method, pattern), found in ROUTES.items():
            match = re.fullmatch(pattern, asked.path)
            if match and method == asked.method:
                answer: Answer = found(self, asked, *match.groups())
                return answer
        return error(400, 190004, "参数非法")

    def _unsigned(self, asked: Asked) -> Answer | None:
        h = asked.headers
        stamp, nonce = h.get("x-tc-timestamp", ""), h.get("x-tc-nonce", "")
        text = f"{asked.method}\nX-TC-Key={ID}&X-TC-Nonce={nonce}&X-TC-Timestamp={stamp}\n{asked.target}\n"
        digest = hmac.new(KEY.encode(), text.encode() + asked.body, hashlib.sha256).hexdigest()
        right = base64.b64encode(digest.encode()).decode()
        known = (h.get("appid"), h.get("sdkid"), h.get("x-tc-key"), h.get("x-tc-registered")) == (APP, SDK, ID, "1")
        if not known or not nonce.isdecimal() or not stamp.isdecimal() or h.get("x-tc-signature") != right:
            return error(400, 190303, "鉴权错误")
        if abs(int(stamp) - now().timestamp()) > SKEW or (stamp, nonce) in self._used:
            return error(400, 190301, "请求重放错误")
        self._used.add((stamp, nonce))
        return None

    def says_nothing(self, asked: Asked) -> bool:
        return asked.method == "PUT" or asked.path.endswith(("/cancel", "/dismiss"))

    # --- what may be asked ---------------------------------------------------------------------------------------

    def list(self, asked: Asked) -> Answer:
        user = asked.query["userid"]
        if user not in self.users:
            return error(500, 190001, "存在未注册的用户。")
        since = int(asked.query.get("pos", "0"))
        rows = sorted(
            (m for m in self.meetings.values() if m["userid"] == user and int(m["start_time"]) >= since),
            key=lambda m: (int(m["start_time"]), m["order"]),
        )
        cursor = int(asked.query.get("cursory", "0"))
        rows = [m for m in rows if int(m["start_time"]) > since or m["order"] >= cursor]
        page, rest = rows[: self.list_size], rows[self.list_size :]
        answer: dict[str, Any] = {"meeting_number": len(page), "remaining": len(rest)}
        if page:
            answer["meeting_info_list"] = [self._shown(m) for m in page]
        if rest:
            answer |= {"next_pos": int(rest[0]["start_time"]), "next_cursory": rest[0]["order"]}
        return Answer(200, answer)

    def _shown(self, meeting: dict[str, Any]) -> dict[str, Any]:
        kept = ("subject", "meeting_id", "meeting_code", "start_time", "end_time", "join_url", "status")
        return {name: meeting[name] for name in kept}

    def create(self, asked: Asked) -> Answer:
        wish = asked.json
        if not isinstance(wish.get("start_time"), str) or not isinstance(wish.get("end_time"), str):
            return error(400, 190004, "参数非法，请对照接口文档检查您的参数。")
        if wish["userid"] not in self.users:
            return error(500, 190001, "存在未注册的用户。")
        self._number += 1
        number = str(self._number)
        self.meetings[number] = wish | {
            "meeting_id": number,
            "meeting_code": number[-9:],
            "join_url": f"{self.url}/dm/common{number}",
            "status": "MEETING_STATE_INIT",
            "order": self._number,
            "hosts": [{"userid": wish["userid"]}],
        }
        self.addresses[number], self.stays[number] = {}, []
        return Answer(200, {"meeting_number": 1, "meeting_info_list": [self._shown(self.meetings[number])]})

    def get(self, asked: Asked, number: str) -> Answer:
        if number not in self.meetings:
            return self._unknown()
        return Answer(200, {"meeting_number": 1, "meeting_info_list": [self._shown(self.meetings[number])]})

    def change(self, asked: Asked, number: str) -> Answer:
        meeting = self.meetings.get(number)
        if meeting is None:
            return self._unknown()
        if asked.json["userid"] != meeting["userid"]:
            return error(500, 9042, "无权限进行该操作")
        meeting.update(asked.json)
        return Answer(200, "")

    def cancel(self, asked: Asked, number: str) -> Answer:
        if number not in self.meetings:
            return self._unknown()
        if self.meetings[number]["status"] == "MEETING_STATE_STARTED":
            return error(400, 190004, "会议进行中")
        del self.meetings[number]
        return Answer(200, "")

    def dismiss(self, asked: Asked, number: str) -> Answer:
        meeting = self.meetings.get(number)
        if meeting is None:
            return self._unknown()
        if meeting["status"] != "MEETING_STATE_STARTED" or asked.json["operator_id"] != meeting["userid"]:
            return error(500, 9042, "无权限进行该操作")
        # One whose number is not taken back can be entered again.
        meeting["status"] = "MEETING_STATE_RECYCLED" if asked.json.get("retrieve_code") else "MEETING_STATE_INIT"
        for stay in self.stays[number]:
            stay["left"] = stay["left"] or now()
        return Answer(200, "")

    def make_address(self, asked: Asked) -> Answer:
        wish = asked.json
        number = wish["meeting_id"]
        if number not in self.meetings:
            return error(400, 190004, "参数非法")
        inner = json.loads(base64.b64decode(wish["customer_data"]))
        if set(inner) != {"ver", "userData"} or len(wish["customer_data"]) > 256:
            return error(400, 190004, "参数非法")
        known = self.addresses[number]
        if len(known) >= self.most_addresses:
            return error(500, 202005, "该会议专属链接数量已超过限制，请联系客服解决。")
        token = hashlib.sha256(f"{number}{wish['customer_data']}{len(known)}".encode()).hexdigest()[:12]
        known[wish["customer_data"]] = f"{self.url}/dm/{token}"
        return Answer(200, {"meeting_short_url_customer_data": self._address(number, wish["customer_data"])})

    def list_addresses(self, asked: Asked, number: str) -> Answer:
        if number not in self.meetings:
            return error(400, 190004, "参数非法")
        return Answer(
            200, {"meeting_short_url_customer_data": [self._address(number, mark) for mark in self.addresses[number]]}
        )

    def _address(self, number: str, mark: str) -> dict[str, str]:
        return {"customer_data": mark, "meeting_short_url": self.addresses[number][mark]}

    def inside(self, asked: Asked, number: str) -> Answer:
        if number not in self.meetings:
            return self._unknown()
        size, page = int(asked.query["page_size"]), int(asked.query["page"])
        if size > 50 or asked.query["operator_id"] != self.meetings[number]["userid"]:
            return error(400, 190004, "参数非法")
        rows = [self._row(stay) for stay in self.stays[number] if not stay["left"]]
        shown = rows[(page - 1) * size : page * size]
        answer: dict[str, Any] = {"total_page": -(-len(rows) // size), "current_page": page, "total_count": len(rows)}
        return Answer(200, answer | ({"participants": shown} if shown else {}))

    def participants(self, asked: Asked, number: str) -> Answer:
        if number not in self.meetings:
            return self._unknown()
        size, start = int(asked.query["size"]), int(asked.query["pos"])
        if size > 100 or asked.query["userid"] != self.meetings[number]["userid"]:
            return error(500, 9042, "无权限进行该操作")
        size = min(size, self.list_size)
        rows = [self._row(stay) for stay in self.stays[number]]
        more = len(rows) > start + size
        return Answer(
            200, {"has_remaining": more, "next_pos": start + size, "participants": rows[start : start + size]}
        )

    def _row(self, stay: dict[str, Any]) -> dict[str, Any]:
        row = {
            "userid": "",
            "ms_open_id": stay["open_id"],
            "user_name": base64.b64encode(stay["name"].encode()).decode(),
            "join_time": str(int(stay["joined"].timestamp())),
            "left_time": str(int(stay["left"].timestamp())) if stay["left"] else "0",
        }
        return row | ({"customer_data": stay["mark"]} if self.marks_in_lists and stay["mark"] else {})

    def _unknown(self) -> Answer:
        return error(400, 190457, "会议不存在, 请核对 meeting_id。")

    # --- people ------------------------------------------------------------------------------------------------------

    def enter(self, url: str, user: str = "") -> tuple[str, str, str]:
        """The mark that an address carries ("": the common one), the meeting, and the role of whoever is signed in as
        ``user``.

        :raises PermissionError: the address lets nobody in.
        """
        for number, meeting in self.meetings.items():
            marks = {address: mark for mark, address in self.addresses[number].items()} | {meeting["join_url"]: ""}
            if url in marks and meeting["status"] in ("MEETING_STATE_INIT", "MEETING_STATE_STARTED"):
                hosts = {one["userid"] for one in meeting["hosts"]}
                return marks[url], number, "host" if user in hosts else "member"
        raise PermissionError("no such meeting")

    def join(self, url: str, name: str, at: datetime | None = None) -> dict[str, Any]:
        """Somebody is in; the event that Tencent sends of it."""
        mark, number, _ = self.enter(url)
        self.meetings[number]["status"] = "MEETING_STATE_STARTED"
        open_id = f"ms{hashlib.sha256(f'{number}{mark}{name}'.encode()).hexdigest()[:20]}"
        stay = {"name": name, "mark": mark, "open_id": open_id, "joined": at or now(), "left": None, "url": url}
        self.stays[number].append(stay)
        return self._told("meeting.participant-joined", number, stay, stay["joined"])

    def leave(self, url: str, name: str, at: datetime | None = None) -> dict[str, Any]:
        """They are out again; the event."""
        number = self.enter(url)[1]
        stay = next(s for s in reversed(self.stays[number]) if (s["url"], s["name"]) == (url, name) and not s["left"])
        stay["left"] = at or now()
        return self._told("meeting.participant-left", number, stay, stay["left"])

    def ended(self, number: str, how: int, at: datetime) -> dict[str, Any]:
        """The event of a meeting's end: 0 by the host, 1 after its time, 2 and 3 nobody is inside."""
        info = {"meeting_id": number, "meeting_code": number[-9:]}
        one = {"operate_time": millis(at), "operator": {}, "meeting_end_type": how, "meeting_info": info}
        return {"event": "meeting.end", "trace_id": "t", "payload": [one]}

    def _told(self, event: str, number: str, stay: dict[str, Any], at: datetime) -> dict[str, Any]:
        one = {
            "operate_time": millis(at),
            "operator": {"userid": "", "ms_open_id": stay["open_id"], "user_name": stay["name"], "instance_id": "2"},
            "meeting_info": {"meeting_id": number, "meeting_code": number[-9:], "subject": "x"},
        }
        if stay["mark"]:
            one["extend_info"] = {"customer_data": stay["mark"]}
        return {"event": event, "trace_id": f"{event}{at}", "payload": [one]}


ROUTES: dict[tuple[str, str], Any] = {
    ("GET", r"/v1/meetings"): TencentMeeting.list,
    ("POST", r"/v1/meetings"): TencentMeeting.create,
    ("POST", r"/v1/meetings/customer-short-url"): TencentMeeting.make_address,
    ("GET", r"/v1/meetings/(\d+)"): TencentMeeting.get,
    ("PUT", r"/v1/meetings/(\d+)"): TencentMeeting.change,
    ("POST", r"/v1/meetings/(\d+)/cancel"): TencentMeeting.cancel,
    ("POST", r"/v1/meetings/(\d+)/dismiss"): TencentMeeting.dismiss,
    ("GET", r"/v1/meetings/(\d+)/customer-short-url"): TencentMeeting.list_addresses,
    ("GET", r"/v1/meetings/(\d+)/real-time-participants"): TencentMeeting.inside,
    ("GET", r"/v1/meetings/(\d+)/participants"): TencentMeeting.participants,
}


def millis(at: datetime) -> int:
    """Milliseconds since 1970."""
    return int(at.timestamp() * 1000)


def encrypted(content: bytes, key: str = AES) -> str:
    """As events are encrypted; only Base64 without a key."""
    if not key:
        return base64.b64encode(content).decode()
    secret = base64.b64decode(key + "=")
    padder = padding.PKCS7(128).padder()
    padded = padder.update(content) + padder.finalize()
    encryptor = Cipher(algorithms.AES(secret), modes.CBC(secret[:16])).encryptor()
    return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()


def signed_headers(data: str, *, at: datetime | None = None, token: str = TOKEN) -> dict[str, str]:
    """The headers of an event."""
    stamp, nonce = str(int((at or now()).timestamp())), "8163453"
    digest = hashlib.sha1("".join(sorted((token, stamp, nonce, data))).encode()).hexdigest()
    return {"timestamp": stamp, "nonce": nonce, "signature": digest}


def sent(
    body: dict[str, Any] | bytes, *, at: datetime | None = None, token: str = TOKEN, key: str = AES
) -> tuple[dict[str, str], bytes]:
    """Headers and body of an event as they arrive."""
    content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    data = encrypted(content, key)
    return signed_headers(data, at=at, token=token), json.dumps({"data": data}).encode()


def question(plain: str, *, twice: bool = False) -> tuple[dict[str, str], dict[str, str]]:
    """Headers and query of the question whether the address is ours; ``twice``: encoded once more than needed."""
    data = encrypted(plain.encode())
    return signed_headers(data), {"check_str": quote(data, safe="") if twice else data}
