"""What an account did, as its page shows it: over time, by model and in the week."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import TextChoices

from accounts.models import Account
from governance.investigation.heat_map import HeatMap, build_heat_map
from governance.review.chart import HourlyUse, UsageChart, draw_chart
from governance.usage.queries import HourOfModel, ModelUsage, get_usage_by_hour_and_model

# Usage that has come in since the window of the latest assessment was drawn.
SINCE_ASSESSED: Final = timedelta(days=1)


class Period(TextChoices):
    """How much of the usage is drawn: short periods by hour."""

    DAYS = "days", "4 days"
    WEEKS = "weeks", "4 weeks"
    MONTHS = "months", "12 weeks"


_LENGTHS: Final = {Period.DAYS: timedelta(days=4), Period.WEEKS: timedelta(weeks=4), Period.MONTHS: timedelta(weeks=12)}


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
