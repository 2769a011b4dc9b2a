"""Why a request to another server got no usable answer, in our own words.

What libraries say may hold an address, a header or a secret, so it is never shown.
"""

import socket
import ssl
from collections.abc import Iterator
from http.client import HTTPException, IncompleteRead
from typing import Final

import urllib3

CLOSED: Final = "the connection was closed before the end of the answer"
NOT_SENT: Final = "the request cannot be sent"
IN_WORDS: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (TimeoutError, "no answer in time"),
    (urllib3.exceptions.TimeoutError, "no answer in time"),
    (socket.gaierror, "host name not found"),
    (ConnectionRefusedError, "connection refused"),
    (ssl.SSLCertVerificationError, "its TLS certificate is not valid"),
    (ssl.SSLError, "TLS failed"),
    (ConnectionError, CLOSED),
    (IncompleteRead, CLOSED),
    (HTTPException, "its answer is not HTTP"),
    (OSError, "the network cannot reach it"),
)


class OutboundError(Exception):
    """No usable answer. The message says why, in words that hold no secret and no text of the server."""


class AddressRefusedError(OutboundError):
    """The host name leads to an address that the check does not allow."""

    def __init__(self) -> None:
        super().__init__("it leads to an address that is not public")


class AnswerTooLongError(OutboundError):
    """The answer is longer than the caller reads."""

    def __init__(self, most_bytes: int) -> None:
        super().__init__(f"its answer has more than {most_bytes:,} bytes")


class ConnectionClosedError(OutboundError):
    """The server closed the connection, perhaps before it read the request."""


def to_outbound_error(error: BaseException) -> OutboundError:
    causes = list(_causes(error))
    words = next(
        (said for kind, said in IN_WORDS for cause in causes if isinstance(cause, kind)), "the request cannot be sent"
    )
    is_closed = any(isinstance(cause, ConnectionError) for cause in causes)
    is_refused = any(isinstance(cause, ConnectionRefusedError) for cause in causes)
    return ConnectionClosedError(words) if is_closed and not is_refused else OutboundError(words)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what urllib3 has put into it."""
    yield error
    for inner in (*error.args, getattr(error, "reason", None)):
        if isinstance(inner, BaseException):
            yield from _causes(inner)
