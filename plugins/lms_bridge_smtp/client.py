"""Speaks SMTP (RFC 5321) step by step, so that it is always known how far a message had got."""

from __future__ import annotations

import re
import smtplib
import ssl
from contextlib import suppress

from lms_bridge.core.plugins import N_, PluginError, SendResult, SendState, TemporaryFailure, unreachable
from lms_bridge_smtp.settings import Security, SmtpSettings

ANSWER_LENGTH = 500
UNANSWERED = N_("The mail server gave no answer after the message: it may have arrived.")
UNPROTECTED = N_("The mail server offers no protected connection (STARTTLS).")
NO_SIGN_IN = N_("The mail server knows no way of signing in.")
NO_CERTIFICATES = N_("The certificate authority's file cannot be read: %(reason)s")
OTHER_FILE = N_("Name another file, or none if the certificate is a public one.")
_ENHANCED = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")


class NotReady(Exception):
    """The mail server cannot be used now, for any message; ``failure`` says why."""

    def __init__(self, failure: TemporaryFailure) -> None:
        super().__init__(failure)
        self.failure = failure


class Connection:
    """One connection to the mail server, ready to send. ``used`` counts messages, ``alive`` is false once it ended."""

    def __init__(self, settings: SmtpSettings, greeting: str) -> None:
        """:raises NotReady: no connection, no protection, or the sign-in was refused."""
        self.used = 0
        self.alive = False
        try:
            self._smtp = self._connected(settings, greeting)
        except smtplib.SMTPResponseException as error:
            raise _refused(error.smtp_code, error.smtp_error) from None
        except smtplib.SMTPServerDisconnected as error:
            raise NotReady(self._unreachable(settings, error.__context__ or ConnectionResetError())) from None
        except smtplib.SMTPException as error:  # of its own wisdom, without an answer of the server
            words = UNPROTECTED if "STARTTLS" in str(error) else NO_SIGN_IN
            raise NotReady(TemporaryFailure(words)) from None
        except (OSError, UnicodeError) as error:
            raise NotReady(self._unreachable(settings, error)) from None
        self.alive = True

    @staticmethod
    def _unreachable(settings: SmtpSettings, error: BaseException) -> TemporaryFailure:
        return unreachable(f"{settings.host}:{settings.port}", error, seconds=settings.timeout)

    @staticmethod
    def _connected(settings: SmtpSettings, greeting: str) -> smtplib.SMTP:
        smtp: smtplib.SMTP
        try:
            context = ssl.create_default_context(cafile=settings.ca_file)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise NotReady(TemporaryFailure(NO_CERTIFICATES, remedy=OTHER_FILE, reason=reason)) from None
        if settings.security is Security.TLS:
            smtp = smtplib.SMTP_SSL(
                settings.host, settings.port, local_hostname=greeting, timeout=settings.timeout, context=context
            )
        else:
            smtp = smtplib.SMTP(settings.host, settings.port, local_hostname=greeting, timeout=settings.timeout)
        try:
            smtp.ehlo_or_helo_if_needed()
            if settings.security is Security.STARTTLS:
                smtp.starttls(context=context)
                smtp.ehlo()
            if settings.user:
                smtp.login(settings.user, settings.password.get_secret_value())
        except BaseException:
            smtp.close()
            raise
        return smtp

    def close(self) -> None:
        """Say goodbye if the server still listens."""
        if self.alive:
            with suppress(OSError, smtplib.SMTPException):
                self._smtp.quit()
        self._smtp.close()
        self.alive = False

    def transmit(self, sender: str, recipient: str, data: bytes) -> SendResult | None:
        """Hand over one message; None when the connection ended before any of it was given away.

        :raises NotReady: the server refuses this sender, and so every message.
        """
        self.used += 1
        try:
            code, text = self._smtp.mail(sender, [f"size={len(data)}"] if self._smtp.has_extn("size") else [])
            if code != 250:
                return self._refused_sender(code, text)
            code, text = self._smtp.rcpt(recipient)
            if code not in (250, 251):
                return self._reset(refused_recipient(code, _text(text)))
            code, text = self._smtp.docmd("DATA")
            if code != 354:
                return self._reset(refused_content(code, _text(text)))
        except (OSError, smtplib.SMTPException):
            self._broken()
            return None
        try:
            self._smtp.send(_dotted(data))
            code, text = self._smtp.getreply()
        except (OSError, smtplib.SMTPException):
            self._broken()
            return SendResult(SendState.UNKNOWN, PluginError(UNANSWERED))
        if code == 250:
            return SendResult(SendState.SENT, _answer(code, text), provider_id=queue_id(_text(text)))
        return self._reset(refused_content(code, _text(text)))

    def _refused_sender(self, code: int, text: bytes) -> SendResult:
        if code == 552:  # larger than the server takes (RFC 1870), so only this message
            return self._reset(refused_content(code, _text(text)))
        if code // 100 == 4 and code != 421:
            return self._reset(SendResult(SendState.RETRY, _answer(code, text)))
        self._broken()
        raise _refused(code, text)

    def _reset(self, result: SendResult) -> SendResult:
        """Make the connection ready for the next message after a refusal."""
        if str(result.answer).startswith("421"):
            self._broken()
            return result
        try:
            if self._smtp.rset()[0] != 250:
                self.close()
        except (OSError, smtplib.SMTPException):
            self._broken()
        return result

    def _broken(self) -> None:
        self.alive = False
        self._smtp.close()


def refused_recipient(code: int, text: str) -> SendResult:
    """What a refusal of the recipient means: RFC 5321 (4.2.3), refined by the enhanced code of RFC 3463 if given."""
    answer = _answer(code, text.encode())
    enhanced = _ENHANCED.search(text)
    subject, detail = (enhanced[2], enhanced[3]) if enhanced else ("", "")
    full = code == 552 or (subject, detail) == ("2", "2")
    if code // 100 == 4 or full:
        return SendResult(SendState.RETRY, answer)
    # 5.7.x is the server's policy towards us, not a fault of the address; 5.3 to 5.6 are about systems and content.
    bad = subject in ("1", "2") if enhanced else code in (550, 551, 553, 501)
    return SendResult(SendState.REJECTED, answer, address_bad=bad)


def refused_content(code: int, text: str) -> SendResult:
    """What a refusal of the message means: 4xx is "not now", everything else "never"."""
    state = SendState.RETRY if code // 100 == 4 else SendState.REJECTED
    return SendResult(state, _answer(code, text.encode()))


def queue_id(text: str) -> str | None:
    """The number under which a server queued a message, as Postfix, Exim and many others say it."""
    found = re.search(r"(?:queued as|id=|id )\s*<?([\w.@-]{4,80})>?", text, re.IGNORECASE)
    return found[1] if found else None


def _dotted(data: bytes) -> bytes:
    """The end mark and the doubled dots of RFC 5321, 4.5.2; ``data`` has CRLF line ends."""
    quoted = re.sub(rb"(?m)^\.", b"..", data)
    return quoted + (b"" if quoted.endswith(b"\r\n") else b"\r\n") + b".\r\n"


def _text(answer: bytes | str) -> str:
    return answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer


def _refused(code: int, text: bytes | str) -> NotReady:
    return NotReady(TemporaryFailure(N_("The mail server cannot be used now: %(reason)s"), reason=_answer(code, text)))


def _answer(code: int, text: bytes | str) -> str:
    return f"{code} {_text(text)}".replace("\n", " ")[:ANSWER_LENGTH]
