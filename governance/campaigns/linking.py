"""How accounts find each other as usage comes in: what they have in common, and which groups that makes.

What costs is kept to what has changed: an account is laid beside others when its traits have moved, only its own ties
are worked out anew, and only the groups that these ties lead to are searched again.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple, Protocol

import polars as pl
from django.db import connection

from governance.campaigns.links import ACCOUNTS, LINKS, TRAITS, links
from governance.campaigns.models import AccountSample, AccountTrait, Link
from governance.campaigns.traits import Kind, SignUp, Trait, traits_of
from governance.usage.account_usage import AccountUsage
from governance.usage.profiles.features import STANDALONE_MAJORITY, PeerGroup, PeerRatios

# Traits have moved when one has come or gone, or the share of requests that carry it has changed by so much.
MOVED: Final = 0.1
# A trait is remembered while at least so many of an account's requests carry it.
LEAST_SHARE: Final = 0.03
# Of the accounts that share a value each is laid beside so many on either side of it: enough to connect them all, and
# the cost grows with their number instead of its square.
PARTNERS: Final = 64

_FIND_EACH_OTHER: Final = [Kind.TEMPLATE.value, Kind.ADDRESS.value, Kind.CARD.value]


# A prompt that so many accounts have in their samples is public.
PUBLIC_FROM: Final = 5
# Accounts are compared with at least so many others, by their ranks in twentieths.
FEWEST_PEERS: Final = 40
RANKS: Final = [rank / 20 for rank in range(1, 21)]
# So many prompts of an account are laid beside those of others.
PROMPTS_COMPARED: Final = 96
# What an account has in common with others is looked at again when it has sent so much more, and when it has sent so
# much more at all it is sampled anew even where nothing has moved.
GROWTH: Final = 1.1
GROWTH_AT_ALL: Final = 1.5


class Seen(Protocol):
    """What linking needs of an account that was looked at."""

    @property
    def account(self) -> int: ...
    @property
    def organisation(self) -> int | None: ...
    @property
    def sign_up(self) -> SignUp: ...
    @property
    def usage(self) -> AccountUsage: ...


def remember_traits(seen: Sequence[Seen], *, now: datetime) -> set[int]:
    """Write down what these accounts have that others may have; answers with those whose traits have moved.

    Runs in the caller's transaction, one at a time.
    """
    sampled = {one.account_id: one for one in AccountSample.objects.filter(account__in=[one.account for one in seen])}
    grown = {one.account: one for one in seen if _has_grown(one.usage, sampled.get(one.account), by=GROWTH)}
    have = {account: _lasting([*traits_of(one.usage, one.sign_up)]) for account, one in grown.items()}
    had: dict[int, dict[tuple[int, int], float]] = {account: {} for account in have}
    known = AccountTrait.objects.filter(account__in=have).values_list("account", "kind", "digest", "share")
    for account, kind, digest, share in known:
        had[account][kind, digest] = share
    moved = {
        account
        for account, one in grown.items()
        if _moved(have[account], had[account]) or _has_grown(one.usage, sampled.get(account), by=GROWTH_AT_ALL)
    }
    AccountTrait.objects.filter(account__in=moved).delete()
    rows = [
        (account, grown[account].organisation, kind, digest, trait.uses, trait.share)
        for account in moved
        for (kind, digest), trait in have[account].items()
    ]
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_ADD_TRAITS, [*map(list, zip(*rows, strict=True))])
    _sample([grown[account] for account in moved], sampled, now=now)
    return moved


# What `bulk_create` does, in a fraction of its time.
_ADD_TRAITS: Final = """
INSERT INTO campaigns_accounttrait (account_id, organisation, kind, digest, uses, share)
SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::smallint[], %s::bigint[], %s::int[], %s::float8[])
"""


def _sample(fresh: Sequence[Seen], before: Mapping[int, AccountSample], *, now: datetime) -> None:
    """Keep what these accounts' prompts are compared by, and count in how many samples each prompt is."""
    samples = [
        AccountSample(
            account_id=one.account,
            sketches=list(one.usage.sample[:PROMPTS_COMPARED]),
            requests=one.usage.events,
            breadth=one.usage.breadth,
            model=one.usage.main_model,
            ratio=one.usage.main_ratio,
            alone=one.usage.standalone_share >= STANDALONE_MAJORITY,
            taken_at=now,
        )
        for one in fresh
    ]
    changes = Counter[int]()
    for sample in samples:
        changes.update(sample.sketches)
        if sample.account_id in before:
            changes.subtract(before[sample.account_id].sketches)
    AccountSample.objects.bulk_create(
        samples,
        update_conflicts=True,
        unique_fields=["account"],
        update_fields=["sketches", "requests", "breadth", "model", "ratio", "alone", "taken_at"],
    )
    counted = sorted((sketch, change) for sketch, change in changes.items() if change)
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_PROMPTS, [[sketch for sketch, _ in counted], [change for _, change in counted]])


_COUNT_PROMPTS: Final = """
INSERT INTO campaigns_sharedprompt AS shared (sketch, accounts) SELECT * FROM unnest(%s::bigint[], %s::int[])
ON CONFLICT (sketch) DO UPDATE SET accounts = shared.accounts + excluded.accounts
"""

_PUBLIC: Final = """
SELECT sample.account_id, avg((coalesce(shared.accounts, 0) >= %(users)s)::int)::float8, count(*)
FROM campaigns_accountsample AS sample, unnest(sample.sketches) AS prompt (sketch)
LEFT JOIN campaigns_sharedprompt AS shared USING (sketch)
WHERE sample.account_id = ANY(%(accounts)s) GROUP BY sample.account_id
"""


def customers_known() -> int:
    """How many accounts there are to lay another beside."""
    return AccountSample.objects.count()


_PEERS: Final = """
SELECT model, alone, percentile_disc(%(ranks)s::float8[]) WITHIN GROUP (ORDER BY ratio), count(ratio)
FROM campaigns_accountsample GROUP BY model, alone HAVING count(ratio) >= %(fewest)s
"""


def peers() -> dict[PeerGroup, PeerRatios]:
    """The ratios of output to input of all accounts, by model and manner of use, where there are enough to compare."""
    with connection.cursor() as cursor:
        cursor.execute(_PEERS, {"ranks": RANKS, "fewest": FEWEST_PEERS})
        return {
            PeerGroup(model, alone): PeerRatios(ratios, number) for model, alone, ratios, number in cursor.fetchall()
        }


class PublicShare(NamedTuple):
    """Which share of so many sampled prompts of an account several other accounts have sent too."""

    share: float = 0.0
    prompts: int = 0


def public_shares(accounts: Collection[int]) -> dict[int, PublicShare]:
    """How public the sampled prompts of each account are."""
    with connection.cursor() as cursor:
        cursor.execute(_PUBLIC, {"accounts": list(accounts), "users": PUBLIC_FROM})
        return {account: PublicShare(*share) for account, *share in cursor.fetchall()}


def _lasting(traits: Sequence[Trait]) -> dict[tuple[int, int], Trait]:
    """Those that more than a stray request carries."""
    return {(trait.kind.value, trait.digest): trait for trait in traits if trait.share >= LEAST_SHARE or not trait.uses}


def _moved(traits: Mapping[tuple[int, int], Trait], had: Mapping[tuple[int, int], float]) -> bool:
    return traits.keys() != had.keys() or any(abs(trait.share - had[key]) >= MOVED for key, trait in traits.items())


def _has_grown(usage: AccountUsage, sample: AccountSample | None, *, by: float) -> bool:
    return sample is None or usage.events >= by * sample.requests


def relink(accounts: Collection[int]) -> None:
    """Work out the ties of these accounts anew. Runs in the caller's transaction, one at a time."""
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
        cursor.execute(_PAIRS, {"accounts": list(accounts), "partners": PARTNERS, "kinds": _FIND_EACH_OTHER})
        pairs = pl.DataFrame(cursor.fetchall(), schema={"one": pl.Int64, "other": pl.Int64}, orient="row")
        both = {"accounts": pl.concat([pairs["one"], pairs["other"]]).unique().to_list()}
        cursor.execute(_TRAITS, both)
        traits = pl.DataFrame(cursor.fetchall(), schema=TRAITS, orient="row")
        cursor.execute(_SAMPLES, both)
        known = pl.DataFrame(cursor.fetchall(), schema=ACCOUNTS | {"sketches": pl.List(pl.Int64)}, orient="row")
    samples = known.select("account", digest="sketches").explode("digest").drop_nulls()
    return links(pairs, traits, samples, known.drop("sketches"), population=customers_known())


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


def reached(accounts: Collection[int]) -> tuple[set[int], pl.DataFrame]:
    """Everybody whom ties lead to from these accounts, step by step, and the ties among them all."""
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
