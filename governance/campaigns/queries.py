"""Load and assess the usage of many accounts at a time, and rank accounts."""

import uuid
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.db import connection

from accounts.queries import RegisterFacts, register_facts
from governance.campaigns.answer_store import find_answers_of_others
from governance.campaigns.models import Campaign, CampaignMember
from governance.campaigns.trait_store import (
    PublicShare,
    count_comparable_accounts,
    load_peer_groups,
    load_public_shares,
)
from governance.campaigns.traits import SignUpFacts, TraitKind
from governance.detection.active_calibration import get_active_calibration
from governance.detection.corpora import recognise_corpora
from governance.detection.detectors import all_detectors
from governance.detection.partner_matches import find_partner_matches
from governance.detection.queries import get_due_targets
from governance.detection.scoring import REVIEW_LINE, Score, assess
from governance.detection.thresholds import Response, due_at, response_to
from governance.usage.account_usage import AccountFacts, AccountUsage, CampaignFacts
from governance.usage.profiles.content import STEADY_USES
from governance.usage.profiles.features import build_account_usages
from governance.usage.queries import ScoringWindow, get_scoring_windows, load_profiles

# An account is scored again when its usage has grown by this share, or this long after it was last scored.
MIN_GROWTH: Final = 0.05
RESCORE_AFTER: Final = timedelta(hours=6)


class UsageView(NamedTuple):
    """The usage of one account, without what it has in common with others."""

    account: int
    organisation: int | None
    sign_up: SignUpFacts
    window: ScoringWindow
    usage: AccountUsage


class AssessmentDraft(NamedTuple):
    """An assessment that is not stored yet. `due_at` is set if a case must be opened."""

    usage_view: UsageView
    score: Score
    campaign: uuid.UUID | None
    due_at: datetime | None


def accounts_with_outdated_assessment(accounts: Collection[int], *, now: datetime) -> set[int]:
    """Return the accounts whose usage changed by a twentieth, or last assessed six hours ago or more, or never."""
    usage_windows = get_scoring_windows(accounts, at=now)
    with connection.cursor() as cursor:
        cursor.execute(_LAST_ASSESSED, [list(accounts)])
        last = {account: (events, confirmed_at) for account, events, confirmed_at in cursor.fetchall()}
    return {
        account
        for account in accounts
        if account not in last
        or account not in usage_windows
        or abs(usage_windows[account].events - last[account][0]) >= MIN_GROWTH * last[account][0]
        or now - last[account][1] >= RESCORE_AFTER
    }


_LAST_ASSESSED: Final = """
SELECT asked.account_id, latest.events, latest.confirmed_at
FROM unnest(%s::bigint[]) AS asked (account_id), LATERAL (
    SELECT events, confirmed_at FROM detection_assessment AS one WHERE one.account_id = asked.account_id
    ORDER BY assessed_at DESC, id DESC LIMIT 1
) AS latest
"""


def accounts_with_changed_licences(*, now: datetime) -> list[int]:
    """Return the accounts whose licence to train has begun or ended since their latest assessment.

    Those already waiting to be scored are left out.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CHANGED_LICENCES, {"now": now})
        return [account for (account,) in cursor.fetchall()]


_CHANGED_LICENCES: Final = """
SELECT account_id FROM (
    SELECT account_id,
           bool_or(training_permitted AND starts_at <= %(now)s AND (ends_at IS NULL OR ends_at > %(now)s)) AS licensed
    FROM accounts_licence GROUP BY account_id
) AS register, LATERAL (
    SELECT licensed FROM detection_assessment AS one WHERE one.account_id = register.account_id
    ORDER BY assessed_at DESC, id DESC LIMIT 1
) AS latest
WHERE latest.licensed <> register.licensed
  AND NOT EXISTS (
    SELECT FROM usage_dirtyaccount AS dirty WHERE dirty.account_id = register.account_id AND dirty.is_forced
  )
"""


def load_usage(accounts: Collection[int], *, now: datetime) -> list[UsageView]:
    """Return the usage of these accounts as of `now`.

    The number of queries does not depend on the number of accounts.
    """
    usage_windows = get_scoring_windows(accounts, at=now)
    usage_windows |= {pk: ScoringWindow(now, now, 0) for pk in accounts if pk not in usage_windows}
    register = register_facts(accounts, at=now)
    facts = {pk: _facts(register[pk], usage_windows[pk]) for pk in accounts}
    used = build_account_usages(load_profiles(usage_windows), facts, peers=load_peer_groups())
    return [
        UsageView(pk, register[pk].organisation_id, _sign_up(register[pk]), usage_windows[pk], used[pk])
        for pk in accounts
    ]


class AccountContext(NamedTuple):
    """An account's usage with what it has in common with others, and its membership of an open campaign."""

    usage_view: UsageView
    usage: AccountUsage
    member: CampaignMember | None


def load_context(usage_views: Collection[UsageView]) -> list[AccountContext]:
    """Add to these accounts' usage what they share with others: templates, prompts, answers, corpora, campaigns."""
    accounts = [view.account for view in usage_views]
    sharing, campaigns, near, public = (
        count_accounts_sharing_wrappers(accounts),
        open_memberships(accounts),
        nearest_campaigns(accounts),
        load_public_shares(accounts),
    )
    known = count_comparable_accounts()
    answers = find_answers_of_others(usage_views)
    named_by = find_partner_matches(accounts)
    recognised = recognise_corpora({view.account: view.usage.shingles for view in usage_views})
    found = []
    for view in usage_views:
        member = campaigns.get(view.account)
        shared = PublicShare() if member else public.get(view.account, PublicShare())
        facts = replace(
            view.usage.facts,
            template_accounts=sharing.get(view.account, 0),
            customers_known=known,
            **recognised.get(view.account, {}),
            **answers.get(view.account, {}),
            public_share=shared.share,
            public_prompts=shared.prompts,
            named_by=named_by.get(view.account, ()),
            campaign=_belonging(member) if member else None,
            near_campaign=_belonging(near[view.account]) if view.account in near and not member else None,
        )
        found.append(AccountContext(view, replace(view.usage, facts=facts), member))
    return found


def assess_accounts(
    usage_views: Collection[UsageView], *, now: datetime, review_line: int = REVIEW_LINE
) -> list[AssessmentDraft]:
    """Score these accounts. Return an assessment for each, not stored yet."""
    calibration, due_after = get_active_calibration(), get_due_targets()
    drafts = []
    for view, usage, member in load_context(usage_views):
        score = assess(usage, all_detectors(), calibration)
        wants_case = response_to(score.points, licensed=usage.facts.licensed, review_line=review_line) is Response.CASE
        due = due_at(score.points, opened_at=now, due_after=due_after) if wants_case else None
        drafts.append(AssessmentDraft(view, score, member.campaign_id if member else None, due))
    return drafts


def _facts(known: RegisterFacts, window: ScoringWindow) -> AccountFacts:
    return AccountFacts(
        created_at=known.created_at,
        plan=known.plan,
        declared_use=known.declared_use,
        country=known.country,
        email_domain=known.email_domain,
        licensed=known.licensed,
        licence_ended_at=known.licence_ended_at,
        total_events=window.events,
        card_accounts=known.others_on_card,
    )


def _sign_up(known: RegisterFacts) -> SignUpFacts:
    return SignUpFacts(card=known.payment_fingerprint, address=known.signup_ip)


def open_memberships(accounts: Collection[int]) -> dict[int, CampaignMember]:
    """Return the memberships of these accounts in open campaigns, by account."""
    rows = CampaignMember.objects.current().filter(account__in=accounts, campaign__state=Campaign.State.OPEN)
    return {member.account_id: member for member in rows.select_related("campaign")}


def nearest_campaigns(accounts: Collection[int]) -> dict[int, CampaignMember]:
    """Return, by account, how each of these accounts is near the open campaign whose wrappers it uses most."""
    rows = CampaignMember.objects.left_out().filter(account__in=accounts, campaign__state=Campaign.State.OPEN)
    near = [row for row in rows.select_related("campaign") if "wrapper_of" in row.ties]
    return {row.account_id: row for row in sorted(near, key=lambda row: (row.ties["wrapper_of"], row.pk))}


def _belonging(member: CampaignMember) -> CampaignFacts:
    figures = member.campaign.findings[0]["evidence"] if member.campaign.findings else {}
    return CampaignFacts(
        members=member.campaign.size,
        organisations=figures.get("organisations", 0),
        tied_to=member.tied_to,
        belongs=member.strength,
        counts=member.campaign.findings[0]["strength"] if member.campaign.findings else 0.0,
        ties=member.ties,
    )


def count_accounts_sharing_wrappers(accounts: Collection[int]) -> Mapping[int, int]:
    """Return how many accounts of other organisations open prompts in words in which each account opens many."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT mine.account_id, count(DISTINCT other.account_id)
            FROM campaigns_accounttrait AS mine JOIN campaigns_accounttrait AS other USING (kind, digest)
            WHERE mine.account_id = ANY(%(accounts)s) AND mine.kind = %(opening)s
              AND mine.uses >= %(steady)s AND other.uses >= %(steady)s AND other.account_id <> mine.account_id
              AND (other.organisation IS DISTINCT FROM mine.organisation OR mine.organisation IS NULL)
            GROUP BY mine.account_id
            """,
            {"accounts": list(accounts), "opening": TraitKind.OPENING.value, "steady": STEADY_USES},
        )
        return dict(cursor.fetchall())


class RankedAccount(NamedTuple):
    """An account in the ranking.

    `flagged`: it has been put into the queue, `first_flagged_at` for the first time; `campaign` is the open one it
    belongs to.
    """

    account: str
    score: int
    flagged: bool
    first_flagged_at: datetime | None
    campaign: str | None


def account_ranking() -> Iterator[RankedAccount]:
    """Yield every account with its latest score, the highest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT account.external_id, coalesce(latest.score, 0), flagged.first IS NOT NULL, flagged.first,
                   campaign.id::text
            FROM accounts_account AS account
            LEFT JOIN LATERAL (
                SELECT score FROM detection_assessment WHERE account_id = account.id
                ORDER BY assessed_at DESC, id DESC LIMIT 1
            ) AS latest ON true
            LEFT JOIN (
                SELECT account_id, min(assessed_at) AS first FROM detection_assessment
                WHERE response = 'case' GROUP BY account_id
            ) AS flagged ON flagged.account_id = account.id
            LEFT JOIN campaigns_campaignmember AS member
                ON member.account_id = account.id AND member.left_at IS NULL AND member.left_out_because = ''
            LEFT JOIN campaigns_campaign AS campaign ON campaign.id = member.campaign_id AND campaign.state = 'open'
            ORDER BY 2 DESC, 1
            """
        )
        for row in cursor.fetchall():
            yield RankedAccount(*row)
