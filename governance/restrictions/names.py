"""The names that a restriction covers: by any of them a gateway may know whom it serves.

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
from stillwatch_gateway.entries import NAMED_BY

Names = Mapping[str, Sequence[str]]
Target = Account | ApiKey | Organisation
# The column of each kind of target, which is what the audit log and the API call it.
TARGET_COLUMNS: Final[Mapping[type[Target], str]] = {Account: "account", ApiKey: "key", Organisation: "organisation"}

# Past so many names a change tells gateways what came and went, and not all names again.
MOST_LISTED: Final = 200


def target_name(target: Target) -> tuple[str, str]:
    """Return the kind and the external id of a target, as the audit log and the API name it."""
    return TARGET_COLUMNS[type(target)], target.external_id


class NamesChanged(NamedTuple):
    """The names that a restriction covers from now on, and does no longer. `all` lists every one while they are few."""

    added: Names
    removed: Names
    all: Names | None


# Accounts of an organisation whose names are published in one transaction; a larger one is published in batches.
ACCOUNTS_AT_ONCE: Final = 1_000

# What the live restrictions cover by the register as it is; with `accounts`, of organisations these accounts alone.
_COVERED: Final = """
    WITH live AS (
        SELECT number, account_id, key_id, organisation_id FROM restrictions_restriction
        WHERE ended_at IS NULL AND (%(numbers)s::bigint[] IS NULL OR number = ANY(%(numbers)s))
    ), member AS (
        SELECT live.number, account.id, account.external_id
        FROM live JOIN accounts_account account ON account.id = live.account_id
        UNION ALL
        SELECT live.number, account.id, account.external_id
        FROM live JOIN accounts_account account ON account.organisation_id = live.organisation_id
        WHERE %(accounts)s::bigint[] IS NULL OR account.id = ANY(%(accounts)s)
    ), named_key AS (
        SELECT member.number, key.external_id, key.digest
        FROM member JOIN accounts_apikey key ON key.account_id = member.id AND key.contested_at IS NULL
        UNION ALL
        SELECT live.number, key.external_id, key.digest FROM live JOIN accounts_apikey key ON key.id = live.key_id
    ), lost_name AS (
        SELECT account_id, key_id, organisation_id, kind, name FROM restrictions_lostname lost WHERE NOT EXISTS (
            SELECT FROM accounts_apikey key WHERE key.tied_by <> 'usage'
            AND CASE WHEN lost.kind = 'key' THEN lost.name END = key.external_id
        ) AND NOT EXISTS (
            SELECT FROM accounts_apikey key WHERE key.tied_by <> 'usage'
            AND CASE WHEN lost.kind = 'digest' THEN decode(lost.name, 'hex') END = key.digest
        )
    ), covered AS (
        SELECT live.number, 'organisation' AS kind, organisation.external_id AS name
        FROM live JOIN accounts_organisation organisation ON organisation.id = live.organisation_id
        UNION ALL SELECT number, 'account', external_id FROM member
        UNION ALL SELECT number, 'key', external_id FROM named_key
        UNION ALL SELECT number, 'digest', encode(digest, 'hex') FROM named_key WHERE digest IS NOT NULL
        UNION ALL
        SELECT member.number, lost_name.kind, lost_name.name
        FROM member JOIN lost_name ON lost_name.account_id = member.id
        UNION ALL SELECT live.number, lost_name.kind, lost_name.name FROM live JOIN lost_name USING (organisation_id)
        UNION ALL SELECT live.number, lost_name.kind, lost_name.name FROM live JOIN lost_name USING (key_id)
    )
"""
# Beside it the published names; with `accounts` surplus names are left alone.
_COMPARED: Final = f"""
    {_COVERED}, published AS (
        SELECT restriction_id, kind, name FROM restrictions_coveredname
        WHERE (%(numbers)s::bigint[] IS NULL OR restriction_id = ANY(%(numbers)s))
          AND restriction_id NOT IN (SELECT number FROM restrictions_restriction WHERE is_end_unpublished)
    ), missing AS (
        SELECT number, kind, name FROM covered EXCEPT SELECT restriction_id, kind, name FROM published
    ), surplus AS (
        SELECT restriction_id, kind, name FROM published WHERE %(accounts)s::bigint[] IS NULL
        EXCEPT SELECT number, kind, name FROM covered
    )
"""  # noqa: S608 - no value in it
OUTDATED: Final = f"""
    {_COMPARED}
    SELECT number FROM missing UNION SELECT restriction_id FROM surplus
    UNION SELECT number FROM restrictions_restriction
    WHERE ended_at IS NULL AND published_in_full_by IS NULL
      AND (%(numbers)s::bigint[] IS NULL OR number = ANY(%(numbers)s))
    ORDER BY number
"""  # noqa: S608 - no value in it
# By the index of published names: a large organisation has too many to be compared for one account.
LACKING: Final = f"""
    {_COVERED}
    SELECT DISTINCT number FROM covered WHERE NOT EXISTS (
        SELECT FROM restrictions_coveredname published
        WHERE (published.restriction_id, published.kind, published.name) = (covered.number, covered.kind, covered.name)
    )
"""  # noqa: S608 - no value in it
# A difference of sets, and not a search for each account: just after many names were inserted the planner has no
# statistics of them, and would scan all of them for each account.
UNPUBLISHED: Final = """
    WITH unpublished AS (
        SELECT restriction.number, account.external_id
        FROM restrictions_restriction restriction
        JOIN accounts_account account ON account.organisation_id = restriction.organisation_id
        WHERE restriction.number = ANY(%(numbers)s) AND restriction.ended_at IS NULL
        EXCEPT
        SELECT restriction_id, name FROM restrictions_coveredname
        WHERE restriction_id = ANY(%(numbers)s) AND kind = 'account'
    )
    SELECT unpublished.number, account.id FROM unpublished JOIN accounts_account account USING (external_id)
    ORDER BY unpublished.number, account.id
"""
UPDATE: Final = f"""
    {_COMPARED}, added AS (
        INSERT INTO restrictions_coveredname (restriction_id, kind, name) SELECT number, kind, name FROM missing
        RETURNING restriction_id, kind, name
    ), removed AS (
        DELETE FROM restrictions_coveredname published USING surplus
        WHERE (published.restriction_id, published.kind, published.name)
            = (surplus.restriction_id, surplus.kind, surplus.name)
        RETURNING published.restriction_id, published.kind, published.name
    )
    SELECT restriction_id, kind, name, true FROM added UNION ALL SELECT restriction_id, kind, name, false FROM removed
"""  # noqa: S608 - no value in it
# Most are noted already when a restriction ends; to look them up takes a tenth of the time of inserting in vain.
KEEP_ACCOUNTS: Final = """
    INSERT INTO restrictions_coveredaccount (restriction_id, account_id)
    SELECT number, account_id FROM (
        SELECT restriction.number, account.id AS account_id
        FROM restrictions_restriction restriction
        JOIN accounts_account account ON account.organisation_id = restriction.organisation_id
        WHERE restriction.number = ANY(%(numbers)s)
          AND (%(accounts)s::bigint[] IS NULL OR account.id = ANY(%(accounts)s))
        UNION ALL
        SELECT restriction.number, key.account_id
        FROM restrictions_restriction restriction JOIN accounts_apikey key ON key.id = restriction.key_id
        WHERE restriction.number = ANY(%(numbers)s)
    ) is_on
    WHERE NOT EXISTS (
        SELECT FROM restrictions_coveredaccount noted
        WHERE (noted.restriction_id, noted.account_id) = (is_on.number, is_on.account_id)
    )
    ON CONFLICT DO NOTHING
"""
# Counts no further than it must, whatever the planner believes of names that were just written.
FEW: Final = """
    SELECT covered.restriction_id, covered.kind, covered.name
    FROM unnest(%(numbers)s::bigint[]) AS wanted (number)
    CROSS JOIN LATERAL (
        SELECT count(*) AS names FROM (
            SELECT FROM restrictions_coveredname WHERE restriction_id = wanted.number LIMIT %(most)s + 1
        ) counted
    ) size
    JOIN restrictions_coveredname covered ON covered.restriction_id = wanted.number
    WHERE size.names <= %(most)s
"""


def outdated_restrictions(targets: Collection[str] = ()) -> list[int]:
    """Return the numbers of live restrictions whose published names are not those that they cover.

    `targets`, such as "account:7" or "organisation:3" by their primary keys, limit the search to restrictions of these
    accounts, of the organisations they are in, and of these organisations.
    """
    numbers = _numbers_of(targets) if targets else None
    with connection.cursor() as cursor:
        cursor.execute(OUTDATED, {"numbers": numbers, "accounts": None})
        return [number for (number,) in cursor.fetchall()]


def with_unpublished_names(account: int, numbers: Collection[int]) -> set[int]:
    """Return those of these live restrictions that cover names of the account that are not published yet."""
    with connection.cursor() as cursor:
        cursor.execute(LACKING, {"numbers": list(numbers), "accounts": [account]})
        return {number for (number,) in cursor.fetchall()}


def _numbers_of(targets: Collection[str]) -> list[int]:
    accounts, organisations = _keys_of(targets, "account"), _keys_of(targets, "organisation")
    belong = Account.objects.filter(pk__in=accounts).exclude(organisation=None)
    organisations += belong.order_by().values_list("organisation_id", flat=True)
    condition = Q(account__in=accounts) | Q(key__in=ApiKey.objects.filter(account__in=accounts).values("pk"))
    live = Restriction.objects.filter(condition | Q(organisation__in=organisations), ended_at=None)
    return list(live.order_by().values_list("number", flat=True))


def first_batch(organisations: Collection[Organisation]) -> list[int] | None:
    """Return the accounts of these organisations to be published first; None where all can be published at once."""
    if not organisations:
        return None
    belong = Account.objects.filter(organisation__in=organisations).order_by("pk")
    first = list(belong.values_list("pk", flat=True)[: ACCOUNTS_AT_ONCE + 1])
    return first[:ACCOUNTS_AT_ONCE] if len(first) > ACCOUNTS_AT_ONCE else None


def unpublished_batches(numbers: Collection[int]) -> list[tuple[int, list[int]]]:
    """Return accounts that these live restrictions on organisations cover and that are not published yet, in batches,
    each with its restriction. Empty where all can be published at once.
    """
    unpublished = defaultdict[int, list[int]](list)
    with connection.cursor() as cursor:
        cursor.execute(UNPUBLISHED, {"numbers": list(numbers)})
        for number, account in cursor.fetchall():
            unpublished[number].append(account)
    return [
        (number, accounts[start : start + ACCOUNTS_AT_ONCE])
        for number, accounts in unpublished.items()
        for start in range(0, len(accounts), ACCOUNTS_AT_ONCE)
        if len(accounts) > ACCOUNTS_AT_ONCE
    ]


def update_names(
    numbers: Collection[int], *, list_few: bool = True, accounts: Collection[int] | None = None
) -> dict[int, NamesChanged]:
    """Store what these live restrictions cover now as published. Return what that changed, by restriction.

    With `accounts`, primary keys, those on organisations publish these accounts only. The caller holds the lock of the
    audit log in its transaction.
    """
    keep_covered_accounts(numbers, accounts=accounts)
    added, removed, listed = (defaultdict[int, list[tuple[str, str]]](list) for _ in range(3))
    with connection.cursor() as cursor:
        cursor.execute(UPDATE, {"numbers": list(numbers), "accounts": None if accounts is None else list(accounts)})
        for number, kind, name, is_added in cursor.fetchall():
            (added if is_added else removed)[number].append((kind, name))
        changed = sorted({*added, *removed})
        if list_few:
            cursor.execute(FEW, {"numbers": changed, "most": MOST_LISTED})
            for number, kind, name in cursor.fetchall():
                listed[number].append((kind, name))
    return {
        number: NamesChanged(
            by_kind(added[number]), by_kind(removed[number]), by_kind(listed[number]) if number in listed else None
        )
        for number in changed
    }


def keep_covered_accounts(numbers: Collection[int], *, accounts: Collection[int] | None = None) -> None:
    """Note which accounts these restrictions on organisations and keys are on now, besides those they were on before;
    of organisations only `accounts`, where given.

    The caller holds the lock of the audit log in its transaction.
    """
    with connection.cursor() as cursor:
        given = None if accounts is None else list(accounts)
        cursor.execute(KEEP_ACCOUNTS, {"numbers": list(numbers), "accounts": given})


def unchanged_names(numbers: Collection[int]) -> dict[int, NamesChanged]:
    """Return the published names of these live restrictions, and no change; of those that have many one name, which a
    change has to list, as if it were added.
    """
    listed: dict[int, list[tuple[str, str]]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(FEW, {"numbers": list(numbers), "most": MOST_LISTED})
        for number, kind, name in cursor.fetchall():
            listed[number].append((kind, name))
    unchanged = {number: NamesChanged(by_kind(()), by_kind(()), by_kind(names)) for number, names in listed.items()}
    for number in set(numbers) - set(listed):
        one = CoveredName.objects.filter(restriction=number).order_by("kind", "name").values_list("kind", "name")[:1]
        unchanged[number] = NamesChanged(by_kind(one), by_kind(()), None if one else by_kind(()))
    return unchanged


def by_kind(names: Iterable[tuple[str, str]]) -> Names:
    """Return names that are given with their kinds as a payload lists them."""
    found: dict[str, list[str]] = {kind: [] for kind in NAMED_BY}
    for kind, name in sorted(names):
        found[kind].append(name)
    return found


def _keys_of(targets: Iterable[str], kind: str) -> list[int]:
    return [int(key) for of, _, key in (target.partition(":") for target in targets) if of == kind]
