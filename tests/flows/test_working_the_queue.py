"""A reviewer's work from signing in to undoing, by keys alone, in a real browser."""

import time
from datetime import timedelta
from statistics import median

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone
from playwright.sync_api import expect

from governance.restrictions.queries import access
from governance.review.models import ACTIONS, Case, Decision
from tests.factories import account, case, person
from tests.flows.browser import DESKTOP, Open, fill_sign_in, open_signed_in, opened, press, sign_in, two_cases
from tests.measuring import Measured

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.django_db(transaction=True)]

DECIDED = 12


def is_served(name: str) -> bool:
    return access(account=name, now=timezone.now()).allowed


class TestAReviewer:
    def test_signs_in_takes_the_next_case_decides_by_keys_and_undoes(self, open_page: Open) -> None:
        two_cases()
        page = open_page(viewport=DESKTOP)
        sign_in(page, person())
        press(page, "j", "Enter")
        expect(page.get_by_role("heading", name="acct_harbour")).to_be_focused()
        press(page, "g", "n")  # goes past the first
        expect(page.get_by_role("heading", name="acct_quill")).to_be_focused()
        expect(page.locator("#claim")).to_contain_text("Claimed by you")

        press(page, "8", "1", "8")
        expect(page.locator("#decide")).to_contain_text("Blocked")
        assert not is_served("acct_quill")

        press(page, "u")
        page.keyboard.type("The wrong one.")
        press(page, "Enter")
        expect(page.locator("#decide")).to_contain_text("Choose an action")
        expect(page.locator("#claim")).to_contain_text("Claimed by you")
        assert is_served("acct_quill")

    @pytest.mark.parametrize("number", range(1, len(ACTIONS) + 1))
    def test_needs_three_keys_for_each_action(self, open_page: Open, number: int) -> None:
        first, _ = two_cases()
        page = opened(open_page, first)

        press(page, str(number), "1")
        button = page.locator(".decide-send").first
        expect(button).to_be_in_viewport(ratio=1)
        press(page, str(number))

        expect(page.locator("#decide .decided-why")).to_be_visible()
        assert Decision.objects.get().action == ACTIONS[number - 1]

    def test_blocks_nobody_by_pressing_a_key_twice_or_holding_it(self, open_page: Open) -> None:
        first, _ = two_cases()
        page = opened(open_page, first)

        press(page, "8", "8")
        expect(page.locator("[name=against]:checked")).to_have_count(0)
        page.keyboard.down("1")
        for _ in range(5):
            page.keyboard.down("1")  # the key repeats
        page.keyboard.up("1")

        expect(page.locator("[name=against]:checked")).to_have_value("bulk_harvest")
        assert not Decision.objects.exists()

    def test_confirms_no_restored_form_by_one_key(self, open_page: Open) -> None:
        first, _ = two_cases()
        page = opened(open_page, first)
        press(page, "8", "1")
        page.reload()
        expect(page.locator("[name=action]:checked")).to_have_value("block")

        press(page, "8")
        expect(page.locator("[name=action]:checked")).to_be_focused()
        assert not Decision.objects.exists()
        press(page, "8")

        expect(page.locator("#decide")).to_contain_text("Blocked")

    def test_undoes_the_last_decision_from_the_next_case(self, open_page: Open) -> None:
        first, _ = two_cases()
        page = opened(open_page, first)
        press(page, "8", "1", "n")
        expect(page.get_by_role("heading", name="acct_quill")).to_be_focused()

        press(page, "u")
        expect(page.get_by_role("heading", name="acct_harbour")).to_be_visible()
        expect(page.locator("#undo-note")).to_be_focused()
        page.keyboard.type("A slip.")
        press(page, "Enter")

        expect(page.locator("#decide")).to_contain_text("Choose an action")
        assert is_served("acct_harbour")

    def test_keeps_to_the_filter_beside_the_case(self, open_page: Open) -> None:
        first, _ = two_cases()
        low = case(account("acct_low"), score=55, band="elevated")
        Case.objects.filter(pk=low.pk).update(opened_at=timezone.now(), due_at=timezone.now() + timedelta(days=1))
        page = opened(open_page, first)
        page.locator("#queue").get_by_label("Band").select_option("elevated")
        expect(page.locator("#queue .row")).to_have_count(1)

        press(page, "g", "n")

        expect(page.get_by_role("heading", name="acct_low")).to_be_focused()
        page.reload()
        expect(page.locator("#queue .row")).to_have_count(1)


def test_from_deciding_to_the_next_case(open_page: Open, measured: Measured) -> None:
    """From the key to the next case with its heading focused, in this browser and on this server."""
    cases = [case(account(f"acct_{number:02}"), score=60 + number) for number in range(DECIDED + 1)]
    Case.objects.update(opened_at=timezone.now(), due_at=timezone.now() + timedelta(days=1))
    page, took = opened(open_page, cases[-1]), list[float]()

    for number in reversed(range(DECIDED)):
        press(page, "1", "1")
        began = time.perf_counter()
        press(page, "n")
        page.wait_for_function("(name) => document.activeElement.textContent.includes(name)", arg=f"acct_{number:02}")
        took.append(1000 * (time.perf_counter() - began))

    assert Decision.objects.count() == DECIDED
    measured(f"from deciding to the next case: {median(took):.0f} ms (median of {DECIDED}), {max(took):.0f} ms at most")


class TestAHeldCase:
    def test_is_gone_and_comes_back_by_itself(self, open_page: Open) -> None:
        first, _ = two_cases()
        page = opened(open_page, first)

        press(page, "h")
        page.keyboard.type("The account manager asks them.")
        press(page, "Enter")

        expect(page.get_by_role("heading", name="acct_quill")).to_be_focused()
        expect(page.locator("#queue .row")).to_have_count(1)
        Case.objects.filter(pk=first.pk).update(held_until=timezone.now())
        page.evaluate("htmx.trigger(document.body, 'queue-changed')")
        expect(page.locator("#queue .row")).to_have_count(2)
        expect(page.locator("#queue-said")).to_have_text("1 new case.")
        page.goto("/inbox/")
        expect(page.locator("main")).to_contain_text("The account manager asks them.")
        page.get_by_role("link", name="acct_harbour").click()
        expect(page.locator(".standing")).to_contain_text("Back from hold")
        expect(page.locator(".standing")).to_contain_text("Mira Okafor held it")


class TestTwoReviewers:
    def test_get_different_cases_and_see_each_other(self, open_page: Open) -> None:
        two_cases()
        mira, jonas = open_page(viewport=DESKTOP), open_page(viewport=DESKTOP)
        for page, name in ((mira, "Mira Okafor"), (jonas, "Jonas Lindqvist")):
            open_signed_in(page, person(name))
            press(page, "j", "Enter")
            expect(page.get_by_role("heading", name="acct_harbour")).to_be_focused()
        expect(jonas.locator("#viewers")).to_contain_text("Mira Okafor has this open")
        press(mira, "c")
        expect(mira.locator("#claim")).to_contain_text("Claimed by you")

        press(jonas, "g", "n")

        expect(jonas.get_by_role("heading", name="acct_quill")).to_be_focused()

    def test_who_decide_at_once_hear_who_won(self, open_page: Open) -> None:
        first, _ = two_cases()
        mira, jonas = open_page(viewport=DESKTOP), open_page(viewport=DESKTOP)
        open_signed_in(mira, person(), f"/cases/{first.pk}/")
        open_signed_in(jonas, person("Jonas Lindqvist"), f"/cases/{first.pk}/")
        press(mira, "1", "1")
        press(jonas, "8", "1")

        press(mira, "1")
        expect(mira.locator("#decide")).to_contain_text("Dismissed")
        press(jonas, "8")

        expect(jonas.locator("#decide [role=alert]")).to_contain_text("Mira Okafor decided this case first: dismissed.")
        expect(jonas.locator("#decide")).to_contain_text("Your decision was not saved")
        assert Decision.objects.count() == 1


class TestWorkInProgress:
    def test_outlives_the_session(self, open_page: Open) -> None:
        first, _ = two_cases()
        mira = person()
        page = open_page(viewport=DESKTOP)
        sign_in(page, mira)
        page.goto(f"/cases/{first.pk}/")
        press(page, "8", "1")
        page.locator("#decide-note").fill("One wrapping, ever-new payloads.")
        Session.objects.all().delete()

        page.get_by_label("Yes, block it").check()
        page.get_by_role("button", name="Block the account").click()
        page.wait_for_url("**/sign-in/**")
        fill_sign_in(page, mira)

        page.wait_for_url(f"**/cases/{first.pk}/")
        expect(page.locator("[name=action]:checked")).to_have_value("block")
        expect(page.locator("[name=against]:checked")).to_have_value("bulk_harvest")
        expect(page.locator("#decide-note")).to_have_value("One wrapping, ever-new payloads.")
        assert not Decision.objects.exists()

    def test_outlives_a_closed_tab(self, open_page: Open) -> None:
        first, _ = two_cases()
        page = opened(open_page, first)
        press(page, "8", "1")
        page.locator("#decide-note").fill("One wrapping.")
        page.locator("#note").fill("Half a note")
        press(page, "Escape", "h")
        page.keyboard.type("Half a reason to hold")
        other = page.context.new_page()
        page.close()

        other.goto(f"/cases/{first.pk}/")

        expect(other.locator("[name=action]:checked")).to_have_value("block")
        expect(other.locator("#decide-note")).to_have_value("One wrapping.")
        expect(other.locator("#note")).to_have_value("Half a note")
        expect(other.locator("#hold-because")).to_have_value("Half a reason to hold")
