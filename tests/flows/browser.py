"""Pages of a real headless Chromium, and steps that every test of them takes."""

from collections.abc import Callable
from urllib.parse import urljoin, urlsplit

from django.conf import settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, expect

from governance.review.models import Case
from governance.staff.models import User
from tests.factories import PASSWORD, account, case, person

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
DESKTOP = {"width": 1280, "height": 900}

Open = Callable[..., Page]


def sign_in(page: Page, user: User, *, at: str = "/queue/", leads_to: str = "/queue/") -> None:
    """By the form, for tests that are about signing in."""
    page.goto(at)
    fill_sign_in(page, user)
    page.wait_for_url(lambda url: urlsplit(url).path == leads_to)  # whose query may name it as well


def open_signed_in(page: Page, user: User, address: str = "/queue/") -> None:
    """Open a page as somebody who has signed in already, which spares the way through the form."""
    client = Client()
    client.force_login(user)
    name = settings.SESSION_COOKIE_NAME
    page.goto("/health/")  # the cookie belongs to this server, whose address only the page knows
    here = urljoin(page.url, "/")
    page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": here}])
    page.goto(address)


def fill_sign_in(page: Page, user: User) -> None:
    """On the sign-in page: enter and send."""
    page.get_by_label("E-mail").fill(user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")


def two_cases() -> tuple[Case, Case]:
    """The higher one first."""
    now = timezone.now()
    first = case(account("acct_harbour", organisation="org_quay"), score=96)
    second = case(account("acct_quill"), score=71, band="high")
    Case.objects.update(opened_at=now, due_at=now)
    return first, second


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def opened(open_page: Open, about: Case) -> Page:
    page = open_page(viewport=DESKTOP)
    open_signed_in(page, person(), f"/cases/{about.pk}/")
    expect(page.locator("#queue .row").first).to_be_visible()
    return page
