"""Merge and split campaigns by hand. The search respects it from then on: see by_hand.py."""

import uuid
from collections.abc import Collection
from datetime import datetime

from django.db.models import F

from governance.audit.actions import audit_log_lock, record
from governance.audit.actor import Actor
from governance.audit.verbs import Verb
from governance.campaigns.hand_made_rules import Belonging, HandMadeRule
from governance.campaigns.models import Campaign, CampaignMember, CampaignRule, CampaignRuleAccount, CampaignSearch
from governance.platform.notifications import enqueue_on_commit
from governance.platform.transactions import retried_transaction
from governance.privacy.holds import extend_holds, hold_lock
from governance.usage.scoring_queue import request_rescore


class RegroupingError(Exception):
    """Says why campaigns cannot be merged or split so."""


@retried_transaction
def merge_campaigns(into: Campaign, other: Campaign, *, reason: str, by: Actor, now: datetime) -> Campaign:
    """Move the members of `other` to `into`, and close `other`. Return `into` as it is now.

    Raises RegroupingError where they are the same, or one of them is closed.
    """
    hold_lock()  # before the rows, as what deletes them does
    locked = {one.pk: one for one in _lock({into.pk, other.pk})}
    if len(locked) < 2:
        raise RegroupingError("Choose another campaign that is not closed.")
    kept, closed = locked[into.pk], locked[other.pk]
    members = _current(kept, closed)
    moved = [member for member in members if member.campaign_id == closed.pk]
    _move(moved, kept, now=now)
    extend_holds(closed.pk, to=kept.pk, by=by, now=now)
    kept.size, closed.size = len(members), 0
    closed.state, closed.closed_at = Campaign.State.CLOSED, now
    kept.events, closed.events = kept.events + closed.events, 0
    _save([kept, closed])
    accounts = [member.account_id for member in members]
    _search_soon(accounts, now=now)
    _store_rule(Belonging.TOGETHER, accounts, reason=reason, by=by, now=now)
    details = {"other": str(closed.pk), "accounts": _names(moved), "reason": reason}
    record(Verb.CAMPAIGN_MERGED, subject=("campaign", str(kept.pk)), by=by, now=now, details=details)
    return kept


@retried_transaction
def split_campaign(campaign: Campaign, accounts: Collection[int], *, reason: str, by: Actor, now: datetime) -> Campaign:
    """Move these members to a campaign of their own, which is judged by itself with the next search. Return it.

    Raises RegroupingError where none of them or all of them are members, or the campaign is closed.
    """
    hold_lock()  # before the rows, as what deletes them does
    locked = _lock({campaign.pk})
    if not locked:
        raise RegroupingError("This campaign is closed.")
    kept = locked[0]
    members = _current(kept)
    moved = [member for member in members if member.account_id in accounts]
    stay = [member.account_id for member in members if member.account_id not in accounts]
    if not moved or not stay:
        raise RegroupingError("Tick some of the members, but not all.")
    new = Campaign.objects.create(
        state=kept.state,
        first_seen_at=now,
        opened_at=now if kept.opened_at else None,
        assessed_at=kept.assessed_at,
        size=len(moved),
        score=kept.score,
        watched_because=kept.watched_because,
        model_version=kept.model_version,
    )
    _move(moved, new, now=now)
    extend_holds(kept.pk, to=new.pk, by=by, now=now)
    # What was said of both together is said of neither: the next search says it of each, within a minute.
    kept.size, kept.findings = len(stay), []
    new.events = kept.events * len(moved) // len(members)
    kept.events -= new.events
    _save([kept, new])
    own = [member.account_id for member in moved]
    _search_soon([*own, *stay], now=now)
    _store_rule(Belonging.APART, own, stay, reason=reason, by=by, now=now)
    details = {"into": str(new.pk), "accounts": _names(moved), "reason": reason}
    record(Verb.CAMPAIGN_SPLIT, subject=("campaign", str(kept.pk)), by=by, now=now, details=details)
    return new


def load_rules() -> list[HandMadeRule]:
    """Return the rules in the order in which they were made."""
    sides: dict[int, tuple[set[int], set[int]]] = {}
    for rule, account, is_other in CampaignRuleAccount.objects.values_list("rule", "account", "is_other"):
        sides.setdefault(rule, (set(), set()))[is_other].add(account)
    rows = CampaignRule.objects.order_by("pk").values_list("pk", "belonging")
    return [HandMadeRule(Belonging(belonging), *map(frozenset, sides.get(pk, ((), ())))) for pk, belonging in rows]


def newest_rule() -> int:
    """Return the number of the newest rule, 0 where there is none: a search that began before it stores nothing."""
    return CampaignRule.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def _lock(pks: Collection[uuid.UUID]) -> list[Campaign]:
    """Lock these campaigns and their members, as the search does, and return those that are not closed."""
    members = CampaignMember.objects.filter(campaign__in=pks, left_at=None).order_by("account_id", "pk")
    list(members.select_for_update().values_list("pk"))
    return list(Campaign.objects.alive().select_for_update().filter(pk__in=pks).order_by("pk"))


def _current(*campaigns: Campaign) -> list[CampaignMember]:
    current = CampaignMember.objects.current().filter(campaign__in=campaigns).select_related("account")
    return list(current.order_by("account__external_id"))


def _move(members: Collection[CampaignMember], campaign: Campaign, *, now: datetime) -> None:
    CampaignMember.objects.filter(pk__in=[member.pk for member in members]).update(left_at=now)
    CampaignMember.objects.bulk_create(
        CampaignMember(
            campaign=campaign,
            account_id=member.account_id,
            joined_at=now,
            tied_to=member.tied_to,
            strength=member.strength,
            ties=member.ties,
        )
        for member in members
    )


def _save(campaigns: Collection[Campaign]) -> None:
    Campaign.objects.bulk_update(campaigns, ["size", "state", "closed_at", "events", "findings"])


def _store_rule(
    belonging: Belonging,
    accounts: Collection[int],
    others: Collection[int] = (),
    *,
    reason: str,
    by: Actor,
    now: datetime,
) -> None:
    audit_log_lock()  # rules are numbered in the order in which they count
    rule = CampaignRule.objects.create(belonging=belonging, reason=reason, made_at=now, made_by=str(by))
    CampaignRuleAccount.objects.bulk_create(
        CampaignRuleAccount(rule=rule, account_id=account, is_other=is_other)
        for some, is_other in ((accounts, False), (others, True))
        for account in some
    )


def _search_soon(accounts: Collection[int], *, now: datetime) -> None:
    """Let the next worker search at once, and score the accounts anew."""
    CampaignSearch.objects.get_or_create(pk=1)
    CampaignSearch.objects.update(searched_at=None, changed_accounts=F("changed_accounts") + len(accounts))
    request_rescore(accounts, now=now)
    enqueue_on_commit("governance.tasks.score_dirty_accounts")


def _names(members: Collection[CampaignMember]) -> list[str]:
    return [member.account.external_id for member in members]
