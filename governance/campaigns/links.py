"""How strongly two accounts are tied, kind by kind. Pure, and on tables: no loop over pairs.

Having something in common says the more the fewer have it: a value that `u` of `n` accounts have weighs `ln(n / u)`,
the surprise of meeting it. Of values that many use, a framework's wrapper or a provider's gateway, next to nothing
is left, so that neither they nor the camouflage that a harvest hides in tie anybody (the column weights of FRAUDAR,
Hooi and others 2016, serve the same end). Two kinds that come from one choice of the customer are one kind here.

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

from governance.campaigns.traits import Kind
from governance.usage.murmur import mix64

# A wrapper is one once somebody has used it this often, or all together have.
WRAPPER_USES: Final = 5
WRAPPER_USES_OF_ALL: Final = 20

# Where fewer customers are known, that all of them have something tells no more than that so many of so many have it.
SMALL_TOWN: Final = 200
# How strong a tie by card or settings is.
A_CARD: Final = 0.8
SETTINGS_AT_MOST: Final = 0.4

# What counts as a tie, and how much all of a pair's must be together.
A_TIE: Final = 0.15
ENOUGH: Final = 1.0
TELLING: Final = 0.75

TIES: Final = ("wrappers", "shards", "addresses", "card", "settings")

# Columns of the tables that go in.
TRAITS: Final = {
    "account": pl.Int64, "kind": pl.UInt8, "digest": pl.Int64, "share": pl.Float64,
    "users": pl.Int64, "uses_of_all": pl.Int64, "most_uses": pl.Int64,
}  # fmt: skip
ACCOUNTS: Final = {"account": pl.Int64, "organisation": pl.Int64, "breadth": pl.Float64}
LINKS: Final = {"one": pl.Int64, "other": pl.Int64, **dict.fromkeys(TIES, pl.Float64)}


def links(
    pairs: pl.DataFrame, traits: pl.DataFrame, samples: pl.DataFrame, accounts: pl.DataFrame, *, population: int
) -> pl.DataFrame:
    """The ties of these pairs, rows of `LINKS`: those that are strong enough to lead anywhere.

    `pairs` have the columns one and other, each pair once. `traits` are rows of `TRAITS`: who has what, for which
    share of the requests, and how many of all `population` accounts have it too. `samples` are the sampled sketches
    of each account, in columns account and digest. Accounts of the same organisation are not tied: it is natural for
    them to be alike.
    """
    shared = traits.filter(
        (pl.col("kind") != Kind.TEMPLATE)
        | (pl.col("most_uses") >= WRAPPER_USES)
        | (pl.col("uses_of_all") >= WRAPPER_USES_OF_ALL)
    ).with_columns(rarity=(max(population, SMALL_TOWN) / pl.col("users")).log().clip(0))
    pairs = pairs.join(accounts.rename({"account": "one"}), on="one")
    pairs = pairs.join(accounts.rename({"account": "other"}), on="other", suffix="_other")
    unrelated = pl.col("organisation").is_null() | pl.col("organisation_other").is_null()
    pairs = pairs.filter(unrelated | (pl.col("organisation") != pl.col("organisation_other")))
    wrappers = _wrappers(shared, pairs)
    for ties in (
        wrappers,
        _overlap(samples, wrappers.filter(pl.col("wrappers") > 0)),
        _addresses(shared, pairs),
        _same(shared, pairs, Kind.CARD, "card"),
        _same(shared, pairs, Kind.SETTINGS, "settings"),
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
        card=pl.col("card").fill_null(0.0) * A_CARD,
        settings=_ramp(pl.col("settings").fill_null(0.0), 1.6, 4.0) * SETTINGS_AT_MOST,
    )
    return tied.filter(solid() | telling())


def solid() -> pl.Expr:
    """Ties of several kinds that are enough for two accounts to belong together."""
    kinds = pl.sum_horizontal(pl.col(tie) >= A_TIE for tie in TIES)
    return (pl.sum_horizontal(TIES) >= ENOUGH) & (kinds > 1)


def telling() -> pl.Expr:
    """A tie that binds an account, of which little else is known, to a group that stands by itself."""
    return pl.max_horizontal("card", "addresses") >= TELLING


def _wrappers(shared: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """The cosine of how two accounts use wrappers, the rare ones counting for more, where these cover their prompts.

    One wrapper in common may be a framework's; several in the same proportions are a list that both were given. And
    what many have is no surprise, however much of an account's traffic it covers.
    """
    used = shared.filter(pl.col("kind") == Kind.TEMPLATE).with_columns(weight=pl.col("share") * pl.col("rarity"))
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
    used = shared.filter(pl.col("kind") == Kind.ADDRESS).select("account", "digest", "share", "rarity")
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


def _same(shared: pl.DataFrame, pairs: pl.DataFrame, kind: Kind, name: str) -> pl.DataFrame:
    """What tells only whether both have it: the greatest rarity of what they share."""
    has = shared.filter(pl.col("kind") == kind).select("account", "digest", "rarity")
    found = _both(has, pairs).group_by("one", "other").agg(pl.col("rarity").max().alias(name))
    return found if kind is Kind.SETTINGS else found.with_columns(pl.lit(1.0).alias(name))


def _overlap(samples: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """Which share of their prompts two accounts have in common, told by their samples as far down as both reach."""
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
    """A row for each value that both accounts of a pair have; the other's columns end in `_other`."""
    columns = [name for name in pairs.columns if name in {"one", "other", "least"}]
    mine = pairs.select(columns).join(has.rename({"account": "one"}), on="one")
    return mine.join(has.rename({"account": "other"}), on=["other", "digest"], suffix="_other")


def _ramp(value: pl.Expr, start: float, full: float) -> pl.Expr:
    """0 up to `start`, 1 from `full` on, straight in between."""
    return ((value - start) / (full - start)).clip(0, 1)
