"""In a real browser: what is sent leaves the focus at a place, a preview keeps its form, and the top bar fits."""

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from governance.review.models import Case
from governance.staff.roles import Role
from tests.factories import account, campaign_case, person
from tests.flows.browser import DESKTOP, Open, open_signed_in, opened, press, two_cases

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("role", [Role.LEAD, Role.ADMIN])
def test_no_page_scrolls_sideways_for_its_top_bar(open_page: Open, role: Role) -> None:
    page = open_page(viewport=DESKTOP)
    open_signed_in(page, person(role=role), "/words/")

    for width in (320, 390, 768, 800, 1024, 1200, 1280, 1320):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, width


class TestTheFocusIsNotLost:
    def test_by_undoing_a_case(self, open_page: Open) -> None:
        first, _ = two_cases()
        page = opened(open_page, first)
        press(page, "1", "2", "1")
        expect(page.locator("#decide")).to_contain_text("Dismissed")

        press(page, "u")
        page.keyboard.type("A slip.")
        press(page, "Enter")

        expect(page.locator("#decide")).to_contain_text("Choose an action")
        expect(page.locator("#decide")).to_be_focused()

    def test_by_what_is_sent_on_the_pages_of_settings(self, open_page: Open) -> None:
        page = open_page(viewport=DESKTOP)
        jonas = person("Jonas", role=Role.REVIEWER)
        open_signed_in(page, person(role=Role.ADMIN), "/settings/")

        page.get_by_role("button", name="Save due dates").click()
        expect(page.locator(".toast")).to_be_visible()
        expect(page.locator("#due")).to_be_focused()

        page.goto("/settings/users/")
        page.get_by_label("Role of Jonas").select_option("lead")
        page.get_by_role("button", name="Change the role of Jonas").click()
        expect(page.locator(".toast")).to_be_visible()
        expect(page.locator(f"#role-of-{jonas.pk}")).to_be_focused()

        page.goto("/settings/keys/")
        page.get_by_label("Name of the machine").fill("edge")
        page.get_by_label("access:read").check()
        page.get_by_label("Works from").fill("203.0.113.0/24, 198.51.100.7")
        page.get_by_role("button", name="Issue key").click()
        expect(page.locator(".secret")).to_be_focused()
        expect(page.locator(".key-scopes")).to_contain_text("from 198.51.100.7/32, 203.0.113.0/24")


class TestAPreviewOfACampaignsDecision:
    def previewed(self, open_page: Open) -> Page:
        own = campaign_case(*(account(f"acct_{number}", organisation=f"org_{number}") for number in range(4)))
        Case.objects.update(opened_at=timezone.now(), due_at=timezone.now())
        page = open_page(viewport=DESKTOP)
        open_signed_in(page, person(), f"/campaigns/{own.campaign_id}/")
        press(page, "8", "1")
        page.get_by_label("Decide about acct_2").uncheck()
        page.get_by_label("Why the others are left out").fill("A licence.")
        page.get_by_role("button", name="Preview").click()
        expect(page.get_by_role("heading", name="Block 3 accounts?")).to_be_visible()
        return page

    def expect_all_kept(self, page: Page) -> None:
        expect(page.get_by_label("Why the others are left out")).to_have_value("A licence.")
        expect(page.get_by_label("Decide about acct_2")).not_to_be_checked()
        expect(page.get_by_label("Decide about acct_1")).to_be_checked()
        expect(page.locator("[name=action]:checked")).to_have_value("block")

    def test_leads_back_to_the_form_as_it_was(self, open_page: Open) -> None:
        page = self.previewed(open_page)

        page.get_by_role("button", name="Campaign", exact=True).click()

        self.expect_all_kept(page)

    def test_that_is_left_another_way_leaves_the_form_as_a_draft(self, open_page: Open) -> None:
        page = self.previewed(open_page)

        page.reload()

        self.expect_all_kept(page)
