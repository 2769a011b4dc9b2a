"""Decisions lost at a restore that others still know: restrict again, and list them until a person settles them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import ApiKey
from governance.audit.actions import NewEntry, audit_log_lock, record_all
from governance.audit.actor import Actor
from governance.audit.verbs import Verb
from governance.gateways.lost_restrictions import restrict_again
from governance.gateways.models import Gateway, LostDecision
from governance.platform.transactions import retried_transaction
from governance.restrictions.actions import lift
from governance.restrictions.activation import find_active
from governance.restrictions.lost_names import find_target, restore_names
from governance.restrictions.models import FeedEpoch, Restriction
from governance.restrictions.names import TARGET_COLUMNS, Target
from governance.restrictions.payloads import parse_payload, payload_names
from governance.restrictions.publication import cover_new_names
from governance.restrictions.terms import Terms
from stillwatch_gateway.entries import NAMED_BY

# Of one gateway, that no person has looked at yet.
MOST_REPORTED: Final = 500
MOST_TARGET: Final = 220


@dataclass(frozen=True, slots=True)
class LostRestriction:
    """A restriction as gateways were sent it; with `ended` the end of one that the database has in force; with
    `stands` names of one that it has in force, which covers fewer by now.
    """

    number: int
    payload: Mapping[str, Any]
    ended: bool = False
    stands: bool = False

    @property
    def what(self) -> LostDecision.What:
        return LostDecision.What.ENDED if self.ended else LostDecision.What.BEGAN

    @property
    def target(self) -> str:
        """The kind and the target; only the kind where the target is unknown."""
        kind = str(self.payload.get("against", ""))
        return f"{kind} {next(iter(payload_names(self.payload, kind)), '')}"[:MOST_TARGET].strip()

    @property
    def key(self) -> tuple[int, str, str]:
        return self.number, str(self.what), self.target


class CannotRestrictError(Exception):
    """A lost restriction cannot be put into force again: whom it is against is not in the register, or it is over."""


def restrict_lost(epoch: FeedEpoch, lost: Iterable[LostRestriction], *, by: Actor, now: datetime) -> list[LostDecision]:
    """Restrict again, by all published names, and store what was lost. The caller holds the lock of the log."""
    given = list(lost)
    began = [one for one in given if not one.ended and not one.stands]
    noted = _note(epoch, began, gateway=None, by=by, now=now)
    touched = _restrict_noted(noted, by=by, now=now)
    touched += _restore_further_names(epoch, given, noted, by=by, now=now)
    _publish_names(touched, now=now)
    # What has been replaced again, or stands for another that was lost, is no lifting that was lost.
    needed = set(LostDecision.objects.filter(epoch=epoch, what=LostDecision.What.BEGAN).values_list("restriction"))
    ended = [one for one in given if one.ended and (one.number,) not in needed]
    live = Restriction.objects.filter(number__in=[one.number for one in ended], ended_at=None).in_bulk()
    lifted = _note(epoch, [one for one in ended if one.number in live], gateway=None, by=by, now=now)
    for decision in lifted:
        decision.restriction = live[decision.number]
    LostDecision.objects.bulk_update(lifted, ["restriction"])
    return noted + lifted


def _restrict_noted(noted: Sequence[LostDecision], *, by: Actor, now: datetime) -> list[Target]:
    """Restrict again where it is possible, and say of each what stands for it or why nothing does; who was."""
    again: dict[Terms, list[tuple[LostDecision, Target]]] = defaultdict(list)
    targets: dict[LostDecision, Target] = {}
    for one in noted:
        terms = parse_payload(one.payload, now=now)
        target = find_target(one.payload, now=now) if terms is not None else None
        if terms is None or target is None:
            one.problem = _why_impossible(one, terms)
            continue
        targets[one] = target
        one.problem = restore_names(target, one.payload, may_move=True, by=by, now=now)
        again[terms].append((one, target))
    for terms, found in again.items():
        restrict_again(found, terms, made_for="lost", by=by, now=now)
    LostDecision.objects.bulk_update(noted, ["restriction", "problem"])
    return list(targets.values())


def _restore_further_names(
    epoch: FeedEpoch, given: Sequence[LostRestriction], noted: Sequence[LostDecision], *, by: Actor, now: datetime
) -> list[Target]:
    """Have what is in force cover the names that another process did not know, or that came after the backup."""
    new = {(one.number, str(one.what), one.target) for one in noted}
    further = [one for one in given if not one.ended and one.key not in new]
    before = LostDecision.objects.filter(epoch=epoch, number__in=[one.number for one in further])
    decisions = {(one.number, str(one.what), one.target): one for one in before}
    made = {key: decision.restriction_id for key, decision in decisions.items()}
    numbers = [one.number if one.stands else made.get(one.key) for one in further]
    with_target = Restriction.objects.select_related("account", "key__account", "organisation")
    live = with_target.filter(ended_at=None).in_bulk([number for number in numbers if number is not None])
    touched = []
    for one, number in zip(further, numbers, strict=True):
        if number in live:
            touched.append(live[number].target)
            problem = restore_names(touched[-1], one.payload, may_move=True, by=by, now=now)
            if problem and (decision := decisions.get(one.key)) is not None:
                decision.problem = problem
    LostDecision.objects.bulk_update(decisions.values(), ["problem"])
    return touched


def _publish_names(targets: Iterable[Target], *, now: datetime) -> None:
    """Tell gateways of all names at once, also where they are many: nobody who was refused is let in meanwhile."""
    owners = [target if not isinstance(target, ApiKey) else target.account for target in targets]
    if owners:
        cover_new_names(targets=sorted({f"{TARGET_COLUMNS[type(one)]}:{one.pk}" for one in owners}), now=now)


def note_reported(lost: Iterable[LostRestriction], *, gateway: Gateway, now: datetime) -> list[LostDecision]:
    """Note restrictions that a gateway holds and the database lacks. Nobody is restricted by this."""
    room = MOST_REPORTED - LostDecision.objects.filter(gateway=gateway, settled_at=None).count()
    if room <= 0:
        return []
    return _report(list(lost)[:room], gateway=gateway, now=now)


@transaction.atomic
def _report(lost: Sequence[LostRestriction], *, gateway: Gateway, now: datetime) -> list[LostDecision]:
    epoch = FeedEpoch.objects.first()
    noted = LostDecision.objects.filter(number__in=[one.number for one in lost])
    known = set(noted.values_list("number", "target"))
    numbers = {number for number, _ in known}
    new = [one for one in lost if (one.number, one.target) not in known]
    # What does not say whom it is against adds nothing to what is known of a number, and is filled in by what does.
    new = [one for one in new if " " in one.target or one.number not in numbers]
    nameless = {one.number: one for one in noted.filter(gateway=gateway, settled_at=None, target__in=["", *NAMED_BY])}
    for one in new:
        if (row := nameless.get(one.number)) is not None:
            row.target, row.payload = one.target, dict(one.payload)
    LostDecision.objects.bulk_update(nameless.values(), ["target", "payload"])
    new = [one for one in new if one.number not in nameless]
    if epoch is None or not new:
        return []
    return _note(epoch, new, gateway=gateway, by=Actor.system("recovery"), now=now)


def open_lost_decisions() -> QuerySet[LostDecision]:
    """Those that no person has looked at, the newest first."""
    return LostDecision.objects.filter(settled_at=None).select_related("gateway", "restriction")


@retried_transaction
def settle_as_in_force(decision: LostDecision, *, by: Actor, now: datetime) -> bool:
    """Settle that the restriction is in force, and restrict where it is not; False where somebody settled it before.

    Raises CannotRestrictError.
    """
    audit_log_lock()
    locked = LostDecision.objects.select_for_update().get(pk=decision.pk)
    if locked.settled_at is not None:
        return False
    live = find_active(Restriction.objects.filter(pk__in=[locked.restriction_id]))
    current = [one for one in live if one.overlaps(now, None)]
    terms = None if current else parse_payload(locked.payload, now=now)
    target = current[0].target if current else find_target(locked.payload, now=now) if terms is not None else None
    if target is None:
        raise CannotRestrictError(_why_impossible(locked, terms))
    locked.problem = restore_names(target, locked.payload, may_move=locked.gateway_id is None, by=by, now=now)
    if terms is not None:
        locked.restriction = None
        restrict_again([(locked, target)], terms, made_for="kept", by=by, now=now)
        if locked.restriction is None:
            raise CannotRestrictError(locked.problem)
    _publish_names([target], now=now)
    _settle(locked, LostDecision.Outcome.IN_FORCE, by=by, now=now)
    return True


@retried_transaction
def settle_as_dropped(decision: LostDecision, *, note: str, by: Actor, now: datetime) -> bool:
    """Settle that nobody is restricted because of it, and lift what is in force; False if settled before.

    `note` is why, as for every lifting.
    """
    audit_log_lock()
    locked = LostDecision.objects.select_for_update().get(pk=decision.pk)
    if locked.settled_at is not None:
        return False
    if locked.restriction is not None:
        lift(locked.restriction, note=note, by=by, now=now)
    _settle(locked, LostDecision.Outcome.DROPPED, by=by, now=now, note=note)
    return True


def restrictions_of_same_kind(decision: LostDecision, *, now: datetime) -> list[Restriction]:
    """What is in force, of the same kind and against the same customer, for whatever decision."""
    against_kind, _, name = decision.target.partition(" ")
    if against_kind not in TARGET_COLUMNS.values():
        return []
    aim = {f"{against_kind}__external_id": name, "kind": decision.kind}
    return list(Restriction.objects.in_force(at=now).filter(**aim).order_by("number"))


def _settle(decision: LostDecision, outcome: LostDecision.Outcome, *, by: Actor, now: datetime, **why: str) -> None:
    decision.outcome, decision.settled_at, decision.settled_by = outcome, now, str(by)
    decision.save(update_fields=["outcome", "settled_at", "settled_by", "restriction", "problem"])
    about = _subject(decision, {"outcome": str(outcome), **why})
    record_all([NewEntry(Verb.LOST_DECISION_SETTLED, *about)], by=by, now=now)


def _note(
    epoch: FeedEpoch, lost: Iterable[LostRestriction], *, gateway: Gateway | None, by: Actor, now: datetime
) -> list[LostDecision]:
    """Return those that are new, with an entry each."""
    given = {one.key: one for one in lost}
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
            payload=dict(one.payload),
            gateway=gateway,
            noted_at=now,
        )
        for key, one in given.items()
        if key not in known
    )
    details = {"gateway": gateway.name} if gateway else {}
    record_all([NewEntry(Verb.LOST_DECISION_NOTED, *_subject(one, details)) for one in noted], by=by, now=now)
    return noted


def _subject(decision: LostDecision, details: Mapping[str, Any]) -> tuple[tuple[str, str], dict[str, Any]]:
    kind, _, name = decision.target.partition(" ")
    about = {"number": decision.number, "what": str(decision.what), "kind": decision.kind}
    return (kind or "restriction", name or str(decision.number)), {**about, **details}


def _why_impossible(decision: LostDecision, terms: Terms | None) -> str:
    if " " not in decision.target:
        return "Its target is unknown. Ask who runs the gateway that reports it, restrict the account, and settle this."
    if terms is None:
        return "This restriction has ended, or is of an unknown kind."
    return f"There is no {decision.target} in the register. Import it and try again."
