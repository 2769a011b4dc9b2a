"""Store campaigns: match groups to campaigns, keep their members, and assess their usage."""

import json
import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import connection

from accounts.models import Account
from governance.campaigns.groups import Group, GroupMember, find_groups
from governance.campaigns.link_store import connected_accounts, recompute_links
from governance.campaigns.models import Campaign, CampaignMember
from governance.campaigns.pooling import detectors_for_groups, pool_profiles
from governance.campaigns.trait_store import TraitSource, count_comparable_accounts, store_traits
from governance.detection.active_calibration import get_active_calibration
from governance.detection.detectors import all_detectors
from governance.detection.scoring import REVIEW_LINE, Score, assess
from governance.detection.serialization import serialize_findings, with_account_count
from governance.platform.locks import Lock, lock_until_commit
from governance.usage.account_usage import AccountFacts, CampaignFacts
from governance.usage.profiles.features import build_account_usages
from governance.usage.queries import ScoringWindow, get_scoring_windows, load_profiles

# A campaign is assessed again when its usage has grown by this factor, so the cost grows with the logarithm of usage.
GROWTH: Final = 1.2
ASSESSED_EVERY: Final = timedelta(hours=3)
# A campaign with fewer points is far from the review line: it waits for more growth, whether members change or not.
NEAR: Final = 30
GROWTH_FAR_OFF: Final = 1.6
# Members are scored again, active or not, when the score of their campaign changes by this many points.
NEWS: Final = 5
# A member's strength is stored again when it has changed by this much.
MOVED: Final = 0.1

LICENSED: Final = "A licence permits training on the answers."
WEAKLY_TIED: Final = "Linked to {} of the members, but much more weakly than they are to each other."


def update_campaigns(views: Sequence[TraitSource], *, now: datetime) -> set[int]:
    """Update traits, links and campaigns after new usage of these accounts. Return the accounts to be scored again.

    Those are the members of campaigns that opened, closed or changed. Runs in the caller's transaction and holds the
    lock of campaigns until it ends.
    """
    # Two runs that reach the same group would overwrite each other.
    lock_until_commit(Lock.CAMPAIGN_LINKS)
    moved = store_traits(views, now=now)
    touched: set[uuid.UUID] = set()
    if moved:
        recompute_links(moved)
        around, ties = connected_accounts(moved | _members_beside(moved))
        licensed = set(Account.objects.training_permitted(at=now).filter(pk__in=around).values_list("pk", flat=True))
        touched = _store_groups(find_groups(ties, barred=licensed), around, licensed=licensed, now=now)
    return _assess_campaigns({one.account for one in views}, changed=touched, now=now)


def _members_beside(accounts: Collection[int]) -> set[int]:
    """Return the current members of the campaigns of these accounts, whether still linked or not."""
    campaigns = CampaignMember.objects.current().filter(account__in=accounts).values("campaign")
    return set(CampaignMember.objects.current().filter(campaign__in=campaigns).values_list("account", flat=True))


def _store_groups(
    found: Sequence[Group], around: Collection[int], *, licensed: Collection[int], now: datetime
) -> set[uuid.UUID]:
    """Store groups as campaigns. Return the campaigns that have gained or lost members."""
    current = CampaignMember.objects.current().filter(account__in=around).select_related("campaign")
    was = {member.account_id: member for member in current}
    known = {member.campaign_id: member.campaign for member in was.values()}
    kept = _match_campaigns(
        [group.members for group in found], {account: member.campaign_id for account, member in was.items()}
    )
    campaigns = [
        known[kept[place]] if place in kept else Campaign(first_seen_at=now, size=0) for place in range(len(found))
    ]
    joined: list[CampaignMember] = []
    moved: list[CampaignMember] = []
    stayed: set[int] = set()
    for campaign, group in zip(campaigns, found, strict=True):
        for account, member in group.members.items():
            before = was.get(account)
            if before is None or before.campaign_id != campaign.pk:
                joined.append(_row(campaign, account, member, now=now))
                continue
            stayed.add(account)
            if abs(before.strength - member.strength) >= MOVED:
                before.tied_to, before.strength, before.ties = member.tied_to, member.strength, dict(member.ties)
                moved.append(before)
    gone = [member for account, member in was.items() if account not in stayed]
    touched = {row.campaign_id for row in (*joined, *gone)}
    _write(known, campaigns, found, touched, now=now)
    CampaignMember.objects.filter(pk__in=[member.pk for member in gone]).update(left_at=now)
    CampaignMember.objects.bulk_create(joined)
    _update_members(moved)
    _leave_out(zip(campaigns, found, strict=True), touched, licensed=licensed, now=now)
    return touched


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


def _match_campaigns(found: Sequence[Collection[int]], was_in: Mapping[int, uuid.UUID]) -> dict[int, uuid.UUID]:
    """Return the campaign of each group, by place: the one most of its members were in. Each campaign is used once."""
    overlaps = sorted(
        (-count, place, campaign)
        for place, members in enumerate(found)
        for campaign, count in Counter(was_in[account] for account in members if account in was_in).items()
    )
    kept: dict[int, uuid.UUID] = {}
    for _, place, campaign in overlaps:
        if place not in kept and campaign not in kept.values():
            kept[place] = campaign
    return kept


def _row(campaign: Campaign, account: int, member: GroupMember, *, now: datetime, because: str = "") -> CampaignMember:
    return CampaignMember(
        campaign=campaign,
        account_id=account,
        joined_at=now,
        tied_to=member.tied_to,
        strength=member.strength,
        ties=dict(member.ties),
        left_out_because=because,
    )


def _write(
    known: Mapping[uuid.UUID, Campaign],
    campaigns: Sequence[Campaign],
    found: Sequence[Group],
    touched: Collection[uuid.UUID],
    *,
    now: datetime,
) -> None:
    """Store new campaigns and new sizes, and close campaigns without a group."""
    new = [campaign for campaign in campaigns if campaign.pk not in known]
    for campaign, group in zip(campaigns, found, strict=True):
        campaign.size = len(group.members)
    ended = [campaign for pk, campaign in known.items() if pk not in {one.pk for one in campaigns}]
    for campaign in ended:
        campaign.size, campaign.state, campaign.closed_at = 0, Campaign.State.CLOSED, now
    Campaign.objects.bulk_create(new)
    changed = [*ended, *(one for one in campaigns if one.pk in known and one.pk in touched)]
    Campaign.objects.bulk_update(changed, ["size", "state", "closed_at"])


def _leave_out(
    settled: Iterable[tuple[Campaign, Group]],
    touched: Collection[uuid.UUID],
    *,
    licensed: Collection[int],
    now: datetime,
) -> None:
    CampaignMember.objects.left_out().filter(campaign__in=touched).delete()
    CampaignMember.objects.bulk_create(
        _row(
            campaign,
            account,
            member,
            now=now,
            because=LICENSED if account in licensed else WEAKLY_TIED.format(member.tied_to),
        )
        for campaign, group in settled
        if campaign.pk in touched
        for account, member in group.left_out.items()
    )


def _assess_campaigns(accounts: Collection[int], *, changed: Collection[uuid.UUID], now: datetime) -> set[int]:
    """Assess the campaigns that changed, and those of these accounts that have grown.

    Return the accounts to score again.
    """
    alive = Campaign.objects.alive()
    at_work = CampaignMember.objects.current().filter(account__in=accounts).values("campaign")
    concerned = alive.filter(pk__in=changed) | alive.filter(pk__in=at_work, assessed_at__lte=now - ASSESSED_EVERY)
    campaigns = {campaign.pk: campaign for campaign in concerned}
    rows = CampaignMember.objects.current().filter(campaign__in=campaigns)
    members = {member.account_id: member for member in rows}
    usage_windows = get_scoring_windows(members, at=now)
    events, measured = Counter[uuid.UUID](), Counter[uuid.UUID]()
    for account, window in usage_windows.items():
        events[members[account].campaign_id] += window.events
        measured[members[account].campaign_id] += 1
    calibration = get_active_calibration()
    due = [
        campaign
        for pk, campaign in campaigns.items()
        if campaign.assessed_at is None
        or campaign.model_version != calibration.version
        or (pk in changed and campaign.score >= NEAR)
        or events[pk] >= (GROWTH if campaign.score >= NEAR else GROWTH_FAR_OFF) * campaign.events
    ]
    scores = _scores(due, members.values(), usage_windows)
    shows_something_new: set[uuid.UUID] = set()
    for campaign in due:
        pk = campaign.pk
        moved = _set_score(campaign, scores.get(pk), accounts=measured[pk], events=events[pk], now=now)
        if moved or (campaign.pk in changed and campaign.state == Campaign.State.OPEN):
            shows_something_new.add(campaign.pk)
    Campaign.objects.bulk_update(
        due, ["assessed_at", "events", "score", "findings", "model_version", "state", "opened_at"]
    )
    return {member.account_id for member in members.values() if member.campaign_id in shows_something_new}


def _scores(
    due: Sequence[Campaign], members: Iterable[CampaignMember], usage_windows: Mapping[int, ScoringWindow]
) -> dict[uuid.UUID, Score]:
    """Return the score of each campaign's usage, added up as if it were one account's."""
    number = {campaign.pk: place for place, campaign in enumerate(due)}
    group_of = {
        member.account_id: number[member.campaign_id]
        for member in members
        if member.campaign_id in number and member.account_id in usage_windows
    }
    belongs: dict[int, list[CampaignMember]] = {}
    for member in members:
        if member.campaign_id in number:
            belongs.setdefault(number[member.campaign_id], []).append(member)
    rows = load_profiles({account: usage_windows[account] for account in group_of})
    # Members share wrappers, as customers who run the same public evaluation do; their settings tell them apart.
    customers = count_comparable_accounts()
    facts = {
        place: AccountFacts(campaign=_facts(whole), template_accounts=len(whole), customers_known=customers)
        for place, whole in belongs.items()
    }
    used = build_account_usages(pool_profiles(rows, group_of), facts)
    detectors, calibration = detectors_for_groups(all_detectors()), get_active_calibration()
    return {campaign.pk: assess(used[number[campaign.pk]], detectors, calibration) for campaign in due}


def _facts(members: Sequence[CampaignMember]) -> CampaignFacts:
    """Return the means over the members of a campaign, as facts about one account."""
    ties = Counter[str]()
    for member in members:
        ties.update(member.ties)
    return CampaignFacts(
        members=len(members),
        tied_to=round(sum(member.tied_to for member in members) / len(members)),
        belongs=sum(member.strength for member in members) / len(members),
        ties={tie: total / len(members) for tie, total in ties.items()},
    )


def _set_score(campaign: Campaign, score: Score | None, *, accounts: int, events: int, now: datetime) -> bool:
    """Set a campaign's score, measured over this many accounts. Return True if its members must be scored again."""
    if score is None:
        return False
    before, moved = campaign.state, abs(campaign.score - score.points) >= NEWS
    campaign.assessed_at, campaign.events, campaign.model_version = now, events, score.model_version
    campaign.score, campaign.findings = score.points, with_account_count(serialize_findings(score), accounts)
    shows_harvest = score.points >= REVIEW_LINE
    if shows_harvest and campaign.state == Campaign.State.WATCHED:
        campaign.state, campaign.opened_at = Campaign.State.OPEN, campaign.opened_at or now
    elif not shows_harvest and campaign.state == Campaign.State.OPEN:
        campaign.state = Campaign.State.WATCHED
    return campaign.state != before or (moved and campaign.state == Campaign.State.OPEN)
