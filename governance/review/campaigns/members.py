"""The members of a campaign as its page lists them, sorted and filtered, and which of them are ticked."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection
from django.db.models import TextChoices

from accounts.models import Account
from governance.campaigns.models import Campaign, CampaignMember
from governance.detection.finding import Family
from governance.restrictions.queries import find_strongest_kinds
from governance.review.campaign_panel import NAMED_FROM

# Listed at first, and at most: a form has a field for each, and at most 1,000.
MEMBERS_LISTED: Final = 100
MOST_LISTED: Final = 900


class MemberSort(TextChoices):
    """The order of the table; what is equal is in the order of ids."""

    SCORE = "score", "Score"
    FITS = "fits", "Traffic that fits"
    EVENTS = "events", "Requests"
    JOINED = "joined", "Joined last"
    ACCOUNT = "account", "Account"


class MemberTie(TextChoices):
    """What a member has in common with others."""

    WRAPPERS = "wrappers", "Same words"
    HOURS = "hours", "Same ten minutes"
    ADDRESSES = "addresses", "Same addresses"
    CARD = "card", "Same card"


class InitialTicks(TextChoices):
    """Which members are ticked to begin with."""

    PROPOSED = "", "As proposed"
    ALL = "all", "All"
    NONE = "none", "None"


@dataclass(frozen=True, slots=True)
class MemberFilter:
    text: str = ""
    tie: str = ""
    sort: MemberSort = MemberSort.SCORE
    is_long: bool = False
    ticked: InitialTicks = InitialTicks.PROPOSED


@dataclass(slots=True)
class MemberOfCampaign:
    """A member with its newest assessment: `finding` is the strongest of its own, which it would have without the
    others. `kind` is the strongest restriction in force, `fits` the share of its
    traffic that is in the words of the group or, of a group found by its hours, in its hours.
    """

    account: Account
    membership: int
    joined_at: datetime
    ties: Mapping[str, float]
    tied_to: int
    score: int = 0
    band: str = "low"
    events: int = 0
    finding: str = ""
    kind: str = ""
    is_new: bool = False
    is_left_out: bool = False
    is_ticked: bool = True

    @property
    def names(self) -> str:
        """What a search looks in."""
        return f"{self.account.external_id} {self.account.organisation or ''}"

    @property
    def tie_names(self) -> list[str]:
        """What it has in common with others, the strongest first; a weak tie is not named."""
        strongest_first = sorted(self.ties.items(), key=lambda tie: (-tie[1], tie[0]))
        named = [name for name, strength in strongest_first if name in MemberTie and strength >= NAMED_FROM]
        return [MemberTie(name).label for name in named]

    @property
    def fits(self) -> float:
        return campaign_traffic_share(self.ties)


def campaign_traffic_share(ties: Mapping[str, float]) -> float:
    """Return the share of a member's traffic that carries the evidence of its campaign."""
    return ties.get("wrappers") or ties.get("hours") or 0.0


def campaign_share_of_members_traffic(members: Collection[tuple[float, int]]) -> float:
    """Return the share of the requests of several members, given as their shares and requests."""
    events = sum(number for _, number in members)
    return sum(share * number for share, number in members) / events if events else 0.0


_NEWEST: Final = """
SELECT member.account_id, newest.score, newest.band, newest.events, (
    SELECT finding->>'title' FROM jsonb_array_elements(newest.findings) AS finding
    WHERE (finding->>'points')::float > 0 AND finding->>'family' <> %s
      AND coalesce(finding->'evidence'->>'campaign_wide', 'false') = 'false'
    ORDER BY (finding->>'points')::float DESC LIMIT 1
)
FROM campaigns_campaignmember AS member, LATERAL (
    SELECT score, band, events, findings FROM detection_assessment WHERE account_id = member.account_id
    ORDER BY assessed_at DESC, id DESC LIMIT 1
) AS newest
WHERE member.campaign_id = %s AND member.left_at IS NULL AND member.left_out_because = ''
"""


def load_members(campaign: Campaign, *, now: datetime) -> list[MemberOfCampaign]:
    """Return the current members, in the order of their accounts' ids. Three queries."""
    current = CampaignMember.objects.current().filter(campaign=campaign).select_related("account__organisation")
    rows = list(current.order_by("account__external_id"))
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST, [Family.TOGETHER.value, campaign.pk])
        newest: dict[int, Sequence[Any]] = {account: rest for account, *rest in cursor.fetchall()}
    kinds = find_strongest_kinds([row.account for row in rows], now=now)
    members = []
    for row in rows:
        member = MemberOfCampaign(
            row.account, row.pk, row.joined_at, row.ties, row.tied_to, kind=kinds.get(row.account_id, "")
        )
        if (seen := newest.get(row.account_id)) is not None:
            member.score, member.band, member.events, member.finding = *seen[:3], seen[3] or ""
        members.append(member)
    return members


def mark_members(
    members: Sequence[MemberOfCampaign],
    *,
    decided: Collection[int],
    left_out: Collection[int],
    chosen: Collection[int] | None,
    which: InitialTicks,
) -> None:
    """Set which members are new, which were left out, and which are ticked.

    Where the campaign was decided about before, those who joined since are proposed; where nobody did, all but those
    who were left out.

    Args:
        decided: of which accounts decisions about this campaign say something.
        left_out: those that the last decision left out, be it about a campaign that they were in before.
        chosen: what somebody has ticked already; None if nobody has yet.
    """
    any_new = bool(decided) and any(member.account.pk not in decided for member in members)
    for member in members:
        member.is_new = bool(decided) and member.account.pk not in decided
        member.is_left_out = member.account.pk in left_out
        proposed = member.is_new if any_new else not member.is_left_out
        ticked = {InitialTicks.ALL: True, InitialTicks.NONE: False}.get(which, proposed)
        member.is_ticked = ticked if chosen is None else member.account.pk in chosen


def list_members(members: Sequence[MemberOfCampaign], member_filter: MemberFilter) -> list[MemberOfCampaign]:
    """Return the members that fit the filter, in its order."""
    text, tie = member_filter.text.lower(), member_filter.tie
    found = [one for one in members if text in one.names.lower() and (not tie or one.ties.get(tie, 0.0) > 0)]
    match member_filter.sort:
        case MemberSort.ACCOUNT:
            return found
        case MemberSort.JOINED:
            return sorted(found, key=lambda member: member.joined_at, reverse=True)
        case MemberSort.EVENTS:
            return sorted(found, key=lambda member: -member.events)
        case MemberSort.FITS:
            return sorted(found, key=lambda member: -member.fits)
        case _:
            return sorted(found, key=lambda member: -member.score)
