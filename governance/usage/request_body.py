"""Read and decompress request bodies under hard limits, so that a decompression bomb is refused early."""

import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Final

import zstandard
from rest_framework.request import Request

from governance.web.problems import Problem

MAX_BYTES: Final = 8 * 2**20
MAX_BYTES_INFLATED: Final = 64 * 2**20
# Usage compresses ten to thirty times. Little ones may compress better: they can do no harm.
MAX_RATIO: Final = 100
RATIO_FREE_BYTES: Final = 2**20
# Compressed parts one behind the other, each of which costs as much as many bytes: one for each event of a batch.
MAX_FRAMES: Final = 10_000
_PIECE: Final = 2**18
_STEP_OF_GZIP: Final = 2**12
# Of zstd a few bytes may unfold to 128 KiB, and no limit can be set on what one step gives.
_STEP_OF_ZSTD: Final = 2**9


def read_body(request: Request, *, most: int) -> bytes:
    """The body without its compression, of at most `most` bytes before. Raises Problem where it is damaged, too large,
    or compressed otherwise.
    """
    sent = _read(request, most)
    match request.headers.get("Content-Encoding", "").strip().lower():
        case "" | "identity":
            return sent
        case "gzip":
            return _join_parts(_gunzip(sent), len(sent), "gzip")
        case "zstd":
            return _join_parts(_unzstd(sent), len(sent), "zstd")
        case other:
            detail = f"Send identity, gzip or zstd, not {other[:40]}."
            raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Unknown encoding", detail)


def drain_body(request: Request, *, most: int) -> None:
    """Read what has not been read, so that a sender who is refused hears why, and not that the line is cut."""
    with suppress(Problem, OSError):
        _read(request, most)


def _read(request: Request, most: int) -> bytes:
    if int(request.headers.get("content-length") or 0) > most:
        raise _too_large(f"Send at most {most} bytes.")
    sent: bytes = request.stream.read(most) if request.stream else b""
    return sent


def _join_parts(pieces: Iterator[bytes], sent: int, encoding: str) -> bytes:
    most = min(MAX_BYTES_INFLATED, max(RATIO_FREE_BYTES, MAX_RATIO * sent))
    whole = bytearray()
    try:
        for piece in pieces:
            whole += piece
            if len(whole) > most:
                raise _too_large(
                    f"Send at most {MAX_BYTES_INFLATED} bytes before compression, and no more than {MAX_RATIO} times "
                    "as many as after it."
                )
    except (zlib.error, zstandard.ZstdError, EOFError) as error:
        raise Problem(
            HTTPStatus.BAD_REQUEST, "Damaged body", f"The body is not a complete {encoding} stream."
        ) from error
    return bytes(whole)


def _too_large(detail: str) -> Problem:
    return Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Too large", detail)


def _gunzip(body: bytes) -> Iterator[bytes]:
    """Members one behind the other are one body. Raises EOFError where the last is not whole."""
    return _inflate_parts(body, lambda: zlib.decompressobj(wbits=31), _step_of_gzip, step=_STEP_OF_GZIP)


def _unzstd(body: bytes) -> Iterator[bytes]:
    """Frames one behind the other are one body. Raises EOFError where the last is not whole."""
    frames = zstandard.ZstdDecompressor()
    return _inflate_parts(body, frames.decompressobj, _step_of_zstd, step=_STEP_OF_ZSTD)


def _step_of_gzip(inflater: Any, step: memoryview) -> Iterator[bytes]:
    """What a step gives, in pieces: it may unfold a thousandfold."""
    rest: bytes | memoryview = step
    while len(rest) and not inflater.eof:
        yield inflater.decompress(rest, _PIECE)
        rest = inflater.unconsumed_tail


def _step_of_zstd(inflater: Any, step: memoryview) -> Iterator[bytes]:
    yield inflater.decompress(step)


def _inflate_parts(
    body: bytes, begin: Callable[[], Any], inflate: Callable[[Any, memoryview], Iterator[bytes]], *, step: int
) -> Iterator[bytes]:
    """The parts of a body one by one, in steps: what is behind a part is copied a step at most, however much it is."""
    whole, at, parts = memoryview(body), 0, 0
    while at < len(whole):
        parts += 1
        if parts > MAX_FRAMES:
            raise _too_large(f"Send at most {MAX_FRAMES} compressed parts one behind the other, better one.")
        inflater = begin()
        while not inflater.eof:
            if at >= len(whole):
                raise EOFError
            taken = whole[at : at + step]
            at += len(taken)
            yield from inflate(inflater, taken)
        at -= len(inflater.unused_data)
