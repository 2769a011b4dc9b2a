"""Looking for somebody, in a real browser: by card, with the palette, on a phone, and without JavaScript."""

import pytest
from playwright.sync_api import Page, expect

from accounts.models import Account
from governance.investigation.models import WatchedAccount
from governance.review.models import Case
from tests.factories import account, assessment, case, person
from tests.flows.browser import DESKTOP, Open, open_signed_in, sign_in, two_cases

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

CARD = "Card_7f3a"


def three_on_a_card() -> None:
    """One decided about by nobody, one below the review line, one that was never scored; and somebody else."""
    case(account("acct_harbour", organisation="org_quay", payment_fingerprint=CARD), score=91)
    assessment(account("eu/quill 7", payment_fingerprint=CARD), score=12, band="low")
    account("acct_mere", payment_fingerprint=CARD)
    account("acct_other", payment_fingerprint="card_other")


def scrolls_sideways(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


class TestSearchingByCard:
    def test_leads_from_the_palette_to_an_account_below_the_line_and_to_a_case_of_it(self, open_page: Open) -> None:
        three_on_a_card()
        page = open_page(viewport=DESKTOP)
        sign_in(page, person())

        page.keyboard.press("Control+k")
        field = page.get_by_role("combobox", name="Search, or go to a page")
        expect(field).to_be_focused()
        page.keyboard.type(CARD.lower())
        group = page.get_by_role("group", name="Accounts on this card")
        expect(group.get_by_role("option")).to_have_count(3)
        expect(page.locator("#palette-status")).to_have_text("3 results")
        expect(field).to_have_attribute("aria-activedescendant", "palette-card-1")
        page.keyboard.press("ArrowDown")
        expect(page.locator("#palette").get_by_role("option", selected=True)).to_contain_text("eu/quill 7")
        page.keyboard.press("Enter")

        expect(page.get_by_role("heading", name="eu/quill 7")).to_be_visible()
        expect(page.get_by_text("38 points below the review line")).to_be_visible()
        page.get_by_label("Why a case is needed").fill("On the card of acct_harbour.")
        page.get_by_role("button", name="Open a case").click()
        page.wait_for_url("**/cases/**")
        expect(page.locator("#history")).to_contain_text("On the card of acct_harbour.")
        assert Case.objects.get(account__external_id="eu/quill 7").is_open

    def test_goes_on_to_all_results(self, open_page: Open) -> None:
        three_on_a_card()
        page = open_page(viewport=DESKTOP)
        open_signed_in(page, person(), "/queue/")

        page.get_by_role("link", name="Search", exact=False).first.click()
        page.keyboard.type(CARD)
        page.get_by_role("option", name=f"All results for “{CARD}”").click()

        page.wait_for_url("**/search/?q=*")
        expect(page.locator("#results .row")).to_have_count(3)
        page.locator("#search").fill("org_quay")
        expect(page.get_by_role("heading", name="Organisations")).to_be_visible()
        expect(page.get_by_text("1 found for “org_quay”.")).to_be_visible()
        assert page.url.endswith("/search/?q=org_quay")


class TestThePalette:
    def test_goes_to_a_page_by_a_few_letters(self, open_page: Open) -> None:
        page = open_page(viewport=DESKTOP)
        open_signed_in(page, person(), "/queue/")

        page.keyboard.press("Control+k")
        page.keyboard.type("watch")
        expect(page.locator("#palette").get_by_role("option", selected=True)).to_have_text("Watch-list")
        page.keyboard.press("Enter")

        page.wait_for_url("**/accounts/?watched=on")
        expect(page.get_by_role("heading", name="Nothing on the watch-list")).to_be_visible()

    def test_does_what_can_be_done_on_the_page(self, open_page: Open) -> None:
        first, _ = two_cases()
        page = open_page(viewport=DESKTOP)
        open_signed_in(page, person(), f"/cases/{first.pk}/")

        page.keyboard.press("Control+k")
        page.keyboard.type("claim")
        expect(page.get_by_role("group", name="On this page").get_by_role("option").first).to_contain_text("Claim")
        page.keyboard.press("Enter")

        expect(page.locator("#claim")).to_contain_text("Claimed by you")

    @pytest.mark.parametrize(
        ("typed", "field"), [("hold", "#hold-because"), ("assign", "#assign-to"), ("skip", "#skip-because")]
    )
    def test_opens_the_form_of_an_action(self, open_page: Open, typed: str, field: str) -> None:
        first, _ = two_cases()
        page = open_page(viewport=DESKTOP)
        open_signed_in(page, person(), f"/cases/{first.pk}/")

        page.keyboard.press("Control+k")
        page.keyboard.type(typed)
        here = page.get_by_role("group", name="On this page").get_by_role("option", selected=True)
        expect(here).to_contain_text(typed.capitalize())
        page.keyboard.press("Enter")

        expect(page.locator(field)).to_be_focused()

    def test_gives_the_focus_back_when_it_closes(self, open_page: Open) -> None:
        first, _ = two_cases()
        page = open_page(viewport=DESKTOP)
        open_signed_in(page, person(), f"/cases/{first.pk}/")
        page.locator("#note").focus()

        page.keyboard.press("Control+k")
        expect(page.locator("#palette-input")).to_be_focused()
        page.keyboard.press("Escape")

        expect(page.locator("#palette")).not_to_be_visible()
        expect(page.locator("#note")).to_be_focused()

    def test_takes_no_letter_for_a_shortcut_of_the_page(self, open_page: Open) -> None:
        first, _ = two_cases()
        page = open_page(viewport=DESKTOP)
        open_signed_in(page, person(), f"/cases/{first.pk}/")

        page.keyboard.press("Control+k")
        page.keyboard.type("c8")
        page.wait_for_load_state("networkidle")

        expect(page.locator("#palette-input")).to_have_value("c8")
        expect(page.locator("[name=action]:checked")).to_have_count(0)
        assert Case.objects.get(pk=first.pk).claimed_by is None


class TestAnAccount:
    def test_is_put_on_the_watch_list_without_leaving_its_page(self, open_page: Open) -> None:
        assessment(account("acct_harbour"), score=12, band="low")
        page = open_page(viewport=DESKTOP)
        open_signed_in(page, person(), "/accounts/acct_harbour/")
        page.evaluate("window.stayed = true")

        page.get_by_text("Put it on the watch-list").click()
        page.get_by_label("Why", exact=True).fill("Grows fast.")
        page.get_by_role("button", name="Put on the list").click()

        expect(page.locator("#watch")).to_contain_text("Grows fast.")
        expect(page.get_by_role("heading", name="Watch-list")).to_be_focused()
        assert page.evaluate("window.stayed"), "a page was loaded again"
        assert WatchedAccount.objects.get().score == 12

    def test_shows_the_explanation_in_its_place(self, open_page: Open) -> None:
        assessment(account("acct_harbour"), score=12, band="low")
        page = open_page(viewport=DESKTOP)
        open_signed_in(page, person(), "/accounts/acct_harbour/")

        page.get_by_text("As text, with the campaign").click()
        page.get_by_role("link", name="Show the text").click()

        expect(page.locator("pre#explanation")).to_contain_text("acct_harbour: 12 points of 100, low")

    @pytest.mark.parametrize("width", [390, 320])
    @pytest.mark.parametrize(
        "address",
        ["/accounts/", "/accounts/acct_harbour/", "/organisations/org_quay/", "/search/?q=acct"],
    )
    def test_and_its_lists_fit_a_phone(self, open_page: Open, address: str, width: int) -> None:
        three_on_a_card()
        page = open_page(viewport={"width": width, "height": 800}, color_scheme="dark")

        open_signed_in(page, person(), address)

        assert not scrolls_sideways(page)


class TestWithoutJavaScript:
    def test_everything_is_found_opened_and_watched(self, open_page: Open) -> None:
        three_on_a_card()
        page = open_page(java_script_enabled=False, viewport=DESKTOP)
        sign_in(page, person())

        page.get_by_role("link", name="Search").first.click()
        page.locator("#search").fill(CARD)
        page.get_by_role("button", name="Search").click()
        page.get_by_role("link", name="eu/quill 7").click()
        page.get_by_text("Put it on the watch-list").click()
        page.get_by_label("Why", exact=True).fill("On the same card.")
        page.get_by_role("button", name="Put on the list").click()
        expect(page.locator("#watch")).to_contain_text("On the same card.")
        page.get_by_label("Why a case is needed").fill("On the same card.")
        page.get_by_role("button", name="Open a case").click()

        expect(page.get_by_role("heading", name="eu/quill 7")).to_be_visible()
        assert Account.objects.get(watched__isnull=False).cases.get().is_open
