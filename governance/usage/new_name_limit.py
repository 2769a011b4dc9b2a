"""Limit how many unknown accounts, keys and organisations a sender may add in an hour.

What lies above waits until the hour is over, or until the register has named them. Events of those who are known are
taken in any case. Names are counted in the transaction that stores their events: what fails uses up nothing.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.db.models import F

from accounts.queries import NamedCustomer, NewName, RegisteredNames, find_new_names
from governance.usage.models import NewNameCount
from governance.usage.wire import Report


class LimitedReports(NamedTuple):
    """The reports that are taken now, in their order, and how many new names they bring in."""

    taken: Sequence[Report]
    names: int = 0


class NewNamesUsedUpError(Exception):
    """Another batch has counted names meanwhile, so that those of this one are too many."""


def limit_new_names(
    reports: Sequence[Report], registered: RegisteredNames, *, service_key: uuid.UUID, now: datetime
) -> LimitedReports:
    """Hold back the reports that bring in too many names. `registered` is what the register has of all of them."""
    if not settings.NEW_NAMES_AN_HOUR:
        return LimitedReports(reports)
    new = find_new_names({_naming(report) for report in reports}, registered)
    if not new:
        return LimitedReports(reports)
    counted = NewNameCount.objects.filter(service_key=service_key, hour=_hour(now)).values_list("names", flat=True)
    left = settings.NEW_NAMES_AN_HOUR - (counted.first() or 0)
    admitted: set[NewName] = set()
    taken = []
    for report in reports:
        more = new.get(_naming(report), set()) - admitted
        if len(admitted) + len(more) <= left:
            admitted |= more
            taken.append(report)
    return LimitedReports(taken, len(admitted))


def count_new_names(names: int, *, service_key: uuid.UUID, now: datetime) -> None:
    """Count the names that a batch brings in. Runs in the transaction that stores it, as late as can be.

    Other batches of the service key with new names wait for this one from here on. Raises NewNamesUsedUpError.
    """
    if not names:
        return
    hour = _hour(now)
    NewNameCount.objects.bulk_create([NewNameCount(service_key_id=service_key, hour=hour)], ignore_conflicts=True)
    room = settings.NEW_NAMES_AN_HOUR - names
    counts = NewNameCount.objects.filter(service_key=service_key, hour=hour, names__lte=room)
    if not counts.update(names=F("names") + names):
        raise NewNamesUsedUpError


def _hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0)


def _naming(report: Report) -> NamedCustomer:
    event = report.event
    return NamedCustomer(event.account, event.organisation, event.api_key)
