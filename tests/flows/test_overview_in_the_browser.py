"""A lead's morning in a real browser: the overview's figures equal SQL and lead on, and a due date is set."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from playwright.sync_api import Page, expect

from governance.detection.queries import get_due_targets
from governance.detection.scoring import Band
from governance.review.models import Case
from governance.staff.roles import Role
from tests.everything import one_of_everything
from tests.factories import account, case, person
from tests.flows.browser import DESKTOP, Open, fill_sign_in, open_signed_in, two_cases

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def figure(page: Page, name: str) -> int:
    return int(page.locator(".figures a", has_text=name).locator("b").inner_text())


def in_sql(condition: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM review_case WHERE status = 'open' AND {condition}")  # noqa: S608
        [number] = cursor.fetchone() or (0,)
        return int(number)


def test_signing_in_leads_to_figures_that_equal_sql_and_to_what_is_behind_them(open_page: Open) -> None:
    two_cases()
    case(account("acct_calm"), score=55, band="elevated")
    late = Case.objects.get(account__external_id="acct_quill")
    Case.objects.exclude(pk=late.pk).update(due_at=timezone.now() + timedelta(hours=2))
    page = open_page(viewport=DESKTOP)
    page.goto("/")
    fill_sign_in(page, person("Jonas Lindqvist", role=Role.LEAD))
    page.wait_for_url(re.compile(r":\d+/$"))

    assert figure(page, "waiting") == in_sql("true") == 3
    assert figure(page, "overdue") == in_sql("due_at < now()") == 1
    for band in Band:
        row = page.get_by_role("row", name=band.value.capitalize())
        shown = int(row.locator("td").last.inner_text())
        assert shown == in_sql(f"band = '{band.value}'")
    page.locator(".figures a", has_text="overdue").click()
    expect(page.locator(".row")).to_have_count(1)
    expect(page.locator(".row")).to_contain_text("acct_quill")
    page.go_back()
    page.get_by_role("row", name="Elevated").get_by_role("link").last.click()
    expect(page.get_by_role("heading", name="Waiting cases: elevated")).to_be_visible()
    page.get_by_role("link", name="acct_calm").click()
    expect(page.get_by_role("heading", name="acct_calm")).to_be_visible()


def test_a_table_is_taken_away_as_a_file(open_page: Open) -> None:
    two_cases()
    page = open_page(viewport=DESKTOP)
    open_signed_in(page, person(role=Role.LEAD), "/")

    with page.expect_download() as download:
        page.locator("#waiting").get_by_role("link", name="CSV").click()

    assert download.value.suggested_filename == "stillwatch-waiting.csv"
    assert download.value.path().read_text().splitlines()[0].startswith("Band,under 4 h")


@pytest.mark.parametrize("scripts", [True, False])
def test_a_due_date_is_set_and_counts(open_page: Open, scripts: bool) -> None:  # noqa: FBT001
    page = open_page(viewport=DESKTOP, java_script_enabled=scripts)
    open_signed_in(page, person("Jonas Lindqvist", role=Role.LEAD), "/settings/")

    page.get_by_label("High").fill("12")
    page.get_by_role("button", name="Save due dates").click()
    expect(page.locator("#toasts")).to_contain_text("Due within: 1 band changed.")
    page.get_by_label("Critical").fill("13")
    page.get_by_role("button", name="Save due dates").click()
    expect(page.get_by_text("Not later than high cases, which are due within 12 h.")).to_be_visible()
    page.get_by_role("link", name="History").click()

    expect(page.get_by_role("row", name="Jonas Lindqvist due-date target changed")).to_contain_text("24 h")
    assert get_due_targets()[Band.HIGH] == timedelta(hours=12)


def test_a_reviewer_begins_with_the_next_case(open_page: Open) -> None:
    two_cases()
    page = open_page(viewport={"width": 390, "height": 844}, color_scheme="dark")
    open_signed_in(page, person(), "/")

    expect(page.get_by_role("heading", name="My day")).to_be_visible()
    assert page.get_by_text("All reviewers").count() == 0
    page.get_by_role("button", name="Next case").click()

    expect(page.get_by_role("heading", name="acct_harbour")).to_be_visible()
    expect(page.locator("#claim")).to_contain_text("Claimed by you")


def test_no_page_scrolls_sideways_on_the_narrowest_phone(open_page: Open) -> None:
    one_of_everything()
    page = open_page(viewport={"width": 320, "height": 640})
    open_signed_in(page, person(role=Role.ADMIN), "/")

    for address in ("/", "/overview/cases/", "/settings/", "/settings/users/", "/settings/keys/", "/settings/history/"):
        page.goto(address)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 320, f"{address} is {width} px wide"
