import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from governance.audit.models import Entry
from governance.restrictions.models import Restriction
from governance.restrictions.queries import access
from governance.review.actions import claim
from governance.review.models import Case, Decision
from governance.staff.roles import Role
from tests.factories import account, campaign_case, campaign_of, case, person, restriction
from tests.review.case_work import words
from tests.review.deciding import decide_all
from tests.review.pages import address, block_form, by_htmx, campaign_form, signed_in, text

pytestmark = pytest.mark.django_db


class TestBlocking:
    def test_denies_access_and_shows_the_decision_in_place_of_the_form(self, harbour: Case, mira: Client) -> None:
        response = mira.post(address(harbour, "decide/"), block_form(), headers=by_htmx("case"))

        assert response.status_code == 200
        assert "Blocked" in text(response)
        assert "Next case" in text(response)
        assert Restriction.objects.get().kind == Restriction.Kind.BLOCK
        assert not access(account="acct_harbour", now=Restriction.objects.get().starts_at).allowed

    def test_has_the_list_beside_the_case_made_new(self, harbour: Case, mira: Client) -> None:
        response = mira.post(address(harbour, "decide/"), block_form(), headers=by_htmx("case"))

        assert "queue-changed" in response["HX-Trigger"]

    def test_leads_back_to_the_case_without_htmx(self, harbour: Case, mira: Client) -> None:
        response = mira.post(address(harbour, "decide/"), block_form(), follow=True)

        assert response.redirect_chain == [(address(harbour), 302)]
        assert "acct_harbour: blocked." in text(response)

    def test_twice_with_one_form_is_one_decision(self, harbour: Case, mira: Client) -> None:
        for _ in range(2):
            response = mira.post(address(harbour, "decide/"), block_form(), headers=by_htmx("case"))

        assert response.status_code == 200
        assert Decision.objects.count() == Restriction.objects.count() == 1

    def test_wants_a_confirmation(self, harbour: Case, mira: Client) -> None:
        response = mira.post(address(harbour, "decide/"), block_form(confirmed=""), headers=by_htmx("case"))

        assert response.status_code == 422
        assert "Tick to confirm." in text(response)
        assert not Decision.objects.exists()


class TestBlockingACampaign:
    def test_says_of_all_accounts_that_they_are_blocked(self, harbour: Case, mira: Client) -> None:
        campaign_of(harbour.own_account, *(account() for _ in range(2)))
        asked = words(mira.get(address(harbour)))

        done = words(
            mira.post(
                address(harbour, "decide/"),
                campaign_form(harbour),
                follow=True,
            )
        )

        number = Restriction.objects.get(account=harbour.account).number
        assert "Block 3 accounts" in asked
        assert "This restricts 3 accounts, not only" in asked
        assert "3 accounts of the campaign: blocked." in done
        assert f"Restriction no. {number} on this account; 3 accounts of the campaign have one each," in done

    def test_names_who_had_claimed_one_of_its_cases(self, harbour: Case, mira: Client) -> None:
        pier, jonas = case(account("acct_pier")), person("Jonas Lindqvist")
        campaign_of(harbour.own_account, pier.own_account)
        claim(pier, by=jonas, now=timezone.now())

        done = mira.post(address(harbour, "decide/"), campaign_form(harbour), follow=True)

        assert "Jonas Lindqvist had claimed the case of acct_pier." in text(done)
        assert "Jonas Lindqvist had claimed this case." in text(signed_in(jonas).get(address(pier)))

    def test_leaves_earlier_restrictions_of_the_others_and_says_so(self, harbour: Case, mira: Client) -> None:
        pier = account("acct_pier")
        campaign_of(harbour.own_account, pier)
        throttle = restriction(pier, Restriction.Kind.THROTTLE, requests_per_minute=5)

        assert "Earlier restrictions of the other accounts stay" in text(mira.get(address(harbour)))
        mira.post(address(harbour, "decide/"), campaign_form(harbour))

        throttle.refresh_from_db()
        assert throttle.ended_at is None

    def test_does_not_block_who_joined_after_the_page_was_shown(self, harbour: Case, mira: Client) -> None:
        campaign, late = campaign_of(harbour.own_account, account("acct_pier")), account("acct_late")
        [seen] = re.findall(r'name="members_seen" value="([^"]+)"', text(mira.get(address(harbour))))
        campaign.members.create(account=late, joined_at=timezone.now(), tied_to=1, strength=1.0, ties={})

        done = mira.post(address(harbour, "decide/"), block_form(scope="campaign", members_seen=seen), follow=True)

        assert "2 accounts of the campaign: blocked." in words(done)
        assert not late.restrictions.exists()

    def test_is_refused_when_the_account_has_moved_to_another_campaign(self, harbour: Case, mira: Client) -> None:
        campaign_of(harbour.own_account, account("acct_pier"))
        form = campaign_form(harbour)
        harbour.own_account.memberships.update(left_at=timezone.now())
        campaign_of(harbour.own_account, account("acct_late"))

        response = mira.post(address(harbour, "decide/"), form)

        assert response.status_code == 422
        assert "acct_harbour is in another campaign now." in text(response)

    @pytest.mark.parametrize("seen", ["", "forged"])
    def test_is_refused_when_nobody_knows_whom_the_page_showed(self, harbour: Case, mira: Client, seen: str) -> None:
        campaign_of(harbour.own_account, account("acct_pier"))

        response = mira.post(address(harbour, "decide/"), campaign_form(harbour) | {"members_seen": seen})

        assert response.status_code == 422
        assert "The members of the campaign cannot be read." in text(response)

    def test_leaves_out_again_who_was_left_out_before(self, mira: Client) -> None:
        school, farm, other = (account(f"acct_{name}") for name in ("school", "farm", "other"))
        decide_all(campaign_case(school, farm, other), without=[school, other])
        opened = case(other)
        asked = words(mira.get(address(opened)))

        mira.post(address(opened, "decide/"), campaign_form(opened))

        assert "Block 2 accounts" in asked
        assert "2 of the 3 accounts in this campaign" in asked
        assert not school.restrictions.exists()
        assert other.restrictions.exists()
        left_out = opened.decisions.get().targets.left_out()
        assert list(left_out.values_list("account", "left_out_because")) == [(school.pk, "A school.")]


class TestBlockingAnOrganisation:
    def test_says_so(self, mira: Client) -> None:
        opened = case(account("acct_harbour", organisation="org_quay"))

        asked = words(mira.get(address(opened)))
        done = words(mira.post(address(opened, "decide/"), block_form(scope="organisation"), follow=True))

        name = str(opened.own_account.organisation)
        assert f"Block all of {name}" in asked
        assert f"all of {name}: blocked." in done


class TestTheHistory:
    def test_says_what_was_decided_about_whom_and_why(self, harbour: Case, mira: Client) -> None:
        mira.post(address(harbour, "decide/"), block_form(note="Seen twice."))

        said = words(mira.get(address(harbour))).partition("History")[2]

        clause = "2.3 No training of competing models"
        assert f"acct_harbour: blocked. Answers harvested in bulk, {clause}.<br>Seen twice." in said


class TestARefusedForm:
    def test_comes_back_in_place_of_the_panel_with_what_was_filled_in(self, harbour: Case, mira: Client) -> None:
        form = block_form(terms_clause="", note="Three thousand prompts.")

        response = mira.post(address(harbour, "decide/"), form, headers=by_htmx("case"))

        assert (response.status_code, response["HX-Retarget"]) == (422, "#decide")
        assert text(response).lstrip().startswith('<section id="decide"')
        assert "Three thousand prompts." in text(response)

    def test_puts_the_focus_on_the_first_mistake(self, harbour: Case, mira: Client) -> None:
        response = mira.post(address(harbour, "decide/"), block_form(terms_clause="", confirmed=""))

        assert text(response).count("autofocus") == 1
        assert response.context["decision_form"].first_mistake == "terms_clause"

    def test_is_a_whole_page_without_htmx(self, harbour: Case, mira: Client) -> None:
        response = mira.post(address(harbour, "decide/"), block_form(terms_clause=""))

        assert response.status_code == 422
        assert "<html" in text(response)
        assert "Choose a terms clause." in text(response)


class TestALostRace:
    def test_shows_the_decision_that_was_not_made(self, harbour: Case, mira: Client, jonas: Client) -> None:
        jonas.post(address(harbour, "decide/"), block_form())
        late = block_form(
            decision="7d3c1b0a-0000-4000-8000-000000000002", action="suspend", days="1", note="Two <cards>."
        )

        for headers in (by_htmx("case"), {}):
            response = mira.post(address(harbour, "decide/"), late, headers=headers)

            assert response.status_code == 409
            assert "Jonas Lindqvist" in text(response)
            assert "Suspend, Answers harvested in bulk, 2.3 No training of competing models, for 1 day" in text(
                response
            )
            assert "Two &lt;cards&gt;.</textarea>" in text(response)

    def test_for_a_decision_says_what_the_other_decided(self, harbour: Case, mira: Client, jonas: Client) -> None:
        other = block_form(decision=str(uuid.uuid4()), action="dismiss", favour="evaluation")
        mira.post(address(harbour, "decide/"), other)

        response = jonas.post(address(harbour, "decide/"), block_form(), headers=by_htmx("case"))

        assert (response.status_code, response["HX-Retarget"]) == (409, "#case")
        assert "Mira Okafor decided this case first: dismissed." in text(response)
        assert not Restriction.objects.exists()

    def test_for_a_claim_says_who_has_it(self, harbour: Case, mira: Client, jonas: Client) -> None:
        mira.post(address(harbour, "claim/"))

        response = jonas.post(address(harbour, "claim/"), headers=by_htmx("claim"))

        assert response.status_code == 409
        assert "Mira Okafor is working on this case." in text(response)

    def test_against_a_claim_keeps_others_from_deciding(self, harbour: Case, mira: Client, jonas: Client) -> None:
        mira.post(address(harbour, "claim/"))

        assert jonas.post(address(harbour, "decide/"), block_form()).status_code == 409
        assert not Decision.objects.exists()

    @pytest.mark.django_db(transaction=True)
    def test_of_two_at_once_has_one_winner(self, harbour: Case) -> None:
        people = [signed_in(person(name)) for name in ("Mira Okafor", "Jonas Lindqvist")]

        def block(client: Client) -> int:
            try:
                form = block_form(decision=str(uuid.uuid4()))
                return client.post(address(harbour, "decide/"), form, headers=by_htmx("case")).status_code
            finally:
                connection.close()

        with ThreadPoolExecutor(2) as both:
            answers = sorted(both.map(block, people))

        assert answers == [200, 409]
        assert Decision.objects.count() == 1


class TestAnAuditor:
    @pytest.mark.parametrize("what", ["claim/", "release/", "note/", "decide/", "undo/", "restrictions/1/lift/"])
    def test_changes_nothing(self, harbour: Case, what: str) -> None:
        restriction(harbour.own_account, Restriction.Kind.WATCH)
        client, entries = signed_in(person("Ines Varga", role=Role.AUDITOR)), Entry.objects.count()

        form: dict[str, Any] = block_form() | {"text": "Hello", "note": "Hello"}
        response = client.post(address(harbour, what), form)

        assert response.status_code == 403
        assert "Your role does not allow this" in text(response)
        assert Entry.objects.count() == entries

    @pytest.mark.parametrize("page", ["/queue/", "/cases/next/", "case"])
    def test_sees_everything(self, harbour: Case, page: str) -> None:
        client = signed_in(person("Ines Varga", role=Role.AUDITOR))

        assert client.get(address(harbour) if page == "case" else page, follow=True).status_code == 200


class TestAnAddressThatChangesSomething:
    @pytest.mark.parametrize("what", ["claim/", "release/", "note/", "decide/", "undo/", "restrictions/1/lift/"])
    def test_cannot_be_followed_as_a_link(self, harbour: Case, mira: Client, what: str) -> None:
        assert mira.get(address(harbour, what)).status_code == 405

    def test_wants_a_token_against_forgery(self, harbour: Case) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(person())

        response = client.post(address(harbour, "decide/"), block_form())

        assert response.status_code == 403
        assert "This page is out of date" in text(response)
