"""How strongly two accounts are tied, kind by kind. Pure, and on tables: no loop over pairs.

A trait in common is the stronger evidence the fewer accounts have it: a value that `u` of `n` accounts have weighs
`ln(n / u)`, its self-information in nats, known from text retrieval as inverse document frequency (Spärck Jones 1972).
A value that many use, such as a framework's wrapper or a provider's gateway, weighs next to nothing, and neither does
the camouflage of a harvest that imitates it (FRAUDAR weighs columns for the same reason: Hooi and others 2016,
https://doi.org/10.1145/2939672.2939747). Two traits that follow from one choice of the customer are one kind here.

| tie | is full when |
|---|---|
| wrappers | both use several rare wrappers in the same proportions, on half of their prompts |
| shards | both draw on broad subjects with these wrappers, and yet have next to no prompt in common |
| addresses | both come from several rare addresses, or mostly from one |
| card | one card pays for both |
| settings | both keep the same rare settings |
"""

from typing import Final

import numpy as np
import polars as pl

from governance.campaigns.traits import TraitKind
from governance.usage.murmur import mix64

# A wrapper counts once one account has used it this often, or all accounts together have.
MIN_WRAPPER_USES: Final = 5
MIN_WRAPPER_USES_OF_ALL: Final = 20

# With fewer accounts than this, rarity is computed as if there were this many.
MIN_POPULATION: Final = 200
# How strong a tie by card or settings is.
CARD_TIE: Final = 0.8
MAX_SETTINGS_TIE: Final = 0.4

# The least strength of a tie that counts as a kind, the least total of a strong link, and the least identifying tie.
MIN_TIE: Final = 0.15
MIN_TOTAL: Final = 1.0
MIN_IDENTIFYING_TIE: Final = 0.75

TIES: Final = ("wrappers", "shards", "addresses", "card", "settings")

# Columns of the tables that go in.
TRAITS: Final = {
    "account": pl.Int64, "kind": pl.UInt8, "digest": pl.Int64, "share": pl.Float64,
    "users": pl.Int64, "uses_of_all": pl.Int64, "most_uses": pl.Int64,
}  # fmt: skip
ACCOUNTS: Final = {"account": pl.Int64, "organisation": pl.Int64, "breadth": pl.Float64}
LINKS: Final = {"one": pl.Int64, "other": pl.Int64, **dict.fromkeys(TIES, pl.Float64)}


def score_links(
    pairs: pl.DataFrame, traits: pl.DataFrame, samples: pl.DataFrame, accounts: pl.DataFrame, *, population: int
) -> pl.DataFrame:
    """Return the links of these pairs that are strong or identifying, as rows of `LINKS`; each tie is from 0 to 1.

    Accounts of the same organisation get no link: they are alike for a good reason.

    Args:
        pairs: columns `one` and `other` (int64), each pair once, the lower id in `one`.
        traits: rows of `TRAITS`: which account has which value, on which share (0 to 1) of its requests, and how many
            of all accounts have that value.
        samples: columns `account` and `digest` (int64): the sampled sketches of each account's prompts. From k
            sketches of each account the share of prompts in common is estimated with a standard error of at most
            0.5 / sqrt(k) (bottom-k sketches: Cohen and Kaplan 2007, https://doi.org/10.1145/1281100.1281133).
        accounts: rows of `ACCOUNTS`; `breadth` is the mean distance between two prompts, in parts of the distance of
            unrelated texts.
        population: the number of all accounts, from which the rarity of a value follows.

    >>> pairs = pl.DataFrame({"one": [1], "other": [2]})
    >>> known = pl.DataFrame([(1, 10, None), (2, 20, None)], schema=ACCOUNTS, orient="row")
    >>> on_card = [(account, TraitKind.CARD, 7, 1.0, 2, 0, 0) for account in (1, 2)]
    >>> traits = pl.DataFrame(on_card, schema=TRAITS, orient="row")
    >>> samples = pl.DataFrame(schema={"account": pl.Int64, "digest": pl.Int64})
    >>> score_links(pairs, traits, samples, known, population=1_000).to_dicts()
    [{'one': 1, 'other': 2, 'wrappers': 0.0, 'shards': 0.0, 'addresses': 0.0, 'card': 0.8, 'settings': 0.0}]
    """
    shared = traits.filter(
        (pl.col("kind") != TraitKind.TEMPLATE)
        | (pl.col("most_uses") >= MIN_WRAPPER_USES)
        | (pl.col("uses_of_all") >= MIN_WRAPPER_USES_OF_ALL)
    ).with_columns(rarity=(max(population, MIN_POPULATION) / pl.col("users")).log().clip(0))
    pairs = pairs.join(accounts.rename({"account": "one"}), on="one")
    pairs = pairs.join(accounts.rename({"account": "other"}), on="other", suffix="_other")
    unrelated = pl.col("organisation").is_null() | pl.col("organisation_other").is_null()
    pairs = pairs.filter(unrelated | (pl.col("organisation") != pl.col("organisation_other")))
    wrappers = _wrappers(shared, pairs)
    for ties in (
        wrappers,
        _overlap(samples, wrappers.filter(pl.col("wrappers") > 0)),
        _addresses(shared, pairs),
        _same(shared, pairs, TraitKind.CARD, "card"),
        _same(shared, pairs, TraitKind.SETTINGS, "settings"),
    ):
        pairs = pairs.join(ties, on=["one", "other"], how="left")
    broad = _ramp(pl.min_horizontal("breadth", "breadth_other").fill_null(0.0), 0.4, 0.6)
    apart = 1 - _ramp(pl.col("overlap"), 0.03, 0.15)
    tied = pairs.select(
        "one",
        "other",
        wrappers=pl.col("wrappers").fill_null(0.0).fill_nan(0.0),
        shards=(apart * broad * pl.col("wrappers")).fill_null(0.0).fill_nan(0.0),
        addresses=pl.col("addresses").fill_null(0.0),
        card=pl.col("card").fill_null(0.0) * CARD_TIE,
        settings=_ramp(pl.col("settings").fill_null(0.0), 1.6, 4.0) * MAX_SETTINGS_TIE,
    )
    return tied.filter(is_strong_link() | is_identifying_link())


def is_strong_link() -> pl.Expr:
    """Return the condition that ties of at least two kinds are together enough for two accounts to belong together."""
    kinds = pl.sum_horizontal(pl.col(tie) >= MIN_TIE for tie in TIES)
    return (pl.sum_horizontal(TIES) >= MIN_TOTAL) & (kinds > 1)


def is_identifying_link() -> pl.Expr:
    """Return the condition that one tie identifies: enough to add an account with little usage to an existing group."""
    return pl.max_horizontal("card", "addresses") >= MIN_IDENTIFYING_TIE


def _wrappers(shared: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """Return the tie by wrappers: the cosine of both accounts' use of them, weighted by rarity, scaled to 0 to 1.

    It is reduced where wrappers cover few of the prompts, where those in common are common anyway, and, by half, where
    there is only one in common: one may be a framework's, several in the same proportions are a list both were given.
    """
    used = shared.filter(pl.col("kind") == TraitKind.TEMPLATE).with_columns(weight=pl.col("share") * pl.col("rarity"))
    length = used.group_by("account").agg(
        length=(pl.col("weight") ** 2).sum().sqrt(), covered=pl.col("share").sum().clip(0, 1)
    )
    both = _both(used.select("account", "digest", "weight", "rarity"), pairs)
    number, product = pl.len(), (pl.col("weight") * pl.col("weight_other")).sum()
    surprise = pl.col("rarity").sum()
    return (
        both.group_by("one", "other")
        .agg(number=number, product=product, surprise=surprise)
        .join(length.rename({"account": "one"}), on="one")
        .join(length.rename({"account": "other"}), on="other", suffix="_other")
        .select(
            "one",
            "other",
            wrappers=_ramp(pl.col("product") / (pl.col("length") * pl.col("length_other")), 0.5, 0.85)
            * _ramp(pl.min_horizontal("covered", "covered_other"), 0.1, 0.5)
            * _ramp(pl.col("surprise"), 1.0, 3.0)
            * pl.when(pl.col("number") > 1).then(1.0).otherwise(0.5),
        )
    )


def _addresses(shared: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    used = shared.filter(pl.col("kind") == TraitKind.ADDRESS).select("account", "digest", "share", "rarity")
    return (
        _both(used, pairs)
        .group_by("one", "other")
        .agg(
            number=(pl.col("rarity") > 1).sum(),
            least=pl.min_horizontal(pl.col("share").sum(), pl.col("share_other").sum()),
        )
        .select(
            "one",
            "other",
            addresses=_ramp(pl.col("number"), 0, 3) * _ramp(pl.col("least"), 0.0, 0.3),
        )
    )


def _same(shared: pl.DataFrame, pairs: pl.DataFrame, kind: TraitKind, name: str) -> pl.DataFrame:
    """Return the tie by a trait that both have or have not: 1 for a card, for settings the rarity of the rarest."""
    has = shared.filter(pl.col("kind") == kind).select("account", "digest", "rarity")
    found = _both(has, pairs).group_by("one", "other").agg(pl.col("rarity").max().alias(name))
    return found if kind is TraitKind.SETTINGS else found.with_columns(pl.lit(1.0).alias(name))


def _overlap(samples: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """Return the share of prompts in common, 0 to 1, of the smaller of both samples.

    Samples are the prompts with the smallest hashes; they are compared up to the smaller of both largest hashes.
    """
    hashed = pl.Series(mix64(samples["digest"].to_numpy().view(np.uint64)), dtype=pl.UInt64)
    sample = samples.with_columns(hash=hashed)
    reach = sample.group_by("account").agg(reach=pl.col("hash").max())
    known = pairs.select("one", "other").join(reach.rename({"account": "one"}), on="one")
    known = known.join(reach.rename({"account": "other"}), on="other", suffix="_other")
    known = known.select("one", "other", least=pl.min_horizontal("reach", "reach_other"))
    within = pl.col("hash") <= pl.col("least")
    common = _both(sample, known).filter(within).group_by("one", "other").agg(common=pl.len())
    of_one, of_other = (
        known.join(sample.rename({"account": whose}).select(whose, "hash"), on=whose)
        .filter(within)
        .group_by("one", "other")
        .agg(pl.len().alias(f"of_{whose}"))
        for whose in ("one", "other")
    )
    counted = known.join(of_one, on=["one", "other"]).join(of_other, on=["one", "other"])
    return counted.join(common, on=["one", "other"], how="left").select(
        "one", "other", overlap=pl.col("common").fill_null(0) / pl.min_horizontal("of_one", "of_other")
    )


def _both(has: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """Return a row for each value that both accounts of a pair have; columns of the second end in `_other`."""
    columns = [name for name in pairs.columns if name in {"one", "other", "least"}]
    mine = pairs.select(columns).join(has.rename({"account": "one"}), on="one")
    return mine.join(has.rename({"account": "other"}), on=["other", "digest"], suffix="_other")


def _ramp(value: pl.Expr, start: float, full: float) -> pl.Expr:
    """Return 0 up to `start`, 1 from `full` on, linear in between."""
    return ((value - start) / (full - start)).clip(0, 1)
