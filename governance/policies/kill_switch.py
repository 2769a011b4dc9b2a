"""The kill switch: while it is off, no policy restricts anybody."""

from datetime import datetime

from governance.audit.actions import record
from governance.audit.verbs import Verb
from governance.platform.locks import Lock, lock_until_commit
from governance.platform.transactions import retried_transaction
from governance.policies.models import KillSwitch
from governance.staff.models import User

SUBJECT = ("policies", "all")


def are_policies_off() -> bool:
    return KillSwitch.objects.filter(off_since__isnull=False).exists()


@retried_transaction
def stop_policies(*, why: str, by: User, now: datetime) -> None:
    """Stop all policies until they are switched on again. Planned outcomes stay planned.

    Waits for a batch that is being applied: after this transaction has committed, no policy restricts anybody.
    """
    lock_until_commit(Lock.POLICY_OUTCOMES)
    KillSwitch.objects.update_or_create(pk=1, defaults={"off_since": now, "by": str(by.actor), "why": why})
    record(Verb.POLICIES_SWITCHED_OFF, subject=SUBJECT, by=by.actor, now=now, details={"why": why})


@retried_transaction
def resume_policies(*, by: User, now: datetime) -> None:
    KillSwitch.objects.update_or_create(pk=1, defaults={"off_since": None, "by": str(by.actor), "why": ""})
    record(Verb.POLICIES_SWITCHED_ON, subject=SUBJECT, by=by.actor, now=now)
