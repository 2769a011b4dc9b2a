"""What policies did, would have done and would do now, beside what staff decided about the same accounts."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import models
from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Value, Window
from django.db.models.functions import RowNumber

from accounts.models import Account
from governance.policies.evaluation import current_matches
from governance.policies.models import PolicyOutcome, PolicyVersion
from governance.policies.versions import fault_of, policy_of
from governance.restrictions.models import Restriction
from governance.review.leniency import staff_limits
from governance.review.models import Case, Decision

LOOKED_BACK: Final = timedelta(days=30)
SHOWN: Final = 20
NAMED: Final = 50
ORDER: Final = (PolicyVersion.State.LIVE, PolicyVersion.State.SHADOW, PolicyVersion.State.RETIRED)
State = PolicyOutcome.State
# What is compared with staff: of a policy that went live what it did, of others what they would have done.
COMPARED: Final = Q(policy__live_since=None, state=State.SHADOW) | (
    Q(policy__live_since__isnull=False) & ~Q(state=State.SHADOW)
)


class Wrong(NamedTuple):
    """An account that a policy would have restricted, and that staff let go or was milder with."""

    account: str
    rule: str
    kind: str
    decided: str
    case: UUID


class Held(NamedTuple):
    """An account that a policy left to a person, since it would have gone beyond a cap."""

    account: str
    rule: str
    kind: str
    because: str
    at: datetime
    case: UUID | None


class Dropped(NamedTuple):
    """So many accounts that a rule fitted were not to be restricted, and why."""

    because: str
    accounts: int


class Shadow(NamedTuple):
    """What a policy would have done while it was in the shadow."""

    restricted: int
    dropped: list[Dropped]

    @property
    def matched(self) -> int:
        return self.restricted + sum(one.accounts for one in self.dropped)


class Live(NamedTuple):
    """What a live policy made of the accounts that its rules fitted."""

    restricted: int
    planned: int
    held: int
    dropped: list[Dropped]

    @property
    def matched(self) -> int:
        return self.restricted + self.planned + self.held + sum(one.accounts for one in self.dropped)


class Compared(NamedTuple):
    """A policy beside staff, over the last 30 days: how often staff did as much or more, less, or let go."""

    policy: PolicyVersion
    fault: str
    all_of_it: bool
    shadow: Shadow
    live: Live
    as_much: int
    milder: int
    let_go: int
    open: int
    wrong: list[Wrong]
    held: list[Held]

    @property
    def decided(self) -> int:
        return self.as_much + self.milder + self.let_go

    @property
    def held_unnamed(self) -> int:
        return self.live.held - len(self.held)

    @property
    def agreed(self) -> int | None:
        """In percent of what staff has decided."""
        return round(100 * self.as_much / self.decided) if self.decided else None


def compared(*, now: datetime) -> list[Compared]:
    """The policies in use and the last few retired ones, in four queries."""
    known = PolicyVersion.objects.select_related("proposed_by", "approved_by")[:SHOWN]
    policies = sorted(known, key=lambda policy: ORDER.index(policy.state))
    outcomes = _with_decisions(policies, now=now)
    of_policy: dict[int, list[dict[str, Any]]] = {policy.pk: [] for policy in policies}
    counted = outcomes.annotate(counts=models.ExpressionWrapper(COMPARED, output_field=models.BooleanField()))
    columns = ("policy", "state", "why", "kind", "decided", "counts")
    counted = counted.annotate(why=models.Case(models.When(state=State.HELD, then=Value("")), default=F("because")))
    for group in counted.order_by().values(*columns).annotate(accounts=Count("pk")):
        of_policy[group["policy"]].append(group)
    wrong = _wrong(outcomes, {policy.pk for policy in policies})
    held = _held(outcomes, {policy.pk for policy in policies})
    since = now - LOOKED_BACK
    return [
        _compared(policy, of_policy[policy.pk], wrong=wrong[policy.pk], held=held[policy.pk], since=since)
        for policy in policies
    ]


def _with_decisions(policies: Sequence[PolicyVersion], *, now: datetime) -> QuerySet[PolicyOutcome, Any]:
    """What they made of accounts over the last 30 days, each with what staff decided last about the account."""
    standing = Decision.objects.standing().filter(decided_at__gt=now - LOOKED_BACK)
    newest = standing.filter(case__account=OuterRef("account"))
    decided = Subquery(newest.order_by("-number").values("action")[:1])
    return PolicyOutcome.objects.filter(policy__in=policies, at__gt=now - LOOKED_BACK).annotate(decided=decided)


def _wrong(outcomes: QuerySet[PolicyOutcome, Any], policies: set[int]) -> dict[int, list[Wrong]]:
    """The newest of each policy where staff was milder."""
    case = Case.objects.filter(account=OuterRef("account")).order_by("-opened_at")
    of_policy: dict[int, list[Wrong]] = {policy: [] for policy in policies}
    milder = (
        outcomes.filter(COMPARED)
        .annotate(
            case=Subquery(case.values("pk")[:1]), decided_strength=_strength("decided"), strength=_strength("kind")
        )
        .filter(decided_strength__lt=F("strength"))
        .annotate(place=Window(RowNumber(), partition_by=F("policy"), order_by=("-at", "-pk")))
        .filter(place__lte=SHOWN)
        .order_by("policy", "place")
    )
    for row in milder.values("policy", "account__external_id", "rule", "kind", "decided", "case"):
        of_policy[row["policy"]].append(
            Wrong(row["account__external_id"], row["rule"], row["kind"], row["decided"], row["case"])
        )
    return of_policy


def _held(outcomes: QuerySet[PolicyOutcome, Any], policies: set[int]) -> dict[int, list[Held]]:
    """The newest of each policy that wait for a person, with the newest case of the account."""
    case = Case.objects.filter(account=OuterRef("account")).order_by("-opened_at")
    of_policy: dict[int, list[Held]] = {policy: [] for policy in policies}
    newest = (
        outcomes.filter(state=State.HELD)
        .annotate(
            case=Subquery(case.values("pk")[:1]),
            place=Window(RowNumber(), partition_by=F("policy"), order_by=("-settled_at", "-pk")),
        )
        .filter(place__lte=SHOWN)
        .order_by("policy", "place")
    )
    columns = ("policy", "account__external_id", "rule", "kind", "because", "settled_at", "case")
    for policy, *rest in newest.values_list(*columns):
        of_policy[policy].append(Held(*rest))
    return of_policy


def _strength(column: str) -> models.Case:
    """The place on the ladder of what a column names, below it for a dismissal; null where it names nothing."""
    dismissed = models.When(**{column: Decision.Action.DISMISS}, then=Value(-1))
    places = [models.When(**{column: kind}, then=Value(place)) for place, kind in enumerate(Restriction.Kind.values)]
    return models.Case(dismissed, *places, output_field=models.IntegerField())


def _compared(
    policy: PolicyVersion,
    groups: Sequence[Mapping[str, Any]],
    *,
    wrong: list[Wrong],
    held: list[Held],
    since: datetime,
) -> Compared:
    verdicts: Counter[str] = Counter()
    states: Counter[str] = Counter()
    dropped: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    for group in groups:
        in_shadow, accounts = group["state"] == State.SHADOW, group["accounts"]
        if group["counts"]:
            verdicts[_verdict(group["kind"], group["decided"])] += accounts
        if group["state"] == State.DROPPED or (in_shadow and group["why"]):
            dropped[in_shadow][group["why"]] += accounts
        else:
            states[group["state"]] += accounts
    return Compared(
        policy=policy,
        fault=fault_of(policy) if policy.state != PolicyVersion.State.RETIRED else "",
        all_of_it=policy.proposed_at > since,
        shadow=Shadow(states[State.SHADOW], _listed(dropped[True])),
        live=Live(states[State.DONE], states[State.PLANNED], states[State.HELD], _listed(dropped[False])),
        as_much=verdicts["as_much"],
        milder=verdicts["milder"],
        let_go=verdicts["let_go"],
        open=verdicts["open"],
        wrong=wrong,
        held=held,
    )


def _listed(dropped: Counter[str]) -> list[Dropped]:
    return [Dropped(because, accounts) for because, accounts in dropped.most_common()]


def _verdict(kind: str, decided: str | None) -> str:
    if decided is None:
        return "open"
    if decided == Decision.Action.DISMISS:
        return "let_go"
    return "as_much" if Restriction.strength(decided) >= Restriction.strength(kind) else "milder"


class Hit(NamedTuple):
    """An account that a policy would restrict now."""

    account: str
    score: int
    rule: str
    kind: str
    case: UUID | None


class Reach(NamedTuple):
    """Whom a policy would restrict if it were live now: how many, the first of them, and whom it would not and why."""

    accounts: int
    hits: list[Hit]
    dropped: list[Dropped]

    @property
    def unnamed(self) -> int:
        return self.accounts - len(self.hits)


def reach_of(version: PolicyVersion, *, now: datetime) -> Reach:
    """By the newest assessments, the highest scores first. Nobody for a policy that cannot be read any more."""
    policy = policy_of(version)
    matches = current_matches(policy, staff_limits=staff_limits, now=now) if policy is not None else []
    hit = [match for match in matches if not match.because]
    shown = [match.assessment.account_id for match in hit[:NAMED]]
    names = dict(Account.objects.filter(pk__in=shown).values_list("pk", "external_id"))
    newest = Case.objects.filter(account__in=shown).order_by("account_id", "-opened_at").distinct("account_id")
    cases = dict(newest.values_list("account", "pk"))
    hits = [
        Hit(
            names[match.assessment.account_id],
            match.assessment.score,
            match.rule.name,
            match.rule.action,
            cases.get(match.assessment.account_id),
        )
        for match in hit[:NAMED]
    ]
    return Reach(len(hit), hits, _listed(Counter(match.because for match in matches if match.because)))
