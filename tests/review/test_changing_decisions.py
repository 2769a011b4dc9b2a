"""The pages for lifting, undoing and changing a decision."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from governance.restrictions.models import Restriction
from governance.review.models import Case
from tests.factories import account, campaign_of, case, restriction
from tests.review.case_work import words
from tests.review.pages import address, block_form, by_htmx, campaign_form, text

pytestmark = pytest.mark.django_db


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
        number = restriction(harbour.own_account, at=timezone.now() - timedelta(minutes=31)).number

        mira.post(address(harbour, f"restrictions/{number}/lift/"), {"note": "Appeal granted."})

        assert Restriction.objects.get().ending == Restriction.Ending.LIFTED

    def test_lets_a_whole_campaign_go_where_that_is_asked_for(self, harbour: Case, mira: Client) -> None:
        campaign = campaign_of(harbour.own_account, account("acct_other"))
        mira.post(address(harbour, "decide/"), campaign_form(harbour))
        number = Restriction.objects.get(account=harbour.account).number

        mira.post(address(harbour, f"restrictions/{number}/lift/"), {"note": "One school.", "everywhere": "on"})

        assert campaign.restrictions.filter(ended_at=None).count() == 0
        assert campaign.restrictions.count() == 2

    def test_asks_for_a_reason(self, harbour: Case, mira: Client) -> None:
        number = restriction(harbour.own_account, Restriction.Kind.WATCH).number

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
        campaign_of(harbour.own_account, *(account() for _ in range(11)))
        mira.post(address(harbour, "decide/"), campaign_form(harbour))
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
        campaign_of(harbour.own_account, *(account() for _ in range(2)))
        mira.post(address(harbour, "decide/"), campaign_form(harbour))
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
        campaign_of(harbour.own_account, other.own_account)
        mira.post(address(harbour, "decide/"), campaign_form(harbour))
        number = Restriction.objects.get(account=other.account).number

        page, listed = text(mira.get(address(other))), text(mira.get("/queue/?view=decided"))
        response = mira.post(address(other, f"restrictions/{number}/lift/"), {"note": "Appeal."}, follow=True)

        assert f'Decided with the case of <a class="mono" href="{address(harbour)}">' in page
        assert listed.count('aria-label="acct_pier,') == 1
        assert "Restriction removed." in text(response)
        assert [one.account.external_id for one in Restriction.objects.filter(ended_at=None) if one.account] == [
            "acct_harbour"
        ]

    def test_says_after_lifting_what_keeps_the_account_out(self, harbour: Case, mira: Client) -> None:
        own = restriction(harbour.own_account)
        harbour.own_account.organisation = account(organisation="org_quay").organisation
        harbour.own_account.save()
        restriction(harbour.own_account.organisation)  # type: ignore[arg-type] # it has one

        response = mira.post(address(harbour, f"restrictions/{own.number}/lift/"), {"note": "Appeal."}, follow=True)

        assert "acct_harbour is still blocked, by no. 2 against org_quay." in text(response)
