"""Keys and the focus in a real browser: while an answer is on its way, after a refusal, and on every page."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from accounts.models import Account
from governance.review.actions import claim
from governance.review.models import Case, Decision
from governance.staff.roles import Role
from tests.factories import account, campaign_case, person
from tests.flows.browser import DESKTOP, Open, open_signed_in, opened, press, two_cases

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.django_db(transaction=True)]

# The pages of the bar and of the menu, and one below each of those that have pages of their own.
PAGES = (
    *("/", "/queue/", "/queue/?view=decided", "/campaigns/", "/accounts/", "/accounts/acct_harbour/", "/inbox/"),
    *("/organisations/org_quay/", "/search/?q=acct", "/enforcement/", "/enforcement/missing/", "/restrictions/"),
    *("/policy/", "/settings/", "/overview/cases/?band=critical", "/words/", "/password/", "/bulk/"),
)


@contextmanager
def held_back(page: Page, address: re.Pattern[str]) -> Iterator[None]:
    """Requests to the address wait until the block ends."""
    held: list[Route] = []
    page.route(address, lambda route: held.append(route))  # noqa: PLW0108 - Playwright marks the function
    yield
    assert held, "nothing was asked for"
    for route in held:
        route.continue_()
    page.unroute(address)


class TestNext:
    @pytest.mark.parametrize("address", PAGES)
    def test_is_a_key_of_every_page(self, open_page: Open, address: str) -> None:
        two_cases()
        page = open_page(viewport=DESKTOP)
        open_signed_in(page, person(role=Role.LEAD), address)
        page.locator("h1").first.click(force=True)  # on no field

        press(page, "g", "n")

        expect(page.get_by_role("heading", name="acct_harbour")).to_be_visible()
        expect(page.locator("#claim")).to_contain_text("Claimed by you")

    def test_keeps_to_the_list_that_the_queue_shows(self, open_page: Open) -> None:
        two_cases()
        page = open_page(viewport=DESKTOP)
        open_signed_in(page, person(), "/queue/?band=high")

        press(page, "g", "n")

        expect(page.get_by_role("heading", name="acct_quill")).to_be_visible()


class TestWhileAnUndoIsOnItsWay:
    def decided(self, open_page: Open) -> Page:
        first, _ = two_cases()
        page = opened(open_page, first)
        press(page, "1", "2", "1")
        expect(page.locator("#decide")).to_contain_text("Dismissed")
        return page

    def test_keys_land_in_no_field_and_do_nothing(self, open_page: Open) -> None:
        page = self.decided(open_page)
        press(page, "u")
        page.keyboard.type("A slip.")

        with held_back(page, re.compile("/undo/$")):
            press(page, "Enter")
            page.keyboard.type("gn")
            expect(page.locator("#undo-note")).to_have_value("A slip.")
            page.locator("#undo-note").blur()
            press(page, "w", "g", "q")
            expect(page.locator("#note")).not_to_be_focused()

        expect(page.locator("#decide")).to_contain_text("Choose an action")
        press(page, "w")
        expect(page.locator("#note")).to_be_focused()

    def test_what_is_typed_before_the_page_is_there_that_asks_why_does_nothing(self, open_page: Open) -> None:
        first, _ = two_cases()
        page = opened(open_page, first)
        press(page, "8", "1", "n")
        expect(page.get_by_role("heading", name="acct_quill")).to_be_focused()

        with held_back(page, re.compile(r"\?undo=1$")):
            press(page, "u")
            page.keyboard.type("wrong customer, 8")
            expect(page.locator("#note")).to_have_value("")
            expect(page.locator("[name=action]:checked")).to_have_count(0)

        expect(page.locator("#undo-note")).to_be_focused()
        expect(page.locator("#undo-note")).to_have_value("")

    def test_that_fails_the_field_can_be_written_in_again(self, open_page: Open) -> None:
        page = self.decided(open_page)
        page.route(re.compile("/undo/$"), lambda route: route.fulfill(status=418))
        press(page, "u")
        page.keyboard.type("A slip")

        press(page, "Enter")
        expect(page.locator(".toast-trouble")).to_be_visible()
        page.keyboard.type(", mine.")

        expect(page.locator("#undo-note")).to_have_value("A slip, mine.")


class TestGoingBack:
    def test_leaves_a_page_on_which_messages_and_the_palette_work(self, open_page: Open) -> None:
        first, _ = two_cases()
        page = opened(open_page, first)
        page.get_by_role("link", name="acct_quill").click()
        expect(page.get_by_role("heading", name="acct_quill")).to_be_visible()

        page.go_back()
        expect(page.get_by_role("heading", name="acct_harbour")).to_be_visible()
        press(page, "w")
        page.keyboard.type("They called.")
        press(page, "Control+Enter")

        expect(page.locator("#toasts")).to_contain_text("Note added.")
        press(page, "Control+k")
        expect(page.locator("#palette-input")).to_be_focused()


class TestARefusedPreview:
    def test_of_a_campaign_leads_to_the_first_mistake(self, open_page: Open) -> None:
        own = campaign_case(account("acct_a"), account("acct_b"))
        Case.objects.update(opened_at=timezone.now(), due_at=timezone.now())
        page = open_page(viewport=DESKTOP)
        open_signed_in(page, person(), f"/campaigns/{own.campaign_id}/")
        page.get_by_role("radio", name="Block").check(force=True)

        page.get_by_role("button", name="Preview").click()

        expect(page.locator("[name=against]").first).to_be_focused()
        expect(page.get_by_text("Choose a reason.")).to_be_visible()

    def test_of_a_campaign_of_which_nothing_is_ticked_leads_to_what_says_so(self, open_page: Open) -> None:
        own = campaign_case(account("acct_a"), account("acct_b"))
        Case.objects.update(opened_at=timezone.now(), due_at=timezone.now())
        page = open_page(viewport=DESKTOP)
        open_signed_in(page, person(), f"/campaigns/{own.campaign_id}/")
        for name in ("acct_a", "acct_b"):
            page.get_by_label(f"Decide about {name}").uncheck()
        page.get_by_role("radio", name="Dismiss").check(force=True)
        page.locator("[name=favour]").first.check()

        page.get_by_role("button", name="Preview").click()

        expect(page.locator(".errorlist:focus")).to_have_text("Tick at least one account.")

    def test_of_many_leads_to_the_first_mistake(self, open_page: Open) -> None:
        two_cases()
        listed = ",".join(str(pk) for pk in Account.objects.values_list("pk", flat=True))
        page = open_page(viewport=DESKTOP)
        open_signed_in(page, person(), f"/bulk/?accounts={listed}")
        page.get_by_role("radio", name="Block").check(force=True)

        page.get_by_role("button", name="Block the ticked accounts").click()

        expect(page.locator("[name=against]").first).to_be_focused()
        assert not Decision.objects.exists()

    def test_that_somebody_else_was_faster_with_leads_to_what_says_so(self, open_page: Open) -> None:
        """The same for a single case, whose answer is 409."""
        first, _ = two_cases()
        page = opened(open_page, first)
        claim(first, by=person("Jonas Lind"), now=timezone.now())

        press(page, "1", "2", "1")

        expect(page.locator(".alert:focus")).to_contain_text("Jonas Lind")
