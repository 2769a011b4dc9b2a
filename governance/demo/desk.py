"""What the demonstration's staff has left for those who look at it: cases on hold, asked about and doubted."""

from datetime import datetime, timedelta
from typing import Final

from governance.demo.behaviours.building import EVALUATION_HARNESS
from governance.demo.behaviours.resembling import EXERCISE_PUBLISHER, EXPLAINER_SITE
from governance.demo.customer import CustomerKind
from governance.demo.team import Team
from governance.demo.world import World
from governance.detection.models import Assessment
from governance.investigation.actions import watch
from governance.review.holding import assign, escalate, hold
from governance.review.inbox import add_note_with_mentions
from governance.review.models import Case
from governance.review.opening_by_hand import open_case_by_hand
from governance.review.saved_views import save_view

OPENED: Final = (
    "Sales asked: a whole list of questions, one after the other, and nobody reads the answers. A harvest too?"
)
HELD: Final = "The customer's account manager is back tomorrow and knows what they build."
ASKED: Final = (
    "They signed up through a reseller of ours. Do we write to the reseller first, or decide as for anybody else?"
)
NOTED: Final = (
    "@mira this one asks much like the customer whom we blocked last week. Could you compare the two before "
    "anybody decides?"
)
KNOWN: Final = "You know the others of them. More accounts have joined since we decided."
WATCHED: Final = "Asked for a higher limit twice this month. Nothing speaks against them yet."
VIEW: Final = ("Free, due soonest first", "view=unclaimed&sort=due")


def leave_work(world: World, team: Team, *, now: datetime) -> None:
    """Leave something of everything, in the hours after `now`, a day before the world ends.

    Campaigns that nobody has decided about are left alone, and so are fewer than three cases that wait.
    """
    mira, ines, tomas = team.reviewers
    _open_look_alike(world, team, now=now + timedelta(hours=1))
    for known in Case.objects.waiting().filter(campaign__decisions__isnull=False).distinct():
        assign(known, to=ines, because=KNOWN, by=team.lead, now=now + timedelta(hours=1))
    waiting = Case.objects.waiting().not_held(at=now).filter(opened_at__lte=now, account__external_id__in=world.labels)
    strongest = list(waiting.order_by("-score", "due_at", "account__external_id")[:3])
    if len(strongest) == 3:
        held, asked, noted = strongest
        tomorrow = (world.ends_at + timedelta(days=1)).replace(hour=9, minute=0)
        hold(held, until=tomorrow, because=HELD, by=tomas, now=now + timedelta(hours=2))
        escalate(asked, because=ASKED, by=mira, now=now + timedelta(hours=3))
        add_note_with_mentions(noted, text=NOTED, by=ines, now=now + timedelta(hours=4))
    name, query = VIEW
    save_view(name, query=query, is_shared=True, by=team.lead, now=now + timedelta(hours=5))
    _watch_somebody(world, team, now=now + timedelta(hours=6))


def _open_look_alike(world: World, team: Team, *, now: datetime) -> None:
    """Have a case about a customer who runs a public evaluation: what reviewers learn to dismiss."""
    found = _scored(world, EVALUATION_HARNESS)
    told = [one for one in found if any(finding["detector"] == EVALUATION_HARNESS.name for finding in one.findings)]
    open_case_by_hand(_highest(told or found).account, reason=OPENED, by=team.reviewers[2], now=now)


def _watch_somebody(world: World, team: Team, *, now: datetime) -> None:
    free = [one for one in _scored(world, EXERCISE_PUBLISHER, EXPLAINER_SITE) if not one.account.cases.exists()]
    if free:
        watch(_highest(free).account, reason=WATCHED, by=team.reviewers[1], now=now)


def _highest(found: list[Assessment]) -> Assessment:
    return min(found, key=lambda one: (-one.score, one.account.external_id))


def _scored(world: World, *kinds: CustomerKind) -> list[Assessment]:
    """Return the newest assessments of the customers of these kinds."""
    names = {kind.name for kind in kinds}
    own = [account for account, label in world.labels.items() if label in names]
    every = Assessment.objects.filter(account__external_id__in=own).select_related("account")
    return list(every.order_by("account_id", "-assessed_at", "-pk").distinct("account_id"))
