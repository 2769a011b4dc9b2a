"""Verify the log: every entry by itself, and the chain of hashes."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

from django.conf import settings
from django.db import connection

from governance.audit.chain import (
    GENESIS,
    OpenedField,
    canonical_json,
    check_exact,
    encode_leaf,
    entry_hash,
    format_time,
    iter_fields,
)
from governance.audit.models import Checkpoint, Entry, EntryQuerySet, PublicationTrouble
from governance.audit.stillwatch_verify import LogFaultError
from governance.audit.verbs import Verb

# By how much the clocks of machines, and actions that take their time, may differ.
CLOCKS_DIFFER: Final = timedelta(minutes=10)
CHANGED: Final = "its content was changed after it was written"


# One look into the index for each actor, however many entries there are.
_ACTORS: Final = """
WITH RECURSIVE actor AS (
    (SELECT actor_kind, actor_id FROM audit_entry ORDER BY actor_kind, actor_id LIMIT 1)
    UNION ALL
    SELECT later.* FROM actor CROSS JOIN LATERAL (
        SELECT actor_kind, actor_id FROM audit_entry
        WHERE (actor_kind, actor_id) > (actor.actor_kind, actor.actor_id) ORDER BY actor_kind, actor_id LIMIT 1
    ) AS later
)
SELECT actor_kind, actor_id, newest.actor_name FROM actor CROSS JOIN LATERAL (
    SELECT actor_name FROM audit_entry
    WHERE (audit_entry.actor_kind, audit_entry.actor_id) = (actor.actor_kind, actor.actor_id)
    ORDER BY number DESC LIMIT 1
) AS newest
ORDER BY actor_kind, newest.actor_name, actor_id
"""


class ChainFault(NamedTuple):
    """An entry that breaks the chain, and why; or, without `breaks_chain`, one that runs backwards in time."""

    number: int
    reason: str
    breaks_chain: bool = True


class StoredEntry(NamedTuple):
    """The columns of an entry, of which a walk over the whole log needs no more than the values."""

    number: int
    at: datetime
    actor_kind: str
    actor_id: str
    actor_name: str
    verb: str
    subject_kind: str
    subject_id: str
    details: Any
    previous_hash: bytes
    hash: bytes
    leaf: bytes | None
    salt: bytes


class CheckedEntry(NamedTuple):
    """An entry's number, what is published of it, and what is wrong with it."""

    number: int
    leaf: bytes
    fault: ChainFault | None


class PublishedLog(NamedTuple):
    """A log as outsiders know it. `name` is empty for the first, and a time for one that `begin_log` began."""

    name: str = ""

    @property
    def origin(self) -> str:
        return f"{settings.AUDIT_ORIGIN}/{self.name}" if self.name else settings.AUDIT_ORIGIN

    @property
    def path(self) -> Path:
        return Path(settings.AUDIT_FOLDER) / self.name


def get_published_log() -> PublishedLog:
    """Return the log under which entries are published now."""
    began = Entry.objects.filter(verb=Verb.LOG_BEGAN).order_by("-number")
    return PublishedLog(began.values_list("details__name", flat=True).first() or "")


def list_actors() -> list[tuple[str, str]]:
    """Return everybody who has an entry, as kind:id and under the name of their newest one. In one query."""
    with connection.cursor() as cursor:
        cursor.execute(_ACTORS)
        return [(f"{kind}:{pk}", f"{name} ({kind.replace('_', ' ')})") for kind, pk, name in cursor.fetchall()]


def content_of(entry: Entry | StoredEntry) -> dict[str, Any]:
    """Return what was recorded in the entry."""
    return {
        "number": entry.number,
        "at": format_time(entry.at),
        "actor_kind": entry.actor_kind,
        "actor_id": entry.actor_id,
        "actor_name": entry.actor_name,
        "verb": entry.verb,
        "subject_kind": entry.subject_kind,
        "subject_id": entry.subject_id,
        "details": entry.details,
    }


def leaf_of(entry: Entry | StoredEntry) -> bytes:
    """Return what is published of the entry. Raises LogFaultError if its columns are not what was recorded."""
    leaf, _, wrong = _check_content(entry)
    if wrong:
        raise LogFaultError(f"entry {entry.number} of the log: {wrong}", first=entry.number)
    return leaf


def open_fields(entry: Entry) -> dict[str, OpenedField]:
    """Return the fields that the leaf of the entry commits to, each with what proves it."""
    return {field.name: field.opened for field in iter_fields(content_of(entry), bytes(entry.salt))}


def iter_leaves(first: int, last: int) -> Iterator[bytes]:
    """What is published of the entries with these numbers, both included, in order. Raises LogFaultError."""
    return map(leaf_of, _iter_stored(Entry.objects.filter(number__gte=first, number__lte=last)))


def count_entries() -> int:
    """Return the number of the newest entry, 0 for an empty log."""
    return Entry.objects.order_by("-number").values_list("number", flat=True).first() or 0


def find_unpublished_since() -> datetime | None:
    """Return the time of the first entry that is not published, None if all are."""
    published = Checkpoint.objects.of_log(get_published_log().origin).values_list("size", flat=True).first() or 0
    return Entry.objects.filter(number=published + 1).values_list("at", flat=True).first()


def is_log_at_fault() -> bool:
    """Return True if the log was found not to be what was published."""
    return PublicationTrouble.objects.filter(kind=PublicationTrouble.Kind.FAULT).exists()


def iter_chain_checks() -> Iterator[ChainFault | None]:
    """Walk the whole chain; for every entry in order yield None, or the ChainFault that it has."""
    return (checked.fault for checked in iter_checked_entries())


def iter_checked_entries() -> Iterator[CheckedEntry]:
    """Walk the whole log in order."""
    return check_entries(_iter_stored(Entry.objects.all()))


def _iter_stored(entries: EntryQuerySet) -> Iterator[StoredEntry]:
    """The entries in order, from a cursor of the database: an object of the model for each would take as long again."""
    return map(StoredEntry._make, entries.oldest_first().values_list(*StoredEntry._fields).iterator(chunk_size=2000))


def check_entries(entries: Iterable[Entry | StoredEntry]) -> Iterator[CheckedEntry]:
    """Check these entries, which are to be a whole log in order."""
    expected_number, previous_hash, latest = 1, GENESIS, None
    for entry in entries:
        latest = max(latest or entry.at, entry.at)
        leaf, hashed, wrong = _check_content(entry)
        if not wrong and bytes(entry.hash) != entry_hash(previous_hash, hashed):
            wrong = CHANGED
        fault = _fault(entry, expected_number, previous_hash, wrong) or _backwards(entry, latest)
        yield CheckedEntry(entry.number, leaf, fault)
        expected_number, previous_hash = entry.number + 1, bytes(entry.hash)


def _check_content(entry: Entry | StoredEntry) -> tuple[bytes, bytes, str]:
    """Return the entry's leaf, what its hash covers, and in which way its columns and its leaf do not agree."""
    content, stored = content_of(entry), None if entry.leaf is None else bytes(entry.leaf)
    leaf = encode_leaf(content, bytes(entry.salt))
    if stored == leaf:
        return leaf, leaf, ""
    try:
        check_exact(entry.details)
    except TypeError as error:
        return b"", b"", f"its details cannot have been recorded so: {error}"
    return (leaf, canonical_json(content), "") if stored is None else (leaf, stored, CHANGED)


def _fault(entry: Entry | StoredEntry, expected_number: int, previous_hash: bytes, wrong: str) -> ChainFault | None:
    if entry.number != expected_number:
        return ChainFault(entry.number, f"entry {expected_number} is missing before it")
    if bytes(entry.previous_hash) != previous_hash:
        return ChainFault(entry.number, "it does not follow from the entry before it")
    return ChainFault(entry.number, wrong) if wrong else None


def _backwards(entry: Entry | StoredEntry, latest: datetime) -> ChainFault | None:
    if latest - entry.at <= CLOCKS_DIFFER:
        return None
    reason = f"its time, {entry.at:%F %T}, lies before {latest:%F %T} of an earlier entry"
    return ChainFault(entry.number, reason, breaks_chain=False)
