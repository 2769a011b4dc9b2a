"""HTTP to Stillwatch: one persistent connection, and limits on what is read of an answer."""

import gzip
import socket
import ssl
import zlib
from contextlib import suppress
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from threading import Timer
from typing import Any, BinaryIO, Final
from urllib.parse import urlsplit

from stillwatch_gateway.disk import StoreError
from stillwatch_gateway.messages import MOST_SNAPSHOT_BYTES, BadMessageError

ANSWER_SECONDS: Final = 15.0  # without a byte
WHOLE_ANSWER_SECONDS: Final = 300.0  # for all of it, so that nobody who sends a byte now and then is waited for
PIECE: Final = 2**18


class HttpStatusError(Exception):
    """Stillwatch answered, but with an error."""

    def __init__(self, status: int) -> None:
        super().__init__(f"Stillwatch answered {status}")
        self.status = status


class ServerConnection:
    """A connection to Stillwatch at this address with this service key. One thread at a time may ask."""

    def __init__(self, url: str, service_key: str, *, longest: float = WHOLE_ANSWER_SECONDS) -> None:
        address = urlsplit(url.rstrip("/"))
        if address.scheme not in {"http", "https"} or not address.hostname:
            raise ValueError(f"{url!r} is no address of Stillwatch")
        if not (service_key.isascii() and service_key.isprintable()):
            raise ValueError("service_key must be in one line of printable ASCII: take off the line end")
        self._address = address
        self._headers = {
            "Authorization": f"Bearer {service_key}",
            "Content-Type": "application/json",
            "Accept-Encoding": "gzip",
        }
        self._connection: HTTPConnection | None = None
        self._longest, self._deadline = longest, Timer(longest, self.cut)

    def ask(self, method: str, path: str, body: str | None = None) -> HTTPResponse:
        """Return an answer, to be read before the next question; it is cut off after `longest` seconds.

        Hang up after whatever this raises: HttpStatusError, whose answer is left unread, OSError, HTTPException.
        """
        self._start_deadline()
        if self._connection is None:
            made = HTTPSConnection if self._address.scheme == "https" else HTTPConnection
            extra: dict[str, Any] = {"context": ssl.create_default_context()} if made is HTTPSConnection else {}
            self._connection = made(self._address.hostname or "", self._address.port, timeout=ANSWER_SECONDS, **extra)
        self._connection.request(method, self._address.path + path, body, self._headers)
        answer = self._connection.getresponse()
        if answer.status != 200:
            raise HttpStatusError(answer.status)
        return answer

    def _start_deadline(self) -> None:
        self._deadline.cancel()
        self._deadline = Timer(self._longest, self.cut)
        self._deadline.daemon = True
        self._deadline.start()

    def cut(self) -> None:
        """Drop the connection; the next question opens another. Any thread may call this."""
        connection = self._connection
        if connection is not None and connection.sock is not None:
            with suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)

    def hang_up(self) -> None:
        self._deadline.cancel()
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def read_body(answer: HTTPResponse, most: int) -> bytes:
    body = answer.read(most + 1)
    if len(body) > most:
        raise BadMessageError("the message is too long")
    if answer.length:
        raise BadMessageError("the message was cut off")
    return body


def decompress(body: bytes, encoding: str | None, most: int) -> bytes:
    if encoding != "gzip":
        return body
    inflater = zlib.decompressobj(31)
    decompress = inflater.decompress(body, most)
    if inflater.unconsumed_tail or not inflater.eof:
        raise BadMessageError("the message is too long, or was cut off")
    return decompress


def stream_to_file(answer: HTTPResponse, out: BinaryIO, head: bytes) -> None:
    """Write a snapshot to a file as it comes in. Raises StoreError where the file does not take it."""
    source = gzip.GzipFile(fileobj=answer) if answer.getheader("Content-Encoding") == "gzip" else answer
    size, piece = 0, head
    while piece:
        try:
            out.write(piece)
        except OSError as error:
            raise StoreError(error) from error
        piece = source.read(PIECE)
        size += len(piece)
        if size > MOST_SNAPSHOT_BYTES:
            raise BadMessageError("the snapshot is too long")
    answer.read()
    try:
        out.flush()
    except OSError as error:
        raise StoreError(error) from error
