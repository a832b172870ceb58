"""An OpenID provider on loopback (authorization code with PKCE, RS256, discovery), and the lies that one could tell.

https://openid.net/specs/openid-connect-core-1_0.html, https://openid.net/specs/openid-connect-discovery-1_0.html
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt

from lms_bridge.core.clock import now
from tests.lti.lms import private_key, public_jwk

CLIENT, SECRET = "lms-bridge", "the secret of the client"


class Provider:
    """What the provider holds. ``user`` is who is signed in at it; ``lies`` are claims of the next tokens that differ
    (``...`` leaves one out); ``sign`` makes the token; ``broken`` maps a path to (status, body)."""

    def __init__(self) -> None:
        self.url = ""
        self.user: dict[str, Any] = {"sub": "u-1", "name": "Zhang San"}
        self.lies: dict[str, Any] = {}
        self.sign: Callable[[dict[str, Any]], str] = self.signed
        self.keys = {"k1": "first"}
        self.broken: dict[str, tuple[int, str]] = {}
        self.refuses = ""
        self.described: dict[str, Any] = {}
        self.asked: list[str] = []
        self.codes: dict[str, dict[str, str]] = {}
        self._number = 0

    def signed(self, claims: dict[str, Any], kid: str = "k1", key: str = "first") -> str:
        """An ID token as it should be."""
        return jwt.encode(claims, private_key(key), algorithm="RS256", headers={"kid": kid})

    def answer(self, path: str, query: dict[str, str], form: dict[str, str], auth: str) -> tuple[int, str, str]:
        """Status, content, and where to (for a redirect)."""
        self.asked.append(path)
        if path in self.broken:
            return *self.broken[path], ""
        if path == "/.well-known/openid-configuration":
            return 200, json.dumps(self.configuration() | self.described), ""
        if path == "/certs":
            keys = [public_jwk(kid, name) for kid, name in self.keys.items()]
            return 200, json.dumps({"keys": [{"kty": "AKP", "kid": "new", "alg": "ML-DSA-65"}, *keys]}), ""
        if path == "/auth":
            return 302, "", self.let_in(query)
        if path == "/token":
            return *self.exchange(form, auth), ""
        return (200, "<h1>signed out</h1>", "") if path == "/logout" else (404, "", "")

    def configuration(self) -> dict[str, Any]:
        """What it says of itself."""
        return {
            "issuer": self.url, "authorization_endpoint": f"{self.url}/auth", "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/certs", "end_session_endpoint": f"{self.url}/logout",
            "response_types_supported": ["code"], "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        }  # fmt: skip

    def let_in(self, asked: dict[str, str]) -> str:
        """Send the browser back with a code, or with a refusal."""
        said = {"state": asked["state"], "iss": self.url}
        if self.refuses:
            said["error"] = self.refuses
        else:
            self._number += 1
            said["code"] = f"code-{self._number}"
            self.codes[said["code"]] = asked
        return f"{asked['redirect_uri']}?{urlencode(said)}"

    def exchange(self, form: dict[str, str], auth: str) -> tuple[int, str]:
        """Tokens for a code: once, to the client that it was made for, who shows what PKCE hashed before."""
        if auth != "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode():
            return 401, '{"error": "invalid_client"}'
        asked = self.codes.pop(form.get("code", ""), None)
        shown = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest()).rstrip(b"=")
        if (
            asked is None
            or asked.get("code_challenge_method") != "S256"
            or asked["code_challenge"] != shown.decode()
            or asked["redirect_uri"] != form.get("redirect_uri")
        ):
            return 400, '{"error": "invalid_grant"}'
        moment = int(now().timestamp())
        claims = {
            "iss": self.url, "aud": CLIENT, "iat": moment, "exp": moment + 300, "nonce": asked["nonce"],
            **self.user, **self.lies,
        }  # fmt: skip
        token = self.sign({name: value for name, value in claims.items() if value is not ...})
        return 200, json.dumps({"access_token": "a", "token_type": "Bearer", "expires_in": 300, "id_token": token})


@contextmanager
def oidc_server(host: str = "127.0.0.1") -> Iterator[Provider]:
    """A running provider; as ``localhost`` it is another site than a bridge at 127.0.0.1."""
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.carry_out()

        def do_POST(self) -> None:
            self.carry_out()

        def carry_out(self) -> None:
            """Answer one request."""
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            status, text, target = provider.answer(
                parts.path, dict(parse_qsl(parts.query)), dict(parse_qsl(body)), self.headers.get("Authorization", "")
            )
            content = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html" if text.startswith("<") else "application/json")
            self.send_header("Content-Length", str(len(content)))
            if target:
                self.send_header("Location", target)
            self.end_headers()
            self.wfile.write(content)

        def log_request(self, code: object = "-", size: object = "-") -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02), daemon=True)
    thread.start()
    provider.url = f"http://{host}:{server.server_address[1]}"
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
