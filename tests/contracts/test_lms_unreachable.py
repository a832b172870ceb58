"""Why an LMS cannot be reached is said in words of the reader's language, whatever the library says of it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from lms_bridge_canvas.client import CanvasClient
from lms_bridge_canvas.settings import CanvasSettings
from lms_bridge_moodle.client import MoodleClient, NoAnswer
from lms_bridge_moodle.settings import MoodleSettings

from lms_bridge.core.i18n import use_locale
from lms_bridge.core.plugins import TemporaryFailure
from tests.contracts.meetings import unknown_certificate
from tests.servers import free_port


def ask_moodle(url: str) -> None:
    """A question to a Moodle at ``url``."""
    MoodleClient(MoodleSettings(url=url, token="x" * 32, timeout=1)).read("core_webservice_get_site_info")  # type: ignore[arg-type]


def ask_canvas(url: str) -> None:
    """A question to a Canvas at ``url``."""
    CanvasClient(CanvasSettings(url=url, token="x" * 32, timeout=1)).read("users/self")  # type: ignore[arg-type]


@contextmanager
def saying(answer: bytes | None) -> Iterator[str]:
    """The address of a server that says ``answer`` to everybody and hangs up; None: it never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        kept = []

        def serve() -> None:
            while True:
                try:
                    sock = listening.accept()[0]
                except OSError:
                    return
                if answer is None:
                    kept.append(sock)
                    continue
                sock.recv(65536)
                sock.sendall(answer)
                sock.close()

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)
        for sock in kept:
            sock.close()


@pytest.mark.parametrize(("name", "ask"), [("Moodle", ask_moodle), ("Canvas", ask_canvas)], ids=["Moodle", "Canvas"])
@pytest.mark.parametrize(
    ("happens", "chinese", "english"),
    [
        ("refused", "无法连接 {}：这个地址上没有服务。", "{} cannot be reached: nothing listens at this address."),
        ("name", "无法连接 {}：没有这个名字的主机。", "{} cannot be reached: no machine of this name is known."),
        (None, "{} 在 1 秒内没有回应。", "{} did not answer within 1 seconds."),
        (b"", "无法连接 {}：连接被中断。", "{} cannot be reached: the connection was cut off."),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
            "无法连接 {}：连接被中断。",
            "{} cannot be reached: the connection was cut off.",
        ),
        (
            b"220 mail.example ESMTP\r\n",
            "无法连接 {}：这个地址上的服务不使用 HTTP。",
            "{} cannot be reached: what answers at this address speaks another language than HTTP.",
        ),
        (
            "certificate",
            "{} 的证书不受信任：本服务器不认识签发它的机构。",
            "The certificate of {} is not trusted: nobody here knows the authority that issued it.",
        ),
    ],
    ids=["refused", "unknown name", "slow", "closed", "half an answer", "no HTTP", "certificate"],
)
def test_why_an_lms_cannot_be_reached_is_said_in_the_reader_s_language(
    tmp_path: Path, name: str, ask: Callable[[str], None], happens: str | bytes | None, chinese: str, english: str
) -> None:
    with pytest.raises(TemporaryFailure) as failed:
        if happens == "refused":
            ask(f"http://127.0.0.1:{free_port()}")
        elif happens == "name":
            ask("http://nowhere.invalid")
        elif happens == "certificate":
            with unknown_certificate(tmp_path) as url:
                ask(url)
        else:
            assert not isinstance(happens, str)
            with saying(happens) as url:
                ask(url)
    with use_locale("zh-CN"):
        assert failed.value.text() == chinese.format(name)
    with use_locale("en"):
        assert failed.value.text() == english.format(name)
    # Of all but the certificate Moodle's channel must know that the message may have arrived.
    assert isinstance(failed.value, NoAnswer) == (name == "Moodle" and happens != "certificate")
