"""Which version of the seller's terms each customer of the demonstration accepted, and when. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final, NamedTuple

_OLD: Final = timedelta(days=420)
_NEW: Final = timedelta(days=24)
# How long customers of long standing take to accept a new version.
_USUAL_DELAY: Final = timedelta(days=9)


class DemoTermsVersion(NamedTuple):
    """A version of the terms."""

    version: str
    published_at: datetime


def terms_versions(ends_at: datetime) -> tuple[DemoTermsVersion, DemoTermsVersion]:
    """Return the two versions that a demonstration knows, the older one first."""
    published = (ends_at - _OLD, ends_at - _NEW)
    return DemoTermsVersion(f"{published[0]:%Y-%m}", published[0]), DemoTermsVersion(
        f"{published[1]:%Y-%m}", published[1]
    )


def acceptance_lines(account: dict[str, Any], *, ends_at: datetime, until: datetime) -> Iterator[dict[str, Any]]:
    """Yield lines of the register for the versions that the customer had accepted by `until`.

    New customers accept the newest at sign-up, the others within days or weeks: some have not yet.
    """
    created_at = datetime.fromisoformat(account["created_at"])
    dice = Random(f"{account['account']}/terms")
    old, new = terms_versions(ends_at)
    for terms in (old, new):
        delay = timedelta(seconds=dice.expovariate(1 / _USUAL_DELAY.total_seconds()))
        if terms is old and created_at >= new.published_at:
            continue
        accepted_at = created_at if created_at >= terms.published_at else terms.published_at + delay
        if accepted_at <= until or accepted_at == created_at:
            yield acceptance_line(account["account"], terms, accepted_at)


def acceptance_line(account: str, terms: DemoTermsVersion, at: datetime) -> dict[str, Any]:
    """Return the line of the register which says that the customer accepted this version."""
    return {
        "account": account,
        "terms": {"version": terms.version, "accepted_at": at.isoformat().replace("+00:00", "Z")},
    }
