"""What can be done on the page of an account: open a case by hand, and put it on the watch-list."""

from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import Account
from governance.audit.models import Entry
from governance.investigation.models import WatchedAccount
from governance.review.models import Case, Step
from governance.staff.models import User
from tests.factories import NOW, account, assessment, case
from tests.investigation.pages import account_address
from tests.review.pages import by_htmx, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_at_now")]


@pytest.fixture
def harbour() -> Account:
    return account("acct_harbour", organisation="org_quay")


class TestOpeningACase:
    def test_below_the_line_keeps_the_reason_in_history_and_log(
        self, client: Client, mira: User, harbour: Account
    ) -> None:
        assessment(harbour, score=3, band="low")

        response = client.post(account_address("acct_harbour", "account-open-case"), {"reason": "A tip by mail."})

        opened = Case.objects.get()
        assert response["Location"] == f"/cases/{opened.pk}/"
        assert (opened.score, opened.status, opened.due_at) == (3, "open", NOW + timedelta(days=7))
        step = Step.objects.get()
        assert (step.kind, step.by, step.text) == ("opened", "Mira Okafor", "A tip by mail.")
        entry = Entry.objects.latest("number")
        assert (entry.verb, entry.subject_id) == ("case.opened", str(opened.pk))
        assert entry.details == {"account": "acct_harbour", "reason": "A tip by mail.", "score": 3}
        assert client.get(f"/cases/{opened.pk}/").status_code == 200

    def test_needs_a_reason(self, client: Client, harbour: Account) -> None:
        assessment(harbour)

        response = client.post(account_address("acct_harbour", "account-open-case"), {"reason": " "})

        assert response.status_code == 422
        assert "Enter why a case is needed." in text(response)
        assert not Case.objects.exists()

    def test_leads_to_the_open_case_where_there_is_one(self, client: Client, harbour: Account) -> None:
        opened = case(harbour)

        response = client.post(account_address("acct_harbour", "account-open-case"), {"reason": "A tip."})

        assert response["Location"] == f"/cases/{opened.pk}/"
        assert Case.objects.count() == 1

    def test_needs_a_score(self, client: Client, harbour: Account) -> None:
        response = client.post(account_address("acct_harbour", "account-open-case"), {"reason": "A tip."})

        assert response.status_code == 422
        assert not Case.objects.exists()

    def test_by_htmx_leads_there_too(self, client: Client, harbour: Account) -> None:
        assessment(harbour)

        address = account_address("acct_harbour", "account-open-case")
        response = client.post(address, {"reason": "A tip."}, headers=by_htmx("open-case"))

        assert response["HX-Redirect"] == f"/cases/{Case.objects.get().pk}/"


class TestTheWatchList:
    def test_keeps_who_why_and_the_score_then(self, client: Client, harbour: Account) -> None:
        assessment(harbour, score=41, band="low")

        client.post(account_address("acct_harbour", "account-watch"), {"reason": "Grows fast."})
        assessment(harbour, score=47, band="low", at=NOW + timedelta(hours=1))

        watched = WatchedAccount.objects.get()
        assert (watched.reason, watched.score, watched.added_by.name) == ("Grows fast.", 41, "Mira Okafor")
        page = text(client.get(account_address("acct_harbour")))
        assert "Grows fast." in page
        assert "the score was 41, now it is 47" in page

    def test_is_left_with_a_reason_and_both_are_in_the_log(self, client: Client, harbour: Account) -> None:
        client.post(account_address("acct_harbour", "account-watch"), {"reason": "Grows fast."})
        client.post(account_address("acct_harbour", "account-unwatch"), {"reason": "A school."})

        assert not WatchedAccount.objects.exists()
        told = Entry.objects.filter(subject_id="acct_harbour").order_by("number").values_list("verb", "details")
        assert list(told) == [
            ("account.watched", {"reason": "Grows fast."}),
            ("account.unwatched", {"reason": "A school."}),
        ]

    def test_has_an_account_once(self, client: Client, harbour: Account) -> None:
        for reason in ("First.", "Second."):
            client.post(account_address("acct_harbour", "account-watch"), {"reason": reason})

        assert WatchedAccount.objects.get().reason == "First."
        assert Entry.objects.filter(verb="account.watched").count() == 1

    def test_needs_a_reason(self, client: Client, harbour: Account) -> None:
        response = client.post(account_address("acct_harbour", "account-watch"), {}, headers=by_htmx("watch"))

        assert response.status_code == 422
        assert "Enter a reason." in text(response)
        assert not WatchedAccount.objects.exists()

    def test_changes_its_card_alone(self, client: Client, harbour: Account) -> None:
        address = account_address("acct_harbour", "account-watch")

        fragment = text(client.post(address, {"reason": "Grows fast."}, headers=by_htmx("watch")))

        assert fragment.lstrip().startswith('<section id="watch"')
        assert "Put on the watch-list." in fragment
