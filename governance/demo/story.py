"""Plays the demonstration world through Stillwatch day by day, as if the past fortnight had been lived.

Usage comes in through the ordinary intake, accounts are scored at the end of each day, and the demonstration's
staff decides some of the cases as they come due. Nothing here writes a row by itself.
"""

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any, NamedTuple

import msgspec

from accounts.actions import register_accounts
from accounts.register import AccountLine
from governance import pipeline
from governance.audit.actor import Actor
from governance.campaigns.models import CampaignMember
from governance.demo.cast import HARVEST
from governance.demo.world import World
from governance.overview.actions import measure_overview
from governance.restrictions.kinds import RestrictionKind
from governance.restrictions.models import Restriction
from governance.restrictions.reasons import Reason
from governance.review.actions import add_note, decide
from governance.review.models import Case, Decision, Dismissal
from governance.review.verdicts import Ticks, Verdict
from governance.staff.models import User
from governance.usage.actions import record_import, record_lines

SOURCE = "native"
BATCH = 5_000
# What is younger than this at the end is left to the people who look at the demonstration.
LEFT_OPEN = timedelta(days=2)
SHARE_DECIDED, SHARE_DECIDED_ONCE_DUE = 0.2, 0.65
DEMO = Actor.system("load_demo")

GUILTY = Verdict(
    action=RestrictionKind.BLOCK,
    reason=Reason.BULK_HARVEST,
    terms_clause="2.3 No training of competing models",
    note="Same wrapper around ever-new payload, round the clock, no end users. The customer gave no explanation.",
)
GUILTY_TOGETHER = replace(
    GUILTY,
    reason=Reason.COORDINATED_ACCOUNTS,
    scope=Decision.Scope.CAMPAIGN,
    note="One operator behind several customers: the same wrappers in the same proportions, the work divided.",
)
SUSPECT = Verdict(
    action=RestrictionKind.THROTTLE,
    reason=Reason.DATA_GENERATION,
    terms_clause="2.4 No automated extraction of answers",
    note="Wrote to the customer; limited until they answer.",
    requests_per_minute=20,
)
INNOCENT = Verdict(
    action=Dismissal.DISMISS,
    reason=Reason.EXPECTED_USE,
    note="Fits what the customer sells. Checked with their account manager.",
)


class DayProgress(NamedTuple):
    """A day that was played: its number from 1, of how many, and the events it brought."""

    number: int
    of: int
    events: int


class Planned(NamedTuple):
    """A decision that somebody is to make."""

    at: datetime
    case: Case
    verdict: Verdict
    decision_id: uuid.UUID
    by: User


def play(world: World, *, staff: list[User]) -> Iterator[DayProgress]:
    """Register the world's customers and live through its days; yields after each."""
    _register(world)
    days = (world.ends_at - world.starts_at).days
    events = _by_day(world)
    for number in range(1, days + 1):
        now = world.starts_at + timedelta(days=number)
        count = _take_in(next(events, []), now=now)
        while pipeline.govern(now=now):
            pass
        _decide_some(world, staff=staff, now=now)
        measure_overview(now=now)
        yield DayProgress(number, days, count)


def _register(world: World) -> None:
    keys: dict[str, list[dict[str, str]]] = {}
    for key in world.keys:
        keys.setdefault(key["account"], []).append({"id": key["api_key"]})
    lines = [account | {"keys": keys.get(account["account"], [])} for account in world.accounts]
    register_accounts(msgspec.convert(lines, list[AccountLine]), by=DEMO, now=world.starts_at)


def _by_day(world: World) -> Iterator[list[dict[str, Any]]]:
    """The events of each day of the world, in order."""
    today: list[dict[str, Any]] = []
    ends = world.starts_at + timedelta(days=1)
    for event in world.events():
        while event["occurred_at"] >= ends.strftime("%Y-%m-%dT%H:%M:%S"):
            yield today
            today, ends = [], ends + timedelta(days=1)
        today.append(event)
    yield today


def _take_in(events: list[dict[str, Any]], *, now: datetime) -> int:
    """Record a day's events, but for those of accounts that the gateway has refused; how many there were."""
    refused = set(Restriction.objects.in_force(at=now).denying().values_list("account__external_id", flat=True))
    lines = [msgspec.json.encode(event) for event in events if event["account"] not in refused]
    for start in range(0, len(lines), BATCH):
        record_lines(lines[start : start + BATCH], source=SOURCE, now=now)
    record_import("demonstration", accepted=len(lines), duplicate=0, rejected=0, by=DEMO, now=now)
    return len(lines)


def _decide_some(world: World, *, staff: list[User], now: datetime) -> None:
    """Staff decides some of what has been open for a day, and most of what is due.

    The campaign with the fewest members is left to the people who look at the demonstration.
    """
    if now > world.ends_at - LEFT_OPEN:
        return
    planned = []
    for case, names in _undecided(now=now):
        dice = Random(f"{world.seed}/{names[0]}/{now:%Y%m%d}")
        if dice.random() > (SHARE_DECIDED_ONCE_DUE if case.due_at <= now else SHARE_DECIDED):
            continue
        someone = dice.choice(staff)
        verdict = GUILTY_TOGETHER if case.campaign_id else _verdict(world.labels[names[0]], dice)
        at = now + timedelta(minutes=dice.randrange(20, 400))
        decision_id = uuid.UUID(int=dice.getrandbits(128), version=4)
        planned.append(Planned(at, case, verdict, decision_id, someone))
    # In the order of their times, since numbers of restrictions and of the log's entries are given in that of playing.
    for at, case, verdict, decision_id, someone in sorted(planned, key=lambda one: one.at):
        if verdict is SUSPECT:
            add_note(case, text="Asked the customer what the prompts are for.", by=someone, now=at)
        decide(case, verdict, decision_id=decision_id, by=someone, now=at, ticks=_ticks(world, case))


def _undecided(*, now: datetime) -> list[tuple[Case, list[str]]]:
    """Return what staff may decide, each case with the accounts that it is about, in the order of their names."""
    waiting = Case.objects.waiting().filter(opened_at__lt=now).select_related("account", "campaign")
    alone = [(case, [case.own_account.external_id]) for case in waiting if case.campaign_id is None]
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
    harvesting = {pk for pk, name in _members(case).items() if world.labels[name] in HARVEST}
    newest = CampaignMember.objects.latest("pk").pk
    return Ticks(frozenset(harvesting), seen=newest, left_out_because="Checked with their account manager: no harvest.")


def _verdict(kind: str, dice: Random) -> Verdict:
    if kind not in HARVEST:
        return INNOCENT
    return GUILTY if dice.random() < 0.7 else SUSPECT
