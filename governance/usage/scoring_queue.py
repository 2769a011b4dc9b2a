"""The queue of accounts to be scored, in the table of dirty accounts.

A worker claims accounts with a lease and a fencing token, counts the attempt, scores them and takes them off the queue.
After `MAX_ATTEMPTS` failed attempts an account becomes a dead letter, which stays until staff requeue it. Rows are
always locked in the order of their accounts, so that two workers cannot deadlock.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connection

from governance.audit.actions import record
from governance.audit.actor import Actor
from governance.audit.verbs import Verb
from governance.platform.leases import latest_lease_end
from governance.platform.transactions import is_permanent_error, retried_transaction
from governance.usage import sql
from governance.usage.models import LEASE, DirtyAccount

MAX_ATTEMPTS = 3
RETRY_DELAY = timedelta(seconds=30)
RETRY_DELAY_AFTER_CONFLICT = timedelta(seconds=2)


class ScoringClaim(NamedTuple):
    """The right to score an account until the lease ends.

    Args:
        version: the version of the account's usage when it was claimed; it changes when more usage comes in.
        token: the fencing token; a later claim of the same account has a greater one.
        attempts: failed attempts so far.
        is_forced: score it even if there is little new usage.
    """

    account: int
    version: int
    token: int
    attempts: int
    is_forced: bool


def claim_dirty_accounts(*, limit: int, now: datetime) -> list[ScoringClaim]:
    """Claim up to `limit` accounts, the longest waiting first; skip rows that another worker has locked."""
    _dead_letter_exhausted(now=now)
    with connection.cursor() as cursor:
        cursor.execute(
            sql.CLAIM,
            {
                "now": now,
                "lease_until": now + LEASE,
                "latest": latest_lease_end(at=now, duration=LEASE),
                "limit": limit,
                "attempts_allowed": MAX_ATTEMPTS,
            },
        )
        return [ScoringClaim(*claimed) for claimed in cursor.fetchall()]


@retried_transaction
def count_attempts(claims: Sequence[ScoringClaim]) -> None:
    """Count an attempt for each claim. Committed before the work, so that an attempt that kills its worker counts."""
    with connection.cursor() as cursor:
        cursor.execute(sql.BEGIN, {"accounts": [claim.account for claim in claims]})


def lock_current_claims(claims: Sequence[ScoringClaim]) -> list[ScoringClaim]:
    """Return the claims that no other worker has taken over, with their rows locked until the transaction ends."""
    rows = DirtyAccount.objects.select_for_update().filter(pk__in=[claim.account for claim in claims]).order_by("pk")
    tokens = {dirty.pk: dirty.token for dirty in rows}
    return [claim for claim in claims if tokens.get(claim.account) == claim.token]


def finish_scoring(claims: Sequence[ScoringClaim], *, now: datetime) -> None:
    """Take scored accounts off the queue; keep those for which usage came in after they were claimed.

    Call `lock_current_claims` first, in the same transaction.
    """
    with connection.cursor() as cursor:
        accounts, versions = [claim.account for claim in claims], [claim.version for claim in claims]
        cursor.execute(sql.FINISH, {"accounts": accounts, "versions": versions, "now": now})


@retried_transaction
def fail_scoring(claims: Sequence[ScoringClaim], *, error: Exception, now: datetime) -> None:
    """Record that scoring these accounts raised `error`, and release them after a delay.

    Only the class of the error is kept, since its message may contain a customer's words. Errors of the database, such
    as a deadlock or a lost connection, do not count as an attempt: they say nothing about the accounts.
    """
    lasting = is_permanent_error(error)
    pauses = [claim.attempts * RETRY_DELAY if lasting else RETRY_DELAY_AFTER_CONFLICT for claim in claims]
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
def _dead_letter_exhausted(*, now: datetime) -> None:
    """Make dead letters of accounts that have failed `MAX_ATTEMPTS` times, so that the queue goes on without them."""
    exhausted = DirtyAccount.objects.waiting(at=now).filter(attempts__gte=MAX_ATTEMPTS).select_related("account")
    for dirty in exhausted.select_for_update(skip_locked=True, of=("self",)).order_by("pk"):
        DirtyAccount.objects.filter(pk=dirty.pk).update(dead_lettered_at=now, lease_until=None)
        subject, details = (
            ("account", dirty.account.external_id),
            {"error": dirty.last_error or "worker died"},
        )
        record(Verb.SCORING_DEAD_LETTERED, subject=subject, by=Actor.system("pipeline"), now=now, details=details)


def request_rescore(account_pks: Iterable[int], *, now: datetime) -> None:
    """Queue these accounts for scoring although no usage came in."""
    with connection.cursor() as cursor:
        cursor.execute(sql.MARK_DIRTY, {"accounts": sorted(account_pks), "is_forced": True, "now": now})


@retried_transaction
def requeue_dead_letters(*, by: Actor, now: datetime) -> int:
    """Queue the dead letters for scoring again. Return their number."""
    dead_letters = list(
        DirtyAccount.objects.dead_letters().select_for_update().order_by("pk").values_list("pk", flat=True)
    )
    count = DirtyAccount.objects.filter(pk__in=dead_letters).update(dead_lettered_at=None, lease_until=None, attempts=0)
    record(Verb.SCORING_REQUEUED, subject=("scoring", "dead letters"), by=by, now=now, details={"accounts": count})
    return count
