"""axe-core finds nothing wrong on any page, in both themes and at 1280 and 390 px."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import cycle, product, repeat
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
    Theme,
    iter_violations_everywhere,
    iter_violations_in,
)
from tests.flows.browser import Open, open_signed_in
from tests.rules.arguments import ARGUMENTS
from tests.rules.test_hostile_values import FOR_MACHINES

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SHOWN: Final = 30
Way = tuple[Theme, int]
WAYS: Final[Sequence[Way]] = tuple(product(THEMES, WIDTHS))
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
# Histories and what asks before a deletion are the same template for every table: those of the log stand for all.
SAME_ON_ALL: Final = {
    pattern
    for pattern in ARGUMENTS
    if pattern.endswith(("/history/", "/delete/")) and pattern.startswith("/admin/") and "/audit/entry/" not in pattern
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
    for pattern in sorted(set(ARGUMENTS) - LEFT_OUT - SAME_ON_ALL):
        is_admin = pattern.startswith("/admin/")
        if pattern.startswith(FOR_MACHINES) or pattern.endswith("$") or is_admin is not of_the_admin:
            continue
        address = filled(pattern)
        answer = client.get(address)
        if answer.status_code == 200 and b"<html" in answer.content:  # and not a part of a page
            yield address


def complaints(page: Page, addresses: Iterable[str], ways: Iterable[Sequence[Way]]) -> list[str]:
    """What is wrong on each page, in the ways that are its turn: a theme and a width."""
    found: list[str] = []
    for address, turn in zip(addresses, ways, strict=False):
        page.goto(address)
        page.wait_for_function(NOTHING_ON_ITS_WAY)
        for theme, width in turn:
            found += iter_violations_in(page, theme, width)
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


@pytest.mark.long
def test_on_every_page(ada: tuple[Page, Client, str]) -> None:
    page, client, opened = ada
    addresses = [*pages(client, of_the_admin=False), *(filled(pattern) for pattern in sorted(OF_THE_ADMIN))]
    addresses += [opened, "/nothing/"]
    addresses += [f"{address}?{urlencode(query)}" for address, query in WITH_QUERIES]
    share = Share.objects.latest("proposed_at")
    addresses += [f"/campaigns/{share.campaign_id}/share/?{urlencode({'partner': share.partner_id, 'tlp': 'amber'})}"]

    # Each in both themes and at both widths: the wide page in one theme, the narrow one in the other.
    found = complaints(page, addresses, cycle([(WAYS[0], WAYS[3]), (WAYS[1], WAYS[2])]))

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

    addresses = ("/", "/queue/", "/enforcement/", "/restrictions/", "/policy/", "/settings/")
    found = complaints(page, addresses, repeat(WAYS))

    assert not found, "\n".join(found[:SHOWN])


@pytest.mark.long
def test_on_every_page_of_the_admin(ada: tuple[Page, Client, str]) -> None:
    page, client, _ = ada

    # They are made alike, so each is looked at in one of the four ways; neighbours, as a list and its form, in others.
    found = complaints(page, pages(client, of_the_admin=True), cycle([way] for way in WAYS))

    assert not found, "\n".join(found[:SHOWN])
