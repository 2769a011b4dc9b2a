"""Search for campaigns when enough has changed, and store what is found."""

import json
import uuid
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import connection
from django.db.models import F

from governance.campaigns.findings import campaign_findings, why_watched
from governance.campaigns.models import AccountSample, Campaign, CampaignMember, CampaignSearch
from governance.campaigns.population_store import load_population, sketches_of
from governance.campaigns.regrouping import load_rules, newest_rule
from governance.campaigns.search import FoundGroup, FoundMember, search_groups
from governance.detection.active_calibration import get_active_calibration
from governance.detection.detectors.against import acts_with_others
from governance.platform.locks import Lock, advisory_lock
from governance.platform.transactions import retried_transaction
from governance.usage.scoring_queue import request_rescore

# A search takes seconds per hundred thousand accounts: it waits until this share of them has changed, or so long.
SHARE_CHANGED: Final = 0.02
SEARCHED_EVERY: Final = timedelta(minutes=10)
# Members are scored again when the score of their campaign changes by this many points.
NEWS: Final = 5
# A member's ties are stored again when one of them, or how surely it belongs, has changed by this much.
MOVED: Final = 0.1


def count_changes(accounts: int) -> None:
    """Count so many accounts as changed since the last search."""
    if not CampaignSearch.objects.update(changed_accounts=F("changed_accounts") + accounts):
        CampaignSearch.objects.bulk_create([CampaignSearch(pk=1, changed_accounts=accounts)], ignore_conflicts=True)


def search_campaigns(*, now: datetime) -> int:
    """Search for campaigns if enough has changed since the last time. Return how many accounts must be scored again.

    One process searches at a time. It reads without a lock; what it found is stored in one short transaction.
    """
    changed = _changes_if_due(now=now)
    if not changed:
        return 0
    with advisory_lock(Lock.CAMPAIGN_SEARCH) as is_ours:
        if not is_ours or not _changes_if_due(now=now):
            return 0
        rule, rules = newest_rule(), load_rules()
        population, requests = load_population(now=now)
        found = search_groups(population, sketches_of(population), rules)
        return _store(found, requests, changed=changed, rule=rule, now=now)


def _changes_if_due(*, now: datetime) -> int:
    """Return how many accounts have changed since the last search if another is due, else 0."""
    search = CampaignSearch.objects.first()
    if search is None or not search.changed_accounts:
        return 0
    if search.searched_at is None or abs(now - search.searched_at) >= SEARCHED_EVERY:
        return search.changed_accounts
    return search.changed_accounts if search.changed_accounts >= SHARE_CHANGED * AccountSample.objects.count() else 0


@retried_transaction
def _store(found: Sequence[FoundGroup], requests: Mapping[int, int], *, changed: int, rule: int, now: datetime) -> int:
    """Store groups as campaigns and mark accounts for scoring that this changes. Return how many.

    Nothing is stored if somebody has merged or split campaigns since: the next search respects that.
    """
    current = CampaignMember.objects.filter(left_at=None).select_related("campaign").order_by("account_id", "pk")
    rows = [*current.select_for_update(of=("self",))]
    if newest_rule() != rule:
        return 0
    was = {row.account_id: row for row in rows if not row.left_out_because}
    known = {campaign.pk: campaign for campaign in Campaign.objects.alive()}
    kept = _match_campaigns([group.members for group in found], {one: row.campaign_id for one, row in was.items()})
    campaigns = [
        known.get(kept.get(place, uuid.uuid4()), Campaign(first_seen_at=now, size=0)) for place in range(len(found))
    ]
    news = _write_campaigns(known, campaigns, found, requests, now=now)
    affected = _write_members(was, campaigns, found, news, now=now)
    affected |= _write_left_out([row for row in rows if row.left_out_because], campaigns, found, news, now=now)
    CampaignSearch.objects.update(searched_at=now, changed_accounts=F("changed_accounts") - changed)
    request_rescore(affected, now=now)
    return len(affected)


def _match_campaigns(found: Sequence[Collection[int]], was_in: Mapping[int, uuid.UUID]) -> dict[int, uuid.UUID]:
    """Return the campaign of each group, by place: the one most of its members were in. Each campaign is used once."""
    overlaps = sorted(
        (-count, place, campaign)
        for place, members in enumerate(found)
        for campaign, count in Counter(was_in[account] for account in members if account in was_in).items()
    )
    kept: dict[int, uuid.UUID] = {}
    used: set[uuid.UUID] = set()
    for _, place, campaign in overlaps:
        if place not in kept and campaign not in used:
            kept[place] = campaign
            used.add(campaign)
    return kept


_ASSESSED: Final = (
    "state", "opened_at", "closed_at", "assessed_at", "size", "events", "score", "findings", "watched_because",
    "model_version",
)  # fmt: skip


def _write_campaigns(
    known: Mapping[uuid.UUID, Campaign],
    campaigns: Sequence[Campaign],
    found: Sequence[FoundGroup],
    requests: Mapping[int, int],
    *,
    now: datetime,
) -> set[uuid.UUID]:
    """Store campaigns, and close those without a group. Return those whose members must be scored again."""
    version = get_active_calibration().version
    news: set[uuid.UUID] = set()
    changed: list[Campaign] = []
    for campaign, group in zip(campaigns, found, strict=True):
        before = (campaign.state, campaign.score, campaign.size, campaign.findings, campaign.watched_because)
        events = sum(requests.get(account, 0) for account in group.members)
        _assess(campaign, group, events=events, version=version, now=now)
        is_open = campaign.state == Campaign.State.OPEN
        if campaign.state != before[0] or (is_open and abs(campaign.score - before[1]) >= NEWS):
            news.add(campaign.pk)
        if campaign.pk in known and before != (
            campaign.state, campaign.score, campaign.size, campaign.findings, campaign.watched_because
        ):  # fmt: skip
            changed.append(campaign)
    alive = {campaign.pk for campaign in campaigns}
    for ended in (campaign for pk, campaign in known.items() if pk not in alive):
        if ended.state == Campaign.State.OPEN:
            news.add(ended.pk)
        ended.size, ended.state, ended.closed_at = 0, Campaign.State.CLOSED, now
        changed.append(ended)
    Campaign.objects.bulk_create([campaign for campaign in campaigns if campaign.pk not in known])
    Campaign.objects.bulk_update(changed, _ASSESSED)
    return news


def _assess(campaign: Campaign, group: FoundGroup, *, events: int, version: str, now: datetime) -> None:
    """Set what the verdict on its group says of a campaign."""
    is_campaign = group.verdict.is_campaign
    campaign.state = Campaign.State.OPEN if is_campaign else Campaign.State.WATCHED
    campaign.opened_at = campaign.opened_at or (now if is_campaign else None)
    campaign.assessed_at, campaign.model_version = now, version
    campaign.size, campaign.events = len(group.members), events
    campaign.score = round(acts_with_others.WEIGHT * group.verdict.strength)
    campaign.findings = campaign_findings(group, points=campaign.score)
    campaign.watched_because = why_watched(group.verdict)


def _write_members(
    was: Mapping[int, CampaignMember],
    campaigns: Sequence[Campaign],
    found: Sequence[FoundGroup],
    news: Collection[uuid.UUID],
    *,
    now: datetime,
) -> set[int]:
    """Store who joined, moved and left. Return the accounts that must be scored again."""
    joined: list[CampaignMember] = []
    moved: list[CampaignMember] = []
    affected: set[int] = set()
    stayed: set[int] = set()
    for campaign, group in zip(campaigns, found, strict=True):
        for account, member in group.members.items():
            before = was.get(account)
            if before is None or before.campaign_id != campaign.pk:
                joined.append(_row(campaign, account, member, now=now))
                if campaign.state == Campaign.State.OPEN:
                    affected.add(account)
                continue
            stayed.add(account)
            if _has_moved(before, member):
                before.tied_to, before.strength, before.ties = member.tied_to, member.belongs, dict(member.ties)
                moved.append(before)
            if campaign.pk in news:
                affected.add(account)
    gone = [member for account, member in was.items() if account not in stayed]
    affected |= {member.account_id for member in gone if member.campaign.state == Campaign.State.OPEN}
    CampaignMember.objects.filter(pk__in=[member.pk for member in gone]).update(left_at=now)
    CampaignMember.objects.bulk_create(joined)
    _update_members(moved)
    return affected


def _write_left_out(
    rows: Sequence[CampaignMember],
    campaigns: Sequence[Campaign],
    found: Sequence[FoundGroup],
    news: Collection[uuid.UUID],
    *,
    now: datetime,
) -> set[int]:
    """Store who is near a campaign or a group and why it is left out. Return the accounts that must be scored again."""
    before = {(row.campaign_id, row.account_id): row for row in rows}
    new: list[CampaignMember] = []
    moved: list[CampaignMember] = []
    affected: set[int] = set()
    for campaign, group in zip(campaigns, found, strict=True):
        for account, (member, because) in group.left_out.items():
            row = before.pop((campaign.pk, account), None)
            is_news = row is None or campaign.pk in news or _has_moved(row, member)
            if row is None:
                new.append(_row(campaign, account, member, now=now, because=because))
            elif row.left_out_because != because or is_news:
                row.left_out_because, row.tied_to, row.ties = because, member.tied_to, dict(member.ties)
                moved.append(row)
            if is_news and "wrapper_of" in member.ties:
                affected.add(account)
    affected |= {row.account_id for row in before.values() if "wrapper_of" in row.ties}
    CampaignMember.objects.filter(pk__in=[row.pk for row in before.values()]).delete()
    CampaignMember.objects.bulk_create(new)
    CampaignMember.objects.bulk_update(moved, ["tied_to", "ties", "left_out_because"])
    return affected


def _has_moved(row: CampaignMember, member: FoundMember) -> bool:
    ties = {**dict.fromkeys(row.ties, 0.0), **member.ties}
    return abs(row.strength - member.belongs) >= MOVED or any(
        abs(share - row.ties.get(tie, 0.0)) >= MOVED for tie, share in ties.items()
    )


# What `bulk_update` does, in a tenth of its time.
_MOVE: Final = """
UPDATE campaigns_campaignmember AS member SET tied_to = moved.tied_to, strength = moved.strength, ties = moved.ties
FROM unnest(%s::bigint[], %s::int[], %s::float8[], %s::jsonb[]) AS moved (id, tied_to, strength, ties)
WHERE member.id = moved.id
"""


def _update_members(members: Sequence[CampaignMember]) -> None:
    if members:
        rows = [(member.pk, member.tied_to, member.strength, json.dumps(member.ties)) for member in members]
        with connection.cursor() as cursor:
            cursor.execute(_MOVE, [*map(list, zip(*rows, strict=True))])


def _row(campaign: Campaign, account: int, member: FoundMember, *, now: datetime, because: str = "") -> CampaignMember:
    return CampaignMember(
        campaign=campaign,
        account_id=account,
        joined_at=now,
        tied_to=member.tied_to,
        strength=member.belongs,
        ties=dict(member.ties),
        left_out_because=because,
    )
