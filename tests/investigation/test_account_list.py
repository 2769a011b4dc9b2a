"""The list of accounts: filters, orders and pages."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account
from governance.investigation import account_list
from governance.investigation.account_list import ORDERS, AccountSort
from governance.investigation.actions import watch
from governance.staff.models import User
from governance.web.cursors import Cursor
from tests.factories import NOW, account, assessment, case
from tests.review.pages import by_htmx, text

pytestmark = pytest.mark.django_db

BANDS = {90: "critical", 70: "high", 55: "elevated", 5: "low"}


def scored(name: str, score: int, **fields: Any) -> None:
    assessment(account(name, **fields), score=score, band=BANDS[score])


def listed(client: Client, **query: Any) -> list[str]:
    return [one.external_id for one in client.get("/accounts/", query).context["page"].rows]


class TestTheList:
    def test_has_the_highest_score_first_below_the_review_line_too(self, client: Client) -> None:
        for name, score in (("acct_low", 5), ("acct_top", 90), ("acct_mid", 55)):
            scored(name, score)

        assert listed(client) == ["acct_top", "acct_mid", "acct_low"]

    def test_goes_by_the_latest_score_of_each_account(self, client: Client) -> None:
        one = account("acct_1")
        assessment(one, score=5, band="low", at=NOW)
        assessment(one, score=90, band="critical", at=NOW - timedelta(days=1))
        scored("acct_2", 55)

        assert listed(client) == ["acct_2", "acct_1"]
        assessment(one, score=70, band="high", at=NOW + timedelta(days=1))
        assert listed(client) == ["acct_1", "acct_2"]

    def test_by_id_and_by_newest_has_those_that_were_never_scored(self, client: Client) -> None:
        account("acct_b")
        scored("Acct_A", 5)

        assert listed(client, sort="id") == ["Acct_A", "acct_b"]
        assert listed(client, sort="newest") == ["Acct_A", "acct_b"]
        assert "never scored are not in this list" in text(client.get("/accounts/"))
        assert "never scored are not in this list" not in text(client.get("/accounts/?sort=id"))

    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ({"band": "high"}, ["acct_2"]),
            ({"least": 55}, ["acct_1", "acct_2"]),
            ({"most": 70, "least": 10}, ["acct_2"]),
            ({"plan": "TEAM"}, ["acct_2"]),
            ({"country": "de"}, ["acct_1", "acct_3"]),
            ({"organisation": "org_quay"}, ["acct_3"]),
            ({"organisation": "nobody"}, []),
            ({"watched": "on"}, ["acct_2"]),
            ({"country": "de", "band": "low"}, ["acct_3"]),
            ({"band": "", "plan": "", "country": "", "sort": "", "after": ""}, ["acct_1", "acct_2", "acct_3"]),
        ],
    )
    def test_is_filtered(self, client: Client, mira: User, query: dict[str, object], names: list[str]) -> None:
        scored("acct_1", 90, country="DE")
        scored("acct_2", 70, plan="team")
        scored("acct_3", 5, country="DE", organisation="org_quay")
        watch(Account.objects.get(external_id="acct_2"), reason="A tip.", by=mira, now=NOW)

        assert listed(client, **query) == names

    def test_leads_to_the_page_of_each_account_and_to_its_open_case(self, client: Client) -> None:
        opened = case(account("eu/1042"))

        page = text(client.get("/accounts/"))

        assert 'href="/accounts/~ZXUvMTA0Mg/"' in page
        assert f'href="/cases/{opened.pk}/"' in page

    def test_names_each_row_by_more_than_its_id(self, client: Client) -> None:
        scored("acct_1", 90, organisation="org_quay")

        assert ", org_quay, score 90, critical</span></a>" in text(client.get("/accounts/"))

    def test_costs_the_same_few_queries_however_many_accounts_there_are(
        self, client: Client, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        for number in range(4):
            case(account(f"acct_{number}", organisation="org_quay"))

        # 1 session, 2 user, 3 the accounts
        with django_assert_num_queries(3):
            client.get("/accounts/")
        after = Cursor(ORDERS[AccountSort.SCORE], (90, 1))
        with django_assert_num_queries(3):
            assert client.get(f"/accounts/?after={after}").status_code == 200


class TestPages:
    @pytest.mark.parametrize("sort", ["score", "newest", "id"])
    def test_follow_one_another_without_gap_or_repetition(
        self, client: Client, monkeypatch: pytest.MonkeyPatch, sort: str
    ) -> None:
        monkeypatch.setattr(account_list, "PAGE", 4)
        for number in range(11):
            scored(f"acct_{number}", [90, 70, 5][number % 3])

        seen: list[str] = []
        after = ""
        while True:
            page = client.get("/accounts/", {"sort": sort, "after": after}).context["page"]
            seen += [one.external_id for one in page.rows]
            if not (after := page.next_after):
                break

        assert len(seen) == 11
        assert sorted(seen) == sorted(f"acct_{number}" for number in range(11))

    @pytest.mark.parametrize("query", ["band=huge", "least=x", "sort=age", "most=101"])
    def test_refuse_a_filter_that_they_cannot_read(self, client: Client, query: str) -> None:
        assert client.get(f"/accounts/?{query}").status_code == 400

    def test_put_the_filters_into_the_address(self, client: Client) -> None:
        response = client.get("/accounts/?band=high", headers=by_htmx("accounts", current="/accounts/"))

        assert response["HX-Push-Url"] == "/accounts/?band=high"
        assert text(response).lstrip().startswith('<div id="accounts"')
