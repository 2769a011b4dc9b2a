"""From an account's events to its usage, for a batch of accounts at once: group-bys, no loop over events."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any, Final

import polars as pl

from governance.usage.account_usage import AccountFacts, AccountUsage
from governance.usage.markers import BIT, MAKING, MARKERS, WORK, mask_of

__all__ = ["SCHEMA", "STEADY_USES", "AccountFacts", "AccountUsage", "usages"]

SCHEMA: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "account_id": pl.Int64,
    "occurred_at": pl.Datetime("us", "UTC"),
    "model": pl.String,
    "operation": pl.String,
    "status": pl.String,
    "input_tokens": pl.Int32,
    "output_tokens": pl.Int32,
    "cached_input_tokens": pl.Int32,
    "reasoning_tokens": pl.Int32,
    "latency_ms": pl.Int32,
    "ip": pl.String,
    "asn": pl.Int64,
    "country": pl.String,
    "user_agent": pl.String,
    "end_user": pl.String,
    "conversation": pl.String,
    "api_key": pl.String,
    "temperature": pl.Float32,
    "top_p": pl.Float32,
    "n": pl.Int16,
    "max_tokens": pl.Int32,
    "logprobs": pl.Boolean,
    "top_logprobs": pl.Int16,
    "seeded": pl.Boolean,
    "stream": pl.Boolean,
    "response_format": pl.String,
    "tools": pl.Int16,
    "prompt_digest": pl.Int64,
    "template_digest": pl.Int64,
    "system_digest": pl.Int64,
    "sketch": pl.Int64,
    "markers": pl.Int64,
    "prompt_chars": pl.Int32,
    "turns": pl.Int16,
}

TOP_TEMPLATES: Final = 5
STEADY_USES: Final = 5
SKETCHES: Final = 400
COLD: Final = 0.25
HOT: Final = 0.6

# Output-to-input ratios, by tenths, of the clients of ordinary and of reasoning models. More output than input
# is rare among the former and usual among the latter; short questions lift it, pasted documents lower it.
ORDINARY_PEERS: Final = (0.02, 0.1, 0.2, 0.5, 1.0, 1.5, 2.0, 2.5, 4.0, 7.0)
THINKING_PEERS: Final = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 50.0, 80.0)


def usages(
    events: pl.DataFrame,
    facts: Mapping[int, AccountFacts],
    *,
    peers: Mapping[str, Sequence[float]] | None = None,
) -> dict[int, AccountUsage]:
    """Work out the usage of every account in `events`, a frame with the columns of `SCHEMA` in any order.

    `peers` holds for a model the output-to-input ratios of its users, ascending and evenly spaced in rank
    (its percentiles); without them fixed ones stand in. Accounts with facts and no events come back with
    empty usage.
    """
    table = (
        _figures(events)
        .join(_gaps(events), on="account_id", how="left")
        .join(_hours(events), on="account_id", how="left")
        .join(_models(events), on="account_id", how="left")
        .join(_pivot(events), on="account_id", how="left")
        .join(_ratio_percentile(events, peers or {}), on="account_id", how="left")
        .join(_parameters(events), on="account_id", how="left")
    )
    text = events.filter(pl.col("prompt_digest").is_not_null())
    for part in (_content(text), _templates(text), _breadth(text)):
        table = table.join(part, on="account_id", how="left")
    found = {row["account_id"]: _usage(row, facts) for row in table.iter_rows(named=True)}
    return {account: AccountUsage(facts=known) for account, known in facts.items() if account not in found} | found


def _usage(row: dict[str, Any], facts: Mapping[int, AccountFacts]) -> AccountUsage:
    account = row.pop("account_id")
    known = facts.get(account, AccountFacts())
    models = {entry["model"]: entry["len"] for entry in row.pop("models")}
    markers = {name: row.pop(f"marker_{name}") or 0.0 for name in MARKERS}
    top = tuple((entry["template_digest"], entry["len"]) for entry in row.pop("top_templates") or ())
    places = dict(zip(row.pop("places"), row.pop("place_events"), strict=True))
    row["home_share"] = places.get(known.country, 0) / sum(places.values()) if places and known.country else None
    row["hours_of_day"] = tuple(row["hours_of_day"])
    given = {name: value for name, value in row.items() if value is not None}
    return AccountUsage(facts=known, models=models, markers=markers, top_templates=top, **given)


def _share(condition: pl.Expr) -> pl.Expr:
    return condition.fill_null(value=False).mean()


def _total(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.Int64).sum()


def _figures(events: pl.DataFrame) -> pl.DataFrame:
    ratio = pl.col("output_tokens") / pl.col("input_tokens").clip(1)
    temperature = pl.col("temperature")
    return events.group_by("account_id").agg(
        events=pl.len(),
        ok=(pl.col("status") == "ok").sum(),
        rate_limited=(pl.col("status") == "rate_limited").sum(),
        refused=(pl.col("status") == "refused").sum(),
        first_at=pl.col("occurred_at").min(),
        last_at=pl.col("occurred_at").max(),
        active_days=pl.col("occurred_at").dt.date().n_unique(),
        input_tokens=_total("input_tokens"),
        output_tokens=_total("output_tokens"),
        median_input=pl.col("input_tokens").median(),
        median_output=pl.col("output_tokens").median(),
        median_ratio=ratio.median(),
        input_variation=(pl.col("input_tokens").std() / pl.col("input_tokens").mean().clip(1)).fill_nan(0),
        long_output_share=_share(pl.col("output_tokens") > 4 * pl.col("input_tokens").clip(8)),
        cached_share=_total("cached_input_tokens") / _total("input_tokens").clip(1),
        stream_share=_share(pl.col("stream")),
        seeded_share=_share(pl.col("seeded")),
        logprobs_share=_share(pl.col("logprobs")),
        top_logprobs=pl.col("top_logprobs").max(),
        sampled_share=_share(pl.col("n") > 1),
        mean_n=pl.col("n").clip(1).mean(),
        cold_share=_share(temperature < COLD),
        hot_share=_share(temperature >= HOT),
        unset_temperature_share=_share(temperature.is_null()),
        tools_share=_share(pl.col("tools") > 0),
        structured_share=_share(pl.col("response_format").str.starts_with("json")),
        short_cap_share=_share(pl.col("max_tokens") <= 64),
        reasoning_share=_share(pl.col("reasoning_tokens") > 0),
        standalone_share=_share(_stands_alone()),
        varied_share=_share(_stands_alone() & ((temperature >= HOT) | (pl.col("n") > 1))),
        end_user_share=_share(pl.col("end_user").is_not_null()),
        end_users=pl.col("end_user").drop_nulls().n_unique(),
        conversation_share=_share(pl.col("conversation").is_not_null()),
        conversations=pl.col("conversation").drop_nulls().n_unique(),
        addresses=pl.col("ip").drop_nulls().n_unique(),
        networks=pl.col("asn").drop_nulls().n_unique(),
        countries=pl.col("country").drop_nulls().n_unique(),
        clients=pl.col("user_agent").drop_nulls().n_unique(),
        keys=pl.col("api_key").drop_nulls().n_unique(),
        places=pl.col("country").drop_nulls().value_counts(sort=True).struct.field("country"),
        place_events=pl.col("country").drop_nulls().value_counts(sort=True).struct.field("count"),
    )


def _stands_alone() -> pl.Expr:
    alone = pl.col("end_user").is_null() & pl.col("conversation").is_null() & (pl.col("tools") == 0)
    structured = pl.col("response_format").str.starts_with("json").fill_null(value=False)
    return alone & ~structured & (pl.col("turns").fill_null(0) <= 1)


def _marked(bit: int) -> pl.Expr:
    return ((pl.col("markers") & (1 << bit)) != 0).mean()


def _gaps(events: pl.DataFrame) -> pl.DataFrame:
    gap = pl.col("occurred_at").diff().dt.total_milliseconds() / 1000
    return (
        events.select("account_id", "occurred_at")
        .sort("account_id", "occurred_at")
        .select("account_id", gap=gap.over("account_id"))
        .group_by("account_id")
        .agg(
            median_gap_s=pl.col("gap").median(),
            gap_variation=pl.col("gap").std() / pl.col("gap").mean().clip(0.001),
        )
    )


def _hours(events: pl.DataFrame) -> pl.DataFrame:
    hour = events.select("account_id", hour=pl.col("occurred_at").dt.truncate("1h"))
    busy = (
        hour.group_by("account_id", "hour")
        .len()
        .group_by("account_id")
        .agg(active_hours=pl.len(), busiest_hour=pl.col("len").max())
    )
    of_day = hour.group_by("account_id").agg(
        hours_of_day=pl.concat_list((pl.col("hour").dt.hour() == clock).sum() for clock in range(24))
    )
    return busy.join(of_day, on="account_id")


def _models(events: pl.DataFrame) -> pl.DataFrame:
    return (
        events.group_by("account_id", "model")
        .len()
        .sort("account_id", "len", descending=True)
        .group_by("account_id", maintain_order=True)
        .agg(models=pl.struct("model", "len"))
    )


def _pivot(events: pl.DataFrame) -> pl.DataFrame:
    """Of an account that took up another model: how much of its traffic since went to the one taken up last."""
    use = events.group_by("account_id", "model").agg(since=pl.col("occurred_at").min())
    taken_up = (
        use.sort("account_id", "since")
        .group_by("account_id", maintain_order=True)
        .agg(model=pl.col("model").last(), since=pl.col("since").last(), known=pl.len())
        .filter(pl.col("known") > 1)
    )
    later = events.join(taken_up, on="account_id", suffix="_taken_up").filter(pl.col("occurred_at") >= pl.col("since"))
    return later.group_by("account_id").agg(
        pivot_share=(pl.col("model") == pl.col("model_taken_up")).mean(), pivot_events=pl.len()
    )


def _ratio_percentile(events: pl.DataFrame, peers: Mapping[str, Sequence[float]]) -> pl.DataFrame:
    """Where an account's median of output to input tokens stands among its peers: users of the model it
    uses most.
    """
    ratio = pl.col("output_tokens") / pl.col("input_tokens").clip(1)
    main = (
        events.group_by("account_id", "model")
        .agg(uses=pl.len(), ratio=ratio.median(), thinks=pl.col("reasoning_tokens").max() > 0)
        .sort("account_id", "uses", "model", descending=[False, True, False])
        .unique("account_id", keep="first", maintain_order=True)
    )
    places = []
    for model, own, thinks in main.select("model", "ratio", "thinks").iter_rows():
        others = peers.get(model) or (THINKING_PEERS if thinks else ORDINARY_PEERS)
        places.append(bisect_right(others, own) / len(others))
    return main.select("account_id", ratio_percentile=pl.Series(places, dtype=pl.Float64))


def _parameters(events: pl.DataFrame) -> pl.DataFrame:
    columns: Sequence[str] = (
        "temperature",
        "top_p",
        "n",
        "max_tokens",
        "logprobs",
        "stream",
        "response_format",
    )
    return (
        events.group_by("account_id", *columns)
        .len()
        .group_by("account_id")
        .agg(parameter_sets=pl.len(), top_parameter_share=pl.col("len").max() / pl.col("len").sum())
    )


def _content(text: pl.DataFrame) -> pl.DataFrame:
    system = pl.col("system_digest")
    return text.group_by("account_id").agg(
        pl.len().alias("texts"),
        pl.col("prompt_digest").n_unique().alias("prompts"),
        (1 - pl.col("prompt_digest").n_unique() / pl.len()).alias("repeat_share"),
        system.is_not_null().mean().alias("system_share"),
        system.drop_nulls().n_unique().alias("systems"),
        (system.drop_nulls().unique_counts().max().fill_null(0) / pl.len()).alias("top_system_share"),
        (pl.col("turns") > 1).mean().alias("follow_up_share"),
        (_stands_alone() & system.is_null()).mean().alias("bare_share"),
        ((pl.col("markers") & mask_of(MAKING)) > 0).mean().alias("making_share"),
        ((pl.col("markers") & mask_of(WORK)) > 0).mean().alias("work_share"),
        *(_marked(BIT[name]).alias(f"marker_{name}") for name in MARKERS),
    )


def _templates(text: pl.DataFrame) -> pl.DataFrame:
    uses = pl.col("len")
    return (
        text.group_by("account_id", "template_digest")
        .len()
        .sort("account_id", "len", "template_digest", descending=[False, True, False])
        .group_by("account_id", maintain_order=True)
        .agg(
            templates=pl.len(),
            steady_templates=(uses >= STEADY_USES).sum(),
            steady_share=uses.filter(uses >= STEADY_USES).sum() / uses.sum(),
            top_template_share=uses.max() / uses.sum(),
            top_templates=pl.struct("template_digest", "len").filter(uses >= STEADY_USES).head(TOP_TEMPLATES),
        )
    )


def _breadth(text: pl.DataFrame) -> pl.DataFrame:
    """How far an account's texts lie apart: mean Hamming distance of its sketches, 1 for unrelated texts."""
    some = text.select("account_id", "sketch").filter(pl.int_range(pl.len()).over("account_id") < SKETCHES)
    masks = [1 << bit if bit < 63 else -(1 << 63) for bit in range(64)]
    ones = [((pl.col("sketch") & mask) != 0).mean() for mask in masks]
    distance = 2 * pl.sum_horizontal(one * (1 - one) for one in ones) * pl.len() / (pl.len() - 1)
    return some.group_by("account_id").agg(breadth=pl.when(pl.len() > 1).then(distance / 32))
