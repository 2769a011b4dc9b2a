"""Score accounts with new usage and store what follows: assessments, policy outcomes and cases."""

import logging
import traceback
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction

from governance.campaigns.actions import write_assessments
from governance.campaigns.queries import (
    AssessmentDraft,
    UsageView,
    accounts_with_changed_licences,
    accounts_with_outdated_assessment,
    assess_accounts,
    load_usage,
)
from governance.campaigns.store import count_changes, search_campaigns
from governance.campaigns.trait_store import store_traits
from governance.detection.scoring import REVIEW_LINE
from governance.platform.notifications import enqueue_on_commit
from governance.platform.transactions import retried_transaction
from governance.policies.outcomes import apply_due_outcomes, evaluate_policies
from governance.policies.versions import count_scorings
from governance.review.campaign_cases import join_and_leave, update_campaign_cases
from governance.review.case_figures import update_case_figures
from governance.review.case_opening import open_or_update_cases
from governance.review.staff_ceilings import get_staff_ceilings
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
    """Score up to `limit` waiting accounts. Return how many were claimed. Idempotent, and safe in several processes.

    Accounts that failed before are scored one by one, so that an account that cannot be scored fails alone. Campaigns
    are searched for afterwards, if enough has changed; accounts that this changes wait to be scored again. Then cases
    of campaigns are opened, and those of their members become part of them.
    """
    claims = claim_dirty_accounts(limit=limit, now=now)
    fresh = [claim for claim in claims if not claim.attempts]
    for batch in [fresh, *([claim] for claim in claims if claim.attempts)]:
        if batch:
            _govern(batch, now=now, review_line=review_line)
    if search_campaigns(now=now) or claims:
        update_campaign_cases(now=now)
        update_case_figures()
    join_and_leave(now=now)
    return len(claims)


def apply_policies(*, now: datetime) -> int:
    """Apply the planned outcomes of live policies that are due, unless staff decided otherwise since."""
    return apply_due_outcomes(now=now, staff_ceilings=get_staff_ceilings)


def rescore_changed_licences(*, now: datetime) -> int:
    """Mark accounts for scoring whose licence to train began or ended since they were last scored. Return how many."""
    accounts = accounts_with_changed_licences(now=now)
    if accounts:
        with transaction.atomic():
            request_rescore(accounts, now=now)
            enqueue_on_commit("governance.tasks.score_dirty_accounts")
    return len(accounts)


@retried_transaction
def _finish_idle(claims: Sequence[ScoringClaim], *, now: datetime) -> Sequence[ScoringClaim]:
    """Finish the claims of accounts with hardly any new usage since they were last scored. Return the other claims."""
    asked = [claim.account for claim in claims if not claim.is_forced]
    idle = set(asked) - accounts_with_outdated_assessment(asked, now=now)
    finish_scoring(lock_current_claims([claim for claim in claims if claim.account in idle]), now=now)
    return [claim for claim in claims if claim.account not in idle]


@retried_transaction
def _store_traits(usage_views: Sequence[UsageView], *, now: datetime) -> int:
    """Store what these accounts have in common with others. Return how many of them have changed."""
    return len(store_traits(usage_views, now=now))


@retried_transaction
def _write(
    claims: Sequence[ScoringClaim], drafts: Mapping[int, AssessmentDraft], *, now: datetime
) -> tuple[list[int], int]:
    """Store assessments, policy outcomes and cases.

    Return the policies that were evaluated, on how many assessments.
    """
    held = lock_current_claims(claims)
    assessments = write_assessments([drafts[claim.account] for claim in held], now=now)
    policies = evaluate_policies(assessments, staff_ceilings=get_staff_ceilings, now=now)
    due = {account: one.due_at for account, one in drafts.items() if one.due_at is not None}
    open_or_update_cases(assessments, due=due, now=now)
    finish_scoring(held, now=now)
    return policies, len(assessments)


def _govern(claims: Sequence[ScoringClaim], *, now: datetime, review_line: int) -> None:
    try:
        count_attempts(claims)
        if not (claims := _finish_idle(claims, now=now)):
            return
        accounts = [claim.account for claim in claims]
        compact_profiles(accounts)
        usage_views = load_usage(accounts, now=now)
        changed = _store_traits(usage_views, now=now)
        drafts = {
            draft.usage_view.account: draft for draft in assess_accounts(usage_views, now=now, review_line=review_line)
        }
        # Only here are rows locked, so that locks are held briefly.
        count_scorings(*_write(claims, drafts, now=now))
        # Not before they are scored: a search pools the scores of a group's members.
        if changed:
            count_changes(changed)
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
