"""Why another system could not be reached, in words: what libraries and the operating system say of it is English in
every language, and full of addresses and objects."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator
from http.client import HTTPException, IncompleteRead

from lms_bridge.core.i18n import N_
from lms_bridge.core.plugins.base import TemporaryFailure

CUT_OFF = N_("%(system)s cannot be reached: the connection was cut off.")
HAPPENED: tuple[tuple[type[Exception], str], ...] = (
    (socket.gaierror, N_("%(system)s cannot be reached: no machine of this name is known.")),
    (ssl.SSLError, N_("%(system)s cannot be reached: no secure connection (TLS) comes about there.")),
    (ConnectionRefusedError, N_("%(system)s cannot be reached: nothing listens at this address.")),
    (ConnectionError, CUT_OFF),
    (IncompleteRead, CUT_OFF),
    (
        HTTPException,
        N_("%(system)s cannot be reached: what answers at this address speaks another language than HTTP."),
    ),
)
NO_WAY = N_("%(system)s cannot be reached: no way leads there from this server.")
UNKNOWN_AUTHORITY = N_("The certificate of %(system)s is not trusted: nobody here knows the authority that issued it.")
ANOTHER_NAME = N_("The certificate of %(system)s is not trusted: it is issued for another name.")
CERTIFICATE = {
    9: N_("The certificate of %(system)s is not trusted: it is not valid yet, or the clock here is wrong."),
    10: N_("The certificate of %(system)s is not trusted: it is no longer valid."),
    **dict.fromkeys((2, 18, 19, 20, 21), UNKNOWN_AUTHORITY),
    **dict.fromkeys((62, 64), ANOTHER_NAME),
}
"""By the numbers of OpenSSL (``x509_vfy.h``)."""


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
    for inner in _causes(error):
        if isinstance(inner, ssl.SSLCertVerificationError):
            return kind(
                CERTIFICATE.get(inner.verify_code, N_("The certificate of %(system)s is not trusted: %(reason)s.")),
                remedy=N_("Renew it, or name the certificate authority in the settings."),
                system=system,
                reason=inner.verify_message.rstrip("."),
            )
        late = late or isinstance(inner, TimeoutError)
    if late:
        return kind(N_("%(system)s did not answer within %(seconds)g seconds."), system=system, seconds=seconds)
    return kind(
        _why(error),
        remedy=N_("See whether the address is right and this server reaches it."),
        system=system,
        reason=getattr(error, "strerror", None) or type(error).__name__,
    )


def _why(error: BaseException) -> str:
    for inner in _causes(error):
        if isinstance(inner, OSError) and inner.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH):
            return NO_WAY
        for kind, words in HAPPENED:
            if isinstance(inner, kind):
                return words
    return N_("%(system)s cannot be reached: %(reason)s")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, what caused it, and so on; not what an earlier attempt had come to."""
    inner: BaseException | None = error
    while inner is not None:
        yield inner
        inner = inner.__cause__ or (None if inner.__suppress_context__ else inner.__context__)
