"""Read what campaigns are searched in: all accounts with usage, in a number of queries that does not depend on them."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

import numpy as np
import polars as pl
from django.db import connection
from psycopg import Cursor

from accounts.models import Account
from governance.campaigns.models import AccountSample
from governance.campaigns.population import ACCOUNTS, TRAITS, Numbers, Population
from governance.campaigns.trait_store import LEAST_SHARE
from governance.campaigns.traits import TraitKind

# Values that one account alone has are left out: they are most, and tell nothing.
_TRAITS: Final = """
SELECT account_id, kind, digest, share FROM (
    SELECT account_id, kind, digest, share, count(*) OVER (PARTITION BY kind, digest) AS users
    FROM campaigns_accounttrait WHERE share >= %(least)s OR NOT kind = ANY(%(wrappers)s)
) AS used WHERE users > 1
"""

_ACCOUNTS: Final = """
SELECT account.id, account.organisation_id, lower(account.email_domain), account.id = ANY(%(licensed)s),
       coalesce(latest.texts, 0), latest.content_log_odds, sample.is_product, sample.is_evaluation, sample.slots,
       sample.requests
FROM campaigns_accountsample AS sample JOIN accounts_account AS account ON account.id = sample.account_id
LEFT JOIN LATERAL (
    SELECT texts, content_log_odds FROM detection_assessment
    WHERE account_id = sample.account_id ORDER BY assessed_at DESC, id DESC LIMIT 1
) AS latest ON true
ORDER BY account.id
"""


def load_population(*, now: datetime) -> tuple[Population, dict[int, int]]:
    """Return all accounts that have usage, and the number of requests of each by account id."""
    licensed = [*Account.objects.training_permitted(at=now).values_list("pk", flat=True)]
    wrappers = [TraitKind.OPENING.value, TraitKind.CLOSING.value]
    connection.ensure_connection()
    # Binary, which takes half the time and memory of Django's own cursors for so many numbers.
    with Cursor(connection.connection) as cursor:
        cursor.execute(_TRAITS, {"least": LEAST_SHARE, "wrappers": wrappers}, binary=True)
        traits = pl.DataFrame(cursor.fetchall(), schema=TRAITS, orient="row")
        cursor.execute(_ACCOUNTS, {"licensed": licensed}, binary=True)
        accounts = pl.DataFrame(cursor.fetchall(), schema={**ACCOUNTS, "requests": pl.Int64}, orient="row")
    requests = dict(accounts.select("account", "requests").iter_rows())
    return Population(accounts.drop("requests"), traits), requests


def sketches_of(population: Population) -> Callable[[Numbers], Sequence[Numbers]]:
    """Return a function that reads the sketches of the prompts of these rows, in one query."""

    def read(rows: Numbers) -> list[Numbers]:
        ids = population.ids[rows].tolist()
        samples = dict(AccountSample.objects.filter(pk__in=ids).values_list("pk", "sketches"))
        return [np.array(samples.get(account, []), dtype=np.int64).view(np.uint64) for account in ids]

    return read
