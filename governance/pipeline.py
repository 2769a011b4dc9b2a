"""The story in one place: accounts with new usage are scored, and what follows from the score is put into rows."""

import logging
import traceback
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction

from governance.campaigns.actions import write_assessments
from governance.campaigns.queries import Judgement, Look, accounts_with_changed_licences, judge, look_at, worth_a_look
from governance.campaigns.store import link
from governance.detection.scoring import REVIEW_LINE
from governance.platform.notifications import enqueue_on_commit
from governance.platform.transactions import retried_transaction
from governance.policies.outcomes import carry_out, weigh
from governance.policies.versions import count_scorings
from governance.review.leniency import staff_limits
from governance.review.opening import consider
from governance.usage.actions import compact_profiles
from governance.usage.scoring_queue import (
    ScoringClaim,
    claim_dirty_accounts,
    count_attempts,
    fail_scoring,
    finish_scoring,
    lock_current_claims,
    request_rescore,
)

logger = logging.getLogger(__name__)

BATCH = 200


def govern(*, now: datetime, limit: int = BATCH, review_line: int = REVIEW_LINE) -> int:
    """Score up to `limit` accounts that wait for it; how many were claimed. Safe to run anywhere, any time, twice.

    Accounts that failed before are scored each alone, so that one that cannot be scored takes no other along.
    """
    claims = claim_dirty_accounts(limit=limit, now=now)
    fresh = [claim for claim in claims if not claim.attempts]
    for batch in [fresh, *([claim] for claim in claims if claim.attempts)]:
        if batch:
            _govern(batch, now=now, review_line=review_line)
    return len(claims)


def carry_out_policies(*, now: datetime) -> int:
    """Put into force what the live policy has planned and is due, unless staff has decided otherwise meanwhile."""
    return carry_out(now=now, staff_limits=staff_limits)


def rescore_changed_licences(*, now: datetime) -> int:
    """Have accounts scored whose licence to train began or ended since they last were; how many."""
    accounts = accounts_with_changed_licences(now=now)
    if accounts:
        with transaction.atomic():
            request_rescore(accounts, now=now)
            enqueue_on_commit("governance.tasks.score_dirty_accounts")
    return len(accounts)


@retried_transaction
def _finish_idle(claims: Sequence[ScoringClaim], *, now: datetime) -> Sequence[ScoringClaim]:
    """Without those that have sent next to nothing since they were last scored, which are done with for now."""
    asked = [claim.account for claim in claims if not claim.is_forced]
    idle = set(asked) - worth_a_look(asked, now=now)
    finish_scoring(lock_current_claims([claim for claim in claims if claim.account in idle]), now=now)
    return [claim for claim in claims if claim.account not in idle]


@retried_transaction
def _link(looks: Sequence[Look], *, now: datetime) -> None:
    """Find out whom these accounts act with, and have the others scored too whom that concerns."""
    request_rescore(link(looks, now=now) - {look.account for look in looks}, now=now)


@retried_transaction
def _write(
    claims: Sequence[ScoringClaim], judgements: Mapping[int, Judgement], *, now: datetime
) -> tuple[list[int], int]:
    """Write down what is thought of the accounts, and what follows; which policies weighed how many assessments."""
    held = lock_current_claims(claims)
    assessments = write_assessments([judgements[claim.account] for claim in held], now=now)
    policies = weigh(assessments, staff_limits=staff_limits, now=now)
    due = {account: one.due_at for account, one in judgements.items() if one.due_at is not None}
    consider(assessments, due=due, now=now)
    finish_scoring(held, now=now)
    return policies, len(assessments)


def _govern(claims: Sequence[ScoringClaim], *, now: datetime, review_line: int) -> None:
    try:
        count_attempts(claims)
        if not (claims := _finish_idle(claims, now=now)):
            return
        accounts = [claim.account for claim in claims]
        compact_profiles(accounts)
        looks = look_at(accounts, now=now)
        _link(looks, now=now)
        judgements = {judgement.look.account: judgement for judgement in judge(looks, now=now, review_line=review_line)}
        # Reading and thinking is over: from here on rows are locked, and shortly.
        count_scorings(*_write(claims, judgements, now=now))
    except Exception as error:  # noqa: BLE001 - whatever it was, the rows must say so and the others go on
        where = traceback.extract_tb(error.__traceback__)[-1]
        logger.error(  # noqa: TRY400 - the message of an error may hold a customer's words
            "Scoring %d accounts failed: %s at %s:%d",
            len(claims),
            type(error).__name__,
            where.filename,
            where.lineno,
        )
        fail_scoring(claims, error=error, now=now)
