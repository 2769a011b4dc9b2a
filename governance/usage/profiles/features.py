"""Features: what detectors see of an account, computed from its profiles for many accounts at once. Pure."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import polars as pl

from governance.usage.account_usage import AccountFacts, AccountUsage
from governance.usage.markers import MARKERS
from governance.usage.profiles import answer_samples, content, histograms, reading, rhythm
from governance.usage.profiles.answer_samples import contained_share
from governance.usage.profiles.histograms import STATUSES, Histogram
from governance.usage.profiles.traits import TRAIT_CODES, TRAIT_NAMES, TRAITS, ShareOf
from governance.usage.reading.concepts import CONCEPTS
from governance.usage.topics import TOPIC_NAMES

# Deciles of the ratio of output to input tokens among customers of ordinary and of reasoning models, used where there
# are too few peers. Short questions raise the ratio, pasted documents lower it.
DEFAULT_RATIOS: Final = (0.02, 0.1, 0.2, 0.5, 1.0, 1.5, 2.0, 2.5, 4.0, 7.0)
DEFAULT_REASONING_RATIOS: Final = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 50.0, 80.0)

# Share of stand-alone requests from which an account counts as one that sends single requests.
STANDALONE_MAJORITY: Final = 0.5


class PeerGroup(NamedTuple):
    """Accounts that are compared: same main model, and most of their requests stand alone, or do not."""

    model: str
    alone: bool


class PeerRatios(NamedTuple):
    """Output-to-input ratios of a group of `number` accounts: quantiles, ascending, evenly spaced in rank."""

    ratios: Sequence[float]
    number: int


_MEMBERS: Final = frozenset(AccountUsage.__slots__)

_TEXT: Final = (pl.col("kind") == Histogram.TRAIT) & (pl.col("bucket") == TRAIT_CODES["text"])


def build_account_usages(
    rows: pl.DataFrame,
    facts: Mapping[int, AccountFacts],
    *,
    peers: Mapping[PeerGroup, PeerRatios] | None = None,
) -> dict[int, AccountUsage]:
    """Return the usage of every account in `rows` or `facts`, by account id.

    Args:
        rows: profiles with the columns of `merging.PROFILE_SCHEMA`, one row for each account and model.
        facts: what else is known of the accounts. Those without a row come back with empty usage.
        peers: ratios of each peer group; `DEFAULT_RATIOS` stand in for those that are missing.

    Shares are from 0 to 1. Distinct counts have a standard error of 3.25 %, medians are within 2.2 %; everything else
    is exact apart from samples (see docs/profiles.md).

    >>> from governance.usage.profiles.merging import PROFILE_SCHEMA
    >>> build_account_usages(pl.DataFrame(schema=PROFILE_SCHEMA), {7: AccountFacts(plan="team")})[7].facts.plan
    'team'
    """
    rows = rows.sort("account_id", "model").with_columns(owner=pl.col("account_id").rle_id())
    owner = rows["owner"].to_numpy()
    by_model = histograms.unpack(rows["histograms"].to_list())
    counts = (
        by_model.with_columns(owner=pl.Series(owner[by_model["owner"].to_numpy()]))
        .group_by("owner", "kind", "bucket")
        .agg(pl.col("count").sum())
    )
    table = _sums(rows, counts)
    shares = _shares(counts, table.select("owner", "events"))
    for part in (
        shares,
        *_medians(counts),
        _settings(counts),
        _several(counts, table.select("owner", "events")),
        _counts_by_name(counts),
        _models(rows),
        _ratio_percentile(rows, by_model, shares, peers or {}),
        *content.content_features(rows, owner, texts=counts.filter(_TEXT).select("owner", texts="count")),
        *reading.reading_features(counts),
        *rhythm.rhythm_features(rows, owner),
        *answer_samples.answer_features(rows, owner),
    ):
        table = table.join(part, on="owner", how="left")
    found = {row["account_id"]: _usage(row, facts) for row in table.iter_rows(named=True)}
    return {account: AccountUsage(facts=known) for account, known in facts.items() if account not in found} | found


def _usage(row: dict[str, Any], facts: Mapping[int, AccountFacts]) -> AccountUsage:
    known = facts.get(row["account_id"], AccountFacts())
    texts = row["texts"] = row.pop("text_events") or 0
    models = {entry["model"]: entry["requests"] for entry in row.pop("models")}
    markers = {name: row.pop(f"marker_{name}", None) or 0.0 for name in MARKERS}
    concepts = {name: row.pop(f"concept_{name}", None) or 0.0 for name in CONCEPTS} if row["reads"] else {}
    places, languages, topics = (_by_name(row.pop(name)) for name in ("places", "language_events", "topic_events"))
    for name in ("top_templates", "templates_used", "top_openings", "top_closings", "top_addresses"):
        row[name] = tuple((entry["digest"], entry["uses"]) for entry in row[name] or ())
    for name in ("sample", "shingles", "slots", "answer_runs", "question_runs", "reasoning"):
        row[name] = tuple(row[name] or ())
    row["returned_share"], row["returned_of"] = contained_share(row["question_runs"], row["answer_runs"])
    row["home_share"] = (
        places.get(known.country.lower(), 0) / sum(places.values()) if places and known.country else None
    )
    row["countries"] = len(places)
    row["repeat_share"] = max(0.0, 1 - (row["prompts"] or 0) / texts) if texts else 0.0
    given = {name: value for name, value in row.items() if value is not None and name in _MEMBERS}
    return AccountUsage(
        facts=known,
        models=models,
        markers=markers,
        concepts=concepts,
        languages={name: count / texts for name, count in languages.items()},
        topics={name: count / texts for name, count in topics.items()},
        **given,
    )


def _by_name(entries: Iterable[Mapping[str, Any]] | None) -> dict[str, int]:
    return {entry["name"]: entry["count"] for entry in entries or ()}


def _sums(rows: pl.DataFrame, counts: pl.DataFrame) -> pl.DataFrame:
    events, total = pl.col("requests").sum(), pl.col("input_tokens").sum()
    # Of the events whose tokens were counted, since those of the others would count as nought.
    counted = counts.filter(pl.col("kind") == Histogram.INPUT).group_by("owner").agg(counted=pl.col("count").sum())
    known = pl.col("counted").first()
    squares, mean = pl.col("input_squares").sum() / known, total / known
    return (
        rows.join(counted, on="owner", how="left", maintain_order="left")
        .group_by("owner", maintain_order=True)
        .agg(
            pl.col("account_id").first(),
            events=events,
            first_at=pl.col("first_at").min(),
            last_at=pl.col("last_at").max(),
            input_tokens=total,
            output_tokens=pl.col("output_tokens").sum(),
            cached_share=pl.col("cached_input_tokens").sum() / total.clip(1),
            input_variation=(squares - mean * mean).clip(0).sqrt() / mean.clip(1),
        )
    )


def _shares(counts: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """Return the share of events, or of those with text, that have each trait and marker; and counts of statuses."""

    def of(kind: Histogram, names: Iterable[tuple[int, str]], prefix: str) -> list[pl.Expr]:
        return [
            pl.col("count")
            .filter((pl.col("kind") == kind) & (pl.col("bucket") == place))
            .sum()
            .alias(f"{prefix}{name}")
            for place, name in names
        ]

    found = (
        counts.filter(pl.col("kind").is_in([Histogram.TRAIT, Histogram.MARKER, Histogram.STATUS, Histogram.RATIO]))
        .group_by("owner")
        .agg(
            *of(Histogram.TRAIT, TRAIT_NAMES.items(), "_"),
            *of(Histogram.MARKER, enumerate(MARKERS), "marker_"),
            *of(Histogram.STATUS, enumerate(STATUSES), ""),
            counted=pl.col("count").filter(pl.col("kind") == Histogram.RATIO).sum(),
        )
        .join(events, on="owner")
    )
    texts, counted = pl.col("_text").clip(1), pl.col("counted").clip(1)
    answered = pl.col("_answered").clip(1)
    total = {
        ShareOf.EVENTS: pl.col("events"),
        ShareOf.TEXTS: texts,
        ShareOf.COUNTED: counted,
        ShareOf.ANSWERED: answered,
    }
    return found.select(
        "owner", "ok", "refused", "rate_limited",
        *((pl.col(f"_{one.name}") / total[one.share_of]).alias(f"{one.name}_share") for one in TRAITS),
        *(pl.col(f"marker_{name}") / texts for name in MARKERS),
        text_events=pl.col("_text"),
    )  # fmt: skip


def _medians(counts: pl.DataFrame) -> Iterable[pl.DataFrame]:
    middle = histograms.log_bucket_middle(pl.col("bucket"))
    for name, kind, value in (
        ("median_input", Histogram.INPUT, middle),
        ("median_output", Histogram.OUTPUT, middle),
        ("median_ratio", Histogram.RATIO, histograms.ratio_bucket_middle(pl.col("bucket"))),
    ):
        yield median(counts, kind).select("owner", value.alias(name))


def median(counts: pl.DataFrame, kind: Histogram) -> pl.DataFrame:
    """Return the columns owner and bucket: the bucket that holds the median of each owner."""
    reached, total = pl.col("count").cum_sum().over("owner"), pl.col("count").sum().over("owner")
    return (
        counts.filter(pl.col("kind") == kind)
        .sort("owner", "bucket")
        .filter(2 * reached >= total)
        .group_by("owner", maintain_order=True)
        .agg(pl.col("bucket").first())
    )


def _settings(counts: pl.DataFrame) -> pl.DataFrame:
    return (
        counts.filter(pl.col("kind") == Histogram.PARAMETERS)
        .group_by("owner")
        .agg(
            parameter_sets=pl.len(),
            top_parameter_share=pl.col("count").max() / pl.col("count").sum(),
            settings_digest=pl.col("bucket").sort_by("count", "bucket", descending=True).first(),
        )
    )


def _several(counts: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """Return choices per request, alternatives per token, and the share of the most used system prompt."""
    count, bucket, kind = pl.col("count"), pl.col("bucket"), pl.col("kind")
    answers = kind == Histogram.ANSWERS
    total = pl.col("events").first()
    return (
        counts.join(events, on="owner")
        .group_by("owner")
        .agg(
            mean_n=1 + ((bucket - 1) * count).filter(answers).sum() / total,
            sampled_share=count.filter(answers).sum() / total,
            top_logprobs=bucket.filter(kind == Histogram.TOP_LOGPROBS).max(),
            top_system_share=count.filter(kind == Histogram.SYSTEM).max() / count.filter(_TEXT).sum(),
        )
    )


def _counts_by_name(counts: pl.DataFrame) -> pl.DataFrame:
    """Return how many events each country, language and topic has, by name."""
    letters = {number: histograms.two_letter_code(number) for number in range(1, 26 * 26 + 1)}
    names = {Histogram.COUNTRY: letters, Histogram.LANGUAGE: letters, Histogram.TOPIC: dict(enumerate(TOPIC_NAMES))}
    named = [
        counts.filter(pl.col("kind") == kind)
        .with_columns(name=pl.col("bucket").replace_strict(of, default="?", return_dtype=pl.String))
        .select("owner", "kind", entry=pl.struct("name", "count"))
        for kind, of in names.items()
    ]
    entry, kind = pl.col("entry"), pl.col("kind")
    return (
        pl.concat(named)
        .group_by("owner")
        .agg(
            places=entry.filter(kind == Histogram.COUNTRY),
            language_events=entry.filter(kind == Histogram.LANGUAGE),
            topic_events=entry.filter(kind == Histogram.TOPIC),
        )
    )


def _models(rows: pl.DataFrame) -> pl.DataFrame:
    return (
        rows.sort("owner", "requests", "model", descending=[False, True, False])
        .group_by("owner", maintain_order=True)
        .agg(models=pl.struct("model", "requests"))
    )


def _ratio_percentile(
    rows: pl.DataFrame, by_model: pl.DataFrame, shares: pl.DataFrame, peers: Mapping[PeerGroup, PeerRatios]
) -> pl.DataFrame:
    """Return the percentile, from 0 to 1, of an account's median ratio of output to input tokens in its peer group."""
    ratios = median(by_model, Histogram.RATIO).select(
        row=pl.col("owner").cast(pl.UInt32), ratio=histograms.ratio_bucket_middle(pl.col("bucket"))
    )
    main = (
        rows.with_row_index("row")
        .join(ratios, on="row")
        .sort("owner", "requests", "model", descending=[False, True, False])
        .unique("owner", keep="first", maintain_order=True)
        .join(shares.select("owner", alone=pl.col("standalone_share") >= STANDALONE_MAJORITY), on="owner")
    )
    places, numbers = [], []
    for model, own, thinking, alone in main.select("model", "ratio", "reasoning_tokens", "alone").iter_rows():
        group = peers.get(PeerGroup(model, bool(alone)))
        others = group.ratios if group else DEFAULT_REASONING_RATIOS if thinking else DEFAULT_RATIOS
        places.append(bisect_right(others, own) / len(others))
        numbers.append(group.number if group else 0)
    return main.select(
        "owner",
        main_ratio="ratio",
        ratio_percentile=pl.Series(places, dtype=pl.Float64),
        ratio_peers=pl.Series(numbers, dtype=pl.Int64),
    )
