"""What comes back when a restriction expires or is undone, and what does not any more."""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from governance.audit.actions import Happening, record_all
from governance.audit.actor import Actor
from governance.enforcement.activation import activate, active, new_restriction, subject_of
from governance.enforcement.models import Restriction
from governance.enforcement.names import KINDS, Target
from governance.enforcement.terms import Terms


def restore(
    ended: Sequence[Restriction], superseded: Sequence[Restriction] = (), *, by: Actor, now: datetime
) -> list[Restriction]:
    """Put back in force what these had replaced, and what they had superseded, with the terms it had.

    Not where something of the same kind is in force on the same target by now.
    """
    before = [(one.number, one) for one in superseded] + _replaced_by(ended, now=now)
    if not before:
        return []
    taken = {
        (one.target, one.kind) for one in active(Restriction.objects.filter(against([one.target for _, one in before])))
    }
    restored = []
    for ended_number, one in before:
        if (one.target, one.kind) not in taken:
            taken.add((one.target, one.kind))
            restored.append(
                new_restriction(
                    one.target,
                    Terms.of(one),
                    origin=one.origin,
                    unique_key=f"again:{ended_number}",
                    author=one.author,
                    campaign=one.campaign_id,
                    replaces=one.replaces_id,
                    now=now,
                )
            )
    activate(restored, by=by, now=now)
    return restored


def _replaced_by(ended: Sequence[Restriction], *, now: datetime) -> list[tuple[int, Restriction]]:
    """Of each the last before it that neither ran out nor was withdrawn, beside its own number. A query for each step
    back, however many there are.
    """
    found: list[tuple[int, Restriction]] = []
    after = {one.replaces_id: one.number for one in ended if one.replaces_id is not None}
    while after:
        step = Restriction.objects.select_related("account", "key__account", "organisation").in_bulk(list(after))
        for number, one in step.items():
            if one.withdrawn_at is None and not is_over(one, now=now):
                found.append((after[number], one))
        found_for = {number for number, _ in found}
        after = {
            one.replaces_id: after[number]
            for number, one in step.items()
            if one.replaces_id is not None and after[number] not in found_for
        }
    return found


def superseded_by(origins: Collection[str], *, now: datetime) -> list[Restriction]:
    """What these decisions ended that may be restored."""
    found = Restriction.objects.filter(superseded_by__in=origins, withdrawn_at=None).order_by("number")
    return [one for one in found.select_related("account", "key__account", "organisation") if not is_over(one, now=now)]


def withdraw(restrictions: QuerySet[Restriction], *, note: str, by: Actor, now: datetime) -> None:
    """Keep those that were replaced from being restored: once they were lifted themselves, they are over."""
    live = Restriction.objects.filter(ended_at=None, kind=OuterRef("kind"))
    can_return = ~Q(superseded_by="")
    for column in KINDS.values():
        can_return |= Q(Exists(live.filter(**{column: OuterRef(column)})))
    replaced = restrictions.filter(can_return, withdrawn_at=None).exclude(ended_at=None)
    withdrawn = list(replaced.select_related("account", "key", "organisation").order_by("number"))
    if not withdrawn:
        return
    Restriction.objects.filter(number__in=[one.number for one in withdrawn]).update(withdrawn_at=now)
    noted = {"note": note} if note else {}
    happenings = [
        Happening("restriction.withdrawn", subject_of(one), {"number": one.number, "kind": one.kind} | noted)
        for one in withdrawn
    ]
    record_all(happenings, by=by, now=now)


def against(targets: Sequence[Target]) -> Q:
    aims = Q()
    for model, column in KINDS.items():
        if pks := [target.pk for target in targets if isinstance(target, model)]:
            aims |= Q(**{f"{column}__in": pks})
    return aims


def is_over(restriction: Restriction, *, now: datetime) -> bool:
    """Whether it has run out, be that noted or not."""
    return restriction.expires_at is not None and restriction.expires_at <= now
