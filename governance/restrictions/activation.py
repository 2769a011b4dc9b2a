"""Activate and deactivate restrictions: each time a row, a change in the feed and an audit entry."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import F, QuerySet

from governance.audit.actions import NewEntry, record_all
from governance.audit.actor import Actor
from governance.audit.verbs import Verb
from governance.platform.notifications import CHANGES_CHANNEL, enqueue_on_commit, notify_on_commit
from governance.restrictions.models import Change, CoveredName, Restriction
from governance.restrictions.names import (
    TARGET_COLUMNS,
    NamesChanged,
    Target,
    first_account_batch,
    store_covered_accounts,
    target_reference,
    update_names,
)
from governance.restrictions.queries import last_number
from governance.restrictions.replacement_chains import set_effective_until
from governance.restrictions.terms import Terms

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
    """Return a restriction that has no number yet and is not stored."""
    columns: dict[str, Any] = {TARGET_COLUMNS[type(target)]: target} | terms.as_json()
    return Restriction(
        **columns,
        campaign_id=campaign,
        starts_at=terms.start(now),
        starts_later=terms.starts_later(now),
        expires_at=terms.until,
        author=author,
        approver=terms.approver,
        replaced_numbers=list(replaces),
        origin=origin,
        unique_key=unique_key,
    )


def find_active(restrictions: QuerySet[Restriction]) -> list[Restriction]:
    """Return those that have not ended. The caller holds the lock of the audit log, so that none ends meanwhile."""
    live = restrictions.filter(ended_at=None).order_by("number")
    return list(live.select_related("account", "key__account", "organisation"))


def activate(restrictions: Sequence[Restriction], *, by: Actor, now: datetime) -> None:
    """Give each its number, store it, publish it and record it. The caller holds the lock of the audit log.

    Of very large organisations only the first accounts are published: a task publishes the rest.
    """
    if not restrictions:
        return
    accounts = first_account_batch({one.organisation for one in restrictions if one.organisation is not None})
    for number, restriction in enumerate(restrictions, start=last_number() + 1):
        restriction.number = number
        is_in_part = accounts is not None and restriction.organisation_id is not None
        restriction.published_in_full_by = None if is_in_part else number
    set_effective_until(restrictions)
    Restriction.objects.bulk_create(restrictions, batch_size=BATCH)
    names = update_names([one.number for one in restrictions], list_few=False, account_pks=accounts, only_adds=True)
    publish_changes(Change.What.BEGAN, restrictions, now=now, names=names)  # these numbers are theirs
    new_entries = [NewEntry(Verb.RESTRICTION_CREATED, subject_of(one), _details(one)) for one in restrictions]
    record_all(new_entries, by=by, now=now)
    if rest := [f"organisation:{one.organisation_id}" for one in restrictions if one.published_in_full_by is None]:
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
    """Store and record the end of each. The caller holds the lock of the audit log.

    It publishes the end as well, after what takes its place, so that nobody is let in between the two.
    """
    if not restrictions:
        return
    store_covered_accounts([one.number for one in restrictions])  # keys may have moved while it was in force
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


def publish_changes(
    what: Change.What,
    restrictions: Sequence[Restriction],
    *,
    now: datetime,
    names: Mapping[int, NamesChanged] | None = None,
) -> None:
    """Append to the feed. The caller holds the lock of the audit log, so numbers are gapless and in commit order."""
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
                payload=feed_payload(restriction, what, names[restriction.number]) if names else None,
            )
            for number, restriction in enumerate(restrictions, start=first)
        ],
        batch_size=BATCH,
    )
    notify_on_commit(CHANGES_CHANNEL)
    enqueue_on_commit("governance.tasks.deliver_restrictions")


def feed_payload(restriction: Restriction, what: Change.What, names: NamesChanged) -> dict[str, Any]:
    """Return a restriction as gateways are sent it: what counts while it is in force, not who decided it or why.

    `until` is its `effective_until`: what it replaced is published when it is restored. A change of names lists those
    that were added and removed, and all names while these are few.
    """
    terms = {
        "number": restriction.number,
        "denies": restriction.denies,
        "against": "organisation" if restriction.organisation_id else "key" if restriction.key_id else "account",
        "from": restriction.in_force_from.isoformat(),
        "until": restriction.effective_until.isoformat() if restriction.effective_until else None,
    } | restriction.terms.as_feed_json()
    if what == Change.What.BEGAN:
        return terms | {"names": names.added}
    if not any(names.added.values()) and not any(names.removed.values()):
        return terms | {"names": names.all}
    changed = {"names_added": names.added, "names_removed": names.removed}
    return terms | changed | ({"names": names.all} if names.all is not None else {})


def subject_of(restriction: Restriction) -> tuple[str, str]:
    """Return the subject of audit entries about this restriction."""
    return target_reference(restriction.target)


def _details(restriction: Restriction) -> Mapping[str, Any]:
    return {
        "number": restriction.number,
        **restriction.terms.as_json(),
        "starts_at": restriction.starts_at.isoformat(),
        "expires_at": restriction.expires_at.isoformat() if restriction.expires_at else None,
        "campaign": str(restriction.campaign_id) if restriction.campaign_id else None,
        "approver": restriction.approver,
        "unique_key": restriction.unique_key,
    }
