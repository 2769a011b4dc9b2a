"""Plays the weeks before the demonstration's days: customers come, are decided on, and are gone."""

import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from operator import attrgetter, itemgetter
from random import Random
from typing import Any, Final

from django.db.models import QuerySet

from accounts.models import Account
from governance import pipeline
from governance.demo.gateways import DemoGateways, report_refusals
from governance.demo.intake import (
    denying_restriction_by_account,
    events_by_day,
    ingest_events,
    register_lines,
    register_world,
)
from governance.demo.past import LIVED, FormerCustomer
from governance.demo.team import Team
from governance.demo.terms import acceptance_line, terms_versions
from governance.demo.world import World
from governance.overview.actions import measure_overview
from governance.review.actions import decide
from governance.review.models import Case
from governance.review.opening_by_hand import open_case_by_hand
from governance.review.undo import undo_decision
from governance.review.verdicts import Verdict

UNDONE_AFTER: Final = timedelta(minutes=14)
DECIDED_AGAIN_AFTER: Final = timedelta(hours=1)

# What happens, and when.
Event = tuple[datetime, Callable[[datetime], Any]]


def play_history(
    customers: Sequence[FormerCustomer], world: World, *, team: Team, gateways: DemoGateways
) -> Iterator[int]:
    """Play what happened to these customers before the world's days, in the order of time. Yields after each day on
    which some of them sent usage: how many events they sent.
    """
    ends_at = world.ends_at
    counts: list[int] = []
    # What happens at one moment happens in this order.
    events = list(_publications(customers[0], ends_at))
    events += [(one.world.starts_at, _registers(one, ends_at)) for one in customers]
    for opens_at, together in groupby(customers, key=attrgetter("opens_at")):
        events.append((opens_at, _send_usage(list(together), team, counts)))
    for one in customers:
        events += _decisions(one, team)
        events.append((one.world.ends_at, _tries(one, gateways)))
    events += _measurements(customers[0].opens_at, until=world.starts_at)
    for at, happen in sorted(events, key=itemgetter(0)):
        happen(at)
        yield from counts
        counts.clear()


def days_of_history(customers: Sequence[FormerCustomer]) -> int:
    """On how many days these customers send usage."""
    return len({one.opens_at for one in customers})


def _registers(one: FormerCustomer, ends_at: datetime) -> Callable[[datetime], Any]:
    return lambda now: register_world(one.world, ends_at=ends_at, now=now)


def _send_usage(customers: Sequence[FormerCustomer], team: Team, counts: list[int]) -> Callable[[datetime], Any]:
    """Let these customers' usage come in and be scored; a colleague opens the cases that do not open by themselves."""

    def send(now: datetime) -> None:
        usage = [event for one in customers for day in [*events_by_day(one.world)][: LIVED.days] for event in day]
        counts.append(ingest_events(sorted(usage, key=itemgetter("occurred_at")), now=now))
        while pipeline.govern(now=now):
            pass
        for one in customers:
            if not _cases(one).exists():
                account = Account.objects.get(external_id=one.account)
                open_case_by_hand(account, reason=one.chapter.asked, by=team.everybody[one.chapter.by], now=now)

    return send


def _tries(one: FormerCustomer, gateways: DemoGateways) -> Callable[[datetime], Any]:
    """Let the gateway report what it refused of the customer after the decision, if it was one to refuse."""

    def report(now: datetime) -> None:
        refusing = denying_restriction_by_account(at=now)
        if one.account in refusing:
            since = one.decided_at.strftime("%Y-%m-%dT%H:%M:%S")
            tries = [event for event in one.world.events() if event["occurred_at"] > since]
            report_refusals(gateways, tries, refusing, now=now)

    return report


def _decisions(one: FormerCustomer, team: Team) -> Iterator[Event]:
    by, chapter = team.everybody[one.chapter.by], one.chapter

    def decides(verdict: Verdict) -> Callable[[datetime], Any]:
        decision_id = uuid.UUID(int=Random(f"{one.account}/{verdict.action}").getrandbits(128), version=4)
        return lambda now: decide(_cases(one).get(), verdict, decision_id=decision_id, by=by, now=now)

    if chapter.at_first is not None:
        verdict, note = chapter.at_first
        first_at = one.decided_at - DECIDED_AGAIN_AFTER
        yield first_at, decides(verdict)
        yield first_at + UNDONE_AFTER, lambda now: undo_decision(_cases(one).get(), note=note, by=team.lead, now=now)
    yield one.decided_at, decides(chapter.verdict)


def _publications(first: FormerCustomer, ends_at: datetime) -> Iterator[Event]:
    """Let the first customer accept each version of the terms on its day: the register takes that day for the day on
    which the version was published.
    """
    for terms in terms_versions(ends_at):
        line = acceptance_line(first.account, terms, terms.published_at)
        yield max(terms.published_at, first.world.starts_at), partial(_register_line, line)


def _register_line(line: dict[str, Any], now: datetime) -> None:
    register_lines([line], now=now)


def _measurements(since: datetime, *, until: datetime) -> Iterator[Event]:
    at = since
    while at < until:
        yield at, lambda now: measure_overview(now=now)
        at += timedelta(days=1)


def _cases(one: FormerCustomer) -> QuerySet[Case]:
    return Case.objects.filter(account__external_id=one.account)
