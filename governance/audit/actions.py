"""The one way into the log."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection, transaction

from governance.audit.actor import Actor
from governance.audit.chain import GENESIS, entry_hash
from governance.audit.models import Entry
from governance.audit.queries import content_of

# One number for the whole database: whoever holds this lock writes the next entry.
CHAIN_LOCK = 0x5711_1AC4
BATCH = 2_000


def audit_log_lock() -> None:
    """Wait until this transaction is the only one that writes to the log, and stay it until it ends.

    For actions whose own order must be the order of commits, such as numbering restrictions.
    Raises TransactionManagementError outside a transaction.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("An audit entry belongs into the transaction of its effect.")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CHAIN_LOCK])


class Happening(NamedTuple):
    """What was done to whom: an entry to be. `details` holds text, whole numbers, truth values, null, lists and
    mappings of them.
    """

    verb: str
    subject: tuple[str, str]
    details: Mapping[str, Any]


def record(
    verb: str, *, subject: tuple[str, str], by: Actor, now: datetime, details: Mapping[str, Any] | None = None
) -> Entry:
    """Append an entry in the caller's transaction, so that no effect stands without its entry.

    The lock is held until that transaction ends, which makes numbers gapless and in commit order: record last,
    or at least late.

    Raises TransactionManagementError outside a transaction, TypeError for other values in `details`.
    """
    return record_all([Happening(verb, subject, details or {})], by=by, now=now)[0]


def record_all(happenings: Sequence[Happening], *, by: Actor, now: datetime) -> list[Entry]:
    """Append an entry for each, as `record` does for one."""
    audit_log_lock()
    last = Entry.objects.order_by("-number").values_list("number", "hash").first()
    number, previous_hash = (last[0], bytes(last[1])) if last else (0, GENESIS)
    entries = []
    for happening in happenings:
        number += 1
        entry = Entry(
            number=number,
            at=now,
            actor_kind=by.kind,
            actor_id=by.id,
            actor_name=by.name,
            verb=happening.verb,
            subject_kind=happening.subject[0],
            subject_id=happening.subject[1],
            details=dict(happening.details),
            previous_hash=previous_hash,
        )
        previous_hash = entry.hash = entry_hash(previous_hash, content_of(entry))
        entries.append(entry)
    return Entry.objects.bulk_create(entries, batch_size=BATCH)
