"""Every key that the help lists does what the help says, in a real browser."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from governance.review.models import ACTIONS, Case
from governance.staff.roles import Role
from tests.factories import person
from tests.flows.browser import DESKTOP, Open, open_signed_in, two_cases

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.django_db(transaction=True)]

Does = Callable[[Page], None]


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def leads_to(address: str | re.Pattern[str], *keys: str) -> Does:
    def does(page: Page) -> None:
        press(page, *keys)
        page.wait_for_url(address)

    return does


def moves_in_the_list(page: Page) -> None:
    rows = page.locator("#queue .row-open")
    open_row = rows.and_(page.locator("[aria-current=true]"))
    expect(open_row).to_have_text("acct_harbour")
    press(page, "j")
    expect(rows.nth(1)).to_be_focused()
    press(page, "k")
    expect(rows.nth(0)).to_be_focused()
    press(page, "ArrowDown")
    expect(rows.nth(1)).to_be_focused()
    press(page, "ArrowUp")
    expect(rows.nth(0)).to_be_focused()


def opens_a_row(page: Page) -> None:
    press(page, "j", "Enter")
    expect(page.get_by_role("heading", name="acct_quill")).to_be_focused()


def ticks_the_row(page: Page) -> None:
    press(page, "x")
    expect(page.get_by_label("Tick acct_harbour")).to_be_checked()
    press(page, "j", "x")
    expect(page.get_by_label("Tick acct_quill")).to_be_checked()
    press(page, "x")
    expect(page.get_by_label("Tick acct_quill")).not_to_be_checked()


def goes_on_to_the_next(page: Page) -> None:
    press(page, "g", "n")
    expect(page.get_by_role("heading", name="acct_quill")).to_be_focused()


def focuses(selector: str, key: str) -> Does:
    def does(page: Page) -> None:
        press(page, key)
        expect(page.locator(selector)).to_be_focused()

    return does


def claims_and_gives_back(page: Page) -> None:
    press(page, "c")
    expect(page.locator("#claim")).to_contain_text("Claimed by you")
    press(page, "c")
    expect(page.locator("#claim")).not_to_contain_text("Claimed by you")


def chooses_each_action(page: Page) -> None:
    press(page, "?")
    numbered = page.locator("#keys dt", has_text=re.compile(r"^1–\d$"))
    listed = numbered.locator("+ dd").inner_text().split(", ")
    assert len(listed) == len(ACTIONS)
    press(page, "Escape")
    for number, action in enumerate(listed, 1):
        press(page, "Escape", str(number))
        expect(page.get_by_role("radio", name=action, exact=False).first).to_be_checked()
        expect(page.locator("[name=action]:checked")).to_have_value(action)


def sends_a_note(page: Page) -> None:
    press(page, "w")
    page.keyboard.type("Called them.")
    press(page, "Control+Enter")
    expect(page.locator("#history")).to_contain_text("Called them.")


def shows_the_help(page: Page) -> None:
    press(page, "?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()


def decides_in_three_keys(page: Page) -> None:
    press(page, "1", "2", "1")
    expect(page.locator("#decide")).to_contain_text("Dismissed")


def starts_again(page: Page) -> None:
    press(page, "8", "1", "Escape")
    expect(page.locator("[name=action]:checked")).to_have_count(0)
    expect(page.locator("[name=against]:checked")).to_have_count(0)


def decides_and_goes_on(page: Page) -> None:
    press(page, "1", "2", "n")
    expect(page.get_by_role("heading", name="acct_quill")).to_be_focused()
    expect(page.locator("#decide")).to_contain_text("Your last decision: acct_harbour dismissed.")


def undoes(page: Page) -> None:
    decides_in_three_keys(page)
    press(page, "u")
    expect(page.locator("#undo-note")).to_be_focused()


DOES: dict[str, Does] = {
    "j k": moves_in_the_list,
    "Enter": opens_a_row,
    "x": ticks_the_row,
    "g o": leads_to(re.compile(r":\d+/$"), "g", "o"),
    "g n": goes_on_to_the_next,
    "g q": leads_to("**/queue/", "g", "q"),
    "g d": leads_to("**/queue/?view=decided", "g", "d"),
    "g a": leads_to("**/accounts/", "g", "a"),
    "g i": leads_to("**/inbox/", "g", "i"),
    "g e": leads_to("**/enforcement/", "g", "e"),
    "g p": leads_to("**/policy/", "g", "p"),
    "g s": leads_to("**/settings/", "g", "s"),
    "/": focuses("#search", "/"),
    "Ctrl K": focuses("#palette-input", "Control+k"),
    "c": claims_and_gives_back,
    "d": focuses("#decide", "d"),
    "1–8": chooses_each_action,
    "digit": decides_in_three_keys,
    "Esc": starts_again,
    "n": decides_and_goes_on,
    "u": undoes,
    "h": focuses("#hold-because", "h"),
    "a": focuses("#assign-to", "a"),
    "e": focuses("#escalate-because", "e"),
    "s": focuses("#skip-because", "s"),
    "w": focuses("#note", "w"),
    "Ctrl Enter": sends_a_note,
    "?": shows_the_help,
}


@pytest.fixture
def opened() -> Case:
    return two_cases()[0]


def open_case(open_page: Open, opened: Case) -> Page:
    page = open_page(viewport=DESKTOP)
    open_signed_in(page, person("Jonas Lindqvist", role=Role.LEAD), f"/cases/{opened.pk}/")
    expect(page.locator("#queue .row")).to_have_count(2)
    return page


class TestTheHelp:
    def test_lists_just_these_keys(self, open_page: Open, opened: Case) -> None:
        page = open_case(open_page, opened)
        press(page, "?")

        assert [keys.strip() for keys in page.locator("#keys dt").all_inner_texts()] == [*DOES]

    @pytest.mark.parametrize("keys", DOES)
    def test_is_right_about(self, open_page: Open, opened: Case, keys: str) -> None:
        DOES[keys](open_case(open_page, opened))
