"""Retention works in portions, so that nobody waits for long, and comes to an end."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from msgspec.structs import replace

from accounts.actions import register_accounts
from accounts.models import Account
from accounts.register import AccountLine
from governance.audit.models import Entry
from governance.audit.verbs import Verb
from governance.platform.expiry import delete_in_portions
from governance.privacy.retention import apply_retention, list_due
from governance.usage.models import EventConflict
from tests.factories import MACHINE, NOW, account, assessment

pytestmark = pytest.mark.django_db


class TestAClosedAccount:
    def test_counts_from_when_it_was_first_seen_closed(self) -> None:
        account("acct_old", status=Account.Status.CLOSED, email_domain="smit.nl")

        apply_retention(now=NOW)
        apply_retention(now=NOW + timedelta(days=729))
        assert Account.objects.get().email_domain == "smit.nl"
        apply_retention(now=NOW + timedelta(days=731))

        assert Account.objects.get().email_domain.startswith("erased-")
        entry = Entry.objects.get(verb=Verb.PERSON_ERASED)
        assert (entry.subject_id, entry.details) == ("acct_old", {"because": "retention", "accounts": 1})

    def test_is_as_new_when_the_register_opens_it_again(self) -> None:
        account("acct_old", status=Account.Status.CLOSED, closed_at=NOW - timedelta(days=731), email_domain="smit.nl")
        apply_retention(now=NOW)
        closed = AccountLine(account="acct_old", email_domain="smit.nl", status="closed")
        register_accounts([closed], by=MACHINE, now=NOW)
        assert Account.objects.get().email_domain.startswith("erased-")

        register_accounts([replace(closed, status="open")], by=MACHINE, now=NOW)

        again = Account.objects.get()
        assert (again.email_domain, again.erased_at, again.closed_at) == ("smit.nl", None, None)


class TestPortions:
    def test_lock_a_part_of_the_rows_at_a_time(self) -> None:
        one = account()
        for place in range(5):
            EventConflict.objects.create(
                account=one, source=f"s{place}", day=NOW, events=1, in_time_alone=0, newest_at=NOW
            )

        with CaptureQueriesContext(
            connection,
        ) as done:
            deleted = delete_in_portions(EventConflict.objects.all(), portion=2)

        assert deleted == {"usage.EventConflict": 5}
        assert sum(query["sql"].startswith("DELETE") for query in done.captured_queries) == 3

    def test_of_assessments_are_all_ended_at_last(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("governance.privacy.retention.PORTION", 2)
        one, long_ago = account(), NOW - timedelta(days=800)
        for place in range(6):
            assessment(one, at=long_ago + timedelta(hours=place))

        done = apply_retention(now=NOW)

        assert done["detection.Assessment"] == 5
        assert not [due for due in list_due(now=NOW) if due.rule.table == "detection.Assessment" and due.rows.exists()]
