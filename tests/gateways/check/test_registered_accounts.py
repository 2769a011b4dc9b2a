"""The check says whether an account is registered, and misses none that was committed."""

from typing import Any

import pytest

from governance.gateways.check.registered_accounts import RegisteredAccounts
from governance.gateways.check.sql import connect
from tests.factories import account, api_key
from tests.front import Served
from tests.gateways.check.requests_by_protocol import block
from tests.waiting import wait_until

MANY = """
    INSERT INTO accounts_account (external_id, status, plan, declared_use, country, email_domain, payment_fingerprint,
                                  first_seen_at)
    SELECT 'acct_' || n, 'open', '', '', '', '', '', now()
    FROM generate_series(%(first)s::int, %(first)s::int + 24999) n
    ON CONFLICT DO NOTHING
"""


def add(database: Any, name: str) -> None:
    database.execute(MANY.partition("SELECT")[0] + "SELECT %s, 'open', '', '', '', '', '', now()", [name])


class TestWhetherAnAccountIsKnown:
    def test_is_said_of_accounts_and_of_nothing_else(self, front: Served) -> None:
        block("acct_bad")
        account("acct_ü")
        api_key(account("acct_good"), "key_1")

        def known(**names: str) -> Any:
            return front.check(**names)["known"]

        wait_until(lambda: known(account="acct_good") is True, "the account is known")

        assert known(account="acct_bad") is True
        assert known(account="acct_%C3%BC") is True
        assert known(account="acct_nobody") is False
        assert known(api_key="key_1") is None
        assert known(api_key="key_1", account="acct_nobody") is False

    def test_is_not_said_without_the_database(self) -> None:
        registered = RegisteredAccounts()

        assert registered.is_registered(["account:acct_1"]) is None

    @pytest.mark.django_db(transaction=True)
    def test_misses_no_account_that_was_committed_after_later_ones(self) -> None:
        registered = RegisteredAccounts()
        with connect() as reader, connect() as slow, connect() as quick:
            slow.execute("BEGIN")
            add(slow, "acct_slow")
            add(quick, "acct_quick")
            for _ in range(3):
                registered.read(reader)
            before = "acct_slow" in registered
            slow.execute("COMMIT")
            quick.execute("SELECT pg_current_xact_id()")  # as anything else does on the same servers
            registered.read(reader)
            for number in range(3):
                add(quick, f"acct_{number}")
                registered.read(reader)

        assert not before
        assert all(name in registered for name in ("acct_slow", "acct_quick", "acct_0", "acct_2"))
        assert len(registered) == 5

    @pytest.mark.django_db(transaction=True)
    def test_holds_many_accounts(self) -> None:
        registered = RegisteredAccounts()
        with connect() as database:
            for first in (0, 25_000, 26_000):
                database.execute(MANY, {"first": first})
                registered.read(database)

        assert len(registered) == 51_000
        assert all(f"acct_{number}" in registered for number in range(0, 51_000, 100))
        assert "acct_51000" not in registered
