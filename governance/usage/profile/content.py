"""What an account's prompts are like: how many differ, which templates last, how far they lie apart. Pure."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import polars as pl

from governance.usage.profile import distincts, samples
from governance.usage.profile.distincts import Kind
from governance.usage.profile.tallies import Numbers

TEMPLATES_TOLD: Final = 24
TOP_TEMPLATES: Final = 5
STEADY_USES: Final = 5
SKETCHES: Final = 400

_COUNTED: Final = {
    Kind.PROMPT: "prompts",
    Kind.TEMPLATE: "templates",
    Kind.SYSTEM: "systems",
    Kind.END_USER: "end_users",
    Kind.CONVERSATION: "conversations",
    Kind.ADDRESS: "addresses",
    Kind.NETWORK: "networks",
    Kind.CLIENT: "clients",
    Kind.KEY: "keys",
}
_OF_TEXT: Final = ("prompts", "templates", "systems")


def of_profiles(rows: pl.DataFrame, owner: Numbers, *, texts: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Tables with a row an owner; `texts` has the columns owner and texts, the events with text."""
    yield _distincts(rows, owner, texts)
    yield _templates(rows, owner, texts)
    yield _addresses(rows, owner)
    yield _sampled(rows, owner, texts)


def _distincts(rows: pl.DataFrame, owner: Numbers, texts: pl.DataFrame) -> pl.DataFrame:
    """Estimates, but never more than there were: nobody has more different prompts than prompts."""
    place, registers = distincts.unpack(rows["distincts"].to_list())
    owners = int(owner[-1]) + 1 if len(owner) else 0
    found = np.rint(distincts.estimates(owner[place], registers, owners=owners)).astype(np.int64)
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
    found = samples.unpack_commonest(rows["templates"].to_list())
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
            templates_used=pl.struct("digest", "uses").head(TEMPLATES_TOLD),
        )
    )


def _addresses(rows: pl.DataFrame, owner: Numbers) -> pl.DataFrame:
    found = samples.unpack_commonest(rows["addresses"].to_list())
    return (
        pl.DataFrame({"owner": owner[found.owner], "digest": found.digest, "uses": found.uses})
        .group_by("owner", "digest")
        .agg(pl.col("uses").sum())
        .sort("owner", "uses", "digest", descending=[False, True, False])
        .group_by("owner", maintain_order=True)
        .agg(top_addresses=pl.struct("digest", "uses").head(samples.COMMONEST_KEPT))
    )


def _sampled(rows: pl.DataFrame, owner: Numbers, texts: pl.DataFrame) -> pl.DataFrame:
    """A sample of an account's distinct sketches, smallest hash first, so that the samples of two accounts can be laid
    side by side; and how far its texts lie apart by it: the mean Hamming distance, 1 for unrelated texts.
    """
    found = samples.unpack_sketches(rows["sketches"].to_list())
    whose, some = samples.sampled(owner[found.owner], found.sketch, most=SKETCHES)
    masks = [1 << bit if bit < 63 else -(1 << 63) for bit in range(64)]
    ones = [((pl.col("sketch") & mask) != 0).mean() for mask in masks]
    distance = 2 * pl.sum_horizontal(one * (1 - one) for one in ones) * pl.len() / (pl.len() - 1)
    return (
        pl.DataFrame({"owner": whose, "sketch": some.astype(np.int64)})
        .group_by("owner", maintain_order=True)
        .agg(sketches=pl.len(), distance=distance, sample=pl.col("sketch"))
        .join(texts, on="owner")
        .select(
            "owner",
            "sample",
            breadth=pl.when(pl.col("texts") > 1).then(
                pl.when(pl.col("sketches") > 1).then(pl.col("distance") / 32).otherwise(0.0)
            ),
        )
    )
