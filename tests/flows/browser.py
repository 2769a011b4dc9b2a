"""Pages of a real headless Chromium, and steps that every test of them takes."""

from collections.abc import Callable

from django.utils import timezone
from playwright.sync_api import Page

from governance.review.models import Case
from governance.staff.models import User
from tests.factories import PASSWORD, account, case

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
DESKTOP = {"width": 1280, "height": 900}

Open = Callable[..., Page]


def sign_in(page: Page, user: User, *, at: str = "/", leads_to: str = "**/queue/") -> None:
    page.goto(at)
    fill_sign_in(page, user)
    page.wait_for_url(leads_to)


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
