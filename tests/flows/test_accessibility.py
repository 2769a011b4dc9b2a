"""axe-core finds nothing wrong on any page, in both themes, at 1280 and 390 px."""

from collections.abc import Iterator
from itertools import cycle, product
from typing import Any, Final
from urllib.parse import urlencode

import pytest
from django.test import Client
from playwright.sync_api import Page

from governance.sharing.models import Share
from governance.staff.roles import Role
from tests.everything import one_of_everything
from tests.factories import account, case, person
from tests.flows.accessibility import (
    NOTHING_ON_ITS_WAY,
    THEMES,
    WIDTHS,
    iter_violations_everywhere,
    iter_violations_in,
)
from tests.flows.browser import Open, open_signed_in
from tests.rules.arguments import ARGUMENTS
from tests.rules.test_hostile_values import FOR_MACHINES

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SHOWN: Final = 30
# A page that leads away, or what is no page of ours.
LEFT_OUT: Final = {"/sign-out/", "/admin/jsi18n/", "/admin/logout/"}
# Of the admin's pages, which are all made alike, some of each sort; the long test opens every one.
OF_THE_ADMIN: Final = {
    "/admin/",
    "/admin/audit/entry/",
    "/admin/audit/entry/<path:object_id>/change/",
    "/admin/review/case/",
    "/admin/restrictions/restriction/<path:object_id>/change/",
}
# Pages that differ by what is asked of them.
WITH_QUERIES: Final = (
    ("/queue/", {"view": "decided"}),
    ("/queue/", {"q": "nobody at all"}),
    ("/overview/cases/", {"band": "critical"}),
    ("/overview/cases/", {"due": "overdue"}),
    ("/settings/privacy/erase/", {"kind": "account", "name": "acct_harbour"}),
    ("/settings/privacy/erase/", {"kind": "account", "name": "acct_held"}),
    ("/admin/review/case/", {"status__exact": "open"}),
)


def filled(pattern: str) -> str:
    """The address of a pattern of the URL map, with what stands in its gaps."""
    for name, find in ARGUMENTS[pattern].path.items():
        for converter in ("uuid", "int", "path", "slug", "str"):
            pattern = pattern.replace(f"<{converter}:{name}>", str(find()))
    return pattern


def pages(client: Client, *, of_the_admin: bool) -> Iterator[str]:
    """The address of every page that answers to somebody who may see all."""
    for pattern in sorted(set(ARGUMENTS) - LEFT_OUT):
        is_admin = pattern.startswith("/admin/")
        if pattern.startswith(FOR_MACHINES) or pattern.endswith("$") or is_admin is not of_the_admin:
            continue
        address = filled(pattern)
        answer = client.get(address)
        if answer.status_code == 200 and b"<html" in answer.content:  # and not a part of a page
            yield address


def complaints(page: Page, addresses: Iterator[str]) -> list[str]:
    found: list[str] = []
    for address in addresses:
        page.goto(address)
        page.wait_for_function(NOTHING_ON_ITS_WAY)
        found += iter_violations_everywhere(page)
    return found


@pytest.fixture
def ada(open_page: Open) -> Any:
    """A browser and a client of an admin, in an installation with a row in every table."""
    one_of_everything()
    opened = case(account("acct_waiting", organisation="org_quay"))
    admin, client = person("Ada Moreau", role=Role.ADMIN), Client()
    client.force_login(admin)
    page = open_page()
    open_signed_in(page, admin)
    return page, client, f"/cases/{opened.pk}/"


def test_on_every_page(ada: tuple[Page, Client, str]) -> None:
    page, client, opened = ada
    addresses = [*pages(client, of_the_admin=False), *(filled(pattern) for pattern in sorted(OF_THE_ADMIN))]
    addresses += [opened, "/nothing/"]
    addresses += [f"{address}?{urlencode(query)}" for address, query in WITH_QUERIES]
    share = Share.objects.latest("proposed_at")
    addresses += [f"/campaigns/{share.campaign_id}/share/?{urlencode({'partner': share.partner_id, 'tlp': 'amber'})}"]

    found = complaints(page, iter(addresses))

    assert len(addresses) > 20
    assert not found, "\n".join(found[:SHOWN])


def test_on_what_opens_and_what_complains(ada: tuple[Page, Client, str], open_page: Open) -> None:
    page, _, opened = ada
    found: list[str] = []

    page.goto("/queue/")
    page.get_by_role("button", name="Keyboard shortcuts").click()
    found += iter_violations_everywhere(page)
    page.goto("/queue/")
    page.get_by_role("button", name="theme, password, sign out").click()
    found += iter_violations_everywhere(page)
    page.goto(opened)
    page.get_by_role("radio", name="Block").check(force=True)
    page.locator("#decide").get_by_role("button", name="Block the account").first.click()
    page.get_by_text("Choose a reason.").wait_for()
    found += iter_violations_everywhere(page)
    for address in ("/policy/", "/enforcement/webhooks/", "/settings/users/", "/settings/keys/", "/settings/partners/"):
        page.goto(address)
        page.locator("main form .main-action").last.click()
        page.locator(".errorlist").first.wait_for()
        found += iter_violations_everywhere(page)
    visitor = open_page()
    visitor.goto("/sign-in/")
    found += iter_violations_everywhere(visitor)

    assert not found, "\n".join(found[:SHOWN])


def test_on_pages_on_which_nothing_is_yet(open_page: Open) -> None:
    page, lead = open_page(), person(role=Role.LEAD)
    open_signed_in(page, lead)

    found = complaints(page, iter(["/", "/queue/", "/enforcement/", "/restrictions/", "/policy/", "/settings/"]))

    assert not found, "\n".join(found[:SHOWN])


@pytest.mark.long
def test_on_every_page_of_the_admin(ada: tuple[Page, Client, str]) -> None:
    page, client, _ = ada

    # They are made alike, so each is looked at in one of the four ways; neighbours, as a list and its form, in others.
    ways = cycle(product(WIDTHS, THEMES))
    found: list[str] = []
    for address, (width, theme) in zip(pages(client, of_the_admin=True), ways, strict=False):
        page.goto(address)
        found += iter_violations_in(page, theme, width)

    assert not found, "\n".join(found[:SHOWN])
