"""Judging accounts, many at a time, and ranking them."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from django.db import connection

from accounts.queries import RegisterFacts, register_facts
from governance.risk.detectors import all_detectors
from governance.risk.policy import Response, due_at, response_to
from governance.risk.scoring import Score, assess
from governance.usage.profile import AccountFacts, AccountUsage, usages
from governance.usage.queries import Window, newest_events, windows


class Judgement(NamedTuple):
    """What is thought of an account, before it is written down. `due_at` is set where the policy wants a case."""

    account: int
    organisation: int | None
    licensed: bool
    window: Window
    usage: AccountUsage
    score: Score
    due_at: datetime | None


def judge(accounts: Collection[int], *, now: datetime) -> dict[int, Judgement]:
    """Look at these accounts as things stand at `now`: a handful of queries, however many accounts there are.

    Templates of accounts in the same batch are seen as the last scoring left them; the next one catches up.
    """
    looked_at = windows(accounts, at=now)
    looked_at |= {pk: Window(now, now, 0) for pk in accounts if pk not in looked_at}
    register = register_facts(accounts, at=now)
    sharing = accounts_sharing_templates(accounts)
    facts = {pk: _facts(register[pk], looked_at[pk], sharing.get(pk, 0)) for pk in accounts}
    seen = usages(newest_events(looked_at), facts)
    return {pk: _judgement(pk, register[pk], looked_at[pk], seen[pk], now=now) for pk in accounts}


def _facts(known: RegisterFacts, window: Window, template_accounts: int) -> AccountFacts:
    return AccountFacts(
        created_at=known.created_at,
        plan=known.plan,
        declared_use=known.declared_use,
        country=known.country,
        email_domain=known.email_domain,
        licensed=known.licensed,
        total_events=window.events,
        card_accounts=known.others_on_card,
        template_accounts=template_accounts,
    )


def _judgement(pk: int, known: RegisterFacts, window: Window, usage: AccountUsage, *, now: datetime) -> Judgement:
    score = assess(usage, all_detectors())
    wants_case = response_to(score.points, licensed=known.licensed) is Response.CASE
    return Judgement(
        account=pk,
        organisation=known.organisation_id,
        licensed=known.licensed,
        window=window,
        usage=usage,
        score=score,
        due_at=due_at(score.points, opened_at=now) if wants_case else None,
    )


def accounts_sharing_templates(accounts: Collection[int]) -> Mapping[int, int]:
    """How many accounts of other organisations use one of the templates that each of these accounts uses much."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT mine.account_id, count(DISTINCT other.account_id)
            FROM risk_templateuse AS mine JOIN risk_templateuse AS other USING (template_digest)
            WHERE mine.account_id = ANY(%s) AND other.account_id <> mine.account_id
              AND (other.organisation IS DISTINCT FROM mine.organisation OR mine.organisation IS NULL)
            GROUP BY mine.account_id
            """,
            [list(accounts)],
        )
        return dict(cursor.fetchall())


class Place(NamedTuple):
    """An account in the ranking. `flagged`: it would be in the queue; `first_flagged_at`: when that was first so."""

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
            SELECT account.external_id, coalesce(latest.score, 0), coalesce(latest.response = 'case', false),
                   flagged.first
            FROM accounts_account AS account
            LEFT JOIN LATERAL (
                SELECT score, response FROM risk_assessment WHERE account_id = account.id
                ORDER BY assessed_at DESC, id DESC LIMIT 1
            ) AS latest ON true
            LEFT JOIN (
                SELECT account_id, min(assessed_at) AS first FROM risk_assessment
                WHERE response = 'case' GROUP BY account_id
            ) AS flagged ON flagged.account_id = account.id
            ORDER BY 2 DESC, 1
            """
        )
        for account, score, flagged, first in cursor.fetchall():
            yield Place(account, score, flagged, first if flagged else None, campaign=None)
