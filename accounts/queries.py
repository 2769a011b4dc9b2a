"""Facts about accounts that detection asks for, many accounts at a time."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from django.db import connection

from accounts.models import Account


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
