"""Restrictions by policy: matched with every assessment, put into force later, within caps, and stopped by a switch."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from random import SystemRandom
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from governance.audit.actions import audit_log_lock, record
from governance.audit.actor import Actor
from governance.detection.models import Assessment
from governance.detection.thresholds import Response
from governance.platform.locks import Lock, advisory_lock, lock_until_commit
from governance.platform.transactions import retried_transaction
from governance.policies.evaluation import LICENSED, Circumstances, Match, StaffLimits, current_matches
from governance.policies.models import AutomaticSwitch, PolicyOutcome, PolicyVersion
from governance.policies.rules import Action, Policy
from governance.policies.versions import in_use, policy_of
from governance.restrictions.actions import restrict_all
from governance.restrictions.models import Reason, Restriction
from governance.restrictions.terms import Terms
from governance.staff.models import User
from governance.usage.queries import count_requests_since
from governance.web.counts import counted, percent_of

State = PolicyOutcome.State
HOUR: Final = timedelta(hours=1)
PORTION: Final = 100
DICE: Final = SystemRandom()
Dice = Callable[[], float]


# What fits -----------------------------------------------------------------------------------------------------------


@retried_transaction
def weigh(
    assessments: Sequence[Assessment], *, staff_limits: StaffLimits, now: datetime, chance: Dice = DICE.random
) -> list[int]:
    """Note what the policies in use make of these assessments, in the caller's transaction. Return these policies.

    Only of those that a person is to look at too. What the live policy wants is planned, or dropped where something
    stands against it; what one in the shadow would want is noted, in the same way.
    """
    # Until this transaction ends no policy is matched with everybody: what it did not see yet, that would miss.
    lock_until_commit(Lock.MATCHING, shared=True)
    policies = in_use()
    suspects = [one for one in assessments if one.response == Response.CASE and not one.licensed]
    if policies and suspects:
        circumstances = Circumstances.of(suspects, staff_limits=staff_limits, now=now)
        for version, policy in policies:
            _note(version, policy, circumstances.matches(policy, suspects), now=now, chance=chance)
    return [version.pk for version, _ in policies]


def _note(version: PolicyVersion, policy: Policy, matches: Sequence[Match], *, now: datetime, chance: Dice) -> None:
    """Store what is new of these matches. What was dropped is looked at again; everything else stays as it was."""
    live = version.state == PolicyVersion.State.LIVE
    known = PolicyOutcome.objects.filter(policy=version, account__in=[match.assessment.account_id for match in matches])
    known = known.exclude(state=State.SHADOW) if live else known.filter(state=State.SHADOW)
    before = {(outcome.account_id, outcome.kind): outcome for outcome in known}
    new, changed = [], []
    for match in matches:
        kind = match.rule.action.kind
        outcome = before.get((match.assessment.account_id, kind))
        if outcome is None:
            outcome = PolicyOutcome(policy=version, account_id=match.assessment.account_id, kind=kind, at=now)
            new.append(outcome)
        elif outcome.state in {State.DROPPED, State.SHADOW} and outcome.because not in {"", match.because}:
            changed.append(outcome)
        else:
            continue
        _fill(outcome, match, policy, live=live, now=now, chance=chance)
    PolicyOutcome.objects.bulk_create(new, ignore_conflicts=True)
    PolicyOutcome.objects.bulk_update(
        changed, ["assessment", "rule", "terms", "state", "at", "due_at", "settled_at", "because"]
    )


def _fill(outcome: PolicyOutcome, match: Match, policy: Policy, *, live: bool, now: datetime, chance: Dice) -> None:
    outcome.assessment, outcome.rule, outcome.terms = match.assessment, match.rule.name, _written(match.rule.action)
    if not match.because:
        outcome.at = now
    outcome.because = match.because
    outcome.due_at = policy.due(now=now, chance=chance()) if live else now
    if live:
        outcome.state = State.DROPPED if match.because else State.PLANNED
        outcome.settled_at = now if match.because else None
    else:
        outcome.state = State.SHADOW


def _written(action: Action) -> dict[str, Any]:
    return {
        "reason": action.reason,
        "terms_clause": action.terms_clause,
        "requests_per_minute": action.requests_per_minute,
        "tokens_per_minute": action.tokens_per_minute,
        "withheld": list(action.withheld),
        "days": action.days,
    }


@retried_transaction
def match_everybody(*, staff_limits: StaffLimits, now: datetime, chance: Dice = DICE.random) -> None:
    """Apply a policy that went live to everybody by their newest assessment, once: those it saw in the shadow too.

    From then on `weigh` does so with each new one.
    """
    if not _to_match().exists():
        return
    lock_until_commit(Lock.MATCHING)
    version = _to_match().select_for_update(no_key=True).first()
    if version is not None and (policy := policy_of(version)) is not None:
        _note(version, policy, current_matches(policy, staff_limits=staff_limits, now=now), now=now, chance=chance)
        version.matched_at = now
        version.save(update_fields=["matched_at"])


def _to_match() -> QuerySet[PolicyVersion]:
    return PolicyVersion.objects.filter(state=PolicyVersion.State.LIVE, matched_at=None)


# What is due ---------------------------------------------------------------------------------------------------------


def carry_out(*, now: datetime, staff_limits: StaffLimits) -> int:
    """Put into force what is due; how many restrictions that made. Safe to run twice, and anywhere."""
    match_everybody(staff_limits=staff_limits, now=now)
    done = 0
    while (portion := _carry_out_some(now=now, staff_limits=staff_limits)) is not None:
        done += portion
    return done


def _carry_out_some(*, now: datetime, staff_limits: StaffLimits) -> int | None:
    """How many were restricted; None where nothing is due, or somebody else is at it.

    The switch waits for the lock, so that what it finds is either before it or comes to nothing. Whatever else forbids
    a restriction, a lifting or a decision or a retirement, is recorded in the log: with its lock held nobody can do so
    between the reading and the restriction.
    """
    with advisory_lock(Lock.AUTOMATIC) as ours, transaction.atomic():
        if not ours or is_off() or not _due(now).exists():
            return None
        room = Room.left(now=now)
        audit_log_lock()
        # One that is locked is being planned by a scoring, which must not wait for us with the log's lock in our hands.
        due = list(_due(now).select_for_update(of=("self",), skip_locked=True)[:PORTION])
        if not due:
            return None
        allowed = _allowed(due, room, staff_limits=staff_limits, now=now)
        _restrict(allowed, now=now)
        PolicyOutcome.objects.bulk_update(due, ["state", "because", "settled_at", "restriction"])
        return len(allowed)


def _due(now: datetime) -> QuerySet[PolicyOutcome]:
    planned = PolicyOutcome.objects.select_related("policy__approved_by", "account")
    return planned.filter(state=State.PLANNED, due_at__lte=now).order_by("due_at", "pk")


def _allowed(
    due: Sequence[PolicyOutcome], room: "Room", *, staff_limits: StaffLimits, now: datetime
) -> list[PolicyOutcome]:
    """Those that nothing stands against, the caps neither; the others are dropped, or held for a person."""
    accounts = {outcome.account_id for outcome in due}
    newest = list(Assessment.objects.filter(account__in=accounts).latest_of_each())
    circumstances = Circumstances.of(newest, staff_limits=staff_limits, now=now)
    allowed = []
    for outcome in due:
        if because := _objection(outcome, circumstances):
            _settle(outcome, State.DROPPED, because, now=now)
        elif full := room.why_full(outcome.account_id):
            _settle(outcome, State.HELD, full, now=now)
        else:
            _settle(outcome, State.DONE, "", now=now)
            circumstances.note_restriction(outcome.account_id, outcome.kind)
            room.take(outcome.account_id)
            allowed.append(outcome)
    return allowed


def _objection(outcome: PolicyOutcome, circumstances: Circumstances) -> str:
    policy = policy_of(outcome.policy)
    if outcome.policy.state != PolicyVersion.State.LIVE or policy is None:
        return "The policy is not live any more."
    if circumstances.is_licensed(outcome.account_id):
        return LICENSED
    rule = circumstances.rule_for(policy, outcome.account_id)
    if rule is None or Restriction.strength(rule.action.kind) < Restriction.strength(outcome.kind):
        return "No rule of the policy fits the account any more."
    return circumstances.objection(outcome.kind, outcome.account_id)


def _restrict(outcomes: Iterable[PolicyOutcome], *, now: datetime) -> None:
    """Put them into force, all of the same terms at once."""
    alike: dict[tuple[Any, ...], list[PolicyOutcome]] = defaultdict(list)
    for outcome in outcomes:
        alike[outcome.policy_id, outcome.kind, repr(sorted(outcome.terms.items()))].append(outcome)
    for several in alike.values():
        aims = [(outcome.account, f"policy:{outcome.pk}") for outcome in several]
        policy = several[0].policy
        by = Actor.system(f"policy {policy.version}")
        for outcome, made in zip(
            several, restrict_all(aims, _terms(several[0], now=now), by=by, now=now).restrictions, strict=True
        ):
            outcome.restriction = made


def _terms(outcome: PolicyOutcome, *, now: datetime) -> Terms:
    terms, approver = outcome.terms, outcome.policy.approved_by
    return Terms(
        kind=Restriction.Kind(outcome.kind),
        reason=Reason(terms["reason"]),
        until=now + timedelta(days=terms["days"]) if terms["days"] else None,
        terms_clause=terms["terms_clause"],
        requests_per_minute=terms["requests_per_minute"],
        tokens_per_minute=terms["tokens_per_minute"],
        withheld=terms["withheld"],
        approver=approver.name if approver else "",
    )


def _settle(outcome: PolicyOutcome, state: PolicyOutcome.State, because: str, *, now: datetime) -> None:
    outcome.state, outcome.because, outcome.settled_at = state, because, now


class Room:
    """How much may still be restricted in this hour without a person: of accounts, and of traffic."""

    def __init__(self, requests: Mapping[int, int], restricted: Collection[int]) -> None:
        self._requests, self._restricted = requests, set(restricted)
        self._total = sum(requests.values())
        self._taken = sum(requests.get(account, 0) for account in self._restricted)

    @classmethod
    def left(cls, *, now: datetime) -> "Room":
        done = PolicyOutcome.objects.filter(state=State.DONE, settled_at__gt=now - HOUR)
        hour = now.replace(minute=0, second=0, microsecond=0) - HOUR
        return cls(count_requests_since(hour), done.values_list("account", flat=True))

    @property
    def accounts(self) -> int:
        return settings.AUTOMATIC_ACCOUNTS_AN_HOUR - len(self._restricted)

    @property
    def restricted(self) -> int:
        """Accounts that were restricted in this hour."""
        return len(self._restricted)

    @property
    def share(self) -> str:
        """The traffic of these, such as "0.04 %"."""
        return percent_of(self._taken, self._total)

    def why_full(self, account: int) -> str:
        if account in self._restricted:
            return ""
        if self.accounts <= 0:
            most = counted(settings.AUTOMATIC_ACCOUNTS_AN_HOUR, "account")
            return f"More than {most} an hour need a person, and {len(self._restricted):,} had been restricted."
        requests = self._requests.get(account, 0)
        if self._total and 100 * (self._taken + requests) > settings.AUTOMATIC_TRAFFIC_PERCENT * self._total:
            return (
                f"More than {settings.AUTOMATIC_TRAFFIC_PERCENT:g} % of traffic an hour need a person. The account has "
                f"{percent_of(requests, self._total)} of it, and {percent_of(self._taken, self._total)} had been "
                "restricted."
            )
        return ""

    def take(self, account: int) -> None:
        if account not in self._restricted:
            self._restricted.add(account)
            self._taken += self._requests.get(account, 0)


# The kill switch -----------------------------------------------------------------------------------------------------


def is_off() -> bool:
    return AutomaticSwitch.objects.filter(off_since__isnull=False).exists()


@retried_transaction
def switch_off(*, why: str, by: User, now: datetime) -> None:
    """Nothing is restricted by policy until it is switched on again; what was planned waits.

    Waits for restrictions that are being made: once this returns and its transaction is committed, none follows.
    """
    lock_until_commit(Lock.AUTOMATIC)
    AutomaticSwitch.objects.update_or_create(pk=1, defaults={"off_since": now, "by": str(by.actor), "why": why})
    record("automation.switched_off", subject=("automation", "all"), by=by.actor, now=now, details={"why": why})


@retried_transaction
def switch_on(*, by: User, now: datetime) -> None:
    AutomaticSwitch.objects.update_or_create(pk=1, defaults={"off_since": None, "by": str(by.actor), "why": ""})
    record("automation.switched_on", subject=("automation", "all"), by=by.actor, now=now)
