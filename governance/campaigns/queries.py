"""Judging accounts, many at a time, and ranking them."""

import uuid
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.db import connection

from accounts.queries import RegisterFacts, register_facts
from governance.campaigns.linking import PublicShare, customers_known, peers, public_shares
from governance.campaigns.models import Campaign, CampaignMember
from governance.campaigns.traits import Kind, SignUp
from governance.detection.active_calibration import calibration_in_force
from governance.detection.corpora import recognise
from governance.detection.detectors import all_detectors
from governance.detection.finding import Finding
from governance.detection.scoring import REVIEW_LINE, Score, assess
from governance.detection.serialization import shared_with
from governance.detection.thresholds import Response, due_at, response_to
from governance.usage.account_usage import AccountFacts, AccountUsage, CampaignFacts
from governance.usage.profiles.content import STEADY_USES
from governance.usage.profiles.features import build_account_usages
from governance.usage.queries import ScoringWindow, load_profiles, scoring_windows

# By how much an account's usage has grown before it is looked at again, unless that was long ago.
WORTH_A_LOOK: Final = 0.05
LOOKED_AT_EVERY: Final = timedelta(hours=6)


class Look(NamedTuple):
    """What is seen of an account by itself, without its neighbours."""

    account: int
    organisation: int | None
    sign_up: SignUp
    window: ScoringWindow
    usage: AccountUsage


class Judgement(NamedTuple):
    """What is thought of an account, before it is written down. `due_at` is set where the policy wants a case."""

    look: Look
    score: Score
    campaign: uuid.UUID | None
    due_at: datetime | None


def worth_a_look(accounts: Collection[int], *, now: datetime) -> set[int]:
    """Those that have sent a twentieth more since they were last assessed, or that were so hours ago, or never."""
    seen = scoring_windows(accounts, at=now)
    with connection.cursor() as cursor:
        cursor.execute(_LAST_ASSESSED, [list(accounts)])
        last = {account: (events, confirmed_at) for account, events, confirmed_at in cursor.fetchall()}
    return {
        account
        for account in accounts
        if account not in last
        or account not in seen
        or abs(seen[account].events - last[account][0]) >= WORTH_A_LOOK * last[account][0]
        or now - last[account][1] >= LOOKED_AT_EVERY
    }


_LAST_ASSESSED: Final = """
SELECT asked.account_id, latest.events, latest.confirmed_at
FROM unnest(%s::bigint[]) AS asked (account_id), LATERAL (
    SELECT events, confirmed_at FROM detection_assessment AS one WHERE one.account_id = asked.account_id
    ORDER BY assessed_at DESC, id DESC LIMIT 1
) AS latest
"""


def accounts_with_changed_licences(*, now: datetime) -> list[int]:
    """Those whose latest assessment saw a licence to train that is not in force now, or none where one is.

    Without those that wait to be scored anyway.
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


def look_at(accounts: Collection[int], *, now: datetime) -> list[Look]:
    """Look at these accounts as things stand at `now`: a handful of queries, however many accounts there are."""
    seen = scoring_windows(accounts, at=now)
    seen |= {pk: ScoringWindow(now, now, 0) for pk in accounts if pk not in seen}
    register = register_facts(accounts, at=now)
    facts = {pk: _facts(register[pk], seen[pk]) for pk in accounts}
    used = build_account_usages(load_profiles(seen), facts, peers=peers())
    return [Look(pk, register[pk].organisation_id, _sign_up(register[pk]), seen[pk], used[pk]) for pk in accounts]


class Context(NamedTuple):
    """An account beside the others: what is known of it besides its usage, and what its campaign shows."""

    look: Look
    usage: AccountUsage
    member: CampaignMember | None
    shared: list[Finding]


def in_context(looks: Collection[Look]) -> list[Context]:
    """Lay these accounts beside those that share their templates, their prompts, their campaigns."""
    accounts = [look.account for look in looks]
    sharing, campaigns, public = accounts_sharing_templates(accounts), campaigns_of(accounts), public_shares(accounts)
    known = customers_known()
    recognised = recognise({look.account: look.usage.shingles for look in looks})
    found = []
    for look in looks:
        member = campaigns.get(look.account)
        shared = PublicShare() if member else public.get(look.account, PublicShare())
        facts = replace(
            look.usage.facts,
            template_accounts=sharing.get(look.account, 0),
            customers_known=known,
            **recognised.get(look.account, {}),
            public_share=shared.share,
            public_prompts=shared.prompts,
            campaign=_belonging(member) if member else None,
        )
        found.append(Context(look, replace(look.usage, facts=facts), member, _shared(member) if member else []))
    return found


def judge(looks: Collection[Look], *, now: datetime, review_line: int = REVIEW_LINE) -> list[Judgement]:
    """Let every detector look at these accounts, and say what follows."""
    calibration = calibration_in_force()
    judgements = []
    for look, usage, member, shared in in_context(looks):
        score = assess(usage, all_detectors(), calibration, shared=shared)
        wants_case = response_to(score.points, licensed=usage.facts.licensed, review_line=review_line) is Response.CASE
        due = due_at(score.points, opened_at=now) if wants_case else None
        judgements.append(Judgement(look, score, member.campaign_id if member else None, due))
    return judgements


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


def _sign_up(known: RegisterFacts) -> SignUp:
    return SignUp(card=known.payment_fingerprint, address=known.signup_ip)


def campaigns_of(accounts: Collection[int]) -> dict[int, CampaignMember]:
    """How each of these accounts belongs to an open campaign, where it does."""
    rows = CampaignMember.objects.current().filter(account__in=accounts, campaign__state=Campaign.State.OPEN)
    return {member.account_id: member for member in rows.select_related("campaign")}


def _belonging(member: CampaignMember) -> CampaignFacts:
    return CampaignFacts(
        members=member.campaign.size, tied_to=member.tied_to, belongs=member.strength, ties=member.ties
    )


def _shared(member: CampaignMember) -> list[Finding]:
    return shared_with(member.campaign.findings, members=member.campaign.size, belongs=member.strength)


def accounts_sharing_templates(accounts: Collection[int]) -> Mapping[int, int]:
    """How many accounts of other organisations use one of the templates that each of these accounts uses much."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT mine.account_id, count(DISTINCT other.account_id)
            FROM campaigns_accounttrait AS mine JOIN campaigns_accounttrait AS other USING (kind, digest)
            WHERE mine.account_id = ANY(%(accounts)s) AND mine.kind = %(template)s
              AND mine.uses >= %(steady)s AND other.uses >= %(steady)s AND other.account_id <> mine.account_id
              AND (other.organisation IS DISTINCT FROM mine.organisation OR mine.organisation IS NULL)
            GROUP BY mine.account_id
            """,
            {"accounts": list(accounts), "template": Kind.TEMPLATE.value, "steady": STEADY_USES},
        )
        return dict(cursor.fetchall())


class Place(NamedTuple):
    """An account in the ranking.

    `flagged`: it has been put into the queue, `first_flagged_at` for the first time; `campaign` is the open one it
    belongs to.
    """

    account: str
    score: int
    flagged: bool
    first_flagged_at: datetime | None
    campaign: str | None


def ranking() -> Iterator[Place]:
    """Every account by its latest score, the highest first."""
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
            yield Place(*row)
