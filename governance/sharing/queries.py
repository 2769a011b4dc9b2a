"""What of a campaign leaves to a partner, and what the pages show."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import Count, Q, QuerySet

from governance.campaigns.models import Campaign
from governance.detection.indicator_kinds import NOUNS, IndicatorKind
from governance.detection.models import PartnerMatch
from governance.sharing.keys import newest_key
from governance.sharing.models import Indicator, Partner, Share, Tlp
from governance.sharing.patterns import Pattern, parse_pattern
from governance.sharing.stix import OutgoingShare, SharedPattern, make_objects
from governance.sharing.values import FoundValues, find_shareable_values

KEYED = frozenset({IndicatorKind.CARD, IndicatorKind.DOMAIN})


class LeavingValue(NamedTuple):
    """A value as it is known here and as it leaves, with the number of accounts that it fits."""

    kind: IndicatorKind
    here: str
    leaves: str
    accounts: int

    @property
    def noun(self) -> str:
        return NOUNS[self.kind][0]


class SharePreview(NamedTuple):
    """Everything that would leave: `objects` are the STIX objects, about these `accounts`, by primary key."""

    accounts: Sequence[int]
    values: Sequence[LeavingValue]
    objects: Sequence[Mapping[str, Any]]

    @property
    def counts(self) -> dict[str, int]:
        """How many values of each kind, by the noun in the right form."""
        counted = Counter(value.kind for value in self.values)
        return {NOUNS[kind][number != 1]: number for kind, number in counted.items()}


def preview_share(campaign: Campaign, partner: Partner, *, tlp: Tlp, now: datetime) -> SharePreview:
    """Return what would leave to the partner. Raises DecryptionError."""
    found = find_shareable_values(campaign, now=now)
    values = _leaving(found, partner)
    if not values:
        return SharePreview(found.accounts, [], [])
    retracted = Share.objects.filter(campaign=campaign, partner=partner, state=Share.State.RETRACTED).count()
    share = OutgoingShare(
        settings.AUDIT_ORIGIN, partner.pk, campaign.pk, retracted, tlp, len(found.accounts), campaign.first_seen_at
    )
    patterns = [SharedPattern(Pattern(value.kind, value.leaves), value.accounts) for value in values]
    return SharePreview(found.accounts, values, make_objects(share, patterns, now=now))


class SharedValue(NamedTuple):
    """A pattern as a partner reads it, and how many accounts it fits."""

    kind: IndicatorKind
    pattern: str
    accounts: int

    @property
    def noun(self) -> str:
        return NOUNS[self.kind][0]


def list_values(objects: Sequence[Mapping[str, Any]]) -> list[SharedValue]:
    """The indicators among the STIX objects of a share, each with its sighting."""
    seen = {one["sighting_of_ref"]: one["count"] for one in objects if one["type"] == "sighting"}
    return [
        SharedValue(parse_pattern(one["pattern"]).kind, one["pattern"], seen[one["id"]])
        for one in objects
        if one["type"] == "indicator"
    ]


def list_patterns(objects: Sequence[Mapping[str, Any]]) -> list[str]:
    """The patterns of the indicators among STIX objects."""
    return [one["pattern"] for one in objects if one["type"] == "indicator"]


def _leaving(found: FoundValues, partner: Partner) -> list[LeavingValue]:
    key = newest_key(partner)
    return [
        LeavingValue(kind, value, key.digest(kind.value, value) if kind in KEYED else value, accounts)
        for kind, value, accounts in found.values
    ]


def list_partners(*, now: datetime) -> QuerySet[Partner]:
    """Every partner with how many of its indicators are in force, and how many objects it can read."""
    live = Q(indicators__revoked_at=None, indicators__valid_from__lte=now, indicators__valid_until__gt=now)
    return Partner.objects.annotate(
        live_indicators=Count("indicators", filter=live, distinct=True),
        released=Count("shares", filter=Q(shares__state=Share.State.RELEASED), distinct=True),
    ).order_by("name")


def list_receivers(*, now: datetime) -> QuerySet[Partner]:
    """Those to whom something may be proposed."""
    return Partner.objects.usable(at=now).filter(receives=True).order_by("name")


def list_shares(campaign: Campaign) -> QuerySet[Share]:
    people = ("partner", "proposed_by", "decided_by", "retracted_by")
    return Share.objects.filter(campaign=campaign).select_related(*people).order_by("-proposed_at", "pk")


def list_shares_of_partner(partner: Partner, *, most: int) -> QuerySet[Share]:
    shares = Share.objects.filter(partner=partner).select_related("campaign", "proposed_by", "decided_by")
    return shares.order_by("-proposed_at", "pk")[:most]


def list_shares_of_let_in() -> QuerySet[Share]:
    """Those that still name accounts which were let in again."""
    released = Share.objects.filter(state=Share.State.RELEASED, let_in__gt=0)
    return released.select_related("partner").order_by("decided_at", "pk")


def list_open_proposals() -> QuerySet[Share]:
    """Those that wait for a second person."""
    waiting = Share.objects.filter(state=Share.State.PROPOSED).select_related("partner", "proposed_by")
    return waiting.order_by("proposed_at", "pk")


def count_matches(partner: Partner) -> int:
    """How many accounts its indicators fit."""
    return PartnerMatch.objects.filter(partner=partner.name).values("account").distinct().count()


def list_indicators(partner: Partner, *, most: int) -> QuerySet[Indicator]:
    return Indicator.objects.filter(partner=partner).order_by("-received_at", "pk")[:most]
