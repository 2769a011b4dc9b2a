"""Putting restrictions into force and ending them: staff, the API and the pipeline all come through here."""

from datetime import datetime

from django.db import transaction
from django.db.models import Max

from accounts.models import Account, ApiKey
from governance.audit.actions import record, take_turn
from governance.audit.actor import Actor
from governance.doorbell import ring
from governance.enforcement.models import Reason, Restriction

EXPIRY = Actor.system("expiry")


class ConflictingKeyError(Exception):
    """The unique key was used before, for something else."""

    def __init__(self, earlier: Restriction) -> None:
        super().__init__(f"This key was used before, for restriction {earlier.number}, which is another one.")
        self.earlier = earlier


@transaction.atomic
def restrict(
    target: Account | ApiKey,
    *,
    kind: Restriction.Kind,
    reason: Reason,
    unique_key: str,
    by: Actor,
    now: datetime,
    until: datetime | None = None,
    terms_clause: str = "",
    requests_per_minute: int | None = None,
) -> Restriction:
    """Put a restriction in force against an account or a key; the one function that does.

    The same `unique_key` again answers with the restriction that it made. One of the same kind that is in force
    already is replaced, so that the newest terms count. Until when: for ever, unless `until` says.

    Raises ConflictingKeyError where the key was used for another target or kind, ValueError for an impossible time.
    """
    if until is not None and until <= now:
        raise ValueError("A restriction must end after it starts.")
    take_turn()
    earlier = Restriction.objects.filter(unique_key=unique_key).first()
    on_account = isinstance(target, Account)
    aim = {"account": target if on_account else None, "key": None if on_account else target}
    if earlier is not None:
        if (earlier.account or earlier.key, earlier.kind) != (target, kind):
            raise ConflictingKeyError(earlier)
        return earlier
    Restriction.objects.overdue(at=now).filter(**aim, kind=kind).update(
        ended_at=now, ending=Restriction.Ending.EXPIRED, ended_by=str(EXPIRY)
    )
    Restriction.objects.filter(**aim, kind=kind, ended_at=None).update(
        ended_at=now, ending=Restriction.Ending.REPLACED, ended_by=str(by)
    )
    restriction = Restriction.objects.create(
        number=_next_number(),
        **aim,
        kind=kind,
        reason=reason,
        terms_clause=terms_clause,
        requests_per_minute=requests_per_minute,
        starts_at=now,
        expires_at=until,
        author=str(by),
        unique_key=unique_key,
    )
    record("restriction.created", subject=_subject(restriction), by=by, now=now, details=_details(restriction))
    ring("governance.tasks.deliver_restrictions")
    return restriction


@transaction.atomic
def lift(restriction: Restriction, *, note: str, by: Actor, now: datetime) -> bool:
    """End a restriction before its time; False where it had ended already."""
    take_turn()
    ended = Restriction.objects.filter(pk=restriction.pk, ended_at=None).update(
        ended_at=now, ending=Restriction.Ending.LIFTED, ended_by=str(by), ending_note=note
    )
    if not ended:
        return False
    details = {"number": restriction.number, "kind": restriction.kind, "note": note}
    record("restriction.lifted", subject=_subject(restriction), by=by, now=now, details=details)
    ring("governance.tasks.deliver_restrictions")
    return True


@transaction.atomic
def end_expired(*, now: datetime) -> int:
    """Note the end of restrictions whose time is over; the check has let them go at that very moment. How many."""
    take_turn()
    overdue = list(Restriction.objects.overdue(at=now).select_related("account", "key__account").order_by("number"))
    for restriction in overdue:
        Restriction.objects.filter(pk=restriction.pk).update(
            ended_at=restriction.expires_at, ending=Restriction.Ending.EXPIRED, ended_by=str(EXPIRY)
        )
        details = {"number": restriction.number, "kind": restriction.kind}
        record("restriction.expired", subject=_subject(restriction), by=EXPIRY, now=now, details=details)
    return len(overdue)


def _next_number() -> int:
    """Gapless and in commit order: whoever asks has taken the turn, and holds it until its transaction ends."""
    return (Restriction.objects.aggregate(last=Max("number"))["last"] or 0) + 1


def _subject(restriction: Restriction) -> tuple[str, str]:
    if restriction.account is not None:
        return "account", restriction.account.external_id
    assert restriction.key is not None  # the constraint restriction_has_one_target  # noqa: S101
    return "key", restriction.key.external_id


def _details(restriction: Restriction) -> dict[str, str | int | None]:
    return {
        "number": restriction.number,
        "kind": restriction.kind,
        "reason": restriction.reason,
        "terms_clause": restriction.terms_clause,
        "requests_per_minute": restriction.requests_per_minute,
        "expires_at": restriction.expires_at.isoformat() if restriction.expires_at else None,
        "unique_key": restriction.unique_key,
    }
