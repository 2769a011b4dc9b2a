"""Facts about accounts that detection asks for, many accounts at a time."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple

from django.db import connection
from django.db.models import QuerySet

from accounts.models import Account, ApiKey, Organisation


class RegisterFacts(NamedTuple):
    """What the register knows of an account at a time. `licence_ended_at` is the last end of a permission to train."""

    external_id: str
    organisation_id: int | None
    created_at: datetime | None
    plan: str
    declared_use: str
    country: str
    email_domain: str
    signup_ip: str
    payment_fingerprint: str
    others_on_card: int
    licence_ended_at: datetime | None
    licensed: bool


def register_facts(account_pks: Collection[int], *, at: datetime) -> dict[int, RegisterFacts]:
    """The facts by primary key, in two queries however many accounts there are."""
    licensed = set(Account.objects.training_permitted(at=at).filter(pk__in=account_pks).values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT account.id, account.external_id, account.organisation_id, account.created_at, account.plan,
                   account.declared_use, account.country, account.email_domain,
                   coalesce(host(account.signup_ip), ''), account.payment_fingerprint,
                   CASE WHEN account.payment_fingerprint = '' THEN 0 ELSE (
                       SELECT count(*) - 1 FROM accounts_account AS other
                       WHERE other.payment_fingerprint = account.payment_fingerprint
                         AND other.payment_fingerprint <> ''
                   ) END,
                   (
                       SELECT max(ends_at) FROM accounts_licence AS licence
                       WHERE licence.account_id = account.id AND training_permitted AND ends_at <= %(at)s
                   )
            FROM accounts_account AS account WHERE account.id = ANY(%(accounts)s)
            """,
            {"accounts": list(account_pks), "at": at},
        )
        return {pk: RegisterFacts._make((*facts, pk in licensed)) for pk, *facts in cursor.fetchall()}


class NamedCustomer(NamedTuple):
    """Whom an event names."""

    account: str
    organisation: str | None
    api_key: str | None


class NewName(NamedTuple):
    """A name of a `kind`; of a key, which account it is claimed for."""

    kind: str
    name: str
    of: str = ""


class RegisteredKey(NamedTuple):
    """An API key: its primary key, its owner, who assigned it, and another account that usage names for it."""

    pk: int
    account: int
    tied_by: str
    contested_by: int | None


class RegisteredNames(NamedTuple):
    """What the register has of some names, by external id: the primary keys of accounts, and API keys."""

    accounts: Mapping[str, int]
    keys: Mapping[str, RegisteredKey]


def find_registered(accounts: Collection[str], keys: Collection[str]) -> RegisteredNames:
    """Look these names up. Call it in the transaction that relies on the answer, and keep no answer beyond it.

    Another process may move a key at any time; and after a failover or a restore that lost the newest rows, a primary
    key may belong to another customer.
    """
    return RegisteredNames(find_account_pks(accounts), find_registered_keys(keys))


def find_account_pks(external_ids: Collection[str]) -> dict[str, int]:
    """Return the primary keys of those of these accounts that are registered."""
    if not external_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT external_id, id FROM accounts_account WHERE external_id = ANY(%s)", [list(external_ids)])
        return dict(cursor.fetchall())


def find_registered_keys(external_ids: Collection[str]) -> dict[str, RegisteredKey]:
    """Return those of these API keys that are registered."""
    if not external_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT external_id, id, account_id, tied_by, contested_by_id FROM accounts_apikey
            WHERE external_id = ANY(%s)
            """,
            [list(external_ids)],
        )
        return {name: RegisteredKey._make(key) for name, *key in cursor.fetchall()}


def find_new_names(
    customers: Collection[NamedCustomer], registered: RegisteredNames
) -> dict[NamedCustomer, set[NewName]]:
    """Of those that would make something new known, what: an account, an organisation, or a key's account.

    `registered` is what the register has of the accounts and keys that are named.
    """
    unknown = [naming for naming in customers if naming.account not in registered.accounts]
    named = {naming.organisation for naming in unknown if naming.organisation}
    organisations = (
        set(Organisation.objects.filter(external_id__in=named).values_list("external_id", flat=True)) if named else ()
    )
    found: dict[NamedCustomer, set[NewName]] = {}
    for naming in customers:
        names = set()
        if naming.account not in registered.accounts:
            names.add(NewName("account", naming.account))
            if naming.organisation and naming.organisation not in organisations:
                names.add(NewName("organisation", naming.organisation))
        if naming.api_key and _is_new_claim(naming.api_key, naming.account, registered):
            names.add(NewName("key", naming.api_key, naming.account))
        if names:
            found[naming] = names
    return found


def _is_new_claim(name: str, account: str, registered: RegisteredNames) -> bool:
    """Whether the key is not registered, or only usage has named its owner and never this one."""
    key = registered.keys.get(name)
    if key is None:
        return True
    known_owners = {key.account, key.contested_by}
    return key.tied_by == ApiKey.TiedBy.USAGE and registered.accounts.get(account, 0) not in known_owners


def lock_keys(keys: QuerySet[ApiKey]) -> list[ApiKey]:
    """Lock these keys, and return them with their accounts. The query must join nothing.

    Accounts are read afterwards: PostgreSQL leaves out a row whose foreign key changed while this waited for it.
    """
    locked = list(keys.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
    return list(ApiKey.objects.select_related("account", "contested_by").filter(pk__in=locked).order_by("pk"))
