"""Restrictions begin and end here: each time a row, a change in the feed and an entry of the audit log."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import F, QuerySet

from governance.audit.actions import NewEntry, record_all
from governance.audit.actor import Actor
from governance.audit.verbs import Verb
from governance.platform.notifications import CHANGES_CHANNEL, enqueue_on_commit, notify_on_commit
from governance.restrictions.models import Change, CoveredName, Restriction
from governance.restrictions.names import KINDS, NamesChanged, Target, keep_covered_accounts, update_names
from governance.restrictions.queries import last_number
from governance.restrictions.replaced import set_holds
from governance.restrictions.terms import Terms, named

BATCH: Final = 2_000


def new_restriction(
    target: Target,
    terms: Terms,
    *,
    origin: str,
    unique_key: str,
    author: str,
    campaign: UUID | None,
    replaces: Sequence[int],
    now: datetime,
) -> Restriction:
    """It has no number yet, and is not stored."""
    aim: Any = {KINDS[type(target)]: target}
    return Restriction(
        **aim,
        campaign_id=campaign,
        kind=terms.kind,
        reason=terms.reason,
        terms_clause=terms.terms_clause,
        requests_per_minute=terms.requests_per_minute,
        tokens_per_minute=terms.tokens_per_minute,
        withheld=sorted(set(terms.withheld)),
        starts_at=terms.start(now),
        expires_at=terms.until,
        author=author,
        approver=terms.approver,
        replaced_numbers=list(replaces),
        origin=origin,
        unique_key=unique_key,
    )


def active(restrictions: QuerySet[Restriction]) -> list[Restriction]:
    """Those of them that have not ended; the caller holds the lock, so that they do not end in the meantime."""
    live = restrictions.filter(ended_at=None).order_by("number")
    return list(live.select_related("account", "key__account", "organisation"))


def activate(
    restrictions: Sequence[Restriction], *, by: Actor, now: datetime, accounts: Collection[int] | None = None
) -> None:
    """Give each its number, and store, tell and record it. Whoever calls has taken the turn.

    With `accounts`, primary keys, those on organisations cover no others yet: a worker is rung to tell of the rest.
    """
    if not restrictions:
        return
    for number, restriction in enumerate(restrictions, start=last_number() + 1):
        restriction.number = number
        is_told_in_part = accounts is not None and restriction.organisation_id is not None
        restriction.told_in_full_by = None if is_told_in_part else number
    set_holds(restrictions)
    Restriction.objects.bulk_create(restrictions, batch_size=BATCH)
    names = update_names([one.number for one in restrictions], list_few=False, accounts=accounts)
    publish(Change.What.BEGAN, restrictions, now=now, names=names)  # these numbers are theirs
    new_entries = [NewEntry(Verb.RESTRICTION_CREATED, subject_of(one), _details(one)) for one in restrictions]
    record_all(new_entries, by=by, now=now)
    if rest := [f"organisation:{one.organisation_id}" for one in restrictions if one.told_in_full_by is None]:
        enqueue_on_commit("governance.tasks.cover_new_names", *rest)


def deactivate(
    restrictions: Sequence[Restriction],
    ending: Restriction.Ending,
    *,
    by: Actor,
    now: datetime,
    note: str = "",
    superseded_by: str = "",
) -> None:
    """Store and record the end of each. Whoever calls has taken the turn, and tells the feed: not before what takes
    their place, so that nobody slips through between the two.
    """
    if not restrictions:
        return
    keep_covered_accounts([one.number for one in restrictions])  # keys may have moved while it was in force
    expired, noted = ending == Restriction.Ending.EXPIRED, {"note": note} if note else {}
    for one in restrictions:
        one.ended_at = one.expires_at if expired else now
        one.ending, one.ended_by, one.ending_note = ending, str(by), note
        one.superseded_by = superseded_by
    Restriction.objects.filter(number__in=[one.number for one in restrictions]).update(
        ended_at=F("expires_at") if expired else now,
        ending=ending,
        ended_by=str(by),
        ending_note=note,
        superseded_by=superseded_by,
    )
    new_entries = [
        NewEntry(Verb(f"restriction.{ending}"), subject_of(one), {"number": one.number, "kind": one.kind} | noted)
        for one in restrictions
    ]
    record_all(new_entries, by=by, now=now)


def publish(
    what: Change.What,
    restrictions: Sequence[Restriction],
    *,
    now: datetime,
    names: Mapping[int, NamesChanged] | None = None,
) -> None:
    """Append to the feed. Numbers are gapless and in commit order, since the caller holds the lock."""
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
                told=feed_payload(restriction, what, names[restriction.number]) if names else None,
            )
            for number, restriction in enumerate(restrictions, start=first)
        ],
        batch_size=BATCH,
    )
    notify_on_commit(CHANGES_CHANNEL)
    enqueue_on_commit("governance.tasks.deliver_restrictions")


def feed_payload(restriction: Restriction, what: Change.What, names: NamesChanged) -> dict[str, Any]:
    """A restriction as gateways are told of it: what counts while it is in force, and no word of who decided or why.

    They go on under it until they are told of what it had replaced, which is restored when it expires. Where it covers
    other names, they are told which came and went, and all its names while these are few; else all its names.
    """
    terms = {
        "number": restriction.number,
        "kind": str(restriction.kind),
        "denies": restriction.denies,
        "against": "organisation" if restriction.organisation_id else "key" if restriction.key_id else "account",
        "reason": str(restriction.reason),
        "from": restriction.starts_at.isoformat(),
        "until": restriction.holds_until.isoformat() if restriction.holds_until else None,
        "requests_per_minute": restriction.requests_per_minute,
        "tokens_per_minute": restriction.tokens_per_minute,
        "withheld": sorted(restriction.withheld),
    }
    if what == Change.What.BEGAN:
        return terms | {"names": names.added}
    if not any(names.added.values()) and not any(names.removed.values()):
        return terms | {"names": names.all}
    changed = {"names_added": names.added, "names_removed": names.removed}
    return terms | changed | ({"names": names.all} if names.all is not None else {})


def subject_of(restriction: Restriction) -> tuple[str, str]:
    """Whom an entry of the log about this restriction speaks of."""
    return named(restriction.target)


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
