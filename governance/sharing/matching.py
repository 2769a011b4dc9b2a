"""Which accounts the indicators of partners fit: all accounts at once, in one query for each key, column or prefix.

Cards and domains are digested in the database with the keys of each partner, as `SharedKey.digest` does. Addresses and
wordings are found among the shared signals of accounts, networks by the address of the sign-up. All that is looked for
is one array in a query, which PostgreSQL hashes: so each reads its table once, however much is looked for. A join with
the table of indicators would let the planner, who cannot know how many digests fit, compare each with each.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from ipaddress import ip_network
from typing import Any, Final

from django.db import connection

from governance.campaigns.traits import TraitKind
from governance.detection.indicator_kinds import IndicatorKind
from governance.detection.partner_matches import Match, replace_partner_matches
from governance.platform.encryption import DecryptionError
from governance.platform.locks import Lock, lock_until_commit
from governance.platform.notifications import enqueue_on_commit
from governance.platform.transactions import retried_transaction
from governance.sharing.keyed_digests import SharedKey
from governance.sharing.keys import shared_keys
from governance.sharing.models import Indicator, Partner
from governance.usage.scoring_queue import request_rescore

logger = logging.getLogger(__name__)

# An indicator that fits more accounts than this, such as the digest of a public mail service, says nothing.
MOST_ACCOUNTS: Final = 1_000

# What is looked for, with the names of the partners that look for it.
Wanted = Mapping[Any, Iterable[str]]

_DIGESTED: Final = """
SELECT digest, array_agg(id) FROM (
    SELECT id, %(version)s || encode(
        sha256(%(outer)s || sha256(%(inner)s || convert_to(lower(%(kind)s || ':' || {column} COLLATE "C"), 'UTF8'))),
        'hex'
    ) AS digest
    FROM accounts_account WHERE {column} <> '' AND {column} NOT LIKE 'erased-%%'
) AS digested WHERE digest = ANY(%(wanted)s) GROUP BY digest HAVING count(*) <= %(most)s
"""
_BY_DIGEST: Final = {
    IndicatorKind.CARD: _DIGESTED.format(column="payment_fingerprint"),
    IndicatorKind.DOMAIN: _DIGESTED.format(column="email_domain"),
}
_BY_TRAIT: Final = """
SELECT digest, array_agg(DISTINCT account_id) FROM campaigns_accounttrait
WHERE kind = ANY(%(kinds)s) AND digest = ANY(%(wanted)s)
GROUP BY digest HAVING count(DISTINCT account_id) <= %(most)s
"""
_BY_NETWORK: Final = """
SELECT network::text, array_agg(id) FROM (
    SELECT id, network(set_masklen(signup_ip, %(prefix)s)) AS network
    FROM accounts_account WHERE signup_ip IS NOT NULL AND family(signup_ip) = %(family)s
) AS prefixed WHERE network = ANY(%(wanted)s::cidr[]) GROUP BY network HAVING count(*) <= %(most)s
"""
_TRAITS: Final = {
    IndicatorKind.ADDRESS: [TraitKind.ADDRESS.value],
    IndicatorKind.WRAPPER: [TraitKind.OPENING.value, TraitKind.CLOSING.value],
}


@retried_transaction
def match_indicators(*, now: datetime) -> int:
    """Store which accounts the indicators in force fit, and let those be scored again for whom this has changed.

    Return how many. An indicator that has expired, was retracted, or whose partner was revoked fits nobody.
    """
    # One at a time: of two, the one that has read less must not write last.
    lock_until_commit(Lock.PARTNER_MATCHING)
    changed = replace_partner_matches(set(_matches(now=now)), now=now)
    if changed:
        request_rescore(changed, now=now)
        enqueue_on_commit("governance.tasks.score_dirty_accounts")
    return len(changed)


def _matches(*, now: datetime) -> Iterator[Match]:
    wanted: dict[IndicatorKind, dict[Any, set[str]]] = defaultdict(lambda: defaultdict(set))
    keyed: dict[tuple[Any, IndicatorKind], set[str]] = defaultdict(set)
    live = Indicator.objects.in_force(at=now).values_list("partner", "partner__name", "kind", "value", "local_digest")
    for partner, name, code, value, digest in live:
        kind = IndicatorKind(code)
        if kind in _BY_DIGEST:
            keyed[partner, kind].add(value)
        else:
            wanted[kind][value if digest is None else digest].add(name)
    yield from _by_digest(keyed)
    for kind, kinds in _TRAITS.items():
        yield from _find(_BY_TRAIT, kind, wanted[kind], kinds=kinds)
    yield from _by_network(wanted[IndicatorKind.NETWORK])


def _by_digest(keyed: Mapping[tuple[Any, IndicatorKind], set[str]]) -> Iterator[Match]:
    """Those whose card or domain has one of these digests under a key of the partner that sent it."""
    for partner in Partner.objects.filter(pk__in={pk for pk, _ in keyed}).order_by("pk"):
        for key in _keys(partner):
            inner, outer = key.pads
            version = f"v{key.version}:"
            for kind, query in _BY_DIGEST.items():
                wanted = {value: [partner.name] for value in keyed[partner.pk, kind] if value.startswith(version)}
                yield from _find(query, kind, wanted, kind=kind.value, version=version, inner=inner, outer=outer)


def _by_network(networks: Wanted) -> Iterator[Match]:
    by_prefix: dict[tuple[int, int], dict[str, Iterable[str]]] = defaultdict(dict)
    for text, names in networks.items():
        network = ip_network(text)
        by_prefix[network.version, network.prefixlen][text] = names
    for (family, prefix), wanted in by_prefix.items():
        yield from _find(_BY_NETWORK, IndicatorKind.NETWORK, wanted, family=family, prefix=prefix)


def _find(query: str, of: IndicatorKind, wanted: Wanted, **parameters: Any) -> Iterator[Match]:
    if not wanted:
        return
    with connection.cursor() as cursor:
        cursor.execute(query, {**parameters, "wanted": list(wanted), "most": MOST_ACCOUNTS})
        found = cursor.fetchall()
    for value, accounts in found:
        for account in accounts:
            yield from (Match(account, name, of.value) for name in wanted[value])


def _keys(partner: Partner) -> list[SharedKey]:
    try:
        return shared_keys(partner)
    except DecryptionError:
        logger.warning("The key shared with the partner %s cannot be read with the current SECRET_KEY.", partner.pk)
        return []
