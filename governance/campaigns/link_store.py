"""Store the links between accounts, and follow them from account to account.

To keep the cost to what has changed, only the links of accounts whose traits changed are computed again, and only the
groups that these links lead to are searched again.
"""

from collections.abc import Collection
from typing import Final

import polars as pl
from django.db import connection

from governance.campaigns.links import ACCOUNTS, LINKS, TRAITS, score_links
from governance.campaigns.models import Link
from governance.campaigns.trait_store import count_comparable_accounts
from governance.campaigns.traits import TraitKind

# Each account is compared with up to this many others on either side of it among those that share a value: enough to
# connect them all, at a cost that grows with their number instead of its square.
PARTNERS: Final = 64

_KINDS_COMPARED: Final = [TraitKind.TEMPLATE.value, TraitKind.ADDRESS.value, TraitKind.CARD.value]


def recompute_links(accounts: Collection[int]) -> None:
    """Compute the links of these accounts again and store them.

    Runs in the caller's transaction, which holds the lock of `store.update_campaigns`.
    """
    found = _links_of(accounts)
    Link.objects.touching(accounts).delete()
    with connection.cursor() as cursor:
        cursor.execute(_ADD_LINKS, found.to_dict(as_series=False))


_PAIRS: Final = """
SELECT DISTINCT least(mine.account_id, near.account_id), greatest(mine.account_id, near.account_id)
FROM campaigns_accounttrait AS mine, LATERAL (
    (SELECT account_id FROM campaigns_accounttrait AS other
     WHERE other.kind = mine.kind AND other.digest = mine.digest AND other.account_id > mine.account_id
     ORDER BY account_id LIMIT %(partners)s)
    UNION ALL
    (SELECT account_id FROM campaigns_accounttrait AS other
     WHERE other.kind = mine.kind AND other.digest = mine.digest AND other.account_id < mine.account_id
     ORDER BY account_id DESC LIMIT %(partners)s)
) AS near
WHERE mine.account_id = ANY(%(accounts)s) AND mine.kind = ANY(%(kinds)s)
"""

_TRAITS: Final = """
WITH wanted AS (
    SELECT account_id, kind, digest, share FROM campaigns_accounttrait WHERE account_id = ANY(%(accounts)s)
), had AS (
    SELECT kind, digest, count(*) AS users, sum(uses)::bigint AS uses_of_all, max(uses) AS most_uses
    FROM campaigns_accounttrait JOIN (SELECT DISTINCT kind, digest FROM wanted) AS value USING (kind, digest)
    GROUP BY kind, digest
)
SELECT account_id, kind, digest, share, users, uses_of_all, most_uses
FROM wanted JOIN had USING (kind, digest) WHERE users > 1
"""

_SAMPLES: Final = """
SELECT account.id, account.organisation_id, sample.breadth, sample.sketches
FROM accounts_account AS account JOIN campaigns_accountsample AS sample ON sample.account_id = account.id
WHERE account.id = ANY(%(accounts)s)
"""


def _links_of(accounts: Collection[int]) -> pl.DataFrame:
    with connection.cursor() as cursor:
        cursor.execute(_PAIRS, {"accounts": list(accounts), "partners": PARTNERS, "kinds": _KINDS_COMPARED})
        pairs = pl.DataFrame(cursor.fetchall(), schema={"one": pl.Int64, "other": pl.Int64}, orient="row")
        both = {"accounts": pl.concat([pairs["one"], pairs["other"]]).unique().to_list()}
        cursor.execute(_TRAITS, both)
        traits = pl.DataFrame(cursor.fetchall(), schema=TRAITS, orient="row")
        cursor.execute(_SAMPLES, both)
        known = pl.DataFrame(cursor.fetchall(), schema=ACCOUNTS | {"sketches": pl.List(pl.Int64)}, orient="row")
    samples = known.select("account", digest="sketches").explode("digest").drop_nulls()
    return score_links(pairs, traits, samples, known.drop("sketches"), population=count_comparable_accounts())


_ADD_LINKS: Final = """
INSERT INTO campaigns_link (one_id, other_id, wrappers, shards, addresses, card, settings)
SELECT * FROM unnest(
    %(one)s::bigint[], %(other)s::bigint[],
    %(wrappers)s::float8[], %(shards)s::float8[], %(addresses)s::float8[], %(card)s::float8[], %(settings)s::float8[]
)
"""

_LEADING_ON: Final = """
SELECT one_id, other_id, wrappers, shards, addresses, card, settings
FROM campaigns_link WHERE one_id = ANY(%(accounts)s)
UNION ALL
SELECT one_id, other_id, wrappers, shards, addresses, card, settings
FROM campaigns_link WHERE other_id = ANY(%(accounts)s)
"""


def connected_accounts(accounts: Collection[int]) -> tuple[set[int], pl.DataFrame]:
    """Return all accounts that links lead to from these, over any number of steps, and the links among them."""
    known, edge = set(accounts), set(accounts)
    ties = pl.DataFrame(schema=LINKS)
    with connection.cursor() as cursor:
        while edge:
            cursor.execute(_LEADING_ON, {"accounts": list(edge)})
            more = pl.DataFrame(cursor.fetchall(), schema=LINKS, orient="row")
            ties = pl.concat([ties, more])
            edge = {*more["one"], *more["other"]} - known
            known |= edge
    return known, ties.unique(["one", "other"]).sort("one", "other")
