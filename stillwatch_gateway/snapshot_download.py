"""Downloads a snapshot: into a file beside the others, so that it is never in memory as a whole, where the disk can."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

from stillwatch_gateway.disk import SnapshotStore, StoreError
from stillwatch_gateway.http_connection import ServerConnection, stream_to_file
from stillwatch_gateway.messages import BadMessageError, SnapshotHead
from stillwatch_gateway.restriction_set import RestrictionSet
from stillwatch_gateway.signed import HEAD_BYTES, read_signed_snapshot


class DownloadedSnapshot(NamedTuple):
    """A snapshot that was checked, and the file that it is in, if it is in one."""

    restricted: RestrictionSet
    head: SnapshotHead
    file: Path | None


@contextmanager
def downloaded_snapshot(
    connection: ServerConnection, store: SnapshotStore | None, key: bytes
) -> Iterator[DownloadedSnapshot]:
    """Download a snapshot and check its signature. Its file, beside those of the store, is deleted after the block.

    Raises StoreError where the store does not take it, BadMessageError, and what `ServerConnection.ask` raises.
    """
    if store is None:
        with io.BytesIO() as memory:
            yield _receive_snapshot(connection, memory, key, None)
        return
    path = store.folder / f"received-{os.getpid()}"
    try:
        try:
            file = path.open("w+b")
        except OSError as error:
            raise StoreError(error) from error
        with file:
            received = _receive_snapshot(connection, file, key, path)
        yield received
    finally:
        with suppress(OSError):
            path.unlink()


def _receive_snapshot(
    connection: ServerConnection, file: BinaryIO, key: bytes, path: Path | None
) -> DownloadedSnapshot:
    answer = connection.ask("GET", "/api/v1/access/snapshot")
    digest, signed = answer.getheader("Stillwatch-Digest", ""), answer.getheader("Stillwatch-Signature", "")
    signature_line = f"{digest} {signed}\n"
    if len(signature_line) > HEAD_BYTES or not signature_line.isascii():
        raise BadMessageError("the signature is too long")
    stream_to_file(answer, file, signature_line.encode())
    file.seek(0)
    restricted, head = read_signed_snapshot(file, key)
    return DownloadedSnapshot(restricted, head, path)
