"""The names that a restriction covers. A gateway may know its customer by any of them.

A key covers itself and its digest, an account itself and its keys, an organisation itself, its accounts and their keys.
A key that usage claims for two accounts is covered with neither of them. What a restore took from the register is
covered as it was published (LostName), until the register, or a sender that may tie keys, says whose it is.
The published names are rows (CoveredName), so that missing and surplus names are a set difference in the database.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from django.db import connection
from django.db.models import Q

from accounts.models import Account, ApiKey, Organisation
from governance.restrictions.models import CoveredName, Restriction
from governance.restrictions.names_sql import (
    ADD,
    DIFFERING,
    FEW,
    KEEP_ACCOUNTS,
    OUTDATED,
    UNPUBLISHED,
    UPDATE,
)
from stillwatch_gateway.entries import NAMED_BY

Names = Mapping[str, Sequence[str]]
Target = Account | ApiKey | Organisation
# The column of each kind of target, which is what the audit log and the API call it.
TARGET_COLUMNS: Final[Mapping[type[Target], str]] = {Account: "account", ApiKey: "key", Organisation: "organisation"}

# Past so many names a change tells gateways what came and went, and not all names again.
MOST_LISTED: Final = 200


def target_reference(target: Target) -> tuple[str, str]:
    """Return the kind and the external id of a target, as the audit log and the API name it."""
    return TARGET_COLUMNS[type(target)], target.external_id


class NamesChanged(NamedTuple):
    """The names that a restriction covers from now on, and does no longer. `all` lists every one while they are few."""

    added: Names
    removed: Names
    all: Names | None


# Accounts of an organisation whose names are published in one transaction; a larger one is published in batches.
ACCOUNTS_AT_ONCE: Final = 1_000


def find_outdated_numbers(targets: Collection[str] = ()) -> list[int]:
    """Return the numbers of live restrictions whose published names are not those that they cover.

    `targets`, such as "account:7" or "organisation:3" by their primary keys, limit the search to restrictions of these
    accounts, of the organisations they are in, and of these organisations.
    """
    numbers = _numbers_of(targets) if targets else None
    with connection.cursor() as cursor:
        cursor.execute(OUTDATED, {"numbers": numbers, "accounts": None})
        return [number for (number,) in cursor.fetchall()]


def with_other_names(numbers: Collection[int]) -> set[int]:
    """Return those of these live restrictions whose published names are not those that they cover."""
    with connection.cursor() as cursor:
        cursor.execute(DIFFERING, {"numbers": list(numbers), "accounts": None})
        return {number for (number,) in cursor.fetchall()}


def _numbers_of(targets: Collection[str]) -> list[int]:
    accounts, organisations = _keys_of(targets, "account"), _keys_of(targets, "organisation")
    belong = Account.objects.filter(pk__in=accounts).exclude(organisation=None)
    organisations += belong.order_by().values_list("organisation_id", flat=True)
    condition = Q(account__in=accounts) | Q(key__in=ApiKey.objects.filter(account__in=accounts).values("pk"))
    live = Restriction.objects.filter(condition | Q(organisation__in=organisations), ended_at=None)
    return list(live.order_by().values_list("number", flat=True))


def first_account_batch(organisations: Collection[Organisation]) -> list[int] | None:
    """Return the accounts of these organisations to be published first; None where all can be published at once."""
    if not organisations:
        return None
    belong = Account.objects.filter(organisation__in=organisations).order_by("pk")
    first = list(belong.values_list("pk", flat=True)[: ACCOUNTS_AT_ONCE + 1])
    return first[:ACCOUNTS_AT_ONCE] if len(first) > ACCOUNTS_AT_ONCE else None


def unpublished_batches(numbers: Collection[int]) -> list[tuple[int, list[int]]]:
    """Return accounts that these live restrictions on organisations cover and that are not published yet, in batches,
    each with its restriction. Of one that was published in full only those that are too many to be published at once.
    """
    unpublished = defaultdict[tuple[int, bool], list[int]](list)
    with connection.cursor() as cursor:
        cursor.execute(UNPUBLISHED, {"numbers": list(numbers)})
        for number, is_in_part, account in cursor.fetchall():
            unpublished[number, is_in_part].append(account)
    return [
        (number, accounts[start : start + ACCOUNTS_AT_ONCE])
        for (number, is_in_part), accounts in unpublished.items()
        for start in range(0, len(accounts), ACCOUNTS_AT_ONCE)
        if is_in_part or len(accounts) > ACCOUNTS_AT_ONCE
    ]


def update_names(
    numbers: Collection[int],
    *,
    list_few: bool = True,
    account_pks: Collection[int] | None = None,
    only_adds: bool = False,
) -> dict[int, NamesChanged]:
    """Store what these live restrictions cover now as published. Return what that changed, by restriction.

    With `account_pks`, primary keys, those on organisations publish these accounts only; then, and with `only_adds`, no
    name is removed. The caller holds the lock of the audit log in its transaction.
    """
    store_covered_accounts(numbers, account_pks=account_pks)
    added, removed, listed = (defaultdict[int, list[tuple[str, str]]](list) for _ in range(3))
    with connection.cursor() as cursor:
        query = ADD if only_adds or account_pks is not None else UPDATE
        cursor.execute(query, {"numbers": list(numbers), "accounts": _as_list(account_pks)})
        for number, kind, name, is_added in cursor.fetchall():
            (added if is_added else removed)[number].append((kind, name))
        changed = sorted({*added, *removed})
        if list_few:
            cursor.execute(FEW, {"numbers": changed, "most": MOST_LISTED})
            for number, kind, name in cursor.fetchall():
                listed[number].append((kind, name))
    return {
        number: NamesChanged(
            group_by_kind(added[number]),
            group_by_kind(removed[number]),
            group_by_kind(listed[number]) if number in listed else None,
        )
        for number in changed
    }


def store_covered_accounts(numbers: Collection[int], *, account_pks: Collection[int] | None = None) -> None:
    """Note which accounts these restrictions on organisations and keys are on now, besides those they were on before;
    of organisations only `account_pks`, where given.

    The caller holds the lock of the audit log in its transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute(KEEP_ACCOUNTS, {"numbers": list(numbers), "accounts": _as_list(account_pks)})


def _as_list(accounts: Collection[int] | None) -> list[int] | None:
    return None if accounts is None else list(accounts)


def unchanged_names(numbers: Collection[int]) -> dict[int, NamesChanged]:
    """Return the published names of these live restrictions, and no change; of those that have many one name, which a
    change has to list, as if it were added.
    """
    listed: dict[int, list[tuple[str, str]]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(FEW, {"numbers": list(numbers), "most": MOST_LISTED})
        for number, kind, name in cursor.fetchall():
            listed[number].append((kind, name))
    unchanged = {
        number: NamesChanged(group_by_kind(()), group_by_kind(()), group_by_kind(names))
        for number, names in listed.items()
    }
    for number in set(numbers) - set(listed):
        one = CoveredName.objects.filter(restriction=number).order_by("kind", "name").values_list("kind", "name")[:1]
        unchanged[number] = NamesChanged(group_by_kind(one), group_by_kind(()), None if one else group_by_kind(()))
    return unchanged


def group_by_kind(names: Iterable[tuple[str, str]]) -> Names:
    """Return names that are given with their kinds as a payload lists them."""
    found: dict[str, list[str]] = {kind: [] for kind in NAMED_BY}
    for kind, name in sorted(names):
        found[kind].append(name)
    return found


def _keys_of(targets: Iterable[str], kind: str) -> list[int]:
    return [int(key) for of, _, key in (target.partition(":") for target in targets) if of == kind]
