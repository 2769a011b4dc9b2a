"""Recording entries in the audit log. Nothing else writes to its table."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from governance.audit.actor import Actor
from governance.audit.chain import GENESIS, check_exact, encode_leaf, entry_hash
from governance.audit.models import Entry
from governance.audit.queries import content_of
from governance.audit.verbs import Verb
from governance.platform.locks import Lock, lock_until_commit
from governance.platform.notifications import enqueue_on_commit

BATCH = 2_000
# So many new entries are published at once, fewer by the timetable.
PUBLISHED_AT_ONCE = 1_000


def audit_log_lock() -> None:
    """Lock the log until this transaction ends, so that no other transaction records an entry meanwhile.

    Also for actions that number their own rows in the order of commits, such as restrictions.
    Raises TransactionManagementError outside a transaction.
    """
    lock_until_commit(Lock.AUDIT_LOG)


class NewEntry(NamedTuple):
    """An entry that is to be recorded: what was done to whom. `details` hold text, whole numbers, booleans, null, and
    lists and mappings of them, under the names that the verb lists.
    """

    verb: Verb
    subject: tuple[str, str]
    details: Mapping[str, Any]


def record(
    verb: Verb, *, subject: tuple[str, str], by: Actor, now: datetime, details: Mapping[str, Any] | None = None
) -> Entry:
    """Append an entry in the caller's transaction, so that no effect stands without its entry.

    The lock is held until that transaction ends, which makes numbers gapless and in commit order: record last,
    or at least late.

    Raises TransactionManagementError outside a transaction, TypeError for details that do not fit the verb or hold
    other values.
    """
    return record_all([NewEntry(verb, subject, details or {})], by=by, now=now)[0]


def record_all(new_entries: Sequence[NewEntry], *, by: Actor, now: datetime) -> list[Entry]:
    """Append several entries, as `record` does for one."""
    for new in new_entries:
        new.verb.check(new.details)
        check_exact(new.details)
    audit_log_lock()
    last = Entry.objects.order_by("-number").values_list("number", "hash").first()
    number, previous_hash = (last[0], bytes(last[1])) if last else (0, GENESIS)
    entries = []
    for new in new_entries:
        number += 1
        entry = Entry(
            number=number,
            at=now,
            actor_kind=by.kind,
            actor_id=by.id,
            actor_name=by.name,
            verb=new.verb,
            subject_kind=new.subject[0],
            subject_id=new.subject[1],
            details=dict(new.details),
            previous_hash=previous_hash,
        )
        entry.leaf = encode_leaf(content_of(entry), bytes(entry.salt))
        previous_hash = entry.hash = entry_hash(previous_hash, entry.leaf)
        entries.append(entry)
    if number // PUBLISHED_AT_ONCE > (number - len(entries)) // PUBLISHED_AT_ONCE:
        enqueue_on_commit("governance.tasks.publish_log")
    return Entry.objects.bulk_create(entries, batch_size=BATCH)
