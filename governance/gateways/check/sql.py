"""Read the feed and the usable service keys from PostgreSQL, over a connection beside Django's."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connection

from governance.platform.bounded_connection import BoundedConnection
from stillwatch_gateway.epochs import Epoch, to_ranges

SEQUENCE: Final = """
    SELECT greatest(
        (SELECT max(number) FROM restrictions_change), (SELECT max(starts_after) FROM restrictions_feedepoch), 0
    )
"""
# Those that gateways apply. A restriction has the number of the change that began it. Only of those that cover other
# names since, or hold for another time, is the payload put together from their rows.
IN_FORCE: Final = """
    SELECT CASE WHEN EXISTS (
        SELECT FROM restrictions_change later WHERE later.restriction_id = restriction.number AND later.what = 'covers'
    ) OR restriction.effective_until IS DISTINCT FROM restriction.expires_at THEN (jsonb_set(began.payload, '{names}', (
        SELECT jsonb_object_agg(kind, names) FROM (
            SELECT every.kind, coalesce(jsonb_agg(covered.name) FILTER (WHERE covered.name IS NOT NULL), '[]') AS names
            FROM unnest(ARRAY['organisation', 'account', 'key', 'digest']) AS every (kind)
            LEFT JOIN restrictions_coveredname covered
                ON covered.restriction_id = restriction.number AND covered.kind = every.kind
            GROUP BY every.kind
        ) by_kind
    )) || jsonb_build_object('until', restriction.effective_until))::text ELSE began.payload::text END
    FROM restrictions_restriction restriction JOIN restrictions_change began ON began.number = restriction.number
    WHERE restriction.ended_at IS NULL OR restriction.is_end_unpublished ORDER BY restriction.number
"""
COUNT: Final = "SELECT count(*) FROM restrictions_restriction WHERE ended_at IS NULL OR is_end_unpublished"
# What a process knows is still so where the newest epoch is its own, and the newest change that it has is unaltered.
# Asked in one statement with what is newer, so that nothing can happen between the two.
FEED_STATE: Final = """
    SELECT epoch.identifier, epoch.settled,
           known.restriction_id, known.at, sha256(convert_to(known.payload::text, 'UTF8')),
           newer.number, newer.restriction_id, newer.payload::text, newer.at
    FROM (VALUES (1)) always (one)
    LEFT JOIN (
        SELECT identifier, (SELECT count(*) FROM gateways_lostdecision WHERE settled_at IS NOT NULL) AS settled
        FROM restrictions_feedepoch ORDER BY starts_after DESC LIMIT 1
    ) epoch ON true
    LEFT JOIN restrictions_change known ON known.number = %(newest)s
    LEFT JOIN LATERAL (
        SELECT number, restriction_id, payload, at FROM restrictions_change WHERE number > %(after)s
        ORDER BY number LIMIT %(most)s
    ) newer ON true
    ORDER BY newer.number
"""
NEWEST: Final = """
    SELECT number, restriction_id, payload::text, at FROM restrictions_change ORDER BY number DESC LIMIT %s
"""
AMONG: Final = """
    SELECT number, restriction_id, payload::text, at FROM restrictions_change
    WHERE number BETWEEN %s AND %s ORDER BY number
"""
BEFORE: Final = "SELECT max(number) FROM restrictions_change WHERE number < %s AND at <= %s"
LIVE: Final = "SELECT number FROM restrictions_restriction WHERE number = ANY(%s) AND ended_at IS NULL"
BEGAN: Final = "SELECT payload FROM restrictions_change WHERE number = %s"
EPOCHS: Final = "SELECT identifier, starts_after, continues FROM restrictions_feedepoch ORDER BY starts_after"
# A lost number is settled where a restriction in force stands for it and covers all that gateways know it to cover, or
# where a person has looked at all that is known.
SETTLED: Final = """
    SELECT number FROM gateways_lostdecision WHERE what = 'began'
    GROUP BY number HAVING bool_and(settled_at IS NOT NULL OR (restriction_id IS NOT NULL AND problem = ''))
    ORDER BY number
"""
COUNT_SETTLED: Final = "SELECT count(*) FROM gateways_lostdecision WHERE settled_at IS NOT NULL"
KEYS: Final = """
    SELECT secret.digest, key.id, key.name, key.scopes, secret.until, key.networks FROM staff_servicekey key
    CROSS JOIN LATERAL (VALUES
        (key.digest, key.expires_at),
        (key.previous_digest, LEAST(key.previous_until, key.expires_at))
    ) AS secret (digest, until)
    WHERE key.revoked_at IS NULL AND secret.digest IS NOT NULL AND (secret.until IS NULL OR secret.until > %s)
"""
TRANSACTIONS: Final = """
    SELECT pg_snapshot_xmin(now)::text::bigint, pg_snapshot_xmax(now)::text::bigint FROM pg_current_snapshot() AS now
"""
ACCOUNTS: Final = "SELECT id, external_id FROM accounts_account WHERE id > %s"
BATCH_SIZE: Final = 5_000
# Everything in force is counted and sorted before its first row comes.
SNAPSHOT_SECONDS: Final = 60.0

Connection = BoundedConnection


class StoredChange(NamedTuple):
    """A change as it stands in its row; `payload` is JSON, or None where the restriction ended."""

    number: int
    restriction: int
    payload: str | None
    at: datetime

    @property
    def fingerprint(self) -> "ChangeFingerprint":
        digest = hashlib.sha256(self.payload.encode()).digest() if self.payload is not None else None
        return ChangeFingerprint(self.restriction, self.at, digest)


class ChangeFingerprint(NamedTuple):
    """What distinguishes a change from another with the same number. `payload` is a SHA-256."""

    restriction: int
    at: datetime
    payload: bytes | None


class FeedState(NamedTuple):
    """What one look at the feed saw: the newest epoch, how many lost decisions a person has settled, the change that
    this process knows as the newest, each None where there is none, and the changes after it, a batch at most.
    """

    epoch: str | None
    settled: int | None
    known: ChangeFingerprint | None
    newer: list[StoredChange]


class UsableKey(NamedTuple):
    """A usable service key with one of its secrets, of which `digest` is what is stored."""

    digest: bytes
    id: UUID
    name: str
    scopes: tuple[str, ...]
    expires_at: datetime | None
    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    def opens(self, scope: str, *, now: datetime) -> bool:
        return scope in self.scopes and (self.expires_at is None or self.expires_at > now)


def connect() -> Connection:
    """A connection beside Django's, for a thread that waits on it. Raises psycopg.Error.

    It is closed where PostgreSQL does not answer: what is asked here takes milliseconds, and another may have taken
    over from one that hangs.
    """
    options = connection.get_connection_params()
    options.pop("cursor_factory", None)
    options.pop("context", None)
    database = BoundedConnection.connect(**options, autocommit=True)
    database.silent_seconds = settings.DATABASE_SILENT_SECONDS
    return database


class Snapshot(NamedTuple):
    """The restrictions in force after the change `sequence`: how many, and each as JSON, in the order of numbers."""

    sequence: int
    size: int
    epoch: Epoch
    settled: int
    payloads: Iterator[str]


@contextmanager
def open_snapshot(database: Connection) -> Iterator[Snapshot]:
    """What one moment of the database shows; everything else that is read in the block is of that moment too."""
    with database.silent_for(SNAPSHOT_SECONDS), database.transaction():
        database.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        [sequence], [size] = (database.execute(query).fetchone() or (0,) for query in (SEQUENCE, COUNT))
        [settled] = database.execute(COUNT_SETTLED).fetchone() or (0,)
        yield Snapshot(sequence, size, _epoch(database), settled, _stream(database))


def _epoch(database: Connection) -> Epoch:
    """The newest epoch, the numbers that were lost before any of them began, and those that are settled."""
    epochs = database.execute(EPOCHS).fetchall()
    settled = [number for (number,) in database.execute(SETTLED)]
    lost = [(continues + 1, starts_after) for _, starts_after, continues in epochs if starts_after > continues]
    return Epoch(epochs[-1][0] if epochs else "", tuple(lost), to_ranges(settled))


def _stream(database: Connection) -> Iterator[str]:
    with database.cursor("in_force") as rows:
        rows.itersize = BATCH_SIZE
        rows.execute(IN_FORCE)
        for (payload,) in rows:
            yield payload


def read_feed(database: Connection, *, newest: int, after: int) -> FeedState:
    """Look whether the change `newest` is unaltered, and what came after the change `after`."""
    found = database.execute(FEED_STATE, {"newest": newest, "after": after, "most": BATCH_SIZE}).fetchall()
    epoch, settled, restriction, at, payload = found[0][:5]
    known = (
        ChangeFingerprint(restriction, at, None if payload is None else bytes(payload))
        if restriction is not None
        else None
    )
    return FeedState(epoch, settled, known, [StoredChange(*row[5:]) for row in found if row[5] is not None])


def newest_changes(database: Connection, most: int) -> list[StoredChange]:
    """The newest changes, the oldest of them first."""
    return [StoredChange(*row) for row in reversed(database.execute(NEWEST, [most]).fetchall())]


def find_changes(database: Connection, first: int, last: int) -> dict[int, StoredChange]:
    return {row[0]: StoredChange(*row) for row in database.execute(AMONG, [first, last])}


def last_change_before(database: Connection, number: int, *, made_by: datetime) -> int:
    """The newest change with a lower number that was made by a time; 0 where there is none."""
    [found] = database.execute(BEFORE, [number, made_by]).fetchone() or (None,)
    return found or 0


def find_live_numbers(database: Connection, numbers: Sequence[int]) -> set[int]:
    """Those of these restrictions that are there and have not ended."""
    return {number for (number,) in database.execute(LIVE, [list(numbers)])}


def first_payload(database: Connection, number: int) -> dict[str, Any]:
    """Return a restriction as gateways were sent it when it began."""
    [payload] = database.execute(BEGAN, [number]).fetchone() or ({},)
    return payload or {}


def transaction_bounds(database: Connection) -> tuple[int, int]:
    """The oldest transaction that is open and may write, and the next one that will begin."""
    oldest_open, next_one = database.execute(TRANSACTIONS).fetchone() or (0, 0)
    return oldest_open, next_one


def accounts_after(database: Connection, primary_key: int) -> Iterator[tuple[int, str]]:
    """The accounts with higher primary keys, with their ids."""
    with database.transaction(), database.cursor("accounts") as found:
        found.itersize = BATCH_SIZE
        yield from found.execute(ACCOUNTS, [primary_key])


def usable_keys(database: Connection, *, now: datetime) -> dict[bytes, UsableKey]:
    rows = database.execute(KEYS, [now])
    return {
        bytes(digest): UsableKey(bytes(digest), pk, name, tuple(scopes), until, tuple(map(ip_network, networks)))
        for digest, pk, name, scopes, until, networks in rows
    }
