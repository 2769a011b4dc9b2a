"""Decisions that the database lost and others still know: restricted again, and listed until a person has looked."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet

from accounts.actions import meet_accounts
from accounts.models import Account, ApiKey, Organisation
from governance.audit.actions import Happening, audit_log_lock, record_all
from governance.audit.actor import Actor
from governance.gateways.models import Gateway, LostDecision
from governance.restrictions.actions import lift, restrict_all
from governance.restrictions.activation import active
from governance.restrictions.models import FeedEpoch, Reason, Restriction
from governance.restrictions.names import Target
from governance.restrictions.restoring import against
from governance.restrictions.terms import StartsLaterError, Terms

# Of one gateway, that no person has looked at yet.
MOST_REPORTED: Final = 500
MOST_TARGET: Final = 220


@dataclass(frozen=True, slots=True)
class Lost:
    """A restriction as gateways were told of it, or with `ended` the end of one that the database has in force."""

    number: int
    told: Mapping[str, Any]
    ended: bool = False

    @property
    def what(self) -> LostDecision.What:
        return LostDecision.What.ENDED if self.ended else LostDecision.What.BEGAN

    @property
    def target(self) -> str:
        """Whom it is against, with the kind before it; only the kind where that is not told."""
        kind = str(self.told.get("against", ""))
        return f"{kind} {next(iter(_names(self.told, kind)), '')}"[:MOST_TARGET].strip()


class CannotRestrictError(Exception):
    """A lost restriction cannot be put into force again: whom it is against is not in the register, or it is over."""


def recover(epoch: FeedEpoch, lost: Iterable[Lost], *, by: Actor, now: datetime) -> list[LostDecision]:
    """Note what was lost, and restrict again where it was a restriction. The caller holds the lock of the log."""
    noted = _note(epoch, lost, gateway=None, by=by, now=now)
    ended = {one.number for one in noted if one.what == LostDecision.What.ENDED}
    live = Restriction.objects.filter(number__in=ended, ended_at=None).in_bulk()
    again: dict[Terms, list[tuple[LostDecision, Target]]] = defaultdict(list)
    for one in noted:
        if one.what == LostDecision.What.ENDED:
            one.restriction = live.get(one.number)
        elif (target := _find_target(one.told, now=now)) is not None and (terms := _terms(one.told, now=now)):
            again[terms].append((one, target))
    for terms, found in again.items():
        _restrict_again(found, terms, by=by, now=now)
    LostDecision.objects.bulk_update(noted, ["restriction"])
    return noted


def note_reported(lost: Iterable[Lost], *, gateway: Gateway, now: datetime) -> list[LostDecision]:
    """Note restrictions that a gateway holds and the database lacks. Nobody is restricted by this."""
    room = MOST_REPORTED - LostDecision.objects.filter(gateway=gateway, settled_at=None).count()
    if room <= 0:
        return []
    return _report(list(lost)[:room], gateway=gateway, now=now)


@transaction.atomic
def _report(lost: Sequence[Lost], *, gateway: Gateway, now: datetime) -> list[LostDecision]:
    epoch = FeedEpoch.objects.first()
    noted = set(LostDecision.objects.filter(number__in=[one.number for one in lost]).values_list("number", "target"))
    new = [one for one in lost if (one.number, one.target) not in noted]
    if epoch is None or not new:
        return []
    return _note(epoch, new, gateway=gateway, by=Actor.system("recovery"), now=now)


def open_decisions() -> QuerySet[LostDecision]:
    """Those that no person has looked at, the newest first."""
    return LostDecision.objects.filter(settled_at=None).select_related("gateway", "restriction")


@transaction.atomic
def keep_in_force(decision: LostDecision, *, by: Actor, now: datetime) -> bool:
    """Settle that the restriction is in force, and restrict where it is not; False where somebody settled it before.

    Raises CannotRestrictError.
    """
    audit_log_lock()
    locked = LostDecision.objects.select_for_update().get(pk=decision.pk)
    if locked.settled_at is not None:
        return False
    if locked.restriction is None or locked.restriction.ended_at is not None:
        target, terms = _find_target(locked.told, now=now), _terms(locked.told, now=now)
        if target is None:
            raise CannotRestrictError(f"There is no {locked.target} in the register. Import it, and try again.")
        if terms is None:
            raise CannotRestrictError("This restriction is over, or of a kind that cannot be read.")
        _restrict_again([(locked, target)], terms, by=by, now=now)
        if locked.restriction is None:
            raise CannotRestrictError("One of this kind is in force that would end before this one starts.")
    _settle(locked, LostDecision.Outcome.IN_FORCE, by=by, now=now)
    return True


@transaction.atomic
def drop(decision: LostDecision, *, by: Actor, now: datetime) -> bool:
    """Settle that nobody is restricted because of it, and lift what is in force; False if settled before."""
    audit_log_lock()
    locked = LostDecision.objects.select_for_update().get(pk=decision.pk)
    if locked.settled_at is not None:
        return False
    if locked.restriction is not None:
        lift(locked.restriction, note="Not kept after the database was restored.", by=by, now=now)
    _settle(locked, LostDecision.Outcome.DROPPED, by=by, now=now)
    return True


def _settle(decision: LostDecision, outcome: LostDecision.Outcome, *, by: Actor, now: datetime) -> None:
    decision.outcome, decision.settled_at, decision.settled_by = outcome, now, str(by)
    decision.save(update_fields=["outcome", "settled_at", "settled_by", "restriction"])
    record_all([Happening("lost_decision.settled", *_subject(decision, {"outcome": str(outcome)}))], by=by, now=now)


def _note(
    epoch: FeedEpoch, lost: Iterable[Lost], *, gateway: Gateway | None, by: Actor, now: datetime
) -> list[LostDecision]:
    """Return those that are new, with an entry each."""
    given = {(one.number, one.what, one.target): one for one in lost}
    known = set(
        LostDecision.objects.filter(epoch=epoch, number__in=[number for number, _, _ in given]).values_list(
            "number", "what", "target"
        )
    )
    noted = LostDecision.objects.bulk_create(
        LostDecision(
            epoch=epoch,
            number=one.number,
            what=one.what,
            target=one.target,
            told=dict(one.told),
            gateway=gateway,
            noted_at=now,
        )
        for key, one in given.items()
        if key not in known
    )
    details = {"gateway": gateway.name} if gateway else {}
    record_all([Happening("lost_decision.noted", *_subject(one, details)) for one in noted], by=by, now=now)
    return noted


def _subject(decision: LostDecision, details: Mapping[str, Any]) -> tuple[tuple[str, str], dict[str, Any]]:
    kind, _, name = decision.target.partition(" ")
    about = {"number": decision.number, "what": str(decision.what), "kind": decision.kind}
    return (kind or "restriction", name or str(decision.number)), {**about, **details}


def _restrict_again(found: Sequence[tuple[LostDecision, Target]], terms: Terms, *, by: Actor, now: datetime) -> None:
    """Restrict who is not restricted so for all that time already, and say by which restriction each is."""
    same = active(Restriction.objects.filter(against([target for _, target in found]), kind=terms.kind))
    standing = {one.target: one for one in same if _covers(one, terms, now=now)}
    first: dict[Target, LostDecision] = {}
    for decision, target in found:
        decision.restriction = standing.get(target)
        if decision.restriction is None:
            first.setdefault(target, decision)
    aims = [(target, f"lost:{decision.epoch_id}:{decision.number}") for target, decision in first.items()]
    try:
        made = restrict_all(aims, terms, by=by, now=now).restrictions if aims else []
    except StartsLaterError:  # one that is in force would end where this one starts
        return
    again = dict(zip(first, made, strict=True))
    for decision, target in found:
        decision.restriction = decision.restriction or again.get(target)


def _covers(restriction: Restriction, terms: Terms, *, now: datetime) -> bool:
    """Whether it is in force from the start to the end that are asked for."""
    ends = restriction.holds_until
    lasts = ends is None or (terms.until is not None and ends >= terms.until)
    return lasts and restriction.starts_at <= terms.start(now)


def _names(told: Mapping[str, Any], kind: str) -> list[str]:
    """The names of a kind, as far as they can be ids."""
    names = told.get("names")
    listed = names.get(kind) if isinstance(names, Mapping) else None
    return [name for name in listed if isinstance(name, str) and name] if isinstance(listed, list) else []


def _find_target(told: Mapping[str, Any], *, now: datetime) -> Target | None:
    """Whom it is against. An account that the database lost too is met again, with those of a lost organisation."""
    kind = str(told.get("against", ""))
    if not (names := _names(told, kind)):
        return None
    if kind == "key":
        return ApiKey.objects.filter(external_id=names[0]).select_related("account").first()
    if kind == "organisation":
        if not Organisation.objects.filter(external_id=names[0]).exists():
            Organisation.objects.get_or_create(external_id=names[0])
            meet_accounts(dict.fromkeys(_names(told, "account"), names[0]), now=now)
        return Organisation.objects.get(external_id=names[0])
    if kind == "account":
        met = meet_accounts({names[0]: None}, now=now)
        return Account.objects.get(pk=met[names[0]])
    return None


def _terms(told: Mapping[str, Any], *, now: datetime) -> Terms | None:
    """What it asks; None where it is over, or of a kind that this release does not know."""
    try:
        kind = Restriction.Kind(told["kind"])
        starts_at = datetime.fromisoformat(told["from"])
        until = datetime.fromisoformat(told["until"]) if told.get("until") else None
    except (KeyError, TypeError, ValueError):
        return None
    if until is not None and until <= max(starts_at, now):
        return None
    return Terms(
        kind=kind,
        reason=Reason(told["reason"]) if told.get("reason") in Reason.values else Reason.OTHER,
        until=until,
        starts_at=starts_at if starts_at > now else None,
        requests_per_minute=told.get("requests_per_minute"),
        tokens_per_minute=told.get("tokens_per_minute"),
        withheld=tuple(told.get("withheld") or ()),
    )
