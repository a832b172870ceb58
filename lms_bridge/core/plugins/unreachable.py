"""Why another system could not be reached, in words: what libraries and the operating system say of it is English in
every language, and full of addresses and objects."""

from __future__ import annotations

import errno
import socket
import ssl

from lms_bridge.core.i18n import N_
from lms_bridge.core.plugins.base import TemporaryFailure

HAPPENED: tuple[tuple[type[Exception], str], ...] = (
    (socket.gaierror, N_("%(system)s cannot be reached: no machine of this name is known.")),
    (ssl.SSLError, N_("%(system)s cannot be reached: no secure connection (TLS) comes about there.")),
    (ConnectionRefusedError, N_("%(system)s cannot be reached: nothing listens at this address.")),
    (ConnectionError, N_("%(system)s cannot be reached: the connection was cut off.")),
)
NO_WAY = N_("%(system)s cannot be reached: no way leads there from this server.")


def unreachable(
    system: str,
    error: BaseException,
    *,
    seconds: float,
    late: bool = False,
    kind: type[TemporaryFailure] = TemporaryFailure,
) -> TemporaryFailure:
    """The failure, of this ``kind``, that ``error`` (and what caused it) means for a call to ``system``, which had so
    many ``seconds``; ``late``: they were over."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, ssl.SSLCertVerificationError):
            return kind(
                N_("The certificate of %(system)s is not trusted: %(reason)s."),
                remedy=N_("Renew it, or name the certificate authority in the settings."),
                system=system,
                reason=inner.verify_message.rstrip("."),
            )
        late = late or isinstance(inner, TimeoutError)
        inner = inner.__cause__ or inner.__context__
    if late:
        return kind(N_("%(system)s did not answer within %(seconds)g seconds."), system=system, seconds=seconds)
    return kind(
        _why(error),
        remedy=N_("See whether the address is right and this server reaches it."),
        system=system,
        reason=getattr(error, "strerror", None) or type(error).__name__,
    )


def _why(error: BaseException | None) -> str:
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH):
            return NO_WAY
        for kind, words in HAPPENED:
            if isinstance(error, kind):
                return words
        error = error.__cause__ or error.__context__
    return N_("%(system)s cannot be reached: %(reason)s")
