"""What policies did, or would have done, beside what staff decided about the same accounts."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from django.db.models import OuterRef, Subquery

from governance.enforcement.models import PolicyOutcome, Restriction
from governance.review.models import Case, Decision
from governance.risk.models import PolicyVersion

LOOKED_BACK: Final = timedelta(days=30)
SHOWN: Final = 20
ORDER: Final = (PolicyVersion.State.LIVE, PolicyVersion.State.SHADOW, PolicyVersion.State.RETIRED)


class Wrong(NamedTuple):
    """An account that a policy would have restricted, and that staff let go or was milder with."""

    account: str
    rule: str
    kind: str
    decided: str
    case: UUID


class Compared(NamedTuple):
    """A policy beside staff, over the last 30 days: how often staff did as much or more, less, or let go."""

    policy: PolicyVersion
    outcomes: int
    as_much: int
    milder: int
    let_go: int
    open: int
    held: int
    done: int
    wrong: list[Wrong]

    @property
    def decided(self) -> int:
        return self.as_much + self.milder + self.let_go

    @property
    def agreed(self) -> int | None:
        """In percent of what staff has decided."""
        return round(100 * self.as_much / self.decided) if self.decided else None


def compared(*, now: datetime) -> list[Compared]:
    """The policies in use and the last few retired ones, in three queries."""
    known = PolicyVersion.objects.select_related("proposed_by", "approved_by")[:SHOWN]
    policies = sorted(known, key=lambda policy: ORDER.index(policy.state))
    newest = Decision.objects.filter(case__account=OuterRef("account"), decided_at__gt=now - LOOKED_BACK)
    case = Case.objects.filter(account=OuterRef("account")).order_by("-opened_at")
    outcomes = (
        PolicyOutcome.objects.filter(policy__in=policies, at__gt=now - LOOKED_BACK)
        .select_related("account")
        .annotate(
            decided=Subquery(newest.order_by("-decided_at").values("action")[:1]), case=Subquery(case.values("pk")[:1])
        )
        .order_by("-at")
    )
    by_policy: dict[int, list[PolicyOutcome]] = {policy.pk: [] for policy in policies}
    for outcome in outcomes:
        by_policy[outcome.policy_id].append(outcome)
    return [_compared(policy, by_policy[policy.pk]) for policy in policies]


def _compared(policy: PolicyVersion, outcomes: list[PolicyOutcome]) -> Compared:
    counts: Counter[str] = Counter()
    wrong: list[Wrong] = []
    for outcome in outcomes:
        decided, case = outcome.decided, outcome.case  # type: ignore[attr-defined] # annotated
        verdict = _verdict(outcome.kind, decided)
        counts[verdict] += 1
        counts[outcome.state] += 1
        if verdict in {"let_go", "milder"} and len(wrong) < SHOWN:
            wrong.append(Wrong(outcome.account.external_id, outcome.rule, outcome.kind, decided, case))
    return Compared(
        policy=policy,
        outcomes=len(outcomes),
        as_much=counts["as_much"],
        milder=counts["milder"],
        let_go=counts["let_go"],
        open=counts["open"],
        held=counts[PolicyOutcome.State.HELD],
        done=counts[PolicyOutcome.State.DONE],
        wrong=wrong,
    )


def _verdict(kind: str, decided: str | None) -> str:
    if decided is None:
        return "open"
    if decided == Decision.Action.DISMISS:
        return "let_go"
    return "as_much" if Restriction.strength(decided) >= Restriction.strength(kind) else "milder"
