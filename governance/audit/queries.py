"""Verify the hash chain of the log."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from governance.audit.chain import GENESIS, entry_hash, format_time
from governance.audit.models import Entry

# By how much the clocks of machines, and actions that take their time, may differ.
CLOCKS_DIFFER: Final = timedelta(minutes=10)


class ChainFault(NamedTuple):
    """An entry that breaks the chain, and why; or, without `breaks_chain`, one that runs backwards in time."""

    number: int
    reason: str
    breaks_chain: bool = True


def hashed_content(entry: Entry) -> dict[str, Any]:
    """Return what the hash of the entry covers, apart from the hash of the entry before it."""
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


def iter_chain_checks() -> Iterator[ChainFault | None]:
    """Walk the whole chain; for every entry in order yield None, or the ChainFault that it has."""
    expected_number, previous_hash, latest = 1, GENESIS, None
    for entry in Entry.objects.oldest_first().iterator(chunk_size=2000):
        latest = max(latest or entry.at, entry.at)
        yield _fault(entry, expected_number, previous_hash) or _backwards(entry, latest)
        expected_number, previous_hash = entry.number + 1, bytes(entry.hash)


def _fault(entry: Entry, expected_number: int, previous_hash: bytes) -> ChainFault | None:
    if entry.number != expected_number:
        return ChainFault(entry.number, f"entry {expected_number} is missing before it")
    if bytes(entry.previous_hash) != previous_hash:
        return ChainFault(entry.number, "it does not follow from the entry before it")
    try:
        wanted = entry_hash(previous_hash, hashed_content(entry))
    except TypeError as error:
        return ChainFault(entry.number, f"its details cannot have been recorded so: {error}")
    if bytes(entry.hash) != wanted:
        return ChainFault(entry.number, "its content was changed after it was written")
    return None


def _backwards(entry: Entry, latest: datetime) -> ChainFault | None:
    if latest - entry.at <= CLOCKS_DIFFER:
        return None
    reason = f"its time, {entry.at:%F %T}, lies before {latest:%F %T} of an earlier entry"
    return ChainFault(entry.number, reason, breaks_chain=False)
