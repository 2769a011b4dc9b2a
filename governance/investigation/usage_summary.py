"""What an account did, as its page shows it: over time, by model, in the week, its templates and its parameters."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.db.models import TextChoices

from accounts.models import Account
from governance.detection.finding import percent
from governance.investigation.heat_map import HeatMap, build_heat_map
from governance.review.chart import HourlyUse, UsageChart, draw_chart
from governance.usage.account_usage import AccountFacts, AccountUsage
from governance.usage.profiles.features import build_account_usages
from governance.usage.queries import (
    HourOfModel,
    ModelUsage,
    ScoringWindow,
    get_usage_by_hour_and_model,
    load_profiles,
)

TEMPLATES_SHOWN: Final = 12
# Usage that has come in since the window of the latest assessment was drawn.
SINCE_ASSESSED: Final = timedelta(days=1)


class Period(TextChoices):
    """How much of the usage is drawn: short periods by hour."""

    DAYS = "days", "4 days"
    WEEKS = "weeks", "4 weeks"
    MONTHS = "months", "12 weeks"


_LENGTHS: Final = {Period.DAYS: timedelta(days=4), Period.WEEKS: timedelta(weeks=4), Period.MONTHS: timedelta(weeks=12)}


class TemplateUse(NamedTuple):
    """A prompt template, whose words are not kept: the digest by which it is known, and how many requests use it."""

    name: str
    requests: int
    share: str


class Parameter(NamedTuple):
    """A setting of the requests, and how it is used: as a share of them, or a figure."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class UsageSummary:
    """The usage of a period; without any, everything in it is empty."""

    chart: UsageChart | None
    heat_map: HeatMap | None
    models: list[ModelUsage]


def summarise_usage(account: Account, *, period: Period, newest: datetime, now: datetime) -> UsageSummary:
    """Return what the account did in the period up to its newest assessed usage. One query."""
    end = min(now, newest + SINCE_ASSESSED)
    start = (end - _LENGTHS[period]).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    rows = get_usage_by_hour_and_model(account, start=start, end=end)
    hours: dict[datetime, list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        hours[row.hour][0] += row.requests
        hours[row.hour][1] += row.output_tokens
    uses = [HourlyUse(hour, requests, tokens) for hour, (requests, tokens) in hours.items()]
    return UsageSummary(draw_chart(uses), build_heat_map((use.hour, use.requests) for use in uses), _by_model(rows))


def _by_model(rows: Sequence[HourOfModel]) -> list[ModelUsage]:
    models: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for _, model, *figures in rows:
        models[model] = [one + other for one, other in zip(models[model], figures, strict=True)]
    used = [ModelUsage(model, *figures) for model, figures in models.items()]
    return sorted(used, key=lambda use: (-use.requests, use.model))


def load_account_usage(account: Account, window: ScoringWindow) -> AccountUsage:
    """Return the figures of the account's usage as detectors see them, but for what others share. One query."""
    built = build_account_usages(load_profiles({account.pk: window}), {account.pk: AccountFacts()})
    return built[account.pk]


def list_templates(usage: AccountUsage) -> list[TemplateUse]:
    """The templates of most requests, that of the most first."""
    return [
        TemplateUse(f"{digest & 0xFFFF_FFFF_FFFF_FFFF:016x}"[:8], uses, percent(uses / max(uses, usage.texts)))
        for digest, uses in usage.top_templates[:TEMPLATES_SHOWN]
    ]


def list_parameters(usage: AccountUsage) -> Iterator[Parameter]:
    """How requests are set, without what is never used."""
    shares = {
        "Temperature not set": usage.unset_temperature_share,
        "Low temperature": usage.cold_share,
        "High temperature": usage.hot_share,
        "Fixed seed": usage.seeded_share,
        "Token probabilities asked for": usage.logprobs_share,
        "Streamed": usage.stream_share,
        "With tools": usage.tools_share,
        "With a schema for the answer": usage.structured_share,
        "Answer cut short": usage.short_cap_share,
        "Input tokens from the cache": usage.cached_share,
        "With a system prompt": usage.system_share,
        "Name an end user": usage.end_user_share,
        "Name a conversation": usage.conversation_share,
        "Stand alone": usage.standalone_share,
        "With the commonest settings": usage.top_parameter_share,
    }
    yield from (Parameter(name, percent(share)) for name, share in shares.items() if share)
    figures = {
        "Different settings": usage.parameter_sets,
        "Answers a request": usage.mean_n if usage.mean_n > 1 else 0,
        "Output tokens, median": usage.median_output,
        "Input tokens, median": usage.median_input,
        "Different IP addresses": usage.addresses,
        "Different programs": usage.clients,
    }
    yield from (Parameter(name, f"{figure:,.1f}".removesuffix(".0")) for name, figure in figures.items() if figure)
