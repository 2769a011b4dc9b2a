"""Limits on how many accounts and how much traffic policies may restrict in an hour. Above them a person decides."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Final, Self

from django.conf import settings

from governance.policies.models import PolicyOutcome
from governance.usage.queries import count_requests_since
from governance.web.counts import percent_of, pluralize

HOUR: Final = timedelta(hours=1)


class HourlyCap:
    """What policies have restricted in the last hour, against AUTOMATIC_ACCOUNTS_AN_HOUR and AUTOMATIC_TRAFFIC_PERCENT.

    Args:
        requests: how many requests each account sent in this hour and the one before, by primary key.
        restricted: the accounts that policies restricted in the last hour.
    """

    def __init__(self, requests: Mapping[int, int], restricted: Collection[int]) -> None:
        self._requests, self._restricted = requests, set(restricted)
        self._total = sum(requests.values())
        self._used = sum(requests.get(account, 0) for account in self._restricted)

    @classmethod
    def at(cls, now: datetime) -> Self:
        done = PolicyOutcome.objects.filter(state=PolicyOutcome.State.DONE, settled_at__gt=now - HOUR)
        hour = now.replace(minute=0, second=0, microsecond=0) - HOUR
        return cls(count_requests_since(hour), done.values_list("account", flat=True))

    @property
    def restricted(self) -> int:
        """How many accounts were restricted in the last hour."""
        return len(self._restricted)

    @property
    def remaining(self) -> int:
        """How many more accounts may be restricted."""
        return settings.AUTOMATIC_ACCOUNTS_AN_HOUR - self.restricted

    @property
    def share(self) -> str:
        """The share of traffic of the restricted accounts, such as "0.04 %"."""
        return percent_of(self._used, self._total)

    def exceeded_by(self, account_pk: int) -> str:
        """Return which cap is exceeded if the account is restricted too, in a sentence; empty if none is."""
        if account_pk in self._restricted:
            return ""
        if self.remaining <= 0:
            most = pluralize(settings.AUTOMATIC_ACCOUNTS_AN_HOUR, "account")
            return f"Hourly cap of {most} reached: {self.restricted:,} restricted already."
        requests = self._requests.get(account_pk, 0)
        if self._total and 100 * (self._used + requests) > settings.AUTOMATIC_TRAFFIC_PERCENT * self._total:
            return (
                f"Hourly cap of {settings.AUTOMATIC_TRAFFIC_PERCENT:g} % of traffic reached: this account has "
                f"{percent_of(requests, self._total)}; {percent_of(self._used, self._total)} is restricted already."
            )
        return ""

    def add(self, account_pk: int) -> None:
        """Count an account that is being restricted."""
        if account_pk not in self._restricted:
            self._restricted.add(account_pk)
            self._used += self._requests.get(account_pk, 0)
