"""Measure what takes too long to be read with every page."""

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from django.db import connection
from django.db.models import Sum

from governance.gateways.models import Refusal
from governance.overview.models import DailyMedian, HarmMeasure
from governance.overview.queries import CaseCountsByDay, count_cases_by_day, first_day
from governance.platform.transactions import retried_transaction
from governance.restrictions.models import Restriction
from governance.review.models import Case

IN_FLIGHT: Final = timedelta(hours=24)
BEFORE: Final = timedelta(days=7)

# Hourly profiles, and what is not merged into them yet, add up. Both are read by account and hour.
_SERVED: Final = """
SELECT count(DISTINCT account_id), coalesce(sum(requests), 0)::bigint, coalesce(sum(output_tokens), 0)::bigint
FROM (
    SELECT account_id, hour, requests, output_tokens FROM usage_hourlyprofile
    UNION ALL SELECT account_id, hour, requests, output_tokens FROM usage_profiledelta
) AS hours
WHERE hour >= %(since)s AND hour < %(now)s AND account_id = ANY(%(accounts)s)
"""
_BEFORE: Final = """
SELECT coalesce(sum(output_tokens), 0)::bigint
FROM unnest(%(accounts)s::bigint[], %(times)s::timestamptz[]) AS refused (account, at)
JOIN (
    SELECT account_id, hour, output_tokens FROM usage_hourlyprofile
    UNION ALL SELECT account_id, hour, output_tokens FROM usage_profiledelta
) AS hours ON hours.account_id = refused.account AND hours.hour < refused.at
           AND hours.hour >= refused.at - make_interval(days => %(days)s)
"""


class ServedTotals(NamedTuple):
    """How many accounts were served, with how many requests and output tokens."""

    accounts: int
    requests: int
    tokens: int


@retried_transaction
def measure_overview(*, now: datetime) -> HarmMeasure:
    """Store the figures of the last days, and in the row of today how much suspected and refused accounts got."""
    days = count_cases_by_day(first_day(now=now), now=now)
    _store_medians(days, now=now)
    # With those whose cases are part of a campaign's.
    is_open = Case.objects.filter(status=Case.Status.OPEN, account__isnull=False)
    suspected = list(is_open.order_by().values_list("account", flat=True))
    refused = refused_since(now=now)
    served = _served(suspected, now=now)
    measure, _ = HarmMeasure.objects.update_or_create(
        day=now.astimezone(UTC).date(),
        defaults={
            "measured_at": now,
            "accounts_in_flight": served.accounts,
            "requests_in_flight": served.requests,
            "tokens_in_flight": served.tokens,
            "accounts_stopped": len(refused),
            "tokens_stopped": _got_before(refused) // BEFORE.days,
            "requests_refused": Refusal.objects.aggregate(count=Sum("count"))["count"] or 0,
            "median_to_decide": days.median,
        },
    )
    return measure


def _store_medians(days: CaseCountsByDay, *, now: datetime) -> None:
    rows = [DailyMedian(day=one.day, measured_at=now, median_to_decide=one.median) for one in days.days]
    measured = ["measured_at", "median_to_decide"]
    DailyMedian.objects.bulk_create(rows, update_conflicts=True, unique_fields=["day"], update_fields=measured)


def refused_since(*, now: datetime) -> dict[int, datetime]:
    """Return since when each account is refused by what is in force on it or its organisation."""
    denying = Restriction.objects.in_force(at=now).denying().order_by()
    own = denying.exclude(account=None).values_list("account", "starts_at")
    of_organisation = denying.exclude(organisation=None).values_list("organisation__accounts", "starts_at")
    found: dict[int, datetime] = {}
    for account, at in (*own, *of_organisation):
        if account is not None:
            found[account] = min(at, found.get(account, at))
    return found


def _served(accounts: list[int], *, now: datetime) -> ServedTotals:
    with connection.cursor() as cursor:
        cursor.execute(_SERVED, {"since": now - IN_FLIGHT, "now": now, "accounts": accounts})
        return ServedTotals(*(cursor.fetchone() or (0, 0, 0)))


def _got_before(refused: dict[int, datetime]) -> int:
    """Return the output tokens that these accounts got in the 7 days before they were refused."""
    with connection.cursor() as cursor:
        cursor.execute(_BEFORE, {"accounts": list(refused), "times": list(refused.values()), "days": BEFORE.days})
        [tokens] = cursor.fetchone() or (0,)
        return int(tokens)
