"""Facts about accounts that detection asks for, many accounts at a time."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from django.db import connection

from accounts import id_cache
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


def register_facts(accounts: Collection[int], *, at: datetime) -> dict[int, RegisterFacts]:
    """The facts by primary key, in two queries however many accounts there are."""
    licensed = set(Account.objects.training_permitted(at=at).filter(pk__in=accounts).values_list("pk", flat=True))
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
            {"accounts": list(accounts), "at": at},
        )
        return {pk: RegisterFacts._make((*facts, pk in licensed)) for pk, *facts in cursor.fetchall()}


class Naming(NamedTuple):
    """Whom an event names."""

    account: str
    organisation: str | None
    api_key: str | None


class Name(NamedTuple):
    """A name of a `kind`; of a key, which account it is claimed for."""

    kind: str
    name: str
    of: str = ""


def new_names(namings: Collection[Naming]) -> dict[Naming, set[Name]]:
    """Of those that would make something new known, what: an account, an organisation, or a key's account.

    Without a query where this process has met all of them.
    """
    accounts = {naming.account for naming in namings}
    met = id_cache.accounts.get_many(accounts)
    claimed = id_cache.keys.get_many({naming.api_key for naming in namings if naming.api_key})
    unmet = [
        naming
        for naming in namings
        if naming.account not in met or (naming.api_key and claimed.get(naming.api_key) != met[naming.account])
    ]
    if not unmet:
        return {}
    stored = set(Account.objects.known_as([naming.account for naming in unmet]).values_list("external_id", flat=True))
    named = {naming.organisation for naming in unmet if naming.organisation}
    organisations = set(Organisation.objects.filter(external_id__in=named).values_list("external_id", flat=True))
    keys = ApiKey.objects.filter(external_id__in={naming.api_key for naming in unmet if naming.api_key})
    owners = {
        name: {owner, contested_by} if tied_by == ApiKey.TiedBy.USAGE else None
        for name, owner, contested_by, tied_by in keys.values_list(
            "external_id", "account__external_id", "contested_by__external_id", "tied_by"
        )
    }
    found: dict[Naming, set[Name]] = {}
    for naming in unmet:
        account, organisation, key = naming
        names = set()
        if account not in stored:
            names.add(Name("account", account))
            if organisation and organisation not in organisations:
                names.add(Name("organisation", organisation))
        if key and (key not in owners or (owners[key] is not None and account not in (owners[key] or ()))):
            names.add(Name("key", key, account))
        if names:
            found[naming] = names
    return found
