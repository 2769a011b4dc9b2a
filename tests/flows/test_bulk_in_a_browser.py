"""Many accounts in a real Chromium: ticked by keys, looked at, decided, followed, and undone at once."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import Account
from governance.restrictions.models import Restriction
from governance.review.actions import claim
from governance.review.bulk.unfinished import apply_bulk_decisions
from governance.review.models import BulkDecision, Case
from governance.staff.models import User
from tests.factories import account, assessment, campaign_case, case, person
from tests.flows.accessibility import iter_violations_everywhere
from tests.flows.browser import DESKTOP, Open, fill_sign_in, open_signed_in, press
from tests.flows.typed_text import end_in_the_database
from tests.review.bulk import NAMES

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WIDTHS = pytest.mark.parametrize("width", [1280, 390])


@pytest.fixture
def six() -> list[Account]:
    """Six accounts with a case, the highest score first; one of them is claimed by Jonas."""
    accounts = [
        case(account(name, organisation=f"org_{number}", plan="scale", country="DE"), score=95 - number)
        for number, name in enumerate(NAMES[:6])
    ]
    Case.objects.update(opened_at=timezone.now(), due_at=timezone.now() + timedelta(hours=4))
    claim(Case.objects.get(account__external_id="acct_dune"), by=person("Jonas Lind"), now=timezone.now())
    return [one.own_account for one in accounts]


def blocked() -> set[str]:
    live = Restriction.objects.filter(ended_at=None, kind="block")
    return set(live.values_list("account__external_id", flat=True))


def choose_block(page: Page) -> None:
    page.get_by_role("radio", name="Block").check(force=True)
    page.get_by_role("radio", name="Bulk").first.check()
    page.get_by_label("Terms clause").select_option(index=1)


def scrolls_sideways(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def tick_five_by_keys_and_box(page: Page) -> None:
    press(page, "j", "x", "j", "x", "j", "x", "j", "x", "j", "x", "x")
    expect(page.locator("#bulk")).to_contain_text("4 ticked")
    page.get_by_label("Tick acct_heath").check()
    page.get_by_role("button", name="Decide about 5").click()
    expect(page.get_by_role("heading", name="Decide about 5 accounts?")).to_be_visible()


def send_block(page: Page) -> None:
    choose_block(page)
    page.get_by_label("Yes, decide this for all that are ticked").check()
    page.get_by_role("button", name="Block the ticked accounts").click()


def test_ticked_by_keys_decided_for_all_but_one_and_undone(open_page: Open, six: list[Account]) -> None:
    page = open_page(viewport=DESKTOP)
    open_signed_in(page, person(), "/queue/")
    expect(page.locator("#bulk")).to_be_hidden()

    tick_five_by_keys_and_box(page)
    expect(page.locator("main")).to_contain_text("skipped: claimed by Jonas Lind")
    page.get_by_label("Decide about acct_heath").uncheck()
    expect(page.locator("[data-bulk-ticked]").first).to_have_text("4")
    send_block(page)
    expect(page.get_by_role("heading", name="Block 4 accounts")).to_be_visible()
    expect(page.locator("#bulk-state")).to_contain_text("In progress: 0 of 4")

    apply_bulk_decisions(clock=timezone.now)
    expect(page.locator("#bulk-state")).to_contain_text("4 of 4: 3 decided, 1 skipped.")
    expect(page.locator("#bulk-state")).to_contain_text("Jonas Lind is working on this case.")
    assert blocked() == {"acct_brook", "acct_cove", "acct_fen"}

    press(page, "u")
    page.keyboard.type("It is a course.")
    page.keyboard.press("Enter")
    expect(page.locator("#bulk-state")).to_contain_text("In progress: 0 of 3 reached")
    expect(page.get_by_role("heading", name="Being undone")).to_be_visible()
    apply_bulk_decisions(clock=timezone.now)
    expect(page.locator("#bulk-state")).to_contain_text("3 of 3 reached: 3 undone.")
    assert blocked() == set()


class TestTheKeyD:
    def test_leads_to_deciding_about_those_that_are_ticked(self, open_page: Open, six: list[Account]) -> None:
        page = open_page(viewport=DESKTOP)
        open_signed_in(page, person(), "/queue/")
        press(page, "d")
        expect(page).to_have_url(re.compile("/queue/$"))

        press(page, "j", "x", "j", "x", "d")

        expect(page.get_by_role("heading", name="Decide about 2 accounts?")).to_be_visible()

    def test_is_about_the_open_case_unless_the_cursor_is_in_the_list(self, open_page: Open, six: list[Account]) -> None:
        page = open_page(viewport=DESKTOP)
        open_signed_in(page, person(), "/queue/")
        press(page, "j", "x", "Enter")
        expect(page.get_by_role("heading", name="acct_brook")).to_be_focused()

        press(page, "d")
        expect(page.locator("#decide")).to_be_focused()

        press(page, "j", "d")
        expect(page.get_by_role("heading", name="Decide about 1 account?")).to_be_visible()

    def test_stays_where_more_are_ticked_than_are_decided_at_once(self, open_page: Open, six: list[Account]) -> None:
        page = open_page(viewport=DESKTOP)
        open_signed_in(page, person(), "/queue/")
        page.evaluate("sessionStorage[`ticks:${document.body.dataset.user}`] = JSON.stringify([...Array(501).keys()])")
        page.reload()

        press(page, "d")

        expect(page.locator("#bulk")).to_contain_text("at most 500 at once")
        expect(page).to_have_url(re.compile("/queue/$"))


def test_is_confirmed_by_hand_also_where_it_is_chosen_by_keys(open_page: Open, six: list[Account]) -> None:
    page = open_page(viewport=DESKTOP)
    open_signed_in(page, person(), f"/bulk/?accounts={six[0].pk},{six[1].pk}")
    page.get_by_label("Decide about acct_cove").uncheck()

    press(page, "8", "1", "8")

    expect(page.locator("#confirmed-error")).to_have_text("Tick to confirm.")
    expect(page.get_by_label("Decide about acct_cove")).not_to_be_checked()
    assert not BulkDecision.objects.exists()


def test_works_without_javascript(open_page: Open, six: list[Account]) -> None:
    page = open_page(viewport=DESKTOP, java_script_enabled=False)
    open_signed_in(page, person(), "/queue/")

    page.get_by_label("Tick acct_brook").check()
    page.get_by_label("Tick acct_cove").check()
    page.get_by_role("button", name="Decide about those ticked").click()
    expect(page.get_by_role("heading", name="Decide about 2 accounts?")).to_be_visible()
    send_block(page)

    expect(page.get_by_role("heading", name="Block 2 accounts")).to_be_visible()
    assert BulkDecision.objects.get().targets.count() == 2


class TestTicks:
    def test_stay_while_the_list_is_made_new_and_where_their_row_has_left_it(
        self, open_page: Open, six: list[Account]
    ) -> None:
        page = open_page(viewport=DESKTOP)
        open_signed_in(page, person(), "/queue/")
        page.get_by_label("Tick acct_brook").check()
        page.get_by_label("Tick acct_cove").focus()
        page.keyboard.press("Space")

        for number in range(3):
            case(account(f"acct_new_{number}"), score=99)
        Case.objects.filter(account=six[0]).update(held_until=timezone.now() + timedelta(days=1))
        page.evaluate("htmx.trigger(document.body, 'queue-changed')")

        expect(page.locator(".row-new")).to_have_count(3)
        expect(page.get_by_label("Tick acct_cove")).to_be_checked()
        expect(page.get_by_label("Tick acct_cove")).to_be_focused()
        expect(page.get_by_label("Tick acct_new_0")).not_to_be_checked()
        expect(page.locator("#bulk")).to_contain_text("2 ticked, 1 not on this page")
        page.get_by_role("button", name="Decide about 2").click()
        expect(page.get_by_role("heading", name="Decide about 2 accounts?")).to_be_visible()

    def test_are_collected_over_pages_and_forgotten_once_decided(self, open_page: Open, six: list[Account]) -> None:
        assessment(account("acct_quiet"), score=3, band="low")
        page = open_page(viewport=DESKTOP)
        open_signed_in(page, person(), "/queue/")
        page.get_by_label("Tick all on this page").check()
        expect(page.locator("#bulk")).to_contain_text("6 ticked")

        page.goto("/search/?q=acct_quiet")
        page.get_by_label("Tick acct_quiet").check()
        expect(page.locator("#bulk")).to_contain_text("7 ticked, 6 not on this page")
        page.get_by_role("button", name="Decide about 7").click()
        send_block(page)
        expect(page.get_by_role("heading", name="Block 7 accounts")).to_be_visible()

        page.goto("/queue/")
        expect(page.locator("#bulk")).to_be_hidden()

    def test_of_campaigns_cannot_be_made(self, open_page: Open, six: list[Account]) -> None:
        campaign_case(account(), account(), score=99)
        page = open_page(viewport=DESKTOP)
        open_signed_in(page, person(), "/queue/")
        expect(page.get_by_label("campaigns are decided on their own page")).to_be_disabled()

        page.get_by_label("Tick all on this page").check()

        expect(page.locator("#bulk")).to_contain_text("6 ticked")


def test_what_is_typed_and_unticked_survives_a_lost_session(open_page: Open, six: list[Account]) -> None:
    mira: User = person()
    page = open_page(viewport=DESKTOP)
    open_signed_in(page, mira, f"/bulk/?accounts={six[0].pk},{six[1].pk}")
    choose_block(page)
    page.locator("#decide-note").fill("One of them is a school.")
    page.get_by_label("Decide about acct_cove").uncheck()
    page.get_by_label("Yes, decide this for all that are ticked").check()

    end_in_the_database(page)
    page.get_by_role("button", name="Block the ticked accounts").click()
    page.wait_for_url("**/sign-in/**")
    fill_sign_in(page, mira)
    expect(page.get_by_role("heading", name="Decide about 2 accounts?")).to_be_visible()

    expect(page.locator("#decide-note")).to_have_value("One of them is a school.")
    expect(page.get_by_role("radio", name="Block")).to_be_checked()
    expect(page.get_by_label("Decide about acct_brook")).to_be_checked()
    expect(page.get_by_label("Decide about acct_cove")).not_to_be_checked()
    expect(page.get_by_label("Yes, decide this for all that are ticked")).not_to_be_checked()
    expect(page.locator("[data-bulk-ticked]").first).to_have_text("1")
    assert not BulkDecision.objects.exists()


@WIDTHS
def test_pages_are_accessible_and_do_not_scroll_sideways(open_page: Open, six: list[Account], width: int) -> None:
    page = open_page(viewport={"width": width, "height": 844})
    open_signed_in(page, person(), "/queue/")
    page.get_by_label("Tick all on this page").check()
    expect(page.locator("#bulk")).to_be_visible()
    found = list(iter_violations_everywhere(page))
    page.set_viewport_size({"width": width, "height": 844})
    assert not scrolls_sideways(page)

    page.get_by_role("button", name="Decide about 6").click()
    choose_block(page)
    found += iter_violations_everywhere(page)
    page.set_viewport_size({"width": width, "height": 844})
    assert not scrolls_sideways(page)
    page.get_by_label("Yes, decide this for all that are ticked").check()
    page.get_by_role("button", name="Block the ticked accounts").click()
    expect(page.get_by_role("heading", name="Block 6 accounts")).to_be_visible()
    apply_bulk_decisions(clock=timezone.now)
    expect(page.locator("#bulk-state")).to_contain_text("5 decided")
    found += iter_violations_everywhere(page)
    page.set_viewport_size({"width": width, "height": 844})

    assert not scrolls_sideways(page)
    assert not found, "\n".join(found)
