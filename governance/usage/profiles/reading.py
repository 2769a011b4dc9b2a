"""How an account's prompts read, from the counts of what each reads like. Pure."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import polars as pl
from scipy.special import gammaln

from governance.usage.profiles.entries import Numbers
from governance.usage.profiles.histograms import Histogram
from governance.usage.reading.concepts import CONCEPTS, step_middle

# Opening words are counted among so many prompts drawn from the account's, so that accounts of any size compare.
DRAWN: Final = 30
# Standard deviations above ordinary prompts from which a prompt reads like an item of a data set.
HIGH: Final = 1.0


def reading_features(counts: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Yield tables with a row an owner: where its prompts lie on the axis, what they are nearest to, how they open.

    Args:
        counts: the columns owner, kind, bucket and count, one row a bucket of an owner.
    """
    yield _on_the_axis(counts)
    yield _concepts(counts)
    yield _opening_variety(counts)
    yield _topic_entropy(counts)


def _on_the_axis(counts: pl.DataFrame) -> pl.DataFrame:
    """Mean of all prompts, of the higher half and of the highest quarter, and the share above `HIGH`."""
    total, before = pl.col("count").sum().over("owner"), pl.col("count").cum_sum().over("owner") - pl.col("count")
    steps = (
        counts.filter(pl.col("kind") == Histogram.READS)
        .sort("owner", "bucket", descending=[False, True])
        .with_columns(total=total, before=before, place=step_middle(pl.col("bucket")))
    )

    def mean_of_highest(part: float) -> pl.Expr:
        wanted = (pl.col("total") * part).ceil().clip(1)
        taken = (wanted - pl.col("before")).clip(0, pl.col("count"))
        return (taken * pl.col("place")).sum() / taken.sum()

    return steps.group_by("owner", maintain_order=True).agg(
        reads=pl.col("count").sum(),
        reads_mean=mean_of_highest(1.0),
        reads_top_half=mean_of_highest(0.5),
        reads_top_quarter=mean_of_highest(0.25),
        reads_high_share=pl.col("count").filter(pl.col("place") > HIGH).sum() / pl.col("count").sum(),
    )


def _concepts(counts: pl.DataFrame) -> pl.DataFrame:
    """Share of prompts nearest to each concept, by name."""
    count, bucket = pl.col("count"), pl.col("bucket")
    return (
        counts.filter(pl.col("kind") == Histogram.CONCEPT)
        .group_by("owner")
        .agg(
            (count.filter(bucket == place).sum() / count.sum()).alias(f"concept_{name}")
            for place, name in enumerate(CONCEPTS)
        )
    )


def _opening_variety(counts: pl.DataFrame) -> pl.DataFrame:
    """Expected different opening words among `DRAWN` first asks, and those of complete instructions among them."""
    opening = pl.col("kind").is_in([Histogram.OPENING, Histogram.ITEM_OPENING])
    asked = pl.col("count").filter(pl.col("kind") == Histogram.OPENING).sum().over("owner")
    rows = counts.filter(opening).with_columns(asked=asked)
    expected = expected_in_draw(rows["count"].to_numpy(), rows["asked"].to_numpy(), draw=DRAWN)
    found = rows.with_columns(expected=pl.Series(expected, dtype=pl.Float64)).group_by("owner")
    return found.agg(
        first_asks=pl.col("asked").first(),
        openings=pl.col("expected").filter(pl.col("kind") == Histogram.OPENING).sum(),
        item_openings=pl.col("expected").filter(pl.col("kind") == Histogram.ITEM_OPENING).sum(),
    )


def expected_in_draw(count: Numbers, total: Numbers, *, draw: int) -> Numbers:
    """Return the probability that a value used `count` times of `total` is among `draw` of them, without replacement.

    Summed over values it is the expected number of different ones (rarefaction: Hurlbert 1971, The nonconcept of
    species diversity). With fewer than `draw` in all it is 1.

    >>> expected_in_draw(np.array([5, 5]), np.array([10, 10]), draw=2).round(3).tolist()
    [0.778, 0.778]
    """
    drawn = np.minimum(total, draw)
    rest = total - count
    missed = np.exp(
        gammaln(rest + 1.0)
        - gammaln(np.maximum(rest - drawn, 0) + 1.0)
        - gammaln(total + 1.0)
        + gammaln(total - drawn + 1.0)
    )
    return np.where(rest >= drawn, 1 - missed, 1.0)


def _topic_entropy(counts: pl.DataFrame) -> pl.DataFrame:
    """Entropy of the subjects, in nats: 0 for one subject, 2.3 for ten in equal parts."""
    share = pl.col("count") / pl.col("count").sum()
    topics = counts.filter(pl.col("kind") == Histogram.TOPIC).group_by("owner")
    return topics.agg(topic_entropy=-(share * share.log()).sum())
