"""A case page whose session ends while somebody types."""

from django.contrib.sessions.models import Session
from playwright.sync_api import Page, expect

from governance.review.models import Case
from governance.staff.models import User
from tests.flows.browser import DESKTOP, Open, sign_in

NOTE = "Asked the account manager; 12 keys, one card.\nÜber „Quay“ 🙂"


DRAFTS = "Object.keys(localStorage).filter((key) => key.startsWith('draft:'))"


def end_in_the_database(page: Page) -> None:
    Session.objects.all().delete()


def sign_out_in_another_tab(page: Page) -> None:
    other = page.context.new_page()
    other.goto("/queue/")
    other.get_by_role("button", name="theme, password, sign out").click()
    other.get_by_role("button", name="Sign out", exact=True).click()
    other.wait_for_url("**/sign-in/")
    other.close()


def sign_in_in_another_tab(page: Page, user: User) -> None:
    """After the session ended: the page that is still open holds a token of before."""
    end_in_the_database(page)
    other = page.context.new_page()
    sign_in(other, user)
    other.close()


def open_case(open_page: Open, user: User, opened: Case) -> Page:
    page = open_page(viewport=DESKTOP)
    sign_in(page, user)
    page.goto(f"/cases/{opened.pk}/")
    expect(page.locator(".row")).to_have_count(2)
    return page


def drafts(page: Page) -> list[str]:
    return list(page.evaluate(DRAFTS))


def choose_a_throttle(page: Page) -> None:
    page.get_by_role("radio", name="Throttle").check(force=True)
    page.get_by_role("radio", name="Access passed on or resold").check()
    page.get_by_label("Allowed requests per minute").fill("7")
    page.get_by_label("Terms clause").select_option(index=3)
    page.locator("#decide-note").fill(NOTE)


def expect_the_throttle(page: Page) -> None:
    expect(page.get_by_role("radio", name="Throttle")).to_be_checked()
    expect(page.get_by_role("radio", name="Access passed on or resold")).to_be_checked()
    expect(page.get_by_label("Allowed requests per minute")).to_have_value("7")
    expect(page.get_by_label("Terms clause")).to_have_value("2.6 Stay within the declared use")
    expect(page.locator("#decide-note")).to_have_value(NOTE)
