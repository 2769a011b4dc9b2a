"""Store what accounts have in common with others, and read it for comparison: traits, samples of prompts, ratios.

An account's traits are stored again only when they have changed, or its usage has grown.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple, Protocol

from django.db import connection

from governance.campaigns.answer_store import store_answers
from governance.campaigns.models import AccountSample, AccountTrait
from governance.campaigns.traits import SignUpFacts, Trait, is_evaluation, is_product, list_traits
from governance.usage.account_usage import AccountUsage
from governance.usage.profiles.features import STANDALONE_MAJORITY, PeerGroup, PeerRatios

# Traits have changed when one has come or gone, or its share of the requests has changed by this much.
MOVED: Final = 0.1
# A trait is stored while at least this share of an account's requests carry it.
LEAST_SHARE: Final = 0.03


# A prompt in the samples of this many accounts is public.
PUBLIC_FROM: Final = 5
# A peer group has at least this many accounts; places in it are measured in twentieths.
FEWEST_PEERS: Final = 40
RANKS: Final = [rank / 20 for rank in range(1, 21)]
# This many sampled prompts of an account are compared with those of others.
PROMPTS_COMPARED: Final = 96
# Traits are compared again when usage has grown by the first factor, and stored and sampled again, changed or not, when
# it has grown by the second.
GROWTH: Final = 1.1
GROWTH_AT_ALL: Final = 1.5


class AccountForTraits(Protocol):
    """What `store_traits` needs to know about an account."""

    @property
    def account(self) -> int: ...
    @property
    def organisation(self) -> int | None: ...
    @property
    def sign_up(self) -> SignUpFacts: ...
    @property
    def usage(self) -> AccountUsage: ...


def store_traits(views: Sequence[AccountForTraits], *, now: datetime) -> set[int]:
    """Store the traits of these accounts. Return the accounts whose traits have changed.

    Runs in the caller's transaction. The caller has claimed the accounts, so no other worker stores theirs.
    """
    sampled = {one.account_id: one for one in AccountSample.objects.filter(account__in=[one.account for one in views])}
    grown = {one.account: one for one in views if _has_grown(one.usage, sampled.get(one.account), by=GROWTH)}
    have = {account: _lasting([*list_traits(one.usage, one.sign_up)]) for account, one in grown.items()}
    had: dict[int, dict[tuple[int, int], float]] = {account: {} for account in have}
    known = AccountTrait.objects.filter(account__in=have).values_list("account", "kind", "digest", "share")
    for account, kind, digest, share in known:
        had[account][kind, digest] = share
    moved = {
        account
        for account, one in grown.items()
        if _have_changed(have[account], had[account]) or _has_grown(one.usage, sampled.get(account), by=GROWTH_AT_ALL)
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
    store_answers([*grown.values()])
    _sample([grown[account] for account in moved], sampled, now=now)
    return moved


# What `bulk_create` does, in a fraction of its time.
_ADD_TRAITS: Final = """
INSERT INTO campaigns_accounttrait (account_id, organisation, kind, digest, uses, share)
SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::smallint[], %s::bigint[], %s::int[], %s::float8[])
"""


def _sample(fresh: Sequence[AccountForTraits], before: Mapping[int, AccountSample], *, now: datetime) -> None:
    """Store the samples of these accounts, and count in how many samples each prompt is."""
    samples = [
        AccountSample(
            account_id=one.account,
            sketches=list(one.usage.sample[:PROMPTS_COMPARED]),
            requests=one.usage.events,
            breadth=one.usage.breadth,
            model=one.usage.main_model,
            ratio=one.usage.main_ratio,
            alone=one.usage.standalone_share >= STANDALONE_MAJORITY,
            slots=list(one.usage.slots),
            is_product=is_product(one.usage),
            is_evaluation=is_evaluation(one.usage),
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
        update_fields=[
            "sketches",
            "requests",
            "breadth",
            "model",
            "ratio",
            "alone",
            "slots",
            "is_product",
            "is_evaluation",
            "taken_at",
        ],
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


def count_comparable_accounts() -> int:
    """Return the number of accounts that another can be compared with."""
    return AccountSample.objects.count()


_PEERS: Final = """
SELECT model, alone, percentile_disc(%(ranks)s::float8[]) WITHIN GROUP (ORDER BY ratio), count(ratio)
FROM campaigns_accountsample GROUP BY model, alone HAVING count(ratio) >= %(fewest)s
"""


def load_peer_groups() -> dict[PeerGroup, PeerRatios]:
    """Return the ratios of output to input tokens by model and manner of use, of groups large enough to compare."""
    with connection.cursor() as cursor:
        cursor.execute(_PEERS, {"ranks": RANKS, "fewest": FEWEST_PEERS})
        return {
            PeerGroup(model, alone): PeerRatios(ratios, number) for model, alone, ratios, number in cursor.fetchall()
        }


class PublicShare(NamedTuple):
    """The share of an account's sampled prompts that several other accounts sent too, and the number sampled."""

    share: float = 0.0
    prompts: int = 0


def load_public_shares(accounts: Collection[int]) -> dict[int, PublicShare]:
    """Return the public share of the sampled prompts of each account."""
    with connection.cursor() as cursor:
        cursor.execute(_PUBLIC, {"accounts": list(accounts), "users": PUBLIC_FROM})
        return {account: PublicShare(*share) for account, *share in cursor.fetchall()}


def _lasting(traits: Sequence[Trait]) -> dict[tuple[int, int], Trait]:
    """Return the traits that are on enough requests to be stored, by kind and digest."""
    return {(trait.kind.value, trait.digest): trait for trait in traits if trait.share >= LEAST_SHARE or not trait.uses}


def _have_changed(traits: Mapping[tuple[int, int], Trait], had: Mapping[tuple[int, int], float]) -> bool:
    return traits.keys() != had.keys() or any(abs(trait.share - had[key]) >= MOVED for key, trait in traits.items())


def _has_grown(usage: AccountUsage, sample: AccountSample | None, *, by: float) -> bool:
    return sample is None or usage.events >= by * sample.requests
