"""Answers of a WSGI application, made whole by a thread: in memory, in a temporary file, or a file as it is."""

import io
import os
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Final, NamedTuple

from governance.web.wsgi_problems import problem_parts

KEPT_IN_MEMORY: Final = 2**18
_PIECE: Final = 2**16

AsgiHeaders = list[tuple[bytes, bytes]]


class Answer(NamedTuple):
    """An answer from its beginning to its end."""

    start: "StartOfAnswer"
    body: IO[bytes]
    size: int  # of what was copied: 0 for a file that is sent as it is


class StartOfAnswer:
    """What an application says with `start_response`."""

    status = 0
    headers: AsgiHeaders

    def __call__(self, status: str, headers: Iterable[tuple[str, str]], exc_info: Any = None) -> None:
        self.status = int(status.partition(" ")[0])
        self.headers = [(name.lower().encode("latin-1"), value.strip().encode("latin-1")) for name, value in headers]

    @property
    def has_known_length(self) -> bool:
        return any(name == b"content-length" for name, _ in self.headers)

    def message(self) -> dict[str, Any]:
        return {"type": "http.response.start", "status": self.status, "headers": self.headers}


class FileToSend:
    """What `wsgi.file_wrapper` makes of a file: it is sent as it is, and not copied."""

    def __init__(self, file: IO[bytes], block_size: int = _PIECE) -> None:
        self.file, self._block_size = file, block_size

    def __iter__(self) -> Iterator[bytes]:
        while piece := self.file.read(self._block_size):
            yield piece

    def close(self) -> None:
        self.file.close()


def whole_answer(start: StartOfAnswer, pieces: Iterable[bytes]) -> Answer:
    """Return an answer that no longer needs `pieces`. Raises OSError where the disk is full."""
    if isinstance(pieces, FileToSend):
        file = _opened_again(pieces.file)
        if file is not None:
            return Answer(start, file, 0)
    body: IO[bytes] = SpooledTemporaryFile(KEPT_IN_MEMORY)  # noqa: SIM115 - closed when it has been sent
    try:
        size = sum(map(body.write, pieces))
        body.seek(0)  # writes what is left
    except BaseException:
        close_file(body)
        raise
    return Answer(start, body, size)


def problem_as_answer(status: HTTPStatus, detail: str) -> Answer:
    headers, body = problem_parts(status, detail)
    start = StartOfAnswer()
    start(str(status.value), headers)
    return Answer(start, io.BytesIO(body), len(body))


def close_file(file: IO[bytes]) -> None:
    """Close a file of which nothing is needed any more, also if the disk is too full for what it still had to write."""
    try:
        file.close()
    except OSError:
        return


def _opened_again(file: IO[bytes]) -> IO[bytes] | None:
    """A file that stays open when `file` is closed; None for what is only like a file."""
    try:
        descriptor = os.dup(file.fileno())
    except OSError:  # which io.UnsupportedOperation is too
        return None
    again = os.fdopen(descriptor, "rb")
    again.seek(file.tell())
    return again
