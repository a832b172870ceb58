"""An LMS on loopback: keys, tokens, members, gradebook and registration over real HTTP, and launches as it would sign
them. It remembers what it was asked, and breaks on demand."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from lms_bridge.core.clock import now
from lms_bridge.lti.claims import CLAIM, DEEP_LINK, DEEP_LINKING, RESOURCE_LINK

CLIENT = "client-1"
DEPLOYMENT = "1"
TOOL = "http://bridge.test"
LAUNCH = f"{TOOL}/lti/launch"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


_making = threading.Lock()


def private_key(name: str = "first") -> rsa.RSAPrivateKey:
    """A key pair, made once for a test process under each name, also when two threads of a server ask at once."""
    with _making:
        return _made(name)


@cache
def _made(name: str) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_jwk(kid: str, name: str = "first") -> dict[str, Any]:
    """The public part of a key pair as it stands in a key set."""
    jwk = json.loads(RSAAlgorithm.to_jwk(private_key(name).public_key()))
    return {"kty": "RSA", "n": jwk["n"], "e": jwk["e"], "kid": kid, "alg": "RS256", "use": "sig"}


class Lms:
    """The LMS. ``asked`` are the paths of its requests in order; ``broken`` maps a path to (status, body)."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.keys = {"k1": "first"}
        self.asked: list[str] = []
        self.broken: dict[str, tuple[int, str]] = {}
        self.pause: dict[str, float] = {}
        self.members: list[dict[str, Any]] = []
        self.line_items: list[dict[str, Any]] = []
        self.said_scores: list[dict[str, Any]] = []
        self.scores: dict[tuple[str, str], str] = {}
        self.registered: list[dict[str, Any]] = []
        self.tool_keys: dict[str, Any] | None = None
        self.page = 2
        self.user = "u1"
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://{host}:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()

    @property
    def registration(self) -> dict[str, Any]:
        """What an administrator enters of it."""
        return {
            "name": "Moodle", "issuer": self.url, "client_id": CLIENT, "login_url": f"{self.url}/auth",
            "token_url": f"{self.url}/token", "key_set_url": f"{self.url}/certs",
        }  # fmt: skip

    def announcement(self, **more: str) -> dict[str, str]:
        """The parameters with which it opens our login."""
        return {
            "iss": self.url, "client_id": CLIENT, "login_hint": self.user, "target_link_uri": LAUNCH,
            "lti_message_hint": "m1",
        } | more  # fmt: skip

    def claims(self, nonce: str, /, **more: Any) -> dict[str, Any]:
        """The claims of a launch as Moodle 4.5 sends them; a value of ``...`` leaves a claim out."""
        moment = int(now().timestamp())
        found: dict[str, Any] = {
            "iss": self.url, "aud": CLIENT, "sub": self.user, "nonce": nonce, "iat": moment, "exp": moment + 60,
            "name": "Tea Cher", "email": "teach1@example.test",
            f"{CLAIM}deployment_id": DEPLOYMENT, f"{CLAIM}message_type": RESOURCE_LINK, f"{CLAIM}version": "1.3.0",
            f"{CLAIM}target_link_uri": LAUNCH, f"{CLAIM}resource_link": {"id": "4", "title": "Online lessons"},
            f"{CLAIM}roles": ["http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"],
            f"{CLAIM}context": {"id": "2", "label": "C1", "title": "Class 1 & more", "type": ["CourseSection"]},
            f"{CLAIM}launch_presentation": {"locale": "en", "document_target": "window"},
        } | more  # fmt: skip
        return {name: value for name, value in found.items() if value is not ...}

    def deep_link_claims(self, nonce: str, /, **more: Any) -> dict[str, Any]:
        """The claims with which a teacher opens the picker."""
        settings = {
            "deep_link_return_url": f"{self.url}/picked", "accept_types": ["ltiResourceLink"],
            "accept_presentation_document_targets": ["iframe", "window"], "accept_multiple": True, "data": "keep this",
        }  # fmt: skip
        wanted = {f"{CLAIM}message_type": DEEP_LINK, DEEP_LINKING: settings, f"{CLAIM}resource_link": ...}
        return self.claims(nonce, **(wanted | more))

    def signed(self, claims: dict[str, Any], *, kid: str = "k1", name: str = "first") -> str:
        """The token that says so."""
        return jwt.encode(claims, private_key(name), algorithm="RS256", headers={"kid": kid})

    def answer(
        self, method: str, path: str, query: dict[str, list[str]], body: bytes, auth: str
    ) -> tuple[int, Any, dict[str, str]]:
        """What it answers: status, JSON or text, headers."""
        if path in self.broken:
            status, text = self.broken[path]
            return status, text, {}
        match method, path:
            case "GET", "/certs":
                return 200, {"keys": [public_jwk(kid, name) for kid, name in self.keys.items()]}, {}
            case _, "/auth":
                return self._identify(query)
            case "POST", "/token":
                return self._token(dict(parse_qsl(body.decode())))
            case "GET", "/.well-known/openid-configuration":
                return 200, self._configuration(), {}
            case "POST", "/register":
                if auth != "Bearer once":
                    return 401, {"error": "invalid_token"}, {}
                self.registered.append(json.loads(body))
                tool = {"https://purl.imsglobal.org/spec/lti-tool-configuration": {"deployment_id": "2"}}
                return 200, {"client_id": "client-new"} | tool, {}
            case "GET", "/":
                return 200, self.course_page, {"Content-Type": "text/html"}
        if auth != "Bearer access-1":
            return 401, {"error": "invalid_token"}, {}
        return self._service(method, path, query, body)

    course_page = ""

    def _identify(self, query: dict[str, list[str]]) -> tuple[int, Any, dict[str, str]]:
        """As Moodle's auth.php: the hint must be who is signed in here; the answer posts itself to the tool."""
        asked = {name: values[0] for name, values in query.items()}
        if asked["login_hint"] != self.user:
            fields = {"error": "access_denied", "state": asked["state"]}
        else:
            launch = self.claims(asked["nonce"], **json.loads(asked.get("lti_message_hint") or "{}"))
            fields = {"id_token": self.signed(launch), "state": asked["state"]}
        inputs = "".join(f'<input type="hidden" name="{name}" value="{value}">' for name, value in fields.items())
        page = f'<form id="f" action="{asked["redirect_uri"]}" method="post">{inputs}</form><script>f.submit()</script>'
        return 200, page, {"Content-Type": "text/html"}

    def _token(self, sent: dict[str, str]) -> tuple[int, Any, dict[str, str]]:
        """Only an assertion that our key signed, for this address, gives access."""
        keys = self.tool_keys or {"keys": []}
        try:
            kid = jwt.get_unverified_header(sent["client_assertion"])["kid"]
            key = next(jwt.PyJWK(k).key for k in keys["keys"] if k["kid"] == kid)
            jwt.decode(
                sent["client_assertion"],
                key,
                algorithms=["RS256"],
                audience=f"{self.url}/token",
                issuer=CLIENT,
                leeway=120,
            )
        except (jwt.InvalidTokenError, StopIteration, KeyError):
            return 400, {"error": "invalid_client"}, {}
        return 200, {"access_token": "access-1", "token_type": "Bearer", "expires_in": 3600}, {}

    def _configuration(self) -> dict[str, Any]:
        return {
            "issuer": self.url, "authorization_endpoint": f"{self.url}/auth", "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/certs", "registration_endpoint": f"{self.url}/register",
            "https://purl.imsglobal.org/spec/lti-platform-configuration": {"product_family_code": "moodle"},
        }  # fmt: skip

    def _service(
        self, method: str, path: str, query: dict[str, list[str]], body: bytes
    ) -> tuple[int, Any, dict[str, str]]:
        match method, path:
            case "GET", "/members":
                first = int(query.get("from", ["0"])[0])
                page, last = self.members[first : first + self.page], first + self.page
                link = {"Link": f'<{self.url}/members?from={last}>; rel="next"'} if last < len(self.members) else {}
                return 200, {"id": "x", "context": {"id": "2"}, "members": page}, link
            case "GET", "/lineitems":
                return 200, self.line_items, {}
            case "POST", "/lineitems":
                item = json.loads(body) | {"id": f"{self.url}/lineitems/{len(self.line_items) + 1}"}
                self.line_items.append(item)
                return 201, item, {}
            case "POST", _ if path.endswith("/scores"):
                score = json.loads(body)
                key = (path, score["userId"])
                # As Moodle: to the second, and not earlier than what is there.
                if self.scores.get(key, "") >= score["timestamp"][:19]:
                    return 409, {"error": "conflict"}, {}
                self.scores[key] = score["timestamp"][:19]
                self.said_scores.append(score)
                return 200, None, {}
        return 404, {"error": "not_found"}, {}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        lms = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                lms.asked.append(parts.path)
                time.sleep(lms.pause.get(parts.path, 0))
                status, answer, headers = lms.answer(
                    self.command, parts.path, parse_qs(parts.query), body, self.headers.get("Authorization", "")
                )
                content = (
                    b""
                    if answer is None
                    else (answer.encode() if isinstance(answer, str) else json.dumps(answer).encode())
                )
                self.send_response(status)
                for name, value in ({"Content-Type": "application/json"} | headers).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def do_POST(self) -> None:
                self.do_GET()

            def log_message(self, *args: object) -> None:
                return

        return Handler


@contextmanager
def running(host: str = "127.0.0.1") -> Iterator[Lms]:
    """An LMS for the length of the block; for a browser ``localhost`` is another site than ``127.0.0.1``."""
    lms = Lms(host)
    try:
        yield lms
    finally:
        lms.close()
