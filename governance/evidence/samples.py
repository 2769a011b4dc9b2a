"""Sampled usage events, each with what proves that it was there when its day was sealed."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final

from django.conf import settings

from governance.audit.chain import Field
from governance.audit.merkle import Node, inclusion_proof
from governance.audit.stillwatch_verify import leaf_hash, tree_head
from governance.evidence.leaves import (
    StoredEvent,
    derive_key,
    encode_account_leaf,
    encode_leaf,
    event_hasher,
    salted_event_fields,
)
from governance.evidence.models import SealedAccount, UsageSeal
from governance.evidence.redaction import Redaction
from governance.evidence.scope import Scope
from governance.evidence.sealing import iter_events

ACCOUNTS: Final = 20
DAYS: Final = 5
EVENTS: Final = 4
# Of the trees of days few are needed at once.
DAYS_KEPT: Final = 8


def sample_events(scope: Scope, redaction: Redaction) -> Iterator[dict[str, Any]]:
    """Yield some events of some accounts on some days: those whose digests are smallest, so that nobody chose them.

    Days are spread evenly over those that are sealed. An account whose events are no longer those that were sealed, as
    after an erasure, is passed over.
    """
    key = derive_key(settings.FINGERPRINT_KEY)
    tree_of = lru_cache(DAYS_KEPT)(_day_tree)
    days = {seal.pk: day for day, seal in scope.seals.items()}
    for account in sorted(scope.accounts, key=lambda one: sha256(one.external_id.encode()).digest())[:ACCOUNTS]:
        rows = SealedAccount.objects.filter(account=account, seal__in=days).select_related("seal")
        sealed = sorted(rows, key=lambda one: one.seal.day)
        for one in spread(sealed, DAYS):
            yield from _sample_day(one, account.external_id, tree_of(one.seal), key, redaction)


def spread(items: Sequence[Any], many: int) -> list[Any]:
    """Return so many of the items, evenly from the first to the last.

    >>> spread("abcdefg", 3), spread("ab", 3)
    (['a', 'd', 'g'], ['a', 'b'])
    """
    if len(items) <= many:
        return list(items)
    return [items[round(place * (len(items) - 1) / (many - 1))] for place in range(many)]


def _sample_day(
    sealed: SealedAccount, account: str, accounts: Sequence[bytes], key: bytes, redaction: Redaction
) -> Iterator[dict[str, Any]]:
    hash_event, chosen, hashes = event_hasher(key), list[StoredEvent](), list[bytes]()
    for row in iter_events(sealed.seal.day, [sealed.account_id]):
        hashes.append(hash_event(row.event))
        if len(chosen) < EVENTS:  # they come in the order of their digests
            chosen.append(row.event)
    if tree_head(hashes) != bytes(sealed.root):
        return
    in_account, in_day = tree_node(hashes), tree_node(accounts)
    of_day = [step.hex() for step in inclusion_proof(sealed.place, len(accounts), in_day)]
    for place, event in enumerate(chosen):
        yield {
            "day": str(sealed.seal.day),
            "sealed_by_entry": sealed.seal.entry,
            **opened(salted_event_fields(key, event), redaction),
            "index": place,
            "proof": [step.hex() for step in inclusion_proof(place, len(hashes), in_account)],
            "account_leaf": encode_account_leaf(account, sealed.events, bytes(sealed.root)).decode(),
            "account_index": sealed.place,
            "accounts": len(accounts),
            "account_proof": of_day,
        }


def opened(fields: Sequence[Field], redaction: Redaction) -> dict[str, Any]:
    """Return a leaf, and those of its fields that are shown, with their salts."""
    shown = {field.name: field.opened for field in fields if not redaction.hides(field.name)}
    return {"leaf": encode_leaf(fields).decode(), "fields": shown}


def _day_tree(seal: UsageSeal) -> list[bytes]:
    """The hashes of the leaves of a day's tree."""
    rows = SealedAccount.objects.filter(seal=seal).order_by("place")
    leaves = rows.values_list("account__external_id", "events", "root")
    return [leaf_hash(encode_account_leaf(account, events, bytes(root))) for account, events, root in leaves]


def tree_node(hashes: Sequence[bytes]) -> Node:
    """Return what `merkle` asks for of a tree that is small enough to be kept."""

    def node(height: int, index: int) -> bytes:
        return tree_head(hashes[index << height : (index + 1) << height])

    return node
