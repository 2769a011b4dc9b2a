"""What the demonstration's staff has left for whoever looks at it: cases on hold, asked about and doubted."""

from datetime import datetime, timedelta
from typing import Final

from governance.demo.behaviours.building import EVALUATION_HARNESS
from governance.demo.behaviours.resembling import EXERCISE_PUBLISHER
from governance.demo.team import Team
from governance.demo.world import World
from governance.detection.models import Assessment
from governance.investigation.actions import watch
from governance.review.holding import escalate, hold
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
WATCHED: Final = "Asked for a higher limit twice this month. Nothing speaks against them yet."
VIEW: Final = ("Free, due soonest first", "view=unclaimed&sort=due")


def leave_work(world: World, team: Team, *, now: datetime) -> None:
    """Leave something of everything, in the hours after `now`, a day before the world ends. Campaigns are left alone.

    Fewer than three cases that wait are left as they are.
    """
    mira, ines, tomas = team.reviewers
    _open_look_alike(world, team, now=now + timedelta(hours=1))
    waiting = Case.objects.waiting().not_held(at=now).filter(campaign=None, opened_at__lte=now)
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
    found = _scored(world, EVALUATION_HARNESS.name)
    clearest = min(found, key=lambda one: (-_strength(one, EVALUATION_HARNESS.name), one.account.external_id))
    open_case_by_hand(clearest.account, reason=OPENED, by=team.reviewers[2], now=now)


def _watch_somebody(world: World, team: Team, *, now: datetime) -> None:
    found = _scored(world, EXERCISE_PUBLISHER.name)
    highest = min(found, key=lambda one: (-one.score, one.account.external_id))
    watch(highest.account, reason=WATCHED, by=team.reviewers[1], now=now)


def _scored(world: World, kind: str) -> list[Assessment]:
    """Return the newest assessments of the customers of a kind."""
    own = [name for name, label in world.labels.items() if label == kind]
    every = Assessment.objects.filter(account__external_id__in=own).select_related("account")
    return list(every.order_by("account_id", "-assessed_at", "-pk").distinct("account_id"))


def _strength(assessment: Assessment, detector: str) -> float:
    return next((float(one["strength"]) for one in assessment.findings if one["detector"] == detector), 0.0)
