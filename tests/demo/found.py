"""What is found in a demonstration that was played, by the kinds of its cast."""

from collections import Counter
from collections.abc import Iterable

from governance.campaigns.models import Campaign
from governance.demo.behaviours.hiding import REASONING_RING, TASK_RING
from governance.demo.cast import HARVEST
from governance.detection.models import Assessment
from governance.detection.scoring import REVIEW_LINE
from governance.review.models import Case
from tests.demo.playing import Played

RINGS = {REASONING_RING.name: 12, TASK_RING.name: 8}
SINGLE_HARVESTS = HARVEST - set(RINGS)


def kinds_in(made: Played, campaign: Campaign) -> Counter[str]:
    return kinds_of(made, campaign.members.current().values_list("account__external_id", flat=True))


def kinds_waiting(made: Played) -> Counter[str]:
    """Of the accounts with an open case, be it part of that of a campaign."""
    cases = Case.objects.filter(status=Case.Status.OPEN, campaign=None)
    return kinds_of(made, cases.values_list("account__external_id", flat=True))


def kinds_of(made: Played, accounts: Iterable[str]) -> Counter[str]:
    return Counter(made.labels[account] for account in accounts)


def kinds_at_the_review_line(made: Played) -> set[str]:
    reached = Assessment.objects.filter(score__gte=REVIEW_LINE).values_list("account__external_id", flat=True)
    return {made.labels[account] for account in reached}


def assert_both_rings_are_campaigns(made: Played) -> None:
    """Each ring is one campaign with almost all of its accounts, and nobody else is in any."""
    found = [kinds_in(made, campaign) for campaign in Campaign.objects.filter(state=Campaign.State.OPEN)]

    assert len(found) == len(RINGS)
    for ring, accounts in RINGS.items():
        campaign = next(kinds for kinds in found if ring in kinds)
        assert accounts - 1 <= campaign[ring] <= accounts
        assert set(campaign) == {ring}


def assert_look_alikes_are_watched(made: Played) -> None:
    """Customers of one template or tool are a group for a reason that is shown; one institution is none."""
    watched = [*Campaign.objects.filter(state=Campaign.State.WATCHED)]

    kinds = {kind for campaign in watched for kind in kinds_in(made, campaign)}
    assert kinds
    assert not kinds & (HARVEST | {"university"})
    assert {campaign.watched_because for campaign in watched} == {
        "Its members' prompts, taken together, do not read like a harvest."
    }
