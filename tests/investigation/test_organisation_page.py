"""The page of an organisation: its accounts with their scores, totals, licences and restrictions."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import Organisation
from governance.investigation import account_list
from tests.factories import account, api_key, assessment, restriction, training_licence
from tests.investigation.pages import organisation_address
from tests.review.pages import text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_at_now")]


def listed(client: Client, query: str = "") -> list[str]:
    page = client.get(organisation_address("org_quay") + query).context["page"]
    return [one.external_id for one in page.rows]


class TestThePage:
    def test_of_nobody_is_not_found(self, client: Client) -> None:
        assert client.get(organisation_address("nobody")).status_code == 404

    def test_lists_its_accounts_the_highest_scores_first_and_the_unscored_last(self, client: Client) -> None:
        account("acct_new", organisation="org_quay")
        assessment(account("acct_low", organisation="org_quay"), score=4, band="low")
        assessment(account("acct_top", organisation="org_quay"), score=90)
        account("acct_other", organisation="org_mere")

        assert listed(client) == ["acct_top", "acct_low", "acct_new"]

    def test_adds_its_accounts_up(self, client: Client) -> None:
        for score, band in ((90, "critical"), (95, "critical"), (4, "low")):
            one = account(organisation="org_quay")
            assessment(one, score=score, band=band, events=1000)
            api_key(one)
        account(organisation="org_quay", status="closed")

        totals = client.get(organisation_address("org_quay")).context["detail"].totals

        assert totals == (4, 1, 3, 3, 3000, 95, 2, 0, 0, 1)

    def test_shows_licences_and_restrictions_of_all_its_accounts(self, client: Client) -> None:
        one = account("acct_1", organisation="org_quay")
        training_licence(one)
        of_key, of_account = restriction(api_key(one, "key_9x")), restriction(one)
        of_all = restriction(Organisation.objects.get())

        response = client.get(organisation_address("org_quay"))

        shown = [one.number for one in response.context["detail"].restrictions]
        assert shown == [of_all.number, of_account.number, of_key.number]
        assert "training permitted" in text(response)
        assert "the whole organisation" in text(response)

    @pytest.mark.parametrize("name", ["org/quay", "Käse & Söhne", ".."])
    def test_opens_whatever_characters_its_id_has(self, client: Client, name: str) -> None:
        account(organisation=name)

        assert client.get(organisation_address(name)).context["organisation"].external_id == name

    def test_goes_on_page_by_page(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(account_list, "PAGE", 2)
        for number in range(5):
            one = account(f"acct_{number}", organisation="org_quay")
            if number < 3:
                assessment(one, score=60 + number // 2, band="elevated")

        first = listed(client)
        second = listed(client, f"?after={self.next_after(client)}")
        third = listed(client, f"?after={self.next_after(client, f'?after={self.next_after(client)}')}")

        assert [*first, *second, *third] == ["acct_2", "acct_0", "acct_1", "acct_3", "acct_4"]
        assert client.get(organisation_address("org_quay") + "?after=nobody").status_code == 400

    def next_after(self, client: Client, query: str = "") -> str:
        return str(client.get(organisation_address("org_quay") + query).context["page"].next_after)

    def test_costs_at_most_a_dozen_queries(
        self, client: Client, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        for _ in range(3):
            one = account(organisation="org_quay")
            assessment(one)
            restriction(one)

        # 1 session, 2 user, 3 organisation, 4 accounts, 5 totals, 6 to 8 restrictions on it, on its accounts and on
        # their keys, 9 these in full, 10 licences
        with django_assert_num_queries(10):
            client.get(organisation_address("org_quay"))
