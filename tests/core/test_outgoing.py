"""Requests to addresses that somebody entered: limits, redirects, certificates, and the internal network."""

from __future__ import annotations

import contextlib
import datetime
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lms_bridge.core.errors import ConfigurationError
from lms_bridge.core.plugins import Outgoing, PluginError, TemporaryFailure, json_of, retry_after, usable, xml_of
from lms_bridge.core.plugins import outgoing as module
from lms_bridge.core.plugins.outgoing import InternalAddress, is_internal
from lms_bridge.core.settings import load

LOOPBACK = (ip_network("127.0.0.0/8"),)
Answer = Callable[[BaseHTTPRequestHandler], None]


@contextlib.contextmanager
def served(answer: Answer, certificate: Path | None = None) -> Iterator[int]:
    """The port of a server that answers every request by ``answer``."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            with contextlib.suppress(OSError):
                answer(self)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *a: None  # type: ignore[method-assign]
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def says(status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
    """An answer in one go."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.rfile.read(int(request.headers.get("Content-Length", 0)))
        request.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)

    return answer


def raw(*pieces: bytes, pause: float = 0.0) -> Answer:
    """Bytes as they are, with a pause after each; then the connection is closed."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.close_connection = True
        for piece in pieces:
            request.wfile.write(piece)
            time.sleep(pause)

    return answer


def outgoing(seconds: float = 5.0, **more: object) -> Outgoing:
    """What may speak to the machine itself."""
    return Outgoing("BigBlueButton", seconds=seconds, networks=LOOPBACK, **more)  # type: ignore[arg-type]


BAD = [
    ("a connection that ends at once", raw(), "cannot be reached"),
    ("something that is no HTTP", raw(b"220 mail.example ESMTP\r\n"), "cannot be reached"),
    ("half an answer", raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"), "cannot be reached"),
    ("a header that drips in", raw(b"HTTP/1.1 200 OK\r\n", *[b"X"] * 40, pause=0.1), "within 0.4 seconds"),
    ("a body that drips in", raw(b"HTTP/1.1 200 OK\r\n\r\n", *[b"x"] * 40, pause=0.1), "within 0.4 seconds"),
    ("silence", raw(b"", pause=2), "within 0.4 seconds"),
    ("more than is read", says(200, b"x" * 2000), "larger than"),
]


@pytest.mark.parametrize(("answer", "words"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_what_is_no_answer_is_said_in_words_and_may_be_tried_again(answer: Answer, words: str) -> None:
    with served(answer) as port:
        client = outgoing(0.4, max_bytes=1000)
        with pytest.raises(TemporaryFailure, match=words):
            client.send("GET", f"http://127.0.0.1:{port}/x?secret=1")


def test_a_connection_that_takes_all_of_the_time_leaves_none_for_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, real = list[str](), module.create_connection

    def slow(*args: Any, **more: Any) -> Any:
        connection = real(*args, **more)
        time.sleep(0.6)
        return connection

    def answer(request: BaseHTTPRequestHandler) -> None:
        asked.append(request.path)
        raw(b"HTTP/1.1 200 OK\r\n", *[b"X"] * 40, pause=0.1)(request)

    monkeypatch.setattr(module, "create_connection", slow)
    with served(answer) as port:
        with pytest.raises(TemporaryFailure, match=r"within 0\.4 seconds"):
            outgoing(0.4).send("GET", f"http://127.0.0.1:{port}/")
        assert asked == []


def test_status_headers_and_content_come_back_whatever_the_status() -> None:
    with served(says(418, b'{"a": 1}', {"X-Kind": "Teapot"})) as port:
        client = outgoing()
        for _ in range(2):  # the second over the connection that was kept
            reply = client.send("POST", f"http://127.0.0.1:{port}/x", params={"a": "b c"}, json={"name": "李"})
            assert (reply.status, reply.headers["x-kind"], json_of(reply)) == (418, "Teapot", {"a": 1})
        assert reply.url.endswith("/x?a=b+c")
        assert "b+c" not in repr(reply)
        client.close()


def test_a_server_that_dropped_the_kept_connection_is_spoken_to_anew() -> None:
    with served(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")) as port:
        client = outgoing()
        for _ in range(3):
            assert client.send("GET", f"http://127.0.0.1:{port}/").content == b"ok"
            time.sleep(0.05)


def test_nothing_is_followed_to_another_address() -> None:
    asked: list[str] = []

    def elsewhere(request: BaseHTTPRequestHandler) -> None:
        asked.append(request.path)
        says(302, headers={"Location": "http://169.254.169.254/latest?token=x"})(request)

    with served(elsewhere) as port, pytest.raises(PluginError, match="on to http://169") as refusal:
        outgoing().send("GET", f"http://127.0.0.1:{port}/a")
    assert not isinstance(refusal.value, TemporaryFailure)
    assert asked == ["/a"]
    assert "token" not in str(refusal.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "127.1", "0.0.0.0"])
def test_the_internal_network_is_not_spoken_to_by_any_of_its_names(host: str) -> None:
    asked: list[str] = []
    with served(lambda request: asked.append(request.path)) as port:
        client = Outgoing("BigBlueButton", seconds=1, networks=[ip_network("10.0.0.0/8")])
        with pytest.raises(PluginError, match="LMS_BRIDGE_INTERNAL_NETWORKS") as refusal:
            client.send("GET", f"http://{host}:{port}/")
        assert type(refusal.value) is InternalAddress
        with pytest.raises(InternalAddress):
            client.connect(host.strip("[]"), port)
    assert asked == []


def test_a_name_that_changes_its_address_between_looks_gains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["93.184.215.14", "127.0.0.1"])

    def resolved(host: str, port: int, **kw: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    connected: list[object] = []

    def connect(address: tuple[str, int], *args: object, **kw: object) -> socket.socket:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    monkeypatch.setattr("lms_bridge.core.plugins.outgoing.create_connection", connect)
    client = Outgoing("Zoom", seconds=1)
    with pytest.raises(TemporaryFailure):
        client.send("GET", "http://rebind.example/")
    with pytest.raises(InternalAddress) as refusal:
        client.send("GET", "http://rebind.example/")
    assert "127.0.0.1" not in str(refusal.value)  # what names mean inside is nobody's business
    assert connected == [("93.184.215.14", 80)]  # the address that was looked at, and no name


INTERNAL = ["10.1.2.3", "192.168.0.1", "169.254.169.254", "100.100.100.200", "0.0.0.0", "::1", "fd00::1", "fe80::1",
            "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "224.0.0.1", "fec0::1", "64:ff9b:1::7f00:1",
            "::ffff:0:127.0.0.1", "::127.0.0.1"]  # fmt: skip


def test_what_counts_as_internal() -> None:
    assert [a for a in INTERNAL if not is_internal(a)] == []
    assert [a for a in ("93.184.215.14", "2606:2800:220:1::1", "64:ff9b::5db8:d70e") if is_internal(a)] == []
    assert not is_internal("::ffff:10.0.0.1", [ip_network("10.0.0.0/24")])
    assert is_internal("10.0.1.1", [ip_network("10.0.0.0/24"), ip_network("fd00::/8")])


def test_internal_networks_are_a_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LMS_BRIDGE_INTERNAL_NETWORKS", "10.20.0.0/16, fd00:20::/64")
    settings = load(data_dir=tmp_path)
    assert settings.internal_networks == (ip_network("10.20.0.0/16"), ip_network("fd00:20::/64"))
    monkeypatch.setenv("LMS_BRIDGE_INTERNAL_NETWORKS", "10.20.0.1/16")
    with pytest.raises(ConfigurationError, match="INTERNAL_NETWORKS"):
        load(data_dir=tmp_path)


@pytest.mark.parametrize("url", ["ftp://a.example/x", "file:///etc/passwd", "bbb.example/x", "http://", "http://[1/"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(PluginError, match="https://"):
        outgoing().send("GET", url)


def test_an_unreachable_machine_and_an_unknown_name() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        with pytest.raises(TemporaryFailure, match="cannot be reached: nothing listens"):
            outgoing().send("GET", f"http://127.0.0.1:{port}/")
    with pytest.raises(TemporaryFailure, match="cannot be reached: no machine of this name"):
        outgoing().send("GET", "http://nowhere.invalid/")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that nobody knows, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "school")])
    today = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("other.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    file = tmp_path_factory.mktemp("certificate") / "server.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return file


def test_a_certificate_must_be_trusted_and_name_the_machine(certificate: Path) -> None:
    with served(says(200, b"ok"), certificate) as port:
        with pytest.raises(TemporaryFailure, match="certificate of BigBlueButton is not trusted: nobody here knows"):
            outgoing().send("GET", f"https://127.0.0.1:{port}/")
        with pytest.raises(TemporaryFailure, match="not trusted: it is issued for another name"):
            outgoing(ca_file=certificate).send("GET", f"https://127.0.0.1:{port}/")
    with pytest.raises(PluginError, match="file cannot be read"):
        outgoing(ca_file=Path("/nowhere.pem")).send("GET", "https://127.0.0.1/")


def test_a_page_instead_of_data_and_pauses() -> None:
    page = says(503, b"<html><body>Sorry</body>", {"Retry-After": "120"})
    with served(page) as port:
        reply = outgoing().send("GET", f"http://127.0.0.1:{port}/")
    with pytest.raises(TemporaryFailure, match="503") as down:
        usable(reply)
    # Down, whenever it says that it will be back; only too many requests mean that it is busy.
    assert down.value.retry_after is None
    assert retry_after(reply) == datetime.timedelta(seconds=120)
    with pytest.raises(TemporaryFailure, match="too many requests") as busy:
        usable(replace(reply, status=429))
    assert busy.value.retry_after == datetime.timedelta(seconds=120)
    for read in (json_of, xml_of):
        with pytest.raises(TemporaryFailure, match="page instead of data"):
            read(reply)


def test_xml_with_entities_is_not_read() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>'
    with served(says(200, bomb)) as port:
        reply = outgoing().send("GET", f"http://127.0.0.1:{port}/")
    with pytest.raises(TemporaryFailure, match="page instead"):
        xml_of(reply)
