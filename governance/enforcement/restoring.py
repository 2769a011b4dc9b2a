"""What comes back when a restriction expires or is undone, and what does not any more."""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from governance.audit.actions import Happening, record_all
from governance.audit.actor import Actor
from governance.enforcement.activation import activate, active, new_restriction, publish, subject_of
from governance.enforcement.models import Change, Restriction
from governance.enforcement.names import KINDS, Target, told_names
from governance.enforcement.replaced import lifted_over, restorable, set_holds
from governance.enforcement.terms import Terms


def restore(
    ended: Sequence[Restriction], superseded: Sequence[Restriction] = (), *, by: Actor, now: datetime
) -> list[Restriction]:
    """Put back in force what these had replaced, and what they had superseded, with the terms it had: of one kind on
    one target the newest.

    Not where something of the same kind is in force on the same target by now.
    """
    before = [(one.number, one) for one in superseded if not is_over(one, now=now)] + _replaced_by(ended, now=now)
    if not before:
        return []
    taken = {
        (one.target, one.kind) for one in active(Restriction.objects.filter(against([one.target for _, one in before])))
    }
    restored = []
    for ended_number, one in sorted(before, key=lambda pair: -pair[1].number):
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
    restored.reverse()
    activate(restored, by=by, now=now)
    return restored


def _replaced_by(ended: Sequence[Restriction], *, now: datetime) -> list[tuple[int, Restriction]]:
    """Of each the last before it that would be restored and did not run out, beside its own number."""
    found = []
    for one, chain in zip(ended, restorable(ended), strict=True):
        running = [before for before in chain if not is_over(before, now=now)]
        if running:
            found.append((one.number, running[0]))
    return found


def supersede_replaced(numbers: Collection[int], *, origin: str, by: Actor, now: datetime) -> list[Restriction]:
    """Keep those of these that were replaced from being restored, until the decision `origin` is undone."""
    waiting = Restriction.objects.filter(number__in=numbers, superseded_by="", withdrawn_at=None)
    replaced = list(_with_target(waiting.filter(ending=Restriction.Ending.REPLACED)))
    if not replaced:
        return []
    Restriction.objects.filter(number__in=[one.number for one in replaced]).update(superseded_by=origin)
    _record("restriction.superseded", replaced, by=by, now=now)
    return replaced


def forget_superseding(origins: Collection[str]) -> list[Restriction]:
    """Let what these decisions took the place of be restored again, and return it."""
    marked = Restriction.objects.filter(superseded_by__in=origins)
    found = list(_with_target(marked))
    if not found:
        return []
    over = lifted_over([one.number for one in found])
    marked.update(superseded_by="")
    return [one for one in found if one.withdrawn_at is None and one.number not in over]


def withdraw(
    restrictions: QuerySet[Restriction], withdrawal: Restriction.Ending, *, note: str, by: Actor, now: datetime
) -> list[Restriction]:
    """Keep those that were replaced from being restored: once they were lifted themselves, they are over."""
    live = Restriction.objects.filter(ended_at=None, kind=OuterRef("kind"))
    can_return = ~Q(superseded_by="")
    for column in KINDS.values():
        can_return |= Q(Exists(live.filter(**{column: OuterRef(column)})))
    replaced = restrictions.filter(can_return, withdrawn_at=None).exclude(ended_at=None)
    withdrawn = list(_with_target(replaced))
    if not withdrawn:
        return []
    Restriction.objects.filter(number__in=[one.number for one in withdrawn]).update(
        withdrawn_at=now, withdrawn_by=str(by), withdrawal=withdrawal
    )
    _record("restriction.withdrawn", withdrawn, by=by, now=now, note=note)
    return withdrawn


def hold_as_long(replaced: Sequence[Restriction], *, now: datetime) -> None:
    """Set again how long what took the place of these holds, and tell gateways. Whoever calls has taken the turn."""
    if not replaced:
        return
    same = against([one.target for one in replaced]) & Q(kind__in={one.kind for one in replaced})
    live = active(Restriction.objects.filter(same))
    before = [one.holds_until for one in live]
    set_holds(live)
    changed = [one for one, until in zip(live, before, strict=True) if one.holds_until != until]
    Restriction.objects.bulk_update(changed, ["holds_until"])
    publish(Change.What.COVERS, changed, now=now, names=told_names([one.number for one in changed]))


def would_be_restored(restrictions: QuerySet[Restriction]) -> list[int]:
    """The numbers of those of these that were replaced, and are restored when what took their place expires."""
    replaced = restrictions.filter(ending=Restriction.Ending.REPLACED, withdrawn_at=None, superseded_by="")
    waiting = list(_with_target(replaced))
    if not waiting:
        return []
    same = against([one.target for one in waiting]) & Q(kind__in={one.kind for one in waiting})
    chains = restorable(list(Restriction.objects.filter(same, ended_at=None)))
    reached = {one.number for chain in chains for one in chain}
    return [one.number for one in waiting if one.number in reached]


def _with_target(restrictions: QuerySet[Restriction]) -> QuerySet[Restriction]:
    return restrictions.select_related("account", "key__account", "organisation").order_by("number")


def _record(verb: str, restrictions: Sequence[Restriction], *, by: Actor, now: datetime, note: str = "") -> None:
    noted = {"note": note} if note else {}
    happenings = [
        Happening(verb, subject_of(one), {"number": one.number, "kind": one.kind} | noted) for one in restrictions
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
