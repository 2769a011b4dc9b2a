"""A campaign in a real Chromium: leave two out, preview, decide, undo; with JavaScript and without."""

from typing import Literal

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, expect

from governance.campaigns.models import Campaign
from governance.review.models import Case
from governance.staff.models import ServiceKey
from tests.factories import FINDING, account, campaign_case, case, person, service_key
from tests.flows.accessibility import find_violations
from tests.flows.browser import DESKTOP, Open, open_signed_in, press

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# The background of an element as red, green and blue.
COLOUR = """
(element) => {
  const drawn = document.createElement("canvas").getContext("2d");
  drawn.fillStyle = getComputedStyle(element).backgroundColor;
  drawn.fillRect(0, 0, 1, 1);
  return [...drawn.getImageData(0, 0, 1, 1).data].slice(0, 3);
}
"""
NAMES = [f"acct_{number:02}" for number in range(24)]
LEFT_OUT = {"acct_07", "acct_19"}


@pytest.fixture
def own() -> Case:
    accounts = [account(name, organisation=f"org_{name}", plan="scale") for name in NAMES]
    opened = campaign_case(*accounts)
    Campaign.objects.update(findings=[FINDING | {"title": "Acts as one"}], score=38)
    for one in accounts:
        one.traits.create(kind=2, digest=one.pk % 3, uses=9, share=0.9)
    case(accounts[0], part_of=opened)
    Case.objects.update(opened_at=timezone.now(), due_at=timezone.now())
    return opened


def refused() -> set[str]:
    _, headers = service_key(ServiceKey.Scope.ACCESS_READ)
    answers = {name: Client().get(f"/api/v1/access/check?account={name}", **headers).json() for name in NAMES}
    return {name for name, answer in answers.items() if answer["decision"] == "deny"}


def scrolls_sideways(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def choose_block(page: Page) -> None:
    for name in sorted(LEFT_OUT):
        page.get_by_label(f"Decide about {name}").uncheck()
    page.get_by_role("radio", name="Block").check(force=True)
    page.get_by_role("radio", name="Accounts acting as one").check()
    page.get_by_label("Terms clause").select_option(index=1)
    page.get_by_label("Why the others are left out").fill("Both are schools.")


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_it_is_decided_for_22_of_24_and_undone_for_all(open_page: Open, own: Case, script: bool) -> None:  # noqa: FBT001
    page = open_page(viewport=DESKTOP, java_script_enabled=script)
    open_signed_in(page, person(), "/queue/")
    page.get_by_role("link", name="Campaign of 24 accounts").click()
    expect(page.get_by_role("heading", name="Campaign of 24 accounts")).to_be_visible()

    choose_block(page)
    if script:
        expect(page.locator("[data-ticked]")).to_have_text("22")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("heading", name="Block 22 accounts?")).to_be_visible()
    expect(page.locator("main")).to_contain_text("Plans: scale 22.")
    assert refused() == set()

    page.get_by_role("button", name="Change it").click()
    expect(page.get_by_label("Why the others are left out")).to_have_value("Both are schools.")
    expect(page.get_by_label("Decide about acct_07")).not_to_be_checked()
    page.get_by_role("button", name="Preview").click()
    page.get_by_label("Yes, decide this for 22 accounts").check()
    page.get_by_role("button", name="Block 22 accounts").click()
    expect(page.locator("#decide")).to_contain_text("22 accounts, by Mira Okafor")
    assert refused() == set(NAMES) - LEFT_OUT

    page.locator("#decide summary", has_text="Undo").click()
    page.locator("#undo-note").fill("It is a course.")
    page.get_by_role("button", name="Undo decision").click()
    expect(page.locator("#decide")).to_contain_text("Decide about the ticked")
    assert refused() == set()


def test_all_or_none_are_ticked_at_once(open_page: Open, own: Case) -> None:
    page = open_page(viewport=DESKTOP)
    open_signed_in(page, person(), f"/campaigns/{own.campaign_id}/")

    page.get_by_role("link", name="Tick none").click()
    expect(page.locator("[data-ticked]")).to_have_text("0")
    page.get_by_label("Decide about acct_03").check()
    expect(page.locator("[data-ticked]")).to_have_text("1")
    page.get_by_role("link", name="Tick all").click()

    expect(page.locator("[data-ticked]")).to_have_text("24")


def test_what_is_not_ticked_stays_so_while_members_are_filtered_and_sorted(open_page: Open, own: Case) -> None:
    page = open_page(viewport=DESKTOP)
    open_signed_in(page, person(), f"/campaigns/{own.campaign_id}/")
    choose_block(page)

    page.get_by_label("Search members").fill("acct_03")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_label("Decide about acct_07")).to_have_count(0)
    page.get_by_label("Decide about acct_03").uncheck()
    page.get_by_label("Search members").fill("")
    page.get_by_label("Sort by").select_option("account")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_label("Decide about acct_08")).to_be_checked()

    for name in ("acct_03", *LEFT_OUT):
        expect(page.get_by_label(f"Decide about {name}")).not_to_be_checked()
    expect(page.locator("[data-ticked]")).to_have_text("21")
    expect(page.get_by_label("Why the others are left out")).to_have_value("Both are schools.")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_red_button_stays_red_under_the_pointer(
    open_page: Open, own: Case, theme: Literal["light", "dark"]
) -> None:
    page = open_page(viewport=DESKTOP, color_scheme=theme, reduced_motion="reduce")
    open_signed_in(page, person(), f"/campaigns/{own.campaign_id}/")
    choose_block(page)
    page.get_by_role("button", name="Preview").click()
    button = page.get_by_role("button", name="Block 22 accounts")

    button.hover()
    page.wait_for_timeout(300)  # its transition

    red, green, blue = button.evaluate(COLOUR)
    assert red > 2 * max(green, blue) or red - max(green, blue) > 80
    assert not [one for one in find_violations(page) if one.rule == "color-contrast"]


class TestByKeys:
    def test_members_are_gone_through_and_ticked_as_rows_of_the_queue(self, open_page: Open, own: Case) -> None:
        page = open_page(viewport=DESKTOP)
        open_signed_in(page, person(), f"/campaigns/{own.campaign_id}/?sort=account")
        members = page.locator("#members tbody th a")

        press(page, "j", "j")
        expect(members.nth(1)).to_be_focused()
        press(page, "x")
        expect(page.get_by_label("Decide about acct_01")).not_to_be_checked()
        expect(page.locator("[data-ticked]")).to_have_text("23")
        press(page, "k", "ArrowDown", "ArrowDown", "x")

        expect(members.nth(2)).to_be_focused()
        expect(page.locator("[data-ticked]")).to_have_text("22")

    def test_members_are_gone_through_beside_the_queue_once_the_cursor_is_among_them(
        self, open_page: Open, own: Case
    ) -> None:
        page = open_page(viewport=DESKTOP)
        open_signed_in(page, person(), "/queue/")
        page.get_by_role("link", name="Campaign of 24 accounts").click()
        expect(page.get_by_role("heading", name="Campaign of 24 accounts")).to_be_focused()
        page.locator("#members tbody th a").nth(2).focus()

        press(page, "j", "x")

        expect(page.locator("#members tbody tr").nth(3).get_by_role("checkbox")).not_to_be_checked()


class TestBesideTheQueue:
    TITLE = "Campaign of 24 accounts · Stillwatch"

    def test_the_title_of_the_page_is_that_of_the_campaign(self, open_page: Open, own: Case) -> None:
        page = open_page(viewport=DESKTOP)
        open_signed_in(page, person(), "/queue/")

        page.get_by_role("link", name="Campaign of 24 accounts").click()

        expect(page).to_have_title(self.TITLE)
        expect(page.locator("#queue .row-open[aria-current=true]")).to_have_text("Campaign of 24 accounts")

    def test_also_where_next_leads_to_it(self, open_page: Open, own: Case) -> None:
        other = case(account("acct_other"), score=99)
        Case.objects.filter(pk=other.pk).update(opened_at=timezone.now(), due_at=timezone.now())
        page = open_page(viewport=DESKTOP)
        open_signed_in(page, person(), f"/cases/{other.pk}/")
        expect(page.locator("#queue .row").first).to_be_visible()

        press(page, "1", "2", "n")

        expect(page.get_by_role("heading", name="Campaign of 24 accounts")).to_be_focused()
        expect(page).to_have_title(self.TITLE)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("where", ["/campaigns/", "/campaigns/{}/", "preview"])
def test_no_page_scrolls_sideways(open_page: Open, own: Case, width: int, where: str) -> None:
    page = open_page(viewport={"width": width, "height": 844}, color_scheme="dark")
    open_signed_in(page, person(), f"/campaigns/{own.campaign_id}/" if where != "/campaigns/" else where)
    if where == "preview":
        choose_block(page)
        page.get_by_role("button", name="Preview").click()
        expect(page.get_by_role("heading", name="Block 22 accounts?")).to_be_visible()

    assert not scrolls_sideways(page)


@pytest.mark.usefixtures("own")
def test_no_column_of_the_members_is_cut_off_beside_the_queue(open_page: Open) -> None:
    page = open_page(viewport=DESKTOP)
    open_signed_in(page, person(), "/queue/")
    page.get_by_role("link", name="Campaign of 24 accounts").click()
    expect(page.locator("#queue")).to_be_visible()

    in_force = page.locator("#members tbody tr").first.locator("td").last
    expect(in_force).to_have_text("nothing")
    assert page.locator("#members .scroll-x").evaluate("(part) => part.scrollWidth <= part.clientWidth")


def test_members_are_split_off_and_merged_again(open_page: Open, own: Case) -> None:
    page = open_page(viewport=DESKTOP)
    open_signed_in(page, person(), f"/campaigns/{own.campaign_id}/")

    page.get_by_role("link", name="Tick none").click()
    for name in sorted(LEFT_OUT):
        page.get_by_label(f"Decide about {name}").check()
    page.locator("summary", has_text="Split off the ticked instead").click()
    page.get_by_label("Why they belong apart").fill("Two schools.")
    page.get_by_role("button", name="Split off").click()
    expect(page.get_by_role("heading", name="Campaign of 2 accounts")).to_be_visible()

    page.get_by_role("link", name="Merge another campaign into this").click()
    page.get_by_label("Campaign").select_option(index=1)
    page.get_by_label("Reason").fill("One operator after all.")
    page.get_by_role("button", name="Merge").click()

    expect(page.get_by_role("heading", name="Campaign of 24 accounts")).to_be_visible()
