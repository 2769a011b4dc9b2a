"""The feed as it stands in PostgreSQL, read over a connection of one's own, and who may ask."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import psycopg
from django.db import connection

SEQUENCE: Final = "SELECT coalesce(max(number), 0) FROM enforcement_change"
# A restriction has the number of the change that began it. Only of those that cover other names since, or hold for
# another time, is what gateways are told put together from their rows.
IN_FORCE: Final = """
    SELECT CASE WHEN EXISTS (
        SELECT FROM enforcement_change later WHERE later.restriction_id = restriction.number AND later.what = 'covers'
    ) OR restriction.holds_until IS DISTINCT FROM restriction.expires_at THEN (jsonb_set(began.told, '{names}', (
        SELECT jsonb_object_agg(kind, names) FROM (
            SELECT every.kind, coalesce(jsonb_agg(covered.name) FILTER (WHERE covered.name IS NOT NULL), '[]') AS names
            FROM unnest(ARRAY['organisation', 'account', 'key', 'digest']) AS every (kind)
            LEFT JOIN enforcement_coveredname covered
                ON covered.restriction_id = restriction.number AND covered.kind = every.kind
            GROUP BY every.kind
        ) by_kind
    )) || jsonb_build_object('until', restriction.holds_until))::text ELSE began.told::text END
    FROM enforcement_restriction restriction JOIN enforcement_change began ON began.number = restriction.number
    WHERE restriction.ended_at IS NULL ORDER BY restriction.number
"""
COUNT: Final = "SELECT count(*) FROM enforcement_restriction WHERE ended_at IS NULL"
CHANGES: Final = """
    SELECT number, restriction_id, told::text FROM enforcement_change WHERE number > %s ORDER BY number LIMIT %s
"""
KEYS: Final = """
    SELECT key.digest, key.id, key.name, key.scopes, key.expires_at FROM staff_servicekey key
    WHERE key.revoked_at IS NULL AND (key.expires_at IS NULL OR key.expires_at > %s)
"""
TRANSACTIONS: Final = """
    SELECT pg_snapshot_xmin(now)::text::bigint, pg_snapshot_xmax(now)::text::bigint FROM pg_current_snapshot() AS now
"""
ACCOUNTS: Final = "SELECT id, external_id FROM accounts_account WHERE id > %s"
PORTION: Final = 5_000

Connection = psycopg.Connection[Any]


class Change(NamedTuple):
    """A change as it stands in its row; `told` is JSON, or None where the restriction ended."""

    number: int
    restriction: int
    told: str | None


class Key(NamedTuple):
    """A usable service key."""

    digest: bytes
    id: UUID
    name: str
    scopes: tuple[str, ...]
    expires_at: datetime | None

    def opens(self, scope: str, *, now: datetime) -> bool:
        return scope in self.scopes and (self.expires_at is None or self.expires_at > now)


def connect() -> Connection:
    """A connection beside Django's, for a thread that waits on it. Raises psycopg.Error."""
    options = connection.get_connection_params()
    options.pop("cursor_factory", None)
    options.pop("context", None)
    return psycopg.connect(**options, autocommit=True)


class Snapshot(NamedTuple):
    """The restrictions in force after the change `sequence`: how many, and each as JSON, in the order of numbers."""

    sequence: int
    size: int
    told: Iterator[str]


@contextmanager
def snapshot(database: Connection) -> Iterator[Snapshot]:
    """What one moment of the database shows; everything else that is read in the block is of that moment too."""
    with database.transaction():
        database.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        [sequence], [size] = (database.execute(query).fetchone() or (0,) for query in (SEQUENCE, COUNT))
        yield Snapshot(sequence, size, _stream(database))


def _stream(database: Connection) -> Iterator[str]:
    with database.cursor("in_force") as rows:
        rows.itersize = PORTION
        rows.execute(IN_FORCE)
        for (told,) in rows:
            yield told


def changes_after(database: Connection, sequence: int) -> list[Change]:
    """The next ones, a portion at most."""
    return [Change(*row) for row in database.execute(CHANGES, [sequence, PORTION])]


def transactions(database: Connection) -> tuple[int, int]:
    """The oldest transaction that is open and may write, and the next one that will begin."""
    oldest_open, next_one = database.execute(TRANSACTIONS).fetchone() or (0, 0)
    return oldest_open, next_one


def accounts_after(database: Connection, primary_key: int) -> Iterator[tuple[int, str]]:
    """The accounts with higher primary keys, with their ids."""
    with database.transaction(), database.cursor("accounts") as found:
        found.itersize = PORTION
        yield from found.execute(ACCOUNTS, [primary_key])


def usable_keys(database: Connection, *, now: datetime) -> dict[bytes, Key]:
    rows = database.execute(KEYS, [now])
    return {
        bytes(digest): Key(bytes(digest), pk, name, tuple(scopes), expires)
        for digest, pk, name, scopes, expires in rows
    }
