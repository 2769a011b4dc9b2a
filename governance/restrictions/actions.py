"""Put restrictions into force and end them. Staff, the API and the pipeline all use these functions."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Q, QuerySet

from accounts.models import Account
from governance.audit.actions import audit_log_lock
from governance.audit.actor import Actor
from governance.campaigns.models import Campaign
from governance.platform.transactions import retried_transaction
from governance.restrictions.activation import activate, deactivate, find_active, new_restriction
from governance.restrictions.conflicts import ConflictingKeyError, StartsLaterError, differences
from governance.restrictions.models import LiftedOrigin, Restriction
from governance.restrictions.names import Target
from governance.restrictions.publication import BATCH_SIZE, publish_ends
from governance.restrictions.queries import find_newest_numbers
from governance.restrictions.repeated_requests import find_earlier_restrictions, raise_if_other_scope
from governance.restrictions.restoration import (
    is_expired,
    match_targets,
    restore,
    supersede_replaced,
    update_effective_until,
    withdraw_from_restoration,
    withdraw_superseded,
)
from governance.restrictions.terms import Terms

Ending = Restriction.Ending
EXPIRY = Actor.system("expiry")
# Clocks differ by less.
CLOCKS_DIFFER = timedelta(minutes=1)


class RestrictResult(NamedTuple):
    """The restrictions that were asked for, one for each target in their order, and the numbers of the new ones."""

    restrictions: list[Restriction]
    new: set[int]


def restrict(
    target: Target, terms: Terms, *, unique_key: str, by: Actor, now: datetime, superseded: Collection[int] = ()
) -> Restriction:
    """Put a restriction in force against an account, a key or an organisation.

    The same `unique_key` again answers with the restriction that it made, or as which that was restored. Those of the
    same kind that would be in force at the same time are replaced, so that the newest terms count, and are restored
    when this one expires or is undone. One that begins only after this one is over is left as it is.

    Raises ConflictingKeyError where the key was used for another target or other terms, StartsLaterError where it would
    end another before it starts itself, ValueError for an impossible time.
    """
    return restrict_all([(target, unique_key)], terms, by=by, now=now, superseded=superseded).restrictions[0]


def restrict_campaign(
    campaign: Campaign,
    terms: Terms,
    *,
    unique_key: str,
    by: Actor,
    now: datetime,
    superseded: Collection[int] = (),
    accounts: Sequence[Account] | None = None,
) -> RestrictResult:
    """Restrict every account that belongs to the campaign now, or these `accounts`, each by a restriction of its own.

    So each can be appealed and lifted by itself, and accounts that join later are not restricted automatically. It
    works in batches, so that others do not wait long for the lock; where it was interrupted, the same `unique_key`
    again does the rest. Once all of it was lifted, it restricts no more accounts.
    """
    members = campaign_accounts(campaign) if accounts is None else accounts
    done = RestrictResult([], set())
    for start in range(0, len(members), BATCH_SIZE):
        targets = [(account, f"{unique_key}:{account.pk}") for account in members[start : start + BATCH_SIZE]]
        restrictions, new = restrict_all(
            targets, terms, by=by, now=now, campaign=campaign, origin=unique_key, superseded=superseded
        )
        done = RestrictResult(done.restrictions + restrictions, done.new | new)
    return done


def lift_campaign(campaign: Campaign, *, note: str, by: Actor, now: datetime) -> list[int]:
    """Lift what is in force on accounts because they belong, or belonged, to the campaign. Return the numbers.

    What was decided about it, and is not in force on all of its accounts yet, is put into force on no more of them.
    """
    return _lift_in_batches(campaign.restrictions.all(), note=note, by=by, now=now)


def _lift_in_batches(made: QuerySet[Restriction], *, note: str, by: Actor, now: datetime) -> list[int]:
    """Lift these, and what is restored of them in the meantime. Return the numbers."""
    origins = _stop_restricting(made)
    could_return = Q(ended_at=None) | Q(withdrawn_at=None) & (Q(ending=Ending.REPLACED) | ~Q(superseded_by=""))
    lifted: list[int] = []
    last = 0
    # In the order of numbers, so that what is restored in the meantime is lifted too.
    while batch := list(
        made.filter(could_return, origin__in=origins, number__gt=last)
        .order_by("number")
        .values_list("number", flat=True)[:BATCH_SIZE]
    ):
        lifted += lift_all(batch, note=note, by=by, now=now)
        last = batch[-1]
    return lifted


@retried_transaction
def _stop_restricting(made: QuerySet[Restriction]) -> set[str]:
    """Mark all for which these were made as lifted. Return the origins."""
    audit_log_lock()
    origins = set(made.order_by().values_list("origin", flat=True).distinct())
    LiftedOrigin.objects.add(origins)
    return origins


def campaign_accounts(campaign: Campaign) -> list[Account]:
    """Return the accounts that would be restricted with the campaign now."""
    return list(Account.objects.filter(memberships__in=campaign.members.current()).order_by("external_id"))


@retried_transaction
def restrict_all(
    targets: Sequence[tuple[Target, str]],
    terms: Terms,
    *,
    by: Actor,
    now: datetime,
    campaign: Campaign | None = None,
    origin: str = "",
    superseded: Collection[int] = (),
) -> RestrictResult:
    """`restrict` for many targets, each with its unique key, in one transaction: all or none.

    `origin` is what they have in common, if it is not the unique key. `superseded` are the numbers of restrictions
    which those of the same target and kind do not replace for a time, but take the place of; `supersede` ends the
    others. Of a campaign, once all of that origin was lifted, only those are answered that were made before.
    """
    if terms.until is not None and terms.until <= terms.start(now):
        raise ValueError("A restriction must end after it starts.")
    audit_log_lock()
    raise_if_other_scope({origin} if origin else {unique_key for _, unique_key in targets}, targets[0][0], campaign)
    known = find_earlier_restrictions([unique_key for _, unique_key in targets])
    for target, unique_key in targets:
        if (earlier := known.get(unique_key)) is not None:
            changed = differences(earlier.restriction, target, terms, made_at=earlier.made_at)
            if changed:
                raise ConflictingKeyError(earlier.restriction, changed)
    fresh = {unique_key: target for target, unique_key in targets if unique_key not in known}
    if campaign is not None and LiftedOrigin.objects.has(origin):
        fresh = {}
    ended = _replace_active([*fresh.values()], terms, superseded, origin=origin or targets[0][1], by=by, now=now)
    replaced: dict[Target, list[int]] = defaultdict(list)
    for one in ended:
        is_over_for_good = one.superseded_by or one.ending == Ending.EXPIRED
        replaced[one.target] += one.replaced_numbers if is_over_for_good else [one.number]
    made = [
        new_restriction(
            target,
            terms,
            origin=origin or unique_key,
            unique_key=unique_key,
            author=str(by),
            campaign=campaign.pk if campaign else None,
            replaces=replaced[target],
            now=now,
        )
        for unique_key, target in fresh.items()
    ]
    activate(made, by=by, now=now)
    publish_ends(ended, now=now)
    by_key = {unique_key: one.newest for unique_key, one in known.items()}
    by_key |= {restriction.unique_key: restriction for restriction in made}
    restrictions = [by_key[unique_key] for _, unique_key in targets if unique_key in by_key]
    return RestrictResult(restrictions, {restriction.number for restriction in made})


@retried_transaction
def supersede(
    numbers: Collection[int],
    *,
    origin: str,
    ending: Restriction.Ending,
    by: Actor,
    now: datetime,
    note: str = "",
) -> list[Restriction]:
    """End what the decision `origin` takes the place of, as far as it is in force or would be restored. Return what was
    in force; undoing the decision restores it. What that had replaced, and the decision leaves alone, is restored.
    """
    if not numbers:
        return []
    audit_log_lock()
    live = find_active(Restriction.objects.filter(number__in=numbers))
    deactivate(live, ending, by=by, now=now, note=note, superseded_by=origin)
    replaced = supersede_replaced(numbers, origin=origin, by=by, now=now)
    restore(live, by=by, now=now)
    publish_ends(live, now=now)
    update_effective_until(replaced, by=by, now=now)
    return live


def lift(restriction: Restriction, *, note: str, by: Actor, now: datetime) -> bool:
    """End a restriction, or what was restored of it, before its time; False where it had ended already."""
    return bool(lift_all([restriction.number], note=note, by=by, now=now))


@retried_transaction
def lift_all(numbers: Iterable[int], *, note: str, by: Actor, now: datetime) -> list[int]:
    """`lift` for many, in one transaction; the numbers of those that had not ended already.

    Of what was restored the newest is lifted, under its own number. What they had replaced or superseded stays ended,
    and what was replaced itself is not restored any more: a lifted restriction is over. One account of a campaign can
    be lifted by itself; any other restriction is all that was decided, or asked for.
    """
    audit_log_lock()
    wanted = Restriction.objects.filter(number__in=find_newest_numbers(list(numbers)).values())
    withdrawn = withdraw_from_restoration(wanted, Ending.LIFTED, note=note, by=by, now=now)
    live = find_active(wanted)
    over = withdraw_superseded([*withdrawn, *live], note=note, by=by, now=now)
    deactivate(live, Ending.LIFTED, by=by, now=now, note=note)
    LiftedOrigin.objects.add({one.origin for one in (*withdrawn, *live) if one.campaign_id is None})
    publish_ends(live, now=now)
    update_effective_until(withdrawn + over, by=by, now=now)
    return [restriction.number for restriction in live]


def lift_origin(origin: str, *, note: str, by: Actor, now: datetime) -> list[int]:
    """Lift all that was put into force for a decision or request, and what is left of it, in batches. Return the
    numbers of those that had not ended already. Done again it does what was left where it was interrupted.
    """
    return _lift_in_batches(Restriction.objects.filter(origin=origin), note=note, by=by, now=now)


def end_expired(*, now: datetime) -> int:
    """End restrictions that have expired, and return how many. The check lets requests through from that moment on.

    Works in batches, so that others do not wait long for the lock.
    """
    ended = 0
    while batch := _end_expired_batch(now=now):
        ended += batch
    return ended


@retried_transaction
def _end_expired_batch(*, now: datetime) -> int:
    audit_log_lock()
    over = Restriction.objects.overdue(at=now)
    # One that starts when another ends does so by the clock of the gateway, which must not receive the end too early.
    waiting = over.followed_since(since=now - CLOCKS_DIFFER).filter(expires_at__gt=now - CLOCKS_DIFFER)
    first = over.exclude(number__in=waiting.values("number")).order_by("expires_at").values("number")[:BATCH_SIZE]
    overdue = find_active(Restriction.objects.filter(number__in=first))
    deactivate(overdue, Ending.EXPIRED, by=EXPIRY, now=now)
    restore(overdue, by=EXPIRY, now=now)
    publish_ends(overdue, now=now)
    return len(overdue)


def _replace_active(
    targets: Sequence[Target],
    terms: Terms,
    superseded: Collection[int],
    *,
    origin: str,
    by: Actor,
    now: datetime,
) -> list[Restriction]:
    """End what of this kind would be in force on the targets at the same time, and return it; what begins only
    afterwards stays as it is. Raises StartsLaterError.
    """
    if not targets:
        return []
    start = terms.start(now)
    live = find_active(Restriction.objects.filter(match_targets(targets), kind=terms.kind))
    met = [one for one in live if one.overlaps(start, terms.until) or not one.overlaps(now, None)]
    over = [one for one in met if is_expired(one, now=now)]
    running = [one for one in met if one not in over]
    cut_short = [one for one in met if one.in_force_from < start and one.overlaps(now, None)]
    if cut_short and start > now:
        raise StartsLaterError(cut_short[0])
    for_good = [one for one in running if one.number in superseded]
    for_a_time = [one for one in running if one.number not in superseded]
    deactivate(over, Ending.EXPIRED, by=EXPIRY, now=now)
    deactivate(for_good, Ending.REPLACED, by=by, now=now, superseded_by=origin)
    deactivate(for_a_time, Ending.REPLACED, by=by, now=now)
    return met
