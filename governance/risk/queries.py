"""Judging accounts, many at a time, and ranking them."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from django.db import connection

from accounts.queries import RegisterFacts, register_facts
from governance.risk.detectors import all_detectors
from governance.risk.policy import Response, due_at, response_to
from governance.risk.scoring import Score, assess
from governance.usage.account_usage import AccountFacts, AccountUsage
from governance.usage.profile.reading import usages
from governance.usage.queries import Window, profiles_in, windows


class Look(NamedTuple):
    """What is seen of an account by itself, without its neighbours."""

    account: int
    organisation: int | None
    window: Window
    usage: AccountUsage


class Judgement(NamedTuple):
    """What is thought of an account, before it is written down. `due_at` is set where the policy wants a case."""

    look: Look
    score: Score
    due_at: datetime | None


def look_at(accounts: Collection[int], *, now: datetime) -> list[Look]:
    """Look at these accounts as things stand at `now`: a handful of queries, however many accounts there are."""
    seen = windows(accounts, at=now)
    seen |= {pk: Window(now, now, 0) for pk in accounts if pk not in seen}
    register = register_facts(accounts, at=now)
    facts = {pk: _facts(register[pk], seen[pk]) for pk in accounts}
    used = usages(profiles_in(seen), facts)
    return [Look(pk, register[pk].organisation_id, seen[pk], used[pk]) for pk in accounts]


def judge(looks: Collection[Look], *, now: datetime) -> list[Judgement]:
    """Let every detector look at these accounts, beside those that share their templates."""
    sharing = accounts_sharing_templates([look.account for look in looks])
    return [_judgement(look, template_accounts=sharing.get(look.account, 0), now=now) for look in looks]


def _facts(known: RegisterFacts, window: Window) -> AccountFacts:
    return AccountFacts(
        created_at=known.created_at,
        plan=known.plan,
        declared_use=known.declared_use,
        country=known.country,
        email_domain=known.email_domain,
        licensed=known.licensed,
        total_events=window.events,
        card_accounts=known.others_on_card,
    )


def _judgement(look: Look, *, template_accounts: int, now: datetime) -> Judgement:
    facts = replace(look.usage.facts, template_accounts=template_accounts)
    score = assess(replace(look.usage, facts=facts), all_detectors())
    wants_case = response_to(score.points, licensed=facts.licensed) is Response.CASE
    return Judgement(look, score, due_at(score.points, opened_at=now) if wants_case else None)


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
