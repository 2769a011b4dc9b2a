import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from governance.audit.models import Entry
from governance.restrictions.models import Restriction
from governance.restrictions.queries import access
from governance.review.actions import claim, decide
from governance.review.models import Case, Decision, Step
from governance.staff.roles import Role
from tests.factories import NOW, account, campaign_of, case, person, restriction
from tests.review.pages import address, block_form, by_htmx, signed_in, text
from tests.review.test_deciding import BLOCK

pytestmark = pytest.mark.django_db


@pytest.fixture
def harbour() -> Case:
    return case(account("acct_harbour"))


@pytest.fixture
def mira() -> Client:
    return signed_in(person("Mira Okafor"))


@pytest.fixture
def jonas() -> Client:
    return signed_in(person("Jonas Lindqvist"))


def words(response: Any) -> str:
    """The page with single spaces."""
    return " ".join(text(response).split())


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
        campaign_of(harbour.account, *(account() for _ in range(2)))
        asked = words(mira.get(address(harbour)))

        done = words(mira.post(address(harbour, "decide/"), block_form(scope="campaign"), follow=True))

        number = Restriction.objects.get(account=harbour.account).number
        assert "Block 3 accounts" in asked
        assert "This restricts 3 accounts, not only" in asked
        assert "3 accounts of the campaign: blocked." in done
        assert f"Restriction no. {number} on this account; 3 accounts of the campaign have one each," in done

    def test_names_who_had_claimed_one_of_its_cases(self, harbour: Case, mira: Client) -> None:
        pier, jonas = case(account("acct_pier")), person("Jonas Lindqvist")
        campaign_of(harbour.account, pier.account)
        claim(pier, by=jonas, now=timezone.now())

        done = mira.post(address(harbour, "decide/"), block_form(scope="campaign"), follow=True)

        assert "Jonas Lindqvist had claimed the case of acct_pier." in text(done)
        assert "Jonas Lindqvist had claimed this case." in text(signed_in(jonas).get(address(pier)))

    def test_leaves_earlier_restrictions_of_the_others_and_says_so(self, harbour: Case, mira: Client) -> None:
        pier = account("acct_pier")
        campaign_of(harbour.account, pier)
        throttle = restriction(pier, Restriction.Kind.THROTTLE, requests_per_minute=5)

        assert "Earlier restrictions of the other accounts stay" in text(mira.get(address(harbour)))
        mira.post(address(harbour, "decide/"), block_form(scope="campaign"))

        throttle.refresh_from_db()
        assert throttle.ended_at is None


class TestBlockingAnOrganisation:
    def test_says_so(self, mira: Client) -> None:
        opened = case(account("acct_harbour", organisation="org_quay"))

        asked = words(mira.get(address(opened)))
        done = words(mira.post(address(opened, "decide/"), block_form(scope="organisation"), follow=True))

        name = str(opened.account.organisation)
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


class TestClaiming:
    def test_shows_until_when(self, harbour: Case, mira: Client) -> None:
        response = mira.post(address(harbour, "claim/"), headers=by_htmx("claim"))

        assert "Claimed by you" in text(response)
        assert text(response).lstrip().startswith('<div id="claim"')

    def test_can_be_undone(self, harbour: Case, mira: Client) -> None:
        mira.post(address(harbour, "claim/"))

        response = mira.post(address(harbour, "release/"), headers=by_htmx("claim"))

        assert "Claim" in text(response)
        assert Case.objects.get().claimed_by is None


class TestNoting:
    def test_adds_to_the_history(self, harbour: Case, mira: Client) -> None:
        note = {"text": "Asked the account manager."}

        response = mira.post(address(harbour, "note/"), note, headers=by_htmx("history"))

        assert text(response).lstrip().startswith('<section id="history"')
        assert "Asked the account manager." in text(response)

    def test_nothing_is_refused_at_the_field(self, harbour: Case, mira: Client) -> None:
        response = mira.post(address(harbour, "note/"), {"text": " "}, headers=by_htmx("history"))

        assert (response.status_code, response["HX-Retarget"]) == (422, "#history")
        assert "Enter a note." in text(response)


class TestLifting:
    def test_ends_what_a_decision_put_in_force(self, harbour: Case, mira: Client) -> None:
        mira.post(address(harbour, "decide/"), block_form())
        number = Restriction.objects.get().number

        lifting = {"note": "Decided by mistake"}
        response = mira.post(address(harbour, f"restrictions/{number}/lift/"), lifting, headers=by_htmx("case"))

        assert "Undone. The case is open again and claimed by you." in text(response)
        assert Restriction.objects.get().ending == Restriction.Ending.UNDONE
        assert Case.objects.get().is_open

    def test_is_no_undoing_once_the_window_is_over(self, harbour: Case, mira: Client) -> None:
        number = restriction(harbour.account, at=timezone.now() - timedelta(minutes=31)).number

        mira.post(address(harbour, f"restrictions/{number}/lift/"), {"note": "Appeal granted."})

        assert Restriction.objects.get().ending == Restriction.Ending.LIFTED

    def test_lets_a_whole_campaign_go_where_that_is_asked_for(self, harbour: Case, mira: Client) -> None:
        campaign = campaign_of(harbour.account, account("acct_other"))
        mira.post(address(harbour, "decide/"), block_form(scope="campaign"))
        number = Restriction.objects.get(account=harbour.account).number

        mira.post(address(harbour, f"restrictions/{number}/lift/"), {"note": "One school.", "everywhere": "on"})

        assert campaign.restrictions.filter(ended_at=None).count() == 0
        assert campaign.restrictions.count() == 2

    def test_asks_for_a_reason(self, harbour: Case, mira: Client) -> None:
        number = restriction(harbour.account, Restriction.Kind.WATCH).number

        response = mira.post(address(harbour, f"restrictions/{number}/lift/"), headers=by_htmx("case"))

        assert (response.status_code, response["HX-Retarget"]) == (422, "#restrictions")
        assert "Enter a reason for removing the restriction." in text(response)

    def test_asks_for_it_beside_the_decision_that_is_undone(self, harbour: Case, mira: Client) -> None:
        mira.post(address(harbour, "decide/"), block_form())
        number = Restriction.objects.get().number

        response = mira.post(address(harbour, f"restrictions/{number}/lift/"), headers=by_htmx("case"))

        assert (response.status_code, response["HX-Retarget"]) == (422, "#decide")
        assert "Enter a reason for removing the restriction." in text(response)

    def test_does_not_reach_another_account(self, harbour: Case, mira: Client) -> None:
        number = restriction(account("acct_quill"), Restriction.Kind.BLOCK).number

        response = mira.post(address(harbour, f"restrictions/{number}/lift/"), {"note": "No."})

        assert response.status_code == 404
        assert Restriction.objects.get().ended_at is None


class TestChangingADecision:
    def test_says_what_each_way_does_and_has_one_main_button(self, harbour: Case, mira: Client) -> None:
        mira.post(address(harbour, "decide/"), block_form())

        page = text(mira.get(address(harbour)))

        assert "For a mistake: reopens the case" in page
        assert "Opens a new case." in page
        assert "Ends the restriction." not in page
        assert page.count("main-action") == 1

    def test_offers_to_lift_once_undoing_is_over(self, harbour: Case, mira: Client, settings: Any) -> None:
        settings.UNDO_MINUTES = 0
        mira.post(address(harbour, "decide/"), block_form())

        page = text(mira.get(address(harbour)))

        assert "Ends the restriction. The decision stays on record" in page
        assert "For a mistake" not in page


class TestUndoing:
    def test_puts_the_case_back_into_the_queue(self, harbour: Case, mira: Client) -> None:
        mira.post(address(harbour, "decide/"), block_form(action="dismiss", favour="evaluation"))
        assert "Undo decision" in text(mira.get(address(harbour)))

        response = mira.post(address(harbour, "undo/"), {"note": "Too quick."}, follow=True)

        assert "Undone. The case is open again and claimed by you." in text(response)
        assert "Choose an action" in text(response)
        assert "acct_harbour" in text(mira.get("/queue/?view=mine"))

    def test_asks_for_a_reason(self, harbour: Case, mira: Client) -> None:
        mira.post(address(harbour, "decide/"), block_form())

        response = mira.post(address(harbour, "undo/"), headers=by_htmx("case"))

        assert (response.status_code, response["HX-Retarget"]) == (422, "#decide")
        assert "Enter a reason for undoing the decision." in text(response)

    def test_of_a_block_of_many_lifts_all_whichever_button_was_pressed(self, harbour: Case, mira: Client) -> None:
        campaign_of(harbour.account, *(account() for _ in range(11)))
        mira.post(address(harbour, "decide/"), block_form(scope="campaign"))
        number = Restriction.objects.get(account=harbour.account).number

        mira.post(address(harbour, f"restrictions/{number}/lift/"), {"note": "One school."})

        assert not Restriction.objects.filter(ended_at=None).exists()
        assert Restriction.objects.count() == 12

    def test_is_not_offered_once_the_window_is_over(self, harbour: Case, mira: Client, settings: Any) -> None:
        settings.UNDO_MINUTES = 0
        mira.post(address(harbour, "decide/"), block_form())

        page = text(mira.get(address(harbour)))
        response = mira.post(address(harbour, "undo/"), {"note": "Appeal granted."}, follow=True)

        assert "Undo decision" not in page
        assert "It was too late to undo the decision. Its restrictions were removed." in text(response)
        assert Restriction.objects.get().ending == Restriction.Ending.LIFTED
        assert not Case.objects.get().is_open

    def test_marks_the_decision_where_it_is_listed(self, harbour: Case, mira: Client) -> None:
        mira.post(address(harbour, "decide/"), block_form())
        mira.post(address(harbour, "undo/"), {"note": "Too much."})
        again = block_form(action="dismiss", favour="evaluation", decision=str(uuid.uuid4()))
        mira.post(address(harbour, "decide/"), again)

        page, listed = text(mira.get(address(harbour))), text(mira.get("/queue/?view=decided"))

        assert '<span class="tag">undone</span>' in page.partition("Earlier decisions")[2]
        assert "Decision undone" in page
        assert "dismissed" in listed
        assert "undone" not in listed

    def test_of_a_form_that_is_sent_again_is_told(self, harbour: Case, mira: Client) -> None:
        mira.post(address(harbour, "decide/"), block_form())
        mira.post(address(harbour, "undo/"), {"note": "Too much."})

        response = mira.post(address(harbour, "decide/"), block_form())

        assert response.status_code == 409
        assert "that decision was undone" in text(response)


class TestWhatIsRestoredByUndoing:
    def test_is_shown_as_restored_and_its_decision_as_in_force(
        self, harbour: Case, mira: Client, jonas: Client
    ) -> None:
        throttle = {"action": "throttle", "requests_per_minute": "5", "decision": str(uuid.uuid4())}
        jonas.post(address(harbour, "decide/"), block_form(**throttle))
        again = Case.objects.get(pk=mira.post(address(harbour, "reopen/")).url.split("/")[2])  # type: ignore[attr-defined] # a redirect
        mira.post(address(again, "decide/"), block_form())

        mira.post(address(again, "undo/"), {"note": "Too quick."})

        page = words(mira.get(address(again)))
        number = Restriction.objects.get(ended_at=None).number
        assert f"No. {number}, restored just now, first decided by Jonas Lindqvist," in page
        earlier = page.partition("Earlier decisions")[2].partition("</section>")[0]
        assert "throttled" in earlier
        assert "replaced" not in earlier


class TestDecidingAgain:
    def test_says_beforehand_and_afterwards_what_it_lifts(self, harbour: Case, mira: Client) -> None:
        campaign_of(harbour.account, *(account() for _ in range(2)))
        mira.post(address(harbour, "decide/"), block_form(scope="campaign"))
        again = Case.objects.get(pk=mira.post(address(harbour, "reopen/")).url.split("/")[2])  # type: ignore[attr-defined] # a redirect

        before = " ".join(text(mira.get(address(again))).split())
        dismissal = block_form(action="dismiss", favour="evaluation", decision=str(uuid.uuid4()))
        mira.post(address(again, "decide/"), dismissal)
        after = " ".join(text(mira.get(address(again))).split())

        assert "It ends: 3 accounts blocked" in before
        assert "Replaced: 3 accounts blocked. </p>" in after
        assert not Restriction.objects.filter(ended_at=None).exists()

    def test_with_the_same_form_and_something_else_in_it_is_a_conflict(self, harbour: Case, mira: Client) -> None:
        mira.post(address(harbour, "decide/"), block_form())

        response = mira.post(address(harbour, "decide/"), block_form(action="dismiss", favour="evaluation"))

        assert response.status_code == 409
        assert "with another action" in text(response)


class TestACaseDecidedWithAnother:
    def test_says_with_which_and_lifts_for_itself(self, harbour: Case, mira: Client) -> None:
        other = case(account("acct_pier"))
        campaign_of(harbour.account, other.account)
        mira.post(address(harbour, "decide/"), block_form(scope="campaign"))
        number = Restriction.objects.get(account=other.account).number

        page, listed = text(mira.get(address(other))), text(mira.get("/queue/?view=decided"))
        response = mira.post(address(other, f"restrictions/{number}/lift/"), {"note": "Appeal."}, follow=True)

        assert f'Decided with the case of <a class="mono" href="{address(harbour)}">' in page
        assert listed.count("acct_pier") == 1
        assert "Restriction removed." in text(response)
        assert [one.account.external_id for one in Restriction.objects.filter(ended_at=None) if one.account] == [
            "acct_harbour"
        ]

    def test_says_after_lifting_what_keeps_the_account_out(self, harbour: Case, mira: Client) -> None:
        own = restriction(harbour.account)
        harbour.account.organisation = account(organisation="org_quay").organisation
        harbour.account.save()
        restriction(harbour.account.organisation)  # type: ignore[arg-type] # it has one

        response = mira.post(address(harbour, f"restrictions/{own.number}/lift/"), {"note": "Appeal."}, follow=True)

        assert "acct_harbour is still blocked, by no. 2 against org_quay." in text(response)


class TestAnAuditor:
    @pytest.mark.parametrize("what", ["claim/", "release/", "note/", "decide/", "undo/", "restrictions/1/lift/"])
    def test_changes_nothing(self, harbour: Case, what: str) -> None:
        restriction(harbour.account, Restriction.Kind.WATCH)
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


def test_a_decided_case_can_still_be_noted_on(harbour: Case, mira: Client) -> None:
    decide(harbour, BLOCK, decision_id=uuid.uuid4(), by=person("Jonas Lindqvist"), now=NOW)

    response = mira.post(address(harbour, "note/"), {"text": "They wrote back."}, follow=True)

    assert "They wrote back." in text(response)


def test_a_claim_is_prolonged_by_claiming_again(harbour: Case) -> None:
    mira = person()
    claim(harbour, by=mira, now=NOW)
    before = Case.objects.get().claimed_until

    signed_in(mira).post(address(harbour, "claim/"))

    after = Case.objects.get().claimed_until
    assert before is not None
    assert after is not None
    assert after > before


class TestANote:
    def test_that_is_sent_again_is_stored_once(self, harbour: Case, mira: Client, jonas: Client) -> None:
        for sender, note in (
            (mira, "Called them."),
            (mira, "Called them."),
            (jonas, "Called them."),
            (jonas, "Again."),
        ):
            assert sender.post(address(harbour, "note/"), {"text": note}, headers=by_htmx("history")).status_code == 200

        notes = harbour.steps.filter(kind=Step.Kind.NOTED).order_by("pk")
        assert [(step.by, step.text) for step in notes] == [
            ("Mira Okafor", "Called them."),
            ("Jonas Lindqvist", "Called them."),
            ("Jonas Lindqvist", "Again."),
        ]

    @pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
    def test_is_as_long_as_the_page_counts_it(self, harbour: Case, mira: Client, line_end: str) -> None:
        longest = line_end.join(["🙂" * 99] * 40)  # 3,999 characters, a line break being one

        for note, status in ((f"{longest}!", 200), (f"{longest}!!", 422)):
            response = mira.post(address(harbour, "note/"), {"text": note}, headers=by_htmx("history"))
            assert response.status_code == status

        assert harbour.steps.get(kind=Step.Kind.NOTED).text == "\n".join(["🙂" * 99] * 40) + "!"
        assert f"{longest}!!</textarea>" in text(response)
