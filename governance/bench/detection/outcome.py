"""The outcome of a backtest: whom it flagged, how early, and which campaigns it found."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from statistics import median
from typing import NamedTuple

from governance.bench.detection.measures import Share
from governance.bench.detection.world import LabelledWorld
from governance.campaigns.queries import RankedAccount


class FlagShares(NamedTuple):
    """Shares of accounts that were put before a reviewer. `worst` is the family of others most of which were."""

    harvests: Share
    others: Share
    worst: tuple[str, Share]
    automatic_others: int


class DetectionTimes(NamedTuple):
    """Requests an account could make before its flag, of harvests that no campaign holds, and of campaigns' members."""

    alone: float
    members: float


class CampaignMatch(NamedTuple):
    """A true campaign and the group that was found in its place.

    `harvested` is the share of its requests before half of its members were flagged; `floor` the share before half of
    them had sent anything, below which nobody can come.
    """

    name: str
    members: int
    recall: float
    purity: float
    harvested: float
    floor: float


def flag_shares(world: LabelledWorld, places: Mapping[str, RankedAccount], *, automatic_line: int) -> FlagShares:
    hit: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for account, label in world.labels.items():
        hit[label.label, label.family].append(places[account].flagged)
    benign = {family: Share(sum(some), len(some)) for (label, family), some in hit.items() if label == "benign"}
    harvests = [flag for (label, _), some in hit.items() if label == "malicious" for flag in some]
    automatic = sum(
        places[account].score >= automatic_line for account, one in world.labels.items() if one.label == "benign"
    )
    worst = max(benign.items(), key=lambda item: (item[1].value, item[1].hits))
    others = Share(sum(one.hits for one in benign.values()), sum(one.of for one in benign.values()))
    return FlagShares(Share(sum(harvests), len(harvests)), others, worst, automatic)


def detection_times(world: LabelledWorld, places: Mapping[str, RankedAccount]) -> DetectionTimes:
    """Return medians over accounts; one that was never flagged could make all of its requests."""
    counts: dict[bool, list[int]] = {True: [], False: []}
    for account, label in world.labels.items():
        if label.label == "malicious":
            counts[label.campaign is not None].append(_before(world.sent[account].at, places[account].first_flagged_at))
    return DetectionTimes(*(median(counts[member]) if counts[member] else 0.0 for member in (False, True)))


def match_campaigns(world: LabelledWorld, places: Mapping[str, RankedAccount]) -> list[CampaignMatch]:
    true: dict[str, list[str]] = defaultdict(list)
    predicted: dict[str, set[str]] = defaultdict(set)
    for account, label in world.labels.items():
        if label.campaign:
            true[label.campaign].append(account)
        if campaign := places[account].campaign:
            predicted[campaign].add(account)
    return [
        _match_campaign(world, places, name, members, [*predicted.values()]) for name, members in sorted(true.items())
    ]


def _match_campaign(
    world: LabelledWorld,
    places: Mapping[str, RankedAccount],
    name: str,
    members: Sequence[str],
    predicted: Sequence[set[str]],
) -> CampaignMatch:
    best = max(predicted, key=lambda group: len(group & set(members)), default=set[str]())
    common = len(best & set(members))
    times = sorted(at for account in members for at in world.sent[account].at)
    flagged = sorted(at for account in members if (at := places[account].first_flagged_at) is not None)
    begun = sorted(sent.at[0] for account in members if (sent := world.sent[account]).at)
    half = len(members) // 2
    return CampaignMatch(
        name,
        len(members),
        common / len(members),
        common / len(best) if common else 0.0,
        _before(times, flagged[half]) / len(times) if len(flagged) > half else 1.0,
        _before(times, begun[half]) / len(times) if len(begun) > half else 1.0,
    )


def _before(times: Sequence[datetime], end: datetime | None) -> int:
    return len(times) if end is None else sum(at <= end for at in times)
