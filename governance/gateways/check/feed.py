"""The feed as gateways' clients read it, signed: a snapshot of everything in force, and the changes that follow."""

import gzip
import hashlib
import threading
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec
import psycopg

from governance.gateways.check import sql
from governance.gateways.check.sql import StoredChange
from stillwatch_gateway.epochs import Epoch
from stillwatch_gateway.messages import FORMAT, signature, signing_key_of_digest

QUICK: Final = 1  # of gzip: a snapshot is made while somebody waits
SMALLEST_ZIPPED: Final = 4_096
ZIPPED_AT_ONCE: Final = 2**20


class FeedMessage(NamedTuple):
    """A message that is the same for everybody. `digest` is the SHA-256 of what is inside `zipped`, in hexadecimal."""

    sequence: int
    digest: str
    zipped: bytes


class Snapshots:
    """Makes a snapshot when it is asked for, once for all who ask for one that is new enough."""

    def __init__(self, closed_plans: Sequence[str]) -> None:
        self._closed_plans = list(closed_plans)
        self._made: FeedMessage | None = None
        self._making = threading.Lock()

    def get(self, *, at_least: int, now: datetime) -> FeedMessage:
        """A snapshot that knows the change `at_least`. Raises psycopg.Error, also where the database went back in time:
        then there is none before a new epoch began.
        """
        with self._making:
            if self._made is None or self._made.sequence < at_least:
                made = self._make(now)
                if made.sequence < at_least:
                    raise psycopg.OperationalError(f"change {at_least} is gone")
                self._made = made
            return self._made

    def _make(self, now: datetime) -> FeedMessage:
        hashed, zipped = hashlib.sha256(), bytearray()
        with sql.connect() as database, sql.open_snapshot(database) as taken:
            for piece in _pieces(snapshot_lines(taken, self._closed_plans, now)):
                hashed.update(piece)
                zipped += gzip.compress(piece, QUICK)  # members of gzip may follow one another
        return FeedMessage(taken.sequence, hashed.hexdigest(), bytes(zipped))


def snapshot_lines(taken: sql.Snapshot, closed_plans: Sequence[str], now: datetime) -> Iterator[bytes]:
    head: dict[str, Any] = {
        "format": FORMAT,
        "sequence": taken.sequence,
        "count": taken.size,
        "made_at": now,
        "fail_closed_plans": list(closed_plans),
    } | epoch_members(taken.epoch)
    yield msgspec.json.encode(head) + b"\n"
    for payload in taken.payloads:
        yield payload.encode() + b"\n"


def _pieces(lines: Iterator[bytes]) -> Iterator[bytes]:
    piece = bytearray()
    for line in lines:
        piece += line
        if len(piece) > ZIPPED_AT_ONCE:
            yield bytes(piece)
            piece.clear()
    yield bytes(piece)


def changes_body(
    after: int,
    sequence: int,
    changes: Sequence[StoredChange],
    closed_plans: Sequence[str],
    *,
    epoch: Epoch,
    age: int,
    with_times: bool = False,
) -> bytes:
    """The changes after one and up to another as a message; `with_times` it says of each when it was made.

    Raises ValueError where any of them is missing: nobody could read the message.
    """
    if [one.number for one in changes] != list(range(after + 1, sequence + 1)):
        raise ValueError(f"not all changes after {after} up to {sequence} are given")
    listed: list[dict[str, Any]] = [
        {"sequence": one.number, "restriction": msgspec.Raw(one.payload.encode())}
        if one.payload is not None
        else {"sequence": one.number, "ended": one.restriction}
        for one in changes
    ]
    if with_times:
        listed = [member | {"at": one.at} for member, one in zip(listed, changes, strict=True)]
    return msgspec.json.encode(
        {
            "format": FORMAT,
            "after": after,
            "sequence": sequence,
            "age": age,
            "changes": listed,
            "fail_closed_plans": list(closed_plans),
        }
        | epoch_members(epoch)
    )


def epoch_members(epoch: Epoch) -> dict[str, Any]:
    """To which epoch a message belongs; ranges of numbers include both ends."""
    return {"epoch": epoch.identifier, "lost_numbers": epoch.lost, "settled_numbers": epoch.settled}


def signature_headers(digest: str, key_digest: bytes) -> list[tuple[str, str]]:
    """The headers by which the gateway with a service key knows that Stillwatch said it."""
    return [
        ("Stillwatch-Digest", digest),
        ("Stillwatch-Signature", signature(signing_key_of_digest(key_digest), digest)),
    ]
