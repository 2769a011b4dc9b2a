"""Campaigns as they are kept: which group is which campaign, who belongs to it, and what it shows."""

import json
import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import connection

from accounts.models import Account
from governance.campaigns.groups import Group, Member, groups
from governance.campaigns.linking import Seen, customers_known, reached, relink, remember_traits
from governance.campaigns.models import Campaign, CampaignMember
from governance.campaigns.pooled import look_together, pooled
from governance.detection.active_calibration import calibration_in_force
from governance.detection.detectors import all_detectors
from governance.detection.scoring import REVIEW_LINE, Score, assess
from governance.detection.serialization import measured_over, written
from governance.usage.account_usage import AccountFacts, CampaignFacts
from governance.usage.profiles.features import build_account_usages
from governance.usage.queries import ScoringWindow, load_profiles, scoring_windows

# A campaign's usage is added up again when it has grown by so much, so that what that costs grows with the logarithm
# of its usage.
GROWTH: Final = 1.2
ASSESSED_EVERY: Final = timedelta(hours=3)
# One that has fewer points is far from the line, and can wait longer, whoever comes and goes.
NEAR: Final = 30
GROWTH_FAR_OFF: Final = 1.6
# By how many points a campaign's score moves before its members are judged anew, whether they are at work or not.
NEWS: Final = 5
# How far a member's ties have moved before that is written down.
MOVED: Final = 0.1

LICENSED: Final = "Training on the answers is permitted to it."
WEAKLY_TIED: Final = "Its ties lead to {} of the members, but not nearly as strongly as theirs to each other."

# One at a time: two that meet in the same group would undo each other.
_LOCK: Final = 0x5711_1ACE


def link(seen: Sequence[Seen], *, now: datetime) -> set[int]:
    """Find out whom these accounts act with; answers with all accounts whose campaign shows something new by that.

    Runs in the caller's transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    moved = remember_traits(seen, now=now)
    touched: set[uuid.UUID] = set()
    if moved:
        relink(moved)
        around, ties = reached(moved | _members_beside(moved))
        licensed = set(Account.objects.training_permitted(at=now).filter(pk__in=around).values_list("pk", flat=True))
        touched = _settle(groups(ties, barred=licensed), around, licensed=licensed, now=now)
    return _assess_campaigns({one.account for one in seen}, changed=touched, now=now)


def _members_beside(accounts: Collection[int]) -> set[int]:
    """Those in campaigns with these accounts, whether ties still lead to them or not."""
    campaigns = CampaignMember.objects.current().filter(account__in=accounts).values("campaign")
    return set(CampaignMember.objects.current().filter(campaign__in=campaigns).values_list("account", flat=True))


def _settle(
    found: Sequence[Group], around: Collection[int], *, licensed: Collection[int], now: datetime
) -> set[uuid.UUID]:
    """Write the groups down as the campaigns they are; answers with those that have gained or lost members."""
    current = CampaignMember.objects.current().filter(account__in=around).select_related("campaign")
    was = {member.account_id: member for member in current}
    known = {member.campaign_id: member.campaign for member in was.values()}
    kept = _same([group.members for group in found], {account: member.campaign_id for account, member in was.items()})
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
    _move(moved)
    _leave_out(zip(campaigns, found, strict=True), touched, licensed=licensed, now=now)
    return touched


# What `bulk_update` does, in a tenth of its time.
_MOVE: Final = """
UPDATE campaigns_campaignmember AS member SET tied_to = moved.tied_to, strength = moved.strength, ties = moved.ties
FROM unnest(%s::bigint[], %s::int[], %s::float8[], %s::jsonb[]) AS moved (id, tied_to, strength, ties)
WHERE member.id = moved.id
"""


def _move(members: Sequence[CampaignMember]) -> None:
    if members:
        rows = [(member.pk, member.tied_to, member.strength, json.dumps(member.ties)) for member in members]
        with connection.cursor() as cursor:
            cursor.execute(_MOVE, [*map(list, zip(*rows, strict=True))])


def _same(found: Sequence[Collection[int]], was_in: Mapping[int, uuid.UUID]) -> dict[int, uuid.UUID]:
    """Which group is which campaign: the one most of its members were in, and each but once."""
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


def _row(campaign: Campaign, account: int, member: Member, *, now: datetime, because: str = "") -> CampaignMember:
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
    """The campaigns themselves: new ones, new sizes, and those of which nothing is left."""
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
    """Add up the usage of campaigns that have changed, or grown while these accounts were at work; who is concerned."""
    alive = Campaign.objects.alive()
    at_work = CampaignMember.objects.current().filter(account__in=accounts).values("campaign")
    concerned = alive.filter(pk__in=changed) | alive.filter(pk__in=at_work, assessed_at__lte=now - ASSESSED_EVERY)
    campaigns = {campaign.pk: campaign for campaign in concerned}
    rows = CampaignMember.objects.current().filter(campaign__in=campaigns)
    members = {member.account_id: member for member in rows}
    seen = scoring_windows(members, at=now)
    events, measured = Counter[uuid.UUID](), Counter[uuid.UUID]()
    for account, window in seen.items():
        events[members[account].campaign_id] += window.events
        measured[members[account].campaign_id] += 1
    calibration = calibration_in_force()
    due = [
        campaign
        for pk, campaign in campaigns.items()
        if campaign.assessed_at is None
        or campaign.model_version != calibration.version
        or (pk in changed and campaign.score >= NEAR)
        or events[pk] >= (GROWTH if campaign.score >= NEAR else GROWTH_FAR_OFF) * campaign.events
    ]
    scores = _scores(due, members.values(), seen)
    shows_something_new: set[uuid.UUID] = set()
    for campaign in due:
        pk = campaign.pk
        moved = _take(campaign, scores.get(pk), accounts=measured[pk], events=events[pk], now=now)
        if moved or (campaign.pk in changed and campaign.state == Campaign.State.OPEN):
            shows_something_new.add(campaign.pk)
    Campaign.objects.bulk_update(
        due, ["assessed_at", "events", "score", "findings", "model_version", "state", "opened_at"]
    )
    return {member.account_id for member in members.values() if member.campaign_id in shows_something_new}


def _scores(
    due: Sequence[Campaign], members: Iterable[CampaignMember], seen: Mapping[int, ScoringWindow]
) -> dict[uuid.UUID, Score]:
    """What the usage of each of these campaigns shows, added up as if it were one account's."""
    number = {campaign.pk: place for place, campaign in enumerate(due)}
    group_of = {
        member.account_id: number[member.campaign_id]
        for member in members
        if member.campaign_id in number and member.account_id in seen
    }
    belongs: dict[int, list[CampaignMember]] = {}
    for member in members:
        if member.campaign_id in number:
            belongs.setdefault(number[member.campaign_id], []).append(member)
    rows = load_profiles({account: seen[account] for account in group_of})
    # All of a group have its wrappers, as all who run a public evaluation have: what tells them is how they set it.
    customers = customers_known()
    facts = {
        place: AccountFacts(campaign=_facts(whole), template_accounts=len(whole), customers_known=customers)
        for place, whole in belongs.items()
    }
    used = build_account_usages(pooled(rows, group_of), facts)
    detectors, calibration = look_together(all_detectors()), calibration_in_force()
    return {campaign.pk: assess(used[number[campaign.pk]], detectors, calibration) for campaign in due}


def _facts(members: Sequence[CampaignMember]) -> CampaignFacts:
    """A campaign as its members have it in common."""
    ties = Counter[str]()
    for member in members:
        ties.update(member.ties)
    return CampaignFacts(
        members=len(members),
        tied_to=round(sum(member.tied_to for member in members) / len(members)),
        belongs=sum(member.strength for member in members) / len(members),
        ties={tie: total / len(members) for tie, total in ties.items()},
    )


def _take(campaign: Campaign, score: Score | None, *, accounts: int, events: int, now: datetime) -> bool:
    """Write a score into its campaign, measured over so many accounts; whether it says something new of its members."""
    if score is None:
        return False
    before, moved = campaign.state, abs(campaign.score - score.points) >= NEWS
    campaign.assessed_at, campaign.events, campaign.model_version = now, events, score.model_version
    campaign.score, campaign.findings = score.points, measured_over(written(score), accounts)
    shows_harvest = score.points >= REVIEW_LINE
    if shows_harvest and campaign.state == Campaign.State.WATCHED:
        campaign.state, campaign.opened_at = Campaign.State.OPEN, campaign.opened_at or now
    elif not shows_harvest and campaign.state == Campaign.State.OPEN:
        campaign.state = Campaign.State.WATCHED
    return campaign.state != before or (moved and campaign.state == Campaign.State.OPEN)
