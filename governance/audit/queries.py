"""Reading the log, and proving it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from governance.audit.chain import GENESIS, entry_hash, instant
from governance.audit.models import Entry

# By how much the clocks of machines, and actions that take their time, may differ.
CLOCKS_DIFFER: Final = timedelta(minutes=10)


class Fault(NamedTuple):
    """Where the chain is broken and in what way; or, without `breaks_chain`, an entry that runs backwards in time."""

    number: int
    reason: str
    breaks_chain: bool = True


def content_of(entry: Entry) -> dict[str, Any]:
    """What the entry's hash covers besides the hash before it."""
    return {
        "number": entry.number,
        "at": instant(entry.at),
        "actor_kind": entry.actor_kind,
        "actor_id": entry.actor_id,
        "actor_name": entry.actor_name,
        "verb": entry.verb,
        "subject_kind": entry.subject_kind,
        "subject_id": entry.subject_id,
        "details": entry.details,
    }


def faults() -> Iterator[Fault | None]:
    """Walk the whole chain; for every entry in order yield None where it holds, a Fault where it does not."""
    expected_number, previous_hash, latest = 1, GENESIS, None
    for entry in Entry.objects.from_the_start().iterator(chunk_size=2000):
        latest = max(latest or entry.at, entry.at)
        yield _fault(entry, expected_number, previous_hash) or _backwards(entry, latest)
        expected_number, previous_hash = entry.number + 1, bytes(entry.hash)


def _fault(entry: Entry, expected_number: int, previous_hash: bytes) -> Fault | None:
    if entry.number != expected_number:
        return Fault(entry.number, f"entry {expected_number} is missing before it")
    if bytes(entry.previous_hash) != previous_hash:
        return Fault(entry.number, "it does not follow from the entry before it")
    try:
        wanted = entry_hash(previous_hash, content_of(entry))
    except TypeError as error:
        return Fault(entry.number, f"its details cannot have been recorded so: {error}")
    if bytes(entry.hash) != wanted:
        return Fault(entry.number, "its content was changed after it was written")
    return None


def _backwards(entry: Entry, latest: datetime) -> Fault | None:
    if latest - entry.at <= CLOCKS_DIFFER:
        return None
    reason = f"its time, {entry.at:%F %T}, lies before {latest:%F %T} of an earlier entry"
    return Fault(entry.number, reason, breaks_chain=False)
