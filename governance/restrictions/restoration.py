"""Restore what a restriction had replaced when it expires or is undone, and keep the rest from being restored."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from governance.audit.actions import NewEntry, record_all
from governance.audit.actor import Actor
from governance.audit.verbs import Verb
from governance.restrictions.activation import (
    activate,
    deactivate,
    find_active,
    new_restriction,
    publish_changes,
    subject_of,
)
from governance.restrictions.models import Change, CoveredAccount, LiftedOrigin, Restriction
from governance.restrictions.models.restriction import RESTORED
from governance.restrictions.names import TARGET_COLUMNS, Target, unchanged_names
from governance.restrictions.publication import publish_ends
from governance.restrictions.replacement_chains import (
    find_replaced_by_lifted,
    list_restorations_after_gap,
    remove_from_chains,
    restorable_chains,
    set_effective_until,
)

LIFTED = Restriction.Ending.LIFTED


def restore(
    ended: Sequence[Restriction], superseded: Sequence[Restriction] = (), *, by: Actor, now: datetime
) -> list[Restriction]:
    """Put back in force what these had replaced, and what they had superseded, with the terms it had: of one kind on
    one target the newest, and what begins after that one is over.

    Not where something of the same kind is in force on the same target when it would begin: what was superseded is
    restored after that then.
    """
    _put_into_chains(superseded, now=now)
    before = [(one.number, one) for one in superseded]
    before += [
        (one.number, earlier) for one, chain in zip(ended, restorable_chains(ended), strict=True) for earlier in chain
    ]
    return _put_back(before, by=by, now=now)


def _put_back(before: Iterable[tuple[int, Restriction]], *, by: Actor, now: datetime) -> list[Restriction]:
    """Restore these, the newest first, each as far as it still may be; each stands beside the number of what it gives
    way to no longer. What was to begin while they are in force is replaced by them for that time.
    """
    waiting = {one.number: (number, one) for number, one in before if not is_expired(one, now=now)}
    if not waiting:
        return []
    same = match_targets([one.target for _, one in waiting.values()])
    taken: dict[tuple[Target, str], list[tuple[datetime, datetime | None]]] = defaultdict(list)
    live = find_active(Restriction.objects.filter(same))
    for other in live:
        taken[other.target, other.kind].append((other.in_force_from, other.effective_until))
    restored, put_back, met = [], [], list[Restriction]()
    for _, (ended_number, one) in sorted(waiting.items(), reverse=True):
        starts_at, others = one.terms.start(now), taken[one.target, one.kind]
        if any(start <= starts_at and (end is None or starts_at < end) for start, end in others):
            continue
        others.append((starts_at, one.expires_at))
        put_back.append(one)
        planned = [
            other
            for other in live
            if (other.target, other.kind) == (one.target, one.kind) and other.overlaps(starts_at, one.expires_at)
        ]
        met += planned
        restored.append(
            new_restriction(
                one.target,
                one.terms,
                origin=one.origin,
                unique_key=f"{RESTORED}{ended_number}:{one.number}",
                author=one.author,
                campaign=one.campaign_id,
                replaces=[*one.replaced_numbers, *(other.number for other in planned)],
                now=now,
            )
        )
    restored.reverse()
    _forget_replaced([one.number for one in put_back], restored)
    deactivate(met, Restriction.Ending.REPLACED, by=by, now=now)
    activate(restored, by=by, now=now)
    publish_ends(met, now=now)
    return restored


def _put_into_chains(superseded: Sequence[Restriction], *, now: datetime) -> None:
    """Let what is in force now instead of these have replaced them. The caller sets its `effective_until` again."""
    waiting = [one for one in superseded if not is_expired(one, now=now)]
    if not waiting:
        return
    same = match_targets([one.target for one in waiting]) & Q(kind__in={one.kind for one in waiting})
    live = [one for one in find_active(Restriction.objects.filter(same)) if one.overlaps(now, None)]
    for above, chain in zip(live, restorable_chains(live), strict=True):
        known = {above.number, *(one.number for one in chain)}
        above.replaced_numbers += [
            one.number
            for one in waiting
            if (one.target, one.kind) == (above.target, above.kind)
            and one.number not in known
            and above.overlaps(max(one.starts_at, now), one.expires_at)
        ]
    Restriction.objects.bulk_update(live, ["replaced_numbers"])


def end_returned(superseded: Sequence[Restriction], *, by: Actor, now: datetime) -> list[Restriction]:
    """End what is in force only since these gave way to a decision: it is replaced by them again. Return it; the caller
    restores these, and then publishes the ends.
    """
    waiting = {one.number: one for one in superseded if not is_expired(one, now=now)}
    if not waiting:
        return []
    same = match_targets([one.target for one in waiting.values()]) & Q(unique_key__startswith=RESTORED)
    above = {one: waiting.get(_returned_after(one)) for one in find_active(Restriction.objects.filter(same))}
    returned = {one: instead for one, instead in above.items() if instead is not None}
    deactivate(list(returned), Restriction.Ending.REPLACED, by=by, now=now)
    for one, instead in returned.items():
        instead.replaced_numbers.append(one.number)
    Restriction.objects.bulk_update(returned.values(), ["replaced_numbers"])
    return list(returned)


def _returned_after(restored: Restriction) -> int:
    """Return the number of the restriction after whose end this one was restored."""
    return int(restored.unique_key.removeprefix(RESTORED).partition(":")[0])


def _forget_replaced(numbers: Sequence[int], restored: Sequence[Restriction]) -> None:
    """What is in force again, or will begin by itself, is restored by nothing else any more."""
    for one in restored:
        one.replaced_numbers = [number for number in one.replaced_numbers if number not in numbers]
    remove_from_chains(numbers)


def supersede_replaced(numbers: Collection[int], *, origin: str, by: Actor, now: datetime) -> list[Restriction]:
    """Keep those of these that were replaced from being restored, until the decision `origin` is undone."""
    waiting = Restriction.objects.filter(number__in=numbers, superseded_by="", withdrawn_at=None)
    replaced = list(_with_target(waiting.filter(ending=Restriction.Ending.REPLACED)))
    if not replaced:
        return []
    Restriction.objects.filter(number__in=[one.number for one in replaced]).update(superseded_by=origin)
    _record(Verb.RESTRICTION_SUPERSEDED, replaced, by=by, now=now)
    return replaced


def pass_on_superseded(origin: str, later: Mapping[int, str], *, by: Actor, now: datetime) -> None:
    """Let what the decision `origin` took the place of on these accounts count as superseded by later decisions, whose
    origins stand beside their primary keys: it is restored only where these are undone too.
    """
    passed_on = list(_with_target(Restriction.objects.filter(superseded_by=origin, account__in=later)))
    for one in passed_on:
        one.superseded_by = later[one.account_id or 0]
    Restriction.objects.bulk_update(passed_on, ["superseded_by"])
    _record(Verb.RESTRICTION_SUPERSEDED, passed_on, by=by, now=now)


def clear_superseded_by(superseded: QuerySet[Restriction], *, by: Actor, now: datetime) -> list[Restriction]:
    """Let these, which decisions took the place of, be restored again, and return those that may be."""
    found = list(_with_target(superseded))
    if not found:
        return []
    numbers = [one.number for one in found]
    over = find_replaced_by_lifted(numbers) | _withdraw_lifted_with_organisation(numbers, by=by, now=now)
    Restriction.objects.filter(number__in=numbers).update(superseded_by="")
    return [one for one in found if one.withdrawn_at is None and one.number not in over]


def withdraw_from_restoration(
    restrictions: QuerySet[Restriction], withdrawal: Restriction.Ending, *, note: str, by: Actor, now: datetime
) -> list[Restriction]:
    """Keep those that were replaced from being restored: once they were lifted themselves, they are over."""
    live = Restriction.objects.filter(ended_at=None, kind=OuterRef("kind"))
    can_return = ~Q(superseded_by="")
    for column in TARGET_COLUMNS.values():
        can_return |= Q(Exists(live.filter(**{column: OuterRef(column)})))
    replaced = restrictions.filter(can_return, withdrawn_at=None).exclude(ended_at=None)
    withdrawn = list(_with_target(replaced))
    if not withdrawn:
        return []
    Restriction.objects.filter(number__in=[one.number for one in withdrawn]).update(
        withdrawn_at=now, withdrawn_by=str(by), withdrawal=withdrawal
    )
    _record(Verb.RESTRICTION_WITHDRAWN, withdrawn, by=by, now=now, note=note)
    return withdrawn


def withdraw_superseded(lifted: Sequence[Restriction], *, note: str, by: Actor, now: datetime) -> list[Restriction]:
    """Keep from being restored what decisions took the place of by these, which were lifted: their accounts are to be
    free, whether such a decision is undone later or is being undone. Return it.
    """
    withdrawn: list[Restriction] = []
    while lifted:
        instead = {(one.origin, one.target) for one in lifted}
        same = match_targets([target for _, target in instead])
        superseded = _with_target(Restriction.objects.filter(same, superseded_by__in={origin for origin, _ in instead}))
        over = [one.number for one in superseded if (one.superseded_by, one.target) in instead]
        lifted = withdraw_from_restoration(
            Restriction.objects.filter(number__in=over), LIFTED, note=note, by=by, now=now
        )
        withdrawn += lifted
    return withdrawn


def _withdraw_lifted_with_organisation(numbers: Collection[int], *, by: Actor, now: datetime) -> set[int]:
    """Keep from being restored what is on accounts of an organisation if what a decision put into force on the
    organisation instead of it was lifted. Return their numbers.
    """
    instead = Restriction.objects.filter(origin=OuterRef(OuterRef("superseded_by")), organisation__isnull=False)
    covered = CoveredAccount.objects.filter(account=OuterRef("account"), restriction__in=instead.values("pk"))
    lifted = LiftedOrigin.objects.values("origin")
    freed = Restriction.objects.filter(Exists(covered), number__in=numbers, superseded_by__in=lifted)
    note = "What covered its organisation was removed."
    withdrawn = withdraw_from_restoration(freed, LIFTED, note=note, by=by, now=now)
    withdraw_superseded(withdrawn, note=note, by=by, now=now)
    return {one.number for one in withdrawn}


def update_effective_until(replaced: Sequence[Restriction], *, by: Actor, now: datetime) -> None:
    """Set `effective_until` again of what took the place of these, and tell gateways. What does not overlap with that
    any more is put back with its own time. The caller holds the lock of the log.
    """
    if not replaced:
        return
    same = match_targets([one.target for one in replaced]) & Q(kind__in={one.kind for one in replaced})
    live = find_active(Restriction.objects.filter(same))
    before = [one.effective_until for one in live]
    set_effective_until(live)
    changed = [one for one, until in zip(live, before, strict=True) if one.effective_until != until]
    Restriction.objects.bulk_update(changed, ["effective_until"])
    _put_back(list_restorations_after_gap(changed), by=by, now=now)
    publish_changes(Change.What.COVERS, changed, now=now, names=unchanged_names([one.number for one in changed]))


def _with_target(restrictions: QuerySet[Restriction]) -> QuerySet[Restriction]:
    return restrictions.select_related("account", "key__account", "organisation").order_by("number")


def _record(verb: Verb, restrictions: Sequence[Restriction], *, by: Actor, now: datetime, note: str = "") -> None:
    noted = {"note": note} if note else {}
    new_entries = [
        NewEntry(verb, subject_of(one), {"number": one.number, "kind": one.kind} | noted) for one in restrictions
    ]
    record_all(new_entries, by=by, now=now)


def match_targets(targets: Sequence[Target]) -> Q:
    condition = Q()
    for model, column in TARGET_COLUMNS.items():
        if pks := [target.pk for target in targets if isinstance(target, model)]:
            condition |= Q(**{f"{column}__in": pks})
    return condition


def match_targets_of(others: QuerySet[Restriction]) -> Q:
    """Match those that are against the same account, key or organisation as one of the others."""
    condition = Q()
    for column in TARGET_COLUMNS.values():
        condition |= Q(**{f"{column}__in": others.exclude(**{column: None}).order_by().values(column)})
    return condition


def is_expired(restriction: Restriction, *, now: datetime) -> bool:
    """Return True if it has expired, whether its end is stored or not."""
    return restriction.expires_at is not None and restriction.expires_at <= now
