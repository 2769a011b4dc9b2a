"""How many accounts, keys and organisations that nobody knew a sender may bring in: so many an hour.

What lies above waits until the hour is over, or until the register has named them. Events of those who are known are
taken in any case.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from django.conf import settings

from accounts.queries import Name, Naming, new_names
from governance.platform.transactions import retried_transaction
from governance.usage.models import NewNameCount
from governance.usage.wire import Report


class LimitedReports(NamedTuple):
    """The reports that are taken now, in their order, and how many have to wait."""

    taken: Sequence[Report]
    held: int


def limit_new_names(reports: Sequence[Report], *, service_key: uuid.UUID, now: datetime) -> LimitedReports:
    """Count the names that these reports bring in, and hold those back that bring too many."""
    if not settings.NEW_NAMES_AN_HOUR:
        return LimitedReports(reports, 0)
    new = new_names({_naming(report) for report in reports})
    return _admit(reports, new, service_key=service_key, now=now) if new else LimitedReports(reports, 0)


@retried_transaction
def _admit(
    reports: Sequence[Report], new: Mapping[Naming, set[Name]], *, service_key: uuid.UUID, now: datetime
) -> LimitedReports:
    hour = now.replace(minute=0, second=0, microsecond=0)
    NewNameCount.objects.bulk_create([NewNameCount(service_key_id=service_key, hour=hour)], ignore_conflicts=True)
    counted = NewNameCount.objects.select_for_update(no_key=True).get(service_key=service_key, hour=hour)
    left = settings.NEW_NAMES_AN_HOUR - counted.names
    admitted: set[Name] = set()
    taken = []
    for report in reports:
        more = new.get(_naming(report), set()) - admitted
        if len(admitted) + len(more) <= left:
            admitted |= more
            taken.append(report)
    if admitted:
        counted.names += len(admitted)
        counted.save(update_fields=["names"])
    return LimitedReports(taken, len(reports) - len(taken))


def _naming(report: Report) -> Naming:
    event = report.event
    return Naming(event.account, event.organisation, event.api_key)
