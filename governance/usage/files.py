"""Usage events in files, whatever they are packed in, as lines of JSON. Memory does not grow with the file."""

import gzip
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, Final, NamedTuple

import msgspec
import polars as pl
import zstandard

PACKED_PIECE: Final = 2**14


class UnreadableFileError(Exception):
    """Says in words why a file cannot be read."""


class OpenFile(NamedTuple):
    """An open file. `size` is in bytes, packed as it is; None where it has no end that is known."""

    raw: IO[bytes]
    size: int | None

    def read_so_far(self) -> int:
        """Bytes read, packed as they are."""
        return self.raw.tell() if self.size is not None else 0


@contextmanager
def open_usage_file(name: str) -> Iterator[OpenFile]:
    """Open a file by its path, or standard input by `-`. Raises UnreadableFileError."""
    if name == "-":
        yield OpenFile(sys.stdin.buffer, None)
        return
    try:
        file = open(name, "rb")  # noqa: SIM115, PTH123 - closed below; a path may be anything the shell knows
    except OSError as error:
        raise UnreadableFileError(f"{error.strerror}.") from error
    with file:
        yield OpenFile(file, file.seek(0, io.SEEK_END))


def read_lines(name: str, file: OpenFile) -> Iterator[bytes]:
    """The events of the file as lines of JSON, by the ending of its name. Raises UnreadableFileError."""
    if file.size is not None:
        file.raw.seek(0)
    try:
        if name.endswith(".gz"):
            yield from gzip.GzipFile(fileobj=file.raw)
        elif name.endswith(".zst"):
            yield from io.BufferedReader(_Unpacked(file.raw))
        elif name.endswith(".parquet"):
            yield from _rows(name)
        else:
            yield from file.raw
    except (OSError, EOFError, zstandard.ZstdError, pl.exceptions.PolarsError) as error:
        raise UnreadableFileError(f"it is damaged or not what its name says ({error}).") from error


def _rows(name: str) -> Iterator[bytes]:
    """Rows of a Parquet file whose columns are the members of the wire format; null members are left out."""
    for batch in pl.scan_parquet(name).collect_batches(chunk_size=5_000):
        for row in batch.iter_rows(named=True):
            yield msgspec.json.encode({member: value for member, value in row.items() if value is not None})


class _Unpacked(io.RawIOBase):
    """What a zstd file holds. Raises EOFError where its last frame is cut, which zstandard lets pass."""

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw, self._inflater, self._ready = raw, zstandard.ZstdDecompressor().decompressobj(), b""
        self._begun = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            packed = self._inflater.unused_data if self._inflater.eof else b""
            packed = packed or self._raw.read(PACKED_PIECE)
            if not packed:
                if self._begun and not self._inflater.eof:
                    raise EOFError("it ends in the middle")
                return 0
            if self._inflater.eof:
                self._inflater = zstandard.ZstdDecompressor().decompressobj()
            self._begun = True
            self._ready = self._inflater.decompress(packed)
        size = min(len(buffer), len(self._ready))
        buffer[:size], self._ready = self._ready[:size], self._ready[size:]
        return size
