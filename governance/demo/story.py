"""Plays the demonstration world through Stillwatch day by day, as if the past weeks had been lived.

Usage comes in through the ordinary intake, accounts are scored at the end of each day, and the demonstration's
staff decides some of the cases as they come due. Nothing here writes a row by itself.
"""

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any, NamedTuple

from governance import pipeline
from governance.campaigns.models import CampaignMember
from governance.demo.behaviours.hiding import SLOW_RING, TASK_RING
from governance.demo.cast import HARVEST
from governance.demo.desk import leave_work
from governance.demo.gateways import DemoGateways, report_instances, report_refusals
from governance.demo.history import days_of_history, play_history
from governance.demo.intake import denying_restriction_by_account, events_by_day, ingest_events, register_world
from governance.demo.past import former_customers
from governance.demo.team import Team
from governance.demo.verdicts import GUILTY, GUILTY_TOGETHER, INNOCENT, SUSPECT
from governance.demo.world import World
from governance.overview.actions import measure_overview
from governance.review.actions import add_note, decide
from governance.review.models import Case
from governance.review.verdicts import Ticks, Verdict
from governance.staff.models import User

# What is younger than this at the end is left to the people who look at the demonstration.
LEFT_OPEN = timedelta(days=2)
SHARE_DECIDED, SHARE_DECIDED_ONCE_DUE = 0.2, 0.65
DAY = timedelta(days=1)
RINGS = {SLOW_RING.name, TASK_RING.name}


class DayProgress(NamedTuple):
    """A day that was played, in words, and the events it brought."""

    day: str
    events: int


class PlannedDecision(NamedTuple):
    """A decision that somebody is to make."""

    at: datetime
    case: Case
    verdict: Verdict
    decision_id: uuid.UUID
    by: User


class Demonstration:
    """A world, the customers who were there before, and the people and gateways that deal with them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.before = former_customers(ends_at=world.ends_at, before=world.starts_at)
        self.stopped_at = 0

    @property
    def begins_at(self) -> datetime:
        return min(self.world.starts_at, *(one.world.starts_at for one in self.before))

    @property
    def labels(self) -> dict[str, str]:
        """The kind of each account by its id."""
        return self.world.labels | {one.account: one.chapter.kind.name for one in self.before}

    def play(self, *, team: Team, gateways: DemoGateways) -> Iterator[DayProgress]:
        """Live through the weeks before and the world's days; yields after each day with usage.

        Afterwards `stopped_at` is the change at which the gateway that is behind has stopped.
        """
        world = self.world
        days = (world.ends_at - world.starts_at).days
        past = play_history(self.before, world, team=team, gateways=gateways)
        for number, count in enumerate(past, 1):
            yield DayProgress(f"day {number} of {days_of_history(self.before)} in the weeks before", count)
        register_world(world, ends_at=world.ends_at, now=world.starts_at)
        events = events_by_day(world)
        for number in range(1, days + 1):
            now = world.starts_at + number * DAY
            count = _take_in(next(events, []), gateways, now=now)
            while pipeline.govern(now=now):
                pass
            if number == days:
                self.stopped_at = report_instances(gateways, began_at=self.begins_at, now=now)
            _decide_some(world, staff=team.everybody, now=now)
            measure_overview(now=now)
            if number == days - 1:
                leave_work(world, team, now=now)
            yield DayProgress(f"day {number} of the last {days}", count)


def _take_in(events: list[dict[str, Any]], gateways: DemoGateways, *, now: datetime) -> int:
    """Record a day's events, but for those that the gateway has refused, which it reports; how many were recorded."""
    refusing = denying_restriction_by_account(at=now)
    report_refusals(gateways, [one for one in events if one["account"] in refusing], refusing, now=now)
    return ingest_events([one for one in events if one["account"] not in refusing], now=now)


def _decide_some(world: World, *, staff: list[User], now: datetime) -> None:
    """Staff decides some of what has been open for a day, and most of what is due.

    The campaign with the fewest members is left to the people who look at the demonstration.
    """
    if now > world.ends_at - LEFT_OPEN:
        return
    planned = []
    for case, names in _undecided(world, now=now):
        dice = Random(f"{world.seed}/{names[0]}/{now:%Y%m%d}")
        if dice.random() > (SHARE_DECIDED_ONCE_DUE if case.due_at <= now else SHARE_DECIDED):
            continue
        someone = dice.choice(staff)
        verdict = GUILTY_TOGETHER if case.campaign_id else _verdict(world.labels[names[0]], dice)
        at = now + timedelta(minutes=dice.randrange(20, 400))
        decision_id = uuid.UUID(int=dice.getrandbits(128), version=4)
        planned.append(PlannedDecision(at, case, verdict, decision_id, someone))
    # In the order of their times, since numbers of restrictions and of the log's entries are given in that of playing.
    for at, case, verdict, decision_id, someone in sorted(planned, key=lambda one: one.at):
        if verdict is SUSPECT:
            add_note(case, text="Asked the customer what the prompts are for.", by=someone, now=at)
        decide(case, verdict, decision_id=decision_id, by=someone, now=at, ticks=_ticks(world, case))


def _undecided(world: World, *, now: datetime) -> list[tuple[Case, list[str]]]:
    """Return what staff may decide, each case with the accounts that it is about, in the order of their names.

    An account that acts with others is decided about with them, and left alone until they are a campaign.
    A customer of the weeks before whose case is open again is left to the people who look at the demonstration.
    """
    opened = Case.objects.waiting().filter(opened_at__lt=now).select_related("account", "campaign")
    own = list(world.labels)
    waiting = [*opened.filter(account__external_id__in=own), *opened.exclude(campaign=None)]
    alone = [(case, [case.own_account.external_id]) for case in waiting if case.campaign_id is None]
    alone = [(case, names) for case, names in alone if world.labels.get(names[0]) not in RINGS]
    together = [(case, sorted(_members(case).values())) for case in waiting if case.campaign_id is not None]
    largest_first = sorted(together, key=lambda one: (-len(one[1]), one[1]))
    return sorted([*alone, *largest_first[:-1]], key=lambda one: one[1])


def _members(case: Case) -> dict[int, str]:
    members = CampaignMember.objects.current().filter(campaign=case.campaign_id)
    return dict(members.values_list("account", "account__external_id"))


def _ticks(world: World, case: Case) -> Ticks | None:
    """Of a campaign, staff ticks those who harvest."""
    if case.campaign_id is None:
        return None
    harvesting = {pk for pk, name in _members(case).items() if world.labels.get(name) in HARVEST}
    newest = CampaignMember.objects.latest("pk").pk
    return Ticks(frozenset(harvesting), seen=newest, left_out_because="Checked with their account manager: no harvest.")


def _verdict(kind: str, dice: Random) -> Verdict:
    if kind not in HARVEST:
        return INNOCENT
    return GUILTY if dice.random() < 0.7 else SUSPECT
