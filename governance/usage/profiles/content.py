"""What an account's prompts are like: how many differ, which templates last, how far they lie apart. Pure."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import polars as pl

from governance.usage.profiles import bottom_k, hyperloglog, top_k
from governance.usage.profiles.entries import Numbers
from governance.usage.profiles.hyperloglog import Counted

TEMPLATES_LISTED: Final = 24
TOP_TEMPLATES: Final = 5
STEADY_USES: Final = 5
SKETCHES: Final = 400

_BITS: Final = 64

_COUNTED: Final = {
    Counted.PROMPT: "prompts",
    Counted.TEMPLATE: "templates",
    Counted.SYSTEM: "systems",
    Counted.END_USER: "end_users",
    Counted.CONVERSATION: "conversations",
    Counted.ADDRESS: "addresses",
    Counted.NETWORK: "networks",
    Counted.CLIENT: "clients",
    Counted.KEY: "keys",
}
_OF_TEXT: Final = ("prompts", "templates", "systems")


def content_features(rows: pl.DataFrame, owner: Numbers, *, texts: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Tables with a row an owner; `texts` has the columns owner and texts, the events with text."""
    yield _distinct_counts(rows, owner, texts)
    yield _templates(rows, owner, texts)
    for name in ("openings", "closings", "addresses"):
        yield _most_used(rows, owner, name)
    yield _sample_sketches(rows, owner, texts)
    yield _shingles(rows, owner)


def _distinct_counts(rows: pl.DataFrame, owner: Numbers, texts: pl.DataFrame) -> pl.DataFrame:
    """Estimates, but never more than there were: nobody has more different prompts than prompts."""
    place, registers = hyperloglog.unpack(rows["distinct_counts"].to_list())
    owners = int(owner[-1]) + 1 if len(owner) else 0
    found = np.rint(hyperloglog.estimate(owner[place], registers, owners=owners)).astype(np.int64)
    counted = {name: found[:, kind] for kind, name in _COUNTED.items()}
    most = rows.group_by("owner").agg(requests=pl.col("requests").sum()).join(texts, on="owner", how="left")
    return (
        pl.DataFrame({"owner": np.arange(owners, dtype=np.uint32), **counted})
        .join(most, on="owner")
        .with_columns(pl.col(name).clip(upper_bound=pl.col("texts").fill_null(0)) for name in _OF_TEXT)
        .with_columns(pl.col(name).clip(upper_bound=pl.col("requests")) for name in counted if name not in _OF_TEXT)
        .drop("texts", "requests")
    )


def _templates(rows: pl.DataFrame, owner: Numbers, texts: pl.DataFrame) -> pl.DataFrame:
    found = top_k.unpack_top_k(rows["templates"].to_list())
    uses, steady, all_texts = pl.col("uses"), pl.col("uses") >= STEADY_USES, pl.col("texts").first()
    return (
        pl.DataFrame({"owner": owner[found.owner], "digest": found.digest, "uses": found.uses})
        .group_by("owner", "digest")
        .agg(uses.sum())
        .join(texts, on="owner")
        .sort("owner", "uses", "digest", descending=[False, True, False])
        .group_by("owner", maintain_order=True)
        .agg(
            steady_templates=steady.sum(),
            steady_share=uses.filter(steady).sum() / all_texts,
            top_template_share=uses.max() / all_texts,
            top_templates=pl.struct("digest", "uses").filter(steady).head(TOP_TEMPLATES),
            templates_used=pl.struct("digest", "uses").head(TEMPLATES_LISTED),
        )
    )


def _most_used(rows: pl.DataFrame, owner: Numbers, name: str) -> pl.DataFrame:
    """Return the values of a top-k sketch that were used most, with their uses, as the column `top_<name>`."""
    found = top_k.unpack_top_k(rows[name].to_list())
    return (
        pl.DataFrame({"owner": owner[found.owner], "digest": found.digest, "uses": found.uses})
        .group_by("owner", "digest")
        .agg(pl.col("uses").sum())
        .sort("owner", "uses", "digest", descending=[False, True, False])
        .group_by("owner", maintain_order=True)
        .agg(pl.struct("digest", "uses").head(top_k.TOP_K).alias(f"top_{name}"))
    )


def _sample_sketches(rows: pl.DataFrame, owner: Numbers, texts: pl.DataFrame) -> pl.DataFrame:
    """A sample of an account's distinct sketches, smallest hash first, so that the samples of two accounts can be laid
    side by side; and how far its texts lie apart by it: the mean Hamming distance, 1 for unrelated texts.
    """
    found = bottom_k.unpack_bottom_k(rows["sketches"].to_list())
    whose, some = bottom_k.smallest_hashes(owner[found.owner], found.value, most=SKETCHES)
    some = some.astype(np.int64)
    sampled = pl.DataFrame({"owner": whose, "sketch": some}).group_by("owner", maintain_order=True)
    return (
        sampled.agg(sample=pl.col("sketch"))
        .with_columns(distance=pl.Series(_mean_distances(whose, some), dtype=pl.Float64))
        .join(texts, on="owner")
        .select("owner", "sample", breadth=pl.when(pl.col("texts") > 1).then(pl.col("distance") / (_BITS / 2)))
    )


def _shingles(rows: pl.DataFrame, owner: Numbers) -> pl.DataFrame:
    """A sample of the runs of four words that an account's prompts are made of."""
    found = bottom_k.unpack_bottom_k(rows["shingles"].to_list())
    whose, some = bottom_k.smallest_hashes(owner[found.owner], found.value, most=SKETCHES)
    runs = pl.DataFrame({"owner": whose, "shingles": some.astype(np.int64)})
    return runs.group_by("owner", maintain_order=True).agg("shingles")


def _mean_distances(owner: Numbers, sketches: Numbers) -> Numbers:
    """The mean Hamming distance between two sketches of an owner, for each owner in turn; `owner` is sorted."""
    starts = np.flatnonzero(np.diff(owner, prepend=-1))
    number = np.diff(np.append(starts, len(owner)))
    bits = np.unpackbits(sketches.view(np.uint8).reshape(-1, _BITS // 8), axis=1)
    ones = np.add.reduceat(bits.astype(np.int64), starts) if len(starts) else np.zeros((0, _BITS))
    share = ones / number[:, None]
    distances: Numbers = 2 * (share * (1 - share)).sum(axis=1) * number / np.maximum(number - 1, 1)
    return distances
