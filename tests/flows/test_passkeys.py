"""A passkey made and used in a real browser, whose authenticator is a virtual one of the DevTools protocol."""

import pytest
from django.test import Client
from playwright.sync_api import CDPSession, Page, expect

from governance.audit.models import Entry
from governance.audit.verbs import Verb
from governance.staff.models import User
from tests.factories import PASSWORD, person
from tests.flows.browser import DESKTOP, Open, sign_in

pytestmark = pytest.mark.django_db(transaction=True)


def with_authenticator(page: Page) -> tuple[CDPSession, str]:
    """Give the browser a device with a fingerprint reader, whose user touches it at once."""
    tools = page.context.new_cdp_session(page)
    tools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    answer = tools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return tools, answer["authenticatorId"]


def add_passkey(page: Page) -> None:
    page.goto("/second-factor/")
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_label("Name").fill("Laptop")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="theme, password, sign out").click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.wait_for_url("**/sign-in/")


def factors_of_sign_ins() -> list[str]:
    return [entry.details.get("factor", "") for entry in Entry.objects.filter(verb=Verb.SIGN_IN_SUCCEEDED)]


@pytest.fixture
def mira() -> User:
    return person()


def test_a_passkey_signs_in_without_a_password_and_is_asked_for_with_one(open_page: Open, mira: User) -> None:
    page = open_page(viewport=DESKTOP)
    tools, authenticator = with_authenticator(page)
    sign_in(page, mira)
    add_passkey(page)
    sign_out(page)

    page.goto("/queue/?view=mine")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url("**/queue/?view=mine")
    assert sorted(factors_of_sign_ins()) == ["", "passkey"]

    answer = Client().post("/sign-in/", {"username": mira.email, "password": PASSWORD})
    assert answer["Location"] == "/sign-in/code/"

    sign_out(page)
    tools.send("WebAuthn.setUserVerified", {"authenticatorId": authenticator, "isUserVerified": False})
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("This device gave no passkey.")).to_be_visible()


def test_a_removed_passkey_is_refused(open_page: Open, mira: User) -> None:
    page = open_page(viewport=DESKTOP)
    with_authenticator(page)
    sign_in(page, mira)
    add_passkey(page)
    page.goto("/second-factor/")
    page.get_by_text("Remove the passkey Laptop").click()
    page.get_by_label("Your password").first.fill(PASSWORD)
    page.get_by_role("button", name="Remove the passkey").click()
    expect(page.get_by_text("Passkey removed.")).to_be_visible()
    sign_out(page)

    page.get_by_role("button", name="Sign in with a passkey").click()

    expect(page.get_by_text("This passkey was not accepted.")).to_be_visible()
    assert factors_of_sign_ins() == [""]
