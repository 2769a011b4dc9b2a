"""What policies did, would have done and would do now, compared with what staff decided about the same accounts."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import models
from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Value, Window
from django.db.models.functions import RowNumber

from accounts.models import Account
from governance.policies.evaluation import match_newest_assessments
from governance.policies.models import PolicyOutcome, PolicyVersion
from governance.policies.versions import get_fault, get_policy_file
from governance.restrictions.models import Restriction
from governance.review.models import Case, Decision, DecisionTarget, Dismissal
from governance.review.staff_ceilings import get_staff_ceilings

LOOKED_BACK: Final = timedelta(days=30)
SHOWN: Final = 20
NAMED: Final = 50
ORDER: Final = (PolicyVersion.State.LIVE, PolicyVersion.State.SHADOW, PolicyVersion.State.RETIRED)
State = PolicyOutcome.State
# What is compared with staff: of a policy that went live what it did, of others what they would have done.
COMPARED: Final = Q(policy__live_since=None, state=State.SHADOW) | (
    Q(policy__live_since__isnull=False) & ~Q(state=State.SHADOW)
)


class MilderStaffDecision(NamedTuple):
    """An account that a policy would have restricted, and that staff cleared or restricted more mildly."""

    account: str
    rule: str
    kind: str
    decided: str
    case: UUID


class HeldOutcome(NamedTuple):
    """An account that is held for a person, because restricting it would have exceeded a cap."""

    account: str
    rule: str
    kind: str
    because: str
    at: datetime
    case: UUID | None


class DropCount(NamedTuple):
    """How many accounts that a rule fits were dropped for this reason."""

    because: str
    accounts: int


class ShadowTotals(NamedTuple):
    """What a policy would have done in shadow mode, in accounts."""

    restricted: int
    dropped: list[DropCount]

    @property
    def matched(self) -> int:
        return self.restricted + sum(one.accounts for one in self.dropped)


class LiveTotals(NamedTuple):
    """What a live policy did with the accounts that its rules fit, in accounts."""

    restricted: int
    planned: int
    held: int
    dropped: list[DropCount]

    @property
    def matched(self) -> int:
        return self.restricted + self.planned + self.held + sum(one.accounts for one in self.dropped)


class PolicyComparison(NamedTuple):
    """A policy compared with staff over the last 30 days: how often staff did as much or more, less, or nothing."""

    policy: PolicyVersion
    fault: str
    all_of_it: bool
    shadow: ShadowTotals
    live: LiveTotals
    as_much: int
    milder: int
    cleared: int
    open: int
    milder_decisions: list[MilderStaffDecision]
    held: list[HeldOutcome]

    @property
    def decided(self) -> int:
        return self.as_much + self.milder + self.cleared

    @property
    def held_unnamed(self) -> int:
        return self.live.held - len(self.held)

    @property
    def agreed(self) -> int | None:
        """How often staff restricted at least as much, in percent of its decisions."""
        return round(100 * self.as_much / self.decided) if self.decided else None


def compare_with_staff(*, now: datetime) -> list[PolicyComparison]:
    """Compare the policies in use and the newest retired ones with staff. Four queries."""
    known = PolicyVersion.objects.select_related("proposed_by", "approved_by")[:SHOWN]
    policies = sorted(known, key=lambda policy: ORDER.index(policy.state))
    outcomes = _with_decisions(policies, now=now)
    of_policy: dict[int, list[dict[str, Any]]] = {policy.pk: [] for policy in policies}
    counted = outcomes.annotate(counts=models.ExpressionWrapper(COMPARED, output_field=models.BooleanField()))
    columns = ("policy", "state", "why", "kind", "decided", "counts")
    counted = counted.annotate(why=models.Case(models.When(state=State.HELD, then=Value("")), default=F("because")))
    for group in counted.order_by().values(*columns).annotate(accounts=Count("pk")):
        of_policy[group["policy"]].append(group)
    milder_decisions = _milder_decisions(outcomes, {policy.pk for policy in policies})
    held = _held_outcomes(outcomes, {policy.pk for policy in policies})
    since = now - LOOKED_BACK
    return [
        _comparison(
            policy,
            of_policy[policy.pk],
            milder_decisions=milder_decisions[policy.pk],
            held=held[policy.pk],
            since=since,
        )
        for policy in policies
    ]


def _with_decisions(policies: Sequence[PolicyVersion], *, now: datetime) -> QuerySet[PolicyOutcome, Any]:
    """Return the outcomes of the last 30 days, each with the last decision of staff about the account."""
    not_undone = Decision.objects.not_undone().filter(decided_at__gt=now - LOOKED_BACK)
    covered = DecisionTarget.objects.covered().filter(account=OuterRef(OuterRef("account"))).values("decision")
    newest = not_undone.filter(Q(case__account=OuterRef("account")) | Q(pk__in=covered))
    decided = Subquery(newest.order_by("-number").values("action")[:1])
    return PolicyOutcome.objects.filter(policy__in=policies, at__gt=now - LOOKED_BACK).annotate(decided=decided)


def _milder_decisions(
    outcomes: QuerySet[PolicyOutcome, Any], policies: set[int]
) -> dict[int, list[MilderStaffDecision]]:
    """Return the newest outcomes of each policy where staff was milder."""
    case = Case.objects.filter(account=OuterRef("account")).order_by("-opened_at")
    of_policy: dict[int, list[MilderStaffDecision]] = {policy: [] for policy in policies}
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
            MilderStaffDecision(row["account__external_id"], row["rule"], row["kind"], row["decided"], row["case"])
        )
    return of_policy


def _held_outcomes(outcomes: QuerySet[PolicyOutcome, Any], policies: set[int]) -> dict[int, list[HeldOutcome]]:
    """Return the newest held outcomes of each policy, with the newest case of the account."""
    case = Case.objects.filter(account=OuterRef("account")).order_by("-opened_at")
    of_policy: dict[int, list[HeldOutcome]] = {policy: [] for policy in policies}
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
        of_policy[policy].append(HeldOutcome(*rest))
    return of_policy


def _strength(column: str) -> models.Case:
    """The strength of the kind of restriction in a column; -1 for a dismissal, null for anything else."""
    dismissed = models.When(**{column: Dismissal.DISMISS}, then=Value(-1))
    places = [models.When(**{column: kind}, then=Value(place)) for place, kind in enumerate(Restriction.Kind.values)]
    return models.Case(dismissed, *places, output_field=models.IntegerField())


def _comparison(
    policy: PolicyVersion,
    groups: Sequence[Mapping[str, Any]],
    *,
    milder_decisions: list[MilderStaffDecision],
    held: list[HeldOutcome],
    since: datetime,
) -> PolicyComparison:
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
    return PolicyComparison(
        policy=policy,
        fault=get_fault(policy) if policy.state != PolicyVersion.State.RETIRED else "",
        all_of_it=policy.proposed_at > since,
        shadow=ShadowTotals(states[State.SHADOW], _drop_counts(dropped[True])),
        live=LiveTotals(states[State.DONE], states[State.PLANNED], states[State.HELD], _drop_counts(dropped[False])),
        as_much=verdicts["as_much"],
        milder=verdicts["milder"],
        cleared=verdicts["cleared"],
        open=verdicts["open"],
        milder_decisions=milder_decisions,
        held=held,
    )


def _drop_counts(dropped: Counter[str]) -> list[DropCount]:
    return [DropCount(because, accounts) for because, accounts in dropped.most_common()]


def _verdict(kind: str, decided: str | None) -> str:
    if decided is None:
        return "open"
    if decided == Dismissal.DISMISS:
        return "cleared"
    return "as_much" if Restriction.strength(decided) >= Restriction.strength(kind) else "milder"


class MatchedAccount(NamedTuple):
    """An account that a policy would restrict if it were live now."""

    account: str
    score: int
    rule: str
    kind: str
    case: UUID | None


class PolicyReach(NamedTuple):
    """How many accounts a policy would restrict if it were live now, the first of them, and those it would drop."""

    accounts: int
    affected: list[MatchedAccount]
    dropped: list[DropCount]

    @property
    def unnamed(self) -> int:
        return self.accounts - len(self.affected)


def get_reach(version: PolicyVersion, *, now: datetime) -> PolicyReach:
    """Match the policy with the newest assessments. Empty if its file is not valid any more."""
    policy = get_policy_file(version)
    matches = match_newest_assessments(policy, staff_ceilings=get_staff_ceilings, now=now) if policy is not None else []
    affected = [match for match in matches if not match.because]
    shown = [match.assessment.account_id for match in affected[:NAMED]]
    newest = Case.objects.filter(account=OuterRef("pk")).order_by("-opened_at").values("pk")[:1]
    named = Account.objects.filter(pk__in=shown).values_list("pk", "external_id", Subquery(newest))
    by_account = {pk: (name, case) for pk, name, case in named}
    shown_accounts = [
        MatchedAccount(name, match.assessment.score, match.rule.name, match.rule.action, case)
        for match in affected[:NAMED]
        for name, case in [by_account[match.assessment.account_id]]
    ]
    return PolicyReach(
        len(affected), shown_accounts, _drop_counts(Counter(match.because for match in matches if match.because))
    )
