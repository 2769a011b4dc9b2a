"""Proposing policies, letting them go live, and retiring them."""

from collections.abc import Collection
from datetime import datetime, timedelta
from functools import lru_cache

from django.conf import settings
from django.db.models import F

from accounts.models import Account
from governance.audit.actions import record
from governance.audit.verbs import Verb
from governance.platform.transactions import retried_transaction
from governance.policies.models import PolicyVersion
from governance.policies.rules import PolicyError, PolicyFile, parse_policy
from governance.staff.models import User

State = PolicyVersion.State


class NotAllowedError(Exception):
    """Somebody may not do this, or not now; says why."""


class TooEarlyError(NotAllowedError):
    """The policy has not been in the shadow long enough, and no reason was given."""


@retried_transaction
def propose(content: str, *, by: User, now: datetime) -> PolicyVersion:
    """A new policy, in the shadow: it records what it would do, and does nothing.

    Raises PolicyError for an invalid file, for names that this installation does not know, and for a version that was
    used before.
    """
    policy = parse_policy(content)
    _check_names(policy)
    proposed, is_new = PolicyVersion.objects.get_or_create(
        version=policy.version, defaults={"content": content, "proposed_at": now, "proposed_by": by}
    )
    if not is_new:
        raise PolicyError(f"The policy: version {policy.version} already exists.")
    record(
        Verb.POLICY_PROPOSED, subject=("policy", proposed.version), by=by.actor, now=now, details={"content": content}
    )
    return proposed


def _check_names(policy: PolicyFile) -> None:
    """Compare the clauses and plans that a policy names with those that exist. Raises PolicyError.

    Plans come with the register of customers: while it names none, every plan is taken.
    """
    named = {plan for rule in policy.rules for plan in rule.plans}
    plans = Account.objects.order_by().exclude(plan="").values_list("plan", flat=True).distinct()
    missing = named - set(plans.filter(plan__in=named))
    known = sorted(plans) if missing else []
    for place, rule in enumerate(policy.rules, start=1):
        clause = rule.terms_clause
        if clause and clause not in settings.TERMS_CLAUSES:
            allowed = "; ".join(settings.TERMS_CLAUSES)
            raise PolicyError(f"Rule {place}: terms_clause “{clause}” does not exist. Allowed: {allowed}.")
        if known and (unknown := rule.plans & missing):
            names = ", ".join(sorted(unknown))
            raise PolicyError(f"Rule {place}: no account has the plan {names}. Known plans: {', '.join(known)}.")


@retried_transaction
def go_live(policy: PolicyVersion, *, by: User, now: datetime, early_because: str = "") -> None:
    """Let it restrict; the one that was live retires.

    `early_because` is the reason to do so before it was in the shadow for AUTOMATIC_SHADOW_HOURS.

    Raises NotAllowedError for its own author, where it is not in the shadow or cannot be read any more, TooEarlyError
    without a reason.
    """
    locked = PolicyVersion.objects.select_for_update(no_key=True).get(pk=policy.pk)
    if locked.state != State.SHADOW:
        raise NotAllowedError(f"{locked} is {locked.get_state_display().lower()}.")
    if locked.proposed_by_id == by.pk:
        raise NotAllowedError("Another person than its author must approve a policy.")
    if trouble := get_fault(locked):
        raise NotAllowedError(trouble)
    early = now < earliest_live_at(locked)
    if early and not early_because:
        raise TooEarlyError(
            f"A policy stays in shadow mode for {settings.AUTOMATIC_SHADOW_HOURS} h first. "
            "Enter a reason to go live earlier."
        )
    for before in PolicyVersion.objects.select_for_update(no_key=True).filter(state=State.LIVE):
        _retire(before, by=by, now=now)
    locked.state, locked.live_since, locked.approved_by = State.LIVE, now, by
    locked.save(update_fields=["state", "live_since", "approved_by"])
    details: dict[str, int | str] = {
        "shadow_minutes": (now - locked.proposed_at) // timedelta(minutes=1),
        "scorings": locked.scorings,
    }
    if early:
        details["early_because"] = early_because
    record(Verb.POLICY_WENT_LIVE, subject=("policy", locked.version), by=by.actor, now=now, details=details)


def earliest_live_at(policy: PolicyVersion) -> datetime:
    """When the policy has been in the shadow long enough to go live without a reason."""
    return policy.proposed_at + timedelta(hours=settings.AUTOMATIC_SHADOW_HOURS)


@retried_transaction
def retire(policy: PolicyVersion, *, by: User, now: datetime) -> None:
    locked = PolicyVersion.objects.select_for_update(no_key=True).get(pk=policy.pk)
    if locked.state != State.RETIRED:
        _retire(locked, by=by, now=now)


def _retire(policy: PolicyVersion, *, by: User, now: datetime) -> None:
    policy.state, policy.retired_at = State.RETIRED, now
    policy.save(update_fields=["state", "retired_at"])
    record(Verb.POLICY_RETIRED, subject=("policy", policy.version), by=by.actor, now=now)


def policies_in_use() -> list[tuple[PolicyVersion, PolicyFile]]:
    """The live policy and those in the shadow, without those that cannot be read any more (`get_fault`)."""
    used = PolicyVersion.objects.exclude(state=State.RETIRED).order_by("pk")
    return [(version, policy) for version in used if (policy := get_policy_file(version)) is not None]


def get_policy_file(version: PolicyVersion) -> PolicyFile | None:
    """What its file says; None where it is no valid policy any more."""
    read = _read(version.content)
    return read if isinstance(read, PolicyFile) else None


def get_fault(version: PolicyVersion) -> str:
    """Why a policy does nothing though it was proposed once: rules for files have become stricter since."""
    read = _read(version.content)
    return "" if isinstance(read, PolicyFile) else f"{read} Correct it and propose it as a new version."


@lru_cache(maxsize=64)
def _read(content: str) -> PolicyFile | str:
    """The policy, or what is wrong with it."""
    try:
        return parse_policy(content)
    except PolicyError as error:
        return str(error)


def count_scorings(policies: Collection[int], scorings: int) -> None:
    """Note that these policies were asked about so many scorings."""
    PolicyVersion.objects.filter(pk__in=policies).update(scorings=F("scorings") + scorings)
