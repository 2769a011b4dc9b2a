"""Handing out the accounts that wait to be scored. Rows are locked in the order of their accounts, everywhere."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connection

from governance.audit.actions import record
from governance.audit.actor import Actor
from governance.audit.verbs import Verb
from governance.platform.leases import latest
from governance.platform.transactions import is_permanent, retried_transaction
from governance.usage import sql
from governance.usage.models import LEASE, DirtyAccount

ATTEMPTS_ALLOWED = 3
PAUSE_AFTER_FAILURE = timedelta(seconds=30)
PAUSE_AFTER_CONFLICT = timedelta(seconds=2)


class Claim(NamedTuple):
    """The right to score an account until the lease ends.

    `version` is the usage that the score will have seen, `attempts` how often scoring it was begun before in vain;
    `anew` says to score it although hardly any usage has come in.
    """

    account: int
    version: int
    token: int
    attempts: int
    anew: bool


def claim_dirty_accounts(*, limit: int, now: datetime) -> list[Claim]:
    """Claim up to `limit` accounts, longest waiting first, skipping those that another worker is claiming."""
    _set_aside_exhausted(now=now)
    with connection.cursor() as cursor:
        cursor.execute(
            sql.CLAIM,
            {
                "now": now,
                "lease_until": now + LEASE,
                "latest": latest(at=now, lasts=LEASE),
                "limit": limit,
                "attempts_allowed": ATTEMPTS_ALLOWED,
            },
        )
        return [Claim(*claimed) for claimed in cursor.fetchall()]


@retried_transaction
def begin(claims: Sequence[Claim]) -> None:
    """Count an attempt for each, committed before the work, so that one which kills its worker is counted too."""
    with connection.cursor() as cursor:
        cursor.execute(sql.BEGIN, {"accounts": [claim.account for claim in claims]})


def hold(claims: Sequence[Claim]) -> list[Claim]:
    """Of these claims the ones that still stand, locked until the caller's transaction ends."""
    rows = DirtyAccount.objects.select_for_update().filter(pk__in=[claim.account for claim in claims]).order_by("pk")
    tokens = {dirty.pk: dirty.token for dirty in rows}
    return [claim for claim in claims if tokens.get(claim.account) == claim.token]


def finish(claims: Sequence[Claim], *, now: datetime) -> None:
    """These accounts are scored: clean, or waiting again where usage came in meanwhile. After `hold`."""
    with connection.cursor() as cursor:
        accounts, versions = [claim.account for claim in claims], [claim.version for claim in claims]
        cursor.execute(sql.FINISH, {"accounts": accounts, "versions": versions, "now": now})


@retried_transaction
def fail(claims: Sequence[Claim], *, error: Exception, now: datetime) -> None:
    """Scoring these raised an error; they are free again after a while.

    Only the kind of error is kept: its message might hold a customer's words. Where the fault lies with the database,
    or with others who were in the way, the attempt does not count: it says nothing of the accounts.
    """
    lasting = is_permanent(error)
    pauses = [claim.attempts * PAUSE_AFTER_FAILURE if lasting else PAUSE_AFTER_CONFLICT for claim in claims]
    with connection.cursor() as cursor:
        cursor.execute(
            sql.FAIL,
            {
                "accounts": [claim.account for claim in claims],
                "tokens": [claim.token for claim in claims],
                "attempts": [claim.attempts + lasting for claim in claims],
                "until": [now + pause for pause in pauses],
                "error": type(error).__name__,
            },
        )


@retried_transaction
def _set_aside_exhausted(*, now: datetime) -> None:
    """Set aside accounts whose scoring failed as often as allowed: people see them, and the queue goes on."""
    exhausted = DirtyAccount.objects.waiting(at=now).filter(attempts__gte=ATTEMPTS_ALLOWED).select_related("account")
    for dirty in exhausted.select_for_update(skip_locked=True, of=("self",)).order_by("pk"):
        DirtyAccount.objects.filter(pk=dirty.pk).update(set_aside_at=now, lease_until=None)
        subject, details = (
            ("account", dirty.account.external_id),
            {"error": dirty.last_error or "worker died"},
        )
        record(Verb.SCORING_SET_ASIDE, subject=subject, by=Actor.system("pipeline"), now=now, details=details)


def mark_dirty(accounts: Iterable[int], *, now: datetime) -> None:
    """Have these accounts scored again though no usage came in."""
    with connection.cursor() as cursor:
        cursor.execute(sql.MARK, {"accounts": sorted(accounts), "anew": True, "now": now})


@retried_transaction
def take_up_again(*, by: Actor, now: datetime) -> int:
    """Try again to score the accounts that were set aside. Return how many."""
    aside = list(DirtyAccount.objects.set_aside().select_for_update().order_by("pk").values_list("pk", flat=True))
    count = DirtyAccount.objects.filter(pk__in=aside).update(set_aside_at=None, lease_until=None, attempts=0)
    record(Verb.SCORING_REQUEUED, subject=("scoring", "set aside"), by=by, now=now, details={"accounts": count})
    return count
