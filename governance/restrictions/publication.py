"""Publish batch by batch which names restrictions cover, and the ends that wait until all of these are published.

What takes the place of another restriction may cover an organisation of very many accounts. Gateways apply the other
until they have been sent all of these, so that nobody is let in meanwhile. In its row it ends at once.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.db import connection
from django.db.models import QuerySet

from governance.audit.actions import audit_log_lock
from governance.platform.notifications import enqueue_on_commit
from governance.platform.transactions import retried_transaction
from governance.restrictions.activation import find_active, publish_changes
from governance.restrictions.models import Change, Restriction
from governance.restrictions.names import (
    NamesChanged,
    find_outdated_numbers,
    group_by_kind,
    unchanged_names,
    unpublished_batches,
    update_names,
    with_other_names,
)
from governance.restrictions.queries import last_number

BATCH_SIZE: Final = 100
# To publish all accounts of an organisation takes seconds, or as long as no worker runs.
NEAR: Final = timedelta(days=1)

# Ended restrictions beside what is in force on the organisation of their account, and not published in full yet; and
# until when that is in force, of what asks as much.
_WAITING: Final = """
    WITH ended AS (
        SELECT one.number, one.kind, one.ending = 'lifted' AS is_lifted,
               coalesce(one.organisation_id, own.organisation_id, owner.organisation_id) AS organisation_id
        FROM restrictions_restriction one
        LEFT JOIN accounts_account own ON own.id = one.account_id
        LEFT JOIN accounts_apikey key ON key.id = one.key_id
        LEFT JOIN accounts_account owner ON owner.id = key.account_id
        WHERE one.number = ANY(%(numbers)s)
    ), live AS (
        SELECT number, kind, organisation_id, effective_until, number = ANY(%(denying)s) AS denies,
               number = ANY(%(in_force)s) AS is_in_force
        FROM restrictions_restriction WHERE number = ANY(%(in_part)s)
    ), waiting AS (
        SELECT ended.number, live.effective_until,
               live.is_in_force AND (live.denies OR live.kind = ended.kind) AS asks_as_much
        FROM ended JOIN live USING (organisation_id) WHERE live.denies OR NOT ended.is_lifted
    )
    SELECT number, bool_or(asks_as_much AND effective_until IS NULL), max(effective_until) FILTER (WHERE asks_as_much)
    FROM waiting GROUP BY number
"""


class _Covered(NamedTuple):
    """Until when what an end waits for is in force: for good, or until a time; or neither, if it asks for less."""

    for_good: bool
    until: datetime | None


def publish_ends(ended: Sequence[Restriction], *, now: datetime) -> None:
    """Publish that these have ended, or mark those that have to wait. The caller holds the lock of the log.

    What was lifted waits only for what refuses access as well: a lifting is not held up by a milder restriction.
    """
    if not ended:
        return
    waiting = _find_waiting([one.number for one in ended], now=now)
    Restriction.objects.filter(number__in=waiting).update(is_end_unpublished=True)
    _prolong([(one, waiting[one.number]) for one in ended if one.number in waiting], now=now)
    publish_changes(Change.What.ENDED, [one for one in ended if one.number not in waiting], now=now)
    if any(one.published_in_full_by is None for one in ended) and _publish_waiting_ends(now=now):
        enqueue_on_commit("governance.tasks.cover_new_names")


def _prolong(waiting: Sequence[tuple[Restriction, _Covered]], *, now: datetime) -> None:
    """Let gateways apply what is near its end as long as what it waits for: its own time may be over before that is
    published.
    """
    longer = []
    for one, covered in waiting:
        if one.effective_until is None or one.effective_until > now + NEAR:
            continue
        if covered.for_good or (covered.until is not None and covered.until > one.effective_until):
            one.effective_until = None if covered.for_good else covered.until
            longer.append(one)
    if longer:
        Restriction.objects.bulk_update(longer, ["effective_until"])
        publish_changes(Change.What.COVERS, longer, now=now, names=unchanged_names([one.number for one in longer]))


@retried_transaction
def _publish_waiting_ends(*, now: datetime) -> int:
    """Publish a batch of the ends that wait for nothing any more. Return how many."""
    audit_log_lock()
    marked = Restriction.objects.filter(is_end_unpublished=True)
    numbers = list(marked.order_by("number").values_list("number", flat=True))
    waiting = _find_waiting(numbers, now=now)
    batch = [number for number in numbers if number not in waiting][:BATCH_SIZE]
    ended = list(marked.filter(number__in=batch).order_by("number"))
    Restriction.objects.filter(number__in=batch).update(is_end_unpublished=False)
    publish_changes(Change.What.ENDED, ended, now=now)
    return len(ended)


def _find_waiting(numbers: Collection[int], *, now: datetime) -> dict[int, _Covered]:
    """Return those of these ended restrictions that gateways have to apply still."""
    found = list(_in_part().values_list("number", flat=True)) if numbers else []
    if not found:
        return {}
    in_force = Restriction.objects.in_force(at=now).filter(number__in=found)
    values = {
        "numbers": list(numbers),
        "in_part": found,
        "in_force": list(in_force.values_list("number", flat=True)),
        "denying": list(in_force.denying().values_list("number", flat=True)),
    }
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, values)
        return {number: _Covered(bool(for_good), until) for number, for_good, until in cursor.fetchall()}


def cover_new_names(*, targets: Sequence[str] = (), now: datetime) -> int:
    """Publish which names live restrictions cover now and no longer. Return how many restrictions changed.

    `targets` limits it to restrictions of some accounts and organisations, as `find_outdated_numbers` takes them. Ends
    that waited for it are published then.
    """
    numbers = find_outdated_numbers(targets)
    in_part = set(_in_part().filter(number__in=numbers).values_list("number", flat=True))
    for number, accounts in unpublished_batches(numbers) if numbers else ():
        _cover_batch([number], account_pks=accounts, now=now)
    if in_part:
        # Without the lock, since that compares all names. Names added meanwhile are found by the next run.
        differing = with_other_names(numbers)
        _mark_published_in_full(in_part - differing)
        numbers = sorted(differing)
    batches = [numbers[start : start + BATCH_SIZE] for start in range(0, len(numbers), BATCH_SIZE)]
    # A name that moves from one to another is covered by the other before it is by the one no longer.
    for batch in batches if len(batches) > 1 else ():
        _cover_batch(batch, only_adds=True, now=now)
    changed = sum(_cover_batch(batch, now=now) for batch in batches)
    while Restriction.objects.filter(is_end_unpublished=True).exists() and _publish_waiting_ends(now=now):
        pass
    return changed


@retried_transaction
def _cover_batch(
    numbers: Sequence[int], *, now: datetime, account_pks: Sequence[int] | None = None, only_adds: bool = False
) -> int:
    audit_log_lock()
    changed = update_names(numbers, account_pks=account_pks, only_adds=only_adds)
    live = find_active(Restriction.objects.filter(number__in=changed))
    for names in _in_order(changed):
        publish_changes(Change.What.COVERS, [one for one in live if one.number in names], now=now, names=names)
    if account_pks is None and not only_adds:
        _mark_published_in_full(numbers)
    return len(live)


def _in_order(changed: Mapping[int, NamesChanged]) -> list[Mapping[int, NamesChanged]]:
    """Return these changes as they are published one after the other. Where names move from one restriction to another,
    they are added to this one before they are removed from that one.
    """
    added = {(of, name) for names in changed.values() for of in names.added for name in names.added[of]}
    removed = {(of, name) for names in changed.values() for of in names.removed for name in names.removed[of]}
    return [_only_added(changed), _only_removed(changed)] if added & removed else [changed]


def _only_added(changed: Mapping[int, NamesChanged]) -> dict[int, NamesChanged]:
    """Return what was added, beside all names as they are while none is removed yet."""
    return {
        number: names._replace(
            removed=group_by_kind(()), all=names.all and {of: [*names.all[of], *names.removed[of]] for of in names.all}
        )
        for number, names in changed.items()
        if any(names.added.values())
    }


def _only_removed(changed: Mapping[int, NamesChanged]) -> dict[int, NamesChanged]:
    return {
        number: names._replace(added=group_by_kind(()))
        for number, names in changed.items()
        if any(names.removed.values())
    }


@retried_transaction
def _mark_published_in_full(numbers: Collection[int]) -> None:
    audit_log_lock()
    _in_part().filter(number__in=numbers).update(published_in_full_by=last_number())


def _in_part() -> QuerySet[Restriction]:
    """Those that are in force, and of which gateways have not been sent all accounts."""
    return Restriction.objects.filter(ended_at=None, published_in_full_by=None).order_by()
