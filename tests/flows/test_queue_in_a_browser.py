"""The list of cases in a real browser: it keeps still while it is made new, is saved by name, and fits a phone."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from governance.review.models import Case, InboxItem
from governance.staff.roles import Role
from tests.factories import account, campaign_case, case, person
from tests.flows.browser import DESKTOP, Open, open_signed_in, opened, press, two_cases

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.django_db(transaction=True)]


class TestTheList:
    def test_moves_no_row_under_the_pointer_when_a_case_comes_in(self, open_page: Open) -> None:
        two_cases()
        page = open_page(viewport=DESKTOP)
        open_signed_in(page, person(), "/queue/")
        row = page.locator(".row", has_text="acct_quill")
        row.hover()
        before = row.bounding_box()

        for number in range(3):
            case(account(f"acct_new_{number}"), score=99)
        page.evaluate("htmx.trigger(document.body, 'queue-changed')")

        expect(page.locator(".row-new")).to_have_count(3)
        expect(page.locator("#queue-said")).to_have_text("3 new cases.")
        after = row.bounding_box()
        assert before is not None
        assert after is not None
        assert abs(before["y"] - after["y"]) <= 1

    def test_keeps_the_focus_when_the_focused_case_is_decided_elsewhere(self, open_page: Open) -> None:
        first, second = two_cases()
        page = open_page(viewport=DESKTOP)
        open_signed_in(page, person(), "/queue/")
        press(page, "j")
        expect(page.locator(f"#row-{first.pk}")).to_be_focused()

        Case.objects.filter(pk=first.pk).update(held_until=timezone.now() + timedelta(days=1))
        page.evaluate("htmx.trigger(document.body, 'queue-changed')")

        expect(page.locator(f"#row-{second.pk}")).to_be_focused()

    def test_is_saved_by_name_and_opened_again(self, open_page: Open) -> None:
        two_cases()
        page = open_page(viewport=DESKTOP)
        open_signed_in(page, person(), "/queue/")
        page.get_by_label("Band").select_option("high")
        expect(page.locator(".row")).to_have_count(1)

        page.get_by_text("Save view").click()
        page.get_by_label("Name of this list").fill("High ones")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.locator("#views")).to_contain_text("High ones")
        page.goto("/queue/")
        page.get_by_role("link", name="High ones 1").click()

        expect(page.locator(".row")).to_have_count(1)
        page.wait_for_url("**/queue/?band=high")

    def test_names_the_list_when_the_view_changes(self, open_page: Open) -> None:
        two_cases()
        page = open_page(viewport=DESKTOP)
        open_signed_in(page, person(), "/queue/")

        page.get_by_role("search").get_by_label("Decided").check(force=True)

        expect(page.locator("#queue-title")).to_have_text("Decided")
        expect(page).to_have_title("Decided · Stillwatch")
        expect(page.get_by_role("heading", level=1)).to_have_text("Decided")


class TestAMention:
    def test_reaches_the_colleagues_inbox_and_leads_back_to_the_case(self, open_page: Open) -> None:
        first, _ = two_cases()
        jonas = person("Jonas Lindqvist", role=Role.LEAD)
        page = opened(open_page, first)
        press(page, "w")
        page.keyboard.type(f"@{jonas.email.partition('@')[0]} what do you think?")
        press(page, "Control+Enter")
        expect(page.locator("#toasts")).to_contain_text("It is in the inbox of Jonas Lindqvist.")
        assert InboxItem.objects.get().user == jonas

        theirs = open_page(viewport=DESKTOP)
        open_signed_in(theirs, jonas)
        expect(theirs.locator("#inbox-count")).to_contain_text("1")
        press(theirs, "g", "i")
        expect(theirs.locator("main")).to_contain_text("what do you think?")
        theirs.get_by_role("link", name="acct_harbour").click()

        expect(theirs.get_by_role("heading", name="acct_harbour", level=1)).to_be_visible()
        expect(theirs.get_by_role("heading", level=1)).to_have_count(1)


class TestNarrowAndForced:
    # Beside a case the list is about as narrow as on a phone.
    @pytest.mark.parametrize(("width", "address"), [(320, "/queue/"), (320, "/accounts/"), (390, "/"), (1280, "case")])
    def test_no_name_is_cut_off(self, open_page: Open, width: int, address: str) -> None:
        first = case(account("acct_23c2de5a1b7701", organisation="org_kestdale_events_and_partners"), score=96)
        campaign_case(*(account(f"acct_{number}", organisation=f"org_{number}") for number in range(12)))
        Case.objects.update(opened_at=timezone.now(), due_at=timezone.now() - timedelta(hours=44, minutes=5))
        page = open_page(viewport={"width": width, "height": 900})
        open_signed_in(page, person(), f"/cases/{first.pk}/" if address == "case" else address)
        names = page.locator(".row-open, .row-company, .my-cases a")
        expect(names.first).to_be_visible()

        cut = names.evaluate_all(
            "(all) => all.filter((one) => getComputedStyle(one).display !== 'inline')"
            ".filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.innerText)"
        )

        assert [name for name in cut if name] == []

    @pytest.mark.parametrize("address", ["queue", "case", "inbox"])
    def test_nothing_scrolls_sideways_at_320_pixels(self, open_page: Open, address: str) -> None:
        first, _ = two_cases()
        page = open_page(viewport={"width": 320, "height": 700})
        open_signed_in(page, person(), {"queue": "/queue/", "inbox": "/inbox/", "case": f"/cases/{first.pk}/"}[address])
        expect(page.locator("h1")).to_be_attached()
        expect(page.locator("#alarm")).to_be_attached()

        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        if address == "case":
            page.get_by_role("radio", name="Block").check(force=True)
            assert page.evaluate("document.documentElement.scrollWidth") <= 320

    def test_the_decision_is_few_tabs_away(self, open_page: Open) -> None:
        first, _ = two_cases()
        page = opened(open_page, first)

        press(page, "Tab", "Tab", "Enter", "Tab")

        expect(page.locator("[name=action]").first).to_be_focused()
