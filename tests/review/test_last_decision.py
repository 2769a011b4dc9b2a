"""Undo is offered for the last decision as long as there is something to undo."""

import uuid
from typing import Any

import pytest
from django.test import Client

from accounts.models import Account
from governance.review import undo as undoing
from governance.review.actions import reopen
from governance.review.models import Case
from governance.review.undo import undo_decision
from governance.staff.models import User
from tests.factories import NOW, account, case, person
from tests.review.campaign_pages import case_with_findings, chosen, five_accounts, page
from tests.review.case_work import words
from tests.review.deciding import decide_all
from tests.review.pages import address, block_form, signed_in, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_at_now")]

OFFER = "Your last decision:"


@pytest.fixture
def user() -> User:
    return person("Mira Okafor")


@pytest.fixture
def client(user: User) -> Client:
    return signed_in(user)


@pytest.fixture
def members() -> list[Account]:
    return five_accounts()


@pytest.fixture
def own(members: list[Account]) -> Case:
    return case_with_findings(members)


class TestTheNextCase:
    def test_offers_to_undo_what_was_decided_about_a_campaign_until_it_is_undone(
        self, client: Client, own: Case, members: list[Account]
    ) -> None:
        other = case(account("acct_other"))
        client.post(address(own, "campaign/decide/"), chosen(own, members))
        assert f"{OFFER} " in text(client.get(address(other)))

        client.post(address(own, "undo/"), {"note": "A course."})

        shown = text(client.get(address(other)))
        assert OFFER not in shown
        assert 'data-key="u"' not in shown

    def test_goes_on_offering_it_after_another_one_was_undone(self, client: Client) -> None:
        first, second, third = (case(account(name)) for name in ("acct_first", "acct_second", "acct_third"))
        client.post(address(first, "decide/"), block_form())
        client.post(address(second, "decide/"), block_form(decision=str(uuid.uuid4())))

        client.post(address(first, "undo/"), {"note": "A course."})

        assert "acct_second</bdi></a> blocked." in words(client.get(address(third)))


class TestTheCaseOfACampaign:
    def test_offers_nothing_to_undo_while_the_rest_is_being_undone(
        self, client: Client, own: Case, user: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        decide_all(own, by=user)
        reopen(Case.objects.get(pk=own.pk), by=user, now=NOW)
        monkeypatch.setattr(undoing, "BATCH_SIZE", 2)
        undo_decision(own, note="A course.", by=user, now=NOW)

        response: Any = client.get(page(own, f"?case={own.pk}"))

        assert response.context["detail"].in_force == 3
        assert "Undone" in text(response)
        assert 'id="undo-note"' not in text(response)
