"""The palette offers the pages that somebody may open, and a few of what a search finds."""

import re

import pytest
from django.test import Client

from governance.staff.roles import Role
from tests.factories import account, person
from tests.review.pages import by_htmx, signed_in, text

pytestmark = pytest.mark.django_db


class TestThePalette:
    def options(self, client: Client, typed: str) -> str:
        return text(client.get("/search/", {"q": typed}, headers=by_htmx("palette-results", current="/queue/")))

    def test_offers_every_page_that_somebody_may_open(self, client: Client) -> None:
        options = self.options(client, "")

        for name in ("Next case", "Queue", "Accounts", "Watch-list", "Enforcement", "Words"):
            assert f"<span>{name}</span>" in options
        assert "Policy" not in options

    def test_finds_somebody_s_own_settings_and_not_those_that_they_may_not_open(self, client: Client) -> None:
        options = self.options(client, "settings")

        assert "<span>Change password</span>" in options
        assert "<span>Settings</span>" not in options

    @pytest.mark.parametrize("role", Role)
    def test_offers_only_pages_that_open(self, role: Role) -> None:
        staff = signed_in(person(f"Sam of {role}", role=role))

        offered = re.findall(r'id="palette-go-\d+" class="palette-option" href="([^"]*)"', self.options(staff, ""))

        assert len(offered) > 10
        for address in offered:
            assert staff.get(address.replace("&amp;", "&"), follow=True).status_code == 200, address

    def test_offers_every_page_of_the_bar(self) -> None:
        admin = signed_in(person("Ada Moreau", role=Role.ADMIN))
        page = text(admin.get("/queue/"))
        bar = re.findall(r'href="([^"]*)"', page[page.index('<nav class="nav"') : page.index("</nav>")])

        options = self.options(admin, "")

        assert [address for address in bar if f'href="{address}"' not in options] == []

    def test_finds_pages_by_what_is_typed_and_things_beside_them(self, client: Client) -> None:
        account("over_1")

        options = self.options(client, "over")

        assert "<span>Overdue cases</span>" in options
        assert "over_1" in options
        assert "<span>Queue</span>" not in options

    def test_shows_a_few_of_each_kind_and_leads_to_all(self, client: Client) -> None:
        for number in range(9):
            account(f"acct_{number}")

        options = self.options(client, "acct")

        assert options.count("/accounts/acct_") == 4
        assert 'href="/search/?q=acct"' in options

    def test_changes_the_address_of_no_page(self, client: Client) -> None:
        response = client.get("/search/?q=a", headers=by_htmx("palette-results", current="/queue/"))

        assert "HX-Push-Url" not in response
