"""Restrictions by policy: weighed with every assessment, put into force later, within caps, and stopped by a switch."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from random import SystemRandom
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import Sum

from accounts.models import Account
from governance.audit.actions import record
from governance.audit.actor import Actor
from governance.enforcement.actions import Terms, restrict
from governance.enforcement.models import AutomaticSwitch, PolicyOutcome, Reason, Restriction
from governance.enforcement.queries import strongest_against
from governance.risk.automation import Action, Facts
from governance.risk.models import Assessment, Campaign, PolicyVersion
from governance.risk.policies import in_use
from governance.risk.policy import Response
from governance.staff.models import User
from governance.turns import Turn, turn
from governance.usage.models import Profile

State = PolicyOutcome.State
HOUR: Final = timedelta(hours=1)
PORTION: Final = 100
DICE: Final = SystemRandom()

# Who of these accounts staff has let go since a time.
LetGo = Callable[[Mapping[int, datetime]], Collection[int]]


def weigh(assessments: Sequence[Assessment], *, now: datetime, chance: Callable[[], float] = DICE.random) -> None:
    """Note what the policies in use make of these assessments, in the caller's transaction.

    Only of those that a person is to look at too. What the live policy wants is planned; what one in the shadow would
    want is noted.
    """
    suspects = [one for one in assessments if one.response == Response.CASE and not one.licensed]
    policies = in_use() if suspects else []
    if not policies:
        return
    facts = _facts(suspects, now=now)
    outcomes = []
    for version, policy in policies:
        live = version.state == PolicyVersion.State.LIVE
        for assessment in suspects:
            rule = policy.rule_for(facts[assessment.account_id])
            if rule is not None:
                outcomes.append(
                    PolicyOutcome(
                        policy=version,
                        account_id=assessment.account_id,
                        assessment=assessment,
                        rule=rule.name,
                        kind=rule.action.kind,
                        terms=_written(rule.action),
                        state=State.PLANNED if live else State.SHADOW,
                        at=now,
                        due_at=policy.due(now=now, chance=chance()) if live else now,
                    )
                )
    PolicyOutcome.objects.bulk_create(outcomes, ignore_conflicts=True)


def _facts(assessments: Sequence[Assessment], *, now: datetime) -> dict[int, Facts]:
    accounts = Account.objects.in_bulk([one.account_id for one in assessments])
    campaigns = {one.campaign for one in assessments if one.campaign}
    sizes = dict(Campaign.objects.open().filter(pk__in=campaigns).values_list("pk", "size"))
    found = {}
    for one in assessments:
        account = accounts[one.account_id]
        found[one.account_id] = Facts(
            score=one.score,
            band=one.band,
            families=frozenset(finding["family"] for finding in one.findings if finding["points"] > 0),
            campaign_size=sizes.get(one.campaign, 0) if one.campaign else 0,
            plan=account.plan,
            licensed=one.licensed,
            events=one.events,
            age=now - account.created_at if account.created_at else None,
        )
    return found


def _written(action: Action) -> dict[str, Any]:
    return {
        "reason": action.reason,
        "terms_clause": action.terms_clause,
        "requests_per_minute": action.requests_per_minute,
        "tokens_per_minute": action.tokens_per_minute,
        "withheld": list(action.withheld),
        "days": action.days,
    }


def carry_out(*, now: datetime, let_go: LetGo) -> int:
    """Put into force what is due; how many restrictions that made. Safe to run twice, and anywhere."""
    done = 0
    while (portion := _carry_out_some(now=now, let_go=let_go)) is not None:
        done += portion
    return done


def _carry_out_some(*, now: datetime, let_go: LetGo) -> int | None:
    """How many were restricted; None where nothing is due, or somebody else is at it."""
    with turn(Turn.AUTOMATIC) as ours, transaction.atomic():
        if not ours or is_off():
            return None
        due = list(
            PolicyOutcome.objects.select_for_update(of=("self",))
            .select_related("policy", "account", "assessment")
            .filter(state=State.PLANNED, due_at__lte=now)
            .order_by("due_at", "pk")[:PORTION]
        )
        if not due:
            return None
        in_force = strongest_against([outcome.account for outcome in due], now=now)
        released = set(let_go({outcome.account_id: outcome.at for outcome in due}))
        licensed = set(
            Account.objects.training_permitted(at=now)
            .filter(pk__in=[outcome.account_id for outcome in due])
            .values_list("pk", flat=True)
        )
        room = Room.left(now=now)
        done = 0
        for outcome in due:
            why_not = _why_not(outcome, in_force.get(outcome.account_id), released, licensed)
            if why_not:
                _settle(outcome, State.DROPPED, why_not, now=now)
            elif full := room.why_full(outcome.account_id):
                _settle(outcome, State.HELD, full, now=now)
            else:
                _restrict(outcome, now=now)
                in_force[outcome.account_id] = outcome.kind
                room.take(outcome.account_id)
                done += 1
        return done


def _why_not(outcome: PolicyOutcome, in_force: str | None, released: set[int], licensed: set[int]) -> str:
    if outcome.policy.state != PolicyVersion.State.LIVE:
        return "The policy is not live any more."
    if outcome.account_id in licensed:
        return "The account may train on the answers."
    if outcome.account_id in released:
        return "Staff has let the account go meanwhile."
    if in_force is not None and Restriction.strength(in_force) >= Restriction.strength(outcome.kind):
        return "Something as strong is in force already."
    return ""


def _restrict(outcome: PolicyOutcome, *, now: datetime) -> None:
    terms = outcome.terms
    outcome.restriction = restrict(
        outcome.account,
        Terms(
            kind=Restriction.Kind(outcome.kind),
            reason=Reason(terms["reason"]),
            until=now + timedelta(days=terms["days"]) if terms["days"] else None,
            terms_clause=terms["terms_clause"],
            requests_per_minute=terms["requests_per_minute"],
            tokens_per_minute=terms["tokens_per_minute"],
            withheld=terms["withheld"],
            approver=outcome.policy.approved_by.name if outcome.policy.approved_by else "",
        ),
        unique_key=f"policy:{outcome.pk}",
        by=Actor.system(f"policy {outcome.policy.version}"),
        now=now,
    )
    _settle(outcome, State.DONE, "", now=now)


def _settle(outcome: PolicyOutcome, state: PolicyOutcome.State, because: str, *, now: datetime) -> None:
    outcome.state, outcome.because, outcome.settled_at = state, because, now
    outcome.save(update_fields=["state", "because", "settled_at", "restriction"])


class Room:
    """How much may still be restricted in this hour without a person: of accounts, and of traffic."""

    def __init__(self, accounts: int, requests: Mapping[int, int], restricted: Collection[int]) -> None:
        self.accounts, self._requests = accounts, requests
        self._total = sum(requests.values())
        self._taken = sum(requests.get(account, 0) for account in restricted)

    @classmethod
    def left(cls, *, now: datetime) -> "Room":
        done = PolicyOutcome.objects.filter(state=State.DONE, settled_at__gt=now - HOUR)
        restricted = list(done.values_list("account", flat=True))
        hour = now.replace(minute=0, second=0, microsecond=0) - HOUR
        sums = Profile.objects.filter(hour__gte=hour).order_by().values_list("account").annotate(Sum("requests"))
        requests = {account: int(number or 0) for account, number in sums}
        return cls(settings.AUTOMATIC_ACCOUNTS_AN_HOUR - len(restricted), requests, restricted)

    @property
    def share(self) -> float:
        """Of traffic that was restricted in this hour, in percent."""
        return 100 * self._taken / self._total if self._total else 0.0

    def why_full(self, account: int) -> str:
        if self.accounts <= 0:
            return f"More than {settings.AUTOMATIC_ACCOUNTS_AN_HOUR} accounts an hour need a person."
        taken = self._taken + self._requests.get(account, 0)
        if self._total and 100 * taken > settings.AUTOMATIC_TRAFFIC_PERCENT * self._total:
            return f"More than {settings.AUTOMATIC_TRAFFIC_PERCENT:g} % of traffic an hour needs a person."
        return ""

    def take(self, account: int) -> None:
        self.accounts -= 1
        self._taken += self._requests.get(account, 0)


# The kill switch -----------------------------------------------------------------------------------------------------


def is_off() -> bool:
    return AutomaticSwitch.objects.filter(off_since__isnull=False).exists()


@transaction.atomic
def switch_off(*, why: str, by: User, now: datetime) -> None:
    """Nothing is restricted by policy until it is switched on again; what was planned waits."""
    AutomaticSwitch.objects.update_or_create(pk=1, defaults={"off_since": now, "by": str(by.actor), "why": why})
    record("automation.switched_off", subject=("automation", "all"), by=by.actor, now=now, details={"why": why})


@transaction.atomic
def switch_on(*, by: User, now: datetime) -> None:
    AutomaticSwitch.objects.update_or_create(pk=1, defaults={"off_since": None, "by": str(by.actor), "why": ""})
    record("automation.switched_on", subject=("automation", "all"), by=by.actor, now=now)
