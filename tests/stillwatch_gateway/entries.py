"""Restrictions such as messages bring, and what becomes of a request under them."""

from stillwatch_gateway.entries import FOREVER, EntryTerms, RestrictionEntry
from stillwatch_gateway.restriction_set import RestrictionSet

NOW = 1_000_000.0
BLOCK, WATCH = EntryTerms("block", "bulk_harvest"), EntryTerms("watch", "other")


def entry(
    number: int, *names: str, terms: EntryTerms = BLOCK, since: float = 0.0, until: float = FOREVER
) -> RestrictionEntry:
    return RestrictionEntry(number, terms, since, until, names or (f"account:acct_{number}",))


def allowed(restricted: RestrictionSet, account: str, *, now: float = NOW) -> bool:
    return restricted.decide([f"account:{account}"], now=now).allowed


def renamed(number: int, *, added: tuple[str, ...] = (), removed: tuple[str, ...] = ()) -> RestrictionEntry:
    return RestrictionEntry(number, BLOCK, 0.0, FOREVER, added, is_whole=False, removed=removed)
