"""Pages that name an account or an organisation lead to its page."""

import pytest
from django.test import Client

from accounts.models import Organisation
from governance.campaigns.models import AccountTrait
from governance.campaigns.traits import TraitKind
from governance.investigation.actions import watch
from governance.restrictions.kinds import RestrictionKind
from governance.staff.models import User
from governance.staff.roles import Role
from tests.factories import NOW, account, api_key, assessment, case, person, restriction
from tests.review.pages import address, signed_in, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_at_now")]

HREF = 'href="/accounts/~ZXUvMQ/"'  # of the account eu/1


class TestACase:
    def test_leads_to_its_account_and_its_organisation(self, client: Client) -> None:
        opened = case(account("eu/1", organisation="org_quay"))

        page = text(client.get(address(opened)))

        assert f"<a {HREF}>account page</a>" in page
        assert f"<a {HREF}>Account</a>" in page
        assert 'href="/organisations/org_quay/"' in page

    def test_leads_to_linked_accounts_that_have_no_case(self, client: Client) -> None:
        account("eu/1", payment_fingerprint="card_7")
        opened = case(account("acct_2", payment_fingerprint="card_7"))

        assert HREF in text(client.get(address(opened)))

    def test_says_how_many_linked_accounts_it_does_not_list(self, client: Client) -> None:
        opened, *_ = [case(account(f"acct_{number}", payment_fingerprint="card_7")) for number in range(15)]

        page = text(client.get(address(opened)))

        assert "14 other accounts pay with the same card." in page
        assert "and 2 more" in page


class TestTheRestrictions:
    def test_lead_to_whom_they_are_against(self, client: Client) -> None:
        one = account("eu/1", organisation="org_quay")
        for target in (one, api_key(one, "key_9x"), Organisation.objects.get()):
            restriction(target)

        page = text(client.get("/restrictions/"))

        assert page.count(f'class="mono" {HREF}') == 2
        assert 'href="/organisations/org_quay/"' in page

    def test_are_listed_by_kind(self, client: Client) -> None:
        restriction(account("acct_blocked"))
        restriction(account("acct_watched"), RestrictionKind.WATCH)

        page = text(client.get("/restrictions/?kind=watch"))

        assert "acct_watched" in page
        assert "acct_blocked" not in page
        assert client.get("/restrictions/?kind=smile").status_code == 302

    def test_are_led_to_by_each_tile_that_counts_some(self, client: Client) -> None:
        restriction(account("eu/1"))

        page = text(client.get("/enforcement/"))

        assert 'href="/restrictions/?kind=block"' in page
        assert 'href="/restrictions/?kind=warn"' not in page
        assert f'class="mono" {HREF}' in page
        assert page.count('<a href="/restrictions/">All restrictions in force</a>') == 2


class TestTheLog:
    def test_leads_to_the_account_that_an_entry_is_about(self, mira: User) -> None:
        watch(account("eu/1"), reason="A tip.", by=mira, now=NOW)

        page = text(signed_in(person(role=Role.AUDITOR)).get("/admin/audit/entry/?verb__exact=account.watched"))

        assert f"<a {HREF}>account eu/1</a>" in page


class TestARowOfTheQueue:
    def test_is_named_by_its_account_its_organisation_and_its_score(self, client: Client) -> None:
        opened = case(account("eu/1", organisation="org_quay"))

        page = text(client.get("/queue/"))

        assert f'aria-label="eu/1, {opened.own_account.organisation}, {opened.band} {opened.score}, ' in page


class TestLinksOfAnAccount:
    def test_are_found_by_shared_openings_and_addresses(self, client: Client) -> None:
        one, other = account("eu/1"), account("acct_2")
        assessment(other, score=40, band="low")
        for kind in (TraitKind.OPENING, TraitKind.ADDRESS):
            for owner in (one, other):
                AccountTrait.objects.create(account=owner, kind=kind, digest=7, uses=20, share=0.5)

        links = client.get("/accounts/~ZXUvMQ/").context["detail"].links

        assert [(link.external_id, link.ties, link.score) for link in links.accounts] == [
            ("acct_2", ["same prompt openings", "same IP address"], 40)
        ]
