"""The pages of legal holds and erasures, and where other pages speak of them."""

import re
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account, Organisation
from governance.audit.models import Entry
from governance.audit.verbs import Verb
from governance.privacy.erasure import start_erasure
from governance.privacy.holds import find_target, set_hold
from governance.privacy.models import Erasure, LegalHold
from governance.staff.roles import Role
from tests.everything import one_of_everything
from tests.factories import MACHINE, NOW, account, campaign_case, case, person
from tests.review.pages import address, signed_in, text

pytestmark = pytest.mark.django_db

HOLD = {"kind": "account", "name": "acct_harbour", "reason": "Case 12/26."}
ERASE = {"reason": "Request 2026-118.", "confirmed": "on"}
WHOM = "/settings/privacy/erase/?kind=account&name=acct_harbour"


def words(response: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", text(response)).split())


@pytest.fixture
def jonas() -> Client:
    return signed_in(person("Jonas Lindqvist", role=Role.LEAD))


@pytest.fixture
def harbour() -> Account:
    return account("acct_harbour", organisation="org_harbour", email_domain="smit.nl")


@pytest.mark.usefixtures("harbour")
class TestRoles:
    @pytest.mark.parametrize(
        ("role", "sees", "previews", "changes"),
        [
            (Role.REVIEWER, 403, 403, 403),
            (Role.AUDITOR, 200, 403, 403),
            (Role.LEAD, 200, 200, 302),
            (Role.ADMIN, 200, 200, 302),
        ],
    )
    def test_are_seen_and_used_by_leads_and_admins(self, role: Role, sees: int, previews: int, changes: int) -> None:
        client = signed_in(person(role=role))

        assert client.get("/settings/privacy/").status_code == sees
        assert client.get(WHOM).status_code == previews
        assert client.post("/settings/privacy/hold/", HOLD).status_code == changes
        LegalHold.objects.update(lifted_at=NOW, lifted_by="system:test")
        held = set_hold(find_target("account", "acct_harbour"), reason="Case 12/26.", by=MACHINE, now=NOW)
        lifted = client.post(f"/settings/privacy/hold/{held.pk}/lift/", {"reason": "Over."})
        assert lifted.status_code == changes
        if changes == 302:
            assert client.post(WHOM, ERASE).status_code == 302

    def test_auditors_read_and_are_offered_nothing(self) -> None:
        page = text(signed_in(person(role=Role.AUDITOR)).get("/settings/privacy/"))

        assert "Legal holds" in page
        assert "Set a legal hold" not in page
        assert "Erase a person" not in page


class TestAHold:
    def test_is_set_seen_everywhere_and_lifted(self, jonas: Client, harbour: Account) -> None:
        opened = case(harbour)

        page = words(jonas.post("/settings/privacy/hold/", HOLD, follow=True))

        assert "Legal hold set: 1 account covered." in page
        said = "legal hold: Case 12/26."
        assert said in words(jonas.get("/accounts/acct_harbour/"))
        assert said in words(jonas.get(address(opened)))
        assert "A legal hold keeps what there is" in words(jonas.get(WHOM))

        held = LegalHold.objects.get()
        page = words(jonas.post(f"/settings/privacy/hold/{held.pk}/lift/", {"reason": "It is over."}, follow=True))
        assert "staff:Jonas Lindqvist: It is over." in page
        assert said not in words(jonas.get("/accounts/acct_harbour/"))

    def test_on_an_organisation_and_a_campaign_is_said_on_their_pages(self, jonas: Client, harbour: Account) -> None:
        opened = campaign_case(harbour, account())
        jonas.post("/settings/privacy/hold/", HOLD | {"kind": "organisation", "name": "org_harbour"})
        jonas.post("/settings/privacy/hold/", HOLD | {"kind": "campaign", "name": str(opened.campaign_id)})

        assert "legal hold: Case 12/26." in words(jonas.get("/organisations/org_harbour/"))
        assert "legal hold: Case 12/26." in words(jonas.get(f"/campaigns/{opened.campaign_id}/"))

    @pytest.mark.parametrize(
        ("fields", "complaint"),
        [
            ({"name": "acct_unknown"}, "There is no account acct_unknown."),
            ({"kind": "campaign", "name": "x"}, "There is no campaign x."),
            ({"name": ""}, "Enter its id."),
            ({"reason": " "}, "Enter why it must be kept."),
            ({"reason": "x" * 501}, "at most 500 characters"),
        ],
    )
    def test_says_at_its_field_what_is_wrong(
        self, jonas: Client, harbour: Account, fields: dict[str, str], complaint: str
    ) -> None:
        response = jonas.post("/settings/privacy/hold/", HOLD | fields)

        assert response.status_code == 422
        assert complaint in words(response)
        assert not LegalHold.objects.exists()

    def test_is_not_lifted_without_a_reason(self, jonas: Client, harbour: Account) -> None:
        held = set_hold(find_target("account", "acct_harbour"), reason="Case 12/26.", by=MACHINE, now=NOW)

        response = jonas.post(f"/settings/privacy/hold/{held.pk}/lift/", {"reason": ""})

        assert response.status_code == 422
        assert "Enter why it can be lifted." in words(response)
        assert LegalHold.objects.in_force().exists()


class TestAnErasure:
    def test_is_previewed_and_then_done_with_an_entry(self, jonas: Client, harbour: Account) -> None:
        preview = words(jonas.get(WHOM))
        assert "E-mail domain 1" in preview
        assert Account.objects.get().email_domain == "smit.nl"

        page = words(jonas.post(WHOM, ERASE, follow=True))

        assert "Erased: account acct_harbour." in page
        assert Account.objects.get().email_domain.startswith("erased-")
        entry = Entry.objects.get(verb=Verb.PERSON_ERASED)
        assert (entry.actor_name, entry.details["reason"]) == ("Jonas Lindqvist", "Request 2026-118.")
        assert "Erased" in words(jonas.get("/accounts/acct_harbour/"))

    @pytest.mark.parametrize(
        ("fields", "complaint"),
        [
            ({"reason": ""}, "Enter which request this answers."),
            ({"confirmed": ""}, "Tick to confirm: it cannot be undone."),
        ],
    )
    def test_asks_for_a_reason_and_a_tick(
        self, jonas: Client, harbour: Account, fields: dict[str, str], complaint: str
    ) -> None:
        response = jonas.post(WHOM, ERASE | fields)

        assert response.status_code == 422
        assert complaint in words(response)
        assert not Erasure.objects.exists()

    def test_is_refused_under_a_hold(self, jonas: Client, harbour: Account) -> None:
        set_hold(find_target("organisation", "org_harbour"), reason="Case 12/26.", by=MACHINE, now=NOW)

        response = jonas.post(WHOM, ERASE)

        assert response.status_code == 409
        assert "nothing can be erased until it is lifted" in words(response)
        assert not Erasure.objects.exists()

    def test_of_nobody_leads_back(self, jonas: Client) -> None:
        page = words(jonas.get("/settings/privacy/erase/?kind=account&name=acct_unknown", follow=True))

        assert "There is no account acct_unknown." in page

    def test_of_a_campaign_there_is_none(self, jonas: Client) -> None:
        assert jonas.get("/settings/privacy/erase/?kind=campaign&name=x").status_code == 400

    def test_of_an_organisation_says_so_on_its_page(self, jonas: Client, harbour: Account) -> None:
        Organisation.objects.update(name="Smit Poems")
        start_erasure(find_target("organisation", "org_harbour"), reason="Request 2026-118.", by=MACHINE, now=NOW)

        assert "name erased" in words(jonas.get("/organisations/org_harbour/"))


class TestQueries:
    def test_of_the_page_are_few(self, jonas: Client, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        one_of_everything()

        # 1 session, 2 user; 3 holds in force, 4 lifted ones; 5 erasures
        with django_assert_num_queries(5):
            jonas.get("/settings/privacy/")

    def test_of_a_preview_are_few(self, jonas: Client, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        one_of_everything()

        # 1 session, 2 user; 3 the account; 4 its register; 5 what goes and stays; 6 usage events; 7 holds
        with django_assert_num_queries(7):
            jonas.get("/settings/privacy/erase/?kind=account&name=acct_held")
