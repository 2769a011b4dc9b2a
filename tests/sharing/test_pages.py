"""The pages of partners and shares: who sees and does what, and what is shown once."""

import re
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from governance.audit.models import Entry
from governance.campaigns.models import Campaign
from governance.sharing.actions.indicators import import_indicators
from governance.sharing.keyed_digests import SharedKey
from governance.sharing.keys import shared_keys
from governance.sharing.models import Partner, Share, SharedObject
from governance.staff.roles import Role
from tests.factories import MACHINE, NOW, account, campaign_of, person, restriction
from tests.review.pages import signed_in, text
from tests.sharing.partners import bundle, card_pattern, indicator, partner, refused_campaign, released_share

pytestmark = pytest.mark.django_db

ADD = {"name": "North Lab", "receives": "on", "sends": "on", "tlp": "amber"}
KEY = str(SharedKey(4, bytes(32)))


@pytest.fixture
def jonas() -> Client:
    return signed_in(person("Jonas Lindqvist", role=Role.LEAD))


@pytest.fixture
def ada() -> Client:
    return signed_in(person("Ada Moreau", role=Role.ADMIN))


def propose(client: Client, campaign: Campaign, to: Partner, **fields: str) -> Any:
    sent = {"partner": str(to.pk), "tlp": "amber", "reason": "They move on.", **fields}
    return client.post(f"/campaigns/{campaign.pk}/share/propose/", sent)


class TestRoles:
    @pytest.mark.parametrize(
        ("role", "sees", "does"),
        [(Role.REVIEWER, 403, 403), (Role.AUDITOR, 200, 403), (Role.LEAD, 200, 302), (Role.ADMIN, 200, 302)],
    )
    def test_let_leads_and_admins_act_and_auditors_read(self, role: Role, sees: int, does: int) -> None:
        client, other, made = signed_in(person(role=role)), person("Olga Brandt", role=Role.LEAD), partner()
        campaign, shown = refused_campaign(), f"/settings/partners/{made.partner.pk}/"

        for page in ("/settings/partners/", shown, f"/campaigns/{campaign.pk}/share/"):
            assert client.get(page).status_code == sees, page
        assert propose(client, campaign, made.partner).status_code == does
        Share.objects.all().delete()
        propose(signed_in(other), campaign, made.partner)
        share = f"/shares/{Share.objects.get().pk}/"
        assert client.get(share).status_code == sees
        assert client.post(f"{share}approve/").status_code == does
        assert client.post(f"{share}retract/", {"reason": "A mistake."}).status_code == does
        assert client.post("/settings/partners/add/", ADD | {"name": "South Lab"}).status_code in {does, 200}
        assert Partner.objects.filter(name="South Lab").exists() is (does == 302)
        assert client.post(f"{shown}revoke/").status_code == does
        assert (Partner.objects.get(pk=made.partner.pk).revoked_at is not None) is (does == 302)

    def test_show_reviewers_no_way_there(self) -> None:
        campaign, mira = refused_campaign(), signed_in(person())

        assert "/share/" not in text(mira.get(f"/campaigns/{campaign.pk}/"))


class TestAPartner:
    def test_is_added_and_its_secrets_are_shown_once(self, jonas: Client) -> None:
        page = text(jonas.post("/settings/partners/add/", ADD | {"days": "30"}))
        added = Partner.objects.get()
        again = text(jonas.get(f"/settings/partners/{added.pk}/"))

        assert re.search(r"swt_[\w-]{43}", page)
        assert str(shared_keys(added)[0]) in page
        assert not re.search(r"swt_[\w-]{43}|swp1_[\w-]{43}", again)
        assert Entry.objects.filter(verb="partner.added").get().details == {
            "receives": True,
            "sends": True,
            "tlp": "amber",
        }

    def test_is_added_with_the_key_that_it_has_made(self, jonas: Client) -> None:
        jonas.post("/settings/partners/add/", ADD | {"shared_key": KEY})

        assert shared_keys(Partner.objects.get()) == [SharedKey(4, bytes(32))]

    @pytest.mark.parametrize(
        ("fields", "said"),
        [
            ({"name": ""}, "Enter the name"),
            ({"receives": "", "sends": ""}, "at least one direction"),
            ({"tlp": ""}, "Choose a marking"),
            ({"shared_key": "card_1"}, "no shared key"),
            ({"collection_url": "http://127.0.0.1/"}, "must begin with https"),
            ({"collection_url": "https://taxii.example.com/", "sends": ""}, "a partner that sends"),
            ({"collection_token": "schlüssel"}, "ASCII"),
            ({"days": "0"}, "greater than or equal to 1"),
        ],
    )
    def test_that_will_not_do_is_said_at_the_field(self, jonas: Client, fields: dict[str, str], said: str) -> None:
        answer = jonas.post("/settings/partners/add/", ADD | fields)

        assert answer.status_code == 422
        assert said in text(answer)
        assert not Partner.objects.exists()

    def test_of_the_same_name_is_refused(self, jonas: Client) -> None:
        assert [jonas.post("/settings/partners/add/", ADD).status_code for _ in range(2)] == [200, 422]

    def test_gets_a_new_token(self, jonas: Client) -> None:
        made = partner()

        page = text(jonas.post(f"/settings/partners/{made.partner.pk}/token/"))

        assert "swt_" in page
        assert "Shared key <code" not in page
        assert bytes(Partner.objects.get().token_digest) != bytes(made.partner.token_digest)

    def test_gets_a_new_key_beside_the_one_before(self, jonas: Client) -> None:
        shown = f"/settings/partners/{partner().partner.pk}/key/"

        assert "swp2_" in text(jonas.post(shown))
        assert jonas.post(shown, {"shared_key": KEY}).status_code == 200
        assert jonas.post(shown, {"shared_key": KEY}).status_code == 409
        assert jonas.post(shown, {"shared_key": "x"}).status_code == 422
        assert [key.version for key in shared_keys(Partner.objects.get())] == [4, 2, 1]

    def test_that_was_revoked_gets_neither(self, jonas: Client) -> None:
        shown = f"/settings/partners/{partner().partner.pk}/"
        jonas.post(f"{shown}revoke/")

        assert jonas.post(f"{shown}token/").status_code == 409
        assert jonas.post(f"{shown}key/").status_code == 409
        assert "New token" not in text(jonas.get(shown))


class TestAShare:
    def test_is_shown_value_by_value_before_it_leaves(self, jonas: Client) -> None:
        campaign, to = refused_campaign(), partner().partner

        page = text(jonas.get(f"/campaigns/{campaign.pk}/share/", {"partner": str(to.pk)}))

        for value in ("card_mill", "mill.example", "203.0.113.1", "203.0.113.0/24"):
            assert value in page
        assert not Share.objects.exists()

    def test_says_why_nothing_can_leave(self, jonas: Client) -> None:
        to = partner().partner

        page = text(jonas.get(f"/campaigns/{campaign_of(account()).pk}/share/", {"partner": str(to.pk)}))

        assert "No account of this campaign is refused" in page

    def test_needs_a_reason(self, jonas: Client) -> None:
        answer = propose(jonas, refused_campaign(), partner().partner, reason=" ")

        assert answer.status_code == 422
        assert "Enter a reason." in text(answer)

    def test_is_approved_by_another_person_alone(self, jonas: Client, ada: Client) -> None:
        propose(jonas, refused_campaign(), partner().partner)
        share = Share.objects.get()

        assert "Approve and release" not in text(jonas.get(f"/shares/{share.pk}/"))
        assert jonas.post(f"/shares/{share.pk}/approve/").status_code == 409
        assert not SharedObject.objects.exists()
        assert "Waiting for a second person" in text(ada.get("/settings/partners/"))
        assert "Approve and release" in text(ada.get(f"/shares/{share.pk}/"))
        assert ada.post(f"/shares/{share.pk}/approve/").status_code == 302
        assert ada.post(f"/shares/{share.pk}/approve/").status_code == 409

    def test_shows_what_left_after_it_was_retracted(self, jonas: Client) -> None:
        share = released_share(refused_campaign(), partner().partner)

        assert jonas.post(f"/shares/{share.pk}/retract/", {"reason": ""}).status_code == 422
        assert jonas.post(f"/shares/{share.pk}/retract/", {"reason": "A mistake."}).status_code == 302
        page = text(jonas.get(f"/shares/{share.pk}/"))
        assert "Retracted" in page
        assert "203.0.113.2" in page

    @pytest.mark.parametrize("fields", [{"partner": ""}, {"tlp": ""}, {"tlp": "pink"}, {"partner": "x"}])
    def test_for_nobody_is_no_request(self, jonas: Client, fields: dict[str, str]) -> None:
        assert propose(jonas, refused_campaign(), partner().partner, **fields).status_code == 400


class TestQueries:
    def test_do_not_grow_with_partners_or_shares(
        self, jonas: Client, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        for name in ("North Lab", "South Lab", "West Lab"):
            made = partner(name).partner
            released_share(refused_campaign_of(name), made)
            import_indicators(made, bundle(indicator(card_pattern(name))), by=MACHINE, now=NOW)

        # The session, the user; partners, proposals.
        with django_assert_num_queries(5):
            jonas.get("/settings/partners/")


def refused_campaign_of(name: str) -> Campaign:
    member = account(payment_fingerprint=f"card of {name}")
    restriction(member)
    return campaign_of(member)
