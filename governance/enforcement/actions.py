"""Putting restrictions into force and ending them: staff, the API and the pipeline all come through here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Self

from django.db import transaction
from django.db.models import F, Q, QuerySet

from accounts.models import Account
from governance.audit.actions import Happening, record_all, take_turn
from governance.audit.actor import Actor
from governance.doorbell import CHANGES_CHANNEL, call_out, ring
from governance.enforcement.models import Change, CoveredName, Reason, Restriction
from governance.enforcement.names import KINDS, NamesChanged, Target, outdated_restrictions, update_names
from governance.enforcement.queries import last_number
from governance.risk.models import Campaign

EXPIRY = Actor.system("expiry")
BATCH = 2_000
PORTION = 500


class ConflictingKeyError(Exception):
    """The unique key was used before, for something else."""

    def __init__(self, earlier: Restriction) -> None:
        super().__init__(f"This key was used before, for restriction {earlier.number}, which is another one.")
        self.earlier = earlier


@dataclass(frozen=True, slots=True)
class Terms:
    """What is put into force, whoever it is against. Until when: for ever, unless `until` says."""

    kind: Restriction.Kind
    reason: Reason
    until: datetime | None = None
    starts_at: datetime | None = None
    terms_clause: str = ""
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    withheld: Sequence[str] = field(default=())
    approver: str = ""

    @classmethod
    def of(cls, restriction: Restriction) -> Self:
        return cls(
            kind=Restriction.Kind(restriction.kind),
            reason=Reason(restriction.reason),
            until=restriction.expires_at,
            starts_at=restriction.starts_at,
            terms_clause=restriction.terms_clause,
            requests_per_minute=restriction.requests_per_minute,
            tokens_per_minute=restriction.tokens_per_minute,
            withheld=restriction.withheld,
            approver=restriction.approver,
        )

    def start(self, now: datetime) -> datetime:
        return max(self.starts_at or now, now)


class Restricting(NamedTuple):
    """What asking for restrictions came to: one for each target in their order, and which of them are new."""

    restrictions: list[Restriction]
    new: set[int]


def restrict(target: Target, terms: Terms, *, unique_key: str, by: Actor, now: datetime) -> Restriction:
    """Put a restriction in force against an account, a key or an organisation.

    The same `unique_key` again answers with the restriction that it made. One of the same kind that is in force
    already is replaced, so that the newest terms count, and comes back when this one is lifted or expires.

    Raises ConflictingKeyError where the key was used for another target or kind, ValueError for an impossible time.
    """
    return restrict_all([(target, unique_key)], terms, by=by, now=now).restrictions[0]


def restrict_campaign(campaign: Campaign, terms: Terms, *, unique_key: str, by: Actor, now: datetime) -> Restricting:
    """Restrict every account that belongs to the campaign now, each by a restriction of its own.

    So each can be appealed and lifted by itself, and who joins later is not restricted unseen. It goes in portions, so
    that nobody else waits long for their turn: where it was cut off, the same `unique_key` again does the rest.
    """
    members = campaign_accounts(campaign)
    done = Restricting([], set())
    for start in range(0, len(members), PORTION):
        aims = [(account, f"{unique_key}:{account.external_id}") for account in members[start : start + PORTION]]
        restrictions, new = restrict_all(aims, terms, by=by, now=now, campaign=campaign)
        done = Restricting(done.restrictions + restrictions, done.new | new)
    return done


def lift_campaign(campaign: Campaign, *, note: str, by: Actor, now: datetime, undo: bool = False) -> list[int]:
    """Lift what is in force on accounts because they belong, or belonged, to the campaign; the numbers."""
    numbers = list(campaign.restrictions.filter(ended_at=None).order_by("number").values_list("number", flat=True))
    portions = [numbers[start : start + PORTION] for start in range(0, len(numbers), PORTION)]
    return [number for portion in portions for number in lift_all(portion, note=note, by=by, now=now, undo=undo)]


def campaign_accounts(campaign: Campaign) -> list[Account]:
    """Who would be restricted with the campaign now."""
    return list(Account.objects.filter(memberships__in=campaign.members.current()).order_by("external_id"))


@transaction.atomic
def restrict_all(
    aims: Sequence[tuple[Target, str]], terms: Terms, *, by: Actor, now: datetime, campaign: Campaign | None = None
) -> Restricting:
    """`restrict` for many targets, each with its unique key, in one transaction: all or none."""
    if terms.until is not None and terms.until <= terms.start(now):
        raise ValueError("A restriction must end after it starts.")
    take_turn()
    known = _made_before([unique_key for _, unique_key in aims])
    for target, unique_key in aims:
        earlier = known.get(unique_key)
        if earlier is not None and (earlier.target, earlier.kind) != (target, terms.kind):
            raise ConflictingKeyError(earlier)
    fresh = {unique_key: target for target, unique_key in aims if unique_key not in known}
    ended = _make_room([*fresh.values()], terms.kind, by=by, now=now)
    replaced = {one.target: one for one in ended if one.ending == Restriction.Ending.REPLACED}
    made = [
        _made(
            target,
            terms,
            unique_key=unique_key,
            author=str(by),
            campaign=campaign,
            replaces=replaced.get(target),
            now=now,
        )
        for unique_key, target in fresh.items()
    ]
    _begin(made, by=by, now=now)
    _tell(Change.What.ENDED, ended, now=now)
    known |= {restriction.unique_key: restriction for restriction in made}
    restrictions = [known[unique_key] for _, unique_key in aims]
    return Restricting(restrictions, {restriction.number for restriction in made})


def lift(restriction: Restriction, *, note: str, by: Actor, now: datetime, undo: bool = False) -> bool:
    """End a restriction before its time; False where it had ended already. `undo` says that it was a slip."""
    return bool(lift_all([restriction.number], note=note, by=by, now=now, undo=undo))


@transaction.atomic
def lift_all(numbers: Iterable[int], *, note: str, by: Actor, now: datetime, undo: bool = False) -> list[int]:
    """`lift` for many, in one transaction; the numbers of those that had not ended already."""
    take_turn()
    live = _live(Restriction.objects.filter(number__in=list(numbers)))
    ending = Restriction.Ending.UNDONE if undo else Restriction.Ending.LIFTED
    _end(live, ending, by=by, now=now, note=note)
    _restore(live, by=by, now=now)
    _tell(Change.What.ENDED, live, now=now)
    return [restriction.number for restriction in live]


def end_expired(*, now: datetime) -> int:
    """Note the end of restrictions whose time is over; the check has let them go at that very moment. How many.

    In portions, so that nobody waits long for their turn.
    """
    ended = 0
    while portion := _end_some_expired(now=now):
        ended += portion
    return ended


@transaction.atomic
def _end_some_expired(*, now: datetime) -> int:
    take_turn()
    first = Restriction.objects.overdue(at=now).order_by("expires_at").values("number")[:PORTION]
    overdue = _live(Restriction.objects.filter(number__in=first))
    _end(overdue, Restriction.Ending.EXPIRED, by=EXPIRY, now=now)
    _restore(overdue, by=EXPIRY, now=now)
    _tell(Change.What.ENDED, overdue, now=now)
    return len(overdue)


def cover_new_names(*, targets: Sequence[str] = (), now: datetime) -> int:
    """Tell gateways of names that live restrictions cover, or cover no longer, by now; of how many restrictions.

    `targets` limits it to restrictions of some accounts and organisations, as `outdated_restrictions` takes them.
    """
    numbers = outdated_restrictions(targets)
    return sum(_cover_some(numbers[start : start + PORTION], now=now) for start in range(0, len(numbers), PORTION))


@transaction.atomic
def _cover_some(numbers: Sequence[int], *, now: datetime) -> int:
    take_turn()
    changed = update_names(numbers)
    live = _live(Restriction.objects.filter(number__in=changed))
    _tell(Change.What.COVERS, live, now=now, names=changed)
    return len(live)


def _made_before(unique_keys: Sequence[str]) -> dict[str, Restriction]:
    found = Restriction.objects.select_related("account", "key", "organisation").filter(unique_key__in=unique_keys)
    return {restriction.unique_key: restriction for restriction in found}


def _made(
    target: Target,
    terms: Terms,
    *,
    unique_key: str,
    author: str,
    campaign: Campaign | None,
    replaces: Restriction | None,
    now: datetime,
) -> Restriction:
    """It has no number yet, and is not stored."""
    aim: Any = {KINDS[type(target)]: target}
    return Restriction(
        **aim,
        campaign=campaign,
        kind=terms.kind,
        reason=terms.reason,
        terms_clause=terms.terms_clause,
        requests_per_minute=terms.requests_per_minute,
        tokens_per_minute=terms.tokens_per_minute,
        withheld=list(terms.withheld),
        starts_at=terms.start(now),
        expires_at=terms.until,
        author=author,
        approver=terms.approver,
        replaces=replaces,
        unique_key=unique_key,
    )


def _make_room(targets: Sequence[Target], kind: Restriction.Kind, *, by: Actor, now: datetime) -> list[Restriction]:
    """End what of this kind is in force on the targets: the ended ones."""
    aims = Q()
    for model, column in KINDS.items():
        if pks := [target.pk for target in targets if isinstance(target, model)]:
            aims |= Q(**{f"{column}__in": pks})
    if not aims:
        return []
    live = _live(Restriction.objects.filter(aims, kind=kind))
    over = [one for one in live if one.expires_at is not None and one.expires_at <= now]
    running = [one for one in live if one not in over]
    _end(over, Restriction.Ending.EXPIRED, by=EXPIRY, now=now)
    _end(running, Restriction.Ending.REPLACED, by=by, now=now)
    return live


def _live(restrictions: QuerySet[Restriction]) -> list[Restriction]:
    """Those of them that have not ended; whoever asks has taken the turn, so that nobody ends them meanwhile."""
    live = restrictions.filter(ended_at=None).order_by("number")
    return list(live.select_related("account", "key__account", "organisation", "replaces"))


def _begin(restrictions: Sequence[Restriction], *, by: Actor, now: datetime) -> None:
    """Give each its number, and store, tell and record it. Whoever calls has taken the turn."""
    if not restrictions:
        return
    for number, restriction in enumerate(restrictions, start=last_number() + 1):
        restriction.number = number
    Restriction.objects.bulk_create(restrictions, batch_size=BATCH)
    names = update_names([one.number for one in restrictions], list_few=False)
    _tell(Change.What.BEGAN, restrictions, now=now, names=names)  # these numbers are theirs
    happenings = [Happening("restriction.created", subject_of(one), _details(one)) for one in restrictions]
    record_all(happenings, by=by, now=now)


def _end(
    restrictions: Sequence[Restriction], ending: Restriction.Ending, *, by: Actor, now: datetime, note: str = ""
) -> None:
    """Store and record the end of each. Whoever calls has taken the turn, and tells the feed: not before what takes
    their place, so that nobody slips through between the two.
    """
    if not restrictions:
        return
    expired, noted = ending == Restriction.Ending.EXPIRED, {"note": note} if note else {}
    for one in restrictions:
        one.ended_at = one.expires_at if expired else now
        one.ending, one.ended_by, one.ending_note = ending, str(by), note
    Restriction.objects.filter(number__in=[one.number for one in restrictions]).update(
        ended_at=F("expires_at") if expired else now, ending=ending, ended_by=str(by), ending_note=note
    )
    happenings = [
        Happening(f"restriction.{ending}", subject_of(one), {"number": one.number, "kind": one.kind} | noted)
        for one in restrictions
    ]
    record_all(happenings, by=by, now=now)


def _restore(ended: Sequence[Restriction], *, by: Actor, now: datetime) -> None:
    """Put back in force what each had replaced, with the terms it had, unless its own time is over meanwhile."""
    again = []
    for restriction in ended:
        before = restriction.replaces
        while before is not None and before.expires_at is not None and before.expires_at <= now:
            before = before.replaces
        if before is not None:
            again.append(
                _made(
                    before.target,
                    Terms.of(before),
                    unique_key=f"again:{restriction.number}",
                    author=before.author,
                    campaign=before.campaign,
                    replaces=before.replaces,
                    now=now,
                )
            )
    _begin(again, by=by, now=now)


def _tell(
    what: Change.What,
    restrictions: Sequence[Restriction],
    *,
    now: datetime,
    names: Mapping[int, NamesChanged] | None = None,
) -> None:
    """Append to the feed. Numbers are gapless and in commit order, since whoever calls has taken the turn."""
    if not restrictions:
        return
    if what == Change.What.ENDED:
        CoveredName.objects.filter(restriction__in=[one.number for one in restrictions]).delete()
    begins = what == Change.What.BEGAN
    first = restrictions[0].number if begins else last_number() + 1
    Change.objects.bulk_create(
        [
            Change(
                number=number,
                restriction=restriction,
                what=what,
                at=now,
                told=told(restriction, what, names[restriction.number]) if names else None,
            )
            for number, restriction in enumerate(restrictions, start=first)
        ],
        batch_size=BATCH,
    )
    call_out(CHANGES_CHANNEL)
    ring("governance.tasks.deliver_restrictions")


def told(restriction: Restriction, what: Change.What, names: NamesChanged) -> dict[str, Any]:
    """A restriction as gateways are told of it: what counts while it is in force, and no word of who decided or why.

    Where it goes on, they are told which names it covers now and no longer, and all its names while these are few.
    """
    terms = {
        "number": restriction.number,
        "kind": str(restriction.kind),
        "denies": restriction.denies,
        "against": "organisation" if restriction.organisation_id else "key" if restriction.key_id else "account",
        "reason": str(restriction.reason),
        "from": restriction.starts_at.isoformat(),
        "until": restriction.expires_at.isoformat() if restriction.expires_at else None,
        "requests_per_minute": restriction.requests_per_minute,
        "tokens_per_minute": restriction.tokens_per_minute,
        "withheld": sorted(restriction.withheld),
    }
    if what == Change.What.BEGAN:
        return terms | {"names": names.added}
    changed = {"names_added": names.added, "names_removed": names.removed}
    return terms | changed | ({"names": names.all} if names.all is not None else {})


def subject_of(restriction: Restriction) -> tuple[str, str]:
    """Whom an entry of the log about this restriction speaks of."""
    target = restriction.target
    return KINDS[type(target)], target.external_id


def _details(restriction: Restriction) -> Mapping[str, Any]:
    return {
        "number": restriction.number,
        "kind": str(restriction.kind),
        "reason": str(restriction.reason),
        "terms_clause": restriction.terms_clause,
        "requests_per_minute": restriction.requests_per_minute,
        "tokens_per_minute": restriction.tokens_per_minute,
        "withheld": list(restriction.withheld),
        "starts_at": restriction.starts_at.isoformat(),
        "expires_at": restriction.expires_at.isoformat() if restriction.expires_at else None,
        "campaign": str(restriction.campaign_id) if restriction.campaign_id else None,
        "approver": restriction.approver,
        "unique_key": restriction.unique_key,
    }
