"""Restrictions by policy: planned for every assessment that a rule fits, and applied once their delay has passed.

At most so many an hour (caps.py), and none while the kill switch is off (kill_switch.py).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from random import SystemRandom
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet

from governance.audit.actions import audit_log_lock
from governance.audit.actor import Actor
from governance.detection.models import Assessment
from governance.detection.thresholds import Response
from governance.platform.locks import Lock, advisory_lock, lock_until_commit
from governance.platform.transactions import retried_transaction
from governance.policies.caps import HourlyCap
from governance.policies.evaluation import (
    LICENSED,
    EvaluationContext,
    RuleMatch,
    StaffCeilings,
    match_newest_assessments,
)
from governance.policies.kill_switch import are_policies_off
from governance.policies.models import PolicyOutcome, PolicyVersion
from governance.policies.rules import PolicyFile, Rule
from governance.policies.versions import get_policy_file, policies_in_use
from governance.restrictions.actions import restrict_all
from governance.restrictions.models import Restriction
from governance.restrictions.terms import Terms, parse_terms

State = PolicyOutcome.State
BATCH_SIZE: Final = 100
Random = Callable[[], float]
RANDOM: Final[Random] = SystemRandom().random


# Planning ------------------------------------------------------------------------------------------------------------


@retried_transaction
def evaluate_policies(
    assessments: Sequence[Assessment], *, staff_ceilings: StaffCeilings, now: datetime, random: Random = RANDOM
) -> list[int]:
    """Store the outcomes of the live policy and of those in shadow mode for these assessments, in the caller's
    transaction. Return the primary keys of these policies.

    Only assessments that open a case count. An outcome of the live policy is planned, or dropped with the reason; a
    policy in shadow mode gets outcomes that have no effect, with the same reasons.
    """
    # Held until this transaction ends, so that `match_newly_live_policy` does not run without seeing these assessments.
    lock_until_commit(Lock.POLICY_MATCHING, shared=True)
    policies = policies_in_use()
    suspects = [one for one in assessments if one.response == Response.CASE and not one.licensed]
    if policies and suspects:
        context = EvaluationContext.of(suspects, staff_ceilings=staff_ceilings, now=now)
        for version, policy in policies:
            _store_matches(version, policy, context.matches(policy, suspects), now=now, random=random)
    return [version.pk for version, _ in policies]


@retried_transaction
def match_newly_live_policy(*, staff_ceilings: StaffCeilings, now: datetime, random: Random = RANDOM) -> None:
    """Match a policy that has just gone live with the newest assessment of every account, once.

    What it saw in shadow mode is planned too. From then on `evaluate_policies` matches it with each new assessment.
    """
    if not _unmatched_policies().exists():
        return
    lock_until_commit(Lock.POLICY_MATCHING)
    version = _unmatched_policies().select_for_update(no_key=True).first()
    if version is not None and (policy := get_policy_file(version)) is not None:
        matches = match_newest_assessments(policy, staff_ceilings=staff_ceilings, now=now)
        _store_matches(version, policy, matches, now=now, random=random)
        version.matched_at = now
        version.save(update_fields=["matched_at"])


def _unmatched_policies() -> QuerySet[PolicyVersion]:
    return PolicyVersion.objects.filter(state=PolicyVersion.State.LIVE, matched_at=None)


def _store_matches(
    version: PolicyVersion, policy: PolicyFile, matches: Sequence[RuleMatch], *, now: datetime, random: Random
) -> None:
    """Store matches that are new. An outcome that was dropped is looked at again; any other stays as it is."""
    live = version.state == PolicyVersion.State.LIVE
    known = PolicyOutcome.objects.filter(policy=version, account__in=[match.assessment.account_id for match in matches])
    known = known.exclude(state=State.SHADOW) if live else known.filter(state=State.SHADOW)
    before = {(outcome.account_id, outcome.kind): outcome for outcome in known}
    new, changed = [], []
    for match in matches:
        kind = match.rule.action
        outcome = before.get((match.assessment.account_id, kind))
        if outcome is None:
            outcome = PolicyOutcome(policy=version, account_id=match.assessment.account_id, kind=kind, at=now)
            new.append(outcome)
        elif outcome.state in {State.DROPPED, State.SHADOW} and outcome.because not in {"", match.because}:
            changed.append(outcome)
        else:
            continue
        _fill(outcome, match, policy, live=live, now=now, random=random)
    PolicyOutcome.objects.bulk_create(new, ignore_conflicts=True)
    PolicyOutcome.objects.bulk_update(
        changed, ["assessment", "rule", "terms", "state", "at", "due_at", "settled_at", "because"]
    )


def _fill(
    outcome: PolicyOutcome, match: RuleMatch, policy: PolicyFile, *, live: bool, now: datetime, random: Random
) -> None:
    outcome.assessment, outcome.rule, outcome.terms = match.assessment, match.rule.name, _terms_of_rule(match.rule)
    if not match.because:
        outcome.at = now
    outcome.because = match.because
    outcome.due_at = policy.due_at(now=now, chance=random()) if live else now
    if live:
        outcome.state = State.DROPPED if match.because else State.PLANNED
        outcome.settled_at = now if match.because else None
    else:
        outcome.state = State.SHADOW


def _terms_of_rule(rule: Rule) -> dict[str, Any]:
    """Return what an outcome keeps of a rule, for the restriction."""
    return {
        "reason": rule.reason.value,
        "terms_clause": rule.terms_clause,
        "requests_per_minute": rule.requests_per_minute,
        "tokens_per_minute": rule.tokens_per_minute,
        "withheld": sorted(feature.value for feature in rule.withheld),
        "days": rule.days,
    }


# Applying ------------------------------------------------------------------------------------------------------------


def apply_due_outcomes(*, now: datetime, staff_ceilings: StaffCeilings) -> int:
    """Apply the planned outcomes of the live policy whose delay has passed. Return the number of new restrictions.

    Idempotent, and safe to run in several workers: each batch holds the policy lock. Drops outcomes for accounts that
    staff cleared, that are licensed, or that are restricted at least as strongly already. Holds outcomes above the
    hourly caps for a person.
    """
    match_newly_live_policy(staff_ceilings=staff_ceilings, now=now)
    number = 0
    while (restricted := _apply_batch(now=now, staff_ceilings=staff_ceilings)) is not None:
        number += restricted
    return number


def _apply_batch(*, now: datetime, staff_ceilings: StaffCeilings) -> int | None:
    """Apply up to BATCH_SIZE outcomes. Return how many restrictions that made; None if nothing is due, or if another
    worker holds the lock.

    The kill switch waits for this lock. Whatever else can forbid a restriction (a lift, a decision, a retired policy)
    is recorded in the log: with its lock held, none of them can happen between the check and the restriction.
    """
    with advisory_lock(Lock.POLICY_OUTCOMES) as acquired, transaction.atomic():
        if not acquired or are_policies_off() or not _due(now).exists():
            return None
        cap = HourlyCap.at(now)
        audit_log_lock()
        # A locked one is being planned by a scoring, which may wait for the log's lock that is held here: skip it.
        due = list(_due(now).select_for_update(of=("self",), skip_locked=True)[:BATCH_SIZE])
        if not due:
            return None
        allowed = _settle(due, cap, staff_ceilings=staff_ceilings, now=now)
        _restrict(allowed, now=now)
        PolicyOutcome.objects.bulk_update(due, ["state", "because", "settled_at", "restriction"])
        return len(allowed)


def _due(now: datetime) -> QuerySet[PolicyOutcome]:
    planned = PolicyOutcome.objects.select_related("policy__approved_by", "account")
    return planned.filter(state=State.PLANNED, due_at__lte=now).order_by("due_at", "pk")


def _settle(
    due: Sequence[PolicyOutcome], cap: HourlyCap, *, staff_ceilings: StaffCeilings, now: datetime
) -> list[PolicyOutcome]:
    """Mark each outcome as done, dropped or held for a person. Return those that are to be restricted."""
    accounts = {outcome.account_id for outcome in due}
    newest = list(Assessment.objects.filter(account__in=accounts).latest_of_each())
    context = EvaluationContext.of(newest, staff_ceilings=staff_ceilings, now=now)
    allowed = []
    for outcome in due:
        if because := _reason_to_drop(outcome, context):
            _mark(outcome, State.DROPPED, because, now=now)
        elif exceeded := cap.exceeded_by(outcome.account_id):
            _mark(outcome, State.HELD, exceeded, now=now)
        else:
            _mark(outcome, State.DONE, "", now=now)
            context.add_restriction(outcome.account_id, outcome.kind)
            cap.add(outcome.account_id)
            allowed.append(outcome)
    return allowed


def _reason_to_drop(outcome: PolicyOutcome, context: EvaluationContext) -> str:
    policy = get_policy_file(outcome.policy)
    if outcome.policy.state != PolicyVersion.State.LIVE or policy is None:
        return "The policy is no longer live."
    if context.is_licensed(outcome.account_id):
        return LICENSED
    rule = context.rule_for(policy, outcome.account_id)
    if rule is None or Restriction.strength(rule.action) < Restriction.strength(outcome.kind):
        return "No rule of the policy matches the account any longer."
    return context.reason_to_drop(outcome.kind, outcome.account_id)


def _mark(outcome: PolicyOutcome, state: PolicyOutcome.State, because: str, *, now: datetime) -> None:
    outcome.state, outcome.because, outcome.settled_at = state, because, now


def _restrict(outcomes: Iterable[PolicyOutcome], *, now: datetime) -> None:
    """Restrict the accounts of these outcomes: all that have the same terms at once."""
    alike: dict[tuple[Any, ...], list[PolicyOutcome]] = defaultdict(list)
    for outcome in outcomes:
        alike[outcome.policy_id, outcome.kind, repr(sorted(outcome.terms.items()))].append(outcome)
    for several in alike.values():
        targets = [(outcome.account, f"policy:{outcome.pk}") for outcome in several]
        by = Actor.system(f"policy {several[0].policy.version}")
        made = restrict_all(targets, _terms(several[0], now=now), by=by, now=now).restrictions
        for outcome, restriction in zip(several, made, strict=True):
            outcome.restriction = restriction


def _terms(outcome: PolicyOutcome, *, now: datetime) -> Terms:
    terms, approver = outcome.terms, outcome.policy.approved_by
    until = now + timedelta(days=terms["days"]) if terms["days"] else None
    return parse_terms(terms, kind=outcome.kind, until=until, approver=approver.name if approver else "")
