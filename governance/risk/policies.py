"""Proposing policies, letting them go live, and retiring them."""

from datetime import datetime
from functools import lru_cache

from django.db import transaction

from governance.audit.actions import record
from governance.risk.automation import Policy, PolicyError, read_policy
from governance.risk.models import PolicyVersion
from governance.staff.models import User

State = PolicyVersion.State


class NotAllowedError(Exception):
    """Somebody may not do this, or not now; says why."""


@transaction.atomic
def propose(content: str, *, by: User, now: datetime) -> PolicyVersion:
    """A new policy, in the shadow: it records what it would do, and does nothing.

    Raises PolicyError for a file that is none, or whose version was used before.
    """
    version = read_policy(content).version
    if PolicyVersion.objects.filter(version=version).exists():
        raise PolicyError(f"The policy: version {version} was used before.")
    proposed = PolicyVersion.objects.create(version=version, content=content, proposed_at=now, proposed_by=by)
    record("policy.proposed", subject=("policy", version), by=by.actor, now=now, details={"content": content})
    return proposed


@transaction.atomic
def go_live(policy: PolicyVersion, *, by: User, now: datetime) -> None:
    """Let it restrict; the one that was live retires. Raises NotAllowedError for its own author, or if it retired."""
    locked = PolicyVersion.objects.select_for_update().get(pk=policy.pk)
    if locked.state != State.SHADOW:
        raise NotAllowedError(f"{locked} is {locked.get_state_display().lower()}.")
    if locked.proposed_by_id == by.pk:
        raise NotAllowedError("Somebody else than its author must let a policy go live.")
    for before in PolicyVersion.objects.select_for_update().filter(state=State.LIVE):
        _retire(before, by=by, now=now)
    locked.state, locked.live_since, locked.approved_by = State.LIVE, now, by
    locked.save(update_fields=["state", "live_since", "approved_by"])
    record("policy.went_live", subject=("policy", locked.version), by=by.actor, now=now)


@transaction.atomic
def retire(policy: PolicyVersion, *, by: User, now: datetime) -> None:
    locked = PolicyVersion.objects.select_for_update().get(pk=policy.pk)
    if locked.state != State.RETIRED:
        _retire(locked, by=by, now=now)


def _retire(policy: PolicyVersion, *, by: User, now: datetime) -> None:
    policy.state, policy.retired_at = State.RETIRED, now
    policy.save(update_fields=["state", "retired_at"])
    record("policy.retired", subject=("policy", policy.version), by=by.actor, now=now)


def in_use() -> list[tuple[PolicyVersion, Policy]]:
    """The live policy and those in the shadow."""
    used = PolicyVersion.objects.exclude(state=State.RETIRED).order_by("pk")
    return [(version, _read(version.content)) for version in used]


_read = lru_cache(maxsize=64)(read_policy)
