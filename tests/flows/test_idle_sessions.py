"""An open page asks for news all day; its session ends all the same when nobody uses the page."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from governance.staff.models import StaffSession
from tests.factories import case
from tests.flows.browser import Open, opened
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def put_back(minutes: int) -> None:
    """As if so many minutes had passed since the session was last used."""
    StaffSession.objects.update(last_used_at=timezone.now() - timedelta(minutes=minutes))


def idle_minutes() -> float:
    return (timezone.now() - StaffSession.objects.get().last_used_at) / timedelta(minutes=1)


def ask_for_news(page: Page) -> None:
    """What the page does by itself, sooner."""
    page.evaluate("htmx.trigger(document.body, 'queue-changed')")


def test_a_page_that_nobody_uses_leads_to_sign_in_and_keeps_what_was_typed(open_page: Open) -> None:
    about = case()
    page = opened(open_page, about)
    note = page.locator("form[action$='/note/'] textarea")
    note.fill("Their answers look copied.")
    ask_for_news(page)
    page.wait_for_load_state("networkidle")

    put_back(29)
    ask_for_news(page)
    page.wait_for_load_state("networkidle")
    assert idle_minutes() > 28

    page.keyboard.press("End")  # somebody is there
    ask_for_news(page)
    wait_until(lambda: idle_minutes() < 1)

    put_back(31)
    ask_for_news(page)
    expect(page.locator("#session")).to_contain_text("You have been signed out. What you typed stays here.")
    expect(note).to_have_value("Their answers look copied.")
